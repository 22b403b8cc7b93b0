/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened: counters, drops, log, audit, whois. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct table {
	struct vc_drop_rec *v;
	size_t n;
};

static int collect_drops(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	struct table *t = ctx;

	t->v = realloc(t->v, (t->n + p->count) * sizeof(*t->v));
	memcpy(t->v + t->n, rec, p->count * sizeof(*t->v));
	t->n += p->count;
	return 0;
}

struct vc_drop_rec *drop_table(struct cli *cli, size_t *n)
{
	struct vc_page q = {0};
	struct table t = {0};
	struct vfrc_reply r;

	*n = 0;
	if (cli_result(cli, vfrc_pages(cli->c, VC_DROPS, &q, collect_drops, &t, &r), &r))
		return NULL;
	*n = t.n;
	return t.v;
}

/* --- stats ------------------------------------------------------------------------------------------------------------ */

struct stats {
	const char *only;
	bool prom, drops;
	json_t *json;
	struct vc_drop_rec *names;
	size_t nnames;
	struct classes classes;
	struct subs subs;
	int shown;
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

static void stats_text(struct stats *st, const struct vc_stats_rec *s)
{
	if (!st->shown)
		printf("%-20s %12s %14s %10s %12s %14s %10s\n", "domain", "in packets", "in bytes", "dropped", "out packets", "out bytes",
		       "dropped");
	printf("%-20.32s %12llu %14llu %10llu %12llu %14llu %10llu\n", row_name(s), (unsigned long long)s->in.packets,
	       (unsigned long long)s->in.bytes, (unsigned long long)s->in_dropped.packets, (unsigned long long)s->out.packets,
	       (unsigned long long)s->out.bytes, (unsigned long long)s->out_dropped.packets);
}

static void drops_text(struct stats *st, const struct vc_stats_rec *s, const struct vc_drop_pair *p)
{
	for (unsigned int i = 0; i < s->drops; i++)
		printf("%-20.32s %-4s %-20.32s %llu\n", row_name(s), p[i].dir == VC_RULE_IN ? "in" : "out", drop_name(st, p[i].reason),
		       (unsigned long long)p[i].packets);
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
		st->shown++;
	}
	return 0;
}

static int stats(struct cli *cli, struct stats *st)
{
	struct vc_page q = {0};
	struct vfrc_reply r;
	int rc = cli_words(cli, 0, 1);

	if (rc)
		return rc;
	st->only = cli->argc ? cli->argv[0] : NULL;
	st->names = drop_table(cli, &st->nnames);
	if (!st->names)
		return EXIT_REFUSED;
	if (cli->json)
		st->json = json_array();
	rc = st->drops ? 0 : classes_read(cli, &st->classes);
	if (!rc && !st->drops)
		rc = subs_read(cli, &st->subs);
	if (!rc)
		rc = cli_result(cli, vfrc_pages(cli->c, VC_STATS, &q, stats_rows, st, &r), &r);
	if (!rc && !st->json && !st->prom) {
		classes_text(&st->classes, st->only);
		subs_text(&st->subs, st->only);
	}
	classes_free(&st->classes);
	free(st->subs.v);
	free(st->names);
	if (!rc && st->only && !st->shown) {
		fprintf(stderr, "vfrctl: there is no domain %s\n", st->only);
		rc = EXIT_REFUSED;
	}
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
	size_t n;
	struct vc_drop_rec *v = drop_table(cli, &n);
	json_t *a = cli->json ? json_object() : NULL;

	if (!v)
		return EXIT_REFUSED;
	if (!a)
		printf("%-20s %12s %12s\n", "reason", "in", "out");
	for (size_t i = 1; i < n; i++) {
		if (a)
			json_object_set_new(a, v[i].name, json_pack("{s:I, s:I}", "in", (json_int_t)v[i].in, "out", (json_int_t)v[i].out));
		else if (v[i].in || v[i].out)
			printf("%-20.32s %12llu %12llu\n", v[i].name, (unsigned long long)v[i].in, (unsigned long long)v[i].out);
	}
	free(v);
	return a ? cli_json(a) : EXIT_DONE;
}

