/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and what follows from them: routes, DHCP answers, translation. */
#include <vfr/vfr.h>

#include "internal.h"

#define DHCP_LEASE_S 86400
#define ROUTES_MAX 256

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool ip_is_v4(const struct vc_ip *ip)
{
	return !memcmp(ip->b, v4_mapped, sizeof(v4_mapped));
}

uint32_t ip_v4(const struct vc_ip *ip)
{
	return ip_is_v4(ip) ? env_get32(ip->b + 12) : 0;
}

bool ip_is_zero(const struct vc_ip *ip)
{
	static const struct vc_ip zero;

	return !memcmp(ip, &zero, sizeof(zero));
}

void ip_from_v4(struct vc_ip *ip, uint32_t v4)
{
	memcpy(ip->b, v4_mapped, sizeof(v4_mapped));
	env_put32(ip->b + 12, v4);
}

void ip_text(const struct vc_ip *ip, char *out, size_t n)
{
	size_t len = 0;

	if (ip_is_v4(ip)) {
		snprintf(out, n, "%u.%u.%u.%u", ip->b[12], ip->b[13], ip->b[14], ip->b[15]);
		return;
	}
	for (unsigned int i = 0; i < 8 && len < n; i++)
		len += snprintf(out + len, n - len, i ? ":%x" : "%x", env_get16(ip->b + 2 * i));
}

int uplink_by_name(struct control *c, const char *name, struct control_uplink_info *out)
{
	for (unsigned int i = 0; !c->p.ops->uplink_info(c->p.machine, i, out); i++)
		if (!strncmp(out->name, name, VC_NAME))
			return 0;
	return -ENOENT;
}

int addr_check(const void *body, size_t n, struct control_error *err)
{
	const struct vc_addr_add *a = body;
	int rc = check_name(a->uplink, sizeof(a->uplink), "uplink", false, err);

	if (!rc)
		rc = check_zero(a->reserved, sizeof(a->reserved), err);
	if (rc)
		return rc;
	if (a->flags & ~VC_ADDR_SHARED)
		return control_refuse(err, EINVAL, "bad-value", "unknown flags 0x%x of an address", a->flags);
	if (ip_is_zero(&a->addr) || (ip_is_v4(&a->addr) && (!ip_v4(&a->addr) || ip_v4(&a->addr) >= 0xe0000000)))
		return control_refuse(err, EINVAL, "bad-address", "not an address that a host can have");
	if (a->prefix > (ip_is_v4(&a->addr) ? 32 : 128))
		return control_refuse(err, ERANGE, "bad-prefix", "a prefix of %u bits is too long", a->prefix);
	if (!ip_is_v4(&a->addr) && (a->flags & VC_ADDR_SHARED))
		return control_refuse(err, EINVAL, "bad-address", "IPv6 addresses are not shared by port: give each domain its own prefix");
	if (!ip_is_zero(&a->gateway) && ip_is_v4(&a->gateway) != ip_is_v4(&a->addr))
		return control_refuse(err, EINVAL, "bad-gateway", "address and gateway are of different families");
	return 0;
}

int addr_check_refs(struct control *c, const struct object *o, const struct transition *t, struct control_error *err)
{
	const struct vc_addr_add *a = (const void *)o->body;
	struct control_uplink_info up;
	char ip[48];

	if (!uplink_by_name(c, a->uplink, &up))
		return 0;
	ip_text(&a->addr, ip, sizeof(ip));
	return control_refuse(err, ENODEV, "no-uplink", "there is no uplink %s for %s", a->uplink, ip);
}

static bool addr_shared4(const struct vc_addr_add *a)
{
	return ip_is_v4(&a->addr) && (a->flags & VC_ADDR_SHARED);
}

int addr_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	       struct control_error *err)
{
	const struct vc_addr_add *a = old ? (const void *)old->body : NULL, *b = new ? (const void *)new->body : NULL;
	bool had = a && addr_shared4(a), has = b && addr_shared4(b);
	char ip[48];
	int rc = 0;

	if (has && !had)
		rc = vfr_shared_add(c->p.vfr, ip_v4(&b->addr));
	if (had && !has)
		rc = vfr_shared_del(c->p.vfr, ip_v4(&a->addr));
	if (rc && b) {
		ip_text(&b->addr, ip, sizeof(ip));
		return control_refuse(err, -rc, rc == -EBUSY ? "address-in-use" : "router", "the router refuses the address %s (error %d)",
				      ip, -rc);
	}
	if (!a || !b)
		note_addr(c, a ? a : b, b != NULL);
	return 0;
}

/* --- what follows from all objects together --------------------------------------------------------------------------- */

struct route {
	struct vc_ip prefix, next_hop;
	uint32_t src;
	uint16_t uplink;
	uint8_t plen;
};

