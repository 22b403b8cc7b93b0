/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened: log and audit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fit.h"

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
	fit_line(stdout, 23, "[%12.6f] %-7s %.*s", e->ns / 1e9, levels[e->level & 3], e->length, text);
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

static void audit_text(const struct vc_audit_rec *a, const char *when, const char *ip, const char *protos)
{
	char port[64] = "", times[40] = "", rest[64] = "";

	if (a->protos && a->first != a->last)
		snprintf(port, sizeof(port), "%s%u-%u/%s", ip[0] ? ":" : "port ", a->first, a->last, protos);
	else if (a->protos)
		snprintf(port, sizeof(port), "%s%u/%s", ip[0] ? ":" : "port ", a->first, protos);
	else if (a->prefix && a->prefix != 32)
		snprintf(port, sizeof(port), "/%u", a->prefix);
	if (a->count > 1)
		snprintf(times, sizeof(times), " (%llu times)", (unsigned long long)a->count);
	if (a->ip_proto)
		snprintf(rest, sizeof(rest), " protocol %u", a->ip_proto);
	if (a->spi)
		snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest), " spi %u", a->spi);
	fit_line(stdout, 30, "%4llu %s %-16.32s%s%.32s%s%s%s%s%s%s%.48s", (unsigned long long)a->seq, when, a->kind_name,
		 a->dom[0] ? " " : "", a->dom, ip[0] || port[0] ? " " : "", ip, port, times, rest, a->text[0] ? " " : "", a->text);
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
		json_t *set = a->set ? json_pack("{s:i, s:i, s:i}", "a", a->a, "k", a->k, "psid", a->psid) : json_null();
		json_t *o = json_pack("{s:I, s:s, s:o, s:o, s:i, s:s, s:o, s:i, s:i, s:I, s:o, s:s, s:o, s:i, s:i, s:I}",
			"seq", (json_int_t)a->seq, "utc", when, "kind", json_name(a->kind_name, VC_NAME), "domain",
			json_name(a->dom, VC_NAME), "id", a->domid, "address", ip, "protocols", json_protos(a->protos), "first", a->first,
			"last", a->last, "count", (json_int_t)a->count, "text",
			json_name(a->text, sizeof(a->text)), "hash", hash, "set", set, "prefix", a->prefix,
			"protocol", a->ip_proto, "spi", (json_int_t)a->spi);

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
		return;
	}
	audit_text(a, when, ip, protos);
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
