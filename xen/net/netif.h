/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vif: the backend half of one guest's network interface, for the files of this folder.
 *
 * Locks: tx_lock guards the transmit ring (guest to us), rx_lock the receive ring and the queue before it. The life-cycle
 * (connect, disconnect) takes both, rx_lock first; nothing else holds two of them, and nothing of the router, an uplink or
 * another vif is called under either, with one exception: a packet that waits under
 * rx_lock is detached from the vif that sent it, under that one's tx_lock. So the order is: any rx_lock, then any tx_lock.
 * life_lock serialises the life-cycle itself and is taken before both.
 *
 * A vif's transmit ring is read by one CPU at a time: the one on whose list it is (scheduled). That keeps its packets in
 * order without holding a lock across the router.
 */
#ifndef NET_NETIF_H
#define NET_NETIF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#include <env.h>
#include <hv/cpu.h>
#include <hv/grant.h>
#include <hv/timer.h>
#include <net.h>
#include <pkt.h>

struct domain;
struct xs_watch;

#define NETIF_RING 256u /* slots of either ring: one page */
_Static_assert(NETIF_RING == __CONST_RING_SIZE(netif_tx, PAGE_SIZE) && NETIF_RING == __CONST_RING_SIZE(netif_rx, PAGE_SIZE), "ring sizes");

enum netif_state {
	NETIF_WAITING,   /* no frontend yet, or it has closed */
	NETIF_CONNECTED,
	NETIF_BROKEN,    /* the guest wrote nonsense; until the frontend closes */
	NETIF_DEAD,      /* destroyed */
};

/* What the frontend said that it takes. */
struct netif_features {
	bool sg, gso4, gso6, no_csum, csum6;
};

/* One of the two shared rings: our indices are ours alone and are never read back. */
struct netif_ring {
	struct grant_use page;
	uint32_t req_cons;
	uint32_t rsp_prod;
	uint32_t evtchn;
};

/*
 * How long a ring with traffic may go without a look. A trip out of a guest costs it its TLB, so a busy ring is watched
 * instead of announced by interrupts and events: looked at whenever the guest leaves anyway (net_poll()), and else after
 * net_watch_ns; until it has been quiet for WATCH_END_NS. A CPU that has nothing else to do is told at once (net_idle()).
 */
#define WATCH_END_NS 10000000UL

/* Is a ring busy? One that had next to nothing since its CPU slept is not: questions and answers, where each is awaited. */
struct net_traffic {
	uint64_t last_ns; /* when there was a packet */
	uint32_t burst;   /* packets since the CPU slept, or since it was quiet */
};
#define SLOW_BURST 2

#define NETIF_NOTIFY_TX 1u
#define NETIF_NOTIFY_RX 2u

/* What a guest that is sent more than it can use is given at a time (netif_ration.c). */
struct netif_ration {
	uint64_t full_ns;  /* when a packet was last dropped because its queue was full */
	uint64_t given_ns; /* when this portion began */
	uint64_t taken_ns; /* when the guest was seen to have taken all of it; 0: not yet */
	uint32_t given;    /* slots of it, */
	uint32_t room;     /* and free ones before it */
	bool shown;        /* the guest can see them */
};

struct netif {
	struct domain *d;        /* a reference */
	uint16_t port, mtu;
	uint8_t mac[6];
	char front[48], back[48]; /* xenstore directories */
	struct xs_watch *watch;

	struct env_lock life_lock;
	_Atomic enum netif_state state;
	const char *_Atomic fault;
	uint32_t connection;     /* counts connects: answers of an old one go nowhere */
	struct netif_features feat;

	struct env_lock tx_lock;
	struct netif_ring tx;
	volatile netif_tx_sring_t *tx_shared;
	_Atomic uint32_t in_flight; /* packets with slots to answer; keeps the struct alive */
	_Atomic bool scheduled;  /* on a CPU's list, or being polled */
	_Atomic bool stopped;    /* the uplink's scheduler has enough of it */
	struct netif *sched_next;
	struct net_traffic traffic; /* by the CPU on whose list it is */

	struct env_lock rx_lock;
	struct netif_ring rx;
	volatile netif_rx_sring_t *rx_shared;
	struct pktq rxq;         /* waits for receive buffers */
	uint32_t rxq_bufs, rxq_bytes;
	uint32_t rx_last_prod;   /* the guest's index when last there were too few buffers, */
	uint64_t rx_moved_ns;    /* when it was last seen to have moved, */
	bool rx_moving;          /* and whether that is not long ago */
	_Atomic bool rx_work;
	struct netif_ration ration;

	_Atomic uint32_t notify; /* NETIF_NOTIFY_*: events owed to the guest at the end of the softirq */

