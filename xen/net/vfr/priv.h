/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router's inside, shared by its files and seen by nobody else.
 *
 * Synchronization: what packets read without a lock are reclaimed objects (struct vfr_rcu first): unlinked under
 * v->config_lock (neighbours: v->neigh.lock), then freed by vfr_reclaim() when every CPU has left the vfr_input() in which it
 * could have seen them. Owner tables are plain arrays of 16-bit slots, read and written with relaxed atomics.
 * Lock order: config_lock, then any one of: neigh.lock, frags.lock, nat.lock, a connection bucket, a domain's lock.
 */
#ifndef VFR_PRIV_H
#define VFR_PRIV_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <env.h>
#include <vfr/conn.h>
#include <vfr/frag.h>
#include <vfr/vfr.h>
#include <vfr/wire.h>

#define SEC		1000000000ull
#define SLOT_NONE	0u		/* slot 0 stands for "no domain": the uplinks' own account */
#define RCU(t)		_Atomic(t *)
#define rcu_get(p)	atomic_load_explicit(&(p), memory_order_acquire)
#define rcu_set(p, x)	atomic_store_explicit(&(p), (x), memory_order_seq_cst)

struct ctx;

struct vfr_rcu {
	struct vfr_rcu *next;
	uint64_t epoch;
	size_t size;
	void (*gone)(struct vfr *v, struct vfr_rcu *obj);	/* before the memory is freed; may be NULL */
};

/* --- token bucket: `rate` a second, up to `burst` (0: `rate`) at once; the caller serializes --- */
struct vfr_bucket {
	uint64_t last_ns;
	uint64_t tokens;	/* in billionths */
};
bool vfr_bucket_take(struct vfr_bucket *b, uint64_t now_ns, uint32_t rate, uint32_t burst);

/* --- ports and domains --- */
struct vfr_port {
	struct vfr_rcu rcu;
	uint8_t mac[6];
	uint8_t kind;
	uint16_t id, mtu;
	uint64_t mac_word;	/* the MAC as a number */
	uint16_t slot;		/* guest: the domain's */
};

struct vfr_domcfg {
	struct vfr_rcu rcu;
	struct vfr_domain_cfg c;
	struct vfr_dhcp_cfg dhcp;
	struct vfr_ra_cfg ra;
};

struct vfr_ruleset;

struct vfr_dom {
	struct vfr_rcu rcu;
	/* What every packet of the domain reads stands together. */
	uint16_t domid, slot;
	_Atomic uint16_t port;			/* where its packets go; VFR_NOPORT while detached */
	_Atomic bool dying;
	_Atomic bool translated;		/* its configuration has a nat_addr */
	RCU(struct vfr_domcfg) cfg;
	RCU(struct vfr_ruleset) rules;		/* NULL: none */
	struct vfr_dir_counters *count;		/* [cpu][dir] */
	_Atomic uint32_t conns, frags, nat;
	_Atomic uint32_t held;			/* fragments held */
	_Atomic uint32_t ipid;
	_Atomic uint64_t gone64;		/* the /64 that was taken away last, and in how many advertisements more to say so */
	_Atomic uint8_t gone_left;
	struct env_lock lock;			/* the fields below */
	struct vfr_bucket flow_bucket;
	struct vfr_bucket icmp_bucket;
	struct {
		uint64_t next_ns, count;
	} event[VFR_EV_COUNT];
};

/*
 * What a packet towards a domain needs, by slot and in half a cache line, since packets come for another domain each: where to, if
 * the domain has a port and its packets need no translation. Set by vfr_way_set() after each change, under config_lock.
 */
struct dom_way {
	_Atomic uint64_t to;		/* port, MTU << 16, domid << 32, and WAY_ON; 0: the stages must see the packet */
	_Atomic uint64_t mac;		/* the port's, as a number */
	RCU(struct vfr_dir_counters) count;	/* the domain's */
	uint64_t unused;
};
static_assert(sizeof(struct dom_way) == ENV_CACHE_LINE / 2, "never across two cache lines");
#define WAY_ON		(1ull << 63)
#define WAY_RULES	(1ull << 62)	/* the domain has rules of its own */
#define WAY_CONNS	(1ull << 61)	/* and they follow connections */