static void mask_ip(struct vc_ip *ip, unsigned int bits)
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			ip->b[i] &= 0xff << (8 - keep);
	}
}

static unsigned int route_put(struct route *v, unsigned int n, const struct route *r)
{
	for (unsigned int i = 0; i < n; i++)
		if (v[i].plen == r->plen && ip_is_v4(&v[i].prefix) == ip_is_v4(&r->prefix) &&
		    !memcmp(&v[i].prefix, &r->prefix, sizeof(r->prefix)))
			return n;
	if (n < ROUTES_MAX)
		v[n++] = *r;
	return n;
}

/* The network of each address is on link, the first gateway of each family is the way to the rest. */
static unsigned int routes_of(struct control *c, const struct config *cf, struct route *v)
{
	uint32_t end = config_first(cf, VC_ADDR_ADD + 1);
	unsigned int n = 0;

	for (uint32_t i = config_first(cf, VC_ADDR_ADD); i < end; i++) {
		const struct vc_addr_add *a = (const void *)cf->v[i]->body;
		unsigned int base = ip_is_v4(&a->addr) ? 96 : 0;
		struct control_uplink_info up;
		struct route r = {.prefix = a->addr, .src = ip_v4(&a->addr), .plen = a->prefix};

		if (uplink_by_name(c, a->uplink, &up))
			continue;
		r.uplink = up.port;
		mask_ip(&r.prefix, base + a->prefix);
		if (a->prefix && a->prefix < 128 - base)
			n = route_put(v, n, &r);
		if (ip_is_zero(&a->gateway))
			continue;
		r.prefix = a->addr;
		mask_ip(&r.prefix, base);
		r.plen = 0;
		r.next_hop = a->gateway;
		n = route_put(v, n, &r);
	}
	return n;
}

static void route_do(struct control *c, const struct route *r, bool add)
{
	bool v4 = ip_is_v4(&r->prefix);
	uint32_t prefix = ip_v4(&r->prefix);
	int rc = 0;

	if (add && v4)
		rc = vfr_route_add(c->p.vfr, prefix, r->plen, r->uplink, ip_v4(&r->next_hop), r->src);
	else if (add)
		rc = vfr_route6_add(c->p.vfr, r->prefix.b, r->plen, r->uplink, r->next_hop.b);
	else if (v4)
		vfr_route_del(c->p.vfr, prefix, r->plen);
	else
		vfr_route6_del(c->p.vfr, r->prefix.b, r->plen);
	if (rc)
		env_log(ENV_ERROR, "control: the router refuses a route (error %d)", -rc);
}

static bool route_in(const struct route *v, unsigned int n, const struct route *r)
{
	for (unsigned int i = 0; i < n; i++)
		if (v[i].plen == r->plen && !memcmp(&v[i].prefix, &r->prefix, sizeof(r->prefix)))
			return true;
	return false;
}

static void routes_sync(struct control *c, const struct config *from, const struct config *to)
{
	struct route *v = env_alloc(2 * ROUTES_MAX * sizeof(*v));
	unsigned int na, nb;

	if (!v) {
		env_log(ENV_ERROR, "control: no memory for the routes");
		return;
	}
	na = routes_of(c, from, v);
	nb = routes_of(c, to, v + ROUTES_MAX);
	for (unsigned int i = 0; i < na; i++)
		if (!route_in(v + ROUTES_MAX, nb, &v[i]))
			route_do(c, &v[i], false);
	for (unsigned int i = 0; i < nb; i++)
		route_do(c, &v[ROUTES_MAX + i], true);
	env_free(v, 2 * ROUTES_MAX * sizeof(*v));
}

/* How much of an address the slice is: a guest with several is told of the one that it has most of. */
static uint32_t slice_weight(const struct vc_slice_add *s)
{
	struct vfr_portset ps;

	if (s->kind == VC_SLICE_WHOLE)
		return UINT32_MAX;
	slice_portset(s, &ps);
	return vfr_portset_count(&ps) * (!!(s->protos & VC_PROTO_TCP) + !!(s->protos & VC_PROTO_UDP));
}

/* RFC 7618: the ports as an RFC 7597 set, if they are one. An aligned range whose size is a power of two is. */
static void port_params(struct vfr_dhcp_cfg *cfg, const struct vc_slice_add *s)
{
	uint32_t n = s->last - s->first + 1u;

	cfg->port_params = s->kind == VC_SLICE_MAPE || (s->kind == VC_SLICE_RANGE && !(n & (n - 1)) && s->first % n == 0);
	if (s->kind == VC_SLICE_MAPE) {
		cfg->psid_offset = s->a;
		cfg->psid_len = s->k;
		cfg->psid = s->psid;
	} else if (cfg->port_params) {
		cfg->psid_len = (uint8_t)(16 - __builtin_ctz(n));
		cfg->psid = (uint16_t)(s->first / n);
	}
}

