/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a vif, and the events to and from its guest.
 *
 * WAITING -> CONNECTED when the frontend has written its rings and channels; back when it closes. BROKEN when the guest
 * wrote nonsense into a ring: rings and channels are kept but not looked at until the frontend closes. DEAD when the
 * domain goes; the struct itself follows when no card holds its pages and no CPU may still look at it (port.c).
 */
#include <errno.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/log.h>
#include <hv/subsys.h>
#include <hv/timer.h>
#include <netif.h>
#include <xenstore/xenstore.h>

/* The guest has put requests into its transmit ring, or buffers into its receive ring. Any vcpu's CPU, no lock held. */
static void tx_event(void *arg)
{
	struct netif *vif = arg;

	net_schedule(vif);
}

static void rx_event(void *arg)
{
	struct netif *vif = arg;

	vif->rx_work = true;
	net_schedule(vif);
}

static void both_event(void *arg)
{
	rx_event(arg);
}

/* --- connecting ------------------------------------------------------------------------------------------------------- */

struct front {
	uint32_t tx_ref, rx_ref, tx_evtchn, rx_evtchn;
	bool split;
	struct netif_features feat;
};

static bool flag(const struct netif *vif, const char *name)
{
	uint32_t v;

	return !xs_read_u32(the_xenstore, vif->front, name, &v) && v;
}

static int read_front(const struct netif *vif, struct front *f, const char **why)
{
	const char *dir = vif->front;

	*why = "tx-ring-ref or rx-ring-ref is missing or no number";
	if (xs_read_u32(the_xenstore, dir, "tx-ring-ref", &f->tx_ref) || xs_read_u32(the_xenstore, dir, "rx-ring-ref", &f->rx_ref))
		return -EINVAL;
	f->split = !xs_read_u32(the_xenstore, dir, "event-channel-tx", &f->tx_evtchn) &&
		   !xs_read_u32(the_xenstore, dir, "event-channel-rx", &f->rx_evtchn);
	*why = "event-channel is missing or no number";
	if (!f->split && xs_read_u32(the_xenstore, dir, "event-channel", &f->tx_evtchn))
		return -EINVAL;
	*why = "request-rx-copy is not 1";
	if (!flag(vif, "request-rx-copy"))
		return -EOPNOTSUPP;
	f->feat = (struct netif_features){
		.sg = flag(vif, "feature-sg"),
		.gso4 = flag(vif, "feature-gso-tcpv4"),
		.gso6 = flag(vif, "feature-gso-tcpv6"),
		.no_csum = flag(vif, "feature-no-csum-offload"),
		.csum6 = flag(vif, "feature-ipv6-csum-offload"),
	};
	/* A segment spreads over slots. */
	f->feat.gso4 = f->feat.gso4 && f->feat.sg;
	f->feat.gso6 = f->feat.gso6 && f->feat.sg && f->feat.csum6;
	return 0;
}

static int borrow_rings(struct netif *vif, const struct front *f, const char **why)
{
	*why = "the transmit ring's page is not granted";
	if (grant_borrow(vif->d, f->tx_ref, true, &vif->tx.page))
		return -EINVAL;
	*why = "the receive ring's page is not granted";
	if (grant_borrow(vif->d, f->rx_ref, true, &vif->rx.page)) {
		grant_release(vif->d, &vif->tx.page);
		return -EINVAL;
	}
	vif->tx_shared = (volatile netif_tx_sring_t *)vif->tx.page.va;
	vif->rx_shared = (volatile netif_rx_sring_t *)vif->rx.page.va;
	vif->tx.req_cons = vif->tx.rsp_prod = vif->tx_shared->rsp_prod;
	vif->rx.req_cons = vif->rx.rsp_prod = vif->rx_shared->rsp_prod;
	return 0;
}

static void release_rings(struct netif *vif)
{
	grant_release(vif->d, &vif->tx.page);
	grant_release(vif->d, &vif->rx.page);
	vif->tx_shared = NULL;
	vif->rx_shared = NULL;
}

static int bind_events(struct netif *vif, const struct front *f, const char **why)
{
	*why = "the transmit event channel is not bound to the backend";
	if (evtchn_bind_hv(vif->d, f->tx_evtchn, f->split ? tx_event : both_event, vif))
		return -EINVAL;
	*why = "the receive event channel is not bound to the backend";
	if (f->split && evtchn_bind_hv(vif->d, f->rx_evtchn, rx_event, vif)) {
		evtchn_unbind_hv(vif->d, f->tx_evtchn);
		return -EINVAL;
	}
	vif->tx.evtchn = f->tx_evtchn;
	vif->rx.evtchn = f->split ? f->rx_evtchn : f->tx_evtchn;
	return 0;
}

static void unbind_events(struct netif *vif)
{
	evtchn_unbind_hv(vif->d, vif->tx.evtchn);
	if (vif->rx.evtchn != vif->tx.evtchn)
		evtchn_unbind_hv(vif->d, vif->rx.evtchn);
}

