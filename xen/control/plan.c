/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot plan: the messages of a file, one after the other. What is refused is named and skipped, so that one bad domain does
 * not take the others down; what was applied is generation 1.
 */
#include "internal.h"

static int plan_head(const struct vc_plan *p, size_t n, struct control_error *err)
{
	if (n < sizeof(*p))
		return control_refuse(err, EMSGSIZE, "plan-short", "the boot plan has %zu bytes: not even its head", n);
	if (p->magic != VC_PLAN_MAGIC)
		return control_refuse(err, EBADMSG, "plan-magic", "the boot plan is not one (magic 0x%x)", p->magic);
	if (p->version != VC_VERSION)
		return control_refuse(err, EPROTONOSUPPORT, "plan-version", "the boot plan has version %u, this hypervisor reads %d",
				      p->version, VC_VERSION);
	if (p->length > n || p->length < sizeof(*p))
		return control_refuse(err, EMSGSIZE, "plan-truncated", "the boot plan has %zu bytes, its head says %u", n, p->length);
	return 0;
}

static int plan_message(const uint8_t *bytes, size_t left, uint32_t index, struct vc_msg *m, struct control_error *err)
{
	uint32_t crc;

	if (left < sizeof(*m))
		return control_refuse(err, EMSGSIZE, "plan-truncated", "%zu bytes are left for message %u", left, index);
	memcpy(m, bytes, sizeof(*m));
	if (m->magic != VC_MSG_MAGIC || m->length > VC_BODY_MAX || m->length > left - sizeof(*m))
		return control_refuse(err, EBADMSG, "plan-damaged", "message %u has no valid head", index);
	crc = m->crc;
	m->crc = 0;
	if (control_crc(control_crc(0, m, sizeof(*m)), bytes + sizeof(*m), m->length) != crc)
		return control_refuse(err, EBADMSG, "plan-damaged", "the check sum of message %u is wrong", index);
	return 0;
}

static int plan_apply(struct control *c, struct config *to, const struct vc_msg *m, const uint8_t *body, struct control_error *err)
{
	struct object *o;
	int rc;

	if (!VC_IS_OBJECT(m->type) || (m->type & VC_DEL))
		return control_refuse(err, ENOSYS, "unknown-message", "message 0x%x does not belong in a boot plan", m->type);
	rc = object_check(m->type, body, m->length, err);
	if (rc)
		return rc;
	if (config_get(to, m->type, body))
		return control_refuse(err, EEXIST, "twice", "the plan has this %s twice", vc_object_form(m->type)->name);
	o = object_new(m->type, body, m->length);
	if (!o)
		return control_refuse(err, ENOMEM, "no-memory", "no memory for a %s", vc_object_form(m->type)->name);
	rc = apply_one(c, o, to, err);
	if (!rc && config_put(to, o)) {
		/* What was applied must be held by the configuration: make it undone again. */
		struct transition t = {.from = to, .to = to, .undoing = true};

		object_kind(o->type)->apply(c, o, NULL, &t, err);
		rc = control_refuse(err, ENOSPC, "too-many-objects", "no room for another %s", vc_object_form(o->type)->name);
	}
	if (rc)
		object_put(o);
	return rc;
}

static int plan_run(struct control *c, struct config *to, const struct vc_plan *p, struct control_error *err)
{
	const uint8_t *bytes = (const uint8_t *)p;
	uint32_t at = sizeof(*p);
	int refused = 0;

	for (uint32_t i = 0; i < p->messages; i++) {
		struct vc_msg m;
		int rc = plan_message(bytes + at, p->length - at, i, &m, err);

		if (rc) {
			env_log(ENV_ERROR, "control: boot plan: %s: %s; the rest of it is skipped", err->name, err->text);
			return refused + 1;
		}
		rc = plan_apply(c, to, &m, bytes + at + sizeof(m), err);
		if (rc) {
			env_log(ENV_ERROR, "control: boot plan, message %u: %s: %s", i, err->name, err->text);
			refused++;
		}
		at += sizeof(m) + m.length;
	}
	return refused;
}

int control_boot_plan(struct control *c, const void *bytes, size_t n, uint64_t now_ns)
{
	const struct vc_plan *p = bytes;
	struct control_error err = {0};
	struct config staged, none = {0};
	char note[64];
	int rc = plan_head(p, n, &err);

	c->now_ns = now_ns;
	if (rc) {
		env_log(ENV_ERROR, "control: %s: %s", err.name, err.text);
		return rc;
	}
	if (c->p.ops->utc_at_least && p->utc_ns)
		c->p.ops->utc_at_least(c->p.machine, p->utc_ns);
	config_init(&staged);
	rc = plan_run(c, &staged, p, &err);
	net_sync(c, &none, &staged);
	copy_name(note, sizeof(note), p->note[0] ? p->note : "boot plan");
	txn_new_generation(c, &staged, note, "boot");
	/* Nothing to go back to: an empty machine is not what somebody wants who says rollback. */
	c->gens = 1;
	dom_start_fresh(c);
	return rc;
}
