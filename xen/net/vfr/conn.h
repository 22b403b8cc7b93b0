/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: key, state and table, as the router's other files see them. */
#ifndef VFR_CONN_H
#define VFR_CONN_H

#include <assert.h>
#include <stdatomic.h>

#include <env.h>
#include <vfr/vfr.h>
#include <vfr/wire.h>

struct ctx;
struct vfr_dom;

/* The lower and the higher endpoint's address, then ports, protocol and family in one word: written and compared in whole words. */
struct conn_key {
	uint64_t a[2], b[2], rest;
};
static inline uint64_t conn_rest(uint16_t aport, uint16_t bport, uint8_t proto, uint8_t family)
{
	return aport | (uint64_t)bport << 16 | (uint64_t)proto << 32 | (uint64_t)family << 40;
}
static inline uint16_t conn_aport(const struct conn_key *k)
{
	return (uint16_t)k->rest;
}
static inline uint16_t conn_bport(const struct conn_key *k)
{
	return (uint16_t)(k->rest >> 16);
}
static inline uint8_t conn_proto(const struct conn_key *k)
{
	return (uint8_t)(k->rest >> 32);
}
static inline uint8_t conn_family(const struct conn_key *k)
{
	return (uint8_t)(k->rest >> 40);
}

struct conn {
	struct conn_key key;
	uint32_t next;			/* overflow chain or free list; index + 1 */
	uint32_t stamp;			/* ticks of the last packet */
	uint16_t life;			/* in TICK_LIFE units without one, then it is over */
	uint16_t slot[2];		/* domains whose rules have accepted it */
	uint16_t sched_class[2];	/* of each of them: it means something to that domain only */
	uint16_t charged;
	uint8_t state;
	bool opener_b;			/* endpoint b sent the first packet */
};
static_assert(sizeof(struct conn) == ENV_CACHE_LINE, "one cache line a connection");

/* Clocks of tables: 2^27 ns (134 ms) a tick, so no division; lives are kept in units of 8 ticks (1.07 s). */
#define TICK_SHIFT	27
#define LIFE_SHIFT	30
#define LIFE_S(s)	((uint16_t)(((uint64_t)(s) * 1000000000ull + (1ull << LIFE_SHIFT) - 1) >> LIFE_SHIFT))

#define CONN_WAYS 8
struct conn_bucket {
	struct env_lock lock;
	_Atomic uint16_t seq;		/* odd while the holder of the lock changes something */
	uint32_t overflow;		/* index + 1 */
	uint16_t tag[CONN_WAYS];
	uint32_t idx[CONN_WAYS];	/* index + 1; 0: empty */
} __attribute__((aligned(ENV_CACHE_LINE)));
static_assert(sizeof(struct conn_bucket) == ENV_CACHE_LINE, "one cache line a bucket");

struct conn_table {
	struct conn_bucket *bucket;
	struct conn *conn;
	uint32_t max, mask;
	size_t bucket_bytes, conn_bytes;
	_Atomic uint32_t used;
	_Atomic uint32_t embryonic;
	struct env_lock free_lock;
	uint32_t free;			/* index + 1 */
	uint32_t fresh;			/* never used from here on */
	uint32_t sweep;
	_Atomic uint32_t wanted;	/* rule sets that ask for state */
};

/* conn.c: the state of one connection */
enum conn_event { CE_SYN, CE_SYNACK, CE_ACK, CE_FIN, CE_RST, CE_COUNT };
#define CONN_INVALID 0xff
uint8_t vfr_conn_first(uint8_t proto);
uint8_t vfr_conn_step(uint8_t proto, uint8_t state, bool from_opener, enum conn_event ev);
#define CONN_TCP_OPEN	5	/* from this state on the handshake is over */
#define CONN_TCP_TORN	10	/* but data opens this one again */
#define CONN_UDP_BOTH	1
/* => vfr_conn_step() of this packet would be the same state: the rows of its tables that nearly every packet falls into. */
static inline bool conn_steady(const struct vfr_pkt *p, uint8_t state, bool from_opener)
{
	if (p->proto == IP_TCP)
		return state >= CONN_TCP_OPEN && state != CONN_TCP_TORN && !(p->tcp_flags & (TCP_RST | TCP_SYN | TCP_FIN));
	return from_opener || state == CONN_UDP_BOTH;
}
uint16_t vfr_conn_life(uint8_t proto, uint8_t state);
bool vfr_conn_embryonic(uint8_t proto, uint8_t state);
static inline enum conn_event vfr_conn_event(const struct vfr_pkt *p)
{
	if (p->proto != IP_TCP || !(p->tcp_flags & (TCP_RST | TCP_SYN | TCP_FIN)))
		return CE_ACK;
	if (p->tcp_flags & TCP_RST)
		return CE_RST;
	if (p->tcp_flags & TCP_SYN)
		return p->tcp_flags & TCP_ACK ? CE_SYNACK : CE_SYN;
	return CE_FIN;
}

void vfr_conn_show(struct vfr *v, const struct conn *cn, uint32_t now, struct vfr_conn_info *out);

/* => it has been silent for longer than it may. */
static inline bool conn_over(const struct conn *cn, uint32_t now)
{
	return (uint32_t)(now - cn->stamp) >> (LIFE_SHIFT - TICK_SHIFT) >= cn->life && (int32_t)(now - cn->stamp) >= 0;
}

