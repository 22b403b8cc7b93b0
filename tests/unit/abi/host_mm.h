/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands in for <hv/mm.h> on a host: a physical address is a pointer. Forced in before every file of these tests. */
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
#define DIRECTMAP_BASE 0xffff800000000000UL

typedef uint64_t paddr_t;
typedef uint64_t mfn_t;
#define INVALID_PADDR (~(paddr_t)0)

static inline void *phys_to_virt(paddr_t p)
{
	return (void *)(uintptr_t)p;
}

static inline paddr_t virt_to_phys(const void *v)
{
	return (paddr_t)(uintptr_t)v;
}

#endif
