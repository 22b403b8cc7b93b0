/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff, apply, confirm, rollback, history, show.
 *
 * apply sends the whole file as one transaction that replaces the configuration; the hypervisor finds the difference itself. The
 * objects go in key order, so that the place which a refusal names is the object's place here, and with it file, line and column.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

#define CHUNK 60000

int cmd_diff(struct cli *cli)
{
	struct site s = {.quiet = cli->json};
	int rc = cli_words(cli, 1, 1);

	if (rc)
		return rc;
	rc = site_read(cli->argv[0], &s) ? site_refused(cli, &s) : show_diff(cli, &s);
	site_free(&s);
	return rc;
}

/* --- modules ---------------------------------------------------------------------------------------------------------- */

struct have {
	struct vc_blob_rec *v;
	size_t n;
};

static bool have_blob(const struct have *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (!strncmp(h->v[i].name, name, VC_MODULE))
			return true;
	return false;
}

static int send_blob(struct cli *cli, const char *name, const uint8_t *bytes, size_t size)
{
	struct vc_blob_begin b = {.size = size};
	struct vc_blob_name e = {{0}};
	struct vfrc_reply r;
	uint8_t *body = malloc(sizeof(struct vc_blob_put) + CHUNK);
	int rc;

	if (!body)
		return EXIT_REFUSED;
	memcpy(b.name, name, VC_MODULE);
	memcpy(e.name, name, VC_MODULE);
	rc = cli_call(cli, VC_BLOB_BEGIN, &b, sizeof(b), &r);
	for (size_t at = 0; at < size && !rc; at += CHUNK) {
		struct vc_blob_put *p = (void *)body;
		size_t n = size - at < CHUNK ? size - at : CHUNK;

		memcpy(p->name, name, VC_MODULE);
		p->offset = at;
		memcpy(p + 1, bytes + at, n);
		rc = cli_call(cli, VC_BLOB_PUT, body, sizeof(*p) + n, &r);
	}
	free(body);
	return rc ? rc : cli_call(cli, VC_BLOB_END, &e, sizeof(e), &r);
}

static int send_module(struct cli *cli, struct site *s, const struct module *m)
{
	uint8_t *elf = NULL;
	size_t size = m->size;
	char why[256];
	int rc;

	if (m->kernel && kernel_load(m->bytes, m->size, &elf, &size, why, sizeof(why))) {
		site_error(s, m->line, m->col, "the kernel '%s' cannot be used: %s", m->path, why);
		return site_refused(cli, s);
	}
	if (!cli->json)
		printf("uploading %s (%zu KiB)\n", m->name, size >> 10);
	rc = send_blob(cli, m->name, m->kernel ? elf : m->bytes, size);
	free(elf);
	return rc;
}

/* Modules that the machine does not have yet are brought before the transaction. */
int send_modules(struct cli *cli, struct site *s)
{
	struct have h;
	int rc = cli_records(cli, VC_BLOB_LIST, sizeof(*h.v), &h.v, &h.n);

	for (size_t i = 0; i < s->nmodules && !rc; i++)
		if (!have_blob(&h, s->modules[i]->name))
			rc = send_module(cli, s, s->modules[i]);
	free(h.v);
	return rc;
}

/* --- apply ------------------------------------------------------------------------------------------------------------ */

static int refused_at(struct cli *cli, const struct site *s, const struct vfrc_reply *r, int rc)
{
	const struct object *o;

	if (rc != VFRC_REFUSED || r->err.index >= s->objects.n || cli->json)
		return cli_result(cli, rc, r);
	o = s->objects.v[r->err.index];
	fit_line(stderr, 2, "%s:%d:%d: %s (%s)", s->file, o->line, o->col, r->err.text, r->err.name);
	cli_hint(r->err.name);
	return EXIT_REFUSED;
}

static int send_objects(struct cli *cli, const struct site *s)
{
	struct vfrc_reply r;

	for (size_t i = 0; i < s->objects.n; i++) {
		const struct object *o = s->objects.v[i];
		int rc = vfrc_call(cli->c, o->type, o->body, o->length, &r);

		if (rc)
			return refused_at(cli, s, &r, rc);
	}
	return 0;
}

static int report(struct cli *cli, const struct vfrc_reply *r, const char *what)
{
	struct vc_generation_reply g;

	memcpy(&g, r->body, sizeof(g));
	if (cli->json)
		return cli_json(json_pack("{s:I, s:i, s:i, s:i}", "generation", (json_int_t)g.generation, "added", (int)g.added, "removed",
					  (int)g.removed, "changed", (int)g.changed));
	printf("%s: %u added, %u removed, %u changed; generation %llu\n", what, g.added, g.removed, g.changed,
	       (unsigned long long)g.generation);
	return EXIT_DONE;
}

static int apply(struct cli *cli, struct site *s, bool dry, bool force, uint64_t confirm_ms)
{
	struct vc_txn_begin b = {.flags = VC_TXN_REPLACE, .base = vfrc_generation(cli->c)};
	struct vc_txn_commit m = {.flags = (dry ? VC_COMMIT_DRY : 0) | (force ? VC_COMMIT_FORCE : 0), .confirm_ms = confirm_ms};
	struct vfrc_reply r;
	int rc = 0;

	snprintf(b.note, sizeof(b.note), "apply %.50s", strrchr(s->file, '/') ? strrchr(s->file, '/') + 1 : s->file);
	if (!dry)
		rc = send_modules(cli, s);
	if (!rc)
		rc = cli_call(cli, VC_TXN_BEGIN, &b, sizeof(b), &r);
	if (!rc)
		rc = send_objects(cli, s);
	if (rc)
		return rc;
	rc = vfrc_call(cli->c, VC_TXN_COMMIT, &m, sizeof(m), &r);
	if (rc)
		return refused_at(cli, s, &r, rc);
	rc = report(cli, &r, dry ? "would be applied" : "applied");
	if (confirm_ms && !dry && !cli->json)
		printf("taken back in %llu s unless 'vfrctl confirm' comes\n", (unsigned long long)confirm_ms / 1000);
	return rc;
}

