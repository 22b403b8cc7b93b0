/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two softirqs, and when they look at which ring.
 *
 * NET_RX takes frames from the cards, NET_TX from the guests; both give batches to vfr_input() and do what its verdicts say
 * (path.c), so a packet goes from wire to guest, or from guest to wire, within one softirq on one CPU. Work a call is
 * bounded: one batch a card, one batch a vif; who has more is put behind the others and the softirq raised again.
 *
 * A ring with traffic is watched (netif.h says why). A vif is on one CPU's list at a time (`scheduled`): to be polled in the
 * next softirq, or among the watched.
 */
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/timer.h>
#include <netcpu.h>

uint64_t net_watch_ns;

static void append(struct netcpu *c, struct netif *vif)
{
	vif->sched_next = NULL;
	if (!c->tail || !c->list)
		c->tail = &c->list;
	*c->tail = vif;
	c->tail = &vif->sched_next;
}

void net_schedule(struct netif *vif)
{
	if (atomic_exchange(&vif->scheduled, true))
		return;
	append(netcpu(), vif);
	softirq_raise(SOFTIRQ_NET_TX);
}

void net_rx_softirq(void)
{
	net_enter();
	uplinks_rx_poll();
	net_leave();
}

/* => packets of one batch of a vif; *more: it has others; *waits: packets to it wait for buffers that will come. */
static unsigned int poll_vif(struct netif *vif, uint64_t now, bool *more, bool *waits)
{
	struct vfr_pkt *batch[VFR_BATCH];
	const char *why;
	int n;

	*more = false;
	vif->rx_work = false;
	*waits = netif_rx_drain(vif);
	if (vif->stopped)
		return 0;
	n = netif_tx_read(vif, batch, more, &why);
	if (n) {
		vfr_input(net_router(), this_cpu()->id, now, vif->port, batch, (unsigned int)n);
		net_dispatch(batch, (unsigned int)n);
	}
	if (why)
		netif_fault(vif, why);
	return (unsigned int)n;
}

bool net_is_busy(struct net_traffic *t, unsigned int n, uint64_t now)
{
	t->burst += n;
	if (n)
		t->last_ns = now;
	else if (now - t->last_ns >= WATCH_END_NS)
		t->burst = 0;
	return t->burst > SLOW_BURST;
}

/* The guest's ring is watched from here on; its guest sends no events. */
static void watch(struct netcpu *c, struct netif *vif)
{
	vif->sched_next = c->watched;
	c->watched = vif;
	net_watch();
}

void net_watch_vif(struct netif *vif)
{
	if (!atomic_exchange(&vif->scheduled, true))
		watch(netcpu(), vif);
}

void net_watch(void)
{
	timer_set(&netcpu()->watch_timer, time_now_ns() + net_watch_ns);
	this_cpu()->net_watching = true;
}

/* => look at all watched rings in the next softirq. */
static void look_at_watched(struct netcpu *c)
{
	while (c->watched) {
		struct netif *vif = c->watched;

		c->watched = vif->sched_next;
		append(c, vif);
	}
	softirq_raise(SOFTIRQ_NET_TX);
}

static void on_watch_timer(struct timer *t)
{
	this_cpu()->net_watching = false; /* what is still to be watched sets it again */
	uplinks_look();
	look_at_watched((struct netcpu *)((char *)t - offsetof(struct netcpu, watch_timer)));
}

void net_poll(void)
{
	struct netcpu *c = netcpu();
	uint64_t now = time_now_ns();

	if (now >= c->watch_timer.deadline_ns)
		return; /* the timer is due, and sees whether there is anything left to watch */
	timer_set(&c->watch_timer, now + net_watch_ns); /* this look counts: the timer is put off */
	uplinks_poll();
	for (struct netif *vif = c->watched; vif; vif = vif->sched_next)
		if (netif_tx_pending(vif) || netif_rx_pending(vif)) {
			look_at_watched(c);
			return;
		}
}

/* The vif is nobody's between the store and the look: an event in between schedules it anew. */
static void poll_done(struct netif *vif)
{
	vif->scheduled = false;
	if ((netif_tx_rearm(vif) && !vif->stopped) || vif->rx_work)
		net_schedule(vif);
}

/*
 * This CPU goes to sleep. A guest that sent next to nothing answers questions one by one: its next packet is worth an event,
 * which brings it out at once. One that sent more will do so again, and its ring is looked at when it sleeps; unless there
 * are other CPUs that it may be running on.
 */
static void announce(struct netcpu *c)
{
	struct netif *list = c->watched;

	c->watched = NULL;
	while (list) {
		struct netif *vif = list;

		list = vif->sched_next;
		if (vif->traffic.burst <= SLOW_BURST || nr_cpus > 1) {
			poll_done(vif);
		} else {
			vif->sched_next = c->watched;
			c->watched = vif;
		}
		vif->traffic.burst = 0;
	}
}

bool net_idle(void)
{
	struct netcpu *c = netcpu();
	bool work;

	net_enter();
	announce(c);
	work = uplinks_idle() || c->list;
	net_leave();
	return work;
}

static void poll_list(struct netcpu *c, struct netif *list, uint64_t now)
{
	while (list) {
		struct netif *vif = list;
		bool more, waits;
		unsigned int n = poll_vif(vif, now, &more, &waits);

		list = vif->sched_next;
		if (more) {
			append(c, vif);
		} else if (net_is_busy(&vif->traffic, n, now) || waits) {
			watch(c, vif);
		} else {
			poll_done(vif);
		}
	}
}

void net_tx_softirq(void)
{
	struct netcpu *c = netcpu();
	struct netif *list = c->list;

	net_enter();
	c->list = NULL;
	poll_list(c, list, time_now_ns());
	uplinks_tx_poll();
	if (c->list)
		softirq_raise(SOFTIRQ_NET_TX);
	net_leave();
}

void net_watch_init(void)
{
	for (uint32_t i = 0; i < nr_cpus; i++)
		timer_init(&netcpus[i].watch_timer, on_watch_timer);
}