/* conndb.c: the table */
int vfr_conns_init(struct vfr *v);
void vfr_conns_destroy(struct vfr *v);
/* connkey.c */
void vfr_conn_key6(struct conn_key *k, const struct vfr_pkt *p, bool *from_b);
bool vfr_conn_key_quoted(struct conn_key *k, const struct vfr_pkt *p);
static inline bool conn_key4(struct conn_key *k, uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, uint8_t proto)
{
	uint64_t s = (uint64_t)src << 16 | sport, d = (uint64_t)dst << 16 | dport;
	bool from_b = s > d;
	uint64_t a = from_b ? d : s, b = from_b ? s : d;

	*k = (struct conn_key){ .a = { a >> 16 }, .b = { b >> 16 }, .rest = conn_rest((uint16_t)a, (uint16_t)b, proto, 4) };
	return from_b;
}
static inline void vfr_conn_key(struct conn_key *k, const struct vfr_pkt *p, bool *from_b)
{
	if (p->flags & VFR_PF_IPV4)
		*from_b = conn_key4(k, p->src, p->sport, p->dst, p->dport, p->proto);
	else
		vfr_conn_key6(k, p, from_b);
}
static inline uint64_t conn_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}
/* Multiply-fold with secret operands: without the key nobody outside can aim at one bucket. */
static inline uint64_t vfr_conn_hash(const uint64_t secret[4], const struct conn_key *k)
{
	uint64_t h = conn_mix(k->a[0] ^ secret[0], k->b[0] ^ secret[1]);

	if (k->a[1] | k->b[1])
		h ^= conn_mix(k->a[1] ^ secret[2], k->b[1] ^ secret[3]);
	return conn_mix(h ^ secret[2], k->rest ^ secret[3]);
}
struct conn_hit {
	uint8_t state;			/* VFR_ST_ESTABLISHED, VFR_ST_NEW, VFR_ST_RELATED, VFR_ST_INVALID */
	bool bad;			/* known, but this packet does not fit */
	uint16_t slot[2];
	uint16_t sched_class[2];	/* as in struct conn */
};
/* => the class that this domain's rules have chosen, if they have accepted the connection; else 0. */
static inline uint16_t conn_class(const uint16_t slots[2], const uint16_t classes[2], uint16_t slot)
{
	return slots[0] == slot ? classes[0] : slots[1] == slot ? classes[1] : 0;
}
static inline uint16_t conn_tag(uint64_t hash)
{
	return (uint16_t)(hash >> 48);
}
/* => bit 16 * i + 15 for each place i of half a bucket that may have this tag (a neighbour of one that has it may show too). */
static inline uint64_t conn_places(const uint16_t *tags, uint16_t tag)
{
	uint64_t x;

	__builtin_memcpy(&x, tags, 8);
	x ^= tag * 0x0001000100010001ull;
	return (x - 0x0001000100010001ull) & ~x & 0x8000800080008000ull;
}
/* => bring what the lookup of this packet will read into the cache, in two steps over a batch. */
static inline void conn_prepare(const struct conn_table *t, const uint64_t secret[4], struct vfr_pkt *p)
{
	struct conn_key k;
	bool from_b;

	vfr_conn_key(&k, p, &from_b);
	p->conn_hash = vfr_conn_hash(secret, &k);
	__builtin_prefetch(&t->bucket[(uint32_t)p->conn_hash & t->mask], 1);
}
static inline void conn_prepare2(const struct conn_table *t, struct vfr_pkt *p)
{
	const struct conn_bucket *b = &t->bucket[(uint32_t)p->conn_hash & t->mask];

	p->conn_place = CONN_WAYS;
	for (unsigned int half = 0; half < CONN_WAYS; half += 4)
		for (uint64_t m = conn_places(&b->tag[half], conn_tag(p->conn_hash)); m; m &= m - 1) {
			unsigned int place = half + ((unsigned int)__builtin_ctzll(m) >> 4);

			if (!b->idx[place])
				continue;
			p->conn_place = (uint8_t)place;
			__builtin_prefetch(&t->conn[b->idx[place] - 1], 1);
			return;
		}
}
void vfr_conn_lookup(struct ctx *c, const struct vfr_pkt *p, struct conn_hit *hit);
/* => 0, or why there is no connection now. */
enum vfr_drop vfr_conn_open(struct ctx *c, const struct vfr_pkt *p, struct vfr_dom *d, uint16_t sched_class);
void vfr_conns_age(struct ctx *c, uint64_t *next);
void vfr_conns_drop_dom(struct vfr *v, uint16_t slot);
/* => what vfr_conn_follow() does, under the bucket's lock. */
bool vfr_conn_follow_locked(struct ctx *c, const struct vfr_pkt *p, uint16_t slot, uint16_t *sched_class);

/* => for a packet that has been prepared: no connection is its own. */
static inline bool conn_unknown(const struct conn_table *t, const struct vfr_pkt *p)
{
	return p->conn_place >= CONN_WAYS && !t->bucket[(uint32_t)p->conn_hash & t->mask].overflow;
}

/*
 * connhit.c => the packet belongs to a live connection that this domain's rules have accepted, and has been noted there;
 * the class that they chose.
 */
bool vfr_conn_follow(struct ctx *c, const struct vfr_pkt *p, uint16_t slot, uint16_t *sched_class);

#endif
