/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slices: who owns which port of a shared address.
 *
 * Overview: for each shared address and protocol there is a table of 65536 slots; a packet finds its owner by one load.
 * Beside it, seen by claims only, stands until when a freed port is kept for its last owner, so that the peers of an old
 * connection do not meet a stranger on it.
 *
 * Synchronization: claims and frees hold v->config_lock: they check everything first and then write, so they are atomic among
 * themselves. A packet may see a claim half written, which is harmless: each port is either owned or not.
 *
 * A domain that is deleted leaves entries in other tables only if memory for a new table is missing; owner tables never
 * need memory to be cleared.
 */
#include <vfr/priv.h>

#define PORTS 65536u
#define YIELD_PORTS 4096u

static const uint8_t proto_number[SLICE_PROTOS] = { IP_TCP, IP_UDP, IP_ICMP, IP_SCTP };

int vfr_slice_proto(uint8_t ip_proto)
{
	for (int i = 0; i < SLICE_PROTOS; i++)
		if (proto_number[i] == ip_proto)
			return i;
	return -1;
}

void vfr_shared_gone(struct vfr *v, struct vfr_rcu *obj)
{
	struct vfr_shared *s = (struct vfr_shared *)obj;

	for (int i = 0; i < SLICE_PROTOS; i++) {
		env_free((void *)rcu_get(s->owner[i]), PORTS * sizeof(uint16_t));
		env_free(s->held[i], PORTS * sizeof(struct held));
	}
}

static struct vfr_shared *shared_at(struct vfr *v, uint32_t addr)
{
	const struct addr_entry *e = vfr_addr_find(rcu_get(v->addrs), addr);

	return e && e->kind == ADDR_SHARED ? e->shared : NULL;
}

static int make_tables(struct vfr_shared *s, unsigned int protos)
{
	for (int i = 0; i < SLICE_PROTOS; i++) {
		if (!(protos & 1u << i) || rcu_get(s->owner[i]))
			continue;
		if (!s->held[i])
			s->held[i] = env_alloc(PORTS * sizeof(struct held));
		_Atomic uint16_t *t = s->held[i] ? env_alloc(PORTS * sizeof(uint16_t)) : NULL;
		if (!t)
			return -ENOMEM;
		rcu_set(s->owner[i], t);
		env_yield();
	}
	return 0;
}

/* The next port of a range: all ports of a few protocols are long work. */
static unsigned int after(unsigned int port)
{
	if (!(++port % YIELD_PORTS))
		env_yield();
	return port;
}

static uint16_t load(const struct vfr_shared *s, int proto, unsigned int port)
{
	return vfr_owner(s, (unsigned int)proto, (uint16_t)port);
}

static void store(struct vfr_shared *s, int proto, unsigned int port, uint16_t slot)
{
	atomic_store_explicit(&rcu_get(s->owner[proto])[port], slot, memory_order_relaxed);
}

static bool in_the_way(struct vfr *v, const struct vfr_shared *s, int proto, unsigned int port, const struct vfr_dom *d,
		       uint32_t now_s, struct vfr_conflict *x)
{
	uint16_t slot = load(s, proto, port);
	const struct held *h = &s->held[proto][port];
	bool held_down = slot == SLOT_NONE && h->until_s > now_s && h->domid != d->domid;

	if (slot == d->slot || (slot == SLOT_NONE && !held_down))
		return false;
	if (x) {
		struct vfr_dom *owner = vfr_dom_at(v, slot);

		*x = (struct vfr_conflict){
			.domid = held_down ? h->domid : owner ? owner->domid : VFR_NODOM,
			.port = (uint16_t)port,
			.proto = (uint8_t)(1u << proto),
			.held_down = held_down,
			.until_ns = held_down ? h->until_s * SEC : 0,
		};
	}
	return true;
}

static int check_claim(struct vfr *v, const struct vfr_shared *s, unsigned int protos, const struct vfr_portset *ps, int ranges,
		       const struct vfr_dom *d, uint32_t now_s, struct vfr_conflict *x)
{
	uint16_t first, last;

	for (int proto = 0; proto < SLICE_PROTOS; proto++) {
		if (!(protos & 1u << proto))
			continue;
		for (int i = 0; i < ranges; i++) {
			vfr_portset_range(ps, (unsigned int)i, &first, &last);
			for (unsigned int port = first; port <= last; port = after(port))
				if (in_the_way(v, s, proto, port, d, now_s, x))
					return -EEXIST;
		}
	}
	return 0;
}

