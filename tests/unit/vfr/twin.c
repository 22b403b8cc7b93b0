/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin: see twin.h. Written from the description of what the router does, to be read top to bottom. */
#include "twin.h"

#include <string.h>

static unsigned int u16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)u16(p) * 65536u + u16(p + 2);
}

static uint16_t sum_of(const uint8_t *p, unsigned int n)
{
	uint32_t s = 0;

	for (unsigned int i = 0; i < n; i += 2)
		s += u16(p + i);
	while (s > 65535)
		s = s % 65536 + s / 65536;
	return (uint16_t)s;
}

/* What we read off a packet. */
struct facts {
	const uint8_t *ip, *l4;
	uint32_t src, dst, len, l4_len;
	int proto, kind;	/* kind: 0..3 for tcp, udp, icmp, sctp; -1 */
	int sport, dport;	/* -1: none */
	bool echo_request, icmp_error;
	uint32_t q_src, q_dst;
	int q_proto, q_kind, q_sport, q_dport;
};

static int kind_of(int proto)
{
	return proto == 6 ? 0 : proto == 17 ? 1 : proto == 1 ? 2 : proto == 132 ? 3 : -1;
}

static const char *bad_options(const uint8_t *o, int n)
{
	for (int i = 0; i < n;) {
		if (o[i] == 0)
			return NULL;
		if (o[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= n || o[i + 1] < 2 || i + o[i + 1] > n || o[i] == 131 || o[i] == 137)
			return "ip-options";
		i += o[i + 1];
	}
	return NULL;
}

static const char *read_quote(struct facts *f)
{
	const uint8_t *q = f->l4 + 8;
	unsigned int h;

	if (f->l4_len < 28 || q[0] / 16 != 4)
		return "icmp-quote";
	h = q[0] % 16 * 4;
	if (h < 20 || f->l4_len < 8 + h + 8)
		return "icmp-quote";
	f->icmp_error = true;
	f->q_proto = q[9];
	f->q_kind = kind_of(q[9]);
	f->q_src = u32(q + 12);
	f->q_dst = u32(q + 16);
	f->q_sport = f->q_dport = -1;
	if (u16(q + 6) % 8192)
		f->q_proto = -1;	/* a later fragment says nothing */
	else if (f->q_kind == 2) {
		if (q[h] == 0 || q[h] == 8)
			f->q_sport = f->q_dport = (int)u16(q + h + 4);
		if (q[h] == 3 || q[h] == 11 || q[h] == 12)
			f->q_proto = -1;
	} else if (f->q_kind >= 0) {
		f->q_sport = (int)u16(q + h);
		f->q_dport = (int)u16(q + h + 2);
	}
	return NULL;
}

static const char *read_l4(struct facts *f)
{
	const uint8_t *l = f->l4;

	f->sport = f->dport = -1;
	switch (f->proto) {
	case 6:
		if (f->l4_len < 20 || l[12] / 16 < 5 || l[12] / 16u * 4 > f->l4_len)
			return "bad-l4";
		break;
	case 17:
		if (f->l4_len < 8 || u16(l + 4) < 8 || u16(l + 4) > f->l4_len)
			return "bad-l4";
		break;
	case 132:
		if (f->l4_len < 12)
			return "bad-l4";
		break;
	case 50:
		return f->l4_len < 8 ? "bad-l4" : NULL;
	case 1:
		if (f->l4_len < 8)
			return "bad-l4";
		if (l[0] == 3 || l[0] == 11 || l[0] == 12)
			return read_quote(f);
		if (l[0] == 0 || l[0] == 8)
			f->sport = f->dport = (int)u16(l + 4);
		f->echo_request = l[0] == 8;
		return NULL;
	default:
		return NULL;
	}
	f->sport = (int)u16(l);
	f->dport = (int)u16(l + 2);
	return NULL;
}

static const char *read_packet(const struct twin *t, int in, const uint8_t *fr, uint32_t len, struct facts *f)
{
	unsigned int h;
	const char *bad;

	memset(f, 0, sizeof(*f));
	if (len < 14)
		return "short";
	if (in && memcmp(fr + 6, t->mac[in], 6))
		return "src-mac";
	if (fr[0] % 2 == 0 && memcmp(fr, in ? t->gateway_mac : t->mac[0], 6))
		return "dst-mac";
	if (u16(fr + 12) != 0x0800)
		return "ethertype";
	if (len < 34)
		return "short";
	f->ip = fr + 14;
	h = f->ip[0] % 16 * 4;
	f->len = u16(f->ip + 2);
	if (f->ip[0] / 16 != 4 || h < 20 || f->len < h || f->len + 14 > len)
		return "bad-ip";
	if (sum_of(f->ip, h) != 65535)
		return "bad-ip-csum";
	f->proto = f->ip[9];
	f->kind = kind_of(f->proto);
	f->src = u32(f->ip + 12);
	f->dst = u32(f->ip + 16);
	f->l4 = f->ip + h;
	f->l4_len = f->len - h;
	bad = bad_options(f->ip + 20, (int)h - 20);
	return bad ? bad : read_l4(f);
}

static int shared_index(const struct twin *t, uint32_t a)
{
	for (int i = 0; i < TWIN_SHARED; i++)
		if (t->shared[i] == a)
			return i;
	return -1;
}

/* => the domain that has the address as a whole; 0: none. */
static int whole_owner(const struct twin *t, uint32_t a, bool *internal)
{
	for (int d = 1; d < TWIN_DOMS; d++) {
		*internal = t->internal[d] == a;
		if (a && (t->dedicated[d] == a || t->internal[d] == a))
			return d;
	}
	return 0;
}

static bool unusable(uint32_t a)
{
	return a >> 24 == 0 || a >> 24 == 127 || a >> 24 >= 224;
}

static const char *check_source(const struct twin *t, int d, const struct facts *f)
{
	int s = shared_index(t, f->src);
	bool internal;

	if (unusable(f->src) || (s < 0 && whole_owner(t, f->src, &internal) != d))
		return "src-addr";
	if (s < 0)
		return NULL;
	if (f->icmp_error) {
		if (f->q_proto < 0 || f->q_dst != f->src)
			return "icmp-quote";
		if (f->q_kind < 0)
			return t->other[s][f->q_proto] == d ? NULL : "icmp-quote";
		return f->q_dport >= 0 && t->owner[s][f->q_kind][f->q_dport] == d ? NULL : "icmp-quote";
	}
	if (f->kind < 0)
		return t->other[s][f->proto] == d ? NULL : "src-proto";
	if (f->sport < 0)
		return "src-proto";
	return t->owner[s][f->kind][f->sport] == d ? NULL : "src-port";
}

/* => the receiving domain (0: outside) or a reason; "echo" when the router answers. */
static const char *find_receiver(const struct twin *t, int in, const uint8_t *fr, const struct facts *f, int *to)
{
	int s = shared_index(t, f->dst);
	bool internal;

	*to = 0;
	if (in == 0 && (unusable(f->src) || shared_index(t, f->src) >= 0 || whole_owner(t, f->src, &internal) || f->src == t->self))
		return "martian";
	if (in == 0 && fr[0] % 2)
		return "broadcast";
	if (f->dst == t->self || s >= 0) {
		if (f->echo_request && !f->icmp_error)
			return "echo";
		if (s < 0)
			return "self";
		if (f->icmp_error) {
			if (f->q_proto < 0 || f->q_src != f->dst)
				return "icmp-quote";
			*to = f->q_kind < 0 ? t->other[s][f->q_proto] : f->q_sport < 0 ? 0 : t->owner[s][f->q_kind][f->q_sport];
			return *to ? NULL : "icmp-quote";
		}
		if (f->kind < 0) {
			*to = t->other[s][f->proto];
			return *to ? NULL : "proto-unowned";
		}
		if (f->dport < 0)
			return "icmp-type";
		*to = t->owner[s][f->kind][f->dport];
		return *to ? NULL : "port-unowned";
	}
	*to = whole_owner(t, f->dst, &internal);
	if (*to && internal && in == 0)
		return "addr-unknown";
	if (*to && !internal && f->icmp_error && (f->q_proto < 0 || f->q_src != f->dst))
		return "icmp-quote";
	if (*to)
		return NULL;
	if (in == 0)
		return "addr-unknown";
	if (f->dst == 0xffffffff || f->dst >> 28 == 14)
		return "broadcast";
	return unusable(f->dst) ? "martian" : NULL;
}

static bool rule_has(const struct twin_rule *r, const struct facts *f)
{
	bool ports = f->sport >= 0 && f->proto != 1;
	int sport = ports ? f->sport : 0, dport = ports ? f->dport : 0;
	bool any = r->sport_first == 0 && r->sport_last == 65535 && r->dport_first == 0 && r->dport_last == 65535;

	if (r->proto && r->proto != f->proto)
		return false;
	if ((f->src & r->src_mask) != r->src || (f->dst & r->dst_mask) != r->dst)
		return false;
	/* Ports are asked of TCP, UDP, SCTP and rules without a protocol. */
	if (r->proto == 1)
		return true;
	if (f->sport < 0 && !any)
		return false;
	return sport >= r->sport_first && sport <= r->sport_last && dport >= r->dport_first && dport <= r->dport_last;
}

static bool rules_drop(const struct twin *t, int d, bool in, const struct facts *f)
{
	const int lists[2] = { 0, d };

	for (int l = 0; l < 2; l++)
		for (unsigned int i = 0; i < t->rules[lists[l]]; i++) {
			const struct twin_rule *r = &t->rule[lists[l]][i];

			if (r->in != in || !rule_has(r, f))
				continue;
			if (r->drop)
				return true;
			break;
		}
	return false;
}

static void mend_sum(uint8_t *ip)
{
	ip[10] = ip[11] = 0;
	unsigned int s = 65535u - sum_of(ip, ip[0] % 16 * 4u);
	ip[10] = (uint8_t)(s / 256);
	ip[11] = (uint8_t)(s % 256);
}

static void answer_echo(const struct twin *t, int in, struct twin_answer *a, const struct facts *f)
{
	uint8_t *ip = a->frame + 14, *l4 = ip + (f->l4 - f->ip), addr[4];
	uint32_t s;

	memcpy(addr, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, addr, 4);
	ip[8] = 64;
	mend_sum(ip);
	/* type 8 becomes 0, so the sum loses 0x0800 and its complement wins it */
	l4[0] = 0;
	s = u16(l4 + 2) + 0x0800u;
	s = s % 65536 + s / 65536;
	l4[2] = (uint8_t)(s / 256);
	l4[3] = (uint8_t)(s % 256);
	memcpy(a->frame, a->frame + 6, 6);
	memcpy(a->frame + 6, in ? t->gateway_mac : t->mac[0], 6);
	a->out_port = in;
	a->verdict = "forward";
}

void twin_decide(const struct twin *t, int in, const uint8_t *frame, uint32_t len, struct twin_answer *a)
{
	struct facts f;
	int to = 0;

	memset(a, 0, sizeof(*a));
	memcpy(a->frame, frame, len);
	a->out_port = -1;
	a->verdict = read_packet(t, in, frame, len, &f);
	if (!a->verdict && in)
		a->verdict = check_source(t, in, &f);
	if (!a->verdict && in && f.proto == 6 && f.dport == 25)
		a->verdict = "egress-denied";
	bool internal = false;
	if (!a->verdict && in && whole_owner(t, f.src, &internal) && internal) {
		bool to_internal = false;

		/* No NAT in this world: a private address reaches private addresses, the router, and its echo. */
		whole_owner(t, f.dst, &to_internal);
		if (f.dst != t->self && !(whole_owner(t, f.dst, &to_internal) && to_internal) && !(f.echo_request && shared_index(t,
			f.dst) >= 0))
			a->verdict = "nat-unsuited";
	}
	if (!a->verdict)
		a->verdict = find_receiver(t, in, frame, &f, &to);
	if (a->verdict && !strcmp(a->verdict, "echo")) {
		answer_echo(t, in, a, &f);
		return;
	}
	if (!a->verdict && to && !t->attached[to])
		a->verdict = "owner-down";
	if (!a->verdict && in && rules_drop(t, in, false, &f))
		a->verdict = "rule";
	if (!a->verdict && to && rules_drop(t, to, true, &f))
		a->verdict = "rule";
	bool df = u16(frame + 20) & 0x4000, fits = f.len <= t->mtu[to];
	if (!a->verdict && !fits && df)
		a->verdict = "too-big";
	if (!a->verdict && frame[22] <= 1)
		a->verdict = "ttl";
	if (!a->verdict && !fits) {
		/* Split, unless there are options. */
		a->verdict = frame[14] == 0x45 ? "consumed" : "too-big";
		return;
	}
	if (a->verdict)
		return;
	a->verdict = "forward";
	a->out_port = to;
	a->frame[22]--;
	mend_sum(a->frame + 14);
	memcpy(a->frame, to ? t->mac[to] : t->peer_mac, 6);
	memcpy(a->frame + 6, to ? t->gateway_mac : t->mac[0], 6);
}
