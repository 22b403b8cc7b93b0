/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the router costs on one core, in memory: the very objects that ship, given batches of 64 packets.
 *
 * router-bench WHAT ...: prints "NAME VALUE" lines (ns a packet by processor time, or million a second): the best of several runs.
 *   path                 64-byte packets, both directions, with connection hits; without connections
 *   ports N... domains N... flows N...   the same at growing sizes
 *   grants               slice claim + free
 *   rules N...           first match among N random 5-tuple rules
 *   acl-files N RULES TRACE   the rules and keys of the former for dpdk-test-acl
 *   conns                lookups in a table of one million
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vfr/classify.h>
#include <vfr/priv.h>

#define BATCH	64
#define RUNS	7
#define SHARED	0xcb007107u
#define GATEWAY	0xc6336401u

static uint64_t sent;

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
	sent++;
}

static void on_release(void *host, struct vfr_pkt *p)
{
	abort();
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release };
static const uint8_t up_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 2 }, gw_mac[6] = { 2, 0, 0, 0, 0, 3 };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t rnd_state = 88172645463325252ull;

static uint32_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (uint32_t)(rnd_state >> 16);
}

/* --- a router and its packets ----------------------------------------------------------------------------------------- */

struct load {
	struct vfr *v;
	unsigned int domains, ports;	/* ports of each domain */
};

static void guest_mac(uint8_t mac[6], unsigned int d)
{
	const uint8_t m[6] = { 2, 1, 0, 0, (uint8_t)(d >> 8), (uint8_t)d };

	memcpy(mac, m, 6);
}

static void build(struct load *l, unsigned int domains, unsigned int ports, uint32_t conns)
{
	struct vfr_params par = { .cpus = 1, .max_conns = conns, .seed = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 } };
	struct vfr_port_cfg up = { .kind = VFR_PORT_UPLINK };

	memcpy(par.gateway_mac, gw_mac, 6);
	memcpy(up.mac, up_mac, 6);
	l->v = vfr_create(&par, &ops, NULL);
	l->domains = domains;
	l->ports = ports;
	vfr_port_attach(l->v, 0, &up);
	vfr_shared_add(l->v, SHARED);
	vfr_route_add(l->v, 0, 0, 0, GATEWAY, 0);
	vfr_neigh_static(l->v, 0, GATEWAY, NULL, peer_mac);
	for (unsigned int d = 1; d <= domains; d++) {
		struct vfr_port_cfg g = { .kind = VFR_PORT_GUEST, .domid = (uint16_t)d };
		unsigned int first = domains == 1 ? 65536 - ports : 1 + (d - 1) * ports;
		struct vfr_portset ps = { .first = (uint16_t)(first ? first : 1), .last = (uint16_t)(first + ports - 1) };
		struct vfr_rule rule = { .proto = IP_TCP, .icmp_type = -1, .icmp_code = -1, .sport_last = 65535, .dport_last = 65535,
					 .dir = VFR_IN, .flags = VFR_RULE_STATE };
		struct vfr_domain_cfg cfg;

		guest_mac(g.mac, d);
		if (vfr_port_attach(l->v, (uint16_t)d, &g) || vfr_slice_claim(l->v, 0, SHARED, VFR_TCP, &ps, (uint16_t)d, NULL))
			abort();
		vfr_domain_defaults(&cfg);
		cfg.max_conns = conns;
		vfr_domain_set(l->v, (uint16_t)d, &cfg);
		if (conns > 64)
			vfr_rules_set(l->v, (uint16_t)d, &rule, 1, NULL);
	}
}

/* Flow i: a peer outside, and one of the ports of one of the domains. */
struct flow {
	uint32_t peer;
	uint16_t peer_port, port, domain;
};

static struct flow flow_of(const struct load *l, uint32_t i)
{
	unsigned int d = i % l->domains, first = l->domains == 1 ? 65536 - l->ports : 1 + d * l->ports;
	unsigned int port = first + i / l->domains % l->ports;

	return (struct flow){ .peer = 0x08000000u + i * 7, .peer_port = (uint16_t)(1024 + i % 60000), .port = (uint16_t)(port ? port
		: 1), .domain = (uint16_t)(d + 1) };
}

static void make_frame(uint8_t *f, const struct flow *fl, bool out, uint8_t flags)
{
	uint8_t *ip = f + 14, *t = ip + 20, mac[6];

	memset(f, 0, 64);
	guest_mac(mac, fl->domain);
	memcpy(f, out ? gw_mac : up_mac, 6);
	memcpy(f + 6, out ? mac : peer_mac, 6);
	env_put16(f + 12, ETH_IPV4);
	ip[0] = 0x45;
	env_put16(ip + IP4_TLEN, 46);
	ip[IP4_TTL] = 64;
	ip[IP4_PROTO] = IP_TCP;
	env_put32(ip + IP4_SRC, out ? SHARED : fl->peer);
	env_put32(ip + IP4_DST, out ? fl->peer : SHARED);
	csum_store(ip + IP4_CSUM, csum_of(ip, 20));
	env_put16(t, out ? fl->port : fl->peer_port);
	env_put16(t + 2, out ? fl->peer_port : fl->port);
	t[12] = 5 << 4;
	t[13] = flags;
}

