/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calendar: earliest deadline first among those that have started, without sorting.
 *
 * A node stands for a queue that is owed one packet after another at a fixed rate. Its packet j starts at S_j and costs
 * c_j = bytes * price units, which moves the start: S_{j+1} = S_j + c_j. With C the cost of its largest packet, the node
 * belongs to the group of slot width w, the power of two with C <= w < 2C. It is filed under the slot of its start,
 *
 *	r_j = S_j rounded down to a multiple of w,	and its deadline is	D_j = r_j + 2w.
 *
 * All nodes of a slot share r and D. In a group the first slot in use has the earliest deadline; so the choice is among at
 * most 32 groups (commonly one to four are in use), whatever the number of nodes. This is the idea of group-based
 * fair queueing (QFQ: Checconi, Rizzo, Valente 2013) with two differences: the choice among groups is by exact deadline,
 * scanning the bit set of used groups, so that a node may leave from the middle at any time in O(1); and a packet's length is
 * needed only when it has gone. The choice is kept, and made anew when the clock comes to the start of a group that had not started,
 * when a group's first slot changes, and behind the deadline; so with many nodes most picks only read it.
 *
 * THEOREM. Let time t pass at the pace of a server that takes 1/R units for a byte, let P_i be the price of node i with
 * sum of 1/P_i <= R, let every start be no earlier than the time at which the node was inserted or last charged to
 * (S = max(S, t) on insertion), and let the server always serve the calendar's pick if there is one, never breaking
 * off a packet. Then packet j of every node is picked by D_j + Lmax/R, Lmax being the longest packet of any node.
 *
 * Proof. Regard packet j of node i as a job: released at r_j, of length l_j, due at D_j. r_j <= S_j, and
 * D_j = r_j + 2w > S_j + w >= S_j + C >= S_j + c_j = S_{j+1} =: F_j. The picks are those of earliest-deadline-first without
 * preemption. Jobs of node i that lie wholly in [a, b] (released at or after a, due by b) have a <= r_j <= S_j and
 * F_j <= D_j <= b; the intervals [S_j, F_j] do not overlap and have length l_j * P_i, so the bytes of these jobs are at most
 * (b - a) / P_i, and of all nodes' at most (b - a) * R. Suppose some job is not picked by D + Lmax/R. Let a be the
 * last time before D at which the server was idle or took a packet with a deadline after D (or the beginning). That
 * packet, if any, ends by a + Lmax/R; at a no job due by D was waiting. From then to D + Lmax/R the server took only jobs
 * released at or after a and due by D, and was never idle: more than (D - a) * R bytes of them, as one is left over. This
 * contradicts the bound. QED
 *
 * COROLLARY. At any time t a queued node has S >= t - 2w - Lmax/R and S <= t + w. So the occupied slots of a group span
 * at most 4 + (Lmax/R)/w; as w >= Lmin_i * P_i >= Lmin_i / R, 64 slots suffice while no node's largest packet is under
 * 1/48 of Lmax (netsched_class_set() sees to that). A start outside that range (a link that stood still) is filed under
 * the outermost slot: order suffers, the structure does not.
 */
#include <sched/net/calendar.h>

#include <assert.h>

#include <env.h>

static_assert(CALENDAR_GROUPS == 32 && CALENDAR_SLOTS == 64, "the bit sets are 32 and 64 bits wide");

void calendar_init(struct calendar *cal, unsigned int base)
{
	cal->base = base;
	cal->front = &cal->nobody;
	for (unsigned int i = 0; i < CALENDAR_GROUPS * CALENDAR_SLOTS; i++)
		cal->slot[i].next = cal->slot[i].prev = &cal->slot[i];
}

void calendar_price(const struct calendar *cal, struct calendar_node *n, uint64_t price, uint32_t most)
{
	uint64_t longest = (price * most) >> CALENDAR_FRAC;
	unsigned int width = longest > 1 ? 64 - (unsigned int)__builtin_clzll(longest - 1) : 0;

	ENV_ASSERT(!n->queued);
	n->price = price;
	n->group = 0;
	if (width > cal->base)
		n->group = (uint8_t)(width - cal->base < CALENDAR_GROUPS ? width - cal->base : CALENDAR_GROUPS - 1);
	n->shift = (uint8_t)(cal->base + n->group);
}