int cmd_drops(struct cli *cli)
{
	struct stats st = {.drops = true};

	return cli->argc ? stats(cli, &st) : drops_all(cli);
}

/* --- log and audit ---------------------------------------------------------------------------------------------------- */

static const char *const levels[] = {"error", "warning", "notice", "detail"};

static void log_row(const struct vc_log_rec *e, const char *text, bool json)
{
	if (json) {
		json_t *o = json_pack("{s:I, s:f, s:s, s:o}", "seq", (json_int_t)e->seq, "uptime_s", e->ns / 1e9, "level",
				      levels[e->level & 3], "text", json_name(text, e->length));

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
		return;
	}
	printf("[%12.6f] %-7s %.*s\n", e->ns / 1e9, levels[e->level & 3], e->length, text);
}

/* One page of the log; returns the records shown, -1 on failure with *rc set. */
static int log_page(struct cli *cli, struct vc_log_read *q, int *rc)
{
	struct vc_page_reply p;
	const uint8_t *at;
	struct vfrc_reply r;

	*rc = cli_call(cli, VC_LOG_READ, q, sizeof(*q), &r);
	if (*rc)
		return -1;
	memcpy(&p, r.body, sizeof(p));
	at = r.body + sizeof(p);
	for (uint32_t i = 0; i < p.count; i++) {
		struct vc_log_rec e;

		memcpy(&e, at, sizeof(e));
		log_row(&e, (const char *)at + sizeof(e), cli->json);
		at += sizeof(e) + e.length;
	}
	q->seq = p.next;
	return p.count;
}

/* Waits for news for a short while, then lets others have the port. */
static int wait_turn(struct cli *cli, struct vc_wait_req *w)
{
	struct vfrc_reply r;
	int rc;

	fflush(stdout);
	if (ferror(stdout))
		return EXIT_REFUSED;
	w->timeout_ms = 250;
	rc = cli_call(cli, VC_WAIT, w, sizeof(*w), &r);
	return rc ? rc : cli_yield(cli);
}

int cmd_log(struct cli *cli)
{
	bool follow = cli_flag(cli, "-f");
	const char *level = cli_value(cli, "-l");
	struct vc_log_read q = {.min_level = 3};
	int rc;

	for (unsigned int i = 0; level && i < 4; i++)
		if (!strcmp(level, levels[i]))
			q.min_level = i, level = NULL;
	if (level)
		return cli_usage(cli, "the level is error, warning, notice or detail");
	rc = cli_words(cli, 0, 0);
	while (!rc) {
		int n = log_page(cli, &q, &rc);

		if (rc || (!n && !follow))
			break;
		if (!n)
			rc = wait_turn(cli, &(struct vc_wait_req){.what = VC_WAIT_LOG, .log_seq = q.seq});
	}
	return rc;
}

static void audit_row(const struct vc_audit_rec *a, bool json)
{
	char when[48], ip[64] = "", protos[32], hash[65];

	vfrc_format_time(a->utc_ns, when, sizeof(when));
	vfrc_format_protos(a->protos, protos, sizeof(protos));
	if (!vfrc_ip_is_zero(&a->addr))
		vfrc_format_ip(&a->addr, ip, sizeof(ip));
	for (unsigned int i = 0; i < 32; i++)
		sprintf(hash + 2 * i, "%02x", a->digest[i]);
	if (json) {
		json_t *o = json_pack("{s:I, s:s, s:o, s:o, s:i, s:s, s:o, s:i, s:i, s:I, s:o, s:s}", "seq", (json_int_t)a->seq, "utc",
				      when, "kind",
			json_name(a->kind_name, VC_NAME), "domain", json_name(a->dom, VC_NAME), "id", a->domid, "address", ip, "protocols",
			json_protos(a->protos), "first", a->first, "last", a->last, "count", (json_int_t)a->count, "text",
			json_name(a->text, sizeof(a->text)), "hash", hash);

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
		return;
	}
	printf("%6llu %s %-18.32s", (unsigned long long)a->seq, when, a->kind_name);
	if (a->dom[0])
		printf(" %.32s", a->dom);
	if (ip[0])
		printf(" %s", ip);
	if (a->protos && a->first == a->last)
		printf(":%u/%s", a->first, protos);
	else if (a->protos)
		printf(":%u-%u/%s", a->first, a->last, protos);
	if (a->count > 1)
		printf(" (%llu times)", (unsigned long long)a->count);
	printf("%s%.64s\n", a->text[0] ? " " : "", a->text);
}

