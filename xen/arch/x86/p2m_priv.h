/* SPDX-License-Identifier: BSD-2-Clause */
/* Between p2m.c (the entries) and p2m_look.c (what they lead to). The format is explained in p2m.c. */
#ifndef ARCH_X86_P2M_PRIV_H
#define ARCH_X86_P2M_PRIV_H

#include <hv/p2m.h>

#include "paging.h"
#include "x86.h"

#define NPT_LAZY (1UL << 9)
#define NPT_IMAGE (1UL << 10)
#define NPT_TYPE_SHIFT 52
#define NPT_TYPE(e) ((enum p2m_type)((e) >> NPT_TYPE_SHIFT & 7))
#define NPT_TABLE (PTE_P | PTE_W | PTE_U)
#define GFN_LIMIT (1UL << 36) /* 48 bits of guest physical address */
#define SUPER_FRAMES (SUPER_SIZE / PAGE_SIZE)
#define LAZY_READY(e) ((e) >> PAGE_SHIFT & (SUPER_FRAMES - 1))
#define LAZY_STEP 32 /* frames filled between two looks at interrupts: 128 KiB */

/* The first frame of an entry. */
static inline mfn_t npt_frame(uint64_t e, unsigned level)
{
	return (e & PTE_ADDR & ~(level ? SUPER_SIZE - 1 : 0)) >> PAGE_SHIFT;
}

/*
 * The entry for gfn, at level 1 if a 2 MiB entry stands there, else at level 0 (or `to_level`). NULL: no table there (and `make`
 * not set).
 */
uint64_t *p2m_find(struct p2m *p2m, uint64_t gfn, unsigned to_level, bool make, unsigned *level);
/* What the domain's first RAM holds at [start, start + size): pieces of the image, zeros between them. */
void p2m_contents(const struct p2m *p2m, uint64_t start, uint8_t *va, uint64_t size);
/* Give at most `max` more frames of a lazy 2 MiB entry their first contents; present when all have them. */
void p2m_materialise(struct p2m *p2m, uint64_t *e, uint64_t gfn, uint64_t max);

#endif