/* --- addresses --- */
enum addr_kind { ADDR_NONE, ADDR_SHARED, ADDR_DEDICATED, ADDR_INTERNAL, ADDR_SELF };

#define SLICE_PROTOS	4	/* TCP, UDP, ICMP, SCTP */
#define SPI_MAX		64

struct vfr_shared {
	struct vfr_rcu rcu;
	uint32_t addr;
	RCU(_Atomic uint16_t) owner[SLICE_PROTOS];	/* 65536 slots each; made at the first claim, never taken away */
	/* under config_lock */
	struct held {
		uint32_t until_s;
		uint16_t domid;		/* who may have it before then */
	} *held[SLICE_PROTOS];
	uint32_t in_use;		/* ports owned, of any protocol */
	_Atomic uint16_t proto[256];	/* DMZ owners by IP protocol */
	struct {
		_Atomic uint32_t spi;
		_Atomic uint16_t slot;
	} spi[SPI_MAX];
};

struct addr_entry {
	uint32_t addr;
	uint8_t kind;
	uint16_t slot;
	struct vfr_shared *shared;
};
struct addr_table {
	struct vfr_rcu rcu;
	uint32_t mask, used;
	struct addr_entry e[];
};

struct pfx6_entry {
	uint8_t addr[16];
	uint8_t plen;		/* 0: empty */
	uint8_t kind;		/* ADDR_DEDICATED or ADDR_SELF */
	uint16_t slot;
};
struct pfx6_table {
	struct vfr_rcu rcu;
	uint32_t mask, used;
	bool have64, have128;
	struct pfx6_entry e[];
};

/* --- routes and neighbours --- */
#define ROUTES_MAX 256
struct route {
	uint64_t net[2], mask[2];	/* the prefix again, as numbers; IPv4 in the upper half of the first */
	uint8_t prefix[16];	/* IPv4 in the first four bytes */
	uint8_t next_hop[16];
	uint8_t plen, family;
	bool on_link;
	uint16_t uplink;
	uint32_t src;
};
struct route_table {
	struct vfr_rcu rcu;
	uint32_t n[2];		/* by family */
	struct route r[];	/* IPv4 first; longest prefix first in each family */
};

enum neigh_state { NEIGH_INCOMPLETE, NEIGH_REACHABLE, NEIGH_STALE, NEIGH_STATIC };
#define NEIGH_BUCKETS	256
#define NEIGH_MAX	1024
#define NEIGH_HOLD	16	/* packets waiting for one neighbour */
struct neigh {
	struct vfr_rcu rcu;
	RCU(struct neigh) next;
	uint64_t ip[2];			/* in memory order; IPv4 in the first four bytes, the rest zero */
	uint8_t family;
	uint16_t port;
	_Atomic uint64_t mac;		/* NEIGH_VALID | address; 0 while unknown */
	_Atomic uint8_t used;		/* since the timer last looked */
	/* under neigh.lock */
	uint8_t state, tries;
	uint8_t held;
	uint32_t src;			/* to ask from */
	uint64_t deadline;
	bool dead;			/* unlinked */
	struct vfr_pkt *head, **tail;
};
#define NEIGH_VALID (1ull << 63)

/* --- NAT --- */
struct nat_map {
	struct nat_map *int_next, *ext_next;
	uint32_t internal, external;
	uint16_t iport, eport;
	uint16_t slot;
	uint8_t proto;			/* index of the slice protocol */
	uint8_t tcp;			/* natlife.c: of the TCP connection that is followed */
	uint16_t peer_port;
	uint32_t peer;
	uint64_t deadline;
};
struct nat_table {
	struct env_lock lock;
	struct nat_map **by_int, **by_ext;
	uint32_t mask, max, used, sweep;
};

