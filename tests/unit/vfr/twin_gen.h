/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the twin is tried with: random configurations (twin_world.c), packets out of nothing (twin_fresh.c), and how they
 * follow each other (twin_traffic.c).
 */
#ifndef TWIN_GEN_H
#define TWIN_GEN_H

#include <vfr/priv.h>

#include "twin.h"

extern uint64_t twin_seed;
/* => 0 .. n-1 */
static inline uint32_t rnd(uint32_t n)
{
	twin_seed = twin_seed * 6364136223846793005ull + 1442695040888963407ull;
	return n ? (uint32_t)(twin_seed >> 33) % n : (uint32_t)(twin_seed >> 32);
}

extern const uint32_t twin_outside[8];	/* three hosts, then what cannot be one */
extern const uint8_t twin_outside6[3][16];

/* => the same world for the twin and both routers. false: they do not agree about it */
bool twin_build(struct twin *t, struct vfr *v[2], const struct vfr_ops *ops, void *const host[2], struct twin_answer *a);

/* twin_alter.c: the twin and both routers, while something is changed. */
struct alter {
	struct twin *t;
	struct vfr **v;
	uint64_t now;
	struct twin_answer *a;
};
/* => something is another way now; what was held because of it is in w->a. false: the twin would not have it so */
bool twin_alter(struct alter *w);
bool twin_alter_held(struct alter *w, bool before);
bool twin_agreed(const char *what, bool says, int r0, int r1);
bool twin_alter_claim(struct alter *w, int s, unsigned int kinds, const struct twin_set *set, int d);
bool twin_alter_dedicated(struct alter *w, int d);
bool twin_alter_internal(struct alter *w, int d);
bool twin_alter_prefix(struct alter *w, int d);
/* twin_world.c: parts of a world, at random */
bool twin_some_domain(struct alter *w, int d);
void twin_some_policy(struct twin *t, struct vfr *v[2], int d);
void twin_some_rules(struct twin *t, struct vfr *v[2], int d);
void twin_attach(struct twin *t, struct vfr *v[2], int d);

/* => bytes of a fresh packet at f. */
uint32_t twin_fresh4(const struct twin *t, int in, uint8_t *f);
uint32_t twin_fresh6(const struct twin *t, int in, uint8_t *f);
uint8_t twin_flags(void);
uint32_t twin_fresh_link(const struct twin *t, int in, uint8_t *f);
/* => bytes of somebody's answer to a question that the router has put outside; 0: he is silent, or it is no question. */
uint32_t twin_answer_question(const uint8_t *question, uint32_t len, uint8_t *f);

void twin_traffic_reset(void);
/* => the router has made this frame: if it is a question, somebody may answer it later. */
void twin_was_made(int port, const uint8_t *frame, uint32_t len);
/* => the next packet of a mixture: fresh ones, answers to what went through, pieces of larger ones. */
void twin_next(const struct twin *t, struct twin_packet *p);
/* => this went through, as `left` by `out`: somebody may answer it, or repeat it. */
void twin_went_through(const struct twin_packet *p, const uint8_t *left, int out);

/* twin_same.c: one of the two routers, and what it has said beside its verdicts. */
struct side {
	const char *name;
	struct vfr *v;
	struct twin_frame back[TWIN_HELD], made[TWIN_HELD];
	unsigned int backs, mades;
};
/* => false: it differs, which has been printed */
bool twin_same(const char *what, const struct twin_frame *got, const struct twin_frame *is);
bool twin_same_back(const struct side *s, const struct twin_answer *want);
bool twin_same_made(struct side *s, const struct twin_answer *want, bool in_order);
bool twin_same_notes(const struct vfr_pkt *a, const struct vfr_pkt *b);
void twin_dump(const char *what, int port, const uint8_t *b, uint32_t len);

#endif
