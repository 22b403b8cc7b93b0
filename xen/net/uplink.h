/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the uplinks share.
 *
 * Locks: tx_lock guards the scheduler and the card's send ring; nothing else is locked under it, and packets are freed
 * after it, since that answers guests. The receive side is CPU 0's alone and has no lock.
 */
#ifndef NET_UPLINK_H
#define NET_UPLINK_H

#include <hv/timer.h>
#include <drivers/nic.h>
#include <netif.h>

struct uplink {
	struct nic *nic;
	uint16_t port;
	_Atomic bool rx_work, tx_work, link_changed;
	bool rx_started;
	struct net_traffic rx_traffic; /* by CPU 0 */
	uint64_t rx_rest_ns;         /* by CPU 0: not looked at before; 0: at any time */
	uint32_t rx_size;            /* buffers that the card's ring takes */
	struct timer refill;         /* of a card that got too few buffers */
	bool rx_watched;             /* by CPU 0: the card is not asked for interrupts */

	struct net_counters rx;      /* by CPU 0 */

	_Atomic bool split;          /* long segments are cut before they wait */

	struct env_lock tx_lock;
	struct netsched *sched;      /* by tx_lock, as what follows */
	struct pkt *head;            /* out of the scheduler, but the card had no room */
	struct pktq lost;            /* the scheduler dropped them: to be freed */
	uint32_t lent;               /* frames at the card whose guests wait for an answer */
	struct net_traffic tx_traffic; /* of frames lent */
	_Atomic bool tx_watched;     /* somebody waits for the card, which is not asked for an interrupt */
	struct net_counters tx;
	struct timer pace;           /* when the scheduler lets the next frame go */
	_Atomic uint64_t pace_at;    /* when it fires, NETSCHED_FOREVER: it is not set */
};

extern struct uplink uplinks[NET_UPLINKS_MAX];
extern unsigned int nr_uplinks;

/* --- uplink_rx.c --- */
/* => fill the card's receive ring with pool objects; again later, if there are too few. On CPU 0. */
void uplink_fill(struct uplink *up);
void uplink_rx_init(struct uplink *up);
/* => raise the softirq for a watched ring; not `sure`: only if frames are there. */
void uplink_rx_look(struct uplink *up, bool sure);
/* => ask the card for an interrupt; true: there are frames already. */
bool uplink_rx_idle(struct uplink *up);

/* --- uplink_tx.c --- */
/* => as uplink_rx_look() and uplink_rx_idle(), for frames that the card has sent. */
void uplink_tx_look(struct uplink *up, bool sure);
bool uplink_tx_idle(struct uplink *up);
/* => the scheduler and its classes, before the card starts. */
int uplink_tx_init(struct uplink *up);

#endif
