/* SPDX-License-Identifier: BSD-2-Clause */
/* The fuzzer's world: the router, and the model of who owns what (world.c). */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <vfr/vfr.h>

#define SHARED	0xcb007107u
#define DEDICATED 0xcb00711eu
#define INTERNAL 0x0a000004u
#define SELF	0x0a000001u
#define GATEWAY	0xc6336401u
#define GUESTS	4		/* ports 1 .. 4 are domains 1 .. 4 */

extern const uint8_t gateway_mac[6];

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x), abort()))

extern struct vfr *v;
extern uint64_t now;
extern unsigned int outstanding;	/* packets that are not ours again */
extern unsigned int version;		/* of the model */
extern uint8_t owner[4][65536];		/* the model: which domain has which port of SHARED */
/* What this input has changed. */
extern struct touched {
	bool slices, neighbour, removed;
	uint8_t ports, rules, domains;	/* a bit for each */
} touched;
extern const struct vfr_ops fuzz_ops;

void fuzz_build(void);
/* => all as it was after fuzz_build(), but for the time. */
void fuzz_restore(void);
void fuzz_attach(unsigned int port);
void fuzz_model_set(unsigned int protos, const struct vfr_portset *ps, uint8_t dom);
void fuzz_remove_domain(unsigned int dom);

#endif
