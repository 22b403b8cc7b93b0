/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Towards the guests: the packets of domains with rates of their own wait here until their time has come, then go the way of
 * all packets to a guest, netif_rx_push().
 *
 * What waits is in memory of our own: another guest's pages are given back first, or it would wait for this one. A class is
 * bounded in packets and bytes, and more tightly while the pool is short, so that a flooded guest costs the others no buffer.
 *
 * Locks: `lock` guards the scheduler, and nothing else is locked under it. Whoever takes packets out delivers them before
 * anybody else may take any (draining), so two CPUs cannot exchange two packets of a flow. Who comes meanwhile leaves `work`
 * set, and the one that drains looks again after it has let go: no packet is forgotten between the two.
 */
#include <errno.h>

#include <hv/irq.h>
#include <hv/log.h>
#include <hv/timer.h>
#include <netif.h>
#include <sched_pkt.h>
#include <shape.h>

#define QUEUE_PACKETS       512u /* that may wait for one guest */
#define QUEUE_PACKETS_TIGHT 32u
#define QUEUE_BYTES         (512u << 10)
#define BATCH               32u
#define ROUNDS              16u  /* batches that one call delivers at most */

_Atomic bool shape_on[MAX_DOMAINS];

static struct env_lock lock;
static struct netsched *sched; /* by lock, as what follows */
static struct pktq lost;       /* the scheduler dropped them: to be freed */
static struct net_counters count;
static struct timer timer;     /* when the scheduler lets the next packet go */
static _Atomic uint64_t timer_at;
static _Atomic bool work, draining;

static void on_drop(void *ctx, struct netsched_item *item, enum netsched_verdict why)
{
	net_drop(&count, sched_pkt_drop(why));
	pktq_push(&lost, pkt_of_item(item));
}

/* What is stopped here waits here: its sender may be anywhere. */
static void on_resume(void *ctx, uint32_t class_id)
{
}

static void on_timer(struct timer *t)
{
	timer_at = NETSCHED_FOREVER;
	work = true;
	softirq_raise(SOFTIRQ_NET_TX);
}

static void take_lost(struct pktq *done)
{
	while (lost.head)
		pktq_push(done, pktq_pop(&lost));
}

static unsigned int give(uint16_t domid, struct pktq *q)
{
	struct netif *vif = net_vif_of(domid);

	if (vif)
		return netif_rx_push(vif, q);
	pktq_free(q);
	return 0;
}

/* => a batch to its guests, those of one guest together; how many found it full. */
static unsigned int deliver(struct pktq *batch)
{
	uint16_t domid = 0;
	unsigned int full = 0;
	struct pktq run;
	struct pkt *p;

	pktq_init(&run);
	while ((p = pktq_pop(batch))) {
		if (run.n && p->item.class_id != domid) {
			full += give(domid, &run);
			pktq_init(&run);
		}
		domid = (uint16_t)p->item.class_id;
		pktq_push(&run, p);
	}
	return run.n ? full + give(domid, &run) : full;
}

/* => packets that may go now, a batch at most; false: no others may. */
static bool take(struct pktq *batch, struct pktq *done)
{
	uint64_t next, now = time_now_ns();
	struct netsched_item *item = NULL;

	env_lock(&lock);
	while (batch->n < BATCH && (item = netsched_dequeue(sched, now, &next)))
		pktq_push(batch, pkt_of_item(item));
	if (!item && next < timer_at) {
		timer_at = next;
		timer_set(&timer, next);
	}
	take_lost(done);
	env_unlock(&lock);
	return item;
}

static unsigned int drain_batch(void)
{
	struct pktq batch, done;
	unsigned int full;

	pktq_init(&batch);
	pktq_init(&done);
	work = false;
	if (take(&batch, &done))
		work = true;
	full = deliver(&batch);
	pktq_free(&done);
	return full;
}

static unsigned int drain(void)
{
	unsigned int i, full = 0;

	for (i = 0; i < ROUNDS && work && !atomic_exchange(&draining, true); i++) {
		full += drain_batch();
		draining = false;
	}
	if (i == ROUNDS)
		softirq_raise(SOFTIRQ_NET_TX); /* others have a turn first */
	return full;
}

void shape_poll(void)
{
	if (work)
		drain();
}

/* The pool is short: is this class's queue as long as it may be then? */
static bool too_long(uint16_t domid, uint64_t now)
{
	struct netsched_stats st;

	return !netsched_stats_read(sched, domid, now, false, &st) && st.backlog_packets >= QUEUE_PACKETS_TIGHT;
}

