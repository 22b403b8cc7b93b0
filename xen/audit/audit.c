/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit log: records, their ring, and the chain.
 *
 * A record gets its number, and a hash over the previous record's hash and its own content; whoever has one hash can thus
 * check all that came before or after. The ring forgets from its old end, and says how much. Time in the log never runs backwards: a
 * clock set back is held at the last record's time until it has caught up, since "who held it then?" needs an order.
 *
 * Lock: audit.lock guards all; sinks run under it, so that they see the records in order.
 */
#include <audit/audit_private.h>

static const char *const kind_names[AUDIT_KINDS] = {
	[AUDIT_LOG_STARTED] = "log-started",
	[AUDIT_SLICE_GRANTED] = "slice-granted",
	[AUDIT_SLICE_FREED] = "slice-freed",
	[AUDIT_DOMAIN_STARTED] = "domain-started",
	[AUDIT_DOMAIN_STOPPED] = "domain-stopped",
	[AUDIT_SOURCE_VIOLATION] = "source-violation",
	[AUDIT_ADDR_ADDED] = "addr-added",
	[AUDIT_ADDR_REMOVED] = "addr-removed",
	[AUDIT_POLICY_CHANGED] = "policy-changed",
	[AUDIT_SESSION_REFUSED] = "session-refused",
	[AUDIT_THING_GRANTED] = "whole-granted",
	[AUDIT_THING_FREED] = "whole-freed",
};

const char *audit_kind_name(uint16_t kind)
{
	return kind < AUDIT_KINDS && kind_names[kind] ? kind_names[kind] : "unknown";
}

struct audit *audit_create(const struct audit_config *config)
{
	struct audit *a = env_alloc(sizeof(*a));
	if (!a)
		return NULL;
	a->size = config->records ? config->records : 4096;
	a->rate_ns = config->rate_ns ? config->rate_ns : 1000000000ull;
	a->start_ns = config->start_utc_ns;
	a->ring = env_alloc(a->size * sizeof(*a->ring));
	int err = audit_holdings_init(&a->holdings, config->intervals ? config->intervals : 8192, config->holders ? config->holders : 4096);
	if (!err) {
		err = audit_things_init(&a->things, config->things ? config->things : 8192);
		if (err)
			audit_holdings_destroy(&a->holdings);
	}
	if (err || !a->ring) {
		if (!err) {
			audit_things_destroy(&a->things);
			audit_holdings_destroy(&a->holdings);
		}
		env_free(a->ring, a->size * sizeof(*a->ring));
		env_free(a, sizeof(*a));
		return NULL;
	}
	struct audit_record rec = { .kind = AUDIT_LOG_STARTED, .domid = AUDIT_NO_DOMAIN, .count = 1 };
	rec.utc_ns = audit_clock(a, a->start_ns);
	audit_append(a, &rec);
	return a;
}

void audit_destroy(struct audit *a)
{
	if (!a)
		return;
	audit_things_destroy(&a->things);
	audit_holdings_destroy(&a->holdings);
	env_free(a->ring, a->size * sizeof(*a->ring));
	env_free(a, sizeof(*a));
}

uint64_t audit_clock(struct audit *a, uint64_t utc_ns)
{
	if (utc_ns > a->last_ns)
		a->last_ns = utc_ns;
	return a->last_ns;
}

void audit_copy_text(char *to, size_t size, const char *from)
{
	size_t n = from ? strnlen(from, size - 1) : 0;
	if (n)
		memcpy(to, from, n);
	memset(to + n, 0, size - n);
}

void audit_set_domain(struct audit_record *rec, uint16_t domid, const char *name)
{
	rec->domid = domid;
	audit_copy_text(rec->domain, sizeof(rec->domain), name);
}

/* --- the chain --- */

static uint8_t *put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
	return at + bytes;
}

void audit_encode(const struct audit_record *rec, uint8_t out[AUDIT_ENCODED_SIZE])
{
	uint8_t *p = out;
	p = put(p, rec->seq, 8);
	p = put(p, rec->utc_ns, 8);
	p = put(p, rec->kind, 2);
	p = put(p, rec->domid, 2);
	p = put(p, rec->protos, 1);
	p = put(p, rec->ports.set, 1);
	p = put(p, rec->ports.offset_bits, 1);
	p = put(p, rec->ports.psid_bits, 1);
	p = put(p, rec->ports.psid, 2);
	p = put(p, rec->ports.first, 2);
	p = put(p, rec->ports.last, 2);
	p = put(p, rec->addr, 4);
	p = put(p, rec->count, 8);
	memcpy(p, rec->domain, sizeof(rec->domain));
	p += sizeof(rec->domain);
	memcpy(p, rec->text, sizeof(rec->text));
	p += sizeof(rec->text);
	memcpy(p, rec->thing.addr6, sizeof(rec->thing.addr6));
	p = put(p + sizeof(rec->thing.addr6), rec->thing.prefix, 1);
	p = put(p, rec->thing.ip_proto, 1);
	p = put(p, rec->thing.spi, 4);
	memset(p, 0, (size_t)(out + AUDIT_ENCODED_SIZE - p));
}

