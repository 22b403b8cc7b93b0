/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's page tables, written once at boot:
 *
 *   direct map   all RAM, RW NX, 2 MiB pages; the 2 MiB pieces that hold the image in 4 KiB pages, where code and
 *                constants are read-only here too
 *   image        text RX, constants R, data RW: nothing is both writable and executable
 *   stacks       of each CPU, its own and those of exceptions that trust no other; an unmapped page below each
 *   MMIO window  uncached, handed out by mmio_map()
 *
 * No low half is mapped, so a NULL dereference and a forgotten guest address fault.
 */
#include "paging.h"

#include <hv/boot.h>
#include <hv/log.h>

#include <common/frame.h>

#include "x86.h"

extern char image_start[], text_end[], rodata_end[], image_end[];

static uint64_t *root;
static bool early_phase = true;
static uint64_t mmio_next = MMIO_BASE;
static struct env_lock map_lock;

paddr_t virt_to_phys(const void *v)
{
	uint64_t a = (uint64_t)v;

	return a >= IMAGE_BASE ? a - IMAGE_BASE : a - DIRECTMAP_BASE;
}

static uint64_t *new_table(void)
{
	uint64_t *t = early_phase ? early_alloc(PAGE_SIZE) : page_alloc(0);

	if (!t)
		panic("no memory for page tables");
	return t;
}

/* The entry for va at level `level` (0: 4 KiB, 1: 2 MiB), tables on the way made as needed. */
static uint64_t *walk(uint64_t va, unsigned level)
{
	uint64_t *t = root;

	for (unsigned l = 3; l > level; l--) {
		uint64_t *e = &t[va >> (PAGE_SHIFT + 9 * l) & 511];
		if (!*e)
			*e = virt_to_phys(new_table()) | PTE_P | PTE_W;
		t = phys_to_virt(*e & PTE_ADDR);
	}
	return &t[va >> (PAGE_SHIFT + 9 * level) & 511];
}

static void map_range(uint64_t va, paddr_t pa, paddr_t end, uint64_t flags)
{
	while (pa < end) {
		if (!((va | pa) & (SUPER_SIZE - 1)) && end - pa >= SUPER_SIZE) {
			*walk(va, 1) = pa | flags | PTE_P | PTE_PS;
			va += SUPER_SIZE, pa += SUPER_SIZE;
		} else {
			*walk(va, 0) = pa | flags | PTE_P;
			va += PAGE_SIZE, pa += PAGE_SIZE;
		}
	}
}

/* The image, at its own address, and the same bytes in the direct map, never executable there. */
static void map_image(void)
{
	const struct {
		const char *start, *end;
		uint64_t flags;
	} parts[] = {
		{ image_start, text_end, 0 },
		{ text_end, rodata_end, PTE_NX },
		{ rodata_end, image_end, PTE_W | PTE_NX },
	};

	for (unsigned i = 0; i < ENV_ARRAY_SIZE(parts); i++)
		for (uint64_t va = (uint64_t)parts[i].start; va < (uint64_t)parts[i].end; va += PAGE_SIZE) {
			paddr_t pa = va - IMAGE_BASE;
			*walk(va, 0) = pa | parts[i].flags | PTE_P;
			*walk((uint64_t)phys_to_virt(pa), 0) = pa | parts[i].flags | PTE_NX | PTE_P;
		}
}

static void map_ram(void)
{
	paddr_t image_pa = virt_to_phys(image_start) & ~(SUPER_SIZE - 1);
	paddr_t image_top = (virt_to_phys(image_end) + SUPER_SIZE - 1) & ~(SUPER_SIZE - 1);
	paddr_t top = (frame_max_paddr() + SUPER_SIZE - 1) & ~(SUPER_SIZE - 1);

	/* From 0 on: firmware tables and modules below the first RAM region are read through here as well. */
	map_range(DIRECTMAP_BASE, 0, image_pa, PTE_W | PTE_NX);
	for (paddr_t pa = image_pa; pa < image_top; pa += PAGE_SIZE)
		*walk((uint64_t)phys_to_virt(pa), 0) = pa | PTE_W | PTE_NX | PTE_P;
	map_range((uint64_t)phys_to_virt(image_top), image_top, top > 0x100000000UL ? top : 0x100000000UL, PTE_W | PTE_NX);
}

/*
 * PSE means nothing in long mode, and SMEP and SMAP forbid only what the hypervisor never does; Linux has all of them on.
 * With the same bits on both sides CR4 does not change at entry and exit, and an emulator has one reason less to throw its
 * TLB away.
 */
void paging_init_cpu(void)
{
	uint32_t b = cpuid(7, 0).b;

	write_cr4(read_cr4() | CR4_PGE | CR4_PSE | (b & (1u << 7) ? CR4_SMEP : 0) | (b & (1u << 20) ? CR4_SMAP : 0));
}

void paging_init(void)
{
	root = new_table();
	map_ram();
	map_image();
	paging_init_cpu();
	write_cr3(virt_to_phys(root));
	early_phase = false;
}

paddr_t paging_root(void)
{
	return virt_to_phys(root);
}

uint8_t *paging_map_stack(uint32_t cpu, unsigned which, uint64_t size)
{
	uint64_t top = STACKS_BASE + (cpu * STACKS_A_CPU + which + 1) * (STACK_SIZE + PAGE_SIZE);

	for (uint64_t at = top - size; at < top; at += PAGE_SIZE)
		*walk(at, 0) = virt_to_phys(new_table()) | PTE_P | PTE_W | PTE_NX;
	return (uint8_t *)top;
}

void paging_identity(paddr_t page, bool on)
{
	*walk(page, 0) = on ? page | PTE_P | PTE_W : 0;
	invlpg((void *)page);
}

void *mmio_map(paddr_t start, size_t size)
{
	paddr_t first = start & PAGE_MASK, end = (start + size + PAGE_SIZE - 1) & PAGE_MASK;

	env_lock(&map_lock);
	uint64_t va = mmio_next;
	bool fits = end - first <= MMIO_BASE + MMIO_SIZE - va;
	if (fits) {
		mmio_next += end - first;
		for (paddr_t pa = first; pa < end; pa += PAGE_SIZE)
			*walk(va + (pa - first), 0) = pa | PTE_P | PTE_W | PTE_NX | PTE_PCD | PTE_PWT;
	}
	env_unlock(&map_lock);
	return fits ? (void *)(va + (start - first)) : NULL;
}