static void enqueue(uint16_t domid, struct pktq *in)
{
	uint64_t now = time_now_ns();
	struct pkt *p;

	while ((p = pktq_pop(in))) {
		enum pktpool_level level = pktpool_level();
		enum netsched_verdict v;

		if (level == PKTPOOL_SHORT || (level == PKTPOOL_TIGHT && too_long(domid, now))) {
			net_drop(&count, NET_DROP_NO_BUFFER);
			pktq_push(&lost, p);
			continue;
		}
		sched_pkt_fill(p, domid);
		v = netsched_enqueue(sched, &p->item, now);
		if (v != NETSCHED_OK && v != NETSCHED_STOP)
			on_drop(NULL, &p->item, v);
	}
}

unsigned int shape_push(uint16_t domid, struct pktq *q)
{
	struct pktq in, broken;
	struct pkt *p;

	pktq_init(&in);
	pktq_init(&broken);
	while ((p = pktq_pop(q)))
		pktq_push(pkt_detach(p) ? &in : &broken, p);
	env_lock(&lock);
	while ((p = pktq_pop(&broken))) {
		net_drop(&count, NET_DROP_NO_BUFFER);
		pktq_push(&lost, p);
	}
	enqueue(domid, &in);
	env_unlock(&lock);
	work = true;
	return drain();
}

int shape_init(void)
{
	struct netsched_link link = { .rate_bps = SCHED_LINK_BPS, .max_classes = MAX_DOMAINS, .late_ns = sched_link_late_ns() };
	struct netsched_host host = { .drop = on_drop, .mark = sched_pkt_mark, .resume = on_resume };

	pktq_init(&lost);
	timer_at = NETSCHED_FOREVER;
	timer_init(&timer, on_timer);
	return netsched_create(netsched_find("hfq"), &link, &host, &sched, NULL);
}

/* --- for control ------------------------------------------------------------------------------------------------------ */

/* What was changed may let packets go, or drop them. */
static void settle(void)
{
	net_enter();
	work = true;
	drain();
	net_leave();
}

int net_guests_class_set(uint16_t domid, const struct netsched_params *params, struct netsched_refusal *why)
{
	struct netsched_params p = *params;
	int rc;

	p.limit_packets = QUEUE_PACKETS;
	p.limit_bytes = QUEUE_BYTES;
	env_lock(&lock);
	rc = netsched_class_set(sched, domid, &p, time_now_ns(), why);
	env_unlock(&lock);
	if (rc)
		return rc;
	shape_on[domid] = true;
	settle();
	return 0;
}

void net_guests_class_del(uint16_t domid)
{
	struct netsched_params free = { .weight = NET_WEIGHT_DEFAULT };

	if (!shape_has(domid))
		return;
	env_lock(&lock);
	netsched_class_set(sched, domid, &free, time_now_ns(), NULL);
	env_unlock(&lock);
	settle(); /* what waited goes first */
	shape_on[domid] = false;
	settle();
	env_lock(&lock);
	netsched_class_del(sched, domid);
	env_unlock(&lock);
	settle();
}

int net_guests_policy(const char *policy)
{
	const struct netsched_ops *ops = netsched_find(policy);
	int rc;

	if (!ops)
		return -ENOENT;
	env_lock(&lock);
	rc = netsched_switch(sched, ops, time_now_ns());
	env_unlock(&lock);
	settle();
	return rc;
}

int net_guests_rate(uint64_t rate_bps, struct netsched_refusal *why)
{
	int rc;

	env_lock(&lock);
	rc = rate_bps ? netsched_link_rate(sched, rate_bps, why) : netsched_link_free(sched, SCHED_LINK_BPS, why);
	env_unlock(&lock);
	settle();
	return rc;
}

const char *net_guests_policy_name(uint64_t *rate_bps, bool *paced)
{
	const char *name;

	env_lock(&lock);
	name = netsched_name(netsched_policy(sched));
	*rate_bps = netsched_link(sched)->rate_bps;
	*paced = netsched_link(sched)->paced;
	env_unlock(&lock);
	return name;
}

int shape_class_read(uint16_t domid, struct net_class_info *out)
{
	int rc;

	out->link = NET_GUESTS;
	out->dir = VFR_IN;
	env_lock(&lock);
	rc = net_class_fill(sched, domid, out);
	env_unlock(&lock);
	return rc;
}

int shape_sub_set(uint16_t domid, uint32_t index, const struct netsched_sub *sub, struct netsched_refusal *why)
{
	int rc;

	env_lock(&lock);
	rc = net_sub_change(sched, domid, index, sub, why);
	env_unlock(&lock);
	return rc;
}

int shape_sub_read(uint16_t domid, uint32_t index, struct net_sub_info *out)
{
	int rc;

	out->link = NET_GUESTS;
	out->dir = VFR_IN;
	env_lock(&lock);
	rc = netsched_sub_get(sched, domid, index, &out->sub, &out->stats);
	env_unlock(&lock);
	return rc;
}

void shape_counters(struct net_counters *out)
{
	env_lock(&lock);
	*out = count;
	env_unlock(&lock);
}
