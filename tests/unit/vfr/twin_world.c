/* SPDX-License-Identifier: BSD-2-Clause */
/* Random configurations for the twin and the router: see twin_gen.h. */
#include <stdlib.h>

#include "twin_gen.h"

const uint32_t twin_outside[8] = {
	0xc0000209, 0xc000020a, 0x08080808, 0xe0000005, 0x7f000001, 0xffffffff, 0, 0xa9fea9fe,
};
const uint8_t twin_outside6[3][16] = { { 0x20, 1, 0x0d, 0xb9, [15] = 1 }, { 0x20, 1, 0x0d, 0xb9, [15] = 2 }, { 0x24, [15] = 0x35 } };

static void random_prefix(const struct twin *t, int family, uint8_t *addr, unsigned int *bits)
{
	*bits = rnd(4) ? 0 : rnd(family == 4 ? 33 : 129);
	if (family == 6)
		memcpy(addr, rnd(2) ? twin_outside6[rnd(3)] : t->net6[1 + rnd(TWIN_DOMS - 1)], 16);
	else
		env_put32(addr, rnd(2) ? twin_outside[rnd(3)] : t->shared[0]);
}

static void random_rule(struct twin_rule *r, struct vfr_rule *v, const struct twin *t)
{
	memset(r, 0, sizeof(*r));
	r->family = (uint8_t[]){ 0, 4, 4, 6 }[rnd(4)];
	r->in = rnd(2);
	r->proto = (uint8_t[]){ 0, 6, 17, 1, 132, 47, 58, 6 }[rnd(8)];
	switch (rnd(8)) {
	case 0:
	case 1:
		r->drop = true;
		break;
	case 2:
		r->reject = true;
		break;
	case 3:
	case 4:
	case 5:
		r->keep = true;
		break;
	case 6:
		r->count = true;
		break;
	default:
		break;
	}
	if (rnd(6) == 0) {
		r->rate = 1 + rnd(4);
		r->burst = rnd(30);
	}
	r->state = rnd(3) ? 0 : (uint8_t)(1 + rnd(15));
	r->icmp_type = -1;
	r->dport_last = 65535;
	if (r->family) {
		random_prefix(t, r->family, r->src, &r->src_bits);
		random_prefix(t, r->family, r->dst, &r->dst_bits);
	}
	if (r->proto == 6 && rnd(3) == 0) {
		r->tcp_mask = (uint8_t)rnd(64);
		r->tcp_value = (uint8_t)rnd(64) & r->tcp_mask;
	}
	if ((r->proto == 1 || r->proto == 58) && rnd(3) == 0)
		r->icmp_type = (int)(uint8_t[]){ 0, 3, 8, 11, 128, 129, 1, 2 }[rnd(8)];
	if ((r->proto == 6 || r->proto == 17 || r->proto == 132 || !r->proto) && rnd(2)) {
		r->dport_first = (uint16_t)rnd(6000);
		r->dport_last = (uint16_t)(r->dport_first + rnd(3000));
	}
	*v = (struct vfr_rule){ .dir = r->in ? VFR_IN : VFR_OUT, .family = r->family, .proto = r->proto, .state = r->state,
				.action = r->drop ? VFR_ACT_DROP : r->reject ? VFR_ACT_REJECT : VFR_ACT_ACCEPT,
				.flags = (uint8_t)((r->keep ? VFR_RULE_STATE : 0) | (r->count ? VFR_RULE_COUNT : 0) |
						   (r->rate ? VFR_RULE_LIMIT : 0)),
				.rate = r->rate, .burst = r->burst, .icmp_type = (int16_t)r->icmp_type, .icmp_code = -1,
				.tcp_mask = r->tcp_mask, .tcp_value = r->tcp_value, .src_plen = (uint8_t)r->src_bits,
				.dst_plen = (uint8_t)r->dst_bits, .sport_last = 65535, .dport_first = r->dport_first,
				.dport_last = r->dport_last };
	memcpy(v->src, r->src, 16);
	memcpy(v->dst, r->dst, 16);
}

