/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map: the one handed over and the one asked for agree; RAM is RAM to its last byte; holes do no harm. */
#include "test.h"
#include <errno.h>
#include <string.h>
#include "hypercall.h"

const char test_title[] = "memory-map";

static struct {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed)) e820[16];

static void compare(void)
{
	struct xen_memory_map map = { .nr_entries = ARRAY_LEN(e820) };
	unsigned int i, j;

	set_xen_guest_handle(map.buffer, (void *)e820);
	CHECK_EQ(hv_memory(XENMEM_memory_map, &map), 0);
	CHECK_EQ(map.nr_entries, boot_memmap_entries);
	for (i = 0; i < map.nr_entries && i < boot_memmap_entries; i++) {
		printk("  %016lx %10lx %u\n", boot_memmap[i].addr, boot_memmap[i].size, boot_memmap[i].type);
		CHECK(e820[i].addr == boot_memmap[i].addr && e820[i].size == boot_memmap[i].size, "%u", i);
		CHECK_EQ(e820[i].type, boot_memmap[i].type);
		for (j = 0; j < i; j++)
			CHECK(boot_memmap[i].addr >= boot_memmap[j].addr + boot_memmap[j].size ||
			      boot_memmap[j].addr >= boot_memmap[i].addr + boot_memmap[i].size, "entries %u and %u overlap", j, i);
	}
	map.nr_entries = 1;
	CHECK(hv_memory(XENMEM_memory_map, &map) <= 0 && map.nr_entries <= 1, "%u entries in a buffer for one", map.nr_entries);
	map.nr_entries = 4;
	set_xen_guest_handle(map.buffer, NOWHERE);
	CHECK_EQ(hv_memory(XENMEM_memory_map, &map), -EFAULT);
}

static void touch(void)
{
	unsigned int pages = page_free_count(), n = 0;
	uint64_t *p;

	while ((p = page_alloc())) {
		CHECK(p[0] == 0 && p[511] == 0, "page %p is not clean", (void *)p);
		p[0] = p[511] = (uint64_t)p;
		n++;
	}
	CHECK_EQ(n, pages);
}

static void holes(void)
{
	static const uint64_t at[] = { 0xf0000000, 0xe0000000, 0xfff00000, 0xfed00000 };
	unsigned int i;
	uint32_t v;

	for (i = 0; i < ARRAY_LEN(at); i++) {
		volatile uint32_t *p = (volatile uint32_t *)at[i];
		int fault = peek_safe(p, &v);

		CHECK(fault == 0 || fault == 13 || fault == 14, "%lx: exception %d", at[i], fault);
	}
	CHECK(hv_memory(XENMEM_maximum_ram_page, NULL) == -EPERM || hv_memory(XENMEM_maximum_ram_page, NULL) == -ENOSYS ||
	      hv_memory(XENMEM_maximum_ram_page, NULL) >= 0, "-");
	CHECK_EQ(hv_memory(0x3f, NULL), -ENOSYS);
}

void test_main(void)
{
	compare();
	holes();
	touch();
}
