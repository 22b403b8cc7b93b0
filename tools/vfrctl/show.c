/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that look at the machine: info, domains, uplinks, schedulers, blobs; and small JSON makers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

json_t *json_name(const char *s, size_t size)
{
	size_t n = strnlen(s, size);
	json_t *v = json_stringn(s, n);
	char clean[512];

	if (v)
		return v;
	/* Not UTF-8: guests choose some texts. */
	for (n = 0; n < size && n < sizeof(clean) - 1 && s[n]; n++)
		clean[n] = s[n] & 0x80 ? '?' : s[n];
	return json_stringn(clean, n);
}

json_t *json_ip(const struct vc_ip *ip)
{
	char text[64];

	vfrc_format_ip(ip, text, sizeof(text));
	return json_string(text);
}

json_t *json_time(uint64_t utc_ns)
{
	char text[48];

	if (!utc_ns)
		return json_null();
	vfrc_format_time(utc_ns, text, sizeof(text));
	return json_string(text);
}

json_t *json_protos(unsigned int set)
{
	json_t *a = json_array();

	for (unsigned int bit = 1; bit <= VC_PROTO_SCTP; bit <<= 1) {
		char name[16];

		if (!(set & bit))
			continue;
		vfrc_format_protos(bit, name, sizeof(name));
		json_array_append_new(a, json_string(name));
	}
	return a;
}

static int info_json(const struct vc_info_reply *i, const char *server)
{
	return cli_json(json_pack("{s:s, s:o, s:o, s:i, s:i, s:I, s:I, s:f, s:o, s:I, s:i, s:i, s:i, s:f, s:f}", "server", server,
				  "version",
				  json_name(i->version, sizeof(i->version)), "cpu", json_name(i->cpu, sizeof(i->cpu)), "cpus", (int)i->cpus,
				  "cpus_online", (int)i->cpus_online, "memory_bytes", (json_int_t)i->mem_total, "memory_free_bytes",
				  (json_int_t)i->mem_free, "uptime_s", i->uptime_ns / 1e9, "utc", json_time(i->utc_ns), "generation",
				  (json_int_t)i->generation, "domains", (int)i->domains, "domains_max", (int)i->domains_max, "uplinks",
				  (int)i->uplinks, "boot_to_first_guest_s", i->boot_ns / 1e9, "unconfirmed_s", i->confirm_left_ns / 1e9));
}

int cmd_info(struct cli *cli)
{
	struct vc_info_reply i;
	struct vfrc_reply r;
	char when[48];
	int rc = cli_words(cli, 0, 0);

	if (!rc)
		rc = cli_call(cli, VC_INFO, NULL, 0, &r);
	if (rc)
		return rc;
	memcpy(&i, r.body, sizeof(i));
	if (cli->json)
		return info_json(&i, vfrc_server(cli->c));
	vfrc_format_time(i.utc_ns, when, sizeof(when));
	printf("server       %s %.32s\n", vfrc_server(cli->c), i.version);
	printf("cpus         %u of %u online, %.48s\n", i.cpus_online, i.cpus, i.cpu);
	printf("memory       %llu MiB, %llu MiB free\n", (unsigned long long)i.mem_total >> 20, (unsigned long long)i.mem_free >> 20);
	printf("time         %s, up %.1f s\n", when, i.uptime_ns / 1e9);
	printf("domains      %u of at most %u\n", i.domains, i.domains_max);
	printf("uplinks      %u\n", i.uplinks);
	printf("generation   %llu\n", (unsigned long long)i.generation);
	if (i.boot_ns)
		printf("boot         first guest instruction %.3f s after the boot loader\n", i.boot_ns / 1e9);
	if (i.confirm_left_ns)
		printf("unconfirmed  taken back in %.0f s unless 'vfrctl confirm' comes\n", i.confirm_left_ns / 1e9);
	return EXIT_DONE;
}

