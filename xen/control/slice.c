/* SPDX-License-Identifier: BSD-2-Clause */
/* Slices: from the message to the router's claims, and a refusal that names the owner. */
#include <vfr/vfr.h>

#include "internal.h"

static bool by_port(const struct vc_slice_add *s)
{
	return s->kind == VC_SLICE_RANGE || s->kind == VC_SLICE_MAPE;
}

static int check_ports(const struct vc_slice_add *s, struct control_error *err)
{
	if (!s->protos || s->protos & ~VC_PROTO_ALL)
		return control_refuse(err, EINVAL, "bad-protocol", "a slice of ports needs a set of tcp, udp, icmp, sctp");
	if (!ip_is_v4(&s->addr))
		return control_refuse(err, EINVAL, "bad-address", "ports are split on IPv4 addresses only");
	if (s->kind == VC_SLICE_MAPE) {
		if (!s->k || s->a + s->k > 16 || s->psid >> s->k)
			return control_refuse(err, EINVAL, "bad-port-set", "no such MAP-E set: a %u, k %u, psid %u", s->a, s->k, s->psid);
		return 0;
	}
	if (s->first > s->last)
		return control_refuse(err, EINVAL, "bad-port-set", "the range %u-%u is backwards", s->first, s->last);
	if (!s->first && s->protos & ~VC_PROTO_ICMP)
		return control_refuse(err, EINVAL, "bad-port-set", "port 0 cannot be granted");
	return 0;
}

int slice_check(const void *body, size_t n, struct control_error *err)
{
	const struct vc_slice_add *s = body;
	static const struct vc_slice_add none;
	int rc = check_name(s->dom, sizeof(s->dom), "domain", false, err);

	if (!rc)
		rc = check_zero(&s->reserved, sizeof(s->reserved), err);
	if (rc)
		return rc;
	if (s->kind >= VC_SLICE_KINDS)
		return control_refuse(err, EINVAL, "bad-value", "unknown kind of slice %u", s->kind);
	if (by_port(s))
		return check_ports(s, err);
	if (s->protos != none.protos || s->first || s->last || s->a || s->k || s->psid)
		return control_refuse(err, EINVAL, "reserved", "ports mean nothing in this kind of slice");
	if (s->kind == VC_SLICE_WHOLE && (ip_is_v4(&s->addr) ? s->prefix != 32 : s->prefix != 64 && s->prefix != 128))
		return control_refuse(err, EINVAL, "bad-prefix", "a domain owns an IPv4 /32 or an IPv6 /64 or /128");
	if (s->kind != VC_SLICE_WHOLE && !ip_is_v4(&s->addr))
		return control_refuse(err, EINVAL, "bad-address", "this kind of slice is of an IPv4 address");
	return 0;
}

int ref_dom(struct control *c, const struct object *o, const struct transition *t, struct control_error *err)
{
	struct vc_dom_create key = {0};
	size_t at = o->type == VC_SLICE_ADD ? offsetof(struct vc_slice_add, dom) : 0;

	memcpy(key.name, o->body + at, VC_NAME);
	if (!key.name[0] && o->type == VC_RULE_SET)
		return 0;
	if (config_get(t->to, VC_DOM_CREATE, &key))
		return 0;
	return control_refuse(err, ENOENT, "no-domain", "there is no domain %s", key.name);
}

/* IPv6 prefixes may lie in the network of an address object; an IPv4 slice needs the very address. */
int slice_check_refs(struct control *c, const struct object *o, const struct transition *t, struct control_error *err)
{
	const struct vc_slice_add *s = (const void *)o->body;
	const struct object *a;
	struct vc_addr_add key = {.addr = s->addr};
	char ip[48];
	int rc = ref_dom(c, o, t, err);

	if (rc || s->kind == VC_SLICE_INTERNAL || !ip_is_v4(&s->addr))
		return rc;
	ip_text(&s->addr, ip, sizeof(ip));
	a = config_get(t->to, VC_ADDR_ADD, &key);
	if (!a)
		return control_refuse(err, ENOENT, "no-address", "%s asks for a part of %s, which is no address of this machine", s->dom,
				      ip);
	if ((s->kind != VC_SLICE_WHOLE) != !!(((const struct vc_addr_add *)a->body)->flags & VC_ADDR_SHARED))
		return control_refuse(err, EINVAL, "not-shared", s->kind == VC_SLICE_WHOLE ? "%s cannot own %s whole: it is shared" :
				      "%s cannot have ports of %s: it is not shared", s->dom, ip);
	return 0;
}

void slice_portset(const struct vc_slice_add *s, struct vfr_portset *ps)
{
	memset(ps, 0, sizeof(*ps));
	ps->kind = s->kind == VC_SLICE_MAPE ? VFR_PS_MAP : VFR_PS_RANGE;
	ps->first = s->first;
	ps->last = s->last;
	ps->offset = s->a;
	ps->psid_len = s->k;
	ps->psid = s->psid;
}

static const char *proto_word(unsigned int bit)
{
	return bit == VC_PROTO_TCP ? "tcp" : bit == VC_PROTO_UDP ? "udp" : bit == VC_PROTO_ICMP ? "icmp" : "sctp";
}

