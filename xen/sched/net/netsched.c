/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of network scheduling that is common to all policies: a packet's way in and out.
 *
 * Overview. A class with packets is in one of two states: runnable (the policy knows it) or capped (it has used up its
 * ceiling or packet rate and lies on the timing wheel until tokens are back). A class without packets is in neither. The
 * policy orders the runnable ones; the link's own bucket decides when anything may go at all.
 *
 *	enqueue:	limits -> queue -> (first packet) tokens? wake : wheel
 *	dequeue:	wheel -> link's tokens? -> policy's pick -> queue's next -> tokens, statistics -> policy's sent
 *
 * While only one class is runnable there is nothing to order: it is `sole`, and the policy learns of it when a second one comes.
 * On a link that is not full, most packets pass so.
 *
 * Cost. Nothing here depends on the number of classes or of packets; there is no division. A class's hot state is its first
 * three cache lines; what few packets need stands aside, so that the hot lines of many classes take few pages.
 *
 * Synchronization. None: the caller holds whatever guards the instance (netsched.h).
 */
#include <sched/net/internal.h>

#include <assert.h>
#include <stddef.h>

#define RATE_WINDOW (1ull << 27)	/* ns; 134 ms */

static_assert(offsetof(struct netsched_class, sent_packets) == ENV_CACHE_LINE, "an enqueue touches one line");
static_assert(offsetof(struct netsched_class, fair.fattest) == 2 * ENV_CACHE_LINE, "a departure counts in one");

/* When the class may send by its own limits. */
static uint64_t tokens_at(const struct netsched_class *c)
{
	const struct netsched_aside *a = c->aside;
	uint64_t ceiling = a->ceiling.cost ? bucket_ready(&a->ceiling) : 0;
	uint64_t pps = a->pps.cost ? bucket_ready(&a->pps) : 0;

	return ceiling > pps ? ceiling : pps;
}

static void park(struct netsched *ns, struct netsched_class *c, uint64_t until)
{
	c->state |= CLASS_CAPPED;
	if (wheel_empty(&ns->wheel))	/* it did not turn while there was nothing on it */
		ns->wheel.tick = ns->now >> WHEEL_SHIFT;
	wheel_add(&ns->wheel, &c->aside->park, until);
}

void netsched_start(struct netsched *ns, struct netsched_class *c)
{
	if (c->state & CLASS_PACED) {
		uint64_t ready = tokens_at(c);
		if (ready > ns->now) {
			park(ns, c, ready);
			return;
		}
	}
	c->state |= CLASS_RUNNABLE;
	if (ns->runnable++ == 0) {
		ns->sole = c;
		return;
	}
	ns->ops->wake(ns, c, ns->now);	/* ahead of the one that had the link to itself */
	if (ns->sole) {
		ns->ops->wake(ns, ns->sole, ns->now);
		ns->sole = NULL;
	}
}

void netsched_halt(struct netsched *ns, struct netsched_class *c)
{
	if (c->state & CLASS_RUNNABLE) {
		ns->runnable--;
		if (ns->sole == c)
			ns->sole = NULL;
		else
			ns->ops->sleep(ns, c);
	}
	if (c->state & CLASS_CAPPED)
		wheel_del(&ns->wheel, &c->aside->park);
	c->state &= ~(uint32_t)(CLASS_RUNNABLE | CLASS_CAPPED);
}

static struct netsched_sub_stats *count_of(struct netsched_class *c, const struct netsched_item *item)
{
	return &c->aside->subs->count[fair_sub_of(&c->fair, item)];
}

/* Its packets count for their sub-classes, too. */
static bool counts_subs(const struct netsched_class *c)
{
	return c->state & CLASS_DIVIDED && c->state & CLASS_FLOWS;
}

static void count_drop(struct netsched_class *c, const struct netsched_item *item, enum netsched_verdict why)
{
	c->aside->drops[why]++;
	if (counts_subs(c))
		count_of(c, item)->drops++;
}

