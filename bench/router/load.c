/* SPDX-License-Identifier: BSD-2-Clause */
/* A router, its flows and their packets. */
#include <time.h>

#include "load.h"

#define GATEWAY	0xc6336401u
#define PASSES	60		/* short ones: on a busy machine some run undisturbed */
#define PASS_LEAST 32768u

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
	abort();
}

static void on_release(void *host, struct vfr_pkt *p)
{
	abort();
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release };
static const uint8_t up_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 2 }, gw_mac[6] = { 2, 0, 0, 0, 0, 3 };

double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t rnd_state = 88172645463325252ull;

uint32_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (uint32_t)(rnd_state >> 16);
}

/* --- the router ------------------------------------------------------------------------------------------------------- */

static void guest_mac(uint8_t mac[6], unsigned int d)
{
	const uint8_t m[6] = { 2, 1, 0, 0, (uint8_t)(d >> 8), (uint8_t)d };

	memcpy(mac, m, 6);
}

/* 2001:db8:0:d::/64 is the domain's. */
static void guest_ip6(uint8_t a[16], unsigned int d)
{
	memcpy(a, (const uint8_t[16]){ 0x20, 1, 0xd, 0xb8, 0, 0, (uint8_t)(d >> 8), (uint8_t)d, [15] = 1 }, 16);
}

/* d from 0. One domain has the upper ports, several have theirs one after the other from port 1 on. */
static unsigned int first_port(const struct load *l, unsigned int d)
{
	return l->domains == 1 ? 65536 - l->ports : 1 + d * l->ports;
}

static void add_domain(struct load *l, unsigned int d, uint32_t conns)
{
	struct vfr_port_cfg g = { .kind = VFR_PORT_GUEST, .domid = (uint16_t)d };
	unsigned int first = first_port(l, d - 1);
	struct vfr_portset ps = { .first = (uint16_t)(first ? first : 1), .last = (uint16_t)(first + l->ports - 1) };
	struct vfr_rule rule = { .proto = IP_TCP, .icmp_type = -1, .icmp_code = -1, .sport_last = 65535, .dport_last = 65535,
				 .dir = VFR_IN, .flags = VFR_RULE_STATE };
	struct vfr_domain_cfg cfg;
	uint8_t prefix[16];
	int r;

	guest_ip6(prefix, d);
	prefix[15] = 0;
	guest_mac(g.mac, d);
	r = vfr_port_attach(l->v, (uint16_t)d, &g);
	if (!r)
		r = l->dedicated ? vfr_dedicated_add(l->v, BENCH_DEDICATED + d, (uint16_t)d, NULL)
				 : vfr_slice_claim(l->v, 0, BENCH_SHARED, VFR_TCP, &ps, (uint16_t)d, NULL);
	if (!r)
		r = vfr_prefix6_add(l->v, prefix, 64, (uint16_t)d, NULL);
	vfr_domain_defaults(&cfg);
	cfg.max_conns = conns;
	if (!r)
		r = vfr_domain_set(l->v, (uint16_t)d, &cfg);
	if (!r && conns > 64)
		r = vfr_rules_set(l->v, (uint16_t)d, &rule, 1, NULL);
	if (r)
		abort();
}

void load_make(struct load *l, unsigned int domains, unsigned int ports, bool dedicated, uint32_t conns)
{
	struct vfr_params par = { .cpus = 1, .max_conns = conns, .seed = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 } };
	struct vfr_port_cfg up = { .kind = VFR_PORT_UPLINK };
	uint8_t any6[16] = { 0 }, hop6[16] = { 0xfe, 0x80, [15] = 9 };

	memcpy(par.gateway_mac, gw_mac, 6);
	memcpy(up.mac, up_mac, 6);
	*l = (struct load){ .v = vfr_create(&par, &ops, NULL), .domains = domains, .ports = ports, .dedicated = dedicated };
	if (!l->v || vfr_port_attach(l->v, 0, &up) || vfr_shared_add(l->v, BENCH_SHARED) ||
		vfr_route_add(l->v, 0, 0, 0, GATEWAY, 0) || vfr_neigh_static(l->v, 0, GATEWAY, NULL, peer_mac) ||
		vfr_route6_add(l->v, any6, 0, 0, hop6) || vfr_neigh_static(l->v, 0, 0, hop6, peer_mac))
		abort();
	for (unsigned int d = 1; d <= domains; d++)
		add_domain(l, d, conns);
}

