/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uplinks: a card, its attachment point, and the network scheduler in front of its send ring. Here: start, events, and
 * what control asks and sets; the ways of the packets are uplink_rx.c and uplink_tx.c.
 */
#include <errno.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <sched_pkt.h>
#include <shape.h>
#include <uplink.h>

struct uplink uplinks[NET_UPLINKS_MAX];
unsigned int nr_uplinks;
static struct vfr *router;

struct uplink *uplink_of(uint16_t port)
{
	return port < nr_uplinks ? &uplinks[port] : NULL;
}

/* --- events of the card and the clock: they only raise softirqs ------------------------------------------------------- */

static void on_rx(struct nic *nic)
{
	((struct uplink *)nic->priv)->rx_work = true;
	softirq_raise(SOFTIRQ_NET_RX);
}

static void on_tx(struct nic *nic)
{
	((struct uplink *)nic->priv)->tx_work = true;
	softirq_raise(SOFTIRQ_NET_TX);
}

static void on_link(struct nic *nic)
{
	((struct uplink *)nic->priv)->link_changed = true;
	softirq_raise(SOFTIRQ_NET_RX);
}

/* --- watching instead of interrupts --- */

void uplinks_poll(void)
{
	for (unsigned int i = 0; i < nr_uplinks; i++) {
		uplink_rx_look(&uplinks[i], false);
		uplink_tx_look(&uplinks[i], false);
	}
}

void uplinks_look(void)
{
	for (unsigned int i = 0; i < nr_uplinks; i++) {
		uplink_rx_look(&uplinks[i], true);
		uplink_tx_look(&uplinks[i], true);
	}
}

bool uplinks_idle(void)
{
	bool work = false;

	for (unsigned int i = 0; i < nr_uplinks; i++) {
		work |= uplink_rx_idle(&uplinks[i]);
		work |= uplink_tx_idle(&uplinks[i]);
	}
	return work;
}

/* --- start ------------------------------------------------------------------------------------------------------------ */

static const struct nic_events events = { .rx = on_rx, .tx = on_tx, .link = on_link };

static int start(struct uplink *up, struct nic *nic, uint16_t port)
{
	struct vfr_port_cfg cfg = { .kind = VFR_PORT_UPLINK, .mtu = nic->mtu };
	int rc;

	*up = (struct uplink){ .nic = nic, .port = port };
	nic->priv = up;
	nic->events = &events;
	rc = uplink_tx_init(up);
	if (rc)
		return rc;
	memcpy(cfg.mac, nic->mac, sizeof(cfg.mac));
	rc = vfr_port_attach(router, port, &cfg);
	if (rc)
		return rc;
	rc = nic->ops->start(nic);
	if (rc) {
		vfr_port_detach(router, port, time_now_ns());
		return rc;
	}
	uplink_rx_init(up);
	uplink_fill(up);
	up->rx_started = true;
	on_rx(nic); /* the first poll asks for interrupts */
	return 0;
}

void uplinks_init(struct vfr *v)
{
	router = v;
	if (shape_init())
		panic("net: no memory for the scheduler towards the guests");
	for (struct nic *nic = nic_list; nic; nic = nic->next) {
		if (nr_uplinks == NET_UPLINKS_MAX) {
			log_warn("%s: more cards than uplinks, not used", nic->name);
			continue;
		}
		if (start(&uplinks[nr_uplinks], nic, (uint16_t)nr_uplinks)) {
			log_error("%s: not used as an uplink", nic->name);
			continue;
		}
		nr_uplinks++;
		log_info("%s: uplink, link %s", nic->name, nic->link_up ? "up" : "down");
	}
	if (!nr_uplinks)
		log_warn("net: no uplink: guests reach each other only");
}

/* --- for control ------------------------------------------------------------------------------------------------------ */

/* A scheduler that is changed may let stopped vifs go on (net_enter), and drop packets, which are freed at last. */
static void lock(struct uplink *up)
{
	net_enter();
	env_lock(&up->tx_lock);
}

static void unlock(struct uplink *up)
{
	struct pktq done;

	pktq_init(&done);
	while (up->lost.head)
		pktq_push(&done, pktq_pop(&up->lost));
	env_unlock(&up->tx_lock);
	pktq_free(&done);
	net_leave();
}

