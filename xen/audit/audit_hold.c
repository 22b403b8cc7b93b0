/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who holds and held which ports: the index behind audit_whois().
 *
 * A holding falls into blocks: a port set of RFC 7597 is one block, and so is every aligned power-of-two range (a port set with
 * a = 0), into at most 30 of which any range falls. A block is a key: address, protocols, shape (a, k) and number. Whoever asks
 * about a port asks for the one block of each shape in use that contains it.
 *
 * Present holdings are in a table by key. A freed one goes, block by block, to a ring; the blocks of one key form a
 * list from the newest backwards, in the order of time since they cannot overlap. Each entry has a second pointer that skips
 * (skew-binary, as deep as the list needs), so a time is found in O(log n) although entries are only ever added at one end
 * and dropped at the other.
 */
#include <audit/audit_private.h>

static uint64_t key_of(uint32_t addr, uint8_t protos, unsigned int a, unsigned int k, unsigned int psid)
{
	return (uint64_t)addr << 32 | (uint64_t)protos << 26 | (uint64_t)a << 21 | (uint64_t)k << 16 | psid;
}

static uint32_t hash(uint64_t key)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 32);
}

static uint32_t pow2_at_least(uint32_t n)
{
	uint32_t p = 16;
	while (p < n)
		p *= 2;
	return p;
}

int audit_holdings_init(struct audit_holdings *h, uint32_t past, uint32_t present)
{
	h->cap = past;
	h->max_open = present;
	h->buckets = pow2_at_least(past);
	h->open_buckets = pow2_at_least(present);
	h->open = env_alloc(h->open_buckets * sizeof(*h->open));
	h->holds = env_alloc(past * sizeof(*h->holds));
	h->parts = env_alloc(past * sizeof(*h->parts));
	h->newest = env_alloc(h->buckets * sizeof(*h->newest));
	if (h->open && h->holds && h->parts && h->newest)
		return 0;
	audit_holdings_destroy(h);
	return -ENOMEM;
}

static struct audit_part **open_bucket(const struct audit_holdings *h, uint64_t key)
{
	return &h->open[hash(key) & (h->open_buckets - 1)];
}

static void unlink_parts(struct audit_holdings *h, struct audit_hold *hold)
{
	for (uint32_t i = 0; i < hold->n_parts; i++) {
		struct audit_part **b = open_bucket(h, hold->part[i].key);
		while (*b != &hold->part[i])
			b = &(*b)->next;
		*b = hold->part[i].next;
	}
}

static size_t hold_size(uint32_t n_parts)
{
	return sizeof(struct audit_hold) + n_parts * sizeof(struct audit_part);
}

void audit_holdings_destroy(struct audit_holdings *h)
{
	for (uint32_t i = 0; h->open && i < h->open_buckets; i++)
		while (h->open[i]) {
			struct audit_hold *hold = h->open[i]->hold;
			unlink_parts(h, hold);
			env_free(hold, hold_size(hold->n_parts));
		}
	env_free(h->open, h->open_buckets * sizeof(*h->open));
	env_free(h->holds, h->cap * sizeof(*h->holds));
	env_free(h->parts, h->cap * sizeof(*h->parts));
	env_free(h->newest, h->buckets * sizeof(*h->newest));
}

struct audit_ports audit_ports_set(uint8_t a, uint8_t k, uint16_t psid)
{
	unsigned int m = 16u - a - k;
	unsigned int low = (a ? 1u << (k + m) : 0) | (unsigned int)psid << m;
	unsigned int high = (a ? ((1u << a) - 1) << (k + m) : 0) | (unsigned int)psid << m | ((1u << m) - 1);
	return (struct audit_ports){
		.set = true, .offset_bits = a, .psid_bits = k, .psid = psid, .first = (uint16_t)low, .last = (uint16_t)high
	};
}

bool audit_ports_valid(const struct audit_ports *p, uint8_t protos)
{
	if (protos == 0 || protos & ~AUDIT_PROTOS || p->first > p->last)
		return false;
	return !p->set || (p->offset_bits + p->psid_bits <= 16 && p->psid < 1u << p->psid_bits);
}

struct shape {
	uint8_t a, k;
	uint16_t psid;
};