struct ring {
	uint32_t n;		/* packets; each batch of 64 has one in port */
	uint8_t (*frame)[64];
	uint8_t (*start)[16];	/* what forwarding changes, as it was */
	uint16_t *port;
};

static struct vfr_pkt pkts[BATCH];

static void send(struct load *l, uint8_t *f, uint16_t port)
{
	struct vfr_pkt *p = &pkts[0];

	p->head = f;
	p->len = 60;
	p->head_len = 60;
	p->gso = p->csum = 0;
	vfr_input(l->v, 0, 1ull << 40, port, &p, 1);
	if (!p || p->verdict != VFR_FORWARD) {
		fprintf(stderr, "router-bench: %s\n", p ? vfr_drop_name(p->drop) : "held");
		exit(1);
	}
}

static void open_flows(struct load *l, uint32_t flows)
{
	uint8_t f[64];

	for (uint32_t i = 0; i < flows; i++) {
		struct flow fl = flow_of(l, i);

		make_frame(f, &fl, false, TCP_SYN);
		send(l, f, 0);
		make_frame(f, &fl, true, TCP_SYN | TCP_ACK);
		send(l, f, fl.domain);
		make_frame(f, &fl, false, TCP_ACK);
		send(l, f, 0);
	}
}

/* Batches in turn from the uplink and from one guest, over all flows. A quarter of a million packets fit no inner cache, as on a wire. */
static void make_ring(struct load *l, struct ring *r, uint32_t flows, uint32_t n)
{
	r->n = n;
	r->frame = aligned_alloc(64, (size_t)n * 64);
	r->start = aligned_alloc(64, (size_t)n * 16);
	r->port = malloc(n * sizeof(*r->port));
	for (uint32_t b = 0; b < n / BATCH; b++) {
		bool out = b & 1;
		uint32_t at = rnd() % flows;
		uint16_t domain = flow_of(l, at).domain;

		for (uint32_t i = 0; i < BATCH; i++) {
			uint32_t fi = out ? (at + i * l->domains) % flows : rnd() % flows;
			struct flow fl = flow_of(l, fi);

			if (out && fl.domain != domain) {
				fi = at;
				fl = flow_of(l, fi);
			}
			make_frame(r->frame[b * BATCH + i], &fl, out, TCP_ACK);
			memcpy(r->start[b * BATCH + i], r->frame[b * BATCH + i], 12);
			memcpy(r->start[b * BATCH + i] + 12, r->frame[b * BATCH + i] + 22, 4);
			r->port[b * BATCH + i] = out ? domain : 0;
		}
	}
}

static uint64_t ring_pass(struct load *l, struct ring *r, uint32_t from, uint32_t to)
{
	struct vfr_pkt *batch[BATCH];
	uint64_t good = 0;

	for (uint32_t b = from; b < to; b += BATCH) {
		for (uint32_t i = 0; i < BATCH; i++) {
			struct vfr_pkt *p = &pkts[i];

			p->head = r->frame[b + i];
			p->len = 60;
			p->head_len = 60;
			p->gso = 0;
			p->csum = 0;
			batch[i] = p;
		}
		vfr_input(l->v, 0, 1ull << 40, r->port[b], batch, BATCH);
		for (uint32_t i = 0; i < BATCH; i++) {
			uint8_t *f = batch[i]->head;

			good += batch[i]->verdict == VFR_FORWARD;
			/* As it was, for the next pass: link addresses, TTL and checksum. */
			memcpy(f, r->start[b + i], 12);
			memcpy(f + 22, r->start[b + i] + 12, 4);
		}
	}
	return good;
}

static double measure(struct load *l, uint32_t flows, uint32_t ring_size)
{
	struct ring r;
	double best = 1e9;

	make_ring(l, &r, flows, ring_size);
	uint32_t passes = ring_size < 1u << 20 ? (1u << 20) / ring_size : 1;
	for (unsigned int run = 0; run < RUNS; run++) {
		double t = now_s();

		for (uint32_t i = 0; i < passes; i++)
			if (ring_pass(l, &r, 0, r.n) != r.n)
				exit(1);
		t = (now_s() - t) * 1e9 / ((double)r.n * passes);
		best = t < best ? t : best;
	}
	free(r.frame);
	free(r.start);
	free(r.port);
	return best;
}