static const char *const state_names[] = {"running", "paused", "stopped", "crashed"};

struct list {
	json_t *json;
};

static const char *state_name(unsigned int s)
{
	return s < VC_DOM_STATES ? state_names[s] : "?";
}

static json_t *dom_json(const struct vc_dom_rec *d)
{
	return json_pack("{s:o, s:i, s:s, s:i, s:I, s:f, s:o, s:i, s:i, s:o}", "name", json_name(d->name, VC_NAME), "id", d->domid,
			 "state", state_name(d->state), "vcpus", (int)d->vcpus, "memory_bytes", (json_int_t)d->mem_bytes, "cpu_s",
			 d->cpu_ns / 1e9, "started", json_time(d->started_utc_ns), "restarts", (int)d->restarts, "slices",
			 (int)d->slices, "reason", json_name(d->reason, VC_NAME));
}

static void dom_text(const struct vc_dom_rec *d)
{
	char mem[32];

	vfrc_format_size(d->mem_bytes, mem, sizeof(mem));
	printf("%-20.32s %5u  %-8s %5u %8s %8.2fs %6u%s%.32s\n", d->name, d->domid, state_name(d->state), d->vcpus, mem, d->cpu_ns / 1e9,
	       d->slices, d->reason[0] ? "  " : "", d->reason);
}

int cmd_dom_ls(struct cli *cli)
{
	json_t *out = cli->json ? json_array() : NULL;
	struct domains all;
	const char *only;
	int rc = cli_words(cli, 0, 1);

	only = cli_word(cli, 0);
	if (!rc)
		rc = cli_known(cli, only);
	if (!rc)
		rc = domains_read(cli, &all);
	if (rc)
		return rc;
	if (!out)
		printf("%-20s %5s  %-8s %5s %8s %9s %6s  %s\n", "name", "id", "state", "vcpus", "memory", "cpu", "slices", "last stop");
	for (size_t i = 0; i < all.n; i++) {
		if (only && strcmp(only, all.v[i].name))
			continue;
		if (out)
			json_array_append_new(out, dom_json(&all.v[i]));
		else
			dom_text(&all.v[i]);
	}
	free(all.v);
	return out ? cli_json(out) : EXIT_DONE;
}

/* A list command: pages in, rows or a JSON array out. */
static int list(struct cli *cli, uint16_t type, int (*rows)(void *, const struct vc_page_reply *, const uint8_t *, const uint8_t *))
{
	struct vc_page q = {0};
	struct list l = {.json = cli->json ? json_array() : NULL};
	struct vfrc_reply r;
	int rc = cli_words(cli, 0, 0);

	if (!rc)
		rc = cli_result(cli, vfrc_pages(cli->c, type, &q, rows, &l, &r), &r);
	if (!rc && l.json)
		return cli_json(l.json);
	json_decref(l.json);
	return rc;
}

static int uplink_rows(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	const struct vc_uplink_rec *u = (const void *)rec;
	struct list *l = ctx;

	for (uint32_t i = 0; i < p->count; i++, u++) {
		char mac[24], rate[32];

		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", u->mac[0], u->mac[1], u->mac[2], u->mac[3], u->mac[4],
			 u->mac[5]);
		vfrc_format_rate(u->rate_bps, rate, sizeof(rate));
		if (l->json)
			json_array_append_new(l->json, json_pack("{s:o, s:o, s:s, s:i, s:b, s:I, s:I, s:I, s:I, s:I}", "name",
				json_name(u->name, VC_NAME), "driver", json_name(u->driver, VC_NAME), "mac", mac, "mtu", u->mtu, "up",
				(int)(u->flags & 1), "rate_bps", (json_int_t)u->rate_bps, "rx_packets", (json_int_t)u->rx.packets,
				"rx_bytes",
				(json_int_t)u->rx.bytes, "tx_packets", (json_int_t)u->tx.packets, "tx_bytes", (json_int_t)u->tx.bytes));
		else
			printf("%-12.32s %-12.32s %s mtu %u %s %s rx %llu tx %llu packets\n", u->name, u->driver, mac, u->mtu,
			       u->flags & 1 ? "up" : "down", u->rate_bps ? rate : "", (unsigned long long)u->rx.packets,
			       (unsigned long long)u->tx.packets);
	}
	return 0;
}

