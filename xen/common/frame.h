/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame allocator's start-up, and early memory from before it stands. */
#ifndef COMMON_FRAME_H
#define COMMON_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include <hv/mm.h>

/* Choose early memory and set up the frame table; => boot_info is filled, the first 4 GiB are mapped. */
void frame_init(paddr_t image_start_pa, paddr_t image_end_pa);
/* Give all free RAM to the allocator; => all RAM is in the direct map. */
void frame_init_finish(void);
/* Zeroed, page aligned, never returned; only between frame_init() and frame_init_finish(). */
void *early_alloc(size_t bytes);
paddr_t frame_max_paddr(void);

/* 2^order frames for a guest, not cleared, each with one reference (hv/p2m.h frame_put() frees them one by one). */
paddr_t frame_alloc_guest(unsigned order);
/* One of those, cleared. */
paddr_t frame_alloc_zeroed(void);

/* What the heap notes of a page that it cuts into blocks; it has one from page_alloc_raw(0) to page_free(). */
struct heap_page {
	uint32_t next, prev; /* frame numbers, 0: none */
	uint16_t first;      /* free block */
	uint16_t used;       /* blocks given out */
};
struct heap_page *frame_heap_page(const void *page);

/*
 * With the boot option `canary`, memory that nobody owns holds this, and tests look for it where it must never come: with
 * guests. => nothing is done without the option.
 */
#define FRAME_CANARY 0xc5a1e57acec0ffeeUL
void frame_canary(void *p, size_t bytes);

#endif
