/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands in for <hv/mm.h>: the direct map is an arena of the test. Forced in before every file. */
#ifndef HV_MM_H
#define HV_MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <env.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))
#define DIRECTMAP_BASE ((uint64_t)(uintptr_t)arena)

typedef uint64_t paddr_t;
typedef uint64_t mfn_t;
#define INVALID_PADDR (~(paddr_t)0)

extern uint8_t *arena;

static inline void *phys_to_virt(paddr_t p)
{
	return arena + p;
}

void *page_alloc(unsigned order);
void *page_alloc_raw(unsigned order);
void page_free(void *p, unsigned order);
uint64_t mm_total_bytes(void);
uint64_t mm_free_bytes(void);
size_t heap_idle_bytes(void);
void *heap_alloc_raw(size_t size);

#endif