/* --- the router --- */
struct vfr_cpu {
	_Atomic uint64_t epoch;		/* 0: outside */
	struct vfr_totals total;
	struct vfr_bucket icmp_bucket;
	uint64_t random;
	struct class_query *asked;	/* [VFR_QUESTIONS], of the batch at hand */
} __attribute__((aligned(ENV_CACHE_LINE)));

struct vfr {
	struct vfr_params par;
	const struct vfr_ops *ops;
	void *host;
	uint64_t key[4];

	RCU(struct addr_table) addrs;
	RCU(struct pfx6_table) pfx6;
	RCU(struct route_table) routes;
	RCU(struct vfr_ruleset) global_rules;
	_Atomic uint32_t rules_alone;	/* rule sets that do not follow connections */
	RCU(struct vfr_port) *port;		/* [max_ports] */
	RCU(struct vfr_dom) *dom;		/* [max_domains], by slot */
	struct dom_way *way;			/* the same */

	struct env_lock config_lock;
	struct vfr_rcu *retired;		/* under retire_lock */
	struct env_lock retire_lock;
	_Atomic uint64_t epoch;
	uint16_t *slot_of;			/* [65536] domid -> slot; under config_lock */
	uint16_t slot_hint;

	struct {
		struct env_lock lock;
		RCU(struct neigh) bucket[NEIGH_BUCKETS];
		uint32_t used;
	} neigh;
	struct {
		struct env_lock lock;
		struct frag *bucket[FRAG_BUCKETS];
		struct frag *pool, *free;
		uint32_t used, held;
	} frags;
	struct conn_table conns;
	struct nat_table nat;
	uint64_t ra_next;
	bool stages_only;		/* tests: compare the short way with the stages */

	struct vfr_cpu *cpu;			/* [cpus + 2]: then the timer's and the setters' */
	struct env_lock timer_lock, setter_lock;	/* who is that CPU now; taken first, held over callbacks */
};

/* What one run of the stages knows. */
struct ctx {
	struct vfr *v;
	struct vfr_cpu *cpu;
	unsigned int cpu_id;
	uint64_t now;
	const struct vfr_port *in;		/* the batch's in port; NULL when released later */
	const struct addr_table *addrs;
	struct vfr_trace *trace;		/* NULL, or: no side effect, write the steps down */
	const struct route *hop;		/* the last packet's, if it leads to a next hop: who that is */
	struct neigh *hop_neigh;
	uint64_t hop_mac;
	const struct class_query *asked, *asked_end;	/* what rules were asked ahead for this packet */
};

/* A packet's way, filled in stage by stage; lives on the stack of one packet's run. */
struct way {
	struct vfr_dom *src, *dst;		/* NULL: outside */
	bool internal;				/* the source is a private address of the sender */
	struct frag *frag;			/* first fragment: to be told the outcome */
	bool echo;				/* turned around by the router */
	uint32_t new_src, new_dst;		/* translation done, for later fragments */
	uint16_t sched_class;
	bool related;
	uint8_t state;				/* VFR_ST_* */
};

/* vfr.c */
int vfr_drop(struct ctx *c, struct vfr_pkt *p, enum vfr_drop reason);
/* => parse and run the stages over one packet. */
int vfr_run_once(struct ctx *c, struct vfr_pkt *p, struct way *w);
/* => called just before a packet is queued: what it needs to be counted when it comes back. */
void vfr_hold(struct vfr_pkt *p, const struct way *w);
/* => verdict for a packet that left the held state: account and give it back. */
void vfr_give_back(struct ctx *c, struct vfr_pkt *p);
/* => the stages after admission for a fragment whose first has passed. */
void vfr_resume(struct ctx *c, struct vfr_pkt *p, const struct frag_fate *f);
void vfr_enter(struct ctx *c, struct vfr *v, unsigned int cpu, uint64_t now);
void vfr_leave(struct ctx *c);
void vfr_enter_setter(struct ctx *c, struct vfr *v, uint64_t now);
void vfr_leave_setter(struct ctx *c);
#define CPUS(v) ((v)->par.cpus + 2u)
void vfr_emit(struct ctx *c, uint16_t port, const uint8_t *frame, uint32_t len);
uint32_t vfr_random(struct ctx *c);

