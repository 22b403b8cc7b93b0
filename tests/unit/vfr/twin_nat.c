/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin's NAT: a list of (private end, public end), and the rewriting of packets and of what errors quote. */
#include "twin_priv.h"

/* A mapping is worth something as long as the domain that made it has the private end, and leaves by the public one. */
static bool stands(const struct twin *t, const struct twin_map *m)
{
	return m->until > t->now && t->internal[m->dom] == m->inside && t->nat[m->dom] == m->outside &&
	       t->owner[twin_shared(t, m->outside)][m->kind][m->oport] == m->dom;
}

static struct twin_map *live(struct twin *t, const struct twin_map *like, bool by_inside)
{
	for (unsigned int i = 0; i < t->maps; i++) {
		struct twin_map *m = &t->map[i];

		if (m->kind != like->kind || !stands(t, m))
			continue;
		if (by_inside ? m->inside == like->inside && m->iport == like->iport :
				m->outside == like->outside && m->oport == like->oport)
			return m;
	}
	return NULL;
}

static struct twin_map *inside_end(struct twin *t, uint32_t addr, int port, int kind)
{
	return live(t, &(struct twin_map){ .inside = addr, .iport = (uint16_t)port, .kind = kind }, true);
}

static struct twin_map *outside_end(struct twin *t, uint32_t addr, int port, int kind)
{
	return live(t, &(struct twin_map){ .outside = addr, .oport = (uint16_t)port, .kind = kind }, false);
}

static bool can_be(struct twin *t, int dom, int kind, uint16_t port)
{
	return port && t->owner[twin_shared(t, t->nat[dom])][kind][port] == dom && !outside_end(t, t->nat[dom], port, kind);
}

/* A private end has one public end, which is no other's: what had either before is over for good. */
static void give_up(struct twin *t, int kind, uint32_t addr, int port, bool inside)
{
	for (unsigned int i = 0; i < t->maps; i++) {
		struct twin_map *m = &t->map[i];

		if (m->kind == kind && (inside ? m->inside == addr && m->iport == port : m->outside == addr && m->oport == port))
			m->until = 0;
	}
}

static struct twin_map *make(struct twin *t, int dom, const struct facts *f)
{
	uint16_t port = (uint16_t)f->sport;
	struct twin_map *m = NULL;

	if (!can_be(t, dom, f->kind, port)) {
		bool any = false;

		for (unsigned int p = 1; p < 65536 && !any; p++)
			any = can_be(t, dom, f->kind, (uint16_t)p);
		port = t->choose(f->src, port, f->kind);
		if (!any || !can_be(t, dom, f->kind, port))
			return NULL;
	}
	give_up(t, f->kind, t->nat[dom], port, false);
	for (unsigned int i = 0; i < t->maps && !m; i++)
		if (t->map[i].until <= t->now)
			m = &t->map[i];
	if (!m)
		m = &t->map[t->maps++];
	t->maps_made++;
	*m = (struct twin_map){ .inside = f->src, .outside = t->nat[dom], .iport = (uint16_t)f->sport, .oport = port, .kind = f->kind,
				.dom = dom };
	return m;
}

static void keep_alive_tcp(struct twin *t, struct twin_map *m, const struct facts *f, bool outbound)
{
	bool fin = f->tcp_flags & 1, syn = f->tcp_flags & 2, rst = f->tcp_flags & 4, ack = f->tcp_flags & 16;
	uint32_t with = outbound ? f->dst : f->src;
	uint16_t port = (uint16_t)(outbound ? f->dport : f->sport);
	bool ended = m->reset || (m->fin_in && m->fin_out);

	if (m->with != with || m->with_port != port) {
		/* Others do not count, but when they are from inside. */
		if (!outbound || rst)
			return;
		if (m->open && !ended) {
			m->until = t->now + 74400;
			return;
		}
		m->with = with;
		m->with_port = port;
		m->reset = m->fin_in = m->fin_out = ended = false;
		m->answered = m->open = !syn;
	}
	if (rst) {
		m->reset = true;
		m->until = m->until < t->now + 2400 ? m->until : t->now + 2400;
		return;
	}
	if (syn && !ack && ended)
		m->answered = m->open = m->reset = m->fin_in = m->fin_out = false;
	if (syn && !outbound)
		m->answered = true;
	if (!syn && fin)
		*(outbound ? &m->fin_out : &m->fin_in) = true;
	if (!syn && !fin && outbound && m->open)
		m->reset = false;
	if (!syn && outbound && m->answered)
		m->open = true;
	m->until = t->now + (m->open && !m->reset && !(m->fin_in && m->fin_out) ? 74400 : 2400);
}

static void keep_alive(struct twin *t, struct twin_map *m, const struct facts *f, bool outbound)
{
	if (m->kind == 0)
		keep_alive_tcp(t, m, f, outbound);
	else if (outbound)
		m->until = t->now + (m->kind == 2 ? 600 : 3000);
}

/* --- rewriting -------------------------------------------------------------------------------------------------------- */

/* A checksum, after words that it covers have gone from the sum `was` to the sum `is`. */
static void mend_sum(uint8_t *at, uint32_t was, uint32_t is, bool udp)
{
	uint32_t s = 65535 - u16(at) + 65535 * 8 - was + is, rest = s % 65535;

	if (udp && u16(at) == 0)
		return;
	put16(at, rest == 0 ? 0 : 65535 - rest);
	if (udp && rest == 0)
		put16(at, 65535);
}

/* One that is still to be finished: it covers the pseudo header's addresses only, and is not turned over yet. */
static void mend_partial(uint8_t *at, uint32_t was, uint32_t is)
{
	uint32_t rest = (u16(at) + 65535 * 8 - was + is) % 65535;

	put16(at, rest == 0 ? 65535 : rest);
}

