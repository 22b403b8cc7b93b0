/* SPDX-License-Identifier: BSD-2-Clause */
/* The world changes while packets are under way: see twin_gen.h. The twin says what each change must come to. */
#include <stdio.h>
#include <stdlib.h>

#include "twin_gen.h"

static struct vfr_portset as_portset(const struct twin_set *set)
{
	return (struct vfr_portset){ .kind = set->map ? VFR_PS_MAP : VFR_PS_RANGE, .offset = (uint8_t)set->a, .psid_len = (uint8_t)set->k,
				     .first = (uint16_t)set->first, .last = (uint16_t)set->last, .psid = (uint16_t)set->psid };
}

bool twin_agreed(const char *what, bool says, int r0, int r1)
{
	if (r0 == r1 && (r0 == 0) == says)
		return true;
	printf("%s: %d and %d, the twin %s it\n", what, r0, r1, says ? "allows" : "refuses");
	return false;
}

bool twin_alter_claim(struct alter *w, int s, unsigned int kinds, const struct twin_set *set, int d)
{
	struct vfr_portset ps = as_portset(set);
	struct vfr_conflict x[2];
	int r[2];

	for (int i = 0; i < 2; i++)
		r[i] = vfr_slice_claim(w->v[i], w->now, w->t->shared[s], kinds, &ps, (uint16_t)d, &x[i]);
	/* Who is said to be in the way is. */
	if (r[0] == -EEXIST && !x[0].held_down && w->t->owner[s][__builtin_ctz(x[0].proto)][x[0].port] != x[0].domid) {
		printf("domain %u is said to be in the way at port %u\n", x[0].domid, x[0].port);
		return false;
	}
	return twin_agreed("claim", twin_claim(w->t, s, kinds, set, d), r[0], r[1]);
}

static int some_dom(const struct alter *w)
{
	int d = 1 + (int)rnd(TWIN_DOMS - 1);

	return w->t->gone[d] ? 0 : d;
}

static void some_set(struct twin_set *set)
{
	*set = (struct twin_set){ .map = rnd(3) == 0, .a = rnd(7), .k = rnd(8), .first = rnd(6000), .last = 6000 + rnd(20) };
	set->last = rnd(2) ? set->first + rnd(500) : set->last;
	set->psid = rnd(1u << set->k);
}

/* What was given up last. */
static struct {
	int s;
	unsigned int kinds;
	struct twin_set set;
} left_over;

static bool claim(struct alter *w, int d)
{
	struct twin_set set;

	if (left_over.kinds && rnd(4))
		return twin_alter_claim(w, left_over.s, left_over.kinds, &left_over.set, d);
	some_set(&set);
	return twin_alter_claim(w, (int)rnd(2), 1 + rnd(15), &set, d);
}

/* Mostly a part of what the domain has. */
static void some_of_its_own(const struct twin *t, int d, int *s, unsigned int *kinds, struct twin_set *set)
{
	int k = (int)rnd(4);

	some_set(set);
	*s = (int)rnd(2);
	*kinds = 1 + rnd(15);
	/* One that its private address leaves by matters most. */
	for (unsigned int i = 0; i < t->maps && rnd(3); i++) {
		const struct twin_map *m = &t->map[t->maps - 1 - i];

		if (m->dom != d || m->until <= t->now)
			continue;
		*set = (struct twin_set){ .first = m->oport, .last = m->oport };
		*s = m->outside == t->shared[1];
		*kinds = 1u << m->kind;
		return;
	}
	for (unsigned int i = 0; i < 400 && rnd(50); i++) {
		unsigned int port = 1 + rnd(7000);

		if (t->owner[*s][k][port] != d)
			continue;
		*set = (struct twin_set){ .first = port, .last = port };
		while (t->owner[*s][k][set->last + 1] == d && rnd(40))
			set->last++;
		*kinds = 1u << k;
		return;
	}
}

static bool give_up(struct alter *w, int d)
{
	struct vfr_portset ps;
	int r[2];

	some_of_its_own(w->t, d, &left_over.s, &left_over.kinds, &left_over.set);
	ps = as_portset(&left_over.set);
	for (int i = 0; i < 2; i++)
		r[i] = vfr_slice_free(w->v[i], w->now, w->t->shared[left_over.s], left_over.kinds, &ps, (uint16_t)d);
	return twin_agreed("free", twin_give_up(w->t, left_over.s, left_over.kinds, &left_over.set, d), r[0], r[1]);
}

/* Ports are given up; the time of their hold-down passes, nearly or quite; somebody wants them. */
bool twin_alter_held(struct alter *w, bool before)
{
	int d = some_dom(w);

	w->a->backs = w->a->mades = 0;
	return !d || (before ? give_up(w, d) : !left_over.kinds || claim(w, d));
}

