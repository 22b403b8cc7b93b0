/* SPDX-License-Identifier: BSD-2-Clause */
/* The test world: the router's host, and what is configured when a row starts. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <env_host.h>
#include <vfr/vfr.h>

#include "craft.h"
#include "world_priv.h"

void fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	w->failed = true;
	printf("    line \"%s\": ", w->line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* --- the host's side -------------------------------------------------------------------------------------------------- */

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
	struct world *w = host;
	struct frame *e = &w->emitted[w->e_tail++ % QUEUE];

	e->port = port;
	e->of = VFR_NODOM;
	e->sched_class = 0;
	e->len = len;
	memcpy(e->b, f, len < sizeof(e->b) ? len : sizeof(e->b));
	if (bad_checksum(f, len))
		fail(w, "an emitted frame has a wrong %s", bad_checksum(f, len));
}

static void on_piece(void *host, const struct vfr_pkt *of, const uint8_t *f, uint32_t len)
{
	struct world *w = host;
	struct frame *e = &w->emitted[w->e_tail % QUEUE];

	on_emit(host, of->out_port, f, len);
	e->of = of->src_dom;
	e->sched_class = of->sched_class;
}

static void on_release(void *host, struct vfr_pkt *p)
{
	struct world *w = host;

	w->released[w->r_tail++ % QUEUE] = p;
}

static void on_event(void *host, const struct vfr_event *ev)
{
	struct world *w = host;

	w->events[w->v_tail++ % QUEUE] = *ev;
}

static const struct vfr_ops ops = { .emit = on_emit, .piece = on_piece, .release = on_release, .audit = on_event };

void free_pkt(struct world *w, struct vfr_pkt *p)
{
	if (!p)
		return;
	w->live--;
	free(p->priv);
}

/* --- building --------------------------------------------------------------------------------------------------------- */

uint32_t ip4(const char *name)
{
	uint8_t a[16];

	parse_addr(name, a);
	return (uint32_t)a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];
}

static void claim_range(struct world *w, uint16_t dom, const char *addr, unsigned int protos, uint16_t first, uint16_t last)
{
	struct vfr_portset ps = { .kind = VFR_PS_RANGE, .first = first, .last = last };

	if (vfr_slice_claim(w->v, w->now, ip4(addr), protos, &ps, dom, NULL))
		fail(w, "the world's own slice is refused");
}

void attach(struct world *w, uint16_t port)
{
	struct vfr_port_cfg cfg = { .kind = port ? VFR_PORT_GUEST : VFR_PORT_UPLINK, .domid = port };

	port_mac(port, cfg.mac);
	if (vfr_port_attach(w->v, port, &cfg))
		fail(w, "port %u is refused", port);
}

static void build6(struct world *w)
{
	uint8_t a[16], none[16] = { 0 };

	parse_addr("A6", a);
	vfr_prefix6_add(w->v, a, 64, 1, NULL);
	parse_addr("C6", a);
	vfr_prefix6_add(w->v, a, 64, 3, NULL);
	parse_addr("H6", a);
	vfr_prefix6_add(w->v, a, 128, 5, NULL);
	parse_addr("U6", a);
	vfr_route6_add(w->v, none, 0, 0, a);
	vfr_neigh_static(w->v, 0, 0, a, outside_mac);
}

void build(struct world *w)
{
	struct vfr_params par = { .cpus = 1, .max_ports = 16, .max_domains = 16, .max_conns = 64, .max_frags = 16, .max_nat = 64,
		.seed = { 1, 2, 3 } };
	struct vfr_portset map = { .kind = VFR_PS_MAP, .offset = 4, .psid_len = 4, .psid = 5 };
	struct vfr_domain_cfg nat;

	memcpy(par.gateway_mac, gateway_mac, 6);
	w->v = vfr_create(&par, &ops, w);
	for (uint16_t p = 0; p < 7; p++)
		if (p != 5)
			attach(w, p);
	vfr_shared_add(w->v, ip4("S"));
	vfr_shared_add(w->v, ip4("T"));
	claim_range(w, 1, "S", VFR_PROTOS_ALL, 1000, 1999);
	claim_range(w, 1, "S", VFR_TCP, 80, 80);
	claim_range(w, 2, "S", VFR_PROTOS_ALL, 2000, 2999);
	claim_range(w, 2, "S", VFR_TCP | VFR_UDP, 443, 443);
	claim_range(w, 4, "S", VFR_TCP | VFR_UDP | VFR_ICMP, 4000, 4003);
	claim_range(w, 5, "S", VFR_PROTOS_ALL, 5000, 5999);
	claim_range(w, 6, "S", VFR_TCP | VFR_UDP | VFR_ICMP, 6000, 6099);
	vfr_slice_claim(w->v, w->now, ip4("T"), VFR_PROTOS_ALL, &map, 2, NULL);
	vfr_dedicated_add(w->v, ip4("C"), 3, NULL);
	vfr_internal_add(w->v, ip4("D"), 4, NULL);
	vfr_internal_add(w->v, ip4("F"), 6, NULL);
	vfr_self_add(w->v, ip4("G"));
	vfr_domain_defaults(&nat);
	nat.nat_addr = ip4("S");
	vfr_domain_set(w->v, 4, &nat);
	vfr_domain_set(w->v, 6, &nat);
	vfr_route_add(w->v, 0, 0, 0, ip4("U"), 0);
	vfr_route_add(w->v, ip4("U") & 0xffffff00, 24, 0, 0, 0);
	vfr_neigh_static(w->v, 0, ip4("U"), NULL, outside_mac);
	build6(w);
}

int port_of(const char *name)
{
	if (!strcmp(name, "u"))
		return 0;
	if (name[0] >= 'A' && name[0] <= 'G' && !name[1])
		return name[0] - 'A' + 1;
	return atoi(name);
}
