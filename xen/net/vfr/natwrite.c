/* SPDX-License-Identifier: BSD-2-Clause */
/* What NAT writes into packets: an address and a port, in the packet or in the one that an error quotes, and the sums over them. */
#include <vfr/priv.h>

static int l4_csum_at(uint8_t proto)
{
	return proto == IP_TCP ? 16 : proto == IP_UDP ? 6 : -1;
}

/* An address of the header at `ip` changes, and what sums depend on it. l4: NULL if there is no L4 header. */
static void set_addr(uint8_t *ip, uint8_t at, uint32_t addr, uint8_t *l4, uint32_t room, uint8_t proto, bool partial)
{
	int csum_at = l4_csum_at(proto);
	uint8_t now[4];

	env_put32(now, addr);
	for (unsigned int i = 0; i < 4; i += 2) {
		uint16_t was = csum_load(ip + at + i), is = csum_load(now + i);

		csum_update(ip + IP4_CSUM, was, is);
		if (!l4 || csum_at < 0 || (uint32_t)csum_at + 2 > room || (proto == IP_UDP && !csum_load(l4 + 6) && !partial))
			continue;
		if (partial)
			csum_update_partial(l4 + csum_at, was, is);
		else
			csum_update(l4 + csum_at, was, is);
		/* In UDP a sum of zero means "none" (RFC 768). */
		if (proto == IP_UDP && !partial && !csum_load(l4 + 6))
			csum_store(l4 + 6, 0xffff);
	}
	memcpy(ip + at, now, 4);
}

static void set_port(uint8_t *l4, uint8_t at, uint16_t port, uint8_t proto, uint32_t room, bool partial)
{
	int csum_at = proto == IP_ICMP ? 2 : l4_csum_at(proto);
	uint16_t was = csum_load(l4 + at);

	env_put16(l4 + at, port);
	/* A partial sum covers the pseudo header only. */
	if (partial || csum_at < 0 || (uint32_t)csum_at + 2 > room || (proto == IP_UDP && !csum_load(l4 + 6)))
		return;
	csum_update(l4 + csum_at, was, csum_load(l4 + at));
	if (proto == IP_UDP && !csum_load(l4 + 6))
		csum_store(l4 + 6, 0xffff);
}

static void rewrite(struct vfr_pkt *p, bool source, uint32_t addr, uint16_t port)
{
	uint8_t *ip = p->head + p->l3, *l4 = p->head + p->l4;
	bool partial = p->csum == VFR_CSUM_PARTIAL, later = p->flags & VFR_PF_LATER;

	set_addr(ip, source ? IP4_SRC : IP4_DST, addr, later ? NULL : l4, UINT32_MAX, p->proto, partial);
	if (source)
		p->src = addr;
	else
		p->dst = addr;
	if (!(p->flags & VFR_PF_PORTS))
		return;
	set_port(l4, p->proto == IP_ICMP ? 4 : source ? 0 : 2, port, p->proto, UINT32_MAX, partial);
	if (source || p->proto == IP_ICMP)
		p->sport = port;
	if (!source || p->proto == IP_ICMP)
		p->dport = port;
}

#define UNDO_SET (1ull << 63)

/* The same, remembering what was there for an error about the packet. */
void vfr_nat_translate(struct vfr_pkt *p, bool source, uint32_t addr, uint16_t port)
{
	if (source)
		p->undo_src = UNDO_SET | (uint64_t)p->src << 16 | p->sport;
	else
		p->undo_dst = UNDO_SET | (uint64_t)p->dst << 16 | p->dport;
	rewrite(p, source, addr, port);
}

void vfr_nat_undo(struct vfr_pkt *p)
{
	if (p->undo_dst)
		rewrite(p, false, (uint32_t)(p->undo_dst >> 16), (uint16_t)p->undo_dst);
	if (p->undo_src)
		rewrite(p, true, (uint32_t)(p->undo_src >> 16), (uint16_t)p->undo_src);
	p->undo_src = p->undo_dst = 0;
}

void vfr_nat_addresses(struct vfr_pkt *p, uint32_t new_src, uint32_t new_dst)
{
	if (new_src)
		rewrite(p, true, new_src, 0);
	if (new_dst)
		rewrite(p, false, new_dst, 0);
}

/* The quote of an ICMP error: its own addresses and ports, its checksums, and the error's checksum over all of it. */
void vfr_nat_quote(struct vfr_pkt *p, const struct quote *q, bool source, uint32_t addr, uint16_t port)
{
	uint8_t *icmp = p->head + p->l4, *ip = p->head + p->quote, *l4 = p->head + q->l4;
	uint32_t end = p->l3 + p->l3_len < p->head_len ? p->l3 + p->l3_len : p->head_len, room = end - q->l4;
	uint32_t n = (uint32_t)(q->l4 - p->quote) + (room < 20 ? room & ~1u : 20);
	uint16_t before = csum_fold(csum_add(0, ip, n));

	set_addr(ip, source ? IP4_SRC : IP4_DST, addr, l4, room, q->proto, false);
	set_port(l4, q->proto == IP_ICMP ? 4 : source ? 0 : 2, port, q->proto, room, false);
	csum_update(icmp + 2, before, csum_fold(csum_add(0, ip, n)));
}
