/* SPDX-License-Identifier: BSD-2-Clause */
/* Sub-classes of a domain: list, set, remove; what each one did, as stats shows it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

static json_t *json_dscps(uint64_t set)
{
	char text[256];

	vfrc_format_dscps(set, text, sizeof(text));
	return json_string(text);
}

static void sub_object_row(struct listing *l, const struct object *o)
{
	const struct vc_sub_set *m = (const void *)o->body;
	char text[300];

	object_describe(o, text, sizeof(text));
	if (l->json)
		json_array_append_new(l->json, json_pack("{s:s, s:i, s:i, s:o}", "domain", m->dom, "sub_class", (int)m->index, "weight",
							 (int)m->weight, "dscp", json_dscps(m->dscps)));
	else
		fit_line(stdout, 2, "%s", text);
}

int cmd_sub_ls(struct cli *cli)
{
	static const struct object_list subs = {VC_SUB_SET, .none = "no sub-classes", .row = sub_object_row};

	return list_objects(cli, &subs);
}

/* What is there already, so that a word alone changes what it names. */
static int read_sub(struct cli *cli, struct vc_sub_set *m)
{
	struct objects all;
	struct vfrc_reply r;
	uint64_t index;
	int rc = cli_domain(cli, cli->argv[0], m->dom);

	if (rc)
		return rc;
	if (vfrc_parse_count(cli->argv[1], VC_SUBS - 1, &index))
		return cli_usage(cli, "'%s': sub-classes are 1 to %d, and 0 for the rest", cli->argv[1], VC_SUBS - 1);
	m->index = index;
	rc = cli_result(cli, objects_read(cli->c, 0, VC_SUB_SET, &all, &r), &r);
	if (rc)
		return rc;
	for (size_t i = 0; i < all.n; i++) {
		const struct vc_sub_set *have = (const void *)all.v[i]->body;

		if (!strcmp(have->dom, m->dom) && have->index == m->index)
			*m = *have;
	}
	objects_free(&all);
	return 0;
}

static int set_word(const char *word, struct vc_sub_set *m)
{
	uint64_t n;

	if (!strcmp(word, "dscp=none")) {
		m->dscps = 0;
		return 0;
	}
	if (!strncmp(word, "dscp=", 5))
		return vfrc_parse_dscps(word + 5, &n) ? -1 : (m->dscps = n, 0);
	if (strncmp(word, "weight=", 7) || vfrc_parse_count(word + 7, 255, &n) || !n)
		return -1;
	m->weight = n;
	return 0;
}

int cmd_sub_set(struct cli *cli)
{
	struct vc_sub_set m = {.weight = 1};
	struct vfrc_reply r;
	int rc = cli_words(cli, 3, 4);

	if (!rc)
		rc = read_sub(cli, &m);
	for (int i = 2; i < cli->argc && !rc; i++)
		if (set_word(cli->argv[i], &m))
			rc = cli_usage(cli, "'%s': known are weight=1..255 and dscp=ef,af41,10-12 or dscp=none", cli->argv[i]);
	return rc ? rc : cli_call(cli, VC_SUB_SET, &m, sizeof(m), &r);
}

int cmd_sub_del(struct cli *cli)
{
	struct vc_sub_set m = {.weight = 1};
	struct vfrc_reply r;
	int rc = cli_words(cli, 2, 2);

	if (!rc)
		rc = read_sub(cli, &m);
	return rc ? rc : cli_call(cli, VC_SUB_SET | VC_DEL, &m, sizeof(m), &r);
}

int subs_read(struct cli *cli, struct subs *out)
{
	return cli_records(cli, VC_SUB_LIST, sizeof(*out->v), &out->v, &out->n);
}

static const struct column sub_columns[] = {
	{.head = "link"}, {.head = "domain"}, {.head = "sub-class", .number = true}, {.head = "weight", .number = true},
	{.head = "packets", .number = true}, {.head = "bytes", .number = true, .rank = 2}, {.head = "backlog", .number = true, .rank = 1},
	{.head = "dropped", .number = true}, {.head = "marked", .number = true, .rank = 3}, {.head = "dscp"},
};

static void sub_row(struct table *t, const struct vc_sub_rec *s)
{
	const uint64_t figures[] = {s->sent.packets, s->sent.bytes, s->backlog.bytes, s->drops, s->marks};
	char dscps[256];

	table_cell(t, "%.32s", s->link);
	table_cell(t, "%.32s", s->dom);
	table_cell(t, "%u", s->index);
	table_cell(t, "%u", s->weight);
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		table_count(t, figures[i]);
	vfrc_format_dscps(s->dscps, dscps, sizeof(dscps));
	table_cell(t, "%s", dscps);
}

void subs_text(const struct subs *all, const char *only)
{
	struct table *t = table_new(sub_columns, sizeof(sub_columns) / sizeof(*sub_columns));

	for (size_t i = 0; i < all->n; i++)
		if (!only || !strcmp(only, all->v[i].dom))
			sub_row(t, &all->v[i]);
	table_below(t);
}

json_t *subs_json(const struct subs *all, uint16_t domid)
{
	json_t *a = json_array();

	for (size_t i = 0; i < all->n; i++) {
		const struct vc_sub_rec *s = &all->v[i];

		if (s->domid == domid)
			json_array_append_new(a, json_pack("{s:o, s:i, s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "link",
				json_name(s->link, VC_NAME), "sub_class", s->index, "weight", (int)s->weight, "dscp", json_dscps(s->dscps),
				"sent_packets", (json_int_t)s->sent.packets, "sent_bytes", (json_int_t)s->sent.bytes, "backlog_packets",
				(json_int_t)s->backlog.packets, "backlog_bytes", (json_int_t)s->backlog.bytes, "drops",
				(json_int_t)s->drops, "marks", (json_int_t)s->marks));
	}
	return a;
}

void subs_prom(const struct subs *all, uint16_t domid)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct vc_sub_rec *s = &all->v[i];
		const struct {
			const char *name;
			uint64_t v;
		} figures[] = {
			{"weight", s->weight}, {"sent_packets_total", s->sent.packets}, {"sent_bytes_total", s->sent.bytes},
			{"backlog_packets", s->backlog.packets}, {"backlog_bytes", s->backlog.bytes}, {"drops_total", s->drops},
			{"marks_total", s->marks},
		};

		for (size_t k = 0; s->domid == domid && k < sizeof(figures) / sizeof(*figures); k++)
			printf("vfr_sub_class_%s{domain=\"%.32s\",link=\"%.32s\",sub_class=\"%u\"} %llu\n", figures[k].name, s->dom,
			       s->link, s->index, (unsigned long long)figures[k].v);
	}
}
