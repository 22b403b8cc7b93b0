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
	uplink_fill(up);
	up->rx_started = true;
	on_rx(nic); /* the first poll asks for interrupts */
	return 0;
}

void uplinks_init(struct vfr *v)
{
	router = v;
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
	struct netsched_params defaults = { 0 };
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

int net_class_stats(unsigned int index, uint16_t domid, struct netsched_stats *out)
{
	int rc;

	if (index >= nr_uplinks)
		return -ENOENT;
	lock(&uplinks[index]);
	rc = netsched_stats_read(uplinks[index].sched, domid, time_now_ns(), false, out);
	unlock(&uplinks[index]);
	return rc;
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

int net_uplink_rate(unsigned int index, uint64_t rate_bps, struct netsched_refusal *why)
{
	int rc;

	if (index >= nr_uplinks)
		return -ENOENT;
	lock(&uplinks[index]);
	rc = netsched_link_rate(uplinks[index].sched, rate_bps, why);
	unlock(&uplinks[index]);
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
	out->policy = netsched_name(netsched_policy(up->sched));
	out->queued_packets = netsched_backlog(up->sched) + (up->head ? 1 : 0);
	out->dir[VFR_OUT] = up->tx;
	unlock(up);
	out->dir[VFR_IN] = up->rx;
	out->dir[VFR_IN].events = up->nic->irqs;
	out->dir[VFR_OUT].events = up->nic->kicks;
	return 0;
}
