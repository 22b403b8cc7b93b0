/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration on the client's side: objects in the hypervisor's key order, so that two of them compare by a merge. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfrc.h"

#include <public/vfr_control_object.h>

const char *object_kind_name(uint16_t type)
{
	return vc_object_form(type)->name;
}

void objects_free(struct objects *o)
{
	for (size_t i = 0; i < o->n; i++)
		free(o->v[i]);
	free(o->v);
	memset(o, 0, sizeof(*o));
}

struct object *objects_add(struct objects *o, uint16_t type, const void *body, size_t n, int line, int col)
{
	struct object *x = malloc(sizeof(*x) + n);

	if (o->n == o->room) {
		o->room = o->room ? o->room * 2 : 64;
		o->v = realloc(o->v, o->room * sizeof(*o->v));
	}
	if (!x || !o->v) {
		fprintf(stderr, "vfrctl: no memory\n");
		exit(1);
	}
	x->type = type;
	x->length = n;
	x->line = line;
	x->col = col;
	memcpy(x->body, body, n);
	o->v[o->n++] = x;
	return x;
}

void objects_remove(struct objects *o, size_t i)
{
	free(o->v[i]);
	memmove(o->v + i, o->v + i + 1, (--o->n - i) * sizeof(*o->v));
}

int object_cmp(const struct object *a, const struct object *b)
{
	return vc_object_cmp(a->type, a->body, b->type, b->body);
}

bool object_same(const struct object *a, const struct object *b)
{
	return a->type == b->type && a->length == b->length && !memcmp(a->body, b->body, a->length);
}

static int cmp(const void *a, const void *b)
{
	return object_cmp(*(struct object *const *)a, *(struct object *const *)b);
}

void objects_sort(struct objects *o)
{
	if (o->n)
		qsort(o->v, o->n, sizeof(*o->v), cmp);
}

struct object *objects_find(const struct objects *o, const struct object *key)
{
	struct object **p = o->n ? bsearch(&key, o->v, o->n, sizeof(*o->v), cmp) : NULL;

	return p ? *p : NULL;
}

static int collect(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	for (uint32_t i = 0; i < p->count; i++) {
		struct vc_object h;

		if ((size_t)(end - rec) < sizeof(h))
			return 1;
		memcpy(&h, rec, sizeof(h));
		rec += sizeof(h);
		if (h.length > end - rec || !VC_IS_OBJECT(h.type) || h.type & VC_DEL)
			return 1;
		objects_add(ctx, h.type, rec, h.length, 0, 0);
		rec += h.length;
	}
	return 0;
}

int objects_read(struct vfrc *c, uint64_t generation, uint16_t type, struct objects *out, struct vfrc_reply *r)
{
	struct vc_page q = {.type = type, .generation = generation};

	memset(out, 0, sizeof(*out));
	return vfrc_pages(c, VC_CONFIG_READ, &q, collect, out, r);
}

const char *object_domain(const struct object *o)
{
	return vc_object_domain(o->type, o->body);
}

static void describe_dom(const struct vc_dom_create *d, char *out, size_t n)
{
	char mem[32];

	vfrc_format_size(d->mem_bytes, mem, sizeof(mem));
	snprintf(out, n, "domain %s: %s, %u vcpu%s, kernel %s%s%s, \"%.*s\"", d->name, mem, d->vcpus, d->vcpus == 1 ? "" : "s", d->kernel,
		 d->ramdisk[0] ? ", ramdisk " : "", d->ramdisk, d->cmdline_len, (const char *)(d + 1));
}

static void describe_sched(const struct vc_sched_set *s, char *out, size_t n)
{
	char rate[32];

	vfrc_format_rate(s->rate_bps, rate, sizeof(rate));
	snprintf(out, n, "scheduler of %s: %s%s%s", s->kind == VC_SCHED_CPU ? "the processors" : s->target, s->policy,
		 s->rate_bps ? ", paced to " : "", s->rate_bps ? rate : "");
}

static void describe_sub(const struct vc_sub_set *s, char *out, size_t n)
{
	char dscps[200];

	vfrc_format_dscps(s->dscps, dscps, sizeof(dscps));
	snprintf(out, n, "sub-class %u of %s: weight %u%s%s", s->index, s->dom, s->weight, s->dscps ? ", dscp " : "", dscps);
}

void object_describe(const struct object *o, char *out, size_t n)
{
	const void *b = o->body;
	const struct vc_slice_add *s = b;
	const struct vc_addr_add *a = b;
	char ip[64], ports[96], rates[500];

	switch (o->type) {
	case VC_SCHED_SET:
		describe_sched(b, out, n);
		break;
	case VC_SUB_SET:
		describe_sub(b, out, n);
		break;
	case VC_ADDR_ADD:
		vfrc_format_ip(&a->addr, ip, sizeof(ip));
		snprintf(out, n, "address %s/%u on %s%s", ip, a->prefix, a->uplink, a->flags & VC_ADDR_SHARED ? ", shared" : "");
		break;
	case VC_DOM_CREATE:
		describe_dom(b, out, n);
		break;
	case VC_SLICE_ADD:
		vfrc_format_ip(&s->addr, ip, sizeof(ip));
		vfrc_format_ports(s, ports, sizeof(ports));
		snprintf(out, n, "slice of %s: %s %s", s->dom, ip, ports);
		break;
	case VC_RATE_SET:
		vfrc_format_rates(b, rates, sizeof(rates));
		snprintf(out, n, "rate of %s: %s", object_domain(o), rates);
		break;
	case VC_RULE_SET:
		snprintf(out, n, "rules of %s: %u", object_domain(o)[0] ? object_domain(o) : "all domains",
			 ((const struct vc_rule_set *)b)->count);
		break;
	default:
		snprintf(out, n, "disk %u of %s", ((const struct vc_disk_set *)b)->index, object_domain(o));
	}
}
