/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin decides: see twin.h. Written from the description of what the router does, to be read top to bottom. */
#include "twin_priv.h"

bool twin_is_self(const struct twin *t, uint32_t a)
{
	return a && a == t->self;
}

int twin_shared(const struct twin *t, uint32_t a)
{
	for (int i = 0; i < TWIN_SHARED; i++)
		if (t->shared[i] == a)
			return i;
	return -1;
}

/* => the domain that has the address as a whole; 0: none. */
int twin_whole_owner(const struct twin *t, uint32_t a, bool *internal)
{
	for (int d = 1; d < TWIN_DOMS; d++) {
		*internal = t->internal[d] == a;
		if (a && (t->dedicated[d] == a || t->internal[d] == a))
			return d;
	}
	return 0;
}

bool twin_unusable(uint32_t a)
{
	return a >> 24 == 0 || a >> 24 == 127 || a >> 24 >= 224 || a >> 16 == 169 * 256 + 254;
}

static const char *source4(const struct twin *t, int d, const struct facts *f)
{
	int s = twin_shared(t, f->src);
	bool internal;

	if (twin_unusable(f->src) || (s < 0 && twin_whole_owner(t, f->src, &internal) != d))
		return "src-addr";
	/* A later fragment has no port; its first had. */
	if (s < 0 || f->later)
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

bool twin_lives_here(const struct twin *t, uint32_t a)
{
	bool internal;

	return twin_is_self(t, a) || twin_shared(t, a) >= 0 || twin_whole_owner(t, a, &internal);
}

/* => the receiving domain (0: outside) or a reason; "echo" when the router answers. */
static const char *receiver4(const struct twin *t, int in, const struct facts *f, int *to)
{
	int s = twin_shared(t, f->dst);
	bool internal;

	*to = 0;
	if (in == 0 && (twin_unusable(f->src) || twin_lives_here(t, f->src)))
		return "martian";
	if (in == 0 && f->frame[0] % 2)
		return "broadcast";
	if (twin_is_self(t, f->dst) || s >= 0) {
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
	*to = twin_whole_owner(t, f->dst, &internal);
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
	return twin_unusable(f->dst) ? "martian" : NULL;
}


/* --- IPv6 ------------------------------------------------------------------------------------------------------------- */

/* => the domain; 0: nobody; -1: the router itself. A whole address counts for more than the prefix around it. */
int twin_owner6(const struct twin *t, const uint8_t *a)
{
	if (!memcmp(a, t->self6, 16))
		return -1;
	for (int d = 1; d < TWIN_DOMS; d++)
		if (t->host6[d][0] && !memcmp(a, t->host6[d], 16))
			return d;
	for (int d = 1; d < TWIN_DOMS; d++)
		if (t->net6[d][0] && !memcmp(a, t->net6[d], 8))
			return d;
	return 0;
}

static const char *source6(const struct twin *t, int d, const struct facts *f)
{
	static const uint8_t none[16];
	bool group = f->b[0] == 0xff && f->b[1] % 16 <= 2;

	/* What stays on the link: with the router, or to a group of the link. */
	if ((twin_of_the_link(f->a) && (group || twin_of_the_link(f->b))) || (group && !memcmp(f->a, none, 16)))
		return NULL;
	if (twin_owner6(t, f->a) != d)
		return "src-addr";
	return f->icmp_error && (f->q_proto < 0 || memcmp(f->q_b, f->a, 16)) ? "icmp-quote" : NULL;
}

/* Nobody, and the loop inside a host (RFC 4291 sections 2.5.2, 2.5.3). */
static bool unusable6(const uint8_t *a)
{
	static const uint8_t zero[15];

	return !memcmp(a, zero, 15) && a[15] < 2;
}

bool twin_of_the_link(const uint8_t *a)
{
	return a[0] == 0xfe && a[1] / 64 == 2;
}

static const char *receiver6(const struct twin *t, int in, const struct facts *f, int *to)
{
	int d = twin_owner6(t, f->b);

	*to = 0;
	if (in == 0 && (f->a[0] == 0xff || unusable6(f->a) || twin_owner6(t, f->a)))
		return "martian";
	if (f->b[0] == 0xff || f->frame[0] % 2)
		return "broadcast";
	if (d < 0)
		return f->echo_request ? "echo" : "self";
	if (twin_of_the_link(f->b))
		return f->echo_request ? "echo" : "martian";
	if (unusable6(f->b) || twin_of_the_link(f->a))
		return "martian";
	if (d == 0)
		return in ? NULL : "addr-unknown";
	if (f->icmp_error && (f->q_proto < 0 || memcmp(f->q_a, f->b, 16)))
		return "icmp-quote";
	*to = d;
	return NULL;
}

/* --- the way out ------------------------------------------------------------------------------------------------------ */

static void link_addresses(const struct twin *t, uint8_t *frame, int to)
{
	if (to)
		memcpy(frame, t->mac[to], 6);
	memcpy(frame + 6, to ? t->gateway_mac : t->mac[0], 6);
}

/* The router sends it back to where it came from. */
void twin_turn(const struct twin *t, int in, const struct facts *f, struct twin_frame *out)
{
	unsigned int n = f->family == 4 ? 4 : 16, at = f->family == 4 ? 12 : 8;
	uint8_t addr[16];

	memcpy(addr, f->ip + at, n);
	memcpy(f->ip + at, f->ip + at + n, n);
	memcpy(f->ip + at + n, addr, n);
	f->ip[f->family == 4 ? 8 : 7] = 64;
	if (f->family == 4)
		twin_mend(f->ip);
	memcpy(f->frame, f->frame + 6, 6);
	memcpy(f->frame + 6, in ? t->gateway_mac : t->mac[0], 6);
	out->port = in;
}

static void answer_echo(const struct twin *t, int in, struct facts *f, struct twin_frame *out)
{
	/* The type goes from 8 to 0, or from 128 to 129: the sum loses 0x0800 or wins 0x0100, its complement the other way. */
	unsigned int s = u16(f->l4 + 2) + (f->family == 4 ? 0x0800u : 0xfeffu);

	f->l4[0] = f->family == 4 ? 0 : 129;
	put16(f->l4 + 2, s % 65535);
	twin_turn(t, in, f, out);
}

static void cut(const struct twin *t, const struct facts *f, int to, struct twin_answer *a)
{
	unsigned int piece = (t->mtu[to] - 20u) / 8 * 8;

	for (uint32_t at = 0; at < f->l4_len; at += piece) {
		struct twin_frame *m = &a->made[a->mades++];
		uint32_t n = f->l4_len - at < piece ? f->l4_len - at : piece;

		memcpy(m->b, f->frame, 34);
		memcpy(m->b + 34, f->l4 + at, n);
		put16(m->b + 16, 20 + n);
		put16(m->b + 20, (f->offset + at) / 8 + (f->more || at + n < f->l4_len ? 8192 : 0));
		twin_mend(m->b + 14);
		m->len = 34 + n;
		m->port = to;
	}
}

/* The sum over TCP or UDP, which nobody has made so far; the field has the part of the addresses. */
static void complete_sum(struct facts *f)
{
	uint8_t *at = f->l4 + (f->kind == 0 ? 16 : 6);
	uint32_t s = f->l4_len % 2 ? f->l4[f->l4_len - 1] * 256u : 0;

	s += twin_sum(f->l4, f->l4_len / 2 * 2);
	s = 65535 - (s > 65535 ? s - 65535 : s);
	put16(at, s || f->kind == 0 ? s : 65535);
}

static uint32_t l4_header(const struct facts *f)
{
	return f->proto == 6 ? f->l4[12] / 16u * 4 : 8;
}

/* => bytes of the largest packet that becomes of it. */
static uint32_t largest(const struct facts *f)
{
	uint32_t n = f->len - f->l4_len + l4_header(f) + f->piece;

	return f->piece && n < f->len ? n : f->len;
}

/* Split is only what has no options, can be seen as a whole, and is one. */
static bool can_be_cut(const struct facts *f)
{
	return !f->df && f->ip[0] == 0x45 && !f->piece && f->all_linear;
}

const char *twin_onto_link(const struct twin *t, struct facts *f, int to, struct twin_answer *a)
{
	if (largest(f) <= t->mtu[to])
		return "forward";
	if (!can_be_cut(f))
		return "too-big";
	if (f->partial)
		complete_sum(f);
	cut(t, f, to, a);
	return "consumed";
}

const char *twin_leave(struct twin *t, int in, struct facts *f, struct path *w, struct twin_frame *out, struct twin_answer *a)
{
	uint8_t *hops = f->ip + (f->family == 4 ? 8 : 7);
	bool fits = largest(f) <= t->mtu[w->to];

	if (!t->attached[w->to])
		return "owner-down";
	if (!fits && !can_be_cut(f))
		return "too-big";
	if (*hops <= 1)
		return "ttl";
	--*hops;
	/* Datagrams in pieces leave with numbers that are this domain's alone; the later pieces with the number of the first. */
	if ((f->frag || !fits) && !f->later && in && !w->to && f->family == 4 && t->own_ids[in]) {
		w->set_id = true;
		w->new_id = (uint16_t)(t->block(in) * 1024 + t->ids[in]++ % 1024);
	}
	if (w->set_id)
		put16(f->ip + 4, w->new_id);
	if (f->family == 4)
		twin_mend(f->ip);
	link_addresses(t, f->frame, w->to);
	const char *no = w->to ? NULL : twin_next_hop(t, f, out, a);
	if (no)
		return no;
	out->port = w->to;
	return twin_onto_link(t, f, w->to, a);
}

/* --- all of it -------------------------------------------------------------------------------------------------------- */

/* For a packet that is whole, or the first piece of its datagram. */
static const char *onward(struct twin *t, int in, struct facts *f, struct path *w, struct twin_frame *own, struct twin_answer *a)
{
	const char *no = in && f->family == 4 ? twin_nat_out(t, in, f, w) : NULL;

	if (!no)
		no = f->family == 4 ? receiver4(t, in, f, &w->to) : receiver6(t, in, f, &w->to);
	if (no && !strcmp(no, "echo")) {
		answer_echo(t, in, f, own);
		w->echo = true;
		return "forward";
	}
	if (!no && w->to && !t->attached[w->to])
		no = "owner-down";
	if (!no)
		no = twin_rules(t, f, in, w->to);
	if (!no)
		no = twin_nat_in(t, f, w);
	if (no)
		return no;
	return twin_leave(t, in, f, w, own, a);
}

/* What is asked of a guest before anything else. */
static const char *leave_to_send(struct twin *t, int in, const struct facts *f)
{
	const char *no = f->family == 4 ? source4(t, in, f) : source6(t, in, f);

	for (int i = 0; !no && i < TWIN_DENIALS; i++)
		if (f->dport >= 0 && t->denied[in][i].proto == f->proto && f->dport >= t->denied[in][i].first &&
			f->dport <= t->denied[in][i].last)
			no = "egress-denied";
	/* SYN without ACK. */
	return no || f->proto != 6 || f->tcp_flags / 2 % 2 == 0 || f->tcp_flags / 16 % 2 ? no : twin_new_flow(t, in);
}

static const char *way(struct twin *t, int in, struct facts *f, struct twin_frame *own, struct twin_answer *a)
{
	struct twin_datagram *d = NULL;
	struct path w = { 0 };
	bool follow = false;
	const char *no = in ? leave_to_send(t, in, f) : NULL;

	t->came = *own;
	if (no) {
		twin_tell(t, &t->came, no, 0, a);
		return no;
	}
	if (f->frag)
		no = twin_fragment(t, in, f, own, &d, &follow, a);
	if (no)
		return no;
	if (!follow) {
		no = onward(t, in, f, &w, own, a);
		twin_tell(t, &t->came, no, t->mtu[w.to], a);
		if (d)
			twin_first_done(t, d, &w, no, a);
		return no;
	}
	no = twin_follow(t, in, f, d, own, a);
	twin_tidy(t, d);
	return no;
}

void twin_decide(struct twin *t, uint64_t id, const struct twin_packet *p, struct twin_answer *a)
{
	struct twin_frame *own = &a->own;
	struct facts f;

	a->backs = a->mades = 0;
	own->port = -1;
	own->hop = NULL;
	own->in = p->in;
	own->id = id;
	own->len = p->len;
	own->linear = p->linear;
	own->partial = p->partial;
	own->piece = p->piece;
	memcpy(own->b, p->b, p->len);
	own->verdict = t->attached[p->in] ? twin_read(t, own, &f) : "detached";
	if (own->verdict)
		return;
	if (!f.family)
		own->verdict = twin_arp(t, p->in, own->b, a);
	else if (f.family == 6 && f.proto == 58 && f.type >= 133 && f.type <= 137)
		own->verdict = twin_nd(t, p->in, &f, a);
	else
		own->verdict = way(t, p->in, &f, own, a);
}
