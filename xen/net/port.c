/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network layer: attachment points around the router, and the two softirqs.
 *
 * NET_RX takes frames from the cards, NET_TX from the guests; both give batches to vfr_input() and do what its verdicts
 * say (net_dispatch()), so a packet goes from wire to guest, or from guest to wire, within one softirq on one CPU. Work a
 * call is bounded: one batch a card, one batch a vif; who has more is put behind the others and the softirq raised again.
 * Events to guests are collected and sent once, at the end.
 *
 * Lifetime of vifs: a vif is found by its domain's id in `vifs`. Who holds such a pointer is between net_enter() and
 * net_leave(), which each CPU counts (epoch, odd inside); a vif that has been withdrawn is freed when every CPU has been
 * outside since then and no packet of it is in flight.
 */
#include <errno.h>
#include <string.h>

#include <hv/boot.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/timer.h>
#include <netif.h>
#include <shape.h>

#define TOUCHED_MAX 32
#define VFR_TIMER_MIN_NS 100000000UL

#define WATCH_NS 50000UL
#define WATCH_EMULATED_NS 4000000UL

#define POOL_SHARE 32 /* at most one part in so many of the RAM for packets */
#define POOL_MIN 1024u
#define POOL_MAX 16384u

struct netcpu {
	struct netif *list, **tail;         /* vifs to poll */
	struct netif *touched[TOUCHED_MAX]; /* vifs that are owed events */
	unsigned int nr_touched;
	struct netif *watched;              /* vifs whose guests are not asked for events */
	struct timer watch_timer;
	bool watching;                      /* it is armed, or about to fire */
	unsigned int depth;                 /* of enter(): callbacks of the router come inside softirqs and outside */
	_Atomic uint64_t epoch;
} __attribute__((aligned(ENV_CACHE_LINE)));

uint64_t net_watch_ns;
static struct netcpu netcpus[MAX_CPUS]; /* each by its CPU; epoch is read by all */
static struct vfr *router;
static void (*audit_sink)(const struct vfr_event *ev);
static struct netif *_Atomic vifs[MAX_DOMAINS];
static struct timer router_timer;

static struct env_lock dead_lock;
static struct netif *dead; /* by dead_lock */
static _Atomic uint32_t nr_dead;

static struct netcpu *netcpu(void)
{
	return &netcpus[this_cpu()->id];
}

struct vfr *net_router(void)
{
	return router;
}

void net_audit_to(void (*fn)(const struct vfr_event *ev))
{
	audit_sink = fn;
}

/* --- vifs by domain --------------------------------------------------------------------------------------------------- */

static const uint8_t gateway_mac[6] = { 0x02, 0x56, 0x46, 0x52, 0x00, 0x01 };

struct netif *net_vif_of(uint16_t domid)
{
	return domid < MAX_DOMAINS ? atomic_load_explicit(&vifs[domid], memory_order_acquire) : NULL;
}

int net_vif_macs(uint16_t domid, uint8_t mac[6], uint8_t gateway[6])
{
	struct netif *vif;

	net_enter();
	vif = net_vif_of(domid);
	if (vif)
		memcpy(mac, vif->mac, sizeof(vif->mac));
	net_leave();
	memcpy(gateway, gateway_mac, sizeof(gateway_mac));
	return vif ? 0 : -ENOENT;
}

int net_port_publish(struct netif *vif)
{
	struct netif *none = NULL;

	return atomic_compare_exchange_strong(&vifs[vif->d->id], &none, vif) ? 0 : -EEXIST;
}

struct netif *net_port_withdraw(uint16_t domid)
{
	return domid < MAX_DOMAINS ? atomic_exchange(&vifs[domid], NULL) : NULL;
}

int net_port_attach(struct netif *vif)
{
	struct vfr_port_cfg cfg = { .kind = VFR_PORT_GUEST, .mtu = vif->mtu, .domid = vif->d->id };

	memcpy(cfg.mac, vif->mac, sizeof(cfg.mac));
	return vfr_port_attach(router, vif->port, &cfg);
}

void net_port_detach(struct netif *vif)
{
	vfr_port_detach(router, vif->port, time_now_ns());
}

void net_bury(struct netif *vif)
{
	for (uint32_t i = 0; i < nr_cpus; i++)
		vif->dead_epoch[i] = netcpus[i].epoch;
	env_lock(&dead_lock);
	vif->dead_next = dead;
	dead = vif;
	nr_dead++;
	env_unlock(&dead_lock);
}

