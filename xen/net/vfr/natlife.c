/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keeps a mapping of NAT alive, and how long.
 *
 * UDP and echo: only what goes out counts (RFC 4787 REQ-6). TCP: a mapping serves every connection of its inside port, and anybody
 * outside may send to it. So that strangers can neither keep it nor end it, it follows one connection, that with its `peer`: the one
 * opened last while no other was open. Of the others only what goes out counts; when the followed one is at its end, it makes its
 * connection the followed one (RFC 7857 sections 2, 7). Established is what the inside has acknowledged after an answer.
 */
#include <vfr/priv.h>

#define LIFE_UDP	(300 * SEC)	/* REQ-5: at least two minutes, five recommended */
#define LIFE_ICMP	(60 * SEC)	/* RFC 5508 REQ-2 */
#define LIFE_TCP	(7440 * SEC)	/* RFC 5382 REQ-5 */
#define LIFE_TCP_SHORT	(240 * SEC)

enum { ANSWERED = 1, ESTABLISHED = 2, FIN_OUT = 4, FIN_IN = 8, RESET = 16 };

static bool over(const struct nat_map *m)
{
	return (m->tcp & RESET) || (m->tcp & (FIN_OUT | FIN_IN)) == (FIN_OUT | FIN_IN);
}

static bool stands(const struct nat_map *m)
{
	return (m->tcp & ESTABLISHED) && !over(m);
}

/* => the packet is of the followed connection, which it may have become just now. */
static bool followed(struct nat_map *m, const struct vfr_pkt *p, bool outbound)
{
	uint32_t peer = outbound ? p->dst : p->src;
	uint16_t port = outbound ? p->dport : p->sport;

	if (m->peer == peer && m->peer_port == port)
		return true;
	if (!outbound || (p->tcp_flags & TCP_RST) || stands(m))
		return false;
	m->peer = peer;
	m->peer_port = port;
	m->tcp = p->tcp_flags & TCP_SYN ? 0 : ANSWERED | ESTABLISHED;
	return true;
}

static void follow(struct nat_map *m, uint8_t flags, bool outbound)
{
	if (flags & TCP_SYN) {
		/* A new one between the same ends. */
		if (over(m) && !(flags & TCP_ACK))
			m->tcp = 0;
		m->tcp |= outbound ? 0 : ANSWERED;
		return;
	}
	if (flags & TCP_FIN)
		m->tcp |= outbound ? FIN_OUT : FIN_IN;
	else if (outbound && (m->tcp & ESTABLISHED))
		m->tcp &= (uint8_t)~RESET;	/* the inside did not believe it */
	if (outbound && (m->tcp & ANSWERED))
		m->tcp |= ESTABLISHED;
}

static void keep_tcp(struct nat_map *m, const struct vfr_pkt *p, bool outbound, uint64_t now)
{
	if (!followed(m, p, outbound)) {
		if (outbound && !(p->tcp_flags & TCP_RST))
			m->deadline = now + LIFE_TCP;
		return;
	}
	if (p->tcp_flags & TCP_RST) {
		m->tcp |= RESET;
		if (m->deadline > now + LIFE_TCP_SHORT)
			m->deadline = now + LIFE_TCP_SHORT;
		return;
	}
	follow(m, p->tcp_flags, outbound);
	m->deadline = now + (stands(m) ? LIFE_TCP : LIFE_TCP_SHORT);
}

void vfr_nat_keep(struct nat_map *m, const struct vfr_pkt *p, bool outbound, uint64_t now)
{
	if (p->proto == IP_TCP)
		keep_tcp(m, p, outbound, now);
	else if (outbound)
		m->deadline = now + (p->proto == IP_UDP ? LIFE_UDP : LIFE_ICMP);
}
