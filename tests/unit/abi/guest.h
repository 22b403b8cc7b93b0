/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that does anything: random hypercalls with arguments that are mostly plausible. */
#ifndef TESTS_ABI_GUEST_H
#define TESTS_ABI_GUEST_H

#include "machine.h"

#define GUEST_DOMAINS 3 /* numbers 1 to 3 */

/* How often the random guests got what they asked for: a test that only ever is refused proves nothing. */
struct guest_luck {
	_Atomic unsigned calls, maps, unmaps, copies, binds, balloons;
};
extern struct guest_luck guest_luck;

uint64_t guest_random(uint64_t *seed);
/* One step of vcpu v: scribble into shared pages or make a call. */
void guest_step(struct vcpu *v, uint64_t *seed, bool alone);

#endif
