/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine memory: frames, the direct map, mappings of device registers.
 */
#ifndef HV_MM_H
#define HV_MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))
#define SUPER_SHIFT 21
#define SUPER_SIZE (1UL << SUPER_SHIFT)
#define SUPER_ORDER (SUPER_SHIFT - PAGE_SHIFT)

typedef uint64_t paddr_t; /* a machine physical address */
typedef uint64_t mfn_t;   /* machine frame number */
#define INVALID_PADDR (~(paddr_t)0)

#define DIRECTMAP_BASE 0xffff800000000000UL
#define IMAGE_BASE     0xffffffff80000000UL

/* All RAM is in the direct map, writable and not executable. */
static inline void *phys_to_virt(paddr_t p)
{
	return (void *)(DIRECTMAP_BASE + p);
}

/* For direct-map and image addresses only. */
paddr_t virt_to_phys(const void *v);

/* 2^order contiguous frames, aligned to their size; NULL when there are none. page_alloc() zeroes, the raw form does not. */
void *page_alloc(unsigned order);
void *page_alloc_raw(unsigned order);
void page_free(void *p, unsigned order);

uint64_t mm_total_bytes(void);
uint64_t mm_free_bytes(void);
/* => bytes of the heap's pages for small blocks that it has not given out. */
size_t heap_idle_bytes(void);
/* As env_alloc(), not cleared: for what is so large that its owner clears it in steps. */
void *heap_alloc_raw(size_t size);

/* Map device registers uncached; the mapping is never taken back. NULL when the window is full. */
void *mmio_map(paddr_t start, size_t size);

#endif