static void grant(struct vfr_shared *s, unsigned int protos, const struct vfr_portset *ps, int ranges, uint16_t slot)
{
	uint16_t first, last;

	for (int proto = 0; proto < SLICE_PROTOS; proto++) {
		if (!(protos & 1u << proto))
			continue;
		for (int i = 0; i < ranges; i++) {
			vfr_portset_range(ps, (unsigned int)i, &first, &last);
			for (unsigned int port = first; port <= last; port = after(port)) {
				s->in_use += load(s, proto, port) == SLOT_NONE;
				store(s, proto, port, slot);
			}
		}
	}
}

/* => ranges of a set that may be claimed for these protocols, or -EINVAL. */
static int usable(unsigned int protos, const struct vfr_portset *ps)
{
	if (!protos || (protos & ~(unsigned int)VFR_PROTOS_ALL))
		return -EINVAL;
	int ranges = vfr_portset_ranges(ps);
	if (ranges < 0)
		return ranges;
	return (protos & ~(unsigned int)VFR_ICMP) && vfr_portset_has(ps, 0) ? -EINVAL : ranges;
}

int vfr_slice_claim(struct vfr *v, uint64_t now_ns, uint32_t addr, unsigned int protos, const struct vfr_portset *ps,
		    uint16_t domid, struct vfr_conflict *conflict)
{
	int ranges = usable(protos, ps);

	if (ranges < 0 || domid >= VFR_GLOBAL)
		return -EINVAL;
	env_lock(&v->config_lock);
	struct vfr_shared *s = shared_at(v, addr);
	struct vfr_dom *d = s ? vfr_dom_get(v, domid) : NULL;
	int r = !s ? -ENOENT : !d ? -ENOMEM : make_tables(s, protos);
	if (!r)
		r = check_claim(v, s, protos, ps, ranges, d, (uint32_t)(now_ns / SEC), conflict);
	if (!r)
		grant(s, protos, ps, ranges, d->slot);
	env_unlock(&v->config_lock);
	return r;
}

static bool owns_all(const struct vfr_shared *s, unsigned int protos, const struct vfr_portset *ps, int ranges, uint16_t slot)
{
	uint16_t first, last;

	for (int proto = 0; proto < SLICE_PROTOS; proto++) {
		if (!(protos & 1u << proto))
			continue;
		for (int i = 0; i < ranges; i++) {
			vfr_portset_range(ps, (unsigned int)i, &first, &last);
			for (unsigned int port = first; port <= last; port = after(port))
				if (load(s, proto, port) != slot)
					return false;
		}
	}
	return true;
}

/* Second granularity: rounded up, so a port is never given away early. */
static void release_port(struct vfr *v, struct vfr_shared *s, int proto, unsigned int port, uint16_t domid, uint64_t now_ns)
{
	store(s, proto, port, SLOT_NONE);
	s->held[proto][port] = (struct held){
		.until_s = (uint32_t)((now_ns + SEC - 1) / SEC) + v->par.hold_down_s,
		.domid = domid,
	};
	s->in_use--;
}

int vfr_slice_free(struct vfr *v, uint64_t now_ns, uint32_t addr, unsigned int protos, const struct vfr_portset *ps, uint16_t domid)
{
	int ranges = usable(protos, ps), r = 0;
	uint16_t first, last;

	if (ranges < 0 || domid >= VFR_GLOBAL)
		return -EINVAL;
	env_lock(&v->config_lock);
	struct vfr_shared *s = shared_at(v, addr);
	struct vfr_dom *d = vfr_dom_find(v, domid);
	if (!s)
		r = -ENOENT;
	else if (!d || !owns_all(s, protos, ps, ranges, d->slot))
		r = -EACCES;
	for (int proto = 0; !r && proto < SLICE_PROTOS; proto++) {
		for (int i = 0; (protos & 1u << proto) && i < ranges; i++) {
			vfr_portset_range(ps, (unsigned int)i, &first, &last);
			for (unsigned int port = first; port <= last; port = after(port))
				release_port(v, s, proto, port, domid, now_ns);
		}
	}
	env_unlock(&v->config_lock);
	return r;
}

