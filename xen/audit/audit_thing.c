/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who holds and held what is not split by ports: whole addresses, IPv6 prefixes, other protocols of a shared address, SPIs.
 * They are few and change rarely, so a plain table of present and past ones is enough: present ones stay, and the one that ended
 * first makes room. What the table had to forget is answered "not known", as for ports.
 */
#include <audit/audit_private.h>

int audit_things_init(struct audit_things *t, uint32_t cap)
{
	t->cap = cap;
	t->v = env_alloc(cap * sizeof(*t->v));
	return t->v ? 0 : -ENOMEM;
}

void audit_things_destroy(struct audit_things *t)
{
	env_free(t->v, t->cap * sizeof(*t->v));
}

bool audit_thing_valid(const struct audit_thing *x)
{
	if (x->prefix)
		return x->ip_proto == 0 && x->spi == 0 && (x->addr ? x->prefix == 32 : x->prefix == 64 || x->prefix == 128);
	return x->addr && x->ip_proto && (x->spi == 0 || x->ip_proto == AUDIT_ESP);
}

static bool same_thing(const struct audit_thing *x, const struct audit_thing *y)
{
	return x->addr == y->addr && !memcmp(x->addr6, y->addr6, sizeof(x->addr6)) && x->prefix == y->prefix &&
	       x->ip_proto == y->ip_proto && x->spi == y->spi;
}

/* => a free place, or that of the holding which ended first; NULL: all of them last. */
static struct audit_thing_hold *place(struct audit_things *t)
{
	struct audit_thing_hold *oldest = NULL;

	for (uint32_t i = 0; i < t->cap; i++) {
		struct audit_thing_hold *h = &t->v[i];

		if (!h->seq)
			return h;
		if (h->to_ns && (!oldest || h->to_ns < oldest->to_ns))
			oldest = h;
	}
	if (oldest && oldest->to_ns > t->floor_ns)
		t->floor_ns = oldest->to_ns;
	return oldest;
}

int audit_thing_open(struct audit_things *t, uint64_t now, const struct audit_domain *dom, const struct audit_thing *x,
		     struct audit_thing_hold **out)
{
	struct audit_thing_hold *h = place(t);

	if (!h)
		return -ENOSPC;
	*h = (struct audit_thing_hold){ .thing = *x, .domid = dom->id, .from_ns = now };
	audit_copy_text(h->domain, sizeof(h->domain), dom->name);
	*out = h;
	return 0;
}

struct audit_thing_hold *audit_thing_find(struct audit_things *t, uint16_t domid, const struct audit_thing *x)
{
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->v[i].seq && !t->v[i].to_ns && t->v[i].domid == domid && same_thing(&t->v[i].thing, x))
			return &t->v[i];
	return NULL;
}

/* An address lies in what is held of it; a protocol and an SPI are what they are, and ESP as a whole covers every SPI. */
static bool covers(const struct audit_thing *held, const struct audit_thing *asked)
{
	if (held->prefix && held->addr == 0)
		return asked->addr == 0 && !memcmp(held->addr6, asked->addr6, held->prefix / 8);
	if (held->addr != asked->addr)
		return false;
	return held->prefix || (held->ip_proto == asked->ip_proto && (held->spi == 0 || held->spi == asked->spi));
}

bool audit_thing_lookup(const struct audit_things *t, const struct audit_thing *x, uint64_t at, struct audit_holder *out)
{
	const struct audit_thing_hold *best = NULL;

	for (uint32_t i = 0; i < t->cap; i++) {
		const struct audit_thing_hold *h = &t->v[i];

		if (!h->seq || !covers(&h->thing, x) || h->from_ns > at || (h->to_ns && h->to_ns <= at))
			continue;
		/* The SPI's own holder before that of all ESP. */
		if (!best || h->thing.spi > best->thing.spi)
			best = h;
	}
	if (!best)
		return false;
	out->domid = best->domid;
	memcpy(out->domain, best->domain, sizeof(out->domain));
	out->from_ns = best->from_ns;
	out->to_ns = best->to_ns;
	out->seq = best->seq;
	return true;
}
