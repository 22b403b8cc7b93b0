/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A token bucket kept as one point in time: the moment at which all that was sent would have left at the bucket's rate.
 * It may run ahead of now by the burst. No refill, no division: a packet costs one multiplication.
 * => In any interval t, at most rate * t + burst leaves (the burst has one packet of `most` set aside for that).
 */
#ifndef SCHED_NET_BUCKET_H
#define SCHED_NET_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_SHIFT 24

struct bucket {
	uint64_t due;		/* when what was sent is paid for, ns */
	uint64_t cost;		/* of a unit, ns << BUCKET_SHIFT; 0: no limit */
	uint64_t ahead;		/* how far due may lie ahead of now for the next unit to go, ns */
	uint32_t frac;		/* of due, in 2^-BUCKET_SHIFT ns */
};

static inline uint64_t bucket_price(const struct bucket *b, uint64_t units)
{
	return (b->cost * units) >> BUCKET_SHIFT;
}

/* rate: units a second, 0: no limit; burst >= most, the largest number of units taken at once. Keeps what is owed. */
static inline void bucket_set(struct bucket *b, uint64_t rate, uint64_t burst, uint64_t most)
{
	b->cost = rate ? (1000000000ull << BUCKET_SHIFT) / rate : 0;
	b->ahead = bucket_price(b, burst - most);
}

/* When the next units may go; at or before `now` if at once. */
static inline uint64_t bucket_ready(const struct bucket *b)
{
	return b->due > b->ahead ? b->due - b->ahead : 0;
}

static inline bool bucket_open(const struct bucket *b, uint64_t now)
{
	return b->due <= now + b->ahead;
}

static inline void bucket_take(struct bucket *b, uint64_t units, uint64_t now)
{
	if (b->due < now) {
		b->due = now;
		b->frac = 0;
	}
	uint64_t t = b->cost * units + b->frac;
	b->due += t >> BUCKET_SHIFT;
	b->frac = t & ((1u << BUCKET_SHIFT) - 1);
}

#endif