void twin_some_rules(struct twin *t, struct vfr *v[2], int d)
{
	struct vfr_rule rules[TWIN_RULES];

	t->rules[d] = rnd(2) ? 0 : rnd(TWIN_RULES);
	for (unsigned int i = 0; i < t->rules[d]; i++)
		random_rule(&t->rule[d][i], &rules[i], t);
	for (int i = 0; i < 2; i++)
		if (vfr_rules_set(v[i], d ? (uint16_t)d : VFR_GLOBAL, rules, t->rules[d], NULL))
			abort();
}

static bool random_slices(struct alter *w, int d)
{
	const struct twin *t = w->t;
	bool ok = true;

	for (unsigned int n = t->nat[d] ? 1 + rnd(3) : rnd(4); n && ok; n--) {
		struct twin_set set = { .map = rnd(3) == 0, .a = rnd(7), .k = rnd(8), .first = rnd(6000), .last = 6000 + rnd(20) };

		int s = t->nat[d] && rnd(3) ? t->nat[d] == t->shared[1] : (int)rnd(2);
		unsigned int kinds = 1 + rnd(15);

		set.last = rnd(2) ? set.first + rnd(rnd(3) ? 500 : 4) : set.last;
		set.psid = rnd(1u << set.k);
		ok = twin_alter_claim(w, s, kinds, &set, d);
		/* The same ports of the other address, so that it matters which address they are of. */
		if (ok && rnd(2))
			ok = twin_alter_claim(w, 1 - s, kinds, &set, d);
	}
	return ok;
}

/* What the domain may do. */
void twin_some_policy(struct twin *t, struct vfr *v[2], int d)
{
	struct vfr_domain_cfg cfg = { .max_frags = TWIN_OF_ONE, .max_conns = 8000 };

	t->nat[d] = rnd(4) ? t->shared[rnd(2)] : 0;
	t->own_ids[d] = rnd(2);
	t->denied[d][0].proto = rnd(4) ? 6 : 0;
	t->denied[d][0].first = t->denied[d][0].last = 25;
	t->denied[d][1].proto = rnd(2) ? 17 : 132;
	t->denied[d][1].first = (int)rnd(6000);
	t->denied[d][1].last = t->denied[d][1].first + (int)rnd(200);
	t->flows_rate[d] = rnd(3) ? 0 : 1 + rnd(3);
	t->flows_burst[d] = rnd(40);
	cfg.nat_addr = t->nat[d];
	cfg.ipid_block = t->own_ids[d];
	cfg.new_flows_per_s = t->flows_rate[d];
	cfg.new_flows_burst = t->flows_burst[d];
	for (int i = 0; i < TWIN_DENIALS; i++)
		if (t->denied[d][i].proto)
			cfg.egress_deny[cfg.egress_denies++] = (struct vfr_egress_deny){ .proto = (uint8_t)t->denied[d][i].proto,
				.first = (uint16_t)t->denied[d][i].first, .last = (uint16_t)t->denied[d][i].last };
	for (int i = 0; i < 2; i++)
		vfr_domain_set(v[i], (uint16_t)d, &cfg);
}

void twin_attach(struct twin *t, struct vfr *v[2], int d)
{
	struct vfr_port_cfg cfg = { .kind = d ? VFR_PORT_GUEST : VFR_PORT_UPLINK, .mac = { 2, 1, (uint8_t)d }, .domid = (uint16_t)d };

	t->attached[d] = true;
	t->mtu[d] = cfg.mtu = rnd(2) ? 1500 : (uint16_t)(576 + rnd(800));
	memcpy(t->mac[d], cfg.mac, 6);
	for (int i = 0; i < 2; i++)
		vfr_port_attach(v[i], (uint16_t)d, &cfg);
}

