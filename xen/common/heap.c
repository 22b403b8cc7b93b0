/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap behind env_alloc(): free lists for sizes up to half a page, whole frames above. Nothing is stored beside a
 * block: env_free() is told the size. A block of n frames that is no power of two gives the rest of its buddy back.
 */
#include <string.h>

#include <env.h>

#include <hv/log.h>
#include <hv/mm.h>

#include "frame.h"

#define MIN_SHIFT 4
#define MAX_SMALL 2048
#define CLASSES 8 /* 16, 32, … 2048 */

struct block {
	struct block *next;
};

static struct block *classes[CLASSES];
static struct env_lock heap_lock;
static size_t idle; /* bytes in the lists; heap_lock */

static unsigned class_of(size_t size)
{
	unsigned c = 0;

	while ((size_t)1 << (c + MIN_SHIFT) < size)
		c++;
	return c;
}

static bool refill(unsigned c)
{
	size_t step = (size_t)1 << (c + MIN_SHIFT);
	uint8_t *page = page_alloc_raw(0);

	if (!page)
		return false;
	for (size_t at = 0; at < PAGE_SIZE; at += step) {
		struct block *b = (struct block *)(page + at);
		b->next = classes[c];
		classes[c] = b;
	}
	idle += PAGE_SIZE;
	return true;
}

static void *alloc_small(size_t size)
{
	unsigned c = class_of(size);

	env_lock(&heap_lock);
	struct block *b = classes[c] || refill(c) ? classes[c] : NULL;
	if (b) {
		classes[c] = b->next;
		idle -= (size_t)1 << (c + MIN_SHIFT);
	}
	env_unlock(&heap_lock);
	return b;
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
	struct block *b = p;
	unsigned c = class_of(size);
	frame_canary(p, (size_t)1 << (c + MIN_SHIFT));
	env_lock(&heap_lock);
	b->next = classes[c];
	classes[c] = b;
	idle += (size_t)1 << (c + MIN_SHIFT);
	env_unlock(&heap_lock);
}

size_t heap_idle_bytes(void)
{
	env_lock(&heap_lock);
	size_t bytes = idle;
	env_unlock(&heap_lock);
	return bytes;
}
