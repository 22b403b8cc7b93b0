/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network schedulers: who sends next on a link, at what rate, and what is dropped.
 *
 * One instance (struct netsched) stands before one link: an uplink's transmit side, or the receive side towards the
 * guests. A class is a domain; inside it a flow is a flow hash, and a sub-class a set of DSCPs or a rule's mark. The
 * host embeds a struct netsched_item in its packet, hands packets in and takes them out in the policy's order:
 *
 *	v = netsched_enqueue(ns, &pkt->item, now);	NETSCHED_OK: queued, NETSCHED_STOP: queued, stop that ring;
 *							anything else: a named drop, the packet is still the host's
 *	item = netsched_dequeue(ns, now, &next);	NULL: nothing may go before `next` (or at all)
 *
 * Time is the caller's, in nanoseconds, and does not run backwards. Bytes are bytes on the wire (netsched_wire_bytes()).
 * => One instance is used by one CPU at a time: the caller holds the lock that guards it. Instances share nothing.
 * How a policy is written is in policy.h, how they are chosen in docs/schedulers.md.
 */
#ifndef SCHED_NET_NETSCHED_H
#define SCHED_NET_NETSCHED_H

#include <env.h>

struct netsched;
struct netsched_ops;

#define NETSCHED_FOREVER	UINT64_MAX	/* no deadline: only an enqueue can change the answer */
#define NETSCHED_MAX_PACKET	81920u		/* a 64 KiB segment as its frames on the wire, with room */
#define NETSCHED_FRAME_EXTRA	24u		/* preamble 8, FCS 4, gap 12: what the wire adds to a frame */
#define NETSCHED_MIN_RATE	8000u		/* bit/s */
#define NETSCHED_MAX_RATE	400000000000u
#define NETSCHED_MAX_WEIGHT	65535u
#define NETSCHED_SUBS		8u		/* sub-classes of a class; 0 takes what no other one claims */

enum netsched_ecn { NETSCHED_NOT_ECT = 0, NETSCHED_ECT1 = 1, NETSCHED_ECT0 = 2, NETSCHED_CE = 3 };

/* The host's packet embeds this; the host fills the first block, the scheduler owns the second while it holds it. */
struct netsched_item {
	uint32_t class_id;
	uint32_t wire_bytes;
	uint32_t flow_hash;	/* keyed by the host, equal for one flow's packets */
	uint8_t dscp;		/* 0..63 */
	uint8_t ecn;		/* enum netsched_ecn */
	uint8_t mark;		/* the sub-class a rule chose; 0: go by DSCP */

	struct netsched_item *next;
	uint64_t enq_ns;
};

enum netsched_verdict {
	NETSCHED_OK,		/* queued */
	NETSCHED_STOP,		/* queued, and the class has enough: stop its ring until resume() */
	NETSCHED_NO_CLASS,	/* drop: no such class */
	NETSCHED_OVERSIZE,	/* drop: longer than the class's max_packet */
	NETSCHED_FULL,		/* drop: the class's queue is at its limit */
	NETSCHED_CODEL,		/* drop: waited too long (FQ-CoDel), and cannot be marked */
	NETSCHED_GONE,		/* drop: its class or the instance was deleted */
	NETSCHED_NEW_FLOWS,	/* refusal: the class opens flows faster than it may */
	NETSCHED_VERDICTS
};

const char *netsched_verdict_name(enum netsched_verdict v);

/* What the host does for an instance. Called from inside netsched calls: they must not call back into the instance. */
struct netsched_host {
	void *ctx;
	/* The packet is dropped for `why` and is the host's again. */
	void (*drop)(void *ctx, struct netsched_item *item, enum netsched_verdict why);
	/* Write CE into an ECN-capable packet; false: could not, so drop it. */
	bool (*mark)(void *ctx, struct netsched_item *item);
	/* A class that was told NETSCHED_STOP has room again. */
	void (*resume)(void *ctx, uint32_t class_id);
};

