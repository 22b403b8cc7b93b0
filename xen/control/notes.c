/* SPDX-License-Identifier: BSD-2-Clause */
/* What control tells the audit log. */
#include <audit/audit.h>

#include "internal.h"

static uint64_t utc(struct control *c)
{
	return c->p.ops->utc_ns(c->p.machine);
}

static int note_ports(struct control *c, const struct vc_slice_add *s, const struct audit_domain *dom, bool granted)
{
	struct audit_ports ports = s->kind == VC_SLICE_MAPE ? audit_ports_set(s->a, s->k, s->psid) : audit_ports_range(s->first, s->last);
	uint32_t addr = ip_v4(&s->addr);

	if (granted)
		return audit_slice_granted(c->p.audit, utc(c), dom, addr, s->protos, &ports);
	return audit_slice_freed(c->p.audit, utc(c), dom, addr, s->protos, &ports);
}

int note_slice(struct control *c, const struct vc_slice_add *s, uint16_t domid, bool granted)
{
	struct audit_domain dom = {domid, s->dom};
	struct audit_thing thing = {.addr = ip_v4(&s->addr)};

	switch (s->kind) {
	case VC_SLICE_WHOLE:
		thing.prefix = s->prefix;
		if (!thing.addr)
			memcpy(thing.addr6, s->addr.b, s->prefix / 8);
		break;
	case VC_SLICE_PROTOCOL:
		thing.ip_proto = s->protocol;
		break;
	case VC_SLICE_ESP_SPI:
		thing.ip_proto = AUDIT_ESP;
		thing.spi = s->spi;
		break;
	case VC_SLICE_INTERNAL:
		/* Outside it is seen as a port of the domain's slices. */
		return 0;
	default:
		return note_ports(c, s, &dom, granted);
	}
	if (granted)
		return audit_thing_granted(c->p.audit, utc(c), &dom, &thing);
	return audit_thing_freed(c->p.audit, utc(c), &dom, &thing);
}

void note_addr(struct control *c, const struct vc_addr_add *a, bool added)
{
	if (!ip_is_v4(&a->addr))
		return;
	if (added)
		audit_addr_added(c->p.audit, utc(c), ip_v4(&a->addr));
	else
		audit_addr_removed(c->p.audit, utc(c), ip_v4(&a->addr));
}

void note_dom(struct control *c, const struct dom *d, bool started, const char *reason)
{
	struct audit_domain dom = {d->domid, d->name};

	if (started)
		audit_domain_started(c->p.audit, utc(c), &dom);
	else
		audit_domain_stopped(c->p.audit, utc(c), &dom, reason);
}

void note_policy(struct control *c, const char *note)
{
	audit_policy_changed(c->p.audit, utc(c), note);
}

void note_refused(struct control *c, const char *client, const struct control_error *err)
{
	char text[AUDIT_TEXT_MAX];

	snprintf(text, sizeof(text), "%s: %s", client, err->name);
	audit_session_refused(c->p.audit, utc(c), text);
}
