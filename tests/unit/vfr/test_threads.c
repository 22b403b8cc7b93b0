/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several CPUs in the router at once, while another changes everything under them: no access to freed memory (AddressSanitizer
 * watches), no packet lost, no count lost, no memory left. vfr-threads [SECONDS]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <env_host.h>
#include <vfr/vfr.h>

#include "craft.h"

#define CPUS	3
#define PORTS	4
#define LINES	64

static struct vfr *v;
static _Atomic int stop;
static _Atomic uint64_t held, given_back, sent, clock_ns = 1000000000000ull;
static struct crafted lines[LINES];
static int line_port[LINES], nlines;

static const char *const texts[] = {
	"0 tcp X:9>S:1000 flags=S", "0 tcp X:9>S:1000", "0 udp X:9>S:1500", "0 tcp X:9>S:2000 flags=S", "0 udp X:9>S:30000",
		"0 icmp X:7>S echo",
	"0 udp X:9>S:1000 id=5 frag=64 len=64", "0 udp X:9>S:1000 id=5 frag=0+ len=64", "0 udp X:9>S:1000 id=6 frag=64 len=64",
		"0 arp U>S op=2",
	"0 udp X:53>S:3000", "0 icmp Y>S type=3/3 quote(udp S:1000>X:9)", "0 arp U>S", "1 tcp S:1000>X:80 flags=S", "1 tcp S:1000>X:80",
	"1 udp S:1000>S:2000", "1 udp S:1200>X:53", "1 udp S:5>X:53", "1 arp S>G", "1 udp S:1000>X:9 id=9 frag=64 len=64",
	"1 udp S:1000>X:9 id=9 frag=0+ len=64", "2 tcp S:2000>X:80 flags=S", "2 tcp S:2000>S:1000 flags=SA", "2 udp S:2100>N:9",
	"3 udp D:3000>X:53", "3 tcp D:3001>X:80 flags=S", "3 udp D:77>S:1000", "1 tcp [A6]:9>[X6]:80 flags=S",
		"0 tcp [X6]:80>[A6]:9 flags=SA",
};

struct box {
	struct vfr_pkt v;
	uint8_t b[2048];
};

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
}

static void on_release(void *host, struct vfr_pkt *p)
{
	given_back++;
	free(p->priv);
}

static void on_event(void *host, const struct vfr_event *ev)
{
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release, .audit = on_event };

static uint32_t rnd(uint64_t *s)
{
	*s = *s * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*s >> 33);
}

static struct vfr_pkt *make(const struct crafted *c)
{
	struct box *b = calloc(1, sizeof(*b));

	memcpy(b->b, c->b, c->len);
	b->v.head = b->b;
	b->v.priv = b;
	b->v.len = c->len;
	b->v.head_len = (uint16_t)c->len;
	return &b->v;
}

static void *cpu(void *arg)
{
	unsigned int nr = (unsigned int)(uintptr_t)arg;
	uint64_t seed = nr + 1;

	while (!stop) {
		struct vfr_pkt *batch[VFR_BATCH];
		int port = (int)(rnd(&seed) % PORTS);
		unsigned int n = 0, want = 1 + rnd(&seed) % VFR_BATCH;

		for (int tries = 0; n < want && tries < 1000; tries++) {
			int i = (int)(rnd(&seed) % (unsigned int)nlines);

			if (line_port[i] == port)
				batch[n++] = make(&lines[i]);
		}
		if (!n)
			continue;
		sent += n;
		vfr_input(v, nr, clock_ns, (uint16_t)port, batch, n);
		for (unsigned int i = 0; i < n; i++) {
			if (batch[i])
				free(batch[i]->priv);
			else
				held++;
		}
	}
	return NULL;
}

static void attach(int port)
{
	struct vfr_port_cfg cfg = { .kind = port ? VFR_PORT_GUEST : VFR_PORT_UPLINK, .domid = (uint16_t)port };

	port_mac(port, cfg.mac);
	vfr_port_attach(v, (uint16_t)port, &cfg);
}

static void give(uint16_t dom)
{
	struct vfr_portset ps = { .first = (uint16_t)(dom * 1000), .last = (uint16_t)(dom * 1000 + 999) };
	struct vfr_domain_cfg cfg;
	uint8_t pfx[16];

	vfr_slice_claim(v, clock_ns, 0xcb007107, VFR_PROTOS_ALL, &ps, dom, NULL);
	vfr_domain_defaults(&cfg);
	cfg.nat_addr = dom == 3 ? 0xcb007107 : 0;
	vfr_domain_set(v, dom, &cfg);
	if (dom == 3)
		vfr_internal_add(v, 0x0a000004, 3, NULL);
	parse_addr("A6", pfx);
	if (dom == 1)
		vfr_prefix6_add(v, pfx, 64, 1, NULL);
}

