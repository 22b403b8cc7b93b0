/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network layer as the rest of the hypervisor sees it: start, softirqs, vifs of domains, figures for control.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netdrop.h>
#include <sched/net/netsched.h>
#include <vfr/vfr.h>

struct domain;

/* Attachment points: uplinks first, then one for each domain id. */
#define NET_UPLINKS_MAX 8
#define NET_GUEST_PORT(domid) ((uint16_t)(NET_UPLINKS_MAX + (domid)))

/* => makes the router and starts the cards as uplinks. After drivers_init(), timer and softirqs work. */
void net_init(void);
struct vfr *net_router(void);
/* => sees each packet that has its verdict, on any CPU, before the packet goes where the verdict sends it; NULL: nobody looks. */
void net_tap(void (*fn)(const struct vfr_pkt *pkt));
/* => called with each event that the router wants recorded, on any CPU, no lock held. */
void net_audit_to(void (*fn)(const struct vfr_event *ev));

void net_rx_softirq(void);
void net_tx_softirq(void);
/* How long a busy ring may go without a look while a guest runs: short, but long against the cost of leaving a guest. */
extern uint64_t net_watch_ns;
/* => called whenever this CPU has left a guest and net_watching is set: raises the softirqs of rings that moved. */
void net_poll(void);
/* => called when this CPU has nothing to run, before it sleeps: interrupts are asked for again. True: there is work after all. */
bool net_idle(void);

/* --- vifs --- */

/* => lays out vif 0 of a domain in xenstore and waits for its frontend. The domain's home is there. -EEXIST, -ENOMEM … */
int net_vif_create(struct domain *d, const uint8_t mac[6], uint16_t mtu);
/* => cut off from the guest and the router at once; memory and the reference on d go when no card and no CPU uses it any
 *    more. Not from a xenstore watch. No vif: nothing. */
void net_vif_destroy(struct domain *d);

struct net_counters {
	uint64_t packets, bytes;
	uint64_t events;               /* sent to (in) or taken from (out) the guest; interrupts and doorbells of a card */
	uint64_t drops[NET_DROP_COUNT];
};
/* Direction as the router sees it: VFR_IN towards the guest. */
struct net_vif_info {
	const char *state;
	const char *fault;             /* why it was stopped, or NULL */
	uint32_t queued_packets, queued_bytes;
	struct net_counters dir[2];
};
int net_vif_read(uint16_t domid, struct net_vif_info *out);
/* => the MAC of a domain's vif, and the gateway's that its guest sees; -ENOENT */
int net_vif_macs(uint16_t domid, uint8_t mac[6], uint8_t gateway[6]);

const char *net_drop_name(enum net_drop drop);
const char *net_drop_text(enum net_drop drop);

/* --- uplinks --- */

struct net_uplink_info {
	const char *name;              /* net0, net1 … */
	const char *driver;
	uint8_t mac[6];
	uint16_t mtu, port;
	bool up;
	uint64_t rate_bps;
	bool paced;                    /* the scheduler holds it to that */
	const char *policy;
	uint32_t queued_packets;
	struct net_counters dir[2];    /* VFR_IN: from the wire */
};
/* The index-th uplink; -ENOENT past the last. */
int net_uplink_read(unsigned int index, struct net_uplink_info *out);
/* Another scheduler policy on an uplink, live. -ENOENT (uplink or policy), -ENOMEM. */
int net_uplink_policy(unsigned int index, const char *policy);
/* What the line carries, to which the scheduler holds it; 0: its device alone limits it. */
int net_uplink_rate(unsigned int index, uint64_t rate_bps, struct netsched_refusal *why);

/* --- classes of the network schedulers --- */

#define NET_WEIGHT_DEFAULT 100u
#define NET_GUESTS "guests"            /* the name of the side towards the guests, as of a link */

/* A domain's class on every uplink. */
int net_class_set(uint16_t domid, const struct netsched_params *params, struct netsched_refusal *why);
/* What a domain may receive: its packets go through the scheduler of that side from now on, and directly again. */
int net_guests_class_set(uint16_t domid, const struct netsched_params *params, struct netsched_refusal *why);
void net_guests_class_del(uint16_t domid);
/* -ENOENT (no such policy), -ENOMEM. */
int net_guests_policy(const char *policy);
int net_guests_rate(uint64_t rate_bps, struct netsched_refusal *why);
/* => the policy's name; what the side carries, and whether it is held to that. */
const char *net_guests_policy_name(uint64_t *rate_bps, bool *paced);

struct net_class_info {
	const char *link, *policy;
	enum vfr_dir dir;              /* VFR_OUT: on an uplink */
	struct netsched_params params;
	struct netsched_stats stats;
};
/* A domain's class on the link-th uplink, behind the last on the guests' side. -ENODEV past that, -ENOENT without a class. */
int net_class_read(unsigned int link, uint16_t domid, struct net_class_info *out);

/* A sub-class of a domain wherever it has a class now; sub NULL: it is no more. -ENOMEM, -EINVAL: then it may be set in part. */
int net_sub_set(uint16_t domid, uint32_t index, const struct netsched_sub *sub, struct netsched_refusal *why);

struct net_sub_info {
	const char *link;
	enum vfr_dir dir;
	struct netsched_sub sub;
	struct netsched_sub_stats stats;
};
/* -ENODEV past the last link, -ENOENT without a class or sub-class there. */
int net_sub_read(unsigned int link, uint16_t domid, uint32_t index, struct net_sub_info *out);

/* What a domain lost outside of the router; domid 0: what no domain is charged with. */
struct net_drops {
	uint64_t dir[2][NET_DROP_COUNT];
};
void net_drops_read(uint16_t domid, struct net_drops *out);

#endif
