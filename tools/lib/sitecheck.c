/* SPDX-License-Identifier: BSD-2-Clause */
/* What a site file says as a whole: nobody named twice, no port owned twice, every address known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfrc.h"

struct range {
	const struct vc_slice_add *slice;
	const struct object *o;
	unsigned int proto, first, last;
};

struct ranges {
	struct range *v;
	size_t n, room;
};

static void add_range(struct ranges *r, const struct object *o, unsigned int proto, unsigned int first, unsigned int last)
{
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 256;
		r->v = realloc(r->v, r->room * sizeof(*r->v));
		if (!r->v)
			exit(1);
	}
	r->v[r->n++] = (struct range){(const void *)o->body, o, proto, first, last};
}

struct adding {
	struct ranges *r;
	const struct object *o;
	unsigned int proto;
};

static void add_run(void *ctx, unsigned int first, unsigned int last)
{
	const struct adding *a = ctx;

	add_range(a->r, a->o, a->proto, first, last);
}

static void add_slice(struct ranges *r, const struct object *o)
{
	const struct vc_slice_add *s = (const void *)o->body;

	for (unsigned int p = 1; p <= VC_PROTO_SCTP; p <<= 1)
		if (s->protos & p)
			vfrc_each_run(s, add_run, &(struct adding){r, o, p});
}

static int range_cmp(const void *x, const void *y)
{
	const struct range *a = x, *b = y;
	int r = memcmp(&a->slice->addr, &b->slice->addr, sizeof(a->slice->addr));

	if (r)
		return r;
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static void tell_overlap(struct site *s, const struct range *a, const struct range *b)
{
	const struct range *late = a->o->line > b->o->line ? a : b, *early = late == a ? b : a;
	char ip[64], p[96], q[96];

	vfrc_format_ip(&late->slice->addr, ip, sizeof(ip));
	vfrc_format_ports(late->slice, p, sizeof(p));
	vfrc_format_ports(early->slice, q, sizeof(q));
	site_error(s, late->o->line, late->o->col, "%s asks for %s of %s, but %s has %s (line %d): give one of them other ports",
		   late->slice->dom, p, ip, early->slice->dom, q, early->o->line);
}

static void check_overlap(struct site *s)
{
	const struct object *told_a = NULL, *told_b = NULL;
	struct ranges r = {0};

	for (size_t i = 0; i < s->objects.n; i++)
		if (s->objects.v[i]->type == VC_SLICE_ADD)
			add_slice(&r, s->objects.v[i]);
	if (r.n)
		qsort(r.v, r.n, sizeof(*r.v), range_cmp);
	for (size_t i = 1; i < r.n; i++) {
		const struct range *a = &r.v[i - 1], *b = &r.v[i];

		if (memcmp(&a->slice->addr, &b->slice->addr, sizeof(a->slice->addr)) || a->proto != b->proto || b->first > a->last)
			continue;
		if (a->o == told_a && b->o == told_b)
			continue;
		tell_overlap(s, a, b);
		told_a = a->o;
		told_b = b->o;
	}
	free(r.v);
}

static const char *nearest_domain(struct site *s, const char *name)
{
	const char **names = calloc(s->objects.n + 1, sizeof(*names)), *near;
	size_t n = 0;

	for (size_t i = 0; names && i < s->objects.n; i++)
		if (s->objects.v[i]->type == VC_DOM_CREATE)
			names[n++] = object_domain(s->objects.v[i]);
	near = names ? vfrc_suggest(name, names, n) : NULL;
	free(names);
	return near;
}

static void check_domain(struct site *s, const struct object *o)
{
	struct object *key = calloc(1, sizeof(*key) + sizeof(struct vc_dom_create));
	const char *dom = object_domain(o), *near;

	key->type = VC_DOM_CREATE;
	memcpy(key->body, dom, VC_NAME);
	if (dom[0] && !objects_find(&s->objects, key)) {
		near = nearest_domain(s, dom);
		site_error(s, o->line, o->col, "there is no domain %s%s%s", dom, near ? ": did you mean " : "", near ? near : "");
	}
	free(key);
}

static void check_address(struct site *s, const struct object *o)
{
	const struct vc_slice_add *slice = (const void *)o->body;
	const struct vc_addr_add *a = NULL;
	char ip[64];

	if (slice->kind == VC_SLICE_INTERNAL || !vfrc_ip_is_v4(&slice->addr))
		return;
	vfrc_format_ip(&slice->addr, ip, sizeof(ip));
	for (size_t i = 0; i < s->objects.n && s->objects.v[i]->type <= VC_ADDR_ADD; i++)
		if (s->objects.v[i]->type == VC_ADDR_ADD && !memcmp(s->objects.v[i]->body, &slice->addr, sizeof(slice->addr)))
			a = (const void *)s->objects.v[i]->body;
	if (!a)
		site_error(s, o->line, o->col, "%s asks for a part of %s, which is not among the addresses", slice->dom, ip);
	else if ((slice->kind != VC_SLICE_WHOLE) != !!(a->flags & VC_ADDR_SHARED))
		site_error(s, o->line, o->col,
			   slice->kind == VC_SLICE_WHOLE ? "%s cannot own %s whole: it is shared (write 'shared: false')" :
			   "%s cannot have ports of %s: it is not shared", slice->dom, ip);
}

static void check_twice(struct site *s)
{
	for (size_t i = 1; i < s->objects.n; i++) {
		const struct object *a = s->objects.v[i - 1], *b = s->objects.v[i];
		char what[200];

		if (object_cmp(a, b))
			continue;
		/* The same ports of one domain twice are told by the overlap. */
		if (a->type == VC_SLICE_ADD && ((const struct vc_slice_add *)a->body)->protos)
			continue;
		object_describe(b, what, sizeof(what));
		site_error(s, b->line > a->line ? b->line : a->line, b->col, "stands twice (the other is in line %d): %s",
			   b->line > a->line ? a->line : b->line, what);
	}
}

