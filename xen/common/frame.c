/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame allocator: buddies of 4 KiB to 1 GiB. One struct frame a machine frame tells whether it heads a free block,
 * links it to the others of its size, and counts references of guest frames, which are freed one by one when nobody uses
 * them any more. Free memory itself is not touched: under an emulator its first touch makes the host find memory for it,
 * 16 ms for each 2 MiB on a host that is itself virtual, and guests are given much that they do not use at once.
 *
 * Lock: frame_lock guards lists and the free flags. Reference counts are atomic.
 */
#include "frame.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include <hv/boot.h>
#include <hv/log.h>
#include <hv/p2m.h>

#define MAX_ORDER 18
#define LOW_RESERVED 0x100000UL

/* Frame numbers of neighbours in a list: 0, which is never free, ends it. */
struct frame {
	union {
		struct {
			_Atomic uint32_t refs;
			uint32_t next, prev;
		};
		struct heap_page heap; /* while the heap has it */
	};
	uint8_t free;  /* heads a free block */
	uint8_t order; /* of that block */
	uint16_t pad;
};
static_assert(sizeof(struct frame) == 16, "16 bytes a frame");

static struct frame *frames;
static uint64_t nr_frames;
static uint32_t lists[MAX_ORDER + 1];
static struct env_lock frame_lock;
static uint64_t total_frames, free_frames;

static struct boot_region early; /* the region early_alloc() takes from */
static paddr_t early_next;
static struct boot_region reserved[BOOT_MODULES_MAX + 4];
static uint32_t nr_reserved;

static bool canary;

void frame_canary(void *p, size_t bytes)
{
	uint64_t *word = p;

	for (size_t i = 0; canary && i < bytes / sizeof(*word); i++)
		word[i] = FRAME_CANARY;
}

static mfn_t mfn_of(const void *p)
{
	return ((uint64_t)p - DIRECTMAP_BASE) >> PAGE_SHIFT;
}

static void list_add(mfn_t mfn, unsigned order)
{
	struct frame *f = &frames[mfn];

	f->prev = 0;
	f->next = lists[order];
	if (f->next)
		frames[f->next].prev = (uint32_t)mfn;
	lists[order] = (uint32_t)mfn;
	f->free = 1;
	f->order = (uint8_t)order;
}

static void list_del(mfn_t mfn)
{
	struct frame *f = &frames[mfn];

	if (f->prev)
		frames[f->prev].next = f->next;
	else
		lists[f->order] = f->next;
	if (f->next)
		frames[f->next].prev = f->prev;
	f->free = 0;
}

static void free_locked(mfn_t mfn, unsigned order)
{
	BUG_ON(frames[mfn].free);
	free_frames += 1UL << order;
	for (; order < MAX_ORDER; order++) {
		mfn_t buddy = mfn ^ (1UL << order);
		if (buddy >= nr_frames || !frames[buddy].free || frames[buddy].order != order)
			break;
		list_del(buddy);
		mfn &= ~(1UL << order);
	}
	list_add(mfn, order);
}

static mfn_t alloc_locked(unsigned order)
{
	unsigned o = order;

	while (o <= MAX_ORDER && !lists[o])
		o++;
	if (o > MAX_ORDER)
		return 0;
	mfn_t mfn = lists[o];
	list_del(mfn);
	while (o-- > order)
		list_add(mfn + (1UL << o), o);
	free_frames -= 1UL << order;
	return mfn;
}

void *page_alloc_raw(unsigned order)
{
	if (order > MAX_ORDER)
		return NULL;
	env_lock(&frame_lock);
	mfn_t mfn = alloc_locked(order);
	env_unlock(&frame_lock);
	return mfn ? phys_to_virt(mfn << PAGE_SHIFT) : NULL;
}

void *page_alloc(unsigned order)
{
	void *p = page_alloc_raw(order);

	if (p)
		memset(p, 0, PAGE_SIZE << order);
	return p;
}

void page_free(void *p, unsigned order)
{
	if (!p)
		return;
	frame_canary(p, PAGE_SIZE << order);
	env_lock(&frame_lock);
	free_locked(mfn_of(p), order);
	env_unlock(&frame_lock);
}

struct heap_page *frame_heap_page(const void *page)
{
	return &frames[mfn_of(page)].heap;
}

paddr_t frame_alloc_guest(unsigned order)
{
	void *p = page_alloc_raw(order);

	if (!p)
		return INVALID_PADDR;
	mfn_t mfn = mfn_of(p);
	for (uint64_t i = 0; i < 1UL << order; i++)
		atomic_store_explicit(&frames[mfn + i].refs, 1, memory_order_relaxed);
	return mfn << PAGE_SHIFT;
}