static int confirm_time(struct cli *cli, uint64_t *ms)
{
	const char *t = cli_value(cli, "--confirm");

	*ms = 0;
	if (t && (vfrc_parse_duration(t, ms) || !*ms || *ms > UINT32_MAX))
		return cli_usage(cli, "'%s' is not a time: write 5m or 30s", t);
	return 0;
}

int cmd_apply(struct cli *cli)
{
	bool dry = cli_flag(cli, "--dry-run"), force = cli_flag(cli, "--force");
	struct site s = {.quiet = cli->json};
	uint64_t ms;
	int rc = confirm_time(cli, &ms);

	if (!rc)
		rc = cli_words(cli, 1, 1);
	if (rc)
		return rc;
	rc = site_read(cli->argv[0], &s) ? site_refused(cli, &s) : 0;
	if (!rc && dry && !cli->json)
		rc = show_diff(cli, &s);
	if (!rc)
		rc = apply(cli, &s, dry, force, ms);
	site_free(&s);
	return rc;
}

int cmd_confirm(struct cli *cli)
{
	struct vfrc_reply r;
	int rc = cli_words(cli, 0, 0);

	if (!rc)
		rc = cli_call(cli, VC_CONFIRM, NULL, 0, &r);
	return rc ? rc : report(cli, &r, "confirmed");
}

int cmd_rollback(struct cli *cli)
{
	struct vc_rollback q = {0};
	struct vfrc_reply r;
	uint64_t ms, to = 0;
	int rc = confirm_time(cli, &ms);

	if (!rc)
		rc = cli_words(cli, 0, 1);
	if (rc)
		return rc;
	if (cli->argc && vfrc_parse_count(cli->argv[0], UINT64_MAX - 1, &to))
		return cli_usage(cli, "'%s' is not a generation's number", cli->argv[0]);
	q.generation = to;
	q.confirm_ms = ms;
	rc = cli_call(cli, VC_ROLLBACK, &q, sizeof(q), &r);
	return rc ? rc : report(cli, &r, "rolled back");
}

static const struct column history_columns[] = {
	{.head = "generation", .number = true}, {.head = "time"}, {.head = "objects", .number = true, .rank = 2}, {.head = "change"},
	{.head = "by", .rank = 1}, {.head = ""},
};

static int history_rows(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	const struct vc_history_rec *h = (const void *)rec;
	struct listing *l = ctx;

	for (uint32_t i = 0; i < p->count; i++, h++) {
		char when[48];

		if (l->json) {
			json_array_append_new(l->json, json_pack("{s:I, s:o, s:i, s:o, s:o, s:b}", "generation",
				(json_int_t)h->generation, "utc", json_time(h->utc_ns), "objects", (int)h->objects, "note",
				json_name(h->note, sizeof(h->note)), "client", json_name(h->client, sizeof(h->client)), "unconfirmed",
				(int)(h->flags & 1)));
			continue;
		}
		vfrc_format_time(h->utc_ns, when, sizeof(when));
		table_cell(l->t, "%llu", (unsigned long long)h->generation);
		table_cell(l->t, "%s", when);
		table_cell(l->t, "%u", h->objects);
		table_cell(l->t, "%.64s", h->note);
		table_cell(l->t, "%.32s", h->client);
		table_cell(l->t, "%s", h->flags & 1 ? "awaits confirmation" : "");
	}
	return 0;
}

int cmd_history(struct cli *cli)
{
	return list_pages(cli, VC_HISTORY, list_begin(cli, history_columns, NCOLS(history_columns)), "no generations", history_rows);
}

static void hex(const struct object *o, char *out)
{
	for (unsigned int i = 0; i < o->length; i++)
		sprintf(out + 2 * i, "%02x", o->body[i]);
	out[2 * o->length] = 0;
}

int cmd_show(struct cli *cli)
{
	json_t *out = cli->json ? json_array() : NULL;
	static char bytes[2 * 65536 + 1];
	struct objects all;
	struct vfrc_reply r;
	uint64_t gen = 0;
	int rc = cli_words(cli, 0, 1);

	if (!rc && cli->argc && vfrc_parse_count(cli->argv[0], UINT64_MAX - 1, &gen))
		rc = cli_usage(cli, "'%s' is not a generation's number", cli->argv[0]);
	if (!rc)
		rc = cli_result(cli, objects_read(cli->c, gen, 0, &all, &r), &r);
	if (rc)
		return rc;
	for (size_t i = 0; i < all.n; i++) {
		char text[600];

		object_describe(all.v[i], text, sizeof(text));
		hex(all.v[i], bytes);
		if (out)
			json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s}", "kind", object_kind_name(all.v[i]->type), "domain",
							     object_domain(all.v[i]), "text", text, "bytes", bytes));
		else
			fit_line(stdout, 2, "%s", text);
	}
	objects_free(&all);
	return out ? cli_json(out) : EXIT_DONE;
}