static void change(uint64_t *seed)
{
	struct vfr_rule rule[8] = { 0 };
	uint16_t dom = (uint16_t)(1 + rnd(seed) % (PORTS - 1));
	struct vfr_portset one = { .first = 500, .last = 520 };
	uint8_t v6[16];

	for (int i = 0; i < 8; i++)
		rule[i] = (struct vfr_rule){ .icmp_type = -1, .icmp_code = -1, .sport_last = 65535, .dport_first = (uint16_t)(i * 9),
					     .dport_last = 65535, .dir = i & 1, .flags = i & 2 ? VFR_RULE_STATE : 0 };
	parse_addr("U6", v6);
	switch (rnd(seed) % 10) {
	case 0:
		vfr_domain_del(v, dom, clock_ns);
		give(dom);
		attach(dom);
		break;
	case 1:
		vfr_port_detach(v, dom, clock_ns);
		attach(dom);
		break;
	case 2:
		vfr_rules_set(v, rnd(seed) & 1 ? dom : VFR_GLOBAL, rule, rnd(seed) % 9, NULL);
		break;
	case 3:
		vfr_slice_claim(v, clock_ns, 0xcb007107, VFR_TCP, &one, dom, NULL);
		vfr_slice_free(v, clock_ns, 0xcb007107, VFR_TCP, &one, dom);
		break;
	case 4:
		vfr_route_del(v, 0, 0);
		vfr_route_add(v, 0, 0, 0, 0xc6336401, 0);
		break;
	case 5:
		vfr_neigh_static(v, 0, 0xc6336401, NULL, outside_mac);
		break;
	case 6:
		vfr_neigh_static(v, 0, 0xc6336401, NULL, NULL);
		break;
	case 7:
		vfr_dedicated_add(v, 0xcb007120, dom, NULL);
		vfr_addr_del(v, 0xcb007120);
		break;
	case 8:
		vfr_port_mtu_set(v, dom, (uint16_t)(1280 + rnd(seed) % 200));
		break;
	default:
		clock_ns += 300000000u;
		vfr_timer(v, clock_ns);
		break;
	}
}

int main(int argc, char **argv)
{
	struct vfr_params par = { .cpus = CPUS, .max_ports = 16, .max_domains = 64, .max_conns = 256, .max_frags = 32, .max_nat = 64,
		.hold_down_s = 1 };
	time_t until = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	uint64_t seed = 99, changes = 0;
	uint8_t none[16] = { 0 }, u6[16];
	pthread_t t[CPUS];
	struct vfr_totals tot;

	env_host_log_level(0);
	memcpy(par.gateway_mac, gateway_mac, 6);
	v = vfr_create(&par, &ops, NULL);
	vfr_shared_add(v, 0xcb007107);
	vfr_self_add(v, 0x0a000001);
	vfr_route_add(v, 0, 0, 0, 0xc6336401, 0);
	vfr_route_add(v, 0xc6336400, 24, 0, 0, 0);
	parse_addr("U6", u6);
	vfr_route6_add(v, none, 0, 0, u6);
	for (int p = 0; p < PORTS; p++) {
		if (p)
			give((uint16_t)p);
		attach(p);
	}
	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++, nlines++) {
		line_port[i] = texts[i][0] - '0';
		if (!craft(&lines[i], texts[i] + 2, line_port[i]))
			abort();
	}
	for (unsigned int i = 0; i < CPUS; i++)
		pthread_create(&t[i], NULL, cpu, (void *)(uintptr_t)i);
	for (; time(NULL) < until; changes++)
		change(&seed);
	stop = 1;
	for (unsigned int i = 0; i < CPUS; i++)
		pthread_join(t[i], NULL);
	vfr_totals_read(v, &tot);
	bool ok = tot.input == sent && tot.held == held - given_back;
	printf("%lu packets, %lu changes: %lu forwarded, %lu dropped, %lu consumed, %lu held of %lu\n", tot.input, changes,
		tot.forwarded, tot.dropped,
	       tot.consumed, tot.held, (uint64_t)held);
	vfr_destroy(v);
	ok = ok && held == given_back && !env_host_live_blocks();
	printf("%d passed, %d failed\n", ok, !ok);
	return !ok;
}
