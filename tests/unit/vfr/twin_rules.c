/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin's rules, and its list of connections. */
#include "twin_priv.h"

/* --- connections ------------------------------------------------------------------------------------------------------ */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static bool ends_at(const struct twin_end *e, const uint8_t *addr, int port)
{
	return e->port == port && !memcmp(e->addr, addr, 16);
}

static uint64_t patience(const struct twin_flow *c)
{
	if (c->proto == 1 || c->proto == 58)
		return 600;
	if (c->proto != 6)
		return c->both_ways ? 3000 : 1200;
	return c->open && !c->reset && !(c->fin_from && c->fin_to) ? 74400 : 2400;
}

static struct twin_flow *known(struct twin *t, int family, int proto, const uint8_t *a, int aport, const uint8_t *b, int bport)
{
	for (unsigned int i = 0; i < t->flows; i++) {
		struct twin_flow *c = &t->flow[i];

		if (c->proto != proto || c->family != family || t->now - c->last >= patience(c))
			continue;
		if ((ends_at(&c->from, a, aport) && ends_at(&c->to, b, bport)) ||
			(ends_at(&c->from, b, bport) && ends_at(&c->to, a, aport)))
			return c;
	}
	return NULL;
}

static void start_anew(struct twin_flow *c)
{
	c->answered = c->answered_back = c->crossed = c->open = c->reset = c->fin_from = c->fin_to = c->both_ways = false;
}

/* => false: this segment cannot be. */
static bool tcp_follows(struct twin_flow *c, bool from_opener, int flags)
{
	bool over = c->reset || (c->fin_from && c->fin_to), closing = c->fin_from || c->fin_to || c->reset;

	if (flags & RST) {
		c->reset = true;
		return true;
	}
	if ((flags & SYN) && (flags & ACK)) {
		/* Who was called answers, both if both called; and not once there is an end in sight. */
		if (closing || (from_opener && !c->crossed && !c->open))
			return false;
		*(from_opener ? &c->answered_back : &c->answered) = true;
		c->open |= c->answered && c->answered_back;
		return true;
	}
	if (flags & SYN) {
		if (over && from_opener) {
			start_anew(c);
			return true;
		}
		/* Both may call at once; the opener may call again as long as nobody hangs up. */
		c->crossed |= !from_opener && !c->answered && !closing;
		return from_opener ? !closing : !c->answered && !closing && !c->open;
	}
	if (c->reset) {
		/* Whoever goes on talking did not believe the reset of a connection that stood. */
		if (!(flags & FIN) && c->open && !(c->fin_from && c->fin_to))
			c->reset = c->fin_from = c->fin_to = false;
		return true;
	}
	if (!c->answered && !c->answered_back)
		return false;
	if (flags & FIN) {
		*(from_opener ? &c->fin_from : &c->fin_to) = true;
		c->open = true;
	} else if (from_opener ? c->answered : c->answered_back) {
		c->open = true;
	}
	return true;
}

static bool follows(struct twin *t, struct twin_flow *c, const struct facts *f)
{
	bool from_opener = ends_at(&c->from, f->a, f->sport) && ends_at(&c->to, f->b, f->dport);

	if (f->proto == 6) {
		if (!tcp_follows(c, from_opener, f->tcp_flags))
			return false;
	} else if (!from_opener) {
		c->both_ways = true;
	}
	c->last = t->now;
	return true;
}

static const char *open_flow(struct twin *t, const struct facts *f, int dom)
{
	struct twin_flow *c = known(t, f->family, f->proto, f->a, f->sport, f->b, f->dport);

	if (c) {
		if (c->dom[0] != dom)
			c->dom[1] = dom;
		return NULL;
	}
	/* What is over makes room. */
	for (unsigned int i = 0; i < t->flows && !c; i++)
		if (t->now - t->flow[i].last >= patience(&t->flow[i]))
			c = &t->flow[i];
	if (!c)
		c = &t->flow[t->flows++];
	t->flows_made++;
	memset(c, 0, sizeof(*c));
	c->family = (uint8_t)f->family;
	c->proto = (uint8_t)f->proto;
	memcpy(c->from.addr, f->a, 16);
	memcpy(c->to.addr, f->b, 16);
	c->from.port = (uint16_t)f->sport;
	c->to.port = (uint16_t)f->dport;
	c->dom[0] = dom;
	c->last = t->now;
	return NULL;
}

/* --- rules ------------------------------------------------------------------------------------------------------------ */

