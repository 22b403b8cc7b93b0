/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vifs by domain, their attachment to the router, and how long a pointer to one is good.
 *
 * A vif is found by its domain's id in `vifs`. Who holds such a pointer is between net_enter() and net_leave(), which each
 * CPU counts (epoch, odd inside); a vif that has been withdrawn is freed when every CPU has been outside since then and no
 * packet of it is in flight. Events to guests are collected meanwhile and sent at the last net_leave().
 */
#include <errno.h>
#include <string.h>

#include <hv/domain.h>
#include <netcpu.h>

struct netcpu netcpus[MAX_CPUS];
static struct netif *_Atomic vifs[MAX_DOMAINS];

static struct env_lock dead_lock;
static struct netif *dead; /* by dead_lock */
static _Atomic uint32_t nr_dead;

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
	memcpy(gateway, net_gateway_mac, sizeof(net_gateway_mac));
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
	return vfr_port_attach(net_router(), vif->port, &cfg);
}

void net_port_detach(struct netif *vif)
{
	vfr_port_detach(net_router(), vif->port, time_now_ns());
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

/* --- entering and leaving --------------------------------------------------------------------------------------------- */

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