static_assert(42 + AUDIT_NAME_MAX + AUDIT_TEXT_MAX + 22 <= AUDIT_ENCODED_SIZE, "a record fits its encoding");

static void chain(const struct audit_record *rec, const uint8_t prev[AUDIT_HASH_SIZE], uint8_t out[AUDIT_HASH_SIZE])
{
	struct audit_sha256 sha;
	uint8_t bytes[AUDIT_ENCODED_SIZE];
	audit_encode(rec, bytes);
	audit_sha256_begin(&sha);
	audit_sha256_add(&sha, prev, AUDIT_HASH_SIZE);
	audit_sha256_add(&sha, bytes, sizeof(bytes));
	audit_sha256_end(&sha, out);
}

bool audit_verify(const struct audit_record *rec, const uint8_t prev[AUDIT_HASH_SIZE])
{
	uint8_t want[AUDIT_HASH_SIZE];
	chain(rec, prev, want);
	return !memcmp(want, rec->hash, sizeof(want));
}

uint64_t audit_append(struct audit *a, struct audit_record *rec)
{
	rec->seq = ++a->last_seq;
	chain(rec, a->chain, rec->hash);
	memcpy(a->chain, rec->hash, sizeof(a->chain));
	a->ring[(rec->seq - 1) % a->size] = *rec;
	for (uint32_t i = 0; i < a->n_sinks; i++)
		a->sink[i].record(a->sink[i].ctx, rec);
	return rec->seq;
}

/* --- events --- */

static void begin(struct audit *a, struct audit_record *rec, enum audit_kind kind, uint64_t utc_ns)
{
	env_lock(&a->lock);
	*rec = (struct audit_record){ .kind = kind, .domid = AUDIT_NO_DOMAIN, .count = 1 };
	rec->utc_ns = audit_clock(a, utc_ns);
}

static void end(struct audit *a, struct audit_record *rec)
{
	audit_append(a, rec);
	env_unlock(&a->lock);
}

static void describe_slice(struct audit_record *rec, const struct audit_domain *dom, uint32_t addr, uint8_t protos,
			   const struct audit_ports *ports)
{
	audit_set_domain(rec, dom->id, dom->name);
	rec->addr = addr;
	rec->protos = protos;
	rec->ports = *ports;
}

int audit_slice_granted(struct audit *a, uint64_t utc_ns, const struct audit_domain *dom, uint32_t addr, uint8_t protos,
			const struct audit_ports *ports)
{
	struct audit_record rec;
	struct audit_hold *hold;
	if (!audit_ports_valid(ports, protos))
		return -EINVAL;
	begin(a, &rec, AUDIT_SLICE_GRANTED, utc_ns);
	int err = audit_hold_open(&a->holdings, rec.utc_ns, dom, addr, protos, ports, &hold);
	if (!err) {
		describe_slice(&rec, dom, addr, protos, ports);
		hold->seq = audit_append(a, &rec);
	}
	env_unlock(&a->lock);
	return err;
}

int audit_slice_freed(struct audit *a, uint64_t utc_ns, const struct audit_domain *dom, uint32_t addr, uint8_t protos,
		      const struct audit_ports *ports)
{
	struct audit_record rec;
	if (!audit_ports_valid(ports, protos))
		return -EINVAL;
	begin(a, &rec, AUDIT_SLICE_FREED, utc_ns);
	struct audit_hold *hold = audit_hold_find(&a->holdings, dom->id, addr, protos, ports);
	if (hold) {
		audit_hold_close(&a->holdings, rec.utc_ns, hold);
		describe_slice(&rec, dom, addr, protos, ports);
		audit_append(a, &rec);
	}
	env_unlock(&a->lock);
	return hold ? 0 : -ENOENT;
}

static void describe_thing(struct audit_record *rec, const struct audit_domain *dom, const struct audit_thing *thing)
{
	audit_set_domain(rec, dom->id, dom->name);
	rec->addr = thing->addr;
	rec->thing = *thing;
}

int audit_thing_granted(struct audit *a, uint64_t utc_ns, const struct audit_domain *dom, const struct audit_thing *thing)
{
	struct audit_thing_hold *hold;
	struct audit_record rec;

	if (!audit_thing_valid(thing))
		return -EINVAL;
	begin(a, &rec, AUDIT_THING_GRANTED, utc_ns);
	int err = audit_thing_open(&a->things, rec.utc_ns, dom, thing, &hold);
	if (!err) {
		describe_thing(&rec, dom, thing);
		hold->seq = audit_append(a, &rec);
	}
	env_unlock(&a->lock);
	return err;
}

int audit_thing_freed(struct audit *a, uint64_t utc_ns, const struct audit_domain *dom, const struct audit_thing *thing)
{
	struct audit_record rec;

	if (!audit_thing_valid(thing))
		return -EINVAL;
	begin(a, &rec, AUDIT_THING_FREED, utc_ns);
	struct audit_thing_hold *hold = audit_thing_find(&a->things, dom->id, thing);
	if (hold) {
		/* One that ends at the very time it began was never held. */
		hold->to_ns = rec.utc_ns;
		describe_thing(&rec, dom, thing);
		audit_append(a, &rec);
	}
	env_unlock(&a->lock);
	return hold ? 0 : -ENOENT;
}

