/* SPDX-License-Identifier: BSD-2-Clause */
/* Fakes of what xen/net stands on; see world.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include <hv/arch.h>
#include <hv/boot.h>
#include <hv/evtchn.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/subsys.h>
#include <hv/timer.h>
#include <xenstore/xenstore.h>

#include "world.h"

struct cpu host_cpu;
uint32_t nr_cpus = 1;
struct guest guests[3];
uint64_t host_now = 1000000000;
bool no_pages, router_holds;
struct pktq router_held;
uint16_t route_to, inbound_to, sub_class;
static uint32_t rx_cons[3];
struct xenstore *the_xenstore;

static uint32_t raised;
struct vfr_ops router_ops;

/* --- memory, time, log ------------------------------------------------------------------------------------------------ */

void *page_alloc_raw(unsigned int order)
{
	void *p = no_pages ? NULL : env_alloc(PAGE_SIZE << order);

	if (p)
		memset(p, 0xee, PAGE_SIZE << order);
	return p;
}

paddr_t virt_to_phys(const void *v)
{
	return (paddr_t)(uintptr_t)v;
}

uint64_t mm_total_bytes(void)
{
	return 256UL << 20;
}

bool boot_option(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "2000");
	return true;
}

bool arch_emulated(void)
{
	return false;
}

uint64_t time_now_ns(void)
{
	return host_now;
}

uint64_t time_utc_ns(void)
{
	return host_now;
}

static struct timer *timers[64];
static unsigned int nr_timers;

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	*t = (struct timer){ .fn = fn };
	assert_true(nr_timers < 64);
	for (unsigned int i = 0; i < nr_timers; i++)
		if (timers[i] == t)
			return;
	timers[nr_timers++] = t;
}

void world_pass(uint64_t ns)
{
	host_now += ns;
	for (unsigned int i = 0; i < nr_timers; i++)
		if (timers[i]->armed && timers[i]->deadline_ns <= host_now) {
			timers[i]->armed = false;
			timers[i]->fn(timers[i]);
		}
	world_run();
}

void timer_cancel(struct timer *t)
{
	t->armed = false;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	t->deadline_ns = deadline_ns;
	t->armed = true;
}

void log_printf(enum env_level level, const char *fmt, ...)
{
}

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

/* --- softirqs --------------------------------------------------------------------------------------------------------- */

void softirq_raise(enum softirq nr)
{
	raised |= 1u << nr;
}

void world_run(void)
{
	for (unsigned int i = 0; raised; i++) {
		uint32_t now = raised;

		assert_true(i < 10000);
		raised = 0;
		if (now & (1u << SOFTIRQ_NET_RX))
			net_rx_softirq();
		if (now & (1u << SOFTIRQ_NET_TX))
			net_tx_softirq();
	}
}

/* --- grants and events ------------------------------------------------------------------------------------------------ */

static struct guest *guest_of(struct domain *d)
{
	return &guests[d->id - 1];
}

int grant_borrow(struct domain *d, uint32_t ref, bool write, struct grant_use *out)
{
	struct guest *g = guest_of(d);

	if (ref >= PAGES || !g->granted[ref])
		return -EINVAL;
	if (write && g->readonly[ref])
		return -EACCES;
	g->borrowed[ref]++;
	*out = (struct grant_use){ .va = g->page[ref], .pa = (paddr_t)(uintptr_t)g->page[ref], .ref = ref, .write = write };
	return 0;
}

void grant_release(struct domain *d, struct grant_use *use)
{
	struct guest *g = guest_of(d);

	assert_true(g->borrowed[use->ref] > 0);
	g->borrowed[use->ref]--;
	use->va = NULL;
}

int grant_copy(struct domain *d, uint32_t ref, uint32_t off, void *buf, uint32_t n, bool write)
{
	struct grant_use use;
	int rc = grant_borrow(d, ref, write, &use);

	if (rc)
		return rc;
	memcpy(write ? use.va + off : buf, write ? buf : use.va + off, n);
	grant_release(d, &use);
	return 0;
}

int evtchn_bind_hv(struct domain *d, uint32_t port, void (*fn)(void *arg), void *arg)
{
	struct guest *g = guest_of(d);

	if (port != 5)
		return -EINVAL;
	g->event = fn;
	g->event_arg = arg;
	return 0;
}

void evtchn_unbind_hv(struct domain *d, uint32_t port)
{
	guest_of(d)->event = NULL;
}

void evtchn_notify(struct domain *d, uint32_t port)
{
	guest_of(d)->events++;
}