/* The blocks that the ports fall into. */
static uint32_t split(const struct audit_ports *p, struct shape out[AUDIT_PARTS_MAX])
{
	if (p->set) {
		out[0] = (struct shape){ p->offset_bits, p->psid_bits, p->psid };
		return 1;
	}
	uint32_t n = 0;
	for (uint32_t at = p->first; at <= p->last;) {
		unsigned int m = at ? (unsigned int)__builtin_ctz(at) : 16;
		while (m > 16 || at + (1u << m) - 1 > p->last)
			m--;
		out[n++] = (struct shape){ 0, (uint8_t)(16 - m), (uint16_t)(at >> m) };
		at += 1u << m;
	}
	return n;
}

/* -ENOSPC, -ENOMEM. The record's number is the caller's to set. */
int audit_hold_open(struct audit_holdings *h, uint64_t now, const struct audit_domain *dom, uint32_t addr, uint8_t protos,
		    const struct audit_ports *ports, struct audit_hold **out)
{
	struct shape shape[AUDIT_PARTS_MAX];
	uint32_t n = split(ports, shape);
	if (h->n_open >= h->max_open)
		return -ENOSPC;
	struct audit_hold *hold = env_alloc(hold_size(n));
	if (!hold)
		return -ENOMEM;
	hold->from_ns = now;
	hold->addr = addr;
	hold->protos = protos;
	hold->ports = *ports;
	hold->domid = dom->id;
	audit_copy_text(hold->domain, sizeof(hold->domain), dom->name);
	hold->n_parts = n;
	for (uint32_t i = 0; i < n; i++) {
		struct audit_part *part = &hold->part[i];
		part->hold = hold;
		part->key = key_of(addr, protos, shape[i].a, shape[i].k, shape[i].psid);
		struct audit_part **b = open_bucket(h, part->key);
		part->next = *b;
		*b = part;
		h->used[shape[i].a] |= 1u << shape[i].k;
	}
	h->protos_used |= (uint16_t)(1u << protos);
	h->n_open++;
	*out = hold;
	return 0;
}

static bool same_ports(const struct audit_ports *x, const struct audit_ports *y)
{
	if (x->set != y->set)
		return false;
	return x->set ? x->offset_bits == y->offset_bits && x->psid_bits == y->psid_bits && x->psid == y->psid :
			x->first == y->first && x->last == y->last;
}

struct audit_hold *audit_hold_find(struct audit_holdings *h, uint16_t domid, uint32_t addr, uint8_t protos, const struct audit_ports *ports)
{
	struct shape shape[AUDIT_PARTS_MAX];
	split(ports, shape);
	uint64_t key = key_of(addr, protos, shape[0].a, shape[0].k, shape[0].psid);
	for (struct audit_part *p = *open_bucket(h, key); p; p = p->next)
		if (p->key == key && p->hold->domid == domid && same_ports(&p->hold->ports, ports))
			return p->hold;
	return NULL;
}

/* --- past ones --- */

static struct audit_past_part *past(const struct audit_holdings *h, uint64_t number)
{
	return number && number + h->cap > h->last_part ? &h->parts[(number - 1) % h->cap] : NULL;
}

static uint32_t *newest_bucket(const struct audit_holdings *h, uint64_t key)
{
	return &h->newest[hash(key) & (h->buckets - 1)];
}

/* Where the bucket points to the newest part of a key; its end when there is none. */
static uint32_t *find_newest(const struct audit_holdings *h, uint64_t key)
{
	uint32_t *at = newest_bucket(h, key);
	while (*at && h->parts[*at - 1].key != key)
		at = &h->parts[*at - 1].next;
	return at;
}

/* Free the slot that the next part will take. */
static void forget(struct audit_holdings *h, uint32_t slot)
{
	struct audit_past_part *old = &h->parts[slot];
	if (h->last_part < h->cap)
		return;
	uint32_t *at = find_newest(h, old->key);
	if (*at == slot + 1)
		*at = old->next;
	if (old->to_ns > h->floor_ns)
		h->floor_ns = old->to_ns;
}

static uint64_t number_in(const struct audit_holdings *h, uint32_t slot)
{
	uint64_t newest_slot = (h->last_part - 1) % h->cap;
	return h->last_part - (newest_slot + h->cap - slot) % h->cap;
}

