/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects: what the configuration consists of. The table says how each kind is checked and applied; names and keys are the protocol's. */
#include "internal.h"

static const struct object_kind object_kinds[] = {
	[VC_SCHED_SET - VC_SCHED_SET] = {.check = sched_check, .apply = sched_apply},
	[VC_ADDR_ADD - VC_SCHED_SET] = {.check = addr_check, .check_refs = addr_check_refs, .apply = addr_apply},
	[VC_DOM_CREATE - VC_SCHED_SET] = {.check = dom_check, .check_refs = dom_check_refs, .apply = dom_apply},
	[VC_SLICE_ADD - VC_SCHED_SET] = {.check = slice_check, .check_refs = slice_check_refs, .apply = slice_apply},
	[VC_RATE_SET - VC_SCHED_SET] = {.check = rate_check, .check_refs = ref_dom, .apply = rate_apply},
	[VC_RULE_SET - VC_SCHED_SET] = {.check = rules_check, .check_refs = ref_dom, .apply = rules_apply},
	[VC_DISK_SET - VC_SCHED_SET] = {.check = disk_check, .check_refs = ref_dom, .apply = disk_apply},
	[VC_SUB_SET - VC_SCHED_SET] = {.check = sub_check, .check_refs = sub_check_refs, .apply = sub_apply},
};
static_assert(ENV_ARRAY_SIZE(object_kinds) == VC_OBJECT_END - VC_SCHED_SET, "a kind for each object message");

const struct object_kind *object_kind(uint16_t type)
{
	ENV_ASSERT(type >= VC_SCHED_SET && type < VC_OBJECT_END);
	return &object_kinds[type - VC_SCHED_SET];
}

int object_check(uint16_t type, const void *body, size_t n, struct control_error *err)
{
	const struct vc_object_form *f = vc_object_form(type);

	if (n < f->fixed)
		return control_refuse(err, EMSGSIZE, "short-message", "the %s message has %zu bytes, it needs %zu", f->name, n, f->fixed);
	if (n > f->fixed && !f->tail)
		return control_refuse(err, EMSGSIZE, "long-message", "the %s message has %zu bytes, it must have %zu", f->name, n,
				      f->fixed);
	return object_kind(type)->check(body, n, err);
}

struct object *object_new(uint16_t type, const void *body, size_t n)
{
	struct object *o = n <= UINT16_MAX ? env_alloc(sizeof(*o) + n) : NULL;

	if (!o)
		return NULL;
	o->refs = 1;
	o->type = type;
	o->length = n;
	memcpy(o->body, body, n);
	return o;
}

struct object *object_ref(struct object *o)
{
	o->refs++;
	return o;
}

void object_put(struct object *o)
{
	if (o && --o->refs == 0)
		env_free(o, sizeof(*o) + o->length);
}

bool object_same(const struct object *a, const struct object *b)
{
	return a == b || (a->type == b->type && a->length == b->length && !memcmp(a->body, b->body, a->length));
}
