/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handshake with a frontend over xenstore: what we offer, and what to do in each state that it announces.
 *
 * What the guest writes is text in its own part of the store; it is read when the frontend says that it is complete, and
 * whatever it says can only connect, refuse or disconnect this vif.
 */
#include <stdio.h>

#include <xen/io/xenbus.h>

#include <env.h>
#include <hv/domain.h>
#include <hv/log.h>
#include <hv/subsys.h>
#include <netif.h>
#include <xenstore/xenstore.h>

static const char *const offers[] = {
	"feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6", "feature-rx-copy", "feature-split-event-channels",
	"feature-ipv6-csum-offload", "feature-rx-notify",
};

static void set_state(struct netif *vif, enum xenbus_state state)
{
	uint32_t now;

	if (!xs_read_u32(the_xenstore, vif->back, "state", &now) && now == state)
		return;
	if (xs_printf(the_xenstore, vif->back, "state", "%u", state))
		log_warn("%s: vif state cannot be written", vif->d->name);
}

void netif_xenbus_error(struct netif *vif, const char *why)
{
	log_warn("%s: vif: %s", vif->d->name, why);
	xs_printf(the_xenstore, vif->back, "error", "%s", why);
}

static void on_initialising(struct netif *vif)
{
	netif_disconnect(vif);
	set_state(vif, XenbusStateInitWait);
}

static void on_ready(struct netif *vif)
{
	if (vif->state == NETIF_WAITING && netif_connect(vif)) {
		set_state(vif, XenbusStateClosing);
		return;
	}
	if (vif->state == NETIF_CONNECTED)
		set_state(vif, XenbusStateConnected);
}

static void on_closing(struct netif *vif)
{
	netif_disconnect(vif);
	set_state(vif, XenbusStateClosing);
}

static void on_closed(struct netif *vif)
{
	netif_disconnect(vif);
	set_state(vif, XenbusStateClosed);
}

/* By the state of the frontend; where there is nothing, nothing is to do. */
static void (*const on_state[])(struct netif *vif) = {
	[XenbusStateInitialising] = on_initialising,
	[XenbusStateInitialised] = on_ready,
	[XenbusStateConnected] = on_ready,
	[XenbusStateClosing] = on_closing,
	[XenbusStateClosed] = on_closed,
	[XenbusStateReconfigured] = NULL,
};

static void frontend_changed(void *ctx, const char *path)
{
	struct netif *vif = ctx;
	uint32_t state;

	if (xs_read_u32(the_xenstore, vif->front, "state", &state) || state >= ENV_ARRAY_SIZE(on_state) || !on_state[state])
		return;
	env_lock(&vif->life_lock);
	if (vif->state != NETIF_DEAD)
		on_state[state](vif);
	env_unlock(&vif->life_lock);
}

int netif_xenbus_start(struct netif *vif)
{
	char path[64];
	int rc = xs_vif_add(the_xenstore, vif->d->id, 0, vif->mac, vif->mtu);

	if (rc)
		return rc;
	snprintf(vif->front, sizeof(vif->front), "/local/domain/%u/device/vif/0", vif->d->id);
	snprintf(vif->back, sizeof(vif->back), "/local/domain/0/backend/vif/%u/0", vif->d->id);
	for (unsigned int i = 0; !rc && i < ENV_ARRAY_SIZE(offers); i++)
		rc = xs_printf(the_xenstore, vif->back, offers[i], "1");
	if (rc)
		return rc;
	set_state(vif, XenbusStateInitWait);
	snprintf(path, sizeof(path), "%s/state", vif->front);
	return xs_watch(the_xenstore, path, frontend_changed, vif, &vif->watch);
}

void netif_xenbus_stop(struct netif *vif)
{
	if (vif->watch)
		xs_unwatch(the_xenstore, vif->watch);
	vif->watch = NULL;
	xs_vif_remove(the_xenstore, vif->d->id, 0);
}