void audit_domain_started(struct audit *a, uint64_t utc_ns, const struct audit_domain *dom)
{
	struct audit_record rec;
	begin(a, &rec, AUDIT_DOMAIN_STARTED, utc_ns);
	audit_set_domain(&rec, dom->id, dom->name);
	end(a, &rec);
}

void audit_domain_stopped(struct audit *a, uint64_t utc_ns, const struct audit_domain *dom, const char *reason)
{
	struct audit_record rec;
	begin(a, &rec, AUDIT_DOMAIN_STOPPED, utc_ns);
	audit_set_domain(&rec, dom->id, dom->name);
	audit_copy_text(rec.text, sizeof(rec.text), reason);
	end(a, &rec);
}

static void addr_event(struct audit *a, uint64_t utc_ns, enum audit_kind kind, uint32_t addr)
{
	struct audit_record rec;
	begin(a, &rec, kind, utc_ns);
	rec.addr = addr;
	end(a, &rec);
}

void audit_addr_added(struct audit *a, uint64_t utc_ns, uint32_t addr)
{
	addr_event(a, utc_ns, AUDIT_ADDR_ADDED, addr);
}

void audit_addr_removed(struct audit *a, uint64_t utc_ns, uint32_t addr)
{
	addr_event(a, utc_ns, AUDIT_ADDR_REMOVED, addr);
}

static void text_event(struct audit *a, uint64_t utc_ns, enum audit_kind kind, const char *text)
{
	struct audit_record rec;
	begin(a, &rec, kind, utc_ns);
	audit_copy_text(rec.text, sizeof(rec.text), text);
	end(a, &rec);
}

void audit_policy_changed(struct audit *a, uint64_t utc_ns, const char *what)
{
	text_event(a, utc_ns, AUDIT_POLICY_CHANGED, what);
}

void audit_session_refused(struct audit *a, uint64_t utc_ns, const char *peer_and_reason)
{
	text_event(a, utc_ns, AUDIT_SESSION_REFUSED, peer_and_reason);
}

/* --- reading --- */

int audit_sink_add(struct audit *a, const struct audit_sink *sink)
{
	env_lock(&a->lock);
	int err = a->n_sinks == AUDIT_SINKS ? -ENOSPC : 0;
	if (!err)
		a->sink[a->n_sinks++] = *sink;
	env_unlock(&a->lock);
	return err;
}

struct audit_page audit_read(struct audit *a, uint64_t seq, struct audit_record *out, uint32_t max)
{
	struct audit_page page = { 0 };
	env_lock(&a->lock);
	uint64_t oldest = a->last_seq > a->size ? a->last_seq - a->size + 1 : 1;
	if (seq == 0)
		seq = 1;
	if (seq < oldest) {
		page.lost = oldest - seq;
		seq = oldest;
	}
	for (; page.n < max && seq <= a->last_seq; seq++)
		out[page.n++] = a->ring[(seq - 1) % a->size];
	page.next = seq;
	env_unlock(&a->lock);
	return page;
}

uint64_t audit_last_seq(struct audit *a)
{
	env_lock(&a->lock);
	uint64_t seq = a->last_seq;
	env_unlock(&a->lock);
	return seq;
}

/* What an index that knows all from `floor` on says: found, or whether that means nobody. */
static void answer(const struct audit *a, struct audit_holder *who, uint64_t floor, bool found, uint64_t utc_ns)
{
	who->known_from_ns = floor > a->start_ns ? floor : a->start_ns;
	if (utc_ns < a->start_ns)
		who->answer = AUDIT_BEFORE;
	else if (found)
		who->answer = AUDIT_HELD;
	else
		who->answer = utc_ns < floor ? AUDIT_EVICTED : AUDIT_NOBODY;
}

struct audit_holder audit_whois(struct audit *a, uint32_t addr, uint8_t proto, uint16_t port, uint64_t utc_ns)
{
	struct audit_holder who = { .domid = AUDIT_NO_DOMAIN };
	env_lock(&a->lock);
	bool found = utc_ns >= a->start_ns && audit_hold_lookup(&a->holdings, addr, proto, port, utc_ns, &who);
	answer(a, &who, a->holdings.floor_ns, found, utc_ns);
	env_unlock(&a->lock);
	return who;
}

struct audit_holder audit_whois_thing(struct audit *a, const struct audit_thing *asked, uint64_t utc_ns)
{
	struct audit_holder who = { .domid = AUDIT_NO_DOMAIN };
	env_lock(&a->lock);
	bool found = utc_ns >= a->start_ns && audit_thing_lookup(&a->things, asked, utc_ns, &who);
	answer(a, &who, a->things.floor_ns, found, utc_ns);
	env_unlock(&a->lock);
	return who;
}
