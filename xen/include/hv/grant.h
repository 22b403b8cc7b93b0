/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant tables, version 1: how a guest lends a frame to the backends in the hypervisor or to another domain.
 * The shared entries are guest-written: each is read once, pinned with a compare-and-swap, and released the same way.
 */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include <hv/mm.h>

struct domain;

/* A frame borrowed from a guest by a backend: valid until grant_release(). */
struct grant_use {
	uint8_t *va;     /* direct map address of the frame (4096 bytes; the guest may change it at any time) */
	paddr_t pa;      /* for DMA */
	uint32_t ref;
	bool write;
};

/*
 * Borrow frame `ref` of d as domain 0 would (GNTTABOP_map_grant_ref). => d is alive (the caller holds a reference).
 * 0, or -EINVAL: no such entry, not granted to domain 0; -EACCES: read-only and write asked; -EFAULT: no RAM there.
 */
int grant_borrow(struct domain *d, uint32_t ref, bool write, struct grant_use *out);
void grant_release(struct domain *d, struct grant_use *use);
/* Copy n bytes to (write) or from offset `off` of frame `ref`, all within it: a borrow, a copy and a release for less. Same errors. */
int grant_copy(struct domain *d, uint32_t ref, uint32_t off, void *buf, uint32_t n, bool write);

#endif