static bool within(const uint8_t *addr, const uint8_t *net, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((addr[i / 8] ^ net[i / 8]) & (128 >> i % 8))
			return false;
	return true;
}

static bool rule_has(const struct twin_rule *r, const struct facts *f, int standing)
{
	bool has_ports = f->proto == 6 || f->proto == 17 || f->proto == 132, any = r->dport_first == 0 && r->dport_last == 65535;
	int port = has_ports && f->dport >= 0 ? f->dport : 0;

	if (r->family && r->family != f->family)
		return false;
	if (r->proto && r->proto != f->proto)
		return false;
	if (!within(f->a, r->src, r->src_bits) || !within(f->b, r->dst, r->dst_bits))
		return false;
	if (r->tcp_mask && (f->tcp_flags & r->tcp_mask) != r->tcp_value)
		return false;
	if (r->icmp_type >= 0 && r->icmp_type != f->type)
		return false;
	if (r->state && !(r->state & standing))
		return false;
	if (f->sport < 0 && !any)
		return false;
	return port >= r->dport_first && port <= r->dport_last;
}

const char *twin_new_flow(struct twin *t, int d)
{
	if (!t->flows_rate[d] || twin_take(&t->opened[d], t->now, t->flows_rate[d], t->flows_burst[d]))
		return NULL;
	return "flow-limit";
}

static const char *obey(struct twin *t, const struct twin_rule *r, const struct facts *f, int from, int dom, int standing)
{
	const char *no;

	if (r->reject)
		return "rule-reject";
	if (r->drop)
		return "rule";
	if (!r->keep)
		return NULL;
	if (standing == TWIN_STRAY)
		return "conn-state";
	if (f->sport < 0)
		return NULL;
	/* TCP's have been counted by their SYN; of others, only this tells that they are new. */
	no = standing == TWIN_NEW && f->proto != 6 && dom == from ? twin_new_flow(t, from) : NULL;
	return no ? no : open_flow(t, f, dom);
}

static const char *ask(struct twin *t, const struct facts *f, int from, int dom, bool in, int standing)
{
	const int lists[2] = { 0, dom };

	for (int l = 0; l < 2; l++)
		for (unsigned int i = 0; i < t->rules[lists[l]]; i++) {
			struct twin_rule *r = &t->rule[lists[l]][i];

			if (r->in != in || !rule_has(r, f, standing))
				continue;
			if (r->rate && !twin_take(&r->bucket, t->now, r->rate, r->burst))
				continue;
			r->packets++;
			r->bytes += f->frame_len;
			if (r->count)
				continue;
			const char *no = obey(t, r, f, from, dom, standing);
			if (no)
				return no;
			break;
		}
	return NULL;
}

static bool connections_matter(const struct twin *t)
{
	for (int d = 0; d < TWIN_DOMS; d++)
		for (unsigned int i = 0; i < t->rules[d]; i++)
			if (t->rule[d][i].keep || t->rule[d][i].state)
				return true;
	return false;
}

const char *twin_rules(struct twin *t, const struct facts *f, int from, int to)
{
	bool accepted_from = false, accepted_to = false;
	int standing = TWIN_STRAY;
	const char *no = NULL;

	if (!t->rules[0] && (!from || !t->rules[from]) && (!to || !t->rules[to]))
		return NULL;
	if (connections_matter(t) && (f->sport >= 0 || f->icmp_error)) {
		struct twin_flow *c = NULL;

		if (!f->icmp_error)
			c = known(t, f->family, f->proto, f->a, f->sport, f->b, f->dport);
		else if (f->q_proto >= 0)
			c = known(t, f->family, f->q_proto, f->q_a, f->q_sport < 0 ? 0 : f->q_sport, f->q_b,
				f->q_dport < 0 ? 0 : f->q_dport);
		if (c) {
			standing = f->icmp_error ? TWIN_RELATED : TWIN_KNOWN;
			accepted_from = c->dom[0] == from || c->dom[1] == from;
			accepted_to = c->dom[0] == to || c->dom[1] == to;
			if (!f->icmp_error && !follows(t, c, f))
				return "conn-state";
		} else if (!f->icmp_error && (f->proto != 6 || (f->tcp_flags & (SYN | ACK)) == SYN)) {
			standing = TWIN_NEW;
		}
	}
	if (from && !accepted_from)
		no = ask(t, f, from, from, false, standing);
	if (!no && to && !accepted_to)
		no = ask(t, f, from, to, true, standing);
	return no;
}