	struct net_counters count[2]; /* by tx_lock (VFR_OUT), rx_lock (VFR_IN) */

	struct netif *dead_next;
	uint64_t dead_epoch[MAX_CPUS];
};

/* --- netif.c: life --- */

/* => connect: the frontend's rings and event channels, as it wrote them. -errno with the reason logged. */
int netif_connect(struct netif *vif);
void netif_disconnect(struct netif *vif);
/* => stop a vif whose guest wrote nonsense; not under its locks. */
void netif_fault(struct netif *vif, const char *why);
/* => events owed to the guest are sent. */
void netif_notify(struct netif *vif);

/* --- netif_xenbus.c --- */
int netif_xenbus_start(struct netif *vif);
void netif_xenbus_stop(struct netif *vif);
void netif_xenbus_error(struct netif *vif, const char *why);

/* --- netif_tx.c --- */
/* => read up to VFR_BATCH packets of the guest into out[]; *more: there are others. Packets, or -EPROTO with *why. */
int netif_tx_read(struct netif *vif, struct vfr_pkt *out[VFR_BATCH], bool *more, const char **why);
/* => ask the guest for an event with its next packet; true: there is one already. */
bool netif_tx_rearm(struct netif *vif);
/* => is there anything to read? Cheap. */
bool netif_tx_pending(struct netif *vif);
/* => answer the slots of a packet and give its pages back (from pkt_free()). */
void netif_tx_done(struct pkt *p);

/* --- netif_ration.c --- */
/* => how many of `room` free receive slots may be used now; rx_lock is held. */
uint32_t netif_ration(struct netif *vif, uint32_t room);

/* --- netif_rx.c --- */
/* => deliver packets in order; what the ring has no room for waits, bounded. Takes them all. How many were dropped because
 *    the guest is full. */
unsigned int netif_rx_push(struct netif *vif, struct pktq *q);
/* => deliver what waits as far as the guest has given buffers; true: watch it, there is more and buffers come. */
bool netif_rx_drain(struct netif *vif);
/* => would netif_rx_drain() deliver anything? Cheap. */
bool netif_rx_pending(struct netif *vif);
/* => throw the waiting packets away; rx_lock is held. The caller frees *out. */
void netif_rx_flush(struct netif *vif, struct pktq *out);

/* --- port.c, poll.c, path.c: vifs by domain, scheduling, the way through the router --- */
/* The one MAC that guests see. */
extern const uint8_t net_gateway_mac[6];
/* => poll the vif's rings on this CPU in SOFTIRQ_NET_TX. */
void net_schedule(struct netif *vif);
/* => look at its rings from time to time on this CPU. */
void net_watch_vif(struct netif *vif);
/* => at the end of this softirq, send the events the vif is owed. */
void net_touch(struct netif *vif, uint32_t bits);
/* => look at the rings that this CPU watches, net_watch_ns from now at the latest. */
void net_watch(void);
/* => n packets were found now; true: the ring is to be watched. */
bool net_is_busy(struct net_traffic *t, unsigned int n, uint64_t now);
/* => do what the router's verdicts say. How many packets found their guest full. */
unsigned int net_dispatch(struct vfr_pkt **pkts, unsigned int n);
/* => between net_enter() and net_leave(): vifs found there do not go before net_leave(). They nest. */
void net_enter(void);
void net_leave(void);
struct netif *net_vif_of(uint16_t domid);
/* => make a vif known under its domain id (-EEXIST), and forget it. */
int net_port_publish(struct netif *vif);
struct netif *net_port_withdraw(uint16_t domid);
/* => attach it to the router, while its frontend is there. */
int net_port_attach(struct netif *vif);
void net_port_detach(struct netif *vif);
/* => a vif that nobody finds any more: freed when no CPU can hold a pointer to it. */
void net_bury(struct netif *vif);

/* --- uplink.c, seen from port.c and netif.c --- */
struct uplink;
void uplinks_init(struct vfr *v);
void uplinks_rx_poll(void);
void uplinks_tx_poll(void);
/* => raise the softirqs if a watched card has frames, or is done with frames that guests wait for. */
void uplinks_poll(void);
/* => raise them in any case: the watch timer. */
void uplinks_look(void);
/* => ask the cards for interrupts, as this CPU is about to sleep; true: there is work instead. */
bool uplinks_idle(void);
struct uplink *uplink_of(uint16_t port);
void uplink_send(struct uplink *up, struct pktq *q);
void uplinks_class_add(uint16_t domid);
void uplinks_class_del(uint16_t domid);

static inline void net_drop(struct net_counters *c, enum net_drop why)
{
	c->drops[why]++;
}

#endif