int cmd_uplink_ls(struct cli *cli)
{
	return list(cli, VC_UPLINK_LIST, uplink_rows);
}

static int blob_rows(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	const struct vc_blob_rec *b = (const void *)rec;
	struct list *l = ctx;

	for (uint32_t i = 0; i < p->count; i++, b++) {
		if (l->json)
			json_array_append_new(l->json, json_pack("{s:o, s:I, s:i, s:b, s:b}", "name", json_name(b->name, VC_MODULE),
								 "bytes",
				(json_int_t)b->size, "users", (int)b->users, "boot", (int)(b->flags & 1), "complete", !(b->flags & 2)));
		else
			printf("%-64.64s %11llu bytes  %u users%s%s\n", b->name, (unsigned long long)b->size, b->users,
			       b->flags & 1 ? ", boot" : "",
			       b->flags & 2 ? ", not complete" : "");
	}
	return 0;
}

int cmd_blob_ls(struct cli *cli)
{
	return list(cli, VC_BLOB_LIST, blob_rows);
}

int cmd_blob_del(struct cli *cli)
{
	struct vc_blob_name q = {0};
	struct vfrc_reply r;
	int rc = cli_words(cli, 1, 1);

	if (rc)
		return rc;
	if (!vfrc_name_ok(cli->argv[0], sizeof(q.name)))
		return cli_usage(cli, "'%s' is not the name of a module", cli->argv[0]);
	strcpy(q.name, cli->argv[0]);
	return cli_call(cli, VC_BLOB_DEL, &q, sizeof(q), &r);
}

/* What the line carries; in brackets where the scheduler only reckons with it. */
static const char *line_text(const struct vc_sched_rec *s, char out[40])
{
	char rate[32];

	*out = 0;
	vfrc_format_rate(s->rate_bps, rate, sizeof(rate));
	if (s->rate_bps)
		snprintf(out, 40, s->flags & VC_SCHED_PACED ? "%s" : "(%s)", rate);
	return out;
}

static int sched_rows(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	static const char *const kinds[] = {"cpu", "net", "disk"};
	const struct vc_sched_rec *s = (const void *)rec;
	struct list *l = ctx;

	for (uint32_t i = 0; i < p->count; i++, s++) {
		char line[40];
		const char *kind = s->kind < VC_SCHED_KINDS ? kinds[s->kind] : "?";

		if (l->json)
			json_array_append_new(l->json, json_pack("{s:s, s:o, s:o, s:I, s:b, s:o}", "kind", kind,
				"target", json_name(s->target, VC_NAME), "policy", json_name(s->policy, VC_NAME), "rate_bps",
				(json_int_t)s->rate_bps, "paced", s->flags & VC_SCHED_PACED, "choices",
				json_name(s->choices, sizeof(s->choices))));
		else
			printf("%-5s %-16.32s %-10.32s %-20s of: %.128s\n", kind, s->target, s->policy, line_text(s, line), s->choices);
	}
	return 0;
}

int cmd_sched_ls(struct cli *cli)
{
	return list(cli, VC_SCHED_LIST, sched_rows);
}

/* The rate that the configuration has for a target: another policy alone does not change it. */
static int read_line_rate(struct cli *cli, struct vc_sched_set *m)
{
	struct objects all;
	struct vfrc_reply r;
	int rc = cli_result(cli, objects_read(cli->c, 0, VC_SCHED_SET, &all, &r), &r);

	if (rc)
		return rc;
	for (size_t i = 0; i < all.n; i++) {
		const struct vc_sched_set *have = (const void *)all.v[i]->body;

		if (have->kind == m->kind && !strcmp(have->target, m->target))
			m->rate_bps = have->rate_bps;
	}
	objects_free(&all);
	return 0;
}