void guest_kick(struct guest *g)
{
	world_pass(20000000);
	if (g->event)
		g->event(g->event_arg);
	world_run();
}

/* --- the store -------------------------------------------------------------------------------------------------------- */

struct node {
	char path[128], value[128];
};
static struct node nodes[256];
static unsigned int nr_nodes;
static struct {
	xs_watch_fn *fn;
	void *ctx;
	char path[128];
} watches[64];
static unsigned int nr_watches;

static void store_set(const char *path, const char *value)
{
	unsigned int i = 0;

	while (i < nr_nodes && strcmp(nodes[i].path, path))
		i++;
	if (i == nr_nodes)
		nr_nodes++;
	assert_true(nr_nodes < 256);
	snprintf(nodes[i].path, sizeof(nodes[i].path), "%s", path);
	snprintf(nodes[i].value, sizeof(nodes[i].value), "%s", value);
}

const char *store_get(const char *path)
{
	for (unsigned int i = 0; i < nr_nodes; i++)
		if (!strcmp(nodes[i].path, path))
			return nodes[i].value;
	return NULL;
}

int xs_printf(struct xenstore *xs, const char *dir, const char *name, const char *fmt, ...)
{
	char path[256], value[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	store_set(path, value);
	return 0;
}

int xs_read_u32(struct xenstore *xs, const char *dir, const char *name, uint32_t *value)
{
	char path[256], *end;
	const char *v;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	v = store_get(path);
	if (!v)
		return -ENOENT;
	*value = (uint32_t)strtoul(v, &end, 10);
	return *end || end == v ? -EINVAL : 0;
}

int xs_vif_add(struct xenstore *xs, uint16_t domid, uint32_t n, const uint8_t mac[6], uint32_t mtu)
{
	return 0;
}

void xs_vif_remove(struct xenstore *xs, uint16_t domid, uint32_t n)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "/local/domain/%u/", domid);
	for (unsigned int i = 0; i < nr_nodes; i++)
		if (!strncmp(nodes[i].path, prefix, strlen(prefix)))
			nodes[i].path[0] = '\0';
}

int xs_watch(struct xenstore *xs, const char *path, xs_watch_fn *fn, void *ctx, struct xs_watch **out)
{
	watches[nr_watches].fn = fn;
	watches[nr_watches].ctx = ctx;
	*out = (struct xs_watch *)&watches[nr_watches++];
	return 0;
}

void xs_unwatch(struct xenstore *xs, struct xs_watch *watch)
{
	memset(watch, 0, sizeof(watches[0]));
}

static void front_set(struct guest *g, const char *name, unsigned int value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "/local/domain/%u/device/vif/0/%s", g->d.id, name);
	snprintf(text, sizeof(text), "%u", value);
	store_set(path, text);
	for (unsigned int i = 0; i < nr_watches; i++)
		if (watches[i].fn && !strcmp(name, "state"))
			watches[i].fn(watches[i].ctx, path);
}

void world_state(struct guest *g, unsigned int state)
{
	front_set(g, "state", state);
}

void world_forget_features(struct guest *g)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "/local/domain/%u/device/vif/0/feature-", g->d.id);
	for (unsigned int i = 0; i < nr_nodes; i++)
		if (!strncmp(nodes[i].path, prefix, strlen(prefix)))
			strcpy(nodes[i].value, "0");
}

void world_connect(struct guest *g, const char *features)
{
	char list[256], *at = list, *name;

	SHARED_RING_INIT(g->tx);
	SHARED_RING_INIT(g->rx);
	g->tx_rsp_cons = 0;
	rx_cons[g->d.id - 1] = 0;
	front_set(g, "tx-ring-ref", RING_TX);
	front_set(g, "rx-ring-ref", RING_RX);
	front_set(g, "event-channel", 5);
	front_set(g, "request-rx-copy", 1);
	snprintf(list, sizeof(list), "%s", features);
	while ((name = strsep(&at, " ")))
		front_set(g, name, 1);
	front_set(g, "state", 4);
	world_run();
}

/* --- the router ------------------------------------------------------------------------------------------------------- */

struct vfr *vfr_create(const struct vfr_params *params, const struct vfr_ops *ops, void *host)
{
	router_ops = *ops;
	return (struct vfr *)&raised;
}