struct netsched_link {
	uint64_t rate_bps;	/* what the link carries: admission and delay bounds rest on it */
	bool paced;		/* hold the link to rate_bps here, so that queues stay here and not in the device */
	uint32_t burst_bytes;	/* paced: what may leave back to back; 0: a packet and late_ns' worth */
	uint32_t late_ns;	/* how late the host's timers may come without loss of rate; 0: 2 ms */
	uint32_t max_packet;	/* wire bytes; 0: NETSCHED_MAX_PACKET */
	uint32_t max_classes;	/* class ids are below this */
	uint32_t reserve_permille; /* part of the link that guarantees may not take; 0: 20 */
};

/* Zero means the default wherever a default is named. */
struct netsched_params {
	uint64_t guarantee_bps;	/* served before any excess; 0: none */
	uint64_t ceiling_bps;	/* 0: the link is the limit */
	uint32_t burst_bytes;	/* above the ceiling, over any interval; 0: 2 ms at the ceiling, at least two packets */
	uint32_t weight;	/* share of the excess; 0: 1 */
	uint32_t max_packet;	/* 0: the link's. At least 1/48 of the link's */
	uint32_t pps;		/* packets per second; 0: no limit */
	uint32_t new_flows_ps;	/* new flows per second; 0: no limit */
	uint32_t stop_bytes;	/* backlog that stops the ring; 0: half of limit_bytes */
	uint32_t limit_bytes;	/* backlog that drops; 0: 1 MiB, on a paced link 80 ms' worth if less, but 256 KiB and 8 packets */
	uint32_t limit_packets;	/* 0: 4096 */
	uint32_t flows;		/* FQ-CoDel queues of each sub-class, a power of two; 0: 64 */
	uint32_t target_us;	/* CoDel: standing delay that is too much; 0: 5000 */
	uint32_t interval_us;	/* CoDel: how long it may stand; 0: 100000 */
};

/* A sub-class: DSCPs (bit n of dscp_set) or a rule's mark (the index) lead to it; it has a share of its domain by weight. */
struct netsched_sub {
	uint32_t weight;	/* 1..255 */
	uint64_t dscp_set;
};

/* Of one sub-class, since its class was divided. Policies with flow queues count them; under others they stand still. */
struct netsched_sub_stats {
	uint32_t backlog_packets, backlog_bytes;
	uint64_t sent_packets, sent_bytes;
	uint64_t drops, marks;
};

/* Why a call was refused, in words and figures, for the operator. */
struct netsched_refusal {
	char text[160];
};

struct netsched_stats {
	uint32_t backlog_packets, backlog_bytes;
	bool stopped, capped;	/* its ring is stopped; it waits for ceiling or pps tokens */
	uint64_t sent_packets, sent_bytes;
	uint64_t marks, stops;
	uint64_t drops[NETSCHED_VERDICTS];
	uint64_t rate_bps;	/* achieved, over the last full window of 134 ms */
	uint64_t guarantee_bps;	/* configured */
	bool guaranteed;	/* the policy in force honours it */
	uint64_t delay_ns;	/* smoothed time in the queue */
	uint64_t delay_max_ns;	/* since the last reading with `reset` */
	uint64_t late_max_ns;	/* hfq: how far after its deadline a guaranteed packet was picked */
	uint64_t bound_ns;	/* hfq: the longest a packet at the head can wait for its guarantee (see hfq.c) */
};

/* --- policies --- */
/* NULL: no policy of that name. */
const struct netsched_ops *netsched_find(const char *name);
/* The i-th policy in the registry, NULL behind the last. */
const struct netsched_ops *netsched_nth(unsigned int i);
const char *netsched_name(const struct netsched_ops *ops);

/* --- instances --- */
/* => 0 and *out, -EINVAL (why is filled) or -ENOMEM. `host` is copied; why may be NULL. */
int netsched_create(const struct netsched_ops *ops, const struct netsched_link *link, const struct netsched_host *host,
		    struct netsched **out, struct netsched_refusal *why);
/* Drops what is queued (NETSCHED_GONE) and frees all. ns may be NULL. */
void netsched_destroy(struct netsched *ns);
/* Another policy from now on: nothing is lost, nothing reordered within a flow. => 0, or -ENOMEM and nothing changed. */
int netsched_switch(struct netsched *ns, const struct netsched_ops *ops, uint64_t now);
const struct netsched_ops *netsched_policy(const struct netsched *ns);
const struct netsched_link *netsched_link(const struct netsched *ns);
/* The operator says what the link carries: it is paced to that from now on, with the default burst. => -EINVAL; -EDQUOT, with the
 * arithmetic, if the guarantees given no longer fit */
