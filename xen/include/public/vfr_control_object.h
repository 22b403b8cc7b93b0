/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms of objects: what both ends know of a kind beside its struct. A key is compared part by part, as bytes. */
#ifndef PUBLIC_VFR_CONTROL_OBJECT_H
#define PUBLIC_VFR_CONTROL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "vfr_control.h"

struct vc_part {
	uint8_t off, len;
};

struct vc_object_form {
	const char *name;
	size_t fixed;			/* bytes of the body; at least, where a tail follows */
	bool tail;
	struct vc_part key[2];		/* a length of 0 ends it */
	struct vc_part dom;		/* the domain it belongs to; length 0: to none */
};

#define VC_PART(s, f) {offsetof(struct s, f), sizeof(((struct s *)0)->f)}

static const struct vc_object_form vc_object_forms[] = {
	[VC_SCHED_SET - VC_SCHED_SET] = {
		.name = "scheduler", .fixed = sizeof(struct vc_sched_set),
		.key = {VC_PART(vc_sched_set, kind), VC_PART(vc_sched_set, target)},
	},
	[VC_ADDR_ADD - VC_SCHED_SET] = {.name = "address", .fixed = sizeof(struct vc_addr_add), .key = {VC_PART(vc_addr_add, addr)}},
	[VC_DOM_CREATE - VC_SCHED_SET] = {
		.name = "domain", .fixed = sizeof(struct vc_dom_create), .tail = true, .key = {VC_PART(vc_dom_create, name)},
		.dom = VC_PART(vc_dom_create, name),
	},
	/* All but the owner. */
	[VC_SLICE_ADD - VC_SCHED_SET] = {
		.name = "slice", .fixed = sizeof(struct vc_slice_add), .dom = VC_PART(vc_slice_add, dom),
		.key = {VC_PART(vc_slice_add, addr),
			{offsetof(struct vc_slice_add, kind), sizeof(struct vc_slice_add) - offsetof(struct vc_slice_add, kind)}},
	},
	[VC_RATE_SET - VC_SCHED_SET] = {
		.name = "rate", .fixed = sizeof(struct vc_rate_set), .key = {VC_PART(vc_rate_set, dom)}, .dom = VC_PART(vc_rate_set, dom),
	},
	[VC_RULE_SET - VC_SCHED_SET] = {
		.name = "rules", .fixed = sizeof(struct vc_rule_set), .tail = true, .key = {VC_PART(vc_rule_set, dom)},
		.dom = VC_PART(vc_rule_set, dom),
	},
	[VC_DISK_SET - VC_SCHED_SET] = {
		.name = "disk", .fixed = sizeof(struct vc_disk_set), .dom = VC_PART(vc_disk_set, dom),
		.key = {VC_PART(vc_disk_set, dom), VC_PART(vc_disk_set, index)},
	},
	[VC_SUB_SET - VC_SCHED_SET] = {
		.name = "sub-class", .fixed = sizeof(struct vc_sub_set), .dom = VC_PART(vc_sub_set, dom),
		.key = {VC_PART(vc_sub_set, dom), VC_PART(vc_sub_set, index)},
	},
};
static_assert(sizeof(vc_object_forms) / sizeof(*vc_object_forms) == VC_OBJECT_END - VC_SCHED_SET, "a form for each object message");

/* => of a type for which VC_IS_OBJECT holds, without VC_DEL */
static inline const struct vc_object_form *vc_object_form(uint16_t type)
{
	return &vc_object_forms[type - VC_SCHED_SET];
}

/* => the name of the domain that an object belongs to; "" where it is of all or of none */
static inline const char *vc_object_domain(uint16_t type, const void *body)
{
	const struct vc_part *p = &vc_object_form(type)->dom;

	return p->len ? (const char *)body + p->off : "";
}

/* => the order of objects: by type, then by key */
static inline int vc_object_cmp(uint16_t type_a, const void *a, uint16_t type_b, const void *b)
{
	int r = type_a < type_b ? -1 : type_a > type_b;

	for (unsigned int i = 0; i < 2 && !r; i++) {
		const struct vc_part *p = &vc_object_form(type_a)->key[i];

		r = memcmp((const char *)a + p->off, (const char *)b + p->off, p->len);
	}
	return r;
}

#endif
