/* SPDX-License-Identifier: BSD-2-Clause */
/* No port of an address may have two slices: all ranges of a configuration, sorted, and each compared with the next. */
#include <vfr/vfr.h>

#include "internal.h"

struct range {
	struct vc_ip addr;
	uint8_t proto;
	uint16_t first, last;
	uint32_t object;
};

static int range_cmp(const struct range *a, const struct range *b)
{
	int r = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	if (r)
		return r;
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return 0;
}

static void sift(struct range *v, size_t root, size_t n)
{
	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		struct range x;

		if (child + 1 < n && range_cmp(&v[child], &v[child + 1]) < 0)
			child++;
		if (range_cmp(&v[root], &v[child]) >= 0)
			return;
		x = v[root];
		v[root] = v[child];
		v[child] = x;
	}
}

static void range_sort(struct range *v, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(v, i, n);
	while (n > 1) {
		struct range x = v[0];

		v[0] = v[--n];
		v[n] = x;
		sift(v, 0, n);
	}
}

/* The ranges of one slice, or only their number where v is NULL. */
static size_t slice_ranges(const struct vc_slice_add *s, uint32_t object, struct range *v)
{
	struct vfr_portset ps;
	size_t n = 0;
	int ranges;

	if (s->kind != VC_SLICE_RANGE && s->kind != VC_SLICE_MAPE)
		return 0;
	slice_portset(s, &ps);
	ranges = vfr_portset_ranges(&ps);
	for (unsigned int p = 1; p <= VC_PROTO_SCTP; p <<= 1) {
		for (int i = 0; i < ranges && (s->protos & p); i++, n++) {
			if (!v)
				continue;
			v[n].addr = s->addr;
			v[n].proto = p;
			v[n].object = object;
			vfr_portset_range(&ps, i, &v[n].first, &v[n].last);
		}
	}
	return n;
}

static void range_text(const struct range *r, char *out, size_t size)
{
	static const char *const protos[VC_PROTO_SCTP + 1] = {
		[VC_PROTO_TCP] = "tcp", [VC_PROTO_UDP] = "udp", [VC_PROTO_ICMP] = "icmp", [VC_PROTO_SCTP] = "sctp",
	};

	if (r->first == r->last)
		snprintf(out, size, "%u/%s", r->first, protos[r->proto]);
	else
		snprintf(out, size, "%u-%u/%s", r->first, r->last, protos[r->proto]);
}

/* Who has the ports already is the owner; of two that are new, who comes first in key order. */
static int refuse_overlap(const struct transition *t, const struct range *a, const struct range *b, const struct object **fault,
			  struct control_error *err)
{
	const struct object *oa = t->to->v[a->object], *ob = t->to->v[b->object];
	const struct object *had = config_get(t->from, VC_SLICE_ADD, ob->body);
	const struct vc_slice_add *owner, *asker;
	unsigned int port = b->first;
	char ip[48], wanted[24], owned[24];

	if (had && object_same(had, ob)) {
		const struct range *swap = a;

		oa = ob;
		ob = t->to->v[a->object];
		a = b;
		b = swap;
	}
	owner = (const void *)oa->body;
	asker = (const void *)ob->body;
	ip_text(&owner->addr, ip, sizeof(ip));
	*fault = ob;
	copy_name(err->owner, sizeof(err->owner), owner->dom);
	range_text(b, wanted, sizeof(wanted));
	range_text(a, owned, sizeof(owned));
	return control_refuse(err, EEXIST, "slice-taken", "%s asks for %s of %s, but port %u belongs to %s (%s)", asker->dom, wanted, ip,
			      port, owner->dom, owned);
}

int config_check_overlap(const struct transition *t, const struct object **fault, struct control_error *err)
{
	const struct config *to = t->to;
	uint32_t from = config_first(to, VC_SLICE_ADD), end = config_first(to, VC_SLICE_ADD + 1);
	size_t n = 0, room, k = 0;
	struct range *v;
	int rc = 0;

	for (uint32_t i = from; i < end; i++)
		n += slice_ranges((const void *)to->v[i]->body, i, NULL);
	if (!n)
		return 0;
	room = n * sizeof(*v);
	v = env_alloc(room);
	if (!v)
		return control_refuse(err, ENOMEM, "no-memory", "no memory to compare %zu port ranges", n);
	for (uint32_t i = from; i < end; i++)
		k += slice_ranges((const void *)to->v[i]->body, i, v + k);
	range_sort(v, n);
	for (size_t i = 1; i < n && !rc; i++)
		if (v[i - 1].proto == v[i].proto && v[i].first <= v[i - 1].last &&
		    !memcmp(&v[i - 1].addr, &v[i].addr, sizeof(v[i].addr)))
			rc = refuse_overlap(t, &v[i - 1], &v[i], fault, err);
	env_free(v, room);
	return rc;
}
