/* SPDX-License-Identifier: BSD-2-Clause */
/* CoDel's state and control law (RFC 8289), for one flow queue. */
#ifndef SCHED_NET_CODEL_H
#define SCHED_NET_CODEL_H

#include <stdbool.h>
#include <stdint.h>

struct codel {
	uint64_t above_until;	/* the delay has been above target; when that has lasted an interval. 0: it is not above */
	uint64_t drop_next;
	uint16_t count;		/* drops since the dropping state was entered */
	uint16_t count_before;	/* when it was entered */
	bool dropping;
};

/* The judgement when something is or may be amiss. */
bool codel_judge_slow(struct codel *c, uint64_t waited, bool alone, uint64_t target, uint64_t interval, uint64_t now);

/* One packet leaves after `waited` ns. alone: it is the queue's last. => whether it should be dropped or marked instead */
static inline bool codel_judge(struct codel *c, uint64_t waited, bool alone, uint64_t target, uint64_t interval, uint64_t now)
{
	if (__builtin_expect(waited < target && !c->dropping, 1)) {
		c->above_until = 0;
		return false;
	}
	return codel_judge_slow(c, waited, alone, target, interval, now);
}

#endif