int netsched_link_rate(struct netsched *ns, uint64_t rate_bps, struct netsched_refusal *why);
/* What the link carries is known, but it is no longer paced. As above. */
int netsched_link_free(struct netsched *ns, uint64_t rate_bps, struct netsched_refusal *why);
/* Another largest packet from now on; the classes' own follow where they were not given one. What is queued stays. => -EINVAL, if
 * a class's parameters do not fit it: nothing changed then */
int netsched_link_packet(struct netsched *ns, uint32_t max_packet, struct netsched_refusal *why);

/* --- classes --- */
/* Add class `id`, or change it live. => 0, -EINVAL, -EDQUOT (guarantees exceed the link), -ENOMEM; nothing changed then. */
int netsched_class_set(struct netsched *ns, uint32_t id, const struct netsched_params *p, uint64_t now,
		       struct netsched_refusal *why);
/* What is in force, defaults filled in. => -ENOENT without such a class. */
int netsched_class_get(const struct netsched *ns, uint32_t id, struct netsched_params *p);
/* Its queue is dropped (NETSCHED_GONE). => -ENOENT */
int netsched_class_del(struct netsched *ns, uint32_t id);
/* Add or change sub-class `index` (1..NETSCHED_SUBS-1; 0 changes only the default's weight). => 0, -ENOENT, -EINVAL, -ENOMEM */
int netsched_sub_set(struct netsched *ns, uint32_t id, uint32_t index, const struct netsched_sub *sub,
		     struct netsched_refusal *why);
/* It is no more: what it holds, and its share, go to the default. Of the default itself the weight is 1 again. => -ENOENT */
int netsched_sub_del(struct netsched *ns, uint32_t id, uint32_t index);
/* One that was set, and what it did. Either of sub and stats may be NULL. => -ENOENT */
int netsched_sub_get(const struct netsched *ns, uint32_t id, uint32_t index, struct netsched_sub *sub,
		     struct netsched_sub_stats *stats);
/* The sum of the guarantees given, and what may be given in all. */
void netsched_admitted(const struct netsched *ns, uint64_t *given_bps, uint64_t *room_bps);

/* --- packets --- */
enum netsched_verdict netsched_enqueue(struct netsched *ns, struct netsched_item *item, uint64_t now);
/* A packet of class `id` comes soon: have its state in the cache by then. For hosts that see packets in batches. */
void netsched_expect(const struct netsched *ns, uint32_t id);
/* The packet that goes now, or NULL and in *next the time to ask again (NETSCHED_FOREVER: after an enqueue). */
struct netsched_item *netsched_dequeue(struct netsched *ns, uint64_t now, uint64_t *next);
/* Up to `max` packets and until `budget` bytes are spent (the last may overdraw it); *next is set if it ended for want
 * of packets that may go, else it is `now`. => how many */
unsigned int netsched_dequeue_batch(struct netsched *ns, uint64_t now, uint32_t budget, struct netsched_item **out,
				    unsigned int max, uint64_t *next);
/* May this class open one more flow? NETSCHED_OK or NETSCHED_NEW_FLOWS, counted among its drops. */
enum netsched_verdict netsched_new_flow(struct netsched *ns, uint32_t id, uint64_t now);
/* Packets queued in all classes. */
uint32_t netsched_backlog(const struct netsched *ns);

/* => 0 or -ENOENT; reset: delay_max_ns and late_max_ns start anew. */
int netsched_stats_read(struct netsched *ns, uint32_t id, uint64_t now, bool reset, struct netsched_stats *out);

/*
 * What a frame occupies on the wire. len: the frame without FCS; header: its Ethernet, IP and TCP headers; segment: the
 * payload of one segment, 0 for an ordinary frame. A segmented packet counts as the frames that it becomes.
 */
static inline uint32_t netsched_wire_bytes(uint32_t len, uint32_t header, uint32_t segment)
{
	if (segment == 0 || len <= header + segment)
		return (len < 60 ? 60 : len) + NETSCHED_FRAME_EXTRA;
	uint32_t frames = (len - header + segment - 1) / segment;
	return len + (frames - 1) * header + frames * NETSCHED_FRAME_EXTRA;
}

#endif
