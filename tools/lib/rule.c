/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-line rules:
 *
 *	ACTION in|out|both [PROTO] [from ADDR[/LEN]] [port PORTS] [to [ADDR[/LEN]] [PORTS]] [type T[/C]] [flags SET/MASK]
 *	       [state WORD,…] [limit N/s [burst N]] [sub-class N] [log] [count]
 *
 * "allow in tcp to 80,443", "deny out tcp to 25", "reject in from 192.0.2.0/24". The words after the direction may stand in any order.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfrc.h"

struct parser {
	char *word[32];
	size_t at[32];
	unsigned int n, i;
	struct vc_rule *r;
	char *why;
	size_t size;
};

static const char *const actions[] = {"allow", "deny", "reject", "pass"};
static const char *const dirs[] = {"", "in", "out", "both"};
static const char *const states[] = {"new", "established", "related", "invalid"};
static const char tcp_letters[] = "FSRPAUEC";

const char *vfrc_action_name(unsigned int action)
{
	return action < 4 ? actions[action] : "?";
}

static int bad(struct parser *p, const char *what)
{
	const char *w = p->i < p->n ? p->word[p->i] : "the end of the rule";

	snprintf(p->why, p->size, "%s, not '%s'", what, w);
	return -1;
}

static const char *next(struct parser *p)
{
	return p->i < p->n ? p->word[p->i] : "";
}

static int find(const char *w, const char *const *list, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (list[i][0] && !strcmp(w, list[i]))
			return i;
	return -1;
}