static bool nobody_looks(const struct netif *vif)
{
	if (vif->in_flight || vif->scheduled)
		return false;
	for (uint32_t i = 0; i < nr_cpus; i++)
		if ((vif->dead_epoch[i] & 1) && netcpus[i].epoch == vif->dead_epoch[i])
			return false;
	return true;
}

static void free_dead(void)
{
	struct netif *gone = NULL;

	if (!nr_dead)
		return;
	env_lock(&dead_lock);
	for (struct netif **at = &dead; *at;) {
		struct netif *vif = *at;

		if (!nobody_looks(vif)) {
			at = &vif->dead_next;
			continue;
		}
		*at = vif->dead_next;
		vif->dead_next = gone;
		gone = vif;
		nr_dead--;
	}
	env_unlock(&dead_lock);
	while (gone) {
		struct netif *vif = gone;

		gone = vif->dead_next;
		domain_put(vif->d);
		env_free(vif, sizeof(*vif));
	}
}

/* --- scheduling ------------------------------------------------------------------------------------------------------- */

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

static void flush_touched(struct netcpu *c)
{
	for (unsigned int i = 0; i < c->nr_touched; i++)
		netif_notify(c->touched[i]);
	c->nr_touched = 0;
}

void net_touch(struct netif *vif, uint32_t bits)
{
	struct netcpu *c = netcpu();

	if (atomic_fetch_or(&vif->notify, bits))
		return; /* another entry, maybe of another CPU, sends them */
	if (c->nr_touched == TOUCHED_MAX)
		flush_touched(c);
	c->touched[c->nr_touched++] = vif;
}

void net_enter(void)
{
	struct netcpu *c = netcpu();

	if (!c->depth++)
		atomic_fetch_add(&c->epoch, 1);
}

void net_leave(void)
{
	struct netcpu *c = netcpu();

	if (--c->depth)
		return;
	flush_touched(c);
	atomic_fetch_add(&c->epoch, 1);
	free_dead();
}

/* --- through the router ----------------------------------------------------------------------------------------------- */

static unsigned int output(uint16_t port, struct pktq *q)
{
	struct uplink *up = uplink_of(port);
	struct netif *vif = up ? NULL : net_vif_of((uint16_t)(port - NET_UPLINKS_MAX));

	if (up)
		uplink_send(up, q);
	else if (vif)
		return shape_has(vif->d->id) ? shape_push(vif->d->id, q) : netif_rx_push(vif, q);
	else
		pktq_free(q); /* the domain went between the verdict and now */
	return 0;
}

static _Atomic(void (*)(const struct vfr_pkt *)) tap;

void net_tap(void (*fn)(const struct vfr_pkt *pkt))
{
	atomic_store(&tap, fn);
}

static void show_tap(struct vfr_pkt *const *pkts, unsigned int n)
{
	void (*fn)(const struct vfr_pkt *) = atomic_load_explicit(&tap, memory_order_relaxed);

	for (unsigned int i = 0; fn && i < n; i++)
		if (pkts[i])
			fn(pkts[i]);
}

unsigned int net_dispatch(struct vfr_pkt **pkts, unsigned int n)
{
	uint16_t port = VFR_NOPORT;
	unsigned int full = 0;
	struct pktq q;

	show_tap(pkts, n);
	pktq_init(&q);
	for (unsigned int i = 0; i < n; i++) {
		struct pkt *p = pkt_of(pkts[i]);

		if (!p)
			continue; /* held: the router's, until on_release() */
		if (p->v.verdict != VFR_FORWARD) {
			pkt_free(p);
			continue;
		}
		if (q.n && port != p->v.out_port) {
			full += output(port, &q);
			pktq_init(&q);
		}
		port = p->v.out_port;
		pktq_push(&q, p);
	}
	if (q.n)
		full += output(port, &q);
	return full;
}

static void on_emit(void *host, uint16_t out_port, const uint8_t *frame, uint32_t len)
{
	struct pkt *p;
	struct pktq q;

	if (len > PKT_DATA_MAX)
		return;
	p = pkt_alloc();
	if (!p)
		return;
	memcpy(pkt_data(p), frame, len);
	pkt_frame(p, len, len);
	p->v.out_port = out_port;
	p->v.src_dom = VFR_NODOM;
	p->v.dscp = 0;
	p->v.ecn = 0;
	p->v.sched_class = 0;
	p->v.flow_hash = 0;
	p->v.flags = 0;
	pktq_init(&q);
	pktq_push(&q, p);
	net_enter();
	output(out_port, &q);
	net_leave();
}

static void on_release(void *host, struct vfr_pkt *pkt)
{
	net_enter();
	net_dispatch(&pkt, 1);
	net_leave();
}

