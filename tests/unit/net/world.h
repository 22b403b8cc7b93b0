/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world of the network layer's tests: a guest with pages, grants and a frontend, a card that keeps what it is given, a
 * router that forwards everything, a store, a clock. xen/net itself is the shipped code.
 */
#ifndef TESTS_UNIT_NET_WORLD_H
#define TESTS_UNIT_NET_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#include <hv/domain.h>
#include <netif.h>
#include <pkt.h>

#define PAGES 600u /* grant references 0 … PAGES-1 of the guest; the rings are RING_TX and RING_RX */
enum { RING_TX = 1, RING_RX = 2, FIRST_FREE = 3 };

struct guest {
	struct domain d;
	uint8_t *page[PAGES];      /* each its own allocation, so that a byte too far is seen */
	bool granted[PAGES], readonly[PAGES];
	int borrowed[PAGES];
	netif_tx_sring_t *tx;
	netif_rx_sring_t *rx;
	void (*event)(void *arg);
	void *event_arg;
	unsigned int events;       /* sent to the guest */
	unsigned int answered[65536]; /* transmit responses by id */
	int16_t status[65536];
	uint32_t tx_rsp_cons;
};

struct sent {
	uint8_t *bytes;
	uint32_t len;
	uint8_t csum, gso;
	uint16_t gso_size, csum_start, csum_offset;
	struct sent *next;
};

extern struct guest guests[3]; /* domain ids 1 … 3 */
extern struct sent *wire, **wire_tail; /* what the card was given, in order */
extern bool card_holds;        /* frames given to the card are not done until card_complete() */
extern uint16_t route_to;      /* guests' packets go to this port; default: the uplink */
extern uint16_t inbound_to;    /* the uplink's frames go to this port */
extern uint16_t sub_class;     /* of all packets, as a rule would have it */
extern uint64_t host_now;
extern struct vfr_ops router_ops; /* what xen/net offers to the router */
extern bool router_holds;     /* it keeps all packets, */
extern struct pktq router_held;      /* here */
extern bool no_pages;         /* the pool gets no new memory */

void world_start(void);
/* => the guests go; every borrow and reference must be back. */
void world_stop(void);
void world_state(struct guest *g, unsigned int state); /* the frontend's state in the store */
void world_card_features(unsigned int nic_tx_features);
void world_connect(struct guest *g, const char *features);
void world_forget_features(struct guest *g);
void world_run(void);          /* softirqs until none is raised */
void world_pass(uint64_t ns);  /* time goes by, timers fire */
/* => the card is on the list of cards, its link is up. Once. */
void card_start_up(void);
void card_complete(void);
/* => a frame comes in, cut into buffers as the card would. */
void card_receive(const uint8_t *bytes, uint32_t len, const struct nic_meta *meta);
unsigned int card_rx_posted(void);  /* buffers that the card has */
void wire_clear(void);
void guest_kick(struct guest *g);  /* an event, some time after the last */
void guest_collect(struct guest *g); /* read transmit responses */
void guest_post_rx(struct guest *g, unsigned int n);
uint32_t guest_rx_frame(struct guest *g, uint8_t *out, uint16_t *flags, struct netif_extra_info *extra); /* next received; 0: none */
const char *store_get(const char *path);

#endif