void vfr_input(struct vfr *v, unsigned int cpu, uint64_t now_ns, uint16_t in_port, struct vfr_pkt **pkts, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		assert_true(pkts[i]->head_len >= (pkts[i]->len < VFR_HEAD_MIN ? pkts[i]->len : VFR_HEAD_MIN));
		pkts[i]->verdict = VFR_FORWARD;
		pkts[i]->out_port = in_port >= NET_UPLINKS_MAX ? route_to : inbound_to;
		pkts[i]->src_dom = 1;
		pkts[i]->flags = VFR_PF_IPV4;
		pkts[i]->l3 = 14;
		pkts[i]->flow_hash = 1;
		pkts[i]->dscp = pkts[i]->ecn = 0;
		pkts[i]->sched_class = sub_class;
		if (router_holds) {
			pktq_push(&router_held, pkt_of(pkts[i]));
			pkts[i] = NULL;
		}
	}
}

uint64_t vfr_timer(struct vfr *v, uint64_t now_ns)
{
	return now_ns;
}

int vfr_port_attach(struct vfr *v, uint16_t port, const struct vfr_port_cfg *cfg)
{
	return 0;
}

int vfr_port_detach(struct vfr *v, uint16_t port, uint64_t now_ns)
{
	return 0;
}

/* --- the guests ------------------------------------------------------------------------------------------------------- */

void guest_collect(struct guest *g)
{
	uint32_t prod = g->tx->rsp_prod;

	for (; g->tx_rsp_cons != prod; g->tx_rsp_cons++) {
		const netif_tx_response_t *r = &g->tx->ring[g->tx_rsp_cons & (NETIF_RING - 1)].rsp;

		if (r->status == NETIF_RSP_NULL)
			continue;
		g->answered[r->id]++;
		g->status[r->id] = r->status;
	}
}

void guest_post_rx(struct guest *g, unsigned int n)
{
	while (n--) {
		uint32_t i = g->rx->req_prod;
		netif_rx_request_t *r = &g->rx->ring[i & (NETIF_RING - 1)].req;

		r->id = (uint16_t)(i & (NETIF_RING - 1));
		r->gref = FIRST_FREE + (i & (NETIF_RING - 1));
		g->rx->req_prod++;
	}
}

uint32_t guest_rx_frame(struct guest *g, uint8_t *out, uint16_t *flags, struct netif_extra_info *extra)
{
	uint32_t *cons = &rx_cons[g->d.id - 1], len = 0;
	netif_rx_response_t r;
	bool first = true;

	if (*cons == g->rx->rsp_prod)
		return 0;
	do {
		assert_true(*cons != g->rx->rsp_prod);
		r = g->rx->ring[*cons & (NETIF_RING - 1)].rsp;
		assert_int_equal(r.id, *cons & (NETIF_RING - 1));
		(*cons)++;
		if (first)
			*flags = r.flags;
		if (r.flags & NETRXF_extra_info)
			memcpy(extra, &g->rx->ring[(*cons)++ & (NETIF_RING - 1)], sizeof(*extra));
		first = false;
		if (r.status < 0)
			return UINT32_MAX;
		memcpy(out + len, g->page[FIRST_FREE + r.id], (size_t)r.status);
		len += (uint32_t)r.status;
	} while (r.flags & NETRXF_more_data);
	return len;
}

static void guest_start(struct guest *g, uint16_t id)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	memset(g, 0, sizeof(*g));
	g->d = (struct domain){ .id = id, .name = "guest", .refs = 1 };
	for (unsigned int i = 0; i < PAGES; i++) {
		g->page[i] = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
		g->granted[i] = true;
	}
	g->tx = (netif_tx_sring_t *)g->page[RING_TX];
	g->rx = (netif_rx_sring_t *)g->page[RING_RX];
	rx_cons[id - 1] = 0;
	assert_int_equal(net_vif_create(&g->d, mac, 1500), 0);
}

void world_start(void)
{
	static bool started;

	if (!started) {
		card_start_up();
		net_init();
		started = true;
	}
	world_card_features(NIC_TX_CSUM | NIC_TX_TSO4 | NIC_TX_TSO6);
	card_holds = router_holds = false;
	pktq_init(&router_held);
	route_to = sub_class = 0;
	inbound_to = NET_GUEST_PORT(1);
	for (uint16_t i = 0; i < 3; i++)
		guest_start(&guests[i], (uint16_t)(i + 1));
	world_run();
}

void world_stop(void)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct guest *g = &guests[i];

		net_vif_destroy(&g->d);
		card_complete();
		world_pass(1000000000);
		assert_int_equal(g->d.refs, 1);
		for (unsigned int p = 0; p < PAGES; p++) {
			assert_int_equal(g->borrowed[p], 0);
			free(g->page[p]);
		}
	}
	nr_watches = 0;
	nr_nodes = 0;
	wire_clear();
}