/* => a fresh packet: nothing known, nothing decided. */
static inline void vfr_pkt_reset(struct vfr_pkt *p)
{
	p->out_port = VFR_NOPORT;
	p->drop = VFR_DROP_NONE;
	p->flags = 0;
	p->sched_class = 0;
	p->next = NULL;
	p->dscp = p->ecn = 0;
	p->undo_src = p->undo_dst = 0;
}
/* => VFR_NEXT, or a verdict. */
int vfr_parse_slow(struct ctx *c, struct vfr_pkt *p);

/* fast.c */
#define AHEAD		4	/* packets whose headers are on their way into the cache */
#define PARSED_PLAIN	-1
void vfr_parse_batch(struct ctx *c, struct vfr_pkt **pkts, unsigned int n, int *parsed);
/* => true: forwarded and counted. False: nothing was done, let the stages decide. */
bool vfr_plain_way(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *from);

/* parse.c */
int vfr_parse(struct ctx *c, struct vfr_pkt *p);
static inline void vfr_hash_flow(const struct vfr *v, struct vfr_pkt *p)
{
	uint64_t addrs = (uint64_t)p->src + p->dst;
	const uint8_t *ip = p->head + p->l3;

	if (p->flags & VFR_PF_IPV6)
		addrs = env_get64(ip + 8) + env_get64(ip + 16) + env_get64(ip + 24) + env_get64(ip + 32);
	uint64_t ports = (uint64_t)p->sport + p->dport + ((uint64_t)p->proto << 32);
	unsigned __int128 m = (unsigned __int128)(addrs ^ v->key[0]) * (ports ^ v->key[1] ^ 1);
	p->flow_hash = (uint32_t)((uint64_t)m ^ (uint64_t)(m >> 64));
}
/* The quote of an ICMP error, read once. */
struct quote {
	uint32_t src, dst;		/* IPv4 */
	const uint8_t *src6, *dst6;
	uint16_t l4;			/* from head */
	uint16_t sport, dport;
	uint8_t proto;
	bool ports;
	bool error;			/* an ICMP error itself */
};
bool vfr_parse_quote(const struct vfr_pkt *p, struct quote *q);

/* admit.c: each returns 0 or a verdict */
int vfr_admit_source(struct ctx *c, struct vfr_pkt *p, struct way *w);
/* => a new flow of w->src within its limit, or a verdict. TCP: each SYN; others: each new connection of a rule with state. */
int vfr_flow_limit(struct ctx *c, struct vfr_pkt *p, struct way *w);
int vfr_admit_dest(struct ctx *c, struct vfr_pkt *p, struct way *w);
/* => the gateway that this domain is told of by DHCP, with its private address: the router's towards it, if it is nobody's. */
bool vfr_gateway(const struct ctx *c, const struct vfr_dom *d, uint32_t addr);

/* counters.c */
void vfr_count(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *src, struct vfr_dom *dst);
void vfr_event(struct ctx *c, struct vfr_dom *d, enum vfr_event_type type, const struct vfr_pkt *p, uint32_t rule_id);

/* domain.c, port.c */
struct vfr_dom *vfr_dom_find(struct vfr *v, uint16_t domid);		/* config_lock held */
struct vfr_dom *vfr_dom_get(struct vfr *v, uint16_t domid);		/* config_lock held; made when new; NULL: no room */
static inline struct vfr_dom *vfr_dom_at(struct vfr *v, uint16_t slot)
{
	return slot ? rcu_get(v->dom[slot]) : NULL;
}
static inline const struct vfr_port *vfr_port_at(struct vfr *v, uint16_t id)
{
	return id < v->par.max_ports ? rcu_get(v->port[id]) : NULL;
}
void vfr_ports_destroy(struct vfr *v);
/* => packets towards the domain go where its port, rules and configuration say now. config_lock held. */
void vfr_way_set(struct vfr *v, const struct vfr_dom *d);
void vfr_doms_destroy(struct vfr *v);

