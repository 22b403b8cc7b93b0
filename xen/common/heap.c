/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap behind env_alloc(): pages cut into blocks of one size up to half a page, whole frames above. Nothing is stored beside
 * a block: env_free() is told the size. A block of n frames that is no power of two gives the rest of its buddy back.
 *
 * A page with free blocks is in the list of its size; the chain of them begins in the frame table and goes on in the blocks. A
 * page whose blocks are all free goes back, unless it is the only one in its list: what guests had made of small blocks is
 * memory for domains again when they are gone.
 */
#include <string.h>

#include <env.h>

#include <hv/log.h>
#include <hv/mm.h>

#include "frame.h"

#define MIN_SHIFT 4
#define MAX_SMALL 2048
#define CLASSES 8 /* 16, 32, … 2048 */
#define NO_BLOCK 0xffff

/* A free one. */
struct block {
	uint16_t next; /* number in its page */
};

static uint32_t partial[CLASSES]; /* frame numbers of pages with free blocks; heap_lock, as the pages' notes */
static struct env_lock heap_lock;
static size_t idle; /* bytes of free blocks; heap_lock */

static uint8_t *page_at(uint32_t mfn)
{
	return phys_to_virt((paddr_t)mfn << PAGE_SHIFT);
}

static void link_page(unsigned c, uint8_t *page)
{
	struct heap_page *h = frame_heap_page(page);

	h->prev = 0;
	h->next = partial[c];
	partial[c] = (uint32_t)(((size_t)page - DIRECTMAP_BASE) >> PAGE_SHIFT);
	if (h->next)
		frame_heap_page(page_at(h->next))->prev = partial[c];
}

static void unlink_page(unsigned c, const struct heap_page *h)
{
	if (h->prev)
		frame_heap_page(page_at(h->prev))->next = h->next;
	else
		partial[c] = h->next;
	if (h->next)
		frame_heap_page(page_at(h->next))->prev = h->prev;
}

static unsigned class_of(size_t size)
{
	unsigned c = 0;

	while ((size_t)1 << (c + MIN_SHIFT) < size)
		c++;
	return c;
}

static bool refill(unsigned c)
{
	size_t step = (size_t)1 << (c + MIN_SHIFT), n = PAGE_SIZE / step;
	uint8_t *page = page_alloc_raw(0);

	if (!page)
		return false;
	for (size_t i = 0; i < n; i++)
		((struct block *)(page + i * step))->next = (uint16_t)(i + 1 < n ? i + 1 : NO_BLOCK);
	frame_heap_page(page)->first = 0;
	frame_heap_page(page)->used = 0;
	link_page(c, page);
	idle += PAGE_SIZE;
	return true;
}

static void *alloc_small(size_t size)
{
	unsigned c = class_of(size);
	struct block *b = NULL;

	env_lock(&heap_lock);
	if (partial[c] || refill(c)) {
		uint8_t *page = page_at(partial[c]);
		struct heap_page *h = frame_heap_page(page);

		b = (struct block *)(page + ((size_t)h->first << (c + MIN_SHIFT)));
		h->first = b->next;
		h->used++;
		if (h->first == NO_BLOCK)
			unlink_page(c, h);
		idle -= (size_t)1 << (c + MIN_SHIFT);
	}
	env_unlock(&heap_lock);
	return b;
}

/* => the page, if it is to go back. heap_lock is held. */
static void *free_small(struct block *b, unsigned c)
{
	uint8_t *page = (uint8_t *)((size_t)b & PAGE_MASK);
	struct heap_page *h = frame_heap_page(page);

	b->next = h->first;
	h->first = (uint16_t)(((size_t)b & ~PAGE_MASK) >> (c + MIN_SHIFT));
	h->used--;
	idle += (size_t)1 << (c + MIN_SHIFT);
	if (b->next == NO_BLOCK)
		link_page(c, page);
	if (h->used || (!h->next && !h->prev))
		return NULL;
	unlink_page(c, h);
	idle -= PAGE_SIZE;
	return page;
}

/* Free `count` frames from p on, in the largest aligned pieces. */
static void free_frames_range(uint8_t *p, size_t count)
{
	while (count) {
		size_t at = ((size_t)p - DIRECTMAP_BASE) >> PAGE_SHIFT;
		unsigned order = at ? (unsigned)__builtin_ctzl(at) : 0;
		while ((size_t)1 << order > count)
			order--;
		page_free(p, order);
		p += PAGE_SIZE << order;
		count -= (size_t)1 << order;
	}
}

static void *alloc_frames(size_t size)
{
	size_t count = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	unsigned order = 0;

	while ((size_t)1 << order < count)
		order++;
	uint8_t *p = page_alloc_raw(order);
	if (p)
		free_frames_range(p + (count << PAGE_SHIFT), ((size_t)1 << order) - count);
	return p;
}

void *heap_alloc_raw(size_t size)
{
	return size <= MAX_SMALL ? alloc_small(size) : alloc_frames(size);
}

void *env_alloc(size_t size)
{
	void *p = heap_alloc_raw(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void env_free(void *p, size_t size)
{
	if (!p)
		return;
	if (size > MAX_SMALL) {
		free_frames_range(p, (size + PAGE_SIZE - 1) >> PAGE_SHIFT);
		return;
	}
	unsigned c = class_of(size);
	frame_canary(p, (size_t)1 << (c + MIN_SHIFT));
	env_lock(&heap_lock);
	void *page = free_small(p, c);
	env_unlock(&heap_lock);
	page_free(page, 0);
}

size_t heap_idle_bytes(void)
{
	env_lock(&heap_lock);
	size_t bytes = idle;
	env_unlock(&heap_lock);
	return bytes;
}
