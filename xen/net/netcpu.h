/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each CPU keeps for the network layer; its own alone, but for epoch, which all read.
 */
#ifndef NET_NETCPU_H
#define NET_NETCPU_H

#include <hv/cpu.h>
#include <hv/timer.h>
#include <netif.h>

#define TOUCHED_MAX 32

struct netcpu {
	struct netif *list, **tail;         /* vifs to poll */
	struct netif *touched[TOUCHED_MAX]; /* vifs that are owed events */
	unsigned int nr_touched;
	struct netif *watched;              /* vifs whose guests are not asked for events */
	struct timer watch_timer;           /* armed, or about to fire, while the CPU says net_watching */
	unsigned int depth;                 /* of enter(): callbacks of the router come inside softirqs and outside */
	_Atomic uint64_t epoch;
} __attribute__((aligned(ENV_CACHE_LINE)));

extern struct netcpu netcpus[MAX_CPUS];

static inline struct netcpu *netcpu(void)
{
	return &netcpus[this_cpu()->id];
}

/* --- poll.c --- */
void net_watch_init(void);

/* --- path.c --- */
/* => the router, with its callbacks. NULL: no memory. */
struct vfr *net_path_init(const struct vfr_params *params);

#endif