/* --- the figures ------------------------------------------------------------------------------------------------------ */

static void bench_path(void)
{
	struct load l;

	build(&l, 16, 4000, 64);
	printf("path-plain\t%.1f\n", measure(&l, 1000, 4096));
	vfr_destroy(l.v);
	build(&l, 16, 4000, 65536);
	open_flows(&l, 1000);
	printf("path-connections\t%.1f\n", measure(&l, 1000, 4096));
	vfr_destroy(l.v);
}

static void bench_ports(unsigned int n)
{
	struct load l;

	build(&l, 1, n, 64);
	printf("ports-%u\t%.1f\n", n, measure(&l, n < 1000 ? 1000 : n, 65536));
	vfr_destroy(l.v);
}

static void bench_domains(unsigned int n)
{
	struct load l;

	build(&l, n, 60, 64);
	printf("domains-%u\t%.1f\n", n, measure(&l, 60000 / n * n, 65536));
	vfr_destroy(l.v);
}

static void bench_flows(unsigned int n)
{
	struct load l;

	build(&l, 16, 4000, 64);
	printf("flows-%u\t%.1f\n", n, measure(&l, n, 65536));
	vfr_destroy(l.v);
}

static void bench_grants(void)
{
	struct load l;
	double best = 0;

	build(&l, 1, 100, 64);
	for (unsigned int run = 0; run < RUNS; run++) {
		double t = now_s();
		unsigned int ok = 0;

		for (unsigned int i = 0; i < 1000000; i++) {
			struct vfr_portset ps = { .first = (uint16_t)(1024 + i % 50000), .last = (uint16_t)(1024 + i % 50000) };

			ok += !vfr_slice_claim(l.v, SEC, SHARED, VFR_TCP, &ps, 1, NULL);
			ok += !vfr_slice_free(l.v, SEC, SHARED, VFR_TCP, &ps, 1);
		}
		t = 2.0 / (now_s() - t);
		best = t > best ? t : best;
		if (ok != 2000000)
			abort();
	}
	printf("slice-ops\t%.2f\n", best);
	vfr_destroy(l.v);
}

/* Random 5-tuples as firewalls have them: prefixes of /8 to /32, one third of ports exact, one third ranges, the rest any. */
static void random_rule(struct class_box *b, uint32_t index)
{
	memset(b, 0, sizeof(*b));
	for (unsigned int side = 0; side < 2; side++) {
		unsigned int plen = rnd() % 10 == 0 ? 0 : 8 + rnd() % 25;
		uint32_t mask = plen ? UINT32_MAX << (32 - plen) : 0;

		b->lo[side] = rnd() & mask;
		b->hi[side] = b->lo[side] | ~mask;
		unsigned int kind = rnd() % 3, x = rnd() & 0xffff, y = rnd() & 0xffff;
		b->lo[2 + side] = kind == 0 ? 0 : kind == 1 ? x : x < y ? x : y;
		b->hi[2 + side] = kind == 0 ? 65535 : kind == 1 ? x : x < y ? y : x;
	}
	b->lo[4] = rnd() % 4 ? (rnd() & 1 ? IP_TCP : IP_UDP) : 0;
	b->hi[4] = b->lo[4] ? b->lo[4] : 255;
	b->index = index;
}

static void inside(struct class_key *k, const struct class_box *b)
{
	for (unsigned int d = 0; d < 5; d++) {
		uint32_t span = b->hi[d] - b->lo[d];

		k->w[d] = b->lo[d] + (span == UINT32_MAX ? rnd() : rnd() % (span + 1));
	}
}

static void bench_rules(unsigned int n)
{
	struct class_box *b = calloc(n, sizeof(*b));
	uint32_t keys = 65536, found = 0;
	struct class_key *k = calloc(keys, sizeof(*k));
	double best = 1e9, t0 = now_s();

	for (unsigned int i = 0; i < n; i++)
		random_rule(&b[i], i);
	struct classifier *cl = vfr_classifier_make(b, n, 5);
	fprintf(stderr, "router-bench: %u rules compiled in %.0f ms\n", n, (now_s() - t0) * 1e3);
	for (uint32_t i = 0; i < keys; i++)
		inside(&k[i], &b[rnd() % n]);
	for (unsigned int run = 0; run < RUNS; run++) {
		double t = now_s();

		for (unsigned int pass = 0; pass < 8; pass++)
			for (uint32_t i = 0; i < keys; i++)
				found += vfr_classify(cl, &k[i], 0) != UINT32_MAX;
		t = (now_s() - t) * 1e9 / (8.0 * keys);
		best = t < best ? t : best;
	}
	if (found != 8u * RUNS * keys)
		abort();
	printf("rules-%u\t%.1f\n", n, best);
	vfr_classifier_free(cl);
	free(b);
	free(k);
}

