/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets in a network scheduler: what it is told of them, its mark in them, the names of its drops. */
#include <sched_pkt.h>

void sched_pkt_fill(struct pkt *p, uint16_t class_id)
{
	uint32_t headers = p->v.gso ? pkt_headers_len(p) : 0;

	p->item.class_id = class_id;
	p->item.wire_bytes = netsched_wire_bytes(p->v.len, headers, p->v.gso_size);
	p->item.flow_hash = p->v.flow_hash;
	p->item.dscp = p->v.dscp & 63;
	p->item.ecn = p->v.ecn & 3;
	p->item.mark = p->v.sched_class < NETSCHED_SUBS ? (uint8_t)p->v.sched_class : 0;
}

/* The IPv4 header checksum follows by RFC 1624; IPv6 has none. */
bool sched_pkt_mark(void *ctx, struct netsched_item *item)
{
	struct pkt *p = pkt_of_item(item);
	uint8_t *ip = p->v.head + p->v.l3;

	if (p->v.flags & VFR_PF_IPV4) {
		uint16_t old = env_get16(ip), sum = env_get16(ip + 10);
		uint32_t acc;

		ip[1] |= 3;
		acc = (uint16_t)~sum + (uint32_t)(uint16_t)~old + env_get16(ip);
		acc = (acc & 0xffff) + (acc >> 16);
		env_put16(ip + 10, (uint16_t)~((acc & 0xffff) + (acc >> 16)));
		return true;
	}
	if (p->v.flags & VFR_PF_IPV6) {
		ip[1] |= 0x30;
		return true;
	}
	return false;
}

enum net_drop sched_pkt_drop(enum netsched_verdict why)
{
	static const enum net_drop drops[NETSCHED_VERDICTS] = {
		[NETSCHED_NO_CLASS] = NET_DROP_SCHED_NO_CLASS, [NETSCHED_OVERSIZE] = NET_DROP_SCHED_OVERSIZE,
		[NETSCHED_FULL] = NET_DROP_SCHED_FULL,         [NETSCHED_CODEL] = NET_DROP_SCHED_CODEL,
		[NETSCHED_GONE] = NET_DROP_SCHED_GONE,
	};

	return drops[why];
}
