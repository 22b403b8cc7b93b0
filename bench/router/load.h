/* SPDX-License-Identifier: BSD-2-Clause */
/* What the router's measurements share: a router with guests on one address, its flows, and packets of them sent again and again. */
#ifndef ROUTER_LOAD_H
#define ROUTER_LOAD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfr/classify.h>
#include <vfr/priv.h>

#define BATCH		VFR_BATCH
#define BENCH_NOW	(1ull << 40)
#define BENCH_SHARED	0xcb007107u
#define BENCH_DEDICATED	0xc6336500u	/* + the domain */

struct load {
	struct vfr *v;
	unsigned int domains, ports;	/* ports of each domain */
	bool dedicated;			/* each domain has an address of its own in place of a slice */
	bool six;			/* traffic is IPv6, between outside and a /64 of each domain */
};

struct ring {
	uint32_t n;		/* packets; the port of each batch of 64 is in port[] */
	uint8_t *frame;		/* each `stride` bytes */
	uint32_t stride, hops;	/* hops: where the word with the TTL is */
	uint8_t (*start)[16];	/* what forwarding changes, as it was */
	uint16_t *port;
};

double now_ns(void);		/* wall time: never too short, and the least of many short runs was not disturbed */
uint32_t rnd(void);

/* => domains 1 .. domains with so many ports each, or an address each; connections are followed if conns is above 64. */
void load_make(struct load *l, unsigned int domains, unsigned int ports, bool dedicated, uint32_t conns);
void load_free(struct load *l);
/* => flows 0 .. flows-1 have had their handshake. */
void load_open_flows(struct load *l, uint32_t flows);

/* => n random rules for all domains, all of them accept; and one rule in each direction for each domain. */
void load_rules(struct load *l, unsigned int n);

/* => batches in turn from the uplink and from one guest, over all flows. */
void ring_make(const struct load *l, struct ring *r, uint32_t flows, uint32_t n);
void ring_free(struct ring *r);
/* => ns a packet of one pass over the ring; each packet must be forwarded. */
double ring_pass(struct load *l, struct ring *r);
/* => the least ns a packet of many passes. */
double load_measure(struct load *l, uint32_t flows, uint32_t ring_size);

/* What each file measures; prints "NAME VALUE" lines. n is the number given behind the name, 0: none. */
void bench_path(unsigned int n);
void bench_path6(unsigned int n);
void bench_asked(unsigned int n);
void bench_ports(unsigned int n);
void bench_domains(unsigned int n);
void bench_flows(unsigned int n);
void bench_added(unsigned int n);
void bench_grants(unsigned int n);
void bench_conns(unsigned int n);
void bench_rules(unsigned int n);
void random_rule(struct class_box *b, uint32_t index);
int write_acl(unsigned int n, const char *rules, const char *trace);

#endif