static void set_state(struct netif *vif, enum netif_state state)
{
	env_lock(&vif->rx_lock);
	env_lock(&vif->tx_lock);
	vif->state = state;
	if (state == NETIF_CONNECTED)
		vif->connection++;
	env_unlock(&vif->tx_lock);
	env_unlock(&vif->rx_lock);
}

int netif_connect(struct netif *vif)
{
	struct front f;
	const char *why;
	int rc = read_front(vif, &f, &why);

	if (!rc)
		rc = borrow_rings(vif, &f, &why);
	if (rc) {
		netif_xenbus_error(vif, why);
		return rc;
	}
	vif->feat = f.feat;
	vif->fault = NULL;
	rc = bind_events(vif, &f, &why);
	if (!rc) {
		rc = net_port_attach(vif);
		why = "the router refuses the attachment";
		if (rc)
			unbind_events(vif);
	}
	if (rc) {
		release_rings(vif);
		netif_xenbus_error(vif, why);
		return rc;
	}
	set_state(vif, NETIF_CONNECTED);
	log_info("%s: vif connected%s%s%s", vif->d->name, f.split ? ", split events" : "", vif->feat.gso4 ? ", gso" : "",
		 vif->feat.sg ? ", sg" : "");
	/* Requests may be there already, and their events lost. */
	rx_event(vif);
	return 0;
}

void netif_disconnect(struct netif *vif)
{
	enum netif_state was = vif->state;
	struct pktq lost;

	if (was != NETIF_CONNECTED && was != NETIF_BROKEN)
		return;
	net_port_detach(vif);
	unbind_events(vif);
	pktq_init(&lost);
	env_lock(&vif->rx_lock);
	env_lock(&vif->tx_lock);
	vif->state = NETIF_WAITING;
	netif_rx_flush(vif, &lost);
	release_rings(vif);
	env_unlock(&vif->tx_lock);
	env_unlock(&vif->rx_lock);
	pktq_free(&lost);
	log_info("%s: vif disconnected", vif->d->name);
}

void netif_fault(struct netif *vif, const char *why)
{
	enum netif_state expected = NETIF_CONNECTED;

	if (!atomic_compare_exchange_strong(&vif->state, &expected, NETIF_BROKEN))
		return;
	vif->fault = why;
	log_warn("%s: vif stopped: %s", vif->d->name, why);
	netif_xenbus_error(vif, why);
}

void netif_notify(struct netif *vif)
{
	uint32_t bits = atomic_exchange(&vif->notify, 0);

	if (vif->state != NETIF_CONNECTED)
		return;
	if (bits && vif->rx.evtchn == vif->tx.evtchn)
		bits = NETIF_NOTIFY_RX;
	if (bits & NETIF_NOTIFY_TX)
		evtchn_notify(vif->d, vif->tx.evtchn);
	if (bits & NETIF_NOTIFY_RX)
		evtchn_notify(vif->d, vif->rx.evtchn);
}

/* --- creation and end ------------------------------------------------------------------------------------------------- */

int net_vif_create(struct domain *d, const uint8_t mac[6], uint16_t mtu)
{
	struct netif *vif = env_alloc(sizeof(*vif));
	int rc;

	if (!vif)
		return -ENOMEM;
	vif->d = domain_ref(d);
	vif->port = NET_GUEST_PORT(d->id);
	vif->mtu = mtu ? mtu : 1500;
	memcpy(vif->mac, mac, sizeof(vif->mac));
	pktq_init(&vif->rxq);
	rc = net_port_publish(vif);
	if (rc) {
		domain_put(d);
		env_free(vif, sizeof(*vif));
		return rc;
	}
	uplinks_class_add(d->id);
	rc = netif_xenbus_start(vif);
	if (rc)
		net_vif_destroy(d);
	return rc;
}

void net_vif_destroy(struct domain *d)
{
	struct netif *vif = net_port_withdraw(d->id);

	if (!vif)
		return;
	netif_xenbus_stop(vif);
	env_lock(&vif->life_lock);
	netif_disconnect(vif);
	set_state(vif, NETIF_DEAD);
	env_unlock(&vif->life_lock);
	uplinks_class_del(d->id);
	net_bury(vif);
}

static void read_info(struct netif *vif, struct net_vif_info *out)
{
	static const char *const names[] = {
		[NETIF_WAITING] = "waiting", [NETIF_CONNECTED] = "connected", [NETIF_BROKEN] = "broken", [NETIF_DEAD] = "dead",
	};

	out->state = names[vif->state];
	out->fault = vif->fault;
	env_lock(&vif->tx_lock);
	out->dir[VFR_OUT] = vif->count[VFR_OUT];
	env_unlock(&vif->tx_lock);
	env_lock(&vif->rx_lock);
	out->dir[VFR_IN] = vif->count[VFR_IN];
	out->queued_packets = vif->rxq.n;
	out->queued_bytes = vif->rxq_bytes;
	env_unlock(&vif->rx_lock);
}

int net_vif_read(uint16_t domid, struct net_vif_info *out)
{
	struct netif *vif;

	net_enter();
	vif = net_vif_of(domid);
	if (vif)
		read_info(vif, out);
	net_leave();
	return vif ? 0 : -ENOENT;
}
