/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CoDel as one judgement a packet. RFC 8289's dequeue loop drops until the delay is in order; here the caller asks for every
 * packet that it takes, and asks again for the next one if it dropped: the same decisions in the same order.
 */
#include <sched/net/codel.h>

/* 2^32 / sqrt(n), n >= 1, by Newton's iteration from the power of two below. */
static uint64_t inverse_root(uint32_t n)
{
	unsigned int bits = 31 - (unsigned int)__builtin_clz(n);
	uint64_t x = (1ull << 32) >> ((bits + 1) / 2);

	if (n == 1)
		return x;
	for (int i = 0; i < 5; i++) {
		uint64_t square = (x * x) >> 32;
		x = (x * (((3ull << 32) - n * square) >> 2)) >> 31;
	}
	return x;
}

static uint64_t control_law(uint64_t t, uint64_t interval, uint32_t count)
{
	return t + ((interval * inverse_root(count)) >> 32);
}

static bool stands(struct codel *c, uint64_t waited, bool alone, uint64_t target, uint64_t interval, uint64_t now)
{
	if (waited < target || alone) {
		c->above_until = 0;
		return false;
	}
	if (c->above_until == 0) {
		c->above_until = now + interval;
		return false;
	}
	return now >= c->above_until;
}

bool codel_judge_slow(struct codel *c, uint64_t waited, bool alone, uint64_t target, uint64_t interval, uint64_t now)
{
	bool bad = stands(c, waited, alone, target, interval, now);

	if (c->dropping) {
		if (!bad) {
			c->dropping = false;
			return false;
		}
		if (now < c->drop_next)
			return false;
		c->count += c->count < UINT16_MAX;
		c->drop_next = control_law(c->drop_next, interval, c->count);
		return true;
	}
	if (!bad)
		return false;
	/* Entered again soon: go on near the drop rate that was found the last time. */
	int grown = c->count - c->count_before;
	c->count = grown > 1 && now < c->drop_next + 16 * interval ? (uint16_t)grown : 1;
	c->count_before = c->count;
	c->dropping = true;
	c->drop_next = control_law(now, interval, c->count);
	return true;
}