void uplinks_class_add(uint16_t domid)
{
	struct netsched_params defaults = { .weight = NET_WEIGHT_DEFAULT };
	struct netsched_params have;

	for (unsigned int i = 0; i < nr_uplinks; i++) {
		lock(&uplinks[i]);
		/* Rates may have been set before the domain was built. */
		if (netsched_class_get(uplinks[i].sched, domid, &have))
			netsched_class_set(uplinks[i].sched, domid, &defaults, time_now_ns(), NULL);
		unlock(&uplinks[i]);
	}
}

void uplinks_class_del(uint16_t domid)
{
	net_guests_class_del(domid);
	for (unsigned int i = 0; i < nr_uplinks; i++) {
		lock(&uplinks[i]);
		netsched_class_del(uplinks[i].sched, domid);
		unlock(&uplinks[i]);
	}
}

int net_class_set(uint16_t domid, const struct netsched_params *params, struct netsched_refusal *why)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < nr_uplinks; i++) {
		lock(&uplinks[i]);
		rc = netsched_class_set(uplinks[i].sched, domid, params, time_now_ns(), why);
		unlock(&uplinks[i]);
		uplinks[i].tx_work = true;
	}
	softirq_raise(SOFTIRQ_NET_TX);
	return rc;
}

int net_sub_change(struct netsched *ns, uint16_t domid, uint32_t index, const struct netsched_sub *sub, struct netsched_refusal *why)
{
	int rc = sub ? netsched_sub_set(ns, domid, index, sub, why) : netsched_sub_del(ns, domid, index);

	return rc == -ENOENT ? 0 : rc;
}

int net_sub_set(uint16_t domid, uint32_t index, const struct netsched_sub *sub, struct netsched_refusal *why)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < nr_uplinks; i++) {
		lock(&uplinks[i]);
		rc = net_sub_change(uplinks[i].sched, domid, index, sub, why);
		unlock(&uplinks[i]);
	}
	return rc ? rc : shape_sub_set(domid, index, sub, why);
}

int net_sub_read(unsigned int link, uint16_t domid, uint32_t index, struct net_sub_info *out)
{
	int rc;

	if (link > nr_uplinks)
		return -ENODEV;
	if (link == nr_uplinks)
		return shape_sub_read(domid, index, out);
	out->link = uplinks[link].nic->name;
	out->dir = VFR_OUT;
	lock(&uplinks[link]);
	rc = netsched_sub_get(uplinks[link].sched, domid, index, &out->sub, &out->stats);
	unlock(&uplinks[link]);
	return rc;
}

int net_class_fill(struct netsched *ns, uint16_t domid, struct net_class_info *out)
{
	out->policy = netsched_name(netsched_policy(ns));
	if (netsched_class_get(ns, domid, &out->params))
		return -ENOENT;
	return netsched_stats_read(ns, domid, time_now_ns(), false, &out->stats);
}

int net_class_read(unsigned int link, uint16_t domid, struct net_class_info *out)
{
	int rc;

	if (link > nr_uplinks)
		return -ENODEV;
	if (link == nr_uplinks)
		return shape_class_read(domid, out);
	out->link = uplinks[link].nic->name;
	out->dir = VFR_OUT;
	lock(&uplinks[link]);
	rc = net_class_fill(uplinks[link].sched, domid, out);
	unlock(&uplinks[link]);
	return rc;
}

/* Drops of the schedulers that a living class counts. */
static const enum netsched_verdict charged[] = { NETSCHED_OVERSIZE, NETSCHED_FULL, NETSCHED_CODEL };

static void add_classes(struct net_drops *d, uint16_t domid)
{
	struct net_class_info info;
	int rc;

	for (unsigned int link = 0; (rc = net_class_read(link, domid, &info)) != -ENODEV; link++)
		for (unsigned int i = 0; !rc && i < ENV_ARRAY_SIZE(charged); i++)
			d->dir[info.dir][sched_pkt_drop(charged[i])] += info.stats.drops[charged[i]];
}

/* What a link counts and no class: frames that the card lost, packets whose class was never there or is gone. */
static void add_unowned(struct net_drops *d, struct net_counters *c, enum vfr_dir dir)
{
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(charged); i++)
		c->drops[sched_pkt_drop(charged[i])] = 0;
	for (unsigned int i = 1; i < NET_DROP_COUNT; i++)
		d->dir[dir][i] += c->drops[i];
}

