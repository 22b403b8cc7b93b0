/* SPDX-License-Identifier: BSD-2-Clause */
/* whois: who holds or held a port, an address, another protocol, from the audit log. What an abuse mail asks. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "fit.h"

/* What is known of an address that nobody holds as it was asked for. */
enum known { OURS_SHARED, OURS, FOREIGN };

static int address_known(struct cli *cli, const struct vc_ip *ip, enum known *out)
{
	struct objects all;
	struct vfrc_reply r;
	int rc = cli_result(cli, objects_read(cli->c, 0, VC_ADDR_ADD, &all, &r), &r);

	*out = FOREIGN;
	for (size_t i = 0; !rc && i < all.n; i++) {
		const struct vc_addr_add *a = (const void *)all.v[i]->body;

		if (!memcmp(&a->addr, ip, sizeof(*ip)))
			*out = a->flags & VC_ADDR_SHARED ? OURS_SHARED : OURS;
	}
	objects_free(&all);
	return rc;
}

static int whois_nobody(struct cli *cli, const struct vc_whois *q, const char *what)
{
	enum known known = OURS;
	int rc = vfrc_ip_is_v4(&q->addr) ? address_known(cli, &q->addr, &known) : 0;

	if (rc)
		return rc;
	if (known == FOREIGN)
		fit_line(stdout, 2, "%s: nobody; it is not among the addresses of this machine now ('vfrctl audit' tells what was)", what);
	else if (known == OURS_SHARED && !q->proto && !q->ip_proto)
		fit_line(stdout, 2, "%s: nobody as a whole: it is shared by ports. Who sent a packet is known by its port: ask for "
			 "ADDRESS:PORT/tcp; without one nobody can tell them apart", what);
	else
		fit_line(stdout, 2, "%s: nobody", what);
	return EXIT_DONE;
}

static int whois_text(struct cli *cli, const struct vc_whois *q, const struct vc_whois_reply *w)
{
	char from[48], until[48], what[160];

	vfrc_format_time(q->utc_ns, until, sizeof(until));
	snprintf(what, sizeof(what), "%s%s%s", cli->argv[0], q->utc_ns ? " at " : "", q->utc_ns ? until : "");
	vfrc_format_time(w->from_ns, from, sizeof(from));
	vfrc_format_time(w->until_ns, until, sizeof(until));
	if (w->answer == VC_WHOIS_NOBODY)
		return whois_nobody(cli, q, what);
	if (w->answer == VC_WHOIS_HELD) {
		fit_line(stdout, 2, "%s: %.32s (domain %u) since %s%s%s, record %llu", what, w->dom, w->domid, from,
			 w->until_ns ? " until " : ", still", w->until_ns ? until : "", (unsigned long long)w->seq);
		return EXIT_DONE;
	}
	vfrc_format_time(w->log_from_ns, from, sizeof(from));
	fit_line(stdout, 2, "%s: not known: the log begins at %s", what, from);
	return EXIT_DONE;
}

/* Of a time that has not come nothing can be known. */
static int whois_time(struct cli *cli, const char *at, uint64_t *ns)
{
	struct vc_info_reply i;
	struct vfrc_reply r;
	char now[48];
	int rc;

	if (vfrc_parse_time(at, ns))
		return cli_usage(cli, "'%s' is not a time: write '2026-11-21 12:00:03', with UTC or +01:00 behind it, or as the mail or "
				 "the web server's log has it", at);
	rc = cli_call(cli, VC_INFO, NULL, 0, &r);
	if (rc)
		return rc;
	memcpy(&i, r.body, sizeof(i));
	vfrc_format_time(i.utc_ns, now, sizeof(now));
	return *ns > i.utc_ns ? cli_usage(cli, "'%s' has not come yet: the machine's clock says %s", at, now) : 0;
}

/* ADDRESS:PORT/PROTOCOL of what has ports; else ADDRESS, ADDRESS/PROTOCOL, ADDRESS/esp:SPI. */
static int whois_parse(const char *text, struct vc_whois *q)
{
	struct vc_slice_add s = {.kind = VC_SLICE_RANGE};
	const char *slash = strchr(text, '/'), *spi = slash ? strchr(slash, ':') : NULL;
	char word[64];
	uint64_t n = 0;
	bool given;
	int number;

	if (slash && !vfrc_parse_slice(text, &s, &given) && given && s.first == s.last && !(s.protos & (s.protos - 1))) {
		q->addr = s.addr;
		q->port = s.first;
		q->proto = s.protos;
		return 0;
	}
	snprintf(word, sizeof(word), "%.*s", (int)(slash ? slash - text : (long)strlen(text)), text);
	if (vfrc_parse_ip(word, &q->addr))
		return -1;
	if (!slash)
		return 0;
	snprintf(word, sizeof(word), "%.*s", (int)(spi ? spi - slash - 1 : (long)strlen(slash + 1)), slash + 1);
	number = vfrc_proto_number(word);
	if (number <= 0 || vfrc_proto_bit(word) || (spi && (number != 50 || vfrc_parse_count(spi + 1, UINT32_MAX, &n))))
		return -1;
	q->ip_proto = (uint8_t)number;
	q->spi = (uint32_t)n;
	return 0;
}

static int whois_usage(struct cli *cli, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (colon && !strchr(text, '/') && strchr(text, '.') && strspn(colon + 1, "0123456789") == strlen(colon + 1))
		return cli_usage(cli, "of which protocol? Write %s/tcp, or udp, icmp, sctp", text);
	return cli_usage(cli, "write ADDRESS:PORT/PROTOCOL, as in 203.0.113.7:51515/tcp, or ADDRESS, ADDRESS/gre, ADDRESS/esp:SPI");
}

int cmd_whois(struct cli *cli)
{
	static const char *const answers[] = {"held", "nobody", "unknown"};
	const char *at = cli_value(cli, "--at");
	struct vc_whois q = {0};
	struct vc_whois_reply w;
	struct vfrc_reply r;
	uint64_t when = 0;
	int rc = cli_words(cli, 1, 1);

	if (rc)
		return rc;
	if (whois_parse(cli->argv[0], &q))
		return whois_usage(cli, cli->argv[0]);
	rc = at ? whois_time(cli, at, &when) : 0;
	q.utc_ns = when;
	if (!rc)
		rc = cli_call(cli, VC_WHOIS, &q, sizeof(q), &r);
	if (rc)
		return rc;
	memcpy(&w, r.body, sizeof(w));
	if (!cli->json)
		return whois_text(cli, &q, &w);
	return cli_json(json_pack("{s:s, s:o, s:o, s:i, s:o, s:o, s:I, s:o}", "answer", w.answer < 3 ? answers[w.answer] : "?", "at",
				  json_time(q.utc_ns), "domain", json_name(w.dom, VC_NAME), "id", w.domid, "from",
				  json_time(w.from_ns), "until", json_time(w.until_ns),
				  "seq", (json_int_t)w.seq, "log_from", json_time(w.log_from_ns)));
}