/* The same rules and keys as bench_rules() has, as files for dpdk-test-acl. Its ranges of addresses are prefixes, as ours are here. */
static unsigned int plen_of(uint32_t lo, uint32_t hi)
{
	unsigned int n = 0;

	while (n < 32 && hi - lo < UINT32_MAX >> n)
		n++;
	return hi == lo ? 32 : n;
}

static void write_acl(unsigned int n, const char *rules, const char *trace)
{
	struct class_box *b = calloc(n, sizeof(*b));
	FILE *r = fopen(rules, "w"), *t = fopen(trace, "w");

	if (!r || !t)
		exit(1);
	for (unsigned int i = 0; i < n; i++) {
		random_rule(&b[i], i);
		uint32_t s = b[i].lo[0], d = b[i].lo[1];

		fprintf(r, "@%u.%u.%u.%u/%u %u.%u.%u.%u/%u %u : %u %u : %u 0x%02x/0x%02x\n", s >> 24, s >> 16 & 255, s >> 8 & 255,
			s & 255,
			plen_of(s, b[i].hi[0]), d >> 24, d >> 16 & 255, d >> 8 & 255, d & 255, plen_of(d, b[i].hi[1]),
			b[i].lo[2], b[i].hi[2], b[i].lo[3], b[i].hi[3], b[i].lo[4], b[i].lo[4] ? 255 : 0);
	}
	for (uint32_t i = 0; i < 65536; i++) {
		struct class_key k;

		inside(&k, &b[rnd() % n]);
		fprintf(t, "%u %u %u %u %u\n", k.w[0], k.w[1], k.w[2], k.w[3], k.w[4]);
	}
	fclose(r);
	fclose(t);
	free(b);
}

static void key_pkt(struct vfr_pkt *p, uint32_t i)
{
	p->flags = VFR_PF_IPV4 | VFR_PF_PORTS | VFR_PF_NEWFLOW;
	p->proto = IP_UDP;
	p->src = 0x08000000u + i * 2654435761u % 16777216u;
	p->dst = SHARED;
	p->sport = (uint16_t)(i * 40503u);
	p->dport = (uint16_t)(i >> 4);
}

static void bench_conns(void)
{
	static struct vfr_pkt p[BATCH];
	uint32_t n = 1000000, have = 0;
	struct conn_hit hit;
	struct load l;
	struct ctx c;
	double best = 1e9;

	build(&l, 1, 100, n * 4 / 3 + 64);
	struct vfr_dom *d = vfr_dom_at(l.v, 1);
	vfr_enter(&c, l.v, 0, 1ull << 40);
	for (uint32_t i = 0; i < n; i++) {
		key_pkt(&p[0], i);
		have += vfr_conn_open(&c, &p[0], d, 0) == 0;
	}
	for (unsigned int run = 0; run < RUNS; run++) {
		uint32_t hits = 0, lookups = 2000000 / BATCH * BATCH;
		double t = now_s();

		for (uint32_t i = 0; i < lookups; i += BATCH) {
			for (uint32_t k = 0; k < BATCH; k++) {
				key_pkt(&p[k], rnd() % n);
				conn_prepare(&l.v->conns, l.v->key, &p[k]);
			}
			for (uint32_t k = 0; k < BATCH; k++)
				conn_prepare2(&l.v->conns, &p[k]);
			for (uint32_t k = 0; k < BATCH; k++)
				hits += vfr_conn_follow(&c, &p[k], d->slot, &hit);
		}
		t = (now_s() - t) * 1e9 / lookups;
		best = t < best ? t : best;
		if (hits < lookups / 100 * 98)
			fprintf(stderr, "router-bench: %u of %u lookups hit, %u opened\n", hits, lookups, have);
	}
	vfr_leave(&c);
	printf("conns-1M\t%.1f\n", best);
	vfr_destroy(l.v);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "path"))
		bench_path();
	if (!strcmp(what, "grants"))
		bench_grants();
	if (!strcmp(what, "conns"))
		bench_conns();
	if (!strcmp(what, "acl-files") && argc == 5)
		write_acl((unsigned int)atoi(argv[2]), argv[3], argv[4]);
	for (int i = 2; i < argc; i++) {
		unsigned int n = (unsigned int)atoi(argv[i]);

		if (!strcmp(what, "ports"))
			bench_ports(n);
		else if (!strcmp(what, "domains"))
			bench_domains(n);
		else if (!strcmp(what, "flows"))
			bench_flows(n);
		else if (!strcmp(what, "rules"))
			bench_rules(n);
	}
	return sent != 0;
}