paddr_t frame_alloc_zeroed(void)
{
	paddr_t pa = frame_alloc_guest(0);

	if (pa != INVALID_PADDR)
		memset(phys_to_virt(pa), 0, PAGE_SIZE);
	return pa;
}

void frame_get(mfn_t mfn)
{
	atomic_fetch_add_explicit(&frames[mfn].refs, 1, memory_order_relaxed);
}

void frame_put(mfn_t mfn)
{
	uint32_t before = atomic_fetch_sub_explicit(&frames[mfn].refs, 1, memory_order_acq_rel);

	BUG_ON(before == 0);
	if (before != 1)
		return;
	frame_canary(phys_to_virt(mfn << PAGE_SHIFT), PAGE_SIZE);
	env_lock(&frame_lock);
	free_locked(mfn, 0);
	env_unlock(&frame_lock);
}

uint64_t mm_total_bytes(void)
{
	return total_frames << PAGE_SHIFT;
}

uint64_t mm_free_bytes(void)
{
	return free_frames << PAGE_SHIFT;
}

/* --- start-up --------------------------------------------------------------------------------------------------------- */

static void reserve(paddr_t start, paddr_t end)
{
	uint32_t i;

	start &= PAGE_MASK;
	end = (end + PAGE_SIZE - 1) & PAGE_MASK;
	for (i = nr_reserved; i && reserved[i - 1].start > start; i--)
		reserved[i] = reserved[i - 1];
	reserved[i] = (struct boot_region){ start, end };
	nr_reserved++;
}

/* Call fn for each part of the RAM that nothing is reserved in. */
static void for_each_free(void (*fn)(paddr_t start, paddr_t end))
{
	for (uint32_t r = 0; r < boot_info.nr_ram; r++) {
		paddr_t at = boot_info.ram[r].start, end = boot_info.ram[r].end;

		for (uint32_t i = 0; i < nr_reserved && at < end; i++) {
			if (reserved[i].end <= at || reserved[i].start >= end)
				continue;
			if (reserved[i].start > at)
				fn(at, reserved[i].start);
			at = reserved[i].end;
		}
		if (at < end)
			fn(at, end);
	}
}

static void pick_early(paddr_t start, paddr_t end)
{
	if (end > 0x100000000UL)
		end = 0x100000000UL;
	if (start < end && end - start > early.end - early.start)
		early = (struct boot_region){ start, end };
}

static void give(paddr_t start, paddr_t end)
{
	mfn_t mfn = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

	total_frames += last - mfn;
	frame_canary(phys_to_virt(start), end - start);
	while (mfn < last) {
		unsigned order = mfn ? (unsigned)__builtin_ctzl(mfn) : MAX_ORDER;
		if (order > MAX_ORDER)
			order = MAX_ORDER;
		while ((1UL << order) > last - mfn)
			order--;
		free_locked(mfn, order);
		mfn += 1UL << order;
	}
}

paddr_t frame_max_paddr(void)
{
	return boot_info.ram[boot_info.nr_ram - 1].end;
}

void *early_alloc(size_t bytes)
{
	paddr_t at = early_next;

	bytes = (bytes + PAGE_SIZE - 1) & PAGE_MASK;
	if (early.end - at < bytes)
		panic("too little memory: %lu KiB are needed to manage %lu MiB", bytes >> 10, frame_max_paddr() >> 20);
	early_next += bytes;
	memset(phys_to_virt(at), 0, bytes);
	return phys_to_virt(at);
}

void frame_init(paddr_t image_start_pa, paddr_t image_end_pa)
{
	reserve(0, LOW_RESERVED);
	reserve(image_start_pa, image_end_pa);
	reserve(boot_info.info_start, boot_info.info_end);
	for (uint32_t i = 0; i < boot_info.nr_modules; i++)
		if (boot_info.modules[i].size)
			reserve(boot_info.modules[i].start, boot_info.modules[i].start + boot_info.modules[i].size);
	for_each_free(pick_early);
	early_next = early.start;
	nr_frames = frame_max_paddr() >> PAGE_SHIFT;
	BUG_ON(nr_frames > UINT32_MAX);
	frames = early_alloc(nr_frames * sizeof(struct frame));
}

void frame_init_finish(void)
{
	char value[4];

	canary = boot_option("canary", value, sizeof(value));
	if (canary)
		log_warn("memory: what is free is filled with a pattern, for tests; this takes its time");
	reserve(early.start, early_next);
	early.end = early_next;
	for_each_free(give);
}