int vfr_slice_settle(struct vfr *v, uint32_t addr, unsigned int protos, const struct vfr_portset *ps)
{
	int ranges = usable(protos, ps);
	uint16_t first, last;

	if (ranges < 0)
		return -EINVAL;
	env_lock(&v->config_lock);
	struct vfr_shared *s = shared_at(v, addr);
	for (int proto = 0; s && proto < SLICE_PROTOS; proto++) {
		for (int i = 0; (protos & 1u << proto) && s->held[proto] && i < ranges; i++) {
			vfr_portset_range(ps, (unsigned int)i, &first, &last);
			for (unsigned int port = first; port <= last; port = after(port))
				s->held[proto][port].until_s = 0;
		}
	}
	env_unlock(&v->config_lock);
	return s ? 0 : -ENOENT;
}

uint16_t vfr_slice_owner(struct vfr *v, uint32_t addr, unsigned int proto, uint16_t port)
{
	uint16_t domid = VFR_NODOM;

	env_lock(&v->config_lock);
	struct vfr_shared *s = shared_at(v, addr);
	for (int i = 0; s && i < SLICE_PROTOS; i++) {
		struct vfr_dom *d = proto == 1u << i ? vfr_dom_at(v, load(s, i, port)) : NULL;

		if (d)
			domid = d->domid;
	}
	env_unlock(&v->config_lock);
	return domid;
}

/* The cursor counts table cell, protocol and port: 24, 8 and 32 bits are more than each needs. */
bool vfr_slice_next(struct vfr *v, uint64_t *cursor, struct vfr_slice_range *out)
{
	uint32_t cell = (uint32_t)(*cursor >> 40), port = (uint32_t)*cursor;
	int proto = (int)(*cursor >> 32 & 0xff);
	bool found = false;

	env_lock(&v->config_lock);
	const struct addr_table *t = rcu_get(v->addrs);
	for (; !found && cell <= t->mask; cell++, proto = 0, port = 0) {
		const struct vfr_shared *s = t->e[cell].kind == ADDR_SHARED ? t->e[cell].shared : NULL;

		for (; s && !found && proto < SLICE_PROTOS; proto++, port = 0) {
			while (rcu_get(s->owner[proto]) && port < PORTS && load(s, proto, port) == SLOT_NONE)
				port++;
			if (!rcu_get(s->owner[proto]) || port == PORTS)
				continue;
			uint16_t slot = load(s, proto, port);
			*out = (struct vfr_slice_range){ .addr = s->addr, .first = (uint16_t)port, .proto = (uint8_t)(1 << proto) };
			while (port < PORTS && load(s, proto, port) == slot)
				port++;
			out->last = (uint16_t)(port - 1);
			out->domid = vfr_dom_at(v, slot)->domid;
			*cursor = (uint64_t)cell << 40 | (uint64_t)proto << 32 | port;
			found = true;
		}
	}
	env_unlock(&v->config_lock);
	return found;
}

/* --- whole protocols and SPIs ----------------------------------------------------------------------------------------- */

static int take(struct vfr *v, _Atomic uint16_t *cell, struct vfr_shared *s, uint16_t domid, uint16_t *owner)
{
	struct vfr_dom *d = vfr_dom_get(v, domid), *there = vfr_dom_at(v, atomic_load(cell));

	if (!d)
		return -ENOMEM;
	if (there && there != d) {
		if (owner)
			*owner = there->domid;
		return -EEXIST;
	}
	s->in_use += !there;
	atomic_store(cell, d->slot);
	return 0;
}

static int give(struct vfr *v, _Atomic uint16_t *cell, struct vfr_shared *s, uint16_t domid)
{
	struct vfr_dom *d = vfr_dom_find(v, domid);

	if (!d || atomic_load(cell) != d->slot)
		return -EACCES;
	atomic_store(cell, SLOT_NONE);
	s->in_use--;
	return 0;
}