static void add_vif(struct net_drops *d, uint16_t domid)
{
	struct net_vif_info vif;

	if (net_vif_read(domid, &vif))
		return;
	for (unsigned int i = 1; i < NET_DROP_COUNT; i++) {
		d->dir[VFR_IN][i] += vif.dir[VFR_IN].drops[i];
		d->dir[VFR_OUT][i] += vif.dir[VFR_OUT].drops[i];
	}
}

void net_drops_read(uint16_t domid, struct net_drops *out)
{
	struct net_uplink_info up;
	struct net_counters guests;

	memset(out, 0, sizeof(*out));
	add_classes(out, domid);
	if (domid) {
		add_vif(out, domid);
		return;
	}
	for (unsigned int i = 0; !net_uplink_read(i, &up); i++) {
		add_unowned(out, &up.dir[VFR_IN], VFR_IN);
		add_unowned(out, &up.dir[VFR_OUT], VFR_OUT);
	}
	shape_counters(&guests);
	add_unowned(out, &guests, VFR_IN);
}

int net_uplink_policy(unsigned int index, const char *policy)
{
	const struct netsched_ops *ops = netsched_find(policy);
	int rc;

	if (index >= nr_uplinks || !ops)
		return -ENOENT;
	lock(&uplinks[index]);
	rc = netsched_switch(uplinks[index].sched, ops, time_now_ns());
	unlock(&uplinks[index]);
	on_tx(uplinks[index].nic);
	return rc;
}

/*
 * A segment of 64 KiB holds a slow line for long, and all bounds of a scheduler grow with its longest packet: below this rate
 * segments are cut into frames before they wait.
 */
#define SPLIT_BELOW_BPS 1000000000UL

static int link_rate(struct uplink *up, uint64_t rate_bps, bool paced, struct netsched_refusal *why)
{
	return paced ? netsched_link_rate(up->sched, rate_bps, why) : netsched_link_free(up->sched, rate_bps, why);
}

static int set_rate(struct uplink *up, uint64_t rate_bps, struct netsched_refusal *why)
{
	const struct netsched_link old = *netsched_link(up->sched);
	bool split = rate_bps && rate_bps < SPLIT_BELOW_BPS;
	uint32_t most = split ? up->nic->mtu + 18u + NETSCHED_FRAME_EXTRA : NETSCHED_MAX_PACKET;
	int rc = link_rate(up, rate_bps ? rate_bps : SCHED_LINK_BPS, rate_bps, why);

	if (rc)
		return rc;
	rc = netsched_link_packet(up->sched, most, why);
	if (rc)
		link_rate(up, old.rate_bps, old.paced, NULL);
	else
		up->split = split;
	return rc;
}

int net_uplink_rate(unsigned int index, uint64_t rate_bps, struct netsched_refusal *why)
{
	int rc;

	if (index >= nr_uplinks)
		return -ENOENT;
	lock(&uplinks[index]);
	rc = set_rate(&uplinks[index], rate_bps, why);
	unlock(&uplinks[index]);
	on_tx(uplinks[index].nic);
	return rc;
}

int net_uplink_read(unsigned int index, struct net_uplink_info *out)
{
	struct uplink *up;

	if (index >= nr_uplinks)
		return -ENOENT;
	up = &uplinks[index];
	*out = (struct net_uplink_info){
		.name = up->nic->name, .driver = up->nic->driver, .mtu = up->nic->mtu, .port = up->port, .up = up->nic->link_up,
	};
	memcpy(out->mac, up->nic->mac, sizeof(out->mac));
	lock(up);
	out->rate_bps = netsched_link(up->sched)->rate_bps;
	out->paced = netsched_link(up->sched)->paced;
	out->policy = netsched_name(netsched_policy(up->sched));
	out->queued_packets = netsched_backlog(up->sched) + (up->head ? 1 : 0);
	out->dir[VFR_OUT] = up->tx;
	unlock(up);
	out->dir[VFR_IN] = up->rx;
	out->dir[VFR_IN].events = up->nic->irqs;
	out->dir[VFR_OUT].events = up->nic->kicks;
	return 0;
}
