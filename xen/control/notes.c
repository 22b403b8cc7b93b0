/* SPDX-License-Identifier: BSD-2-Clause */
/* What control tells the audit log. */
#include <audit/audit.h>

#include "internal.h"

static uint64_t utc(struct control *c)
{
	return c->p.ops->utc_ns(c->p.machine);
}

int note_slice(struct control *c, const struct vc_slice_add *s, uint16_t domid, bool granted)
{
	struct audit_domain dom = {domid, s->dom};
	struct audit_ports ports = s->kind == VC_SLICE_MAPE ? audit_ports_set(s->a, s->k, s->psid) : audit_ports_range(s->first, s->last);
	uint32_t addr = ip_v4(&s->addr);
	uint8_t protos = s->protos & AUDIT_PROTOS;

	if (!protos)
		return 0;
	if (granted)
		return audit_slice_granted(c->p.audit, utc(c), &dom, addr, protos, &ports);
	return audit_slice_freed(c->p.audit, utc(c), &dom, addr, protos, &ports);
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