static void on_event(void *host, const struct vfr_event *ev)
{
	if (audit_sink)
		audit_sink(ev);
}

/* --- softirqs --------------------------------------------------------------------------------------------------------- */

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
		vfr_input(router, this_cpu()->id, now, vif->port, batch, (unsigned int)n);
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
	netcpu()->watching = true;
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
	netcpu()->watching = false; /* what is still to be watched sets it again */
	uplinks_look();
	look_at_watched((struct netcpu *)((char *)t - offsetof(struct netcpu, watch_timer)));
}

void net_poll(void)
{
	struct netcpu *c = netcpu();
	uint64_t now;

	if (!c->watching)
		return;
	now = time_now_ns();
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

static void age_router(struct timer *t)
{
	uint64_t now = time_now_ns(), next;

	net_enter();
	next = vfr_timer(router, now);
	net_leave();
	timer_set(t, next < now + VFR_TIMER_MIN_NS ? now + VFR_TIMER_MIN_NS : next);
}

/* --- start ------------------------------------------------------------------------------------------------------------ */

static bool rdrand(uint64_t *v)
{
	uint32_t a = 1, b, c, d;
	bool ok;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d) : "2"(0));
	if (!(c & (1u << 30)))
		return false;
	__asm__ volatile("rdrand %0; setc %1" : "=r"(*v), "=qm"(ok) : : "cc");
	return ok;
}

static uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* Hash keys: from the CPU's generator; without one from clocks, which is better than the same keys everywhere. */
static void make_seed(uint8_t seed[32])
{
	uint64_t v, mix = 0x9e3779b97f4a7c15UL;

	for (unsigned int i = 0; i < 32; i += 8) {
		if (!rdrand(&v))
			v = rdtsc() ^ time_utc_ns();
		mix = (mix ^ v) * 0xff51afd7ed558ccdUL;
		mix ^= mix >> 33;
		memcpy(seed + i, &mix, 8);
	}
}

static uint32_t pool_size(void)
{
	uint64_t n = mm_total_bytes() / POOL_SHARE / PKT_SIZE;

	return n < POOL_MIN ? POOL_MIN : n > POOL_MAX ? POOL_MAX : (uint32_t)n;
}

/* netwatch=MICROSECONDS on the boot line; an emulator, where leaving a guest is dear, is told by its name. */
static uint64_t choose_watch_ns(void)
{
	static const char emulator[] = "TCGTCGTCGTCG";
	uint32_t a = 0x40000000, name[3];
	char text[12];
	uint64_t us = 0;

	if (boot_option("netwatch", text, sizeof(text))) {
		for (const char *p = text; *p >= '0' && *p <= '9' && us < 1000000; p++)
			us = us * 10 + (uint64_t)(*p - '0');
		if (us)
			return us * 1000;
	}
	__asm__ volatile("cpuid" : "+a"(a), "=b"(name[0]), "=c"(name[1]), "=d"(name[2]) : : );
	return memcmp(name, emulator, sizeof(name)) ? WATCH_NS : WATCH_EMULATED_NS;
}

void net_init(void)
{
	static const struct vfr_ops ops = { .emit = on_emit, .release = on_release, .audit = on_event };
	struct vfr_params params = {
		.cpus = (uint16_t)nr_cpus,
		.max_ports = NET_UPLINKS_MAX + MAX_DOMAINS,
		.max_domains = MAX_DOMAINS,
	};

	memcpy(params.gateway_mac, gateway_mac, sizeof(gateway_mac));
	net_watch_ns = choose_watch_ns();
	pktpool_init(pool_size());
	make_seed(params.seed);
	router = vfr_create(&params, &ops, NULL);
	if (!router)
		panic("net: no memory for the router");
	uplinks_init(router);
	for (uint32_t i = 0; i < nr_cpus; i++)
		timer_init(&netcpus[i].watch_timer, on_watch_timer);
	timer_init(&router_timer, age_router);
	timer_set(&router_timer, time_now_ns() + VFR_TIMER_MIN_NS);
}

/* --- names ------------------------------------------------------------------------------------------------------------ */

const char *net_drop_name(enum net_drop drop)
{
	static const char *const names[] = {
#define X(e, name, text) [NET_DROP_##e] = name,
		NET_DROP_LIST(X)
#undef X
	};

	return names[drop];
}

const char *net_drop_text(enum net_drop drop)
{
	static const char *const texts[] = {
#define X(e, name, text) [NET_DROP_##e] = text,
		NET_DROP_LIST(X)
#undef X
	};

	return texts[drop];
}
