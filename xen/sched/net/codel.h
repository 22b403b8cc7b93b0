/* SPDX-License-Identifier: BSD-2-Clause */
/* CoDel's state and control law (RFC 8289), for one flow queue. */
#ifndef SCHED_NET_CODEL_H
#define SCHED_NET_CODEL_H

#include <stdbool.h>
#include <stdint.h>

struct codel {
	uint64_t above_until;	/* the delay has been above target; when that has lasted an interval. 0: it is not above */
	uint64_t drop_next;
	uint32_t count;		/* drops since the dropping state was entered */
	uint32_t count_before;	/* when it was entered */
	bool dropping;
};

/* One packet leaves after `waited` ns. alone: it is the queue's last. => whether it should be dropped or marked instead */
bool codel_judge(struct codel *c, uint64_t waited, bool alone, uint64_t target, uint64_t interval, uint64_t now);

#endif
