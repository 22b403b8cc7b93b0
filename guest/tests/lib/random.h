/* SPDX-License-Identifier: BSD-2-Clause */
/* Values that break things: the edges of every type that an argument may have. */
#ifndef GUEST_RANDOM_H
#define GUEST_RANDOM_H
#include "test.h"

static const uint64_t test_edges[] = { 0, 1, 0x7f, 0xfff, 0x1000, 0x7ffe, 0x7fff, 0xffff, 0x7ffffffe, 0x7fffffff, 0x80000000,
				       0xfffffffe, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~1ul, ~0ul };

/* Four pages that the host may write to as it likes. */
static uint64_t test_target[2048] __page_aligned;

/* An edge, a small number, an address in RAM or anything. */
static inline uint64_t test_nasty(uint64_t *state)
{
	uint64_t r = test_random(state);

	switch (r >> 60 & 3) {
	case 0:
		return test_edges[r % ARRAY_LEN(test_edges)];
	case 1:
		return r % 64;
	case 2:
		return (uint64_t)test_target + (r >> 8 & 0xff8);
	default:
		return r;
	}
}
#endif