static int parse_ranges(const char *s, struct vc_port_range *v, uint8_t *n)
{
	char buf[128];

	if (strlen(s) >= sizeof(buf))
		return -1;
	strcpy(buf, s);
	for (char *save, *w = strtok_r(buf, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		struct vc_slice_add one = {0};

		if (*n == VC_RULE_PORTS || strchr(w, '/') || vfrc_parse_ports(w, &one) || one.kind != VC_SLICE_RANGE)
			return -1;
		v[*n].first = one.first;
		v[(*n)++].last = one.last;
	}
	return *n ? 0 : -1;
}

static bool has_ports(const struct vc_rule *r)
{
	return r->proto_set && (r->proto == 6 || r->proto == 17 || r->proto == 132);
}

static int parse_addr(struct parser *p, struct vc_ip *ip, uint8_t *len)
{
	uint8_t bits;
	unsigned int family;

	if (vfrc_parse_prefix(next(p), ip, &bits, NULL))
		return -1;
	family = vfrc_ip_is_v4(ip) ? 4 : 6;
	if (p->r->family && p->r->family != family)
		return bad(p, "both addresses must be of one family");
	p->r->family = family;
	*len = family == 4 ? bits + 96 : bits;
	/* 0.0.0.0/0 means what no address means; the family stays. */
	if (!bits) {
		*len = 0;
		memset(ip, 0, sizeof(*ip));
	}
	p->i++;
	return 0;
}

static int end_point(struct parser *p, struct vc_ip *ip, uint8_t *len, struct vc_port_range *v, uint8_t *n)
{
	unsigned int start;

	p->i++;
	start = p->i;
	if (!strcmp(next(p), "any"))
		p->i++;
	else if (strpbrk(next(p), ".:") && parse_addr(p, ip, len))
		return bad(p, "an address or prefix is wanted here");
	if (!strcmp(next(p), "port"))
		p->i++;
	if (p->i < p->n && next(p)[0] >= '0' && next(p)[0] <= '9') {
		if (!has_ports(p->r))
			return bad(p, "ports need tcp, udp or sctp before them");
		if (parse_ranges(next(p), v, n))
			return bad(p, "up to 4 ports or ranges are wanted here, as in 80,443,8000-8099");
		p->i++;
	}
	return p->i == start ? bad(p, "an address, or ports, are wanted here") : 0;
}

static int parse_type(struct parser *p)
{
	unsigned int t, c;
	int n = 0;

	p->i++;
	if (sscanf(next(p), "%u/%u%n", &t, &c, &n) == 2 && !next(p)[n] && t < 256 && c < 256) {
		p->r->icmp_set = 2;
		p->r->icmp_code = c;
	} else if (n = 0, sscanf(next(p), "%u%n", &t, &n) == 1 && !next(p)[n] && t < 256) {
		p->r->icmp_set = 1;
	} else {
		return bad(p, "an ICMP type or type/code in numbers is wanted here");
	}
	p->r->icmp_type = t;
	p->i++;
	return 0;
}

static int parse_letters(const char *s, size_t n, uint8_t *set)
{
	for (size_t i = 0; i < n; i++) {
		const char *l = strchr(tcp_letters, s[i]);

		if (!l || !s[i])
			return -1;
		*set |= 1 << (l - tcp_letters);
	}
	return 0;
}

static int parse_flags(struct parser *p)
{
	const char *slash;

	p->i++;
	slash = strchr(next(p), '/');
	if (!slash || parse_letters(next(p), slash - next(p), &p->r->tcp_flags) ||
	    parse_letters(slash + 1, strlen(slash + 1), &p->r->tcp_mask) ||
	    !p->r->tcp_mask || p->r->tcp_flags & ~p->r->tcp_mask)
		return bad(p, "TCP flags are wanted here as SET/MASK, as in S/SA");
	p->i++;
	return 0;
}

static int parse_states(struct parser *p)
{
	char buf[64];

	p->i++;
	snprintf(buf, sizeof(buf), "%s", next(p));
	for (char *save, *w = strtok_r(buf, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		int s = find(w, states, 4);

		if (s < 0)
			return bad(p, "new, established, related or invalid is wanted here");
		p->r->states |= 1 << s;
	}
	if (!p->r->states)
		return bad(p, "new, established, related or invalid is wanted here");
	p->i++;
	return 0;
}

static int parse_limit(struct parser *p)
{
	uint64_t n;

	p->i++;
	if (vfrc_parse_count(next(p), UINT32_MAX, &n) || !n)
		return bad(p, "packets a second are wanted here, as in 100/s");
	p->r->limit_pps = n;
	p->i++;
	if (strcmp(next(p), "burst"))
		return 0;
	p->i++;
	if (vfrc_parse_count(next(p), UINT32_MAX, &n))
		return bad(p, "a number of packets is wanted here");
	p->r->limit_burst = n;
	p->i++;
	return 0;
}

static int parse_sub(struct parser *p)
{
	uint64_t n;

	p->i++;
	if (vfrc_parse_count(next(p), VC_SUBS - 1, &n) || !n)
		return bad(p, "a sub-class from 1 to 7 is wanted here");
	p->r->sub = n;
	p->i++;
	return 0;
}

static int parse_part(struct parser *p)
{
	struct vc_rule *r = p->r;
	const char *w = next(p);
	int proto;

	if (!strcmp(w, "from"))
		return end_point(p, &r->src, &r->src_len, r->sports, &r->nsrc);
	if (!strcmp(w, "to"))
		return end_point(p, &r->dst, &r->dst_len, r->dports, &r->ndst);
	if (!strcmp(w, "type"))
		return parse_type(p);
	if (!strcmp(w, "flags"))
		return parse_flags(p);
	if (!strcmp(w, "state"))
		return parse_states(p);
	if (!strcmp(w, "limit"))
		return parse_limit(p);
	if (!strcmp(w, "sub-class"))
		return parse_sub(p);
	if (!strcmp(w, "log") || !strcmp(w, "count")) {
		r->flags |= *w == 'l' ? VC_RULE_LOG : VC_RULE_COUNT;
		p->i++;
		return 0;
	}
	if (!strcmp(w, "ip4") || !strcmp(w, "ip6")) {
		r->family = w[2] - '0';
		p->i++;
		return 0;
	}
	proto = r->proto_set ? -1 : vfrc_proto_number(w);
	if (proto < 0)
		return bad(p, "a protocol, from, to, type, flags, state, limit, sub-class, log or count is wanted here");
	r->proto_set = 1;
	r->proto = proto;
	p->i++;
	return 0;
}

static int parse_words(struct parser *p)
{
	int action = find(next(p), actions, 4), dir;

	if (action < 0)
		return bad(p, "a rule begins with allow, deny, reject or pass");
	p->i++;
	dir = find(next(p), dirs, 4);
	if (dir < 0)
		return bad(p, "in, out or both is wanted here");
	p->i++;
	p->r->action = action;
	p->r->dirs = dir;
	while (p->i < p->n)
		if (parse_part(p))
			return -1;
	return 0;
}

int vfrc_parse_rule(const char *s, struct vc_rule *rule, char *why, size_t size, size_t *at)
{
	struct parser p = {.r = rule, .why = why, .size = size};
	char *copy = strdup(s);
	int rc = -1;

	memset(rule, 0, sizeof(*rule));
	*at = 0;
	for (char *save, *w = copy ? strtok_r(copy, " \t", &save) : NULL; w && p.n < 32; w = strtok_r(NULL, " \t", &save)) {
		p.at[p.n] = w - copy;
		p.word[p.n++] = w;
	}
	if (copy && p.n == 32)
		snprintf(why, size, "the rule is too long");
	else if (copy)
		rc = parse_words(&p);
	if (rc)
		*at = p.i < p.n ? p.at[p.i] : strlen(s);
	free(copy);
	return rc;
}

struct writer {
	char *out;
	size_t n, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *fmt, ...)
{
	va_list ap;
	int k;

	if (w->len >= w->n)
		return;
	va_start(ap, fmt);
	k = vsnprintf(w->out + w->len, w->n - w->len, fmt, ap);
	va_end(ap);
	w->len += k;
}

static void put_end(struct writer *w, const char *word, const struct vc_rule *r, const struct vc_ip *ip, unsigned int len,
		    const struct vc_port_range *v, unsigned int n)
{
	char text[64];

	if (!len && !n)
		return;
	put(w, " %s", word);
	if (len) {
		vfrc_format_ip(ip, text, sizeof(text));
		put(w, " %s", text);
		if (len != 128)
			put(w, "/%u", r->family == 4 ? len - 96 : len);
	}
	for (unsigned int i = 0; i < n; i++)
		if (v[i].first == v[i].last)
			put(w, "%c%u", i ? ',' : ' ', v[i].first);
		else
			put(w, "%c%u-%u", i ? ',' : ' ', v[i].first, v[i].last);
}

static void put_proto(struct writer *w, unsigned int proto)
{
	static const char *const known[] = {"tcp", "udp", "icmp", "icmpv6", "sctp", "gre", "esp", "ah"};

	for (unsigned int i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (vfrc_proto_number(known[i]) != (int)proto)
			continue;
		put(w, " %s", known[i]);
		return;
	}
	put(w, " %u", proto);
}

static void put_letters(struct writer *w, unsigned int set)
{
	for (unsigned int i = 0; i < 8; i++)
		if (set & 1u << i)
			put(w, "%c", tcp_letters[i]);
}

static void put_extras(struct writer *w, const struct vc_rule *r)
{
	if (r->icmp_set)
		put(w, r->icmp_set == 2 ? " type %u/%u" : " type %u", r->icmp_type, r->icmp_code);
	if (r->tcp_mask) {
		put(w, " flags ");
		put_letters(w, r->tcp_flags);
		put(w, "/");
		put_letters(w, r->tcp_mask);
	}
	for (unsigned int i = 0, n = 0; i < 4; i++)
		if (r->states & 1u << i)
			put(w, "%s%s", n++ ? "," : " state ", states[i]);
	if (r->limit_pps)
		put(w, " limit %u/s", r->limit_pps);
	if (r->limit_burst)
		put(w, " burst %u", r->limit_burst);
	if (r->sub)
		put(w, " sub-class %u", r->sub);
	if (r->flags & VC_RULE_LOG)
		put(w, " log");
	if (r->flags & VC_RULE_COUNT)
		put(w, " count");
}

void vfrc_format_rule(const struct vc_rule *r, char *out, size_t n)
{
	struct writer w = {out, n, 0};

	put(&w, "%s %s", vfrc_action_name(r->action), r->dirs < 4 ? dirs[r->dirs] : "?");
	if (r->family && !r->src_len && !r->dst_len)
		put(&w, " ip%u", r->family);
	if (r->proto_set)
		put_proto(&w, r->proto);
	put_end(&w, "from", r, &r->src, r->src_len, r->sports, r->nsrc);
	put_end(&w, "to", r, &r->dst, r->dst_len, r->dports, r->ndst);
	put_extras(&w, r);
}