/* The bits of `full` as seen from slot number `first`: bit 0 is that slot. */
static inline uint64_t ahead(uint64_t full, uint64_t first)
{
	unsigned int n = first % CALENDAR_SLOTS;
	return full >> n | full << (-n % CALENDAR_SLOTS);
}

/* The group's first slot is this one now. A start that moved back may be the next one due. */
static void set_first(struct calendar *cal, const struct calendar_node *n, uint64_t number)
{
	cal->first[n->group] = number;
	cal->start[n->group] = number << n->shift;
	cal->holds = 0;
}

/* Where slot `number` can be filed, given what is in use; `first` moves back if it must. */
static uint64_t admit_slot(struct calendar *cal, const struct calendar_node *n, uint64_t number)
{
	uint64_t first = cal->first[n->group];
	int64_t offset = (int64_t)((number - first) << n->shift) >> n->shift;

	if (offset >= (int64_t)CALENDAR_SLOTS)
		return first + CALENDAR_SLOTS - 1;
	if (offset >= 0)
		return first + (uint64_t)offset;
	int64_t last = 63 - __builtin_clzll(ahead(cal->full[n->group], first));
	if (offset < last - 63)
		offset = last - 63;
	set_first(cal, n, first + (uint64_t)offset);
	return first + (uint64_t)offset;
}

void calendar_insert(struct calendar *cal, struct calendar_node *n)
{
	uint64_t number = n->start >> n->shift;

	if (!(cal->used & 1u << n->group)) {
		cal->used |= 1u << n->group;
		set_first(cal, n, number);
	} else if (number != cal->first[n->group]) {
		number = admit_slot(cal, n, number);
	}
	n->queued = true;
	calendar_file(cal, n, number);
}

void calendar_remove(struct calendar *cal, struct calendar_node *n)
{
	struct calendar_link *next = n->link.next, *prev = n->link.prev;
	uint64_t *full = &cal->full[n->group], first = cal->first[n->group];

	n->queued = false;
	next->prev = prev;
	prev->next = next;
	if (next != prev)
		return;
	*full &= ~(1ull << n->slot);
	if (!*full) {
		cal->used &= ~(1u << n->group);
		cal->holds = 0;
	} else if (n->slot == first % CALENDAR_SLOTS) {
		set_first(cal, n, first + (uint64_t)__builtin_ctzll(ahead(*full, first)));
	}
}

void calendar_refile(struct calendar *cal, struct calendar_node *n)
{
	calendar_remove(cal, n);
	calendar_insert(cal, n);
}

void calendar_choose(struct calendar *cal, uint64_t t)
{
	unsigned int best = CALENDAR_GROUPS;
	uint64_t deadline = 0, holds = INT64_MAX;

	for (uint32_t left = cal->used; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(left);
		if (calendar_before(t, cal->start[i])) {
			holds = cal->start[i] - t < holds ? cal->start[i] - t : holds;
			continue;
		}
		uint64_t d = cal->start[i] + (2ull << (cal->base + i));
		if (best == CALENDAR_GROUPS || calendar_before(d, deadline)) {
			best = i;
			deadline = d;
		}
	}
	cal->front = &cal->nobody;
	if (best < CALENDAR_GROUPS) {
		uint64_t left = calendar_before(deadline, t) ? 0 : deadline - t + 1;
		holds = left < holds ? left : holds;
		cal->front = calendar_slot(cal, best, cal->first[best]);
	}
	cal->chosen = t;
	cal->holds = holds;
	cal->deadline = deadline;
}

uint64_t calendar_first(const struct calendar *cal)
{
	unsigned int i = (unsigned int)__builtin_ctz(cal->used);
	uint64_t first = cal->start[i];

	for (uint32_t left = cal->used & (cal->used - 1); left; left &= left - 1) {
		i = (unsigned int)__builtin_ctz(left);
		if (calendar_before(cal->start[i], first))
			first = cal->start[i];
	}
	return first;
}