void load_free(struct load *l)
{
	vfr_destroy(l->v);
}

/* --- flows ------------------------------------------------------------------------------------------------------------ */

/* A peer outside, and one of the ports of one of the domains. */
struct flow {
	uint32_t peer, addr;
	uint16_t peer_port, port, domain;
};

static struct flow flow_of(const struct load *l, uint32_t i)
{
	unsigned int d = i % l->domains, port = first_port(l, d) + i / l->domains % l->ports;

	return (struct flow){
		.peer = 0x08000000u + i * 7, .addr = l->dedicated ? BENCH_DEDICATED + d + 1 : BENCH_SHARED,
		.peer_port = (uint16_t)(1024 + i % 60000), .port = (uint16_t)(port ? port : 1), .domain = (uint16_t)(d + 1),
	};
}

/* => where the transport header is. */
static uint8_t *make_ip4(uint8_t *f, const struct flow *fl, bool out)
{
	uint8_t *ip = f + 14;

	env_put16(f + 12, ETH_IPV4);
	ip[0] = 0x45;
	env_put16(ip + IP4_TLEN, 46);
	ip[IP4_TTL] = 64;
	ip[IP4_PROTO] = IP_TCP;
	env_put32(ip + IP4_SRC, out ? fl->addr : fl->peer);
	env_put32(ip + IP4_DST, out ? fl->peer : fl->addr);
	csum_store(ip + IP4_CSUM, csum_of(ip, 20));
	return ip + IP4_LEN;
}

static uint8_t *make_ip6(uint8_t *f, const struct flow *fl, bool out)
{
	uint8_t *ip = f + 14, *peer = ip + (out ? IP6_DST : IP6_SRC);

	env_put16(f + 12, ETH_IPV6);
	ip[0] = 0x60;
	env_put16(ip + IP6_PLEN, 20);
	ip[IP6_NEXT] = IP_TCP;
	ip[IP6_HOPS] = 64;
	guest_ip6(ip + (out ? IP6_SRC : IP6_DST), fl->domain);
	peer[0] = 0x20;
	peer[1] = 2;
	env_put32(peer + 12, fl->peer);
	return ip + IP6_LEN;
}

static void make_frame(const struct load *l, uint8_t *f, const struct flow *fl, bool out, uint8_t flags)
{
	uint8_t *t, mac[6];

	memset(f, 0, l->six ? 128 : 64);
	guest_mac(mac, fl->domain);
	memcpy(f, out ? gw_mac : up_mac, 6);
	memcpy(f + 6, out ? mac : peer_mac, 6);
	t = l->six ? make_ip6(f, fl, out) : make_ip4(f, fl, out);
	env_put16(t, out ? fl->port : fl->peer_port);
	env_put16(t + 2, out ? fl->peer_port : fl->port);
	t[12] = 5 << 4;
	t[13] = flags;
}

static struct vfr_pkt pkts[BATCH];

static void host_fields(struct vfr_pkt *p, uint8_t *frame, bool six)
{
	p->head = frame;
	p->len = p->head_len = six ? 74 : 60;
	p->gso = 0;
	p->csum = 0;
}

