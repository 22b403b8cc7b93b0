/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects: what the configuration consists of. The table says how each kind is checked, named and applied. */
#include "internal.h"

#define KEY(s, f) {offsetof(struct s, f), sizeof(((struct s *)0)->f)}

static const struct object_kind object_kinds[] = {
	[VC_SCHED_SET - VC_SCHED_SET] = {
		.name = "scheduler", .fixed = sizeof(struct vc_sched_set),
		.key = {KEY(vc_sched_set, kind), KEY(vc_sched_set, target)},
		.check = sched_check, .apply = sched_apply,
	},
	[VC_ADDR_ADD - VC_SCHED_SET] = {
		.name = "address", .fixed = sizeof(struct vc_addr_add),
		.key = {KEY(vc_addr_add, addr)},
		.check = addr_check, .check_refs = addr_check_refs, .apply = addr_apply,
	},
	[VC_DOM_CREATE - VC_SCHED_SET] = {
		.name = "domain", .fixed = sizeof(struct vc_dom_create), .tail = true,
		.key = {KEY(vc_dom_create, name)},
		.check = dom_check, .check_refs = dom_check_refs, .apply = dom_apply,
	},
	[VC_SLICE_ADD - VC_SCHED_SET] = {
		.name = "slice", .fixed = sizeof(struct vc_slice_add),
		.key = {KEY(vc_slice_add, addr),
			{offsetof(struct vc_slice_add, kind), sizeof(struct vc_slice_add) - offsetof(struct vc_slice_add, kind)}},
		.check = slice_check, .check_refs = slice_check_refs, .apply = slice_apply,
	},
	[VC_RATE_SET - VC_SCHED_SET] = {
		.name = "rate", .fixed = sizeof(struct vc_rate_set),
		.key = {KEY(vc_rate_set, dom)},
		.check = rate_check, .check_refs = ref_dom, .apply = rate_apply,
	},
	[VC_RULE_SET - VC_SCHED_SET] = {
		.name = "rules", .fixed = sizeof(struct vc_rule_set), .tail = true,
		.key = {KEY(vc_rule_set, dom)},
		.check = rules_check, .check_refs = ref_dom, .apply = rules_apply,
	},
	[VC_DISK_SET - VC_SCHED_SET] = {
		.name = "disk", .fixed = sizeof(struct vc_disk_set),
		.key = {KEY(vc_disk_set, dom), KEY(vc_disk_set, index)},
		.check = disk_check, .check_refs = ref_dom, .apply = disk_apply,
	},
	[VC_SUB_SET - VC_SCHED_SET] = {
		.name = "sub-class", .fixed = sizeof(struct vc_sub_set),
		.key = {KEY(vc_sub_set, dom), KEY(vc_sub_set, index)},
		.check = sub_check, .check_refs = sub_check_refs, .apply = sub_apply,
	},
};
static_assert(ENV_ARRAY_SIZE(object_kinds) == VC_OBJECT_END - VC_SCHED_SET, "a kind for each object message");

const struct object_kind *object_kind(uint16_t type)
{
	ENV_ASSERT(type >= VC_SCHED_SET && type < VC_OBJECT_END);
	return &object_kinds[type - VC_SCHED_SET];
}

int object_check(uint16_t type, const void *body, size_t n, struct control_error *err)
{
	const struct object_kind *k = object_kind(type);

	if (n < k->fixed)
		return control_refuse(err, EMSGSIZE, "short-message", "the %s message has %zu bytes, it needs %u", k->name, n, k->fixed);
	if (n > k->fixed && !k->tail)
		return control_refuse(err, EMSGSIZE, "long-message", "the %s message has %zu bytes, it must have %u", k->name, n, k->fixed);
	return k->check(body, n, err);
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

int object_cmp(uint16_t type_a, const void *a, uint16_t type_b, const void *b)
{
	const struct object_kind *k;
	int r;

	if (type_a != type_b)
		return type_a < type_b ? -1 : 1;
	k = object_kind(type_a);
	r = memcmp((const uint8_t *)a + k->key[0].off, (const uint8_t *)b + k->key[0].off, k->key[0].len);
	if (!r)
		r = memcmp((const uint8_t *)a + k->key[1].off, (const uint8_t *)b + k->key[1].off, k->key[1].len);
	return r;
}

bool object_same(const struct object *a, const struct object *b)
{
	return a == b || (a->type == b->type && a->length == b->length && !memcmp(a->body, b->body, a->length));
}
