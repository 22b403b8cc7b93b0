/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own page tables. */
#ifndef ARCH_X86_PAGING_H
#define ARCH_X86_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include <hv/mm.h>

#define PTE_P   (1UL << 0)
#define PTE_W   (1UL << 1)
#define PTE_U   (1UL << 2)
#define PTE_PWT (1UL << 3)
#define PTE_PCD (1UL << 4)
#define PTE_A   (1UL << 5)
#define PTE_D   (1UL << 6)
#define PTE_PS  (1UL << 7)
#define PTE_NX  (1UL << 63)
#define PTE_ADDR 0x000ffffffffff000UL

#define STACKS_BASE 0xffffa00000000000UL
#define STACK_SIZE  (8 * PAGE_SIZE)
#define STACKS_A_CPU 4 /* its own, and three for exceptions */
#define MMIO_BASE   0xffffb00000000000UL
#define MMIO_SIZE   (1UL << 30)

/* Build W^X tables and switch to them; => frame_init() has run. */
void paging_init(void);
/* Paging features in CR4, on each other CPU. */
void paging_init_cpu(void);
/* Map one of the CPU's stacks, STACK_SIZE at most, with an unmapped guard page below it; returns its top. */
uint8_t *paging_map_stack(uint32_t cpu, unsigned which, uint64_t size);
/* One identity-mapped executable page for the start of other CPUs; off takes it away. */
void paging_identity(paddr_t page, bool on);
paddr_t paging_root(void);

#endif