/* addr.c */
static inline uint32_t addr_hash(uint32_t addr)
{
	return (uint32_t)((addr * 0x9e3779b97f4a7c15ull) >> 32);
}
static inline const struct addr_entry *vfr_addr_find(const struct addr_table *t, uint32_t addr)
{
	for (uint32_t i = addr_hash(addr) & t->mask; t->e[i].kind != ADDR_NONE; i = (i + 1) & t->mask)
		if (t->e[i].addr == addr)
			return &t->e[i];
	return NULL;
}
const struct pfx6_entry *vfr_pfx6_find(const struct pfx6_table *t, const uint8_t addr[16]);
void vfr_addrs_drop_dom(struct vfr *v, uint16_t slot);			/* config_lock held */
int vfr_addrs_init(struct vfr *v);
void vfr_addrs_destroy(struct vfr *v);
uint32_t vfr_addr_first_shared(const struct addr_table *t);

/* slice.c */
void vfr_shared_gone(struct vfr *v, struct vfr_rcu *obj);
void vfr_slices_drop_dom(struct vfr *v, const struct vfr_dom *d, uint64_t now_ns);	/* config_lock held */
int vfr_slice_proto(uint8_t ip_proto);					/* index or -1 */
static inline uint16_t vfr_owner(const struct vfr_shared *s, unsigned int proto, uint16_t port)
{
	const _Atomic uint16_t *t = atomic_load_explicit(&s->owner[proto], memory_order_relaxed);
	return t ? atomic_load_explicit(&t[port], memory_order_relaxed) : SLOT_NONE;
}

/* route.c */
int vfr_route(struct ctx *c, struct vfr_pkt *p, struct way *w);
/* => the link addresses are written: VFR_FORWARD, or VFR_CONSUMED when it went in pieces, or VFR_DROP. */
int vfr_route_send(struct ctx *c, struct vfr_pkt *p, const struct vfr_port *out);
const struct route *vfr_route_find(struct vfr *v, const uint8_t *dst, uint8_t family);

/* neigh.c, arp.c */
int vfr_neigh_send(struct ctx *c, struct vfr_pkt *p, struct way *w, const struct vfr_port *out, const uint8_t *ip, uint8_t family,
	uint32_t src);
/* => a neighbour; in *mac NEIGH_VALID and its address if that is known, else 0. */
struct neigh *vfr_neigh_find(struct vfr *v, uint16_t port, const uint8_t *ip, uint8_t family, uint64_t *mac);
/* => a packet goes to it: it will be asked again when its time comes. */
static inline void neigh_use(struct neigh *n)
{
	if (!atomic_load_explicit(&n->used, memory_order_relaxed))
		atomic_store_explicit(&n->used, 1, memory_order_relaxed);
}
void vfr_neigh_learn(struct ctx *c, uint16_t port, const uint8_t *ip, uint8_t family, const uint8_t *mac, bool create);
void vfr_neigh_age(struct ctx *c, uint64_t *next);
void vfr_neigh_port_gone(struct ctx *c, uint16_t port);
void vfr_neigh_destroy(struct vfr *v);
int vfr_arp(struct ctx *c, struct vfr_pkt *p);
void vfr_arp_ask(struct ctx *c, const struct vfr_port *out, const uint8_t *mac, uint32_t src, uint32_t target);

/* icmp.c */
enum { ICMP4_UNREACH = 3, ICMP4_TIME = 11, UNREACH_PORT = 3, UNREACH_FRAG = 4, UNREACH_HOST = 1, UNREACH_ADMIN = 13 };
int vfr_icmp_echo(struct ctx *c, struct vfr_pkt *p, struct way *w);
/* => send it back where it came from: a request's later fragment, and the last step of vfr_icmp_echo(). */
int vfr_icmp_turn(struct ctx *c, struct vfr_pkt *p);
/* => tell the sender of p, if its rate allows; type and code of ICMPv4, translated for IPv6. */
void vfr_icmp_error(struct ctx *c, struct vfr_pkt *p, uint8_t type, uint8_t code, uint32_t mtu);
void vfr_link_local(uint8_t out[16], const uint8_t *mac);
void vfr_tcp_reset(struct ctx *c, struct vfr_pkt *p);

