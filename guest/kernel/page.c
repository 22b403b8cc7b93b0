/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages: a mark that moves up through the RAM region that holds the image, and a list of those given back. Modules that the
 * builder loaded are stepped over. Pages are cleared when handed out: the fresh ones may hold what the builder left there.
 */
#include "page.h"
#include <string.h>
#include "hypercall.h"
#include "kernel.h"

struct free_page {
	struct free_page *next;
};

extern char _end[];
static uint64_t mark, top;
static uint64_t hole_start, hole_end;
static struct free_page *free_list;
static unsigned int recycled;

/* The entries of both kinds of map have the same leading fields in the same sense. */
static void ask_memmap(void)
{
	static struct {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) e820[16];
	struct xen_memory_map map = { .nr_entries = ARRAY_LEN(e820) };
	unsigned int i;

	set_xen_guest_handle(map.buffer, (void *)e820);
	if (hv_memory(XENMEM_memory_map, &map))
		panic("no memory map");
	boot_memmap_entries = map.nr_entries;
	for (i = 0; i < map.nr_entries; i++) {
		boot_memmap[i].addr = e820[i].addr;
		boot_memmap[i].size = e820[i].size;
		boot_memmap[i].type = e820[i].type;
	}
}

static void reserve_modules(void)
{
	const struct hvm_modlist_entry *m = (void *)start_info.modlist_paddr;

	if (!start_info.nr_modules)
		return;
	hole_start = m[0].paddr & ~0xfffull;
	hole_end = (m[start_info.nr_modules - 1].paddr + m[start_info.nr_modules - 1].size + 4095) & ~0xfffull;
}

void page_init(void)
{
	unsigned int i;

	if (!boot_memmap_entries)
		ask_memmap();
	mark = (uint64_t)_end;
	for (i = 0; i < boot_memmap_entries; i++) {
		const struct hvm_memmap_table_entry *e = &boot_memmap[i];

		if (e->type == XEN_HVM_MEMMAP_TYPE_RAM && e->addr <= mark && mark < e->addr + e->size)
			top = (e->addr + e->size) & ~0xfffull;
	}
	if (!top)
		panic("the image is not in RAM");
	if (top > 1ull << 32)
		top = 1ull << 32;
	reserve_modules();
}

void *page_alloc_fresh(void)
{
	void *p;

	if (mark >= hole_start && mark < hole_end)
		mark = hole_end;
	if (mark >= top)
		return NULL;
	p = (void *)mark;
	mark += PAGE_SIZE;
	return p;
}

void *page_alloc(void)
{
	struct free_page *p = free_list;

	if (p) {
		free_list = p->next;
		recycled--;
	} else {
		p = page_alloc_fresh();
	}
	return p ? memset(p, 0, PAGE_SIZE) : NULL;
}

void page_free(void *page)
{
	struct free_page *p = page;

	p->next = free_list;
	free_list = p;
	recycled++;
}

unsigned int page_free_count(void)
{
	return recycled + (unsigned int)((top - mark) / PAGE_SIZE);
}
