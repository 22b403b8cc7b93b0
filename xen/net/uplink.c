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

void uplinks_class_add(uint16_t domid)
{
	struct netsched_params defaults = { 0 };
	struct netsched_params have;

	for (unsigned int i = 0; i < nr_uplinks; i++) {
		env_lock(&uplinks[i].tx_lock);
		/* Rates may have been set before the domain was built. */
		if (netsched_class_get(uplinks[i].sched, domid, &have))
			netsched_class_set(uplinks[i].sched, domid, &defaults, time_now_ns(), NULL);
		env_unlock(&uplinks[i].tx_lock);
	}
}

void uplinks_class_del(uint16_t domid)
{
	for (unsigned int i = 0; i < nr_uplinks; i++) {
		env_lock(&uplinks[i].tx_lock);
		netsched_class_del(uplinks[i].sched, domid);
		env_unlock(&uplinks[i].tx_lock);
		uplink_free_lost(&uplinks[i]);
	}
}

int net_class_set(uint16_t domid, const struct netsched_params *params, struct netsched_refusal *why)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < nr_uplinks; i++) {
		env_lock(&uplinks[i].tx_lock);
		rc = netsched_class_set(uplinks[i].sched, domid, params, time_now_ns(), why);
		env_unlock(&uplinks[i].tx_lock);
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
	env_lock(&uplinks[index].tx_lock);
	rc = netsched_stats_read(uplinks[index].sched, domid, time_now_ns(), false, out);
	env_unlock(&uplinks[index].tx_lock);
	return rc;
}

int net_uplink_policy(unsigned int index, const char *policy)
{
	const struct netsched_ops *ops = netsched_find(policy);
	int rc;

	if (index >= nr_uplinks || !ops)
		return -ENOENT;
	env_lock(&uplinks[index].tx_lock);
	rc = netsched_switch(uplinks[index].sched, ops, time_now_ns());
	env_unlock(&uplinks[index].tx_lock);
	on_tx(uplinks[index].nic);
	return rc;
}

int net_uplink_rate(unsigned int index, uint64_t rate_bps, struct netsched_refusal *why)
{
	int rc;

	if (index >= nr_uplinks)
		return -ENOENT;
	env_lock(&uplinks[index].tx_lock);
	rc = netsched_link_rate(uplinks[index].sched, rate_bps, why);
	env_unlock(&uplinks[index].tx_lock);
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
	env_lock(&up->tx_lock);
	out->rate_bps = netsched_link(up->sched)->rate_bps;
	out->policy = netsched_name(netsched_policy(up->sched));
	out->queued_packets = netsched_backlog(up->sched) + (up->head ? 1 : 0);
	out->dir[VFR_OUT] = up->tx;
	env_unlock(&up->tx_lock);
	out->dir[VFR_IN] = up->rx;
	out->dir[VFR_IN].events = up->nic->irqs;
	out->dir[VFR_OUT].events = up->nic->kicks;
	return 0;
}