/* rules.c */
int vfr_rules(struct ctx *c, struct vfr_pkt *p, struct way *w);
/* rulefast.c => something was asked: the answers for packet i of the batch are first[i] .. first[i + 1] - 1 of the CPU's. */
bool vfr_rules_ahead(struct ctx *c, struct vfr_pkt **pkts, unsigned int n, const int *parsed, const struct vfr_dom *from, uint8_t *first);
/* => the rules, asked ahead, accept the plain packet and want nothing else of it; that has been counted. */
bool vfr_rules_pass(struct ctx *c, const struct vfr_pkt *p, const struct vfr_dom *d, enum vfr_dir dir);
bool vfr_rules_follow(const struct vfr_ruleset *s);	/* => they ask for connections; s may be NULL */
void vfr_rules_destroy(struct vfr *v);
void vfr_rules_drop_dom(struct vfr *v, struct vfr_dom *d);		/* config_lock held */

/* nat.c */
int vfr_nat_out(struct ctx *c, struct vfr_pkt *p, struct way *w);
void vfr_nat_addresses(struct vfr_pkt *p, uint32_t new_src, uint32_t new_dst);
/* => the packet as it came in, for an error that quotes it. */
/* natwrite.c => source or destination are written, the sums mended, and what was there is remembered for vfr_nat_undo(); the same in the
 * packet that an error quotes, without that. */
void vfr_nat_translate(struct vfr_pkt *p, bool source, uint32_t addr, uint16_t port);
void vfr_nat_quote(struct vfr_pkt *p, const struct quote *q, bool source, uint32_t addr, uint16_t port);
void vfr_nat_undo(struct vfr_pkt *p);
int vfr_nat_in(struct ctx *c, struct vfr_pkt *p, struct way *w);
void vfr_nat_age(struct ctx *c, uint64_t *next);
void vfr_nat_drop_dom(struct vfr *v, uint16_t slot);
/* natlife.c => a packet of the mapping goes by, not translated yet. nat.lock held. */
void vfr_nat_keep(struct nat_map *m, const struct vfr_pkt *p, bool outbound, uint64_t now);
int vfr_nat_init(struct vfr *v);
void vfr_nat_destroy(struct vfr *v);

/* dhcp.c, nd.c */
int vfr_dhcp(struct ctx *c, struct vfr_pkt *p, struct way *w);
int vfr_nd(struct ctx *c, struct vfr_pkt *p, bool *handled);
void vfr_nd_ask(struct ctx *c, const struct vfr_port *out, const uint8_t *mac, const uint8_t target[16]);
/* => an advertisement to every guest that gets them. */
void vfr_ra_all(struct ctx *c);
/* => the guest hears that it has lost this prefix; that we are its router no more. */
void vfr_ra_withdraw(struct vfr *v, uint16_t slot, const uint8_t prefix[16]);
void vfr_ra_farewell(struct vfr *v, uint16_t domid, const struct vfr_ra_cfg *was);
void vfr_ra_timer(struct ctx *c, uint64_t *next);

/* trace.c */
void vfr_step(struct ctx *c, const char *stage, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define STEP(c, ...) ((c)->trace ? vfr_step((c), __VA_ARGS__) : (void)0)
/* => a step whose note names a domain, or a port of the router: numbers here, whose names the host knows. */
void vfr_step_of(struct ctx *c, uint16_t dom, uint16_t port);
#define STEP_OF(c, dom, port, ...) ((c)->trace ? (vfr_step((c), __VA_ARGS__), vfr_step_of((c), (dom), (port))) : (void)0)

/* snapshot.c */
void vfr_retire(struct vfr *v, struct vfr_rcu *obj, size_t size, void (*gone)(struct vfr *, struct vfr_rcu *));
void vfr_settle(struct vfr *v);
void vfr_reclaim(struct vfr *v);
void vfr_reclaim_all(struct vfr *v);

static inline void note_deadline(uint64_t *next, uint64_t t)
{
	if (t < *next)
		*next = t;
}

#endif