static void send(struct load *l, const struct flow *fl, bool out, uint8_t flags)
{
	struct vfr_pkt *p = &pkts[0];
	uint8_t f[128];

	make_frame(l, f, fl, out, flags);
	host_fields(p, f, l->six);
	vfr_input(l->v, 0, BENCH_NOW, out ? fl->domain : 0, &p, 1);
	if (!p || p->verdict != VFR_FORWARD) {
		fprintf(stderr, "router-bench: %s\n", p ? vfr_drop_name(p->drop) : "held");
		exit(1);
	}
}

void load_open_flows(struct load *l, uint32_t flows)
{
	for (uint32_t i = 0; i < flows; i++) {
		struct flow fl = flow_of(l, i);

		send(l, &fl, false, TCP_SYN);
		send(l, &fl, true, TCP_SYN | TCP_ACK);
		send(l, &fl, false, TCP_ACK);
	}
}

/* --- packets, again and again ----------------------------------------------------------------------------------------- */

void ring_make(const struct load *l, struct ring *r, uint32_t flows, uint32_t n)
{
	r->n = n;
	r->stride = l->six ? 128 : 64;
	r->hops = l->six ? ETH_LEN + IP6_PLEN : ETH_LEN + IP4_TTL;
	r->frame = aligned_alloc(64, (size_t)n * r->stride);
	r->start = aligned_alloc(64, (size_t)n * 16);
	r->port = malloc(n * sizeof(*r->port));
	for (uint32_t b = 0; b < n; b += BATCH) {
		bool out = b / BATCH & 1;
		uint32_t at = rnd() % flows;
		uint16_t domain = flow_of(l, at).domain;

		for (uint32_t i = b; i < b + BATCH; i++) {
			struct flow fl = flow_of(l, out ? (at + (i - b) * l->domains) % flows : rnd() % flows);

			if (out && fl.domain != domain)
				fl = flow_of(l, at);
			uint8_t *f = r->frame + (size_t)i * r->stride;
			make_frame(l, f, &fl, out, TCP_ACK);
			memcpy(r->start[i], f, 12);
			memcpy(r->start[i] + 12, f + r->hops, 4);
			r->port[i] = out ? domain : 0;
		}
	}
}

void ring_free(struct ring *r)
{
	free(r->frame);
	free(r->start);
	free(r->port);
}

static uint32_t ring_batch(struct load *l, struct ring *r, uint32_t b)
{
	struct vfr_pkt *batch[BATCH];
	uint32_t good = 0;

	for (uint32_t i = 0; i < BATCH; i++) {
		host_fields(&pkts[i], r->frame + (size_t)(b + i) * r->stride, l->six);
		batch[i] = &pkts[i];
	}
	vfr_input(l->v, 0, BENCH_NOW, r->port[b], batch, BATCH);
	for (uint32_t i = 0; i < BATCH; i++) {
		uint8_t *f = batch[i]->head;

		good += batch[i]->verdict == VFR_FORWARD;
		/* As it was, for the next pass: link addresses, TTL and checksum. */
		memcpy(f, r->start[b + i], 12);
		memcpy(f + r->hops, r->start[b + i] + 12, 4);
	}
	return good;
}

double ring_pass(struct load *l, struct ring *r)
{
	uint32_t times = r->n < PASS_LEAST ? PASS_LEAST / r->n : 1, good = 0;
	double t = now_ns();

	for (uint32_t i = 0; i < times; i++)
		for (uint32_t b = 0; b < r->n; b += BATCH)
			good += ring_batch(l, r, b);
	t = (now_ns() - t) / (r->n * times);
	if (good != r->n * times) {
		fprintf(stderr, "router-bench: a packet was not forwarded\n");
		exit(1);
	}
	return t;
}

double load_measure(struct load *l, uint32_t flows, uint32_t ring_size)
{
	struct ring r;
	double best = 1e9;

	ring_make(l, &r, flows, ring_size);
	for (unsigned int i = 0; i < PASSES; i++) {
		double t = ring_pass(l, &r);

		best = t < best ? t : best;
	}
	ring_free(&r);
	return best;
}
