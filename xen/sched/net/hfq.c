/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hfq: guarantees first, the excess by weight, ceilings over both, fair among a domain's flows. O(1) in classes and packets.
 *
 * A runnable class stands in two calendars (calendar.c):
 *
 *	due	only with a guarantee g: its next packet is owed at `start`, in real time; each packet that is served
 *		from here moves the start by L/g.
 *	share	always: start in virtual time, which advances by L/W for every packet of L bytes that is served from
 *		here (W: sum of all weights) and jumps to the earliest start if none has come; each packet moves the
 *		class's start by L/weight.
 *
 * The link takes the pick of `due` if anything is owed, else that of `share`. A class that wakes starts at the present, so
 * it saves no credit while idle, and not before the end of what it had, so it gains nothing by going to sleep. In sum a class that
 * stays runnable is served at g + weight/(weights runnable) * (what guarantees leave), up to its ceiling: what the
 * ceiling takes away from one goes to the others.
 *
 * EARLY. A deadline that follows from the rate alone would make a domain with a small guarantee wait long, even for a packet now and
 * then. So a class that wakes and has not used up its guarantee goes to the list `early`: its first packet is served before all
 * that is owed, and charged to `due`. A bucket bounds that: rate e = R less the sum of guarantees, burst F = 2 Lmax.
 *
 * WORK CONSERVING. A runnable class always stands in `share`, whose virtual time jumps to it if it must; so while any
 * class is runnable and the link has tokens, a packet goes. Classes at their ceiling are not runnable.
 *
 * DELAY BOUND. Let R be the link's rate, Lmax its longest packet, B its burst if paced (else 0), L the class's max_packet, g its
 * guarantee, w the power of two with L/g <= w < 2 L/g (in units of 1/256 ns). A packet that is at the head of its class with the
 * class runnable goes to the link at the latest
 *
 *	D = 2w + (3 Lmax + B)/R < 4 L/g + (3 Lmax + B)/R
 *
 * after its class's start, that is after the time at which a dedicated link of rate g would begin it. Proof: that of the theorem in
 * calendar.c, with t real time and P = 1/g, and with early packets among those that the server takes in the interval from a to the
 * deadline though they are due later: at most F + e * length bytes. What is due in the interval is at most (sum of g) * length, and
 * sum of g + e = R, so the total is at most R * length + F, and D_j is missed by at most (Lmax + F)/R; D_j <= S_j + 2w. An owed
 * packet waits for nothing in `share` but the packet that is leaving. Pacing lets the link run ahead by B and then stand
 * still for up to B/R, no longer: that much is added. QED
 *
 * LAG BOUND. Over any interval of length t in which the class is runnable it is served at least
 *	g * (t - 2w - (3 Lmax + B)/R) - L  >  g*t - 5L - g/R * (3 Lmax + B).
 * Proof: by the bound the start S at the end is later than the end less 2w + (3 Lmax + B)/R; at the beginning it was at most L/g
 * ahead; between the two g * (S - S') bytes were charged to `due` alone. QED
 *
 * FAIRNESS of the excess: the same theorem in virtual time (R: W, P: 1/weight; a jump only happens when nothing has started,
 * and idle time does no harm) puts every start within [t - 2w - Lmax/W, t + w]; so for two classes that stay
 * runnable and are served from `share`, the bytes by weight that they get there over any interval differ by at most
 * 3 (w1 + w2) + 2 Lmax/W, with w < 2 L/weight each.
 *
 * A LINK SLOWER THAN SAID (or one that stood still) would make all guarantees late without end. When the earliest deadline
 * was missed by more than `slack`, due's clock is set back by the rest: nobody is owed more than the link could carry. Each
 * 32nd time `share` gets the packet, so that classes without a guarantee do not starve even then.
 */
#include <sched/net/calendar.h>
#include <sched/net/fetch.h>
#include <sched/net/policy.h>
#include <sched/net/ring.h>

#include <assert.h>
#include <stddef.h>

#define TICKS_PER_NS	256u	/* units of due */
#define DUE_BASE	14	/* narrowest slot: 64 ns; widest: 137 s */
#define SHARE_BASE	16
#define SHARE_SHIFT	28	/* a byte at weight 1 is 2^28 units of share */
#define YIELD_EVERY	32
#define EARLY_PACKETS	2u	/* F, in Lmax */
#define AT_HAND		4096u	/* classes, some 450 bytes of each, that a processor's second cache holds */

struct hfq {
	uint64_t late;		/* how far due's clock was set back, in its units */
	uint64_t slack;
	uint64_t vtime;		/* of share */
	uint64_t vprice;	/* of a byte: 1/W, units << CALENDAR_FRAC */
	uint32_t set_backs;
	bool owed;		/* the pick came from due, or early */
	struct bucket early_rate;
	struct ring early;	/* classes that woke with their guarantee unused, oldest first */
	struct calendar due, share;
};

/* A cache line of what is owed and one of what is shared: a packet that is owed touches the first alone, others mostly the second. */
struct hfq_class {
	struct calendar_node due;	/* first, so that its node is the class */
	struct ring_node early;	/* next NULL: not on the list */

	struct calendar_node share __attribute__((aligned(ENV_CACHE_LINE)));
	uint64_t late_max;	/* due's units */
};
#define DUE_AT		offsetof(struct hfq_class, due)
#define SHARE_AT	offsetof(struct hfq_class, share)
static_assert(DUE_AT == 0 && sizeof(struct hfq_class) == 2 * ENV_CACHE_LINE, "two lines");
static_assert(sizeof(struct netsched_class) % sizeof(struct hfq_class) == 0, "class_of() multiplies");

static uint64_t clock_of(const struct hfq *h, uint64_t now)
{
	return now * TICKS_PER_NS - h->late;
}

static uint64_t due_price(uint64_t bps)
{
	return ((8000000000ull * TICKS_PER_NS) << CALENDAR_FRAC) / bps;
}

/* How long the link takes for `bytes`, ns. */
static uint64_t link_time(const struct netsched *ns, uint64_t bytes)
{
	return bytes * 8000000000ull / ns->link.rate_bps;
}

/* What follows from the sums over all classes. */
static void set_rates(struct netsched *ns)
{
	struct hfq *h = ns->priv;
	uint32_t most = ns->link.max_packet;

	if (ns->weights)
		h->vprice = (1ull << (SHARE_SHIFT + CALENDAR_FRAC)) / ns->weights;
	bucket_set(&h->early_rate, (ns->link.rate_bps - ns->guarantees) / 8 + 1, EARLY_PACKETS * most, most);
}

static void hfq_link_set(struct netsched *ns)
{
	struct hfq *h = ns->priv;

	h->slack = (2000000 + link_time(ns, 4ull * ns->link.max_packet + ns->link.burst_bytes)) * TICKS_PER_NS;
	set_rates(ns);
}

static void hfq_init(struct netsched *ns, uint64_t now)
{
	struct hfq *h = ns->priv;

	calendar_init(&h->due, DUE_BASE);
	calendar_init(&h->share, SHARE_BASE);
	hfq_link_set(ns);
}

static void hfq_class_set(struct netsched *ns, struct netsched_class *c)
{
	struct hfq *h = ns->priv;
	struct hfq_class *hc = c->priv;

	set_rates(ns);
	calendar_price(&h->share, &hc->share, (1ull << (SHARE_SHIFT + CALENDAR_FRAC)) / c->p.weight, c->max_packet);
	hc->due.price = 0;
	if (c->p.guarantee_bps)
		calendar_price(&h->due, &hc->due, due_price(c->p.guarantee_bps), c->max_packet);
}

static void hfq_class_del(struct netsched *ns, struct netsched_class *c)
{
	set_rates(ns);
}

/* n starts at t, or where it had come to if that is later: at most one packet's time. => whether it starts at t */
static bool enter(struct calendar *cal, struct calendar_node *n, uint64_t t)
{
	bool afresh = n->start - t > calendar_width(n) || n->start == t;

	if (afresh)
		n->start = t;
	calendar_insert(cal, n);
	return afresh;
}

static void hfq_wake(struct netsched *ns, struct netsched_class *c, uint64_t now)
{
	struct hfq *h = ns->priv;
	struct hfq_class *hc = c->priv;

	if (hc->due.price && enter(&h->due, &hc->due, clock_of(h, now)))
		ring_add(&h->early, &hc->early);
	enter(&h->share, &hc->share, h->vtime);
}

/* The class whose private block holds `part`, which is `at` bytes behind its start. By its place, so that nothing need be read. */
static struct netsched_class *class_of(const struct netsched *ns, const void *part, size_t at)
{
	size_t offset = (size_t)((const uint8_t *)part - at - ns->class_priv);

	return (void *)((char *)ns->classes + offset * (sizeof(struct netsched_class) / sizeof(struct hfq_class)));
}

static void not_early(struct hfq *h, struct hfq_class *hc)
{
	if (!hc->early.next)
		return;
	ring_del(&h->early, &hc->early);
	hc->early.next = NULL;
}

static void hfq_sleep(struct netsched *ns, struct netsched_class *c)
{
	struct hfq *h = ns->priv;
	struct hfq_class *hc = c->priv;

	not_early(h, hc);
	if (hc->due.queued)
		calendar_remove(&h->due, &hc->due);
	calendar_remove(&h->share, &hc->share);
}

/* The earliest deadline was missed, at t. => is its packet served nevertheless? */
static bool is_late(struct hfq *h, struct hfq_class *hc, uint64_t t)
{
	uint64_t by = t - h->due.deadline;

	if (by > hc->late_max)
		hc->late_max = by;
	if (by <= h->slack)
		return true;
	h->late += by - h->slack;
	return ++h->set_backs % YIELD_EVERY;
}

/*
 * With many classes nothing of the next one is in the cache. n's slot tells which ones follow: of each of these fetch the next
 * thing that can be reached without waiting, so that all is there when its turn comes. (32 k classes: 101 -> 37 ns a packet)
 */
static inline __attribute__((always_inline)) void look_ahead(const struct netsched *ns, const struct calendar *cal,
							     const struct calendar_node *n, size_t at)
{
	const struct calendar_link *l = &n->link;

#pragma GCC unroll 4
	for (unsigned int turns = 1; turns <= NETSCHED_LOOK_AHEAD; turns++) {
		l = l->next;
		if (l == cal->front)
			return;
		netsched_fetch(class_of(ns, l, at), turns);
	}
	__builtin_prefetch(l, 1);
}

/* The pick where what was chosen last does not answer it. */
static __attribute__((noinline)) struct netsched_class *choose(struct netsched *ns, uint64_t now)
{
	struct hfq *h = ns->priv;
	uint64_t t = clock_of(h, now);
	struct calendar_node *n;

	h->owed = true;
	if (h->early.head && bucket_open(&h->early_rate, now))
		return class_of(ns, h->early.head, offsetof(struct hfq_class, early));
	n = calendar_pick(&h->due, t);
	if (n && (!calendar_before(h->due.deadline, t) || is_late(h, (struct hfq_class *)n, t)))
		return class_of(ns, n, DUE_AT);
	h->owed = false;
	n = calendar_pick(&h->share, h->vtime);
	if (!n) {
		h->vtime = calendar_first(&h->share);
		n = calendar_pick(&h->share, h->vtime);
	}
	return class_of(ns, n, SHARE_AT);
}

static struct netsched_class *hfq_pick(struct netsched *ns, uint64_t now)
{
	struct hfq *h = ns->priv;
	struct calendar_node *n;

	if (h->early.head || !calendar_holds(&h->due, clock_of(h, now)))
		return choose(ns, now);
	n = (void *)h->due.front->next;
	if (n) {
		h->owed = true;
		look_ahead(ns, &h->due, n, DUE_AT);
		return class_of(ns, n, DUE_AT);
	}
	n = (void *)h->share.front->next;
	if (!n || !calendar_holds(&h->share, h->vtime))
		return choose(ns, now);
	h->owed = false;
	look_ahead(ns, &h->share, n, SHARE_AT);
	return class_of(ns, n, SHARE_AT);
}

/* sent() where more changes than a place in a calendar. */
static __attribute__((noinline)) void leave(struct netsched *ns, struct netsched_class *c, uint32_t bytes, bool runnable)
{
	struct hfq *h = ns->priv;
	struct hfq_class *hc = c->priv;
	struct calendar_node *n = h->owed ? &hc->due : &hc->share;

	if (h->owed && hc->early.next)
		bucket_take(&h->early_rate, bytes, ns->now);
	not_early(h, hc);
	if (!h->owed)
		h->vtime += (h->vprice * bytes) >> CALENDAR_FRAC;
	if (runnable) {
		calendar_charge(h->owed ? &h->due : &h->share, n, bytes, true);
		return;
	}
	hfq_sleep(ns, c);
	calendar_pay(n, bytes);
}

static void hfq_sent(struct netsched *ns, struct netsched_class *c, uint32_t bytes, bool runnable)
{
	struct hfq *h = ns->priv;
	struct hfq_class *hc = c->priv;

	if (!runnable || (h->early.head && hc->early.next)) {
		leave(ns, c, bytes, runnable);
	} else if (h->owed) {
		calendar_charge(&h->due, &hc->due, bytes, ns->runnable > AT_HAND);
	} else {
		h->vtime += (h->vprice * bytes) >> CALENDAR_FRAC;
		calendar_charge(&h->share, &hc->share, bytes, ns->runnable > AT_HAND);
	}
}

static void hfq_stats(struct netsched *ns, struct netsched_class *c, bool reset, struct netsched_stats *out)
{
	struct hfq_class *hc = c->priv;

	out->late_max_ns = hc->late_max / TICKS_PER_NS;
	if (c->p.guarantee_bps)
		out->bound_ns = 2 * calendar_width(&hc->due) / TICKS_PER_NS +
				link_time(ns, (1 + EARLY_PACKETS) * ns->link.max_packet +
					      (ns->link.paced ? ns->link.burst_bytes : 0));
	if (reset)
		hc->late_max = 0;
}

const struct netsched_ops netsched_hfq = {
	.name = "hfq",
	.title = "guarantees, then weights, under ceilings; fair among a domain's flows",
	.flags = NETSCHED_HAS_WEIGHT | NETSCHED_HAS_GUARANTEE | NETSCHED_HAS_CEILING | NETSCHED_HAS_FLOWS,
	.size = sizeof(struct hfq),
	.class_size = sizeof(struct hfq_class),
	.init = hfq_init,
	.link_set = hfq_link_set,
	.class_set = hfq_class_set,
	.class_del = hfq_class_del,
	.wake = hfq_wake,
	.sleep = hfq_sleep,
	.pick = hfq_pick,
	.sent = hfq_sent,
	.stats = hfq_stats,
};