/* The operator's word that they may have another owner at once. */
static bool settle(struct alter *w, int d)
{
	struct vfr_portset ps = as_portset(&left_over.set);

	if (!left_over.kinds)
		return true;
	for (int i = 0; i < 2; i++)
		vfr_slice_settle(w->v[i], w->t->shared[left_over.s], left_over.kinds, &ps);
	twin_settle(w->t, left_over.s, left_over.kinds, &left_over.set);
	return claim(w, d);
}

static bool own_protocol(struct alter *w, int d)
{
	uint8_t *is = &w->t->other[rnd(2)][47];
	uint32_t addr = w->t->shared[is != &w->t->other[0][47]];
	bool give = *is == d, says = give || !*is;
	int r[2];

	for (int i = 0; i < 2; i++)
		r[i] = give ? vfr_proto_free(w->v[i], addr, 47, (uint16_t)d) : vfr_proto_claim(w->v[i], addr, 47, (uint16_t)d, NULL);
	if (says)
		*is = give ? 0 : (uint8_t)d;
	return twin_agreed("protocol", says, r[0], r[1]);
}

/* --- addresses -------------------------------------------------------------------------------------------------------- */

static bool nobodys(const struct twin *t, uint32_t a)
{
	for (int d = 1; d < TWIN_DOMS; d++)
		if (t->dedicated[d] == a || t->internal[d] == a)
			return false;
	return true;
}

/* It has one, which goes; or none, and wants one of a few. */
static bool whole(struct alter *w, int d, uint32_t *its, uint32_t first, int (*add)(struct vfr *, uint32_t, uint16_t, uint16_t *))
{
	bool leave = *its != 0;
	uint32_t a = leave ? *its : first + 1 + rnd(TWIN_DOMS - 1);
	bool says = leave || nobodys(w->t, a);
	int r[2];

	for (int i = 0; i < 2; i++)
		r[i] = leave ? vfr_addr_del(w->v[i], a) : add(w->v[i], a, (uint16_t)d, NULL);
	if (says)
		*its = leave ? 0 : a;
	return twin_agreed("address", says, r[0], r[1]);
}

bool twin_alter_dedicated(struct alter *w, int d)
{
	return whole(w, d, &w->t->dedicated[d], 0xcb007110, vfr_dedicated_add);
}

bool twin_alter_internal(struct alter *w, int d)
{
	return whole(w, d, &w->t->internal[d], 0x0a000010, vfr_internal_add);
}

/* One guest takes over from another: private address, a range of ports. */
static bool take_over(struct alter *w, int d)
{
	int from = some_dom(w);

	if (!from || from == d || !w->t->internal[from])
		return true;
	uint32_t a = w->t->internal[from];
	for (int i = 0; i < 2; i++) {
		vfr_addr_del(w->v[i], a);
		if (w->t->internal[d])
			vfr_addr_del(w->v[i], w->t->internal[d]);
		vfr_internal_add(w->v[i], a, (uint16_t)d, NULL);
	}
	w->t->internal[from] = 0;
	w->t->internal[d] = a;
	return give_up(w, from) && settle(w, d);
}

/* A prefix and an address within it are one domain's, or they are refused. */
static bool may_have6(const struct twin *t, int d, const uint8_t *a, bool host)
{
	for (int o = 1; o < TWIN_DOMS; o++) {
		if (o == d)
			continue;
		if (t->net6[o][0] && !memcmp(t->net6[o], a, 8))
			return false;
		if (t->host6[o][0] && !memcmp(t->host6[o], a, host ? 16 : 8))
			return false;
	}
	return true;
}

bool twin_alter_prefix(struct alter *w, int d)
{
	bool host = rnd(2), leave;
	uint8_t *its = host ? w->t->host6[d] : w->t->net6[d], plen = host ? 128 : 64, a[16] = { 0x20, 1, 0x0d, 0xb8 };
	int r[2];

	a[5] = (uint8_t)(1 + rnd(TWIN_DOMS - 1));
	a[15] = host ? (uint8_t)d : 0;
	leave = its[0] != 0;
	bool says = leave || may_have6(w->t, d, a, host);
	for (int i = 0; i < 2; i++)
		r[i] = leave ? vfr_prefix6_del(w->v[i], its, plen) : vfr_prefix6_add(w->v[i], a, plen, (uint16_t)d, NULL);
	if (says && leave)
		its[0] = 0;
	else if (says)
		memcpy(its, a, 16);
	return twin_agreed("prefix", says, r[0], r[1]);
}

/* --- the rest --------------------------------------------------------------------------------------------------------- */

