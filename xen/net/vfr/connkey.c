/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection is known by: both endpoints in a fixed order, so that both directions make the same key. Guests hold the
 * public address themselves, so one key serves from end to end, hairpins included. IPv4's, the common one, is in priv.h.
 */
#include <vfr/priv.h>

static bool key6(struct conn_key *k, const uint8_t *src, uint16_t sport, const uint8_t *dst, uint16_t dport, uint8_t proto)
{
	uint64_t s = env_get64(src), d = env_get64(dst), s2 = env_get64(src + 8), d2 = env_get64(dst + 8);
	bool from_b = s != d ? s > d : s2 != d2 ? s2 > d2 : sport > dport;

	memcpy(k->a, from_b ? dst : src, 16);
	memcpy(k->b, from_b ? src : dst, 16);
	k->rest = conn_rest(from_b ? dport : sport, from_b ? sport : dport, proto, 6);
	return from_b;
}

void vfr_conn_key6(struct conn_key *k, const struct vfr_pkt *p, bool *from_b)
{
	const uint8_t *ip = p->head + p->l3;

	*from_b = key6(k, ip + IP6_SRC, p->sport, ip + IP6_DST, p->dport, p->proto);
}

/* => the key of the packet that an ICMP error quotes. */
bool vfr_conn_key_quoted(struct conn_key *k, const struct vfr_pkt *p)
{
	struct quote q;

	if (!vfr_parse_quote(p, &q))
		return false;
	if (p->flags & VFR_PF_IPV4)
		conn_key4(k, q.src, q.sport, q.dst, q.dport, q.proto);
	else
		key6(k, q.src6, q.sport, q.dst6, q.dport, q.proto);
	return true;
}
