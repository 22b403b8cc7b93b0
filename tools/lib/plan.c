/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot plan: the objects as messages, in key order, behind a head. */
#include <stdio.h>
#include <stdlib.h>

#include "vfrc.h"

uint8_t *plan_make(const struct objects *o, const char *note, uint64_t utc_ns, size_t *size)
{
	struct vc_plan head = {.magic = VC_PLAN_MAGIC, .version = VC_VERSION, .messages = o->n, .utc_ns = utc_ns};
	size_t at = sizeof(head), n = sizeof(head);
	uint8_t *out;

	for (size_t i = 0; i < o->n; i++)
		n += sizeof(struct vc_msg) + o->v[i]->length;
	out = malloc(n);
	if (!out)
		return NULL;
	head.length = n;
	snprintf(head.note, sizeof(head.note), "%s", note);
	__builtin_memcpy(out, &head, sizeof(head));
	for (size_t i = 0; i < o->n; i++)
		at += vfrc_message(out + at, o->v[i]->type, i, 0, o->v[i]->body, o->v[i]->length);
	*size = n;
	return out;
}
