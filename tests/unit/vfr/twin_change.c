/* SPDX-License-Identifier: BSD-2-Clause */
/* The naive twin changes hands: ports are claimed, freed and held down, ports of the router and whole domains go. */
#include "twin_priv.h"

#define HOLD_DOWN 1200	/* tenths: 120 s */

bool twin_in_set(const struct twin_set *set, unsigned int port)
{
	if (!set->map)
		return port >= set->first && port <= set->last;
	/* RFC 7597 appendix B: a bits that are not all zero, k bits that are the set's own, the rest is free. */
	return (set->a == 0 || port >> (16 - set->a) != 0) && (port >> (16 - set->a - set->k)) % (1u << set->k) == set->psid;
}

static bool in_the_way(const struct twin *t, int s, int kind, unsigned int port, int d)
{
	const struct twin_free *was = &t->freed[s][kind][port];

	if (t->owner[s][kind][port])
		return t->owner[s][kind][port] != d;
	return was->by && was->by != d && t->now - was->when < HOLD_DOWN;
}

bool twin_claim(struct twin *t, int s, unsigned int kinds, const struct twin_set *set, int d)
{
	/* Port 0 is an echo's identifier only. */
	if (twin_in_set(set, 0) && (kinds & ~4u))
		return false;
	for (unsigned int port = 0; port < 65536; port++)
		for (int k = 0; k < 4; k++)
			if (kinds >> k & 1 && twin_in_set(set, port) && in_the_way(t, s, k, port, d))
				return false;
	for (unsigned int port = 0; port < 65536; port++)
		for (int k = 0; k < 4; k++)
			if (kinds >> k & 1 && twin_in_set(set, port))
				t->owner[s][k][port] = (uint8_t)d;
	return true;
}

static void set_free(struct twin *t, int s, int kind, unsigned int port)
{
	t->freed[s][kind][port].by = t->owner[s][kind][port];
	t->freed[s][kind][port].when = (uint32_t)t->now;
	t->owner[s][kind][port] = 0;
}

bool twin_give_up(struct twin *t, int s, unsigned int kinds, const struct twin_set *set, int d)
{
	if (twin_in_set(set, 0) && (kinds & ~4u))
		return false;
	for (unsigned int port = 0; port < 65536; port++)
		for (int k = 0; k < 4; k++)
			if (kinds >> k & 1 && twin_in_set(set, port) && t->owner[s][k][port] != d)
				return false;
	for (unsigned int port = 0; port < 65536; port++)
		for (int k = 0; k < 4; k++)
			if (kinds >> k & 1 && twin_in_set(set, port))
				set_free(t, s, k, port);
	return true;
}

void twin_settle(struct twin *t, int s, unsigned int kinds, const struct twin_set *set)
{
	for (unsigned int port = 0; port < 65536; port++)
		for (int k = 0; k < 4; k++)
			if (kinds >> k & 1 && twin_in_set(set, port))
				t->freed[s][k][port].by = 0;
}

void twin_detach(struct twin *t, int d, struct twin_answer *a)
{
	t->attached[d] = false;
	twin_drop_datagrams(t, d, true, a);
	twin_drop_waiting(t, d, a);
}

void twin_remove(struct twin *t, int d, struct twin_answer *a)
{
	twin_detach(t, d, a);
	twin_drop_datagrams(t, d, false, a);
	for (int s = 0; s < TWIN_SHARED; s++) {
		for (unsigned int port = 0; port < 65536; port++)
			for (int k = 0; k < 4; k++)
				if (t->owner[s][k][port] == d)
					set_free(t, s, k, port);
		for (int p = 0; p < 256; p++)
			t->other[s][p] = t->other[s][p] == d ? 0 : t->other[s][p];
	}
	for (unsigned int i = 0; i < t->flows; i++)
		if (t->flow[i].dom[0] == d || t->flow[i].dom[1] == d)
			memset(&t->flow[i], 0, sizeof(t->flow[i]));
	for (unsigned int i = 0; i < t->maps; i++)
		if (t->map[i].dom == d)
			t->map[i].until = 0;
	t->dedicated[d] = t->internal[d] = t->nat[d] = 0;
	t->net6[d][0] = t->host6[d][0] = 0;
	t->rules[d] = 0;
	t->ids[d] = 0;
	t->told[d] = t->opened[d] = (struct twin_bucket){ 0 };
	t->gone[d] = true;
}