static bool rules(struct alter *w, int d)
{
	twin_some_rules(w->t, w->v, rnd(3) ? d : 0);
	return true;
}

static bool policy(struct alter *w, int d)
{
	twin_some_policy(w->t, w->v, d);
	return true;
}

/* It leaves by another address, or is translated no more. */
static bool nat(struct alter *w, int d)
{
	struct vfr_domain_cfg cfg;

	w->t->nat[d] = rnd(4) ? w->t->shared[w->t->nat[d] == w->t->shared[0]] : 0;
	vfr_domain_get(w->v[0], (uint16_t)d, &cfg);
	cfg.nat_addr = w->t->nat[d];
	for (int i = 0; i < 2; i++)
		vfr_domain_set(w->v[i], (uint16_t)d, &cfg);
	return true;
}

static bool mtu(struct alter *w, int d)
{
	d = rnd(3) ? d : 0;
	if (!w->t->attached[d])
		return true;
	w->t->mtu[d] = rnd(2) ? 1500 : (uint16_t)(576 + rnd(800));
	for (int i = 0; i < 2; i++)
		vfr_port_mtu_set(w->v[i], (uint16_t)d, w->t->mtu[d]);
	return true;
}

static bool plug(struct alter *w, int d)
{
	if (!w->t->attached[d]) {
		twin_attach(w->t, w->v, d);
		return true;
	}
	for (int i = 0; i < 2; i++)
		vfr_port_detach(w->v[i], (uint16_t)d, w->now);
	twin_detach(w->t, d, w->a);
	return true;
}

/* A next hop that was asked for is told now, or the other way round. */
static bool neighbours(struct alter *w, int d)
{
	static const uint8_t told[6] = { 2, 9, 0, 0, 7 };
	bool six = rnd(2), know = rnd(2), there;
	uint8_t a[16] = { 0 };

	if (six)
		memcpy(a, w->t->next6, 16);
	else
		env_put32(a, w->t->next4);
	there = twin_knows_neighbour(w->t, six ? 6 : 4, a);
	for (int i = 0; i < 2; i++)
		vfr_neigh_static(w->v[i], 0, six ? 0 : w->t->next4, six ? a : NULL, know ? told : NULL);
	if (know)
		twin_fix_neighbour(w->t, six ? 6 : 4, a, told, w->a);
	else if (there)
		twin_forget_neighbour(w->t, six ? 6 : 4, a, w->a);
	return true;
}

static bool routes(struct alter *w, int d)
{
	static const uint8_t none[16];

	w->t->link4 = w->t->link4 ? 0 : twin_outside[0] & 0xffffff00;
	w->t->next4 ^= rnd(2);
	for (int i = 0; i < 2; i++) {
		vfr_route_add(w->v[i], 0, 0, 0, w->t->next4, 0);
		if (w->t->link4)
			vfr_route_add(w->v[i], w->t->link4, 24, 0, 0, 0);
		else
			vfr_route_del(w->v[i], twin_outside[0] & 0xffffff00, 24);
	}
	if (rnd(2))
		return true;
	for (int i = 0; i < 2; i++)
		if (w->t->link6[0])
			vfr_route6_del(w->v[i], w->t->link6, 64);
		else
			vfr_route6_add(w->v[i], twin_outside6[0], 64, 0, none);
	memcpy(w->t->link6, w->t->link6[0] ? none : twin_outside6[0], 8);
	return true;
}

static bool self(struct alter *w, int d)
{
	for (int i = 0; i < 2; i++)
		if (w->t->self)
			vfr_addr_del(w->v[i], w->t->self);
		else
			vfr_self_add(w->v[i], 0x0a000001);
	w->t->self = w->t->self ? 0 : 0x0a000001;
	return true;
}

static bool leave(struct alter *w, int d)
{
	for (int i = 0; i < 2; i++)
		vfr_domain_del(w->v[i], (uint16_t)d, w->now);
	twin_remove(w->t, d, w->a);
	return true;
}

bool twin_alter(struct alter *w)
{
	static bool (*const changes[])(struct alter *w, int d) = {
		claim, claim, give_up, give_up, settle, own_protocol, twin_alter_dedicated, twin_alter_internal, take_over,
		take_over, twin_alter_prefix, rules, rules, policy, nat, nat, nat, mtu, plug, neighbours, routes, self, leave,
	};
	int d = 1 + (int)rnd(TWIN_DOMS - 1);

	w->a->backs = w->a->mades = 0;
	/* Who has left comes back, and is somebody new. */
	if (w->t->gone[d])
		return twin_some_domain(w, d);
	return changes[rnd(sizeof(changes) / sizeof(changes[0]))](w, d);
}