static int mac_cmp(const void *x, const void *y)
{
	const struct object *const *a = x, *const *b = y;

	return memcmp(((const struct vc_dom_create *)(*a)->body)->mac, ((const struct vc_dom_create *)(*b)->body)->mac, 6);
}

static void check_macs(struct site *s)
{
	const struct object **v = calloc(s->objects.n + 1, sizeof(*v));
	static const uint8_t none[6];
	size_t n = 0;

	for (size_t i = 0; v && i < s->objects.n; i++)
		if (s->objects.v[i]->type == VC_DOM_CREATE && memcmp(((const struct vc_dom_create *)s->objects.v[i]->body)->mac, none, 6))
			v[n++] = s->objects.v[i];
	if (n)
		qsort(v, n, sizeof(*v), mac_cmp);
	for (size_t i = 1; i < n; i++)
		if (!mac_cmp(&v[i - 1], &v[i]))
			site_error(s, v[i]->line, v[i]->col, "the MAC of %s is that of %s (line %d)", object_domain(v[i]),
				   object_domain(v[i - 1]), v[i - 1]->line);
	free(v);
}

static size_t module_size(const struct site *s, const char *name)
{
	for (size_t i = 0; i < s->nmodules; i++)
		if (!strncmp(s->modules[i]->name, name, VC_MODULE))
			return s->modules[i]->size;
	return 0;
}

/* A kernel takes at least the room that its packed file takes. */
static void check_room(struct site *s, const struct object *o)
{
	const struct vc_dom_create *d = (const void *)o->body;
	size_t kernel = module_size(s, d->kernel), ramdisk = module_size(s, d->ramdisk);

	if (kernel + ramdisk > d->mem_bytes)
		site_error(s, o->line, o->col, "%s has %llu KiB of memory: its kernel (%zu KiB) and ramdisk (%zu KiB) do not fit into it",
			   d->name, (unsigned long long)d->mem_bytes >> 10, kernel >> 10, ramdisk >> 10);
}

void site_check(struct site *s)
{
	check_twice(s);
	for (size_t i = 0; i < s->objects.n; i++) {
		if (s->objects.v[i]->type >= VC_SLICE_ADD)
			check_domain(s, s->objects.v[i]);
		if (s->objects.v[i]->type == VC_SLICE_ADD)
			check_address(s, s->objects.v[i]);
		if (s->objects.v[i]->type == VC_DOM_CREATE)
			check_room(s, s->objects.v[i]);
	}
	check_overlap(s);
	check_macs(s);
}