/* The network that an address lies in. */
static void dhcp_outer(const struct config *cf, const struct vc_slice_add *s, struct vfr_dhcp_cfg *cfg)
{
	const struct object *o = config_get(cf, VC_ADDR_ADD, &s->addr);
	const struct vc_addr_add *a = o ? (const void *)o->body : NULL;

	if (!a)
		return;
	cfg->addr = ip_v4(&s->addr);
	cfg->lease_s = DHCP_LEASE_S;
	cfg->mask = a->prefix ? ~0u << (32 - a->prefix) : 0;
	cfg->router = ip_v4(&a->gateway);
	cfg->dns[0] = ip_v4(&a->dns[0]);
	cfg->dns[1] = ip_v4(&a->dns[1]);
	port_params(cfg, s);
}

/* With an internal address it is that which the guest uses, in a network of 256: the router answers for all the others. */
static void dhcp_inner(struct vfr_dhcp_cfg *cfg, uint32_t inner)
{
	cfg->addr = inner;
	cfg->lease_s = DHCP_LEASE_S;
	cfg->mask = ~0xffu;
	cfg->router = (inner & cfg->mask) | 1;
	if (cfg->router == inner)
		cfg->router++;
	cfg->port_params = false;
	cfg->psid_offset = cfg->psid_len = 0;
	cfg->psid = 0;
}

static void dhcp_set(struct control *c, const struct config *cf, struct dom *d)
{
	struct vfr_dhcp_cfg want, is;

	memset(&want, 0, sizeof(want));
	if (d->main)
		dhcp_outer(cf, d->main, &want);
	if (d->inner)
		dhcp_inner(&want, d->inner);
	if (vfr_dhcp_get(c->p.vfr, d->domid, &is) || !memcmp(&is, &want, sizeof(want)))
		return;
	if (vfr_dhcp_set(c->p.vfr, d->domid, &want))
		env_log(ENV_ERROR, "control: the router does not answer DHCP for %s", d->name);
}

static void dom_note_slice(struct control *c, const struct vc_slice_add *s)
{
	struct dom *d = dom_by_name(c, s->dom);

	if (!d)
		return;
	d->slices++;
	if (s->kind == VC_SLICE_INTERNAL)
		d->inner = ip_v4(&s->addr);
	else if (s->kind == VC_SLICE_WHOLE && !ip_is_v4(&s->addr))
		d->has_ip6 = true;
	if (s->kind > VC_SLICE_WHOLE || !ip_is_v4(&s->addr))
		return;
	if (!d->main || slice_weight(s) > slice_weight(d->main))
		d->main = s;
	/* A whole address is no pool of ports. */
	if (s->kind != VC_SLICE_WHOLE && (!d->pool || slice_weight(s) > slice_weight(d->pool)))
		d->pool = s;
}

static void nat_set(struct control *c, struct dom *d)
{
	uint32_t want = d->inner && d->pool ? ip_v4(&d->pool->addr) : 0;
	struct vfr_domain_cfg cfg;

	if (want == d->nat_addr || vfr_domain_get(c->p.vfr, d->domid, &cfg))
		return;
	cfg.nat_addr = want;
	if (!vfr_domain_set(c->p.vfr, d->domid, &cfg))
		d->nat_addr = want;
	else
		env_log(ENV_ERROR, "control: the router refuses translation for %s", d->name);
}

/* A guest with a prefix learns of it, and of the way out, by router advertisements. */
static void ra_set(struct control *c, struct dom *d)
{
	struct vfr_ra_cfg cfg = {.on = d->has_ip6};

	if (d->has_ip6 == d->advertised)
		return;
	if (!vfr_ra_set(c->p.vfr, d->domid, &cfg))
		d->advertised = d->has_ip6;
	else
		env_log(ENV_ERROR, "control: the router does not advertise to %s", d->name);
}

void net_sync(struct control *c, const struct config *from, const struct config *to)
{
	uint32_t end = config_first(to, VC_SLICE_ADD + 1);

	routes_sync(c, from, to);
	for (unsigned int i = 1; i < c->p.domains_max; i++) {
		if (!c->dom[i])
			continue;
		c->dom[i]->main = c->dom[i]->pool = NULL;
		c->dom[i]->slices = 0;
		c->dom[i]->inner = 0;
		c->dom[i]->has_ip6 = false;
	}
	for (uint32_t i = config_first(to, VC_SLICE_ADD); i < end; i++)
		dom_note_slice(c, (const void *)to->v[i]->body);
	for (unsigned int i = 1; i < c->p.domains_max; i++)
		if (c->dom[i]) {
			dhcp_set(c, to, c->dom[i]);
			nat_set(c, c->dom[i]);
			ra_set(c, c->dom[i]);
		}
	vfr_announce(c->p.vfr);
}