void netsched_discard(struct netsched_class *c, struct netsched_item *item, enum netsched_verdict why)
{
	struct netsched *ns = c->aside->ns;

	c->packets--;
	c->bytes -= item->wire_bytes;
	ns->backlog--;
	count_drop(c, item, why);
	ns->host.drop(ns->host.ctx, item, why);
}

static enum netsched_verdict refuse(struct netsched_class *c, const struct netsched_item *item, enum netsched_verdict why)
{
	count_drop(c, item, why);
	return why;
}

/* The class is at its limit: make room by the longest flow's oldest packet, unless the packet that comes is of that flow. */
static bool make_room(struct netsched_class *c, const struct netsched_item *item)
{
	if (!(c->state & CLASS_FLOWS) || c->q.head || !c->packets || fair_is_fattest(&c->fair, item))
		return false;
	while (c->bytes + item->wire_bytes > c->limit_bytes || c->packets >= c->limit_packets) {
		if (fair_is_fattest(&c->fair, item))
			return false;
		netsched_discard(c, fair_evict(&c->fair), NETSCHED_FULL);
	}
	return true;
}

static void class_push(struct netsched_class *c, struct netsched_item *item)
{
	if (c->state & CLASS_FLOWS && c->packets) {
		/* a lone packet waits outside of the flow queues, which it need not touch */
		if (c->q.head)
			fair_push(&c->fair, queue_pop(&c->q));
		fair_push(&c->fair, item);
	} else {
		queue_push(&c->q, item);
		c->lead = &c->q;
	}
	c->packets++;
	c->bytes += item->wire_bytes;
}

enum netsched_verdict netsched_enqueue(struct netsched *ns, struct netsched_item *item, uint64_t now)
{
	if (!netsched_is_live(ns, item->class_id))
		return NETSCHED_NO_CLASS;
	struct netsched_class *c = &ns->classes[item->class_id];
	if (item->wire_bytes > c->max_packet)
		return refuse(c, item, NETSCHED_OVERSIZE);
	if ((c->bytes + item->wire_bytes > c->limit_bytes || c->packets >= c->limit_packets) && !make_room(c, item))
		return refuse(c, item, NETSCHED_FULL);

	ns->now = now;
	item->enq_ns = now;
	class_push(c, item);
	ns->backlog++;
	if (!(c->state & (CLASS_RUNNABLE | CLASS_CAPPED)))
		netsched_start(ns, c);
	if (c->bytes <= c->stop_bytes)
		return NETSCHED_OK;
	if (!(c->state & CLASS_STOPPED)) {
		c->state |= CLASS_STOPPED;
		c->aside->stops++;
	}
	return NETSCHED_STOP;
}

void netsched_expect(const struct netsched *ns, uint32_t id)
{
	if (id >= ns->link.max_classes)
		return;
	__builtin_prefetch(&ns->classes[id], 1);
	__builtin_prefetch(&ns->classes[id].sent_packets, 1);
}

static struct netsched_item *class_pop(struct netsched_class *c, uint64_t now)
{
	struct netsched_item *item = queue_pop(&c->q);

	if (!item)
		item = fair_pop(&c->fair, c, now);
	c->packets--;
	c->bytes -= item->wire_bytes;
	return item;
}

static void count_sent(struct netsched_class *c, const struct netsched_item *item, uint64_t now)
{
	uint64_t waited = now - item->enq_ns;

	if (now - c->window_start >= RATE_WINDOW) {
		struct netsched_aside *a = c->aside;

		a->rate_bytes = c->sent_bytes - a->window_bytes;
		a->rate_ns = now - c->window_start;
		a->window_bytes = c->sent_bytes;
		c->window_start = now;
	}
	c->sent_packets++;
	c->sent_bytes += item->wire_bytes;
	c->delay_ns += (waited >> 4) - (c->delay_ns >> 4);
	if (waited > c->delay_max_ns)
		c->delay_max_ns = waited;
	if (counts_subs(c)) {
		struct netsched_sub_stats *sub = count_of(c, item);

		sub->sent_packets++;
		sub->sent_bytes += item->wire_bytes;
	}
}

