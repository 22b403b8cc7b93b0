/* SPDX-License-Identifier: BSD-2-Clause */
/* The grant table, shared by grant.c (pinning, life), grant_map.c and grant_copy.c (the batched operations). */
#ifndef COMMON_GRANT_PRIV_H
#define COMMON_GRANT_PRIV_H

#include <hv/grant.h>
#include <hv/subsys.h>

#include "abi.h"

#include <xen/grant_table.h>

#define GRANT_FRAMES_MAX 64
#define GRANT_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define MAPTRACK_CHUNK 32
#define MAPTRACK_CHUNKS 32 /* so at most 1024 foreign frames are mapped by one domain */

/* What is pinned of one entry, in our memory. => the owner's grant_lock */
struct grant_active {
	uint8_t *page;    /* frame of the first pin; later pins use it whatever the entry says by then. Each pin's user has a reference */
	uint16_t domid;   /* who it is lent to */
	uint16_t readers;
	uint16_t writers;
};

/* A foreign frame in this domain's map. => this domain's grant_lock */
struct grant_map {
	struct domain *owner; /* referenced; NULL: handle not in use */
	uint64_t gfn;
	uint32_t ref;
	bool write;
	bool busy;            /* an unmap has taken it and is at work without the lock */
};

struct grant_table {
	uint32_t nr_frames;
	uint32_t nr_maps;
	struct grant_entry_v1 *shared[GRANT_FRAMES_MAX];
	struct grant_active *active[GRANT_FRAMES_MAX];
	uint64_t gfn[GRANT_FRAMES_MAX]; /* where the guest mapped each frame */
	struct grant_map *maps[MAPTRACK_CHUNKS];
};

/*
 * Pin entry `ref` of d for domain `domid`. GNTST_okay and the page, with one reference for the caller; or the status
 * that the guest gets. => takes d->grant_lock, and p2m.lock inside.
 */
int grant_pin(struct domain *d, uint32_t ref, uint16_t domid, bool write, uint8_t **page);
/* => the caller still has a reference on the page, and drops it afterwards. */
void grant_unpin(struct domain *d, uint32_t ref, bool write);

/* One batch pass each: *done items were completed; 0 or -EFAULT. */
int grant_map_batch(struct vcpu *v, gva_t ops, uint32_t n, uint32_t *done);
int grant_unmap_batch(struct vcpu *v, gva_t ops, uint32_t n, uint32_t *done);
int grant_copy_batch(struct vcpu *v, gva_t ops, uint32_t n, uint32_t *done);
/* Forget every foreign map: frames stay until the guest's map goes. */
void grant_map_destroy(struct domain *d, struct grant_table *t);

#endif