static int audit_page(struct cli *cli, uint64_t *seq, int *rc)
{
	struct vc_audit_read q = {*seq};
	struct vc_page_reply p;
	struct vfrc_reply r;

	*rc = cli_call(cli, VC_AUDIT_READ, &q, sizeof(q), &r);
	if (*rc)
		return -1;
	memcpy(&p, r.body, sizeof(p));
	for (uint32_t i = 0; i < p.count; i++)
		audit_row((const struct vc_audit_rec *)(r.body + sizeof(p)) + i, cli->json);
	*seq = p.next;
	return p.count;
}

int cmd_audit(struct cli *cli)
{
	bool follow = cli_flag(cli, "-f");
	const char *from = cli_value(cli, "--from");
	uint64_t seq = 0;
	int rc;

	if (from && vfrc_parse_count(from, UINT64_MAX - 1, &seq))
		return cli_usage(cli, "'%s' is not a record's number", from);
	rc = cli_words(cli, 0, 0);
	while (!rc) {
		int n = audit_page(cli, &seq, &rc);

		if (rc || (!n && !follow))
			break;
		if (!n)
			rc = wait_turn(cli, &(struct vc_wait_req){.what = VC_WAIT_AUDIT, .audit_seq = seq});
	}
	return rc;
}

static int whois_text(const struct vc_whois_reply *w, const char *what)
{
	char from[48], until[48];

	vfrc_format_time(w->from_ns, from, sizeof(from));
	vfrc_format_time(w->until_ns, until, sizeof(until));
	switch (w->answer) {
	case VC_WHOIS_HELD:
		printf("%s: %.32s (domain %u) since %s%s%s, record %llu\n", what, w->dom, w->domid, from,
		       w->until_ns ? " until " : ", still",
		       w->until_ns ? until : "", (unsigned long long)w->seq);
		return EXIT_DONE;
	case VC_WHOIS_NOBODY:
		printf("%s: nobody\n", what);
		return EXIT_DONE;
	default:
		vfrc_format_time(w->log_from_ns, from, sizeof(from));
		printf("%s: not known: the log begins at %s\n", what, from);
		return EXIT_DONE;
	}
}

int cmd_whois(struct cli *cli)
{
	static const char *const answers[] = {"held", "nobody", "unknown"};
	const char *at = cli_value(cli, "--at");
	struct vc_slice_add s = {.kind = VC_SLICE_RANGE};
	struct vc_whois q = {0};
	struct vc_whois_reply w;
	struct vfrc_reply r;
	bool given;
	uint64_t when = 0;
	int rc = cli_words(cli, 1, 1);

	if (rc)
		return rc;
	if (at && vfrc_parse_time(at, &when))
		return cli_usage(cli, "'%s' is not a time: write 2026-11-21T12:00:03Z", at);
	if (!strchr(cli->argv[0], '/') || vfrc_parse_slice(cli->argv[0], &s, &given) || !given || s.first != s.last ||
	    s.protos & (s.protos - 1))
		return cli_usage(cli, "write ADDRESS:PORT/PROTOCOL, as in 203.0.113.7:51515/tcp");
	q.addr = s.addr;
	q.port = s.first;
	q.proto = s.protos;
	q.utc_ns = when;
	rc = cli_call(cli, VC_WHOIS, &q, sizeof(q), &r);
	if (rc)
		return rc;
	memcpy(&w, r.body, sizeof(w));
	if (!cli->json)
		return whois_text(&w, cli->argv[0]);
	return cli_json(json_pack("{s:s, s:o, s:i, s:o, s:o, s:I, s:o}", "answer", w.answer < 3 ? answers[w.answer] : "?", "domain",
				  json_name(w.dom, VC_NAME), "id", w.domid, "from", json_time(w.from_ns), "until", json_time(w.until_ns),
				  "seq", (json_int_t)w.seq, "log_from", json_time(w.log_from_ns)));
}
