/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCPv4 answers on a domain's vif: each domain has exactly one address, so there is nothing to lease. DISCOVER is answered by
 * OFFER, REQUEST for the right address by ACK, for another by NAK, INFORM by ACK; everything else is eaten. The server's identity
 * is the router option's address. Option 159 (RFC 7618) tells the port parameters of a shared address.
 */
#include <vfr/priv.h>

enum { BOOTREQUEST = 1, BOOTREPLY = 2 };
enum { OP = 0, XID = 4, FLAGS = 10, CIADDR = 12, YIADDR = 16, SIADDR = 20, CHADDR = 28, MAGIC = 236, OPTIONS = 240 };
enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };
enum { OPT_MASK = 1, OPT_ROUTER = 3, OPT_DNS = 6, OPT_MTU = 26, OPT_WANTED = 50, OPT_LEASE = 51, OPT_TYPE = 53, OPT_SERVER = 54,
       OPT_CLIENT = 61, OPT_PORTS = 159, OPT_END = 255 };
#define DHCP_MAGIC	0x63825363u
#define REPLY_LEN	548u	/* what every client can take (RFC 2131 section 2); BOOTP's least is 300 */

struct asked {
	uint8_t type;
	uint32_t wanted, server;
	const uint8_t *client;		/* the whole option; NULL: none */
};

static bool read_options(const uint8_t *o, uint32_t len, struct asked *a)
{
	memset(a, 0, sizeof(*a));
	while (len >= 2 && o[0] != OPT_END) {
		if (o[0] == 0) {
			o++;
			len--;
			continue;
		}
		if (o[1] + 2u > len)
			return false;
		if (o[0] == OPT_TYPE && o[1] == 1)
			a->type = o[2];
		else if (o[0] == OPT_WANTED && o[1] == 4)
			a->wanted = env_get32(o + 2);
		else if (o[0] == OPT_SERVER && o[1] == 4)
			a->server = env_get32(o + 2);
		else if (o[0] == OPT_CLIENT)
			a->client = o;
		len -= o[1] + 2u;
		o += o[1] + 2u;
	}
	return a->type;
}

static uint8_t *put_option32(uint8_t *o, uint8_t code, uint32_t value)
{
	*o++ = code;
	*o++ = 4;
	env_put32(o, value);
	return o + 4;
}

static uint8_t *put_dns(uint8_t *o, const struct vfr_dhcp_cfg *d)
{
	uint8_t *len;

	if (!d->dns[0])
		return o;
	*o++ = OPT_DNS;
	len = o++;
	*len = 0;
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(d->dns) && d->dns[i]; i++, o += 4, *len += 4)
		env_put32(o, d->dns[i]);
	return o;
}

static uint8_t *put_config(uint8_t *o, const struct vfr_dhcp_cfg *d, uint16_t mtu, bool lease)
{
	if (lease)
		o = put_option32(o, OPT_LEASE, d->lease_s);
	o = put_option32(o, OPT_MASK, d->mask);
	o = put_option32(o, OPT_ROUTER, d->router);
	o = put_dns(o, d);
	*o++ = OPT_MTU;
	*o++ = 2;
	env_put16(o, mtu);
	o += 2;
	if (d->port_params) {
		*o++ = OPT_PORTS;
		*o++ = 4;
		*o++ = d->psid_offset;
		*o++ = d->psid_len;
		/* RFC 7618 section 5: the PSID stands left in its field. */
		env_put16(o, (uint16_t)(d->psid << (16 - d->psid_len)));
		o += 2;
	}
	return o;
}

