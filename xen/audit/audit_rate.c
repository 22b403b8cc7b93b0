/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source-port violations: a guest makes them as fast as it can send, so they are counted here and recorded once a domain and
 * period. A guest can thus neither flush the ring nor slow its neighbours down with them.
 */
#include <audit/audit_private.h>

#define PROBES 8

static void write_sum(struct audit *a, uint64_t now, struct audit_rate *r)
{
	struct audit_record rec = {
		.kind = AUDIT_SOURCE_VIOLATION, .utc_ns = now, .addr = r->addr, .protos = r->protos, .count = r->count
	};
	rec.ports = audit_ports_range(r->first, r->last);
	audit_set_domain(&rec, r->domid, r->domain);
	audit_append(a, &rec);
	r->count = 0;
}

/* The domain's slot, or one to take for it: free if there is one, else that of another, whose sum is written first. */
static struct audit_rate *slot_of(struct audit *a, uint64_t now, uint16_t domid)
{
	struct audit_rate *spare = NULL;
	for (unsigned int i = 0; i < PROBES; i++) {
		struct audit_rate *r = &a->rate[(domid + i) % AUDIT_RATE_SLOTS];
		if (r->used && r->domid == domid)
			return r;
		if (!spare || (spare->used && !r->used))
			spare = r;
	}
	if (spare->used && spare->count)
		write_sum(a, now, spare);
	spare->used = false;
	return spare;
}

static void add(struct audit_rate *r, uint32_t addr, uint8_t proto, uint16_t port, uint64_t count)
{
	if (r->count == 0) {
		r->first = r->last = port;
		r->protos = 0;
	}
	r->first = port < r->first ? port : r->first;
	r->last = port > r->last ? port : r->last;
	r->protos |= proto;
	r->addr = addr;
	r->count += count;
}

void audit_source_violation(struct audit *a, uint64_t utc_ns, const struct audit_domain *dom, uint32_t addr, uint8_t proto,
			    uint16_t port, uint64_t count)
{
	env_lock(&a->lock);
	uint64_t now = audit_clock(a, utc_ns);
	struct audit_rate *r = slot_of(a, now, dom->id);
	bool due = !r->used || now - r->since_ns >= a->rate_ns;
	if (!r->used) {
		r->used = true;
		r->domid = dom->id;
		audit_copy_text(r->domain, sizeof(r->domain), dom->name);
	}
	add(r, addr, proto, port, count);
	if (due) {
		write_sum(a, now, r);
		r->since_ns = now;
	}
	env_unlock(&a->lock);
}

void audit_tick(struct audit *a, uint64_t utc_ns)
{
	env_lock(&a->lock);
	uint64_t now = audit_clock(a, utc_ns);
	for (unsigned int i = 0; i < AUDIT_RATE_SLOTS; i++) {
		struct audit_rate *r = &a->rate[i];
		if (!r->used || now - r->since_ns < a->rate_ns)
			continue;
		if (r->count) {
			write_sum(a, now, r);
			r->since_ns = now;
		} else {
			r->used = false;
		}
	}
	env_unlock(&a->lock);
}