/* Pay for a packet. => when the class may send again, 0: at once */
static uint64_t take_tokens(struct netsched_class *c, uint32_t bytes, uint64_t now)
{
	struct netsched_aside *a = c->aside;

	if (a->ceiling.cost)
		bucket_take(&a->ceiling, bytes, now);
	if (a->pps.cost)
		bucket_take(&a->pps, 1, now);
	uint64_t ready = tokens_at(c);
	return ready > now ? ready : 0;
}

static struct netsched_item *send(struct netsched *ns, struct netsched_class *c, uint64_t now)
{
	struct netsched_item *item = class_pop(c, now);
	uint64_t ready = 0;

	ns->backlog--;
	count_sent(c, item, now);
	if (ns->link.paced)
		bucket_take(&ns->pace, item->wire_bytes, now);
	if (c->state & CLASS_PACED)
		ready = take_tokens(c, item->wire_bytes, now);

	bool runnable = c->packets && !ready;
	if (ns->sole != c)
		ns->ops->sent(ns, c, item->wire_bytes, runnable);
	if (!runnable) {
		ns->runnable--;
		ns->sole = NULL;
		c->state &= ~(uint32_t)CLASS_RUNNABLE;
		if (c->packets)
			park(ns, c, ready);
	}
	if (c->state & CLASS_STOPPED && c->bytes <= c->stop_bytes / 2) {
		c->state &= ~(uint32_t)CLASS_STOPPED;
		ns->host.resume(ns->host.ctx, c->id);
	}
	return item;
}

/* Classes whose tokens are back become runnable. */
static void unpark(struct netsched *ns, uint64_t now)
{
	struct wheel_node *n;

	while ((n = wheel_due(&ns->wheel, now))) {
		struct netsched_aside *a = (void *)((char *)n - offsetof(struct netsched_aside, park));
		struct netsched_class *c = a->class;
		c->state &= ~(uint32_t)CLASS_CAPPED;
		netsched_start(ns, c);
	}
}

struct netsched_item *netsched_dequeue(struct netsched *ns, uint64_t now, uint64_t *next)
{
	ns->now = now;
	if (!wheel_empty(&ns->wheel))
		unpark(ns, now);
	if (ns->link.paced && !bucket_open(&ns->pace, now)) {
		*next = ns->backlog ? bucket_ready(&ns->pace) : NETSCHED_FOREVER;
		return NULL;
	}
	if (!ns->runnable) {
		*next = wheel_next(&ns->wheel);
		return NULL;
	}
	*next = now;
	return send(ns, ns->sole ? ns->sole : ns->ops->pick(ns, now), now);
}

unsigned int netsched_dequeue_batch(struct netsched *ns, uint64_t now, uint32_t budget, struct netsched_item **out,
				    unsigned int max, uint64_t *next)
{
	unsigned int n = 0;
	uint32_t spent = 0;

	*next = now;
	while (n < max && spent < budget) {
		struct netsched_item *item = netsched_dequeue(ns, now, next);
		if (!item)
			break;
		out[n++] = item;
		spent += item->wire_bytes;
	}
	return n;
}

enum netsched_verdict netsched_new_flow(struct netsched *ns, uint32_t id, uint64_t now)
{
	if (!netsched_is_live(ns, id))
		return NETSCHED_NO_CLASS;
	struct netsched_aside *a = &ns->asides[id];
	if (!a->new_flows.cost)
		return NETSCHED_OK;
	if (!bucket_open(&a->new_flows, now)) {
		a->drops[NETSCHED_NEW_FLOWS]++;
		return NETSCHED_NEW_FLOWS;
	}
	bucket_take(&a->new_flows, 1, now);
	return NETSCHED_OK;
}

uint32_t netsched_backlog(const struct netsched *ns)
{
	return ns->backlog;
}
