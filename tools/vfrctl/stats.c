/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters: stats and drops, of the machine or of a domain. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fit.h"

struct vc_drop_rec *drop_table(struct cli *cli, size_t *n)
{
	struct vc_drop_rec *v;

	return cli_records(cli, VC_DROPS, sizeof(*v), &v, n) ? NULL : v;
}

struct stats {
	const char *only;
	bool prom, drops;
	json_t *json;
	struct vc_drop_rec *names;
	size_t nnames;
	struct classes classes;
	struct subs subs;
	struct table *table;
};

static const char *row_name(const struct vc_stats_rec *s)
{
	return s->domid ? s->name : "(no domain)";
}

static const char *drop_name(const struct stats *st, unsigned int reason)
{
	return reason < st->nnames ? st->names[reason].name : "?";
}

static json_t *count_json(const struct vc_count *c)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)c->packets, "bytes", (json_int_t)c->bytes);
}

static json_t *drops_json(const struct stats *st, const struct vc_drop_pair *p, unsigned int n, unsigned int dir)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < n; i++)
		if (p[i].dir == dir)
			json_object_set_new(o, drop_name(st, p[i].reason), json_integer(p[i].packets));
	return o;
}

static void stats_json(struct stats *st, const struct vc_stats_rec *s, const struct vc_drop_pair *p)
{
	json_array_append_new(st->json, json_pack("{s:o, s:i, s:o, s:o, s:I, s:I, s:o, s:o, s:I, s:f, s:i, s:o, s:o}", "domain",
						  json_name(row_name(s), VC_NAME), "id",
		s->domid, "in", count_json(&s->in), "out", count_json(&s->out), "in_dropped", (json_int_t)s->in_dropped.packets,
		"out_dropped",
		(json_int_t)s->out_dropped.packets, "in_drops", drops_json(st, p, s->drops, VC_RULE_IN), "out_drops",
		drops_json(st, p, s->drops, VC_RULE_OUT), "backlog_bytes", (json_int_t)s->backlog_bytes, "cpu_s", s->cpu_ns / 1e9, "slices",
		(int)s->slices, "classes", classes_json(&st->classes, s->domid), "sub_classes",
		subs_json(&st->subs, s->domid)));
}

static void stats_prom(struct stats *st, const struct vc_stats_rec *s, const struct vc_drop_pair *p)
{
	const char *d = s->domid ? s->name : "";

	printf("vfr_packets_total{domain=\"%.32s\",direction=\"in\"} %llu\n", d, (unsigned long long)s->in.packets);
	printf("vfr_packets_total{domain=\"%.32s\",direction=\"out\"} %llu\n", d, (unsigned long long)s->out.packets);
	printf("vfr_bytes_total{domain=\"%.32s\",direction=\"in\"} %llu\n", d, (unsigned long long)s->in.bytes);
	printf("vfr_bytes_total{domain=\"%.32s\",direction=\"out\"} %llu\n", d, (unsigned long long)s->out.bytes);
	printf("vfr_cpu_seconds_total{domain=\"%.32s\"} %.6f\n", d, s->cpu_ns / 1e9);
	printf("vfr_backlog_bytes{domain=\"%.32s\"} %llu\n", d, (unsigned long long)s->backlog_bytes);
	for (unsigned int i = 0; i < s->drops; i++)
		printf("vfr_drops_total{domain=\"%.32s\",direction=\"%s\",reason=\"%.32s\"} %llu\n", d,
		       p[i].dir == VC_RULE_IN ? "in" : "out",
		       drop_name(st, p[i].reason), (unsigned long long)p[i].packets);
	classes_prom(&st->classes, s->domid);
	subs_prom(&st->subs, s->domid);
}

static const struct column stats_columns[] = {
	{.head = "domain"}, {.head = "in pkts", .number = true, .min = 8}, {.head = "in bytes", .number = true, .rank = 2, .min = 8},
	{.head = "in drop", .number = true}, {.head = "out pkts", .number = true, .min = 8},
	{.head = "out bytes", .number = true, .rank = 1, .min = 8}, {.head = "out drop", .number = true},
};

static void stats_text(struct stats *st, const struct vc_stats_rec *s)
{
	const uint64_t figures[] = {
		s->in.packets, s->in.bytes, s->in_dropped.packets, s->out.packets, s->out.bytes, s->out_dropped.packets,
	};

	table_cell(st->table, "%.32s", row_name(s));
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		table_count(st->table, figures[i]);
}