int cmd_sched_set(struct cli *cli)
{
	const char *rate = cli_value(cli, "--rate");
	struct vc_sched_set m = {0};
	struct vfrc_reply r;
	uint64_t bps = 0;
	int rc = cli_words(cli, 2, 3);
	bool net;

	if (rc)
		return rc;
	net = !strcmp(cli->argv[0], "net");
	if ((!net && strcmp(cli->argv[0], "cpu")) || cli->argc != (net ? 3 : 2))
		return cli_usage(cli, "write: sched set cpu POLICY, or sched set net TARGET POLICY");
	if (rate && strcmp(rate, "none") && vfrc_parse_rate(rate, &bps))
		return cli_usage(cli, "'%s' is not a rate: write 950mbit, or none", rate);
	m.kind = net ? VC_SCHED_NET : VC_SCHED_CPU;
	m.rate_bps = bps;
	rc = net ? cli_domain(cli, cli->argv[1], m.target) : 0;
	if (!rc)
		rc = cli_domain(cli, cli->argv[cli->argc - 1], m.policy);
	if (!rc && net && !rate)
		rc = read_line_rate(cli, &m);
	return rc ? rc : cli_call(cli, VC_SCHED_SET, &m, sizeof(m), &r);
}

/* Start and reboot are one message: who runs would lose his state by the first word. */
static int not_up(struct cli *cli, const char *name)
{
	struct domains all;
	int rc = domains_read(cli, &all);

	for (size_t i = 0; !rc && i < all.n; i++) {
		if (strcmp(all.v[i].name, name))
			continue;
		if (all.v[i].state == VC_DOM_RUNNING)
			rc = cli_refuse(cli, "bad-state", EINVAL, "%s is running ('vfrctl dom reboot %s' starts it anew)", name, name);
		else if (all.v[i].state == VC_DOM_PAUSED)
			rc = cli_refuse(cli, "bad-state", EINVAL, "%s is paused ('vfrctl dom resume %s' lets it run)", name, name);
	}
	free(all.v);
	return rc;
}

int cmd_dom_op(struct cli *cli)
{
	static const struct {
		const char *name;
		uint16_t type;
	} ops[] = {
		{"dom pause", VC_DOM_PAUSE}, {"dom resume", VC_DOM_UNPAUSE}, {"dom reboot", VC_DOM_REBOOT}, {"dom start", VC_DOM_REBOOT},
		{"dom shutdown", VC_DOM_SHUTDOWN}, {"dom stop", VC_DOM_STOP},
	};
	struct vc_dom_op op = {0};
	struct vfrc_reply r;
	int rc = cli_words(cli, 1, 1);

	if (!rc)
		rc = cli_domain(cli, cli->argv[0], op.name);
	if (!rc && !strcmp(cli->command->name, "dom start"))
		rc = not_up(cli, op.name);
	for (size_t i = 0; !rc && i < sizeof(ops) / sizeof(*ops); i++)
		if (!strcmp(ops[i].name, cli->command->name))
			return cli_call(cli, ops[i].type, &op, sizeof(op), &r);
	return rc;
}

int cmd_dom_destroy(struct cli *cli)
{
	struct vc_dom_create m = {0};
	struct vfrc_reply r;
	int rc = cli_words(cli, 1, 1);

	if (!rc)
		rc = cli_domain(cli, cli->argv[0], m.name);
	if (rc)
		return rc;
	/* The key alone counts, but the message must be one. */
	strcpy(m.kernel, "-");
	m.mem_bytes = VC_MEM_MIN;
	m.vcpus = 1;
	return cli_call(cli, VC_DOM_CREATE | VC_DEL, &m, sizeof(m), &r);
}