static int refuse_conflict(struct control *c, const struct vc_slice_add *s, const struct vfr_conflict *x, struct control_error *err)
{
	const struct dom *owner = dom_by_id(c, x->domid);
	const char *name = owner ? owner->name : "a domain that is gone";
	char ip[48];

	ip_text(&s->addr, ip, sizeof(ip));
	if (owner)
		copy_name(err->owner, sizeof(err->owner), owner->name);
	if (!x->held_down)
		return control_refuse(err, EEXIST, "slice-taken", "port %u/%s of %s belongs to %s", x->port, proto_word(x->proto), ip,
				      name);
	return control_refuse(err, EEXIST, "slice-held-down", "port %u/%s of %s was freed by %s a moment ago: free for others in %llu s",
			      x->port, proto_word(x->proto), ip, name,
			      (unsigned long long)(x->until_ns > c->now_ns ? (x->until_ns - c->now_ns + SEC - 1) / SEC : 0));
}

static int refuse_owner(struct control *c, const struct vc_slice_add *s, int rc, uint16_t domid, struct control_error *err)
{
	const struct dom *owner = dom_by_id(c, domid);
	char ip[48];

	ip_text(&s->addr, ip, sizeof(ip));
	if (rc != -EEXIST || !owner)
		return control_refuse(err, -rc, "router", "the router refuses %s to %s (error %d)", ip, s->dom, -rc);
	copy_name(err->owner, sizeof(err->owner), owner->name);
	return control_refuse(err, EEXIST, "slice-taken", "%s asks for a part of %s that belongs to %s", s->dom, ip, owner->name);
}

static int claim_ports(struct control *c, const struct vc_slice_add *s, uint16_t domid, bool force, struct control_error *err)
{
	struct vfr_portset ps;
	struct vfr_conflict x = {.domid = VFR_NODOM};
	int rc;

	slice_portset(s, &ps);
	if (force)
		vfr_slice_settle(c->p.vfr, ip_v4(&s->addr), s->protos, &ps);
	rc = vfr_slice_claim(c->p.vfr, c->now_ns, ip_v4(&s->addr), s->protos, &ps, domid, &x);
	if (rc == -EEXIST)
		return refuse_conflict(c, s, &x, err);
	if (rc)
		return refuse_owner(c, s, rc, VFR_NODOM, err);
	return 0;
}

static int claim(struct control *c, const struct vc_slice_add *s, uint16_t domid, bool force, struct control_error *err)
{
	uint16_t owner = VFR_NODOM;
	uint32_t addr = ip_v4(&s->addr);
	int rc;

	switch (s->kind) {
	case VC_SLICE_WHOLE:
		rc = addr ? vfr_dedicated_add(c->p.vfr, addr, domid, &owner)
			  : vfr_prefix6_add(c->p.vfr, s->addr.b, s->prefix, domid, &owner);
		break;
	case VC_SLICE_PROTOCOL:
		rc = vfr_proto_claim(c->p.vfr, addr, s->protocol, domid, &owner);
		break;
	case VC_SLICE_ESP_SPI:
		rc = vfr_spi_claim(c->p.vfr, addr, s->spi, domid, &owner);
		break;
	case VC_SLICE_INTERNAL:
		rc = vfr_internal_add(c->p.vfr, addr, domid, &owner);
		break;
	default:
		return claim_ports(c, s, domid, force, err);
	}
	return rc ? refuse_owner(c, s, rc, owner, err) : 0;
}

static void give_back(struct control *c, const struct vc_slice_add *s, uint16_t domid)
{
	uint32_t addr = ip_v4(&s->addr);
	struct vfr_portset ps;

	switch (s->kind) {
	case VC_SLICE_WHOLE:
		if (addr)
			vfr_addr_del(c->p.vfr, addr);
		else
			vfr_prefix6_del(c->p.vfr, s->addr.b, s->prefix);
		return;
	case VC_SLICE_PROTOCOL:
		vfr_proto_free(c->p.vfr, addr, s->protocol, domid);
		return;
	case VC_SLICE_ESP_SPI:
		vfr_spi_free(c->p.vfr, addr, s->spi, domid);
		return;
	case VC_SLICE_INTERNAL:
		vfr_addr_del(c->p.vfr, addr);
		return;
	default:
		slice_portset(s, &ps);
		vfr_slice_free(c->p.vfr, c->now_ns, addr, s->protos, &ps, domid);
	}
}

/* Nothing is granted without its record. */
static int grant(struct control *c, const struct vc_slice_add *s, uint16_t domid, bool force, struct control_error *err)
{
	int rc = claim(c, s, domid, force, err);

	if (rc)
		return rc;
	rc = note_slice(c, s, domid, true);
	if (!rc)
		return 0;
	give_back(c, s, domid);
	return control_refuse(err, -rc, "audit-full", "the audit log has no room for another slice: it cannot be granted");
}

static uint16_t slice_domid(struct control *c, const struct vc_slice_add *s)
{
	const struct dom *d = dom_by_name(c, s->dom);

	ENV_ASSERT(d);
	return d->domid;
}

int slice_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
		struct control_error *err)
{
	const struct vc_slice_add *s = (const void *)(new ? new : old)->body;

	ENV_ASSERT(!old || !new);
	if (new)
		return grant(c, s, slice_domid(c, s), t->force, err);
	give_back(c, s, slice_domid(c, s));
	note_slice(c, s, slice_domid(c, s), false);
	return 0;
}
