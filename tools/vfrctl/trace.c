/* SPDX-License-Identifier: BSD-2-Clause */
/* trace: what would happen to a packet, stage by stage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ADDRESS, ADDRESS:PORT or [V6]:PORT */
static int end_point(const char *s, struct vc_ip *ip, uint16_t *port)
{
	char buf[80];
	char *colon, *end;
	uint64_t n = 0;

	if (strlen(s) >= sizeof(buf))
		return -1;
	strcpy(buf, s);
	end = *buf == '[' ? strchr(buf, ']') : NULL;
	if (end) {
		*end = 0;
		colon = end[1] == ':' ? end + 1 : NULL;
		if (end[1] && !colon)
			return -1;
	} else {
		colon = strchr(buf, ':');
		if (colon && strchr(colon + 1, ':'))
			colon = NULL;
	}
	if (colon && vfrc_parse_count(colon + 1, 65535, &n))
		return -1;
	if (colon)
		*colon = 0;
	*port = n;
	return vfrc_parse_ip(end ? buf + 1 : buf, ip);
}

/* "tcp 198.51.100.7:5555 > 203.0.113.7:20080", in one word or in several */
static int parse_packet(struct cli *cli, struct vc_trace_req *q)
{
	char text[256] = "", proto[16], src[80], dst[80];
	uint16_t sport, dport;
	int n = 0, number;

	for (int i = 0; i < cli->argc; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "", cli->argv[i]);
	if (sscanf(text, "%15s %79[^> ] > %79s %n", proto, src, dst, &n) != 3 || text[n])
		return cli_usage(cli, "write 'PROTO SRC:PORT > DST:PORT', as in 'tcp 198.51.100.7:5555 > 203.0.113.7:20080'");
	number = vfrc_proto_number(proto);
	if (number < 0)
		return cli_usage(cli, "'%s' is not a protocol", proto);
	q->proto = number;
	if (end_point(src, &q->src, &sport))
		return cli_usage(cli, "'%s' is not ADDRESS:PORT", src);
	if (end_point(dst, &q->dst, &dport))
		return cli_usage(cli, "'%s' is not ADDRESS:PORT", dst);
	if (vfrc_ip_is_v4(&q->src) != vfrc_ip_is_v4(&q->dst))
		return cli_usage(cli, "both addresses must be of one family");
	q->sport = sport;
	q->dport = dport;
	/* An echo request carries its identifier where the asker wrote a port. */
	if ((number == 1 || number == 58) && !q->sport)
		q->sport = q->dport;
	return 0;
}

static int trace_json(const struct vc_trace_reply *t, const struct vc_trace_step *s, const char *verdict)
{
	json_t *steps = json_array();

	for (unsigned int i = 0; i < t->count; i++)
		json_array_append_new(steps, json_pack("{s:o, s:o}", "stage", json_name(s[i].stage, sizeof(s[i].stage)), "text",
						       json_name(s[i].text, sizeof(s[i].text))));
	return cli_json(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "verdict", verdict, "reason",
				  t->verdict == VC_TRACE_DROPPED ? json_name(t->reason_name, VC_NAME) : json_null(), "out",
				  json_name(t->out, VC_NAME), "owner", json_name(t->owner, VC_NAME), "rule",
				  t->rule == VC_NO_INDEX ? json_null() : json_integer(t->rule + 1), "steps", steps));
}

int cmd_trace(struct cli *cli)
{
	static const char *const verdicts[] = {"forwarded", "dropped", "held", "answered by the router"};
	const char *from = cli_value(cli, "--from"), *verdict;
	struct vc_trace_req q = {.length = 40};
	const struct vc_trace_step *s;
	struct vc_trace_reply t;
	struct vfrc_reply r;
	int rc = cli_words(cli, 1, 8);

	if (!rc)
		rc = parse_packet(cli, &q);
	if (!rc && from)
		rc = cli_domain(cli, from, q.from);
	if (!rc)
		rc = cli_call(cli, VC_TRACE, &q, sizeof(q), &r);
	if (rc)
		return rc;
	memcpy(&t, r.body, sizeof(t));
	s = (const void *)(r.body + sizeof(t));
	verdict = t.verdict < 4 ? verdicts[t.verdict] : "?";
	if (cli->json)
		return trace_json(&t, s, verdict);
	for (unsigned int i = 0; i < t.count; i++)
		printf("%-12.16s %.112s\n", s[i].stage, s[i].text);
	printf("%s", verdict);
	if (t.verdict == VC_TRACE_DROPPED)
		printf(": %.32s", t.reason_name);
	if (t.out[0])
		printf(" to %.32s", t.out);
	if (t.rule != VC_NO_INDEX)
		printf(", by rule %u", t.rule + 1);
	if (t.owner[0])
		printf(" (owner %.32s)", t.owner);
	putchar('\n');
	return EXIT_DONE;
}