/* Make `part` the successor of the one that was its key's newest. */
static void link_part(struct audit_holdings *h, struct audit_past_part *part, uint64_t prev)
{
	const struct audit_past_part *p = past(h, prev), *j = p ? past(h, p->jump) : NULL;
	part->prev = p ? prev : 0;
	part->depth = p ? p->depth + 1 : 0;
	if (p && j && p->depth - p->jump_depth == j->depth - j->jump_depth) {
		part->jump = j->jump;
		part->jump_depth = j->jump_depth;
	} else if (p) {
		part->jump = prev;
		part->jump_depth = p->depth;
	} else {
		part->jump = 0;
		part->jump_depth = 0;
	}
}

static void remember(struct audit_holdings *h, const struct audit_hold *hold, uint64_t key, uint64_t now)
{
	uint32_t slot = (uint32_t)(h->last_part % h->cap);
	struct audit_past_part *part = &h->parts[slot];
	forget(h, slot);
	uint32_t *at = find_newest(h, key);
	uint64_t prev = *at ? number_in(h, *at - 1) : 0;
	uint32_t next = *at ? h->parts[*at - 1].next : 0;
	h->last_part++;
	part->key = key;
	part->hold = h->last_hold;
	part->from_ns = hold->from_ns;
	part->to_ns = now;
	link_part(h, part, prev);
	part->next = next;
	*at = slot + 1;
}

/* Move a present holding to the past. Needs no memory. */
void audit_hold_close(struct audit_holdings *h, uint64_t now, struct audit_hold *hold)
{
	struct audit_past_hold *past_hold = &h->holds[h->last_hold++ % h->cap];
	past_hold->seq = hold->seq;
	past_hold->domid = hold->domid;
	memcpy(past_hold->domain, hold->domain, sizeof(past_hold->domain));
	unlink_parts(h, hold);
	for (uint32_t i = 0; i < hold->n_parts; i++)
		remember(h, hold, hold->part[i].key, now);
	h->n_open--;
	env_free(hold, hold_size(hold->n_parts));
}

/* The newest part of a key that began at or before t. */
static const struct audit_past_part *find_time(const struct audit_holdings *h, uint64_t key, uint64_t t)
{
	uint32_t slot = *find_newest(h, key);
	const struct audit_past_part *part = slot ? &h->parts[slot - 1] : NULL;
	while (part && part->from_ns > t) {
		const struct audit_past_part *far = past(h, part->jump);
		part = far && far->from_ns > t ? far : past(h, part->prev);
	}
	return part;
}

static bool lookup_key(const struct audit_holdings *h, uint64_t key, uint64_t t, struct audit_holder *out)
{
	for (const struct audit_part *p = *open_bucket(h, key); p; p = p->next)
		if (p->key == key && p->hold->from_ns <= t) {
			out->domid = p->hold->domid;
			memcpy(out->domain, p->hold->domain, sizeof(out->domain));
			out->from_ns = p->hold->from_ns;
			out->seq = p->hold->seq;
			return true;
		}
	const struct audit_past_part *part = find_time(h, key, t);
	if (!part || t >= part->to_ns)
		return false;
	const struct audit_past_hold *hold = &h->holds[(part->hold - 1) % h->cap];
	out->domid = hold->domid;
	memcpy(out->domain, hold->domain, sizeof(out->domain));
	out->from_ns = part->from_ns;
	out->to_ns = part->to_ns;
	out->seq = hold->seq;
	return true;
}

static bool lookup_shape(const struct audit_holdings *h, uint32_t addr, uint8_t proto, unsigned int a, unsigned int k, uint16_t port,
			 uint64_t t, struct audit_holder *out)
{
	unsigned int psid = (unsigned int)port >> (16 - a - k) & ((1u << k) - 1);
	if (a && port >> (16 - a) == 0)
		return false;
	for (uint8_t protos = 1; protos <= AUDIT_PROTOS; protos++)
		if ((protos & proto) && (h->protos_used >> protos & 1) && lookup_key(h, key_of(addr, protos, a, k, psid), t, out))
			return true;
	return false;
}

bool audit_hold_lookup(const struct audit_holdings *h, uint32_t addr, uint8_t proto, uint16_t port, uint64_t t, struct audit_holder *out)
{
	for (unsigned int a = 0; a <= 16; a++)
		for (unsigned int k = 0; h->used[a] >> k && k + a <= 16; k++)
			if ((h->used[a] >> k & 1) && lookup_shape(h, addr, proto, a, k, port, t, out))
				return true;
	return false;
}
