/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that look at the machine: info, uplinks, schedulers, blobs; and small JSON makers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

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

static const struct column uplink_columns[] = {
	{.head = "name"}, {.head = "driver", .rank = 1}, {.head = "mac"}, {.head = "mtu", .number = true}, {.head = "link"},
	{.head = "rate", .number = true}, {.head = "in pkts", .number = true, .min = 9}, {.head = "out pkts", .number = true, .min = 9},
};

static json_t *uplink_json(const struct vc_uplink_rec *u, const char *mac)
{
	return json_pack("{s:o, s:o, s:s, s:i, s:b, s:I, s:I, s:I, s:I, s:I}", "name", json_name(u->name, VC_NAME), "driver",
			 json_name(u->driver, VC_NAME), "mac", mac, "mtu", u->mtu, "up", (int)(u->flags & 1), "rate_bps",
			 (json_int_t)u->rate_bps, "rx_packets", (json_int_t)u->rx.packets, "rx_bytes", (json_int_t)u->rx.bytes,
			 "tx_packets", (json_int_t)u->tx.packets, "tx_bytes", (json_int_t)u->tx.bytes);
}

static int uplink_rows(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	const struct vc_uplink_rec *u = (const void *)rec;
	struct listing *l = ctx;

	for (uint32_t i = 0; i < p->count; i++, u++) {
		char mac[24], rate[32];

		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", u->mac[0], u->mac[1], u->mac[2], u->mac[3], u->mac[4],
			 u->mac[5]);
		if (l->json) {
			json_array_append_new(l->json, uplink_json(u, mac));
			continue;
		}
		vfrc_format_rate(u->rate_bps, rate, sizeof(rate));
		table_cell(l->t, "%.32s", u->name);
		table_cell(l->t, "%.32s", u->driver);
		table_cell(l->t, "%s", mac);
		table_cell(l->t, "%u", u->mtu);
		table_cell(l->t, "%s", u->flags & 1 ? "up" : "down");
		table_cell(l->t, "%s", u->rate_bps ? rate : "-");
		table_count(l->t, u->rx.packets);
		table_count(l->t, u->tx.packets);
	}
	return 0;
}

int cmd_uplink_ls(struct cli *cli)
{
	return list_pages(cli, VC_UPLINK_LIST, list_begin(cli, uplink_columns, NCOLS(uplink_columns)),
			  "no uplinks: the hypervisor found no network card that it can drive ('vfrctl log' tells)", uplink_rows);
}

static const struct column blob_columns[] = {
	{.head = "name"}, {.head = "bytes", .number = true}, {.head = "users", .number = true}, {.head = "from", .rank = 1},
};

static int blob_rows(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	const struct vc_blob_rec *b = (const void *)rec;
	struct listing *l = ctx;

	for (uint32_t i = 0; i < p->count; i++, b++) {
		if (l->json) {
			json_array_append_new(l->json, json_pack("{s:o, s:I, s:i, s:b, s:b}", "name", json_name(b->name, VC_MODULE),
				"bytes", (json_int_t)b->size, "users", (int)b->users, "boot", (int)(b->flags & 1),
				"complete", !(b->flags & 2)));
			continue;
		}
		table_cell(l->t, "%.64s", b->name);
		table_cell(l->t, "%llu", (unsigned long long)b->size);
		table_cell(l->t, "%u", b->users);
		table_cell(l->t, "%s", b->flags & 1 ? "boot" : b->flags & 2 ? "upload, not complete" : "upload");
	}
	return 0;
}

int cmd_blob_ls(struct cli *cli)
{
	return list_pages(cli, VC_BLOB_LIST, list_begin(cli, blob_columns, NCOLS(blob_columns)), "no kernels or ramdisks", blob_rows);
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

static const struct column sched_columns[] = {
	{.head = "kind"}, {.head = "target"}, {.head = "policy"}, {.head = "line"}, {.head = "choices"},
};

static int sched_rows(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	static const char *const kinds[] = {"cpu", "net", "disk"};
	const struct vc_sched_rec *s = (const void *)rec;
	struct listing *l = ctx;

	for (uint32_t i = 0; i < p->count; i++, s++) {
		char line[40];
		const char *kind = s->kind < VC_SCHED_KINDS ? kinds[s->kind] : "?";

		if (l->json) {
			json_array_append_new(l->json, json_pack("{s:s, s:o, s:o, s:I, s:b, s:o}", "kind", kind,
				"target", json_name(s->target, VC_NAME), "policy", json_name(s->policy, VC_NAME), "rate_bps",
				(json_int_t)s->rate_bps, "paced", s->flags & VC_SCHED_PACED, "choices",
				json_name(s->choices, sizeof(s->choices))));
			continue;
		}
		table_cell(l->t, "%s", kind);
		table_cell(l->t, "%.32s", s->target[0] ? s->target : "-");
		table_cell(l->t, "%.32s", s->policy);
		table_cell(l->t, "%s", s->rate_bps ? line_text(s, line) : "-");
		table_cell(l->t, "%.128s", s->choices);
	}
	return 0;
}

int cmd_sched_ls(struct cli *cli)
{
	return list_pages(cli, VC_SCHED_LIST, list_begin(cli, sched_columns, NCOLS(sched_columns)), "no schedulers", sched_rows);
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