static const struct column drop_columns[] = {{.head = "domain"}, {.head = "way"}, {.head = "reason"}, {.head = "packets", .number = true}};

static void drops_text(struct stats *st, const struct vc_stats_rec *s, const struct vc_drop_pair *p)
{
	for (unsigned int i = 0; i < s->drops; i++) {
		table_cell(st->table, "%.32s", row_name(s));
		table_cell(st->table, "%s", p[i].dir == VC_RULE_IN ? "in" : "out");
		table_cell(st->table, "%.32s", drop_name(st, p[i].reason));
		table_cell(st->table, "%llu", (unsigned long long)p[i].packets);
	}
}

static int stats_rows(void *ctx, const struct vc_page_reply *page, const uint8_t *rec, const uint8_t *end)
{
	struct stats *st = ctx;

	for (uint32_t i = 0; i < page->count; i++) {
		const struct vc_stats_rec *s = (const void *)rec;
		const struct vc_drop_pair *p = (const void *)(s + 1);

		if ((size_t)(end - rec) < sizeof(*s) || (size_t)(end - rec) < sizeof(*s) + s->drops * sizeof(*p))
			return 1;
		rec += sizeof(*s) + s->drops * sizeof(*p);
		if (st->only && (!s->domid || strcmp(st->only, s->name)))
			continue;
		if (st->json)
			stats_json(st, s, p);
		else if (st->prom)
			stats_prom(st, s, p);
		else if (st->drops)
			drops_text(st, s, p);
		else
			stats_text(st, s);
	}
	return 0;
}

static void stats_print(struct stats *st)
{
	char none[VC_NAME + 16];

	snprintf(none, sizeof(none), "%s: no drops", st->drops ? st->only : "");
	table_print(st->table, st->drops ? none : NULL);
	if (st->drops)
		return;
	classes_text(&st->classes, st->only);
	subs_text(&st->subs, st->only);
}

static int stats(struct cli *cli, struct stats *st)
{
	struct vc_page q = {0};
	struct vfrc_reply r;
	int rc = cli_words(cli, 0, 1);

	if (rc)
		return rc;
	st->only = cli_word(cli, 0);
	rc = cli_known(cli, st->only);
	if (rc)
		return rc;
	st->names = drop_table(cli, &st->nnames);
	if (!st->names)
		return EXIT_REFUSED;
	if (cli->json)
		st->json = json_array();
	else if (!st->prom)
		st->table = st->drops ? table_new(drop_columns, 4) : table_new(stats_columns, 7);
	rc = st->drops ? 0 : classes_read(cli, &st->classes);
	if (!rc && !st->drops)
		rc = subs_read(cli, &st->subs);
	if (!rc)
		rc = cli_result(cli, vfrc_pages(cli->c, VC_STATS, &q, stats_rows, st, &r), &r);
	if (!rc && st->table)
		stats_print(st);
	free(st->classes.v);
	free(st->subs.v);
	free(st->names);
	if (!rc && st->json)
		return cli_json(st->json);
	json_decref(st->json);
	return rc;
}

int cmd_stats(struct cli *cli)
{
	struct stats st = {.prom = cli_flag(cli, "--prom")};

	return stats(cli, &st);
}

static int drops_all(struct cli *cli)
{
	static const struct column columns[] = {
		{.head = "reason"}, {.head = "in", .number = true, .min = 8}, {.head = "out", .number = true, .min = 8},
	};
	size_t n;
	struct vc_drop_rec *v = drop_table(cli, &n);
	json_t *a = cli->json ? json_object() : NULL;
	struct table *t = a ? NULL : table_new(columns, 3);

	if (!v)
		return EXIT_REFUSED;
	for (size_t i = 1; i < n; i++) {
		if (a)
			json_object_set_new(a, v[i].name, json_pack("{s:I, s:I}", "in", (json_int_t)v[i].in, "out", (json_int_t)v[i].out));
		if (a || !(v[i].in || v[i].out))
			continue;
		table_cell(t, "%.32s", v[i].name);
		table_cell(t, "%llu", (unsigned long long)v[i].in);
		table_cell(t, "%llu", (unsigned long long)v[i].out);
	}
	free(v);
	if (a)
		return cli_json(a);
	table_print(t, "no drops");
	return EXIT_DONE;
}

int cmd_drops(struct cli *cli)
{
	struct stats st = {.drops = true};

	return cli->argc ? stats(cli, &st) : drops_all(cli);
}
