/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARP. On an uplink the router answers for the shared and dedicated addresses with the uplink's MAC, and learns who answered
 * its own questions. To a guest it is every other address of the link, with the one gateway MAC; for the guest's own
 * addresses it keeps silent, or duplicate address detection would find a duplicate.
 */
#include <vfr/priv.h>

enum { ARP_OP = 6, ARP_SHA = 8, ARP_SPA = 14, ARP_THA = 18, ARP_TPA = 24, ARP_LEN = 28 };
enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

static void build(uint8_t *f, uint16_t op, const uint8_t *dmac, const uint8_t *smac, uint32_t spa, const uint8_t *tha, uint32_t tpa)
{
	static const uint8_t fixed[6] = { 0, 1, 8, 0, 6, 4 };
	uint8_t *a = f + ETH_LEN;

	memcpy(f, dmac, 6);
	memcpy(f + 6, smac, 6);
	env_put16(f + 12, ETH_ARP);
	memcpy(a, fixed, 6);
	env_put16(a + ARP_OP, op);
	memcpy(a + ARP_SHA, smac, 6);
	env_put32(a + ARP_SPA, spa);
	memcpy(a + ARP_THA, tha, 6);
	env_put32(a + ARP_TPA, tpa);
}

void vfr_arp_ask(struct ctx *c, const struct vfr_port *out, const uint8_t *mac, uint32_t src, uint32_t target)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, zero[6];
	uint8_t f[ETH_LEN + ARP_LEN];

	build(f, ARP_REQUEST, mac ? mac : all, out->mac, src, zero, target);
	vfr_emit(c, out->id, f, sizeof(f));
}

static int answer(struct ctx *c, const struct vfr_pkt *p, const uint8_t *mac)
{
	uint8_t f[ETH_LEN + ARP_LEN], asker[6];
	const uint8_t *a = p->head + ETH_LEN;

	memcpy(asker, a + ARP_SHA, 6);
	build(f, ARP_REPLY, asker, mac, env_get32(a + ARP_TPA), asker, env_get32(a + ARP_SPA));
	STEP(c, "arp", "answered");
	vfr_emit(c, p->in_port, f, sizeof(f));
	return VFR_CONSUMED;
}

/* => does the sender of this ARP hold the address? Of a shared one it holds it with others. */
static bool guest_holds(const struct ctx *c, uint32_t addr)
{
	const struct addr_entry *e = vfr_addr_find(c->addrs, addr);

	if (!e || e->kind == ADDR_SELF)
		return false;
	return e->kind == ADDR_SHARED || e->slot == c->in->slot;
}

static int from_guest(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *a = p->head + ETH_LEN;
	uint32_t spa = env_get32(a + ARP_SPA), tpa = env_get32(a + ARP_TPA);

	if (!mac_equal(a + ARP_SHA, c->in->mac) || (spa && !guest_holds(c, spa))) {
		vfr_event(c, vfr_dom_at(c->v, c->in->slot), VFR_EV_SRC_ADDR, p, 0);
		return vfr_drop(c, p, VFR_DROP_ARP_BAD);
	}
	if (env_get16(a + ARP_OP) != ARP_REQUEST || tpa == spa || guest_holds(c, tpa))
		return VFR_CONSUMED;
	/* A probe (no sender address) for somebody's address finds it taken; for a free one it finds nobody. */
	if (!spa && !vfr_addr_find(c->addrs, tpa))
		return VFR_CONSUMED;
	return answer(c, p, c->v->par.gateway_mac);
}

static int from_uplink(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *a = p->head + ETH_LEN;
	uint32_t spa = env_get32(a + ARP_SPA), tpa = env_get32(a + ARP_TPA);
	const struct addr_entry *e = vfr_addr_find(c->addrs, tpa);
	bool ours = e && (e->kind == ADDR_SHARED || e->kind == ADDR_DEDICATED);
	bool request = env_get16(a + ARP_OP) == ARP_REQUEST;

	/* Somebody outside claiming an address of ours is refused, so it cannot be learnt either. */
	if (!mac_equal(a + ARP_SHA, p->head + 6) || vfr_addr_find(c->addrs, spa))
		return vfr_drop(c, p, VFR_DROP_ARP_BAD);
	if (spa)
		vfr_neigh_learn(c, p->in_port, a + ARP_SPA, 4, a + ARP_SHA, ours && request);
	return ours && request ? answer(c, p, c->in->mac) : VFR_CONSUMED;
}

int vfr_arp(struct ctx *c, struct vfr_pkt *p)
{
	static const uint8_t fixed[6] = { 0, 1, 8, 0, 6, 4 };
	const uint8_t *a = p->head + ETH_LEN;
	uint16_t op = env_get16(a + ARP_OP);

	if (memcmp(a, fixed, 6) || (op != ARP_REQUEST && op != ARP_REPLY))
		return vfr_drop(c, p, VFR_DROP_ARP_BAD);
	return c->in->kind == VFR_PORT_GUEST ? from_guest(c, p) : from_uplink(c, p);
}

void vfr_announce(struct vfr *v)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, zero[6];
	uint8_t f[ETH_LEN + ARP_LEN];
	struct ctx c;

	vfr_enter_setter(&c, v, 0);
	for (uint16_t id = 0; id < v->par.max_ports; id++) {
		const struct vfr_port *out = vfr_port_at(v, id);

		for (uint32_t i = 0; out && out->kind == VFR_PORT_UPLINK && i <= c.addrs->mask; i++) {
			const struct addr_entry *e = &c.addrs->e[i];

			if (e->kind != ADDR_SHARED && e->kind != ADDR_DEDICATED)
				continue;
			build(f, ARP_REQUEST, all, out->mac, e->addr, zero, e->addr);
			vfr_emit(&c, id, f, sizeof(f));
		}
	}
	vfr_ra_all(&c);
	vfr_leave_setter(&c);
}