bool twin_some_domain(struct alter *w, int d)
{
	bool ok = true;

	w->t->gone[d] = false;
	/* Its MAC and size matter even while it is not there. */
	twin_some_policy(w->t, w->v, d);
	memcpy(w->t->mac[d], (uint8_t[6]){ 2, 1, (uint8_t)d }, 6);
	w->t->mtu[d] = 1500;
	if (rnd(2))
		ok = twin_alter_dedicated(w, d);
	if (ok && rnd(2))
		ok = twin_alter_internal(w, d);
	for (unsigned int n = rnd(4); ok && n; n--)
		ok = twin_alter_prefix(w, d);
	if (rnd(5))
		twin_attach(w->t, w->v, d);
	ok = ok && random_slices(w, d);
	twin_some_rules(w->t, w->v, d);
	return ok;
}

/* Default routes, perhaps a link with hosts on it, next hops that are known or must be asked for. */
static void random_routes(struct twin *t, struct vfr *v[2], struct twin_answer *a)
{
	static const uint8_t none[16];
	bool fixed[2] = { rnd(3) > 0, rnd(3) > 0 };
	uint8_t next4[4];

	t->next4 = 0x0a090909;
	memcpy(t->next6, (uint8_t[16]){ 0xfe, 0x80, [15] = 1 }, 16);
	t->next4_of_8 = rnd(2) ? 0x0a090907 : 0;
	t->link4 = rnd(3) ? 0 : twin_outside[0] & 0xffffff00;
	if (rnd(3) == 0)
		memcpy(t->link6, twin_outside6[0], 8);
	env_put32(next4, t->next4);
	if (fixed[0])
		twin_fix_neighbour(t, 4, next4, t->peer_mac, a);
	if (fixed[1])
		twin_fix_neighbour(t, 6, t->next6, t->peer_mac, a);
	for (int i = 0; i < 2; i++) {
		vfr_route_add(v[i], 0, 0, 0, t->next4, 0);
		if (t->next4_of_8)
			vfr_route_add(v[i], 0x08000000, 8, 0, t->next4_of_8, 0);
		vfr_route6_add(v[i], none, 0, 0, t->next6);
		if (t->link4)
			vfr_route_add(v[i], t->link4, 24, 0, 0, 0);
		if (t->link6[0])
			vfr_route6_add(v[i], t->link6, 64, 0, none);
		if (fixed[0])
			vfr_neigh_static(v[i], 0, t->next4, NULL, t->peer_mac);
		if (fixed[1])
			vfr_neigh_static(v[i], 0, 0, t->next6, t->peer_mac);
	}
}

bool twin_build(struct twin *t, struct vfr *v[2], const struct vfr_ops *ops, void *const host[2], struct twin_answer *a)
{
	static const uint8_t peer[6] = { 2, 9 };
	struct vfr_params par = { .cpus = 1, .max_ports = 8, .max_domains = 16, .max_conns = 12000, .max_frags = TWIN_DATAGRAMS,
				  .max_nat = TWIN_MAPS, .gateway_mac = { 2, 8 } };

	memset(t, 0, sizeof(*t));
	t->shared[0] = 0xcb007107;
	t->shared[1] = 0xcb007108;
	t->self = rnd(6) ? 0x0a000001 : 0;
	memcpy(t->self6, (uint8_t[16]){ 0x20, 1, 0x0d, 0xb8, 0xff, [15] = 1 }, 16);
	memcpy(t->gateway_mac, par.gateway_mac, 6);
	memcpy(t->peer_mac, peer, 6);
	for (int i = 0; i < 2; i++) {
		v[i] = vfr_create(&par, ops, host[i]);
		v[i]->stages_only = i;
		vfr_shared_add(v[i], t->shared[0]);
		vfr_shared_add(v[i], t->shared[1]);
		if (t->self)
			vfr_self_add(v[i], t->self);
		vfr_prefix6_add(v[i], t->self6, 128, VFR_NODOM, NULL);
	}
	random_routes(t, v, a);
	struct alter w = { .t = t, .v = v, .a = a };
	bool ok = true;
	twin_attach(t, v, 0);
	for (int d = 1; ok && d < TWIN_DOMS; d++)
		ok = twin_some_domain(&w, d);
	twin_some_rules(t, v, 0);
	return ok;
}