static uint32_t words(const uint8_t *p, unsigned int n)
{
	return n == 1 ? u16(p) : u16(p) + u16(p + 2);
}

void twin_address(uint8_t *ip, bool source, uint32_t addr)
{
	put32(ip + (source ? 12 : 16), addr);
	twin_mend(ip);
}

/* One end of the packet becomes another. port -1: it has none. */
static void change_end(struct facts *f, bool source, uint32_t addr, int port)
{
	uint8_t *a = f->ip + (source ? 12 : 16), *p = f->l4 + (f->kind == 2 ? 4 : source ? 0 : 2);
	uint32_t was = words(a, 2), port_was = u16(p);

	twin_address(f->ip, source, addr);
	if (port >= 0)
		put16(p, (unsigned int)port);
	if (f->partial)
		mend_partial(f->l4 + (f->kind == 0 ? 16 : 6), was, words(a, 2));
	else if (f->kind == 0)
		mend_sum(f->l4 + 16, was + port_was, words(a, 2) + u16(p), false);
	else if (f->kind == 1)
		mend_sum(f->l4 + 6, was + port_was, words(a, 2) + u16(p), true);
	if (f->kind == 2 && port >= 0)
		mend_sum(f->l4 + 2, port_was, u16(p), false);
	*(source ? &f->src : &f->dst) = addr;
	put32(source ? f->a : f->b, addr);
	if (port >= 0 && (source || f->kind == 2))
		f->sport = port;
	if (port >= 0 && (!source || f->kind == 2))
		f->dport = port;
}

/* The same inside the packet that an error quotes, of which not all may be there. */
static void change_quote(struct facts *f, bool source, uint32_t addr, int port)
{
	uint8_t *a = f->q_ip + (source ? 12 : 16), *p = f->q_l4 + (f->q_kind == 2 ? 4 : source ? 0 : 2);
	uint8_t *sum = f->q_l4 + (f->q_kind == 0 ? 16 : f->q_kind == 1 ? 6 : 2);
	bool there = sum + 2 <= f->l4 + f->room && f->q_kind != 3;
	uint32_t addr_was = words(a, 2), port_was = u16(p), sum_was = there ? u16(sum) : 0, head_was = u16(f->q_ip + 10);

	put32(a, addr);
	put16(p, (unsigned int)port);
	mend_sum(f->q_ip + 10, addr_was, words(a, 2), false);
	if (there && f->q_kind == 2)
		mend_sum(sum, port_was, u16(p), false);
	else if (there)
		mend_sum(sum, addr_was + port_was, words(a, 2) + u16(p), f->q_kind == 1);
	mend_sum(f->l4 + 2, addr_was + port_was + sum_was + head_was, words(a, 2) + u16(p) + (there ? u16(sum) : 0) + u16(f->q_ip + 10),
		false);
	memcpy(f->q_a, f->q_ip + 12, 4);
	memcpy(f->q_b, f->q_ip + 16, 4);
	*(source ? &f->q_src : &f->q_dst) = addr;
	if (source || f->q_kind == 2)
		f->q_sport = port;
	if (!source || f->q_kind == 2)
		f->q_dport = port;
}

/* --- on the way ------------------------------------------------------------------------------------------------------- */

const char *twin_nat_out(struct twin *t, int in, struct facts *f, struct path *w)
{
	bool internal = false;

	if (!twin_whole_owner(t, f->src, &internal) || !internal)
		return NULL;
	/* A private address reaches private addresses, the router, and its echo, as it is. */
	if (twin_is_self(t, f->dst) || (twin_whole_owner(t, f->dst, &internal) && internal) ||
		(f->echo_request && twin_shared(t, f->dst) >= 0))
		return NULL;
	if (!t->nat[in] || f->kind < 0)
		return "nat-unsuited";
	if (f->icmp_error) {
		if (f->q_proto < 0 || f->q_dst != f->src || f->q_dport < 0)
			return "icmp-quote";
		struct twin_map *m = inside_end(t, f->q_dst, f->q_dport, f->q_kind);
		if (!m)
			return "nat-unmapped";
		change_quote(f, false, m->outside, m->oport);
		change_end(f, true, m->outside, -1);
		return NULL;
	}
	if (f->sport < 0 || f->echo_reply || f->kind == 3)
		return "nat-unsuited";
	struct twin_map *m = inside_end(t, f->src, f->sport, f->kind);
	if (!m) {
		give_up(t, f->kind, f->src, f->sport, true);
		m = make(t, in, f);
	}
	if (!m)
		return "nat-full";
	keep_alive(t, m, f, true);
	w->new_src = m->outside;
	change_end(f, true, m->outside, m->oport);
	return NULL;
}

const char *twin_nat_in(struct twin *t, struct facts *f, struct path *w)
{
	if (f->family != 4 || !w->to || !t->nat[w->to] || f->dst != t->nat[w->to])
		return NULL;
	if (f->icmp_error) {
		if (f->q_proto < 0 || f->q_sport < 0)
			return "icmp-quote";
		struct twin_map *m = outside_end(t, f->q_src, f->q_sport, f->q_kind);
		if (!m || m->dom != w->to)
			return "nat-unmapped";
		change_quote(f, true, m->inside, m->iport);
		change_end(f, false, m->inside, -1);
		w->new_dst = m->inside;
		return NULL;
	}
	if (f->kind < 0 || f->sport < 0)
		return "nat-unsuited";
	struct twin_map *m = outside_end(t, f->dst, f->dport, f->kind);
	if (!m)
		return "nat-unmapped";
	keep_alive(t, m, f, false);
	w->new_dst = m->inside;
	change_end(f, false, m->inside, m->iport);
	return NULL;
}