int vfr_proto_claim(struct vfr *v, uint32_t addr, uint8_t ip_proto, uint16_t domid, uint16_t *owner)
{
	if (vfr_slice_proto(ip_proto) >= 0 || domid >= VFR_GLOBAL)
		return -EINVAL;
	env_lock(&v->config_lock);
	struct vfr_shared *s = shared_at(v, addr);
	int r = s ? take(v, &s->proto[ip_proto], s, domid, owner) : -ENOENT;
	env_unlock(&v->config_lock);
	return r;
}

int vfr_proto_free(struct vfr *v, uint32_t addr, uint8_t ip_proto, uint16_t domid)
{
	if (domid >= VFR_GLOBAL)
		return -EINVAL;
	env_lock(&v->config_lock);
	struct vfr_shared *s = shared_at(v, addr);
	int r = s ? give(v, &s->proto[ip_proto], s, domid) : -ENOENT;
	env_unlock(&v->config_lock);
	return r;
}

/* => the cell of an SPI, or a free one if `make`; -1: none. */
static int spi_cell(struct vfr_shared *s, uint32_t spi, bool make)
{
	int spare = -1;

	for (int i = 0; i < SPI_MAX; i++) {
		bool used = atomic_load(&s->spi[i].slot) != SLOT_NONE;

		if (used && atomic_load(&s->spi[i].spi) == spi)
			return i;
		if (!used && spare < 0)
			spare = i;
	}
	return make ? spare : -1;
}

int vfr_spi_claim(struct vfr *v, uint32_t addr, uint32_t spi, uint16_t domid, uint16_t *owner)
{
	if (spi < 256 || domid >= VFR_GLOBAL)
		return -EINVAL;
	env_lock(&v->config_lock);
	struct vfr_shared *s = shared_at(v, addr);
	int cell = s ? spi_cell(s, spi, true) : -1;
	int r = !s ? -ENOENT : -ENOSPC;
	if (cell >= 0) {
		atomic_store(&s->spi[cell].spi, spi);
		r = take(v, &s->spi[cell].slot, s, domid, owner);
	}
	env_unlock(&v->config_lock);
	return r;
}

int vfr_spi_free(struct vfr *v, uint32_t addr, uint32_t spi, uint16_t domid)
{
	if (domid >= VFR_GLOBAL)
		return -EINVAL;
	env_lock(&v->config_lock);
	struct vfr_shared *s = shared_at(v, addr);
	int cell = s ? spi_cell(s, spi, false) : -1;
	int r = cell >= 0 ? give(v, &s->spi[cell].slot, s, domid) : -ENOENT;
	env_unlock(&v->config_lock);
	return r;
}

/* --- a domain goes ---------------------------------------------------------------------------------------------------- */

/* The whole space is looked through when a domain goes: four ports at a time, as most are not its own. */
static void drop_ports(struct vfr *v, struct vfr_shared *s, int proto, const struct vfr_dom *d, uint64_t now_ns)
{
	const uint64_t *four = (const uint64_t *)(const void *)rcu_get(s->owner[proto]);
	const uint64_t ones = 0x0001000100010001UL, wanted = ones * d->slot;

	for (unsigned int i = 0; four && i < PORTS / 4; i++) {
		uint64_t x = four[i] ^ wanted;

		if (!(i % (YIELD_PORTS / 4)))
			env_yield();
		if (!((x - ones) & ~x & ones << 15)) /* none of the four is zero */
			continue;
		for (unsigned int port = i * 4; port < i * 4 + 4; port++)
			if (load(s, proto, port) == d->slot)
				release_port(v, s, proto, port, d->domid, now_ns);
	}
}

static void drop_from(struct vfr *v, struct vfr_shared *s, const struct vfr_dom *d, uint64_t now_ns)
{
	for (int proto = 0; proto < SLICE_PROTOS; proto++)
		drop_ports(v, s, proto, d, now_ns);
	for (unsigned int i = 0; i < 256; i++)
		give(v, &s->proto[i], s, d->domid);
	for (unsigned int i = 0; i < SPI_MAX; i++)
		give(v, &s->spi[i].slot, s, d->domid);
}

void vfr_slices_drop_dom(struct vfr *v, const struct vfr_dom *d, uint64_t now_ns)
{
	const struct addr_table *t = rcu_get(v->addrs);

	for (uint32_t i = 0; i <= t->mask; i++)
		if (t->e[i].kind == ADDR_SHARED)
			drop_from(v, t->e[i].shared, d, now_ns);
}