static void send_reply(struct ctx *c, const struct vfr_pkt *p, const struct vfr_dhcp_cfg *d, const struct asked *a, uint8_t type)
{
	uint8_t f[ETH_LEN + IP4_LEN + 8 + REPLY_LEN] = { 0 }, *ip = f + ETH_LEN, *udp = ip + IP4_LEN, *b = udp + 8;
	const uint8_t *q = p->head + p->l4 + 8;
	uint8_t *o = b + OPTIONS;
	bool inform = a->type == INFORM;

	memcpy(f, c->in->mac, 6);
	memcpy(f + 6, c->v->par.gateway_mac, 6);
	env_put16(f + 12, ETH_IPV4);
	memcpy(b, q, 44);	/* type, xid, flags and the client's hardware address go back */
	b[OP] = BOOTREPLY;
	env_put32(b + CIADDR, inform ? d->addr : 0);
	env_put32(b + YIADDR, type == NAK || inform ? 0 : d->addr);
	env_put32(b + SIADDR, 0);
	env_put32(b + MAGIC, DHCP_MAGIC);
	*o++ = OPT_TYPE;
	*o++ = 1;
	*o++ = type;
	o = put_option32(o, OPT_SERVER, d->router);
	if (type != NAK)
		o = put_config(o, d, d->mtu ? d->mtu : c->in->mtu, !inform);
	/* RFC 6842: a client that names itself looks for that name in the answer. */
	if (a->client && o + a->client[1] + 3 <= b + REPLY_LEN) {
		memcpy(o, a->client, a->client[1] + 2u);
		o += a->client[1] + 2;
	}
	*o = OPT_END;
	ip[0] = 0x45;
	env_put16(ip + IP4_TLEN, IP4_LEN + 8 + REPLY_LEN);
	ip[IP4_TTL] = 64;
	ip[IP4_PROTO] = IP_UDP;
	env_put32(ip + IP4_SRC, d->router);
	env_put32(ip + IP4_DST, UINT32_MAX);
	csum_store(ip + IP4_CSUM, csum_of(ip, IP4_LEN));
	env_put16(udp, 67);
	env_put16(udp + 2, 68);
	env_put16(udp + 4, 8 + REPLY_LEN);
	csum_store(udp + 6, (uint16_t)~csum_fold(csum_add(csum_pseudo4(ip, IP_UDP, 8 + REPLY_LEN), udp, 8 + REPLY_LEN)));
	vfr_emit(c, p->in_port, f, sizeof(f));
}

static void answer(struct ctx *c, const struct vfr_pkt *p, const struct vfr_dhcp_cfg *d, const struct asked *a)
{
	uint32_t wanted = a->wanted ? a->wanted : env_get32(p->head + p->l4 + 8 + CIADDR);

	if (a->server && a->server != d->router)
		return;
	if (a->type == DISCOVER)
		send_reply(c, p, d, a, OFFER);
	else if (a->type == REQUEST)
		send_reply(c, p, d, a, wanted == d->addr ? ACK : NAK);
	else if (a->type == INFORM)
		send_reply(c, p, d, a, ACK);
}

/* => 0: not for us. Runs before the source check, because a client has no address yet. */
int vfr_dhcp(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	struct asked a;

	if (p->proto != IP_UDP || !(p->flags & VFR_PF_IPV4) || p->dport != 67 || p->sport != 68 || (p->flags & VFR_PF_FRAG) || !w->src)
		return 0;
	const struct vfr_dhcp_cfg *d = &rcu_get(w->src->cfg)->dhcp;
	const uint8_t *b = p->head + p->l4 + 8;
	uint32_t end = p->l3 + p->l3_len < p->head_len ? p->l3 + p->l3_len : p->head_len;
	if (!d->lease_s)
		return 0;
	if (end < p->l4 + 8u + OPTIONS + 4 || b[OP] != BOOTREQUEST || env_get32(b + MAGIC) != DHCP_MAGIC || !mac_equal(b + CHADDR,
		c->in->mac))
		return vfr_drop(c, p, VFR_DROP_BAD_L4);
	if (!read_options(b + OPTIONS, end - p->l4 - 8 - OPTIONS, &a))
		return vfr_drop(c, p, VFR_DROP_BAD_L4);
	STEP(c, "dhcp", "answered by the router");
	answer(c, p, d, &a);
	return VFR_CONSUMED;
}
