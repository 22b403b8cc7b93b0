/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules from text, for tests. The shipped parser lives with the tools. */
#include "ruletext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "craft.h"

static void ports(const char *t, uint16_t *first, uint16_t *last)
{
	*first = *last = (uint16_t)atoi(t);
	if (strchr(t, '-'))
		*last = (uint16_t)atoi(strchr(t, '-') + 1);
}

static bool prefix(struct vfr_rule *r, char *t, uint8_t addr[16], uint8_t *plen)
{
	char *slash = strchr(t, '/');

	if (slash)
		*slash = 0;
	int family = parse_addr(t, addr);
	*plen = (uint8_t)(slash ? atoi(slash + 1) : family == 4 ? 32 : 128);
	r->family = (uint8_t)family;
	return family;
}

static const struct {
	const char *word;
	uint8_t action, flags, proto;
} words[] = {
	{ "accept", VFR_ACT_ACCEPT, 0, 0 }, { "drop", VFR_ACT_DROP, 0, 0 }, { "reject", VFR_ACT_REJECT, 0, 0 },
	{ "count", 0, VFR_RULE_COUNT, 0 }, { "state", 0, VFR_RULE_STATE, 0 }, { "log", 0, VFR_RULE_LOG, 0 },
	{ "tcp", 0, 0, 6 }, { "udp", 0, 0, 17 }, { "icmp", 0, 0, 1 }, { "icmp6", 0, 0, 58 }, { "sctp", 0, 0, 132 }, { "gre", 0, 0, 47 },
};

static bool option(struct vfr_rule *r, char *t)
{
	unsigned int a = 0, b = 0;

	if (!strncmp(t, "src=", 4))
		return prefix(r, t + 4, r->src, &r->src_plen);
	if (!strncmp(t, "dst=", 4))
		return prefix(r, t + 4, r->dst, &r->dst_plen);
	if (!strncmp(t, "sport=", 6))
		ports(t + 6, &r->sport_first, &r->sport_last);
	else if (!strncmp(t, "dport=", 6))
		ports(t + 6, &r->dport_first, &r->dport_last);
	else if (sscanf(t, "flags=%u/%u", &a, &b) == 2)
		r->tcp_mask = (uint8_t)a, r->tcp_value = (uint8_t)b;
	else if (sscanf(t, "type=%u", &a) == 1)
		r->icmp_type = (int16_t)a;
	else if (sscanf(t, "rate=%u", &a) == 1)
		r->rate = r->burst = a, r->flags |= VFR_RULE_LIMIT;
	else if (sscanf(t, "id=%u", &a) == 1)
		r->id = a;
	else if (sscanf(t, "class=%u", &a) == 1)
		r->sched_class = (uint16_t)a;
	else if (!strncmp(t, "st=", 3))
		r->state = (uint8_t)((strchr(t + 3, 'n') ? VFR_ST_NEW : 0) | (strchr(t + 3, 'e') ? VFR_ST_ESTABLISHED : 0) |
				     (strchr(t + 3, 'r') ? VFR_ST_RELATED : 0) | (strchr(t + 3, 'i') ? VFR_ST_INVALID : 0));
	else
		return false;
	return true;
}

bool rule_from_text(struct vfr_rule *r, const char *text)
{
	char copy[512], *save = NULL;

	*r = (struct vfr_rule){ .icmp_type = -1, .icmp_code = -1, .sport_last = 65535, .dport_last = 65535 };
	snprintf(copy, sizeof(copy), "%s", text);
	char *t = strtok_r(copy, " ", &save);
	if (!t)
		return false;
	r->dir = strcmp(t, "in") ? VFR_OUT : VFR_IN;
	while ((t = strtok_r(NULL, " ", &save))) {
		bool known = false;

		for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (!strcmp(t, words[i].word)) {
				r->action |= words[i].action;
				r->flags |= words[i].flags;
				r->proto |= words[i].proto;
				known = true;
			}
		if (!known && !option(r, t))
			return false;
	}
	return true;
}
