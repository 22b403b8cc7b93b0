/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a kernel image to a vcpu ready to enter: the Xen PVH boot ABI.
 *
 * The kernel's segments go where they say. Above the highest follows the ramdisk, then one page with the start info, the
 * module list, the memory map and the command line. What lies outside of RAM (rings, ACPI tables) is in layout.h.
 * What comes from a module of the boot loader is not copied here: the map is told, and fills each piece of RAM when it is
 * first touched. A blob may be replaced any time, so it is copied. RAM is zero otherwise, which makes every bss.
 */
#include <string.h>

#include <hv/arch.h>
#include <hv/boot.h>
#include <hv/subsys.h>

#include <net/net.h>

#include "abi.h"
#include "elf.h"
#include "layout.h"

#define MEM_MIN (1UL << 20)
#define LOAD_STEP 65536UL
#define START_MAGIC 0x336ec578u

struct start_page {
	struct hvm_start_info info;
	struct hvm_modlist_entry module;
	struct hvm_memmap_table_entry memmap[GUEST_MEMMAP_MAX];
	char cmdline[PAGE_SIZE - sizeof(struct hvm_start_info) - sizeof(struct hvm_modlist_entry) -
		     GUEST_MEMMAP_MAX * sizeof(struct hvm_memmap_table_entry)];
};
static_assert(sizeof(struct start_page) == PAGE_SIZE, "the start info is one page");

struct build {
	struct domain *d;
	const struct domain_build *in;
	struct elf_image elf;
	uint64_t ramdisk_at, start_at;
	uint64_t rsdp;
	const char *why;
};

static int fail(struct build *b, int rc, const char *why)
{
	b->why = why;
	return rc;
}

static uint64_t page_up(uint64_t v)
{
	return (v + PAGE_SIZE - 1) & PAGE_MASK;
}

/* --- where things go --- */

static int plan(struct build *b)
{
	const struct domain_build *in = b->in;
	uint64_t low = layout_low_ram(b->d->mem_bytes);

	if (b->d->mem_bytes < MEM_MIN || b->d->mem_bytes % PAGE_SIZE)
		return fail(b, -EINVAL, "memory is less than 1 MiB or not a whole number of pages");
	if (strlen(in->cmdline) >= sizeof(((struct start_page *)0)->cmdline))
		return fail(b, -E2BIG, "command line is too long");
	if (elf_parse(in->kernel, in->kernel_size, &b->elf, &b->why))
		return -ENOEXEC;
	if (b->elf.end > low)
		return fail(b, -E2BIG, "kernel is larger than the domain's memory");
	b->ramdisk_at = page_up(b->elf.end);
	if (in->ramdisk_size > low || b->ramdisk_at + in->ramdisk_size > low)
		return fail(b, -E2BIG, "kernel and ramdisk are larger than the domain's memory");
	b->start_at = page_up(b->ramdisk_at + in->ramdisk_size);
	if (b->start_at + PAGE_SIZE > low)
		return fail(b, -E2BIG, "no room for the start info behind kernel and ramdisk");
	return 0;
}

static int populate(struct build *b)
{
	uint64_t low = layout_low_ram(b->d->mem_bytes), high = layout_high_ram(b->d->mem_bytes);
	int rc = p2m_populate(b->d, 0, low >> PAGE_SHIFT);

	if (!rc && high)
		rc = p2m_populate(b->d, GUEST_HIGH_RAM >> PAGE_SHIFT, high >> PAGE_SHIFT);
	return rc ? fail(b, rc, "not enough memory left for the domain") : 0;
}

/* --- copying in --- */

static bool stays(const void *bytes)
{
	for (uint32_t i = 0; i < boot_info.nr_modules; i++) {
		const struct boot_module *m = &boot_info.modules[i];
		const uint8_t *start = phys_to_virt(m->start);
		if ((const uint8_t *)bytes >= start && (const uint8_t *)bytes < start + m->size)
			return true;
	}
	return false;
}

/* Leave it to the first touch: pieces are added in ascending order. */
static bool add_piece(struct build *b, uint64_t to, const void *from, uint64_t n)
{
	struct p2m *p = &b->d->p2m;

	if (!n || p->nr_pieces == P2M_PIECES_MAX || !stays(from))
		return false;
	p->piece[p->nr_pieces++] = (struct p2m_piece){ to, n, from };
	return true;
}

/* Of a blob there may be much: interrupts are taken in between. */
static int load_bytes(struct build *b, uint64_t to, const void *from, uint64_t n)
{
	const uint8_t *bytes = from;

	for (uint64_t done = 0, piece; done < n; done += piece) {
		piece = n - done < LOAD_STEP ? n - done : LOAD_STEP;
		for (uint64_t at = to + done; at < to + done + piece; at = (at | (SUPER_SIZE - 1)) + 1)
			p2m_fill(b->d, at >> PAGE_SHIFT);
		if (gpa_write(b->d, gpa(to + done), bytes + done, piece))
			return fail(b, -EFAULT, "cannot write to the domain's memory");
		arch_irq_window();
	}
	return 0;
}

/* Populates, too, since what is left to the first touch must be known before. */
static int load(struct build *b)
{
	const struct domain_build *in = b->in;
	bool later[ELF_SEGMENTS_MAX], ramdisk_later;

	for (unsigned i = 0; i < b->elf.nr_segments; i++) {
		const struct elf_segment *s = &b->elf.segment[i];
		later[i] = add_piece(b, s->paddr, s->bytes, s->file_size);
	}
	ramdisk_later = add_piece(b, b->ramdisk_at, in->ramdisk, in->ramdisk_size);
	int rc = populate(b);
	for (unsigned i = 0; i < b->elf.nr_segments && !rc; i++) {
		const struct elf_segment *s = &b->elf.segment[i];
		rc = later[i] ? 0 : load_bytes(b, s->paddr, s->bytes, s->file_size);
	}
	if (!rc && !ramdisk_later)
		rc = load_bytes(b, b->ramdisk_at, in->ramdisk, in->ramdisk_size);
	return rc;
}

static int load_start_info(struct build *b)
{
	const struct domain_build *in = b->in;
	struct start_page *p = env_alloc(sizeof(*p));

	if (!p)
		return fail(b, -ENOMEM, "no memory for the start info");
	p->info = (struct hvm_start_info){
		.magic = START_MAGIC,
		.version = 1,
		.nr_modules = in->ramdisk_size ? 1 : 0,
		.modlist_paddr = in->ramdisk_size ? b->start_at + offsetof(struct start_page, module) : 0,
		.cmdline_paddr = b->start_at + offsetof(struct start_page, cmdline),
		.rsdp_paddr = b->rsdp,
		.memmap_paddr = b->start_at + offsetof(struct start_page, memmap),
		.memmap_entries = layout_memmap(b->d->mem_bytes, p->memmap),
	};
	if (in->ramdisk_size)
		p->module = (struct hvm_modlist_entry){ .paddr = b->ramdisk_at, .size = in->ramdisk_size };
	memcpy(p->cmdline, in->cmdline, strlen(in->cmdline) + 1);
	int rc = load_bytes(b, b->start_at, p, sizeof(*p));
	env_free(p, sizeof(*p));
	return rc;
}

/* --- what belongs to the domain besides its RAM --- */

static int furnish(struct build *b)
{
	struct domain *d = b->d;
	int rc = console_init(d);

	if (rc)
		return fail(b, rc, "no memory for the console");
	rc = store_domain_init(d);
	if (rc)
		return fail(b, rc, "cannot make the domain's home in the xenstore");
	arch_irq_window();
	b->rsdp = acpi_build(d);
	if (!b->rsdp)
		return fail(b, -ENOMEM, "no memory for the ACPI tables");
	wallclock_update(d);
	if (b->in->mac) {
		rc = net_vif_create(d, b->in->mac, (uint16_t)b->in->mtu);
		if (rc)
			return fail(b, rc, "cannot make the network interface");
	}
	return 0;
}

/* What a failed build leaves behind goes with domain_destroy(). */
int domain_build(struct domain *d, const struct domain_build *in, const char **why)
{
	struct build b = { .d = d, .in = in };
	int rc = plan(&b);

	if (!rc)
		rc = load(&b);
	if (!rc)
		rc = furnish(&b);
	if (!rc)
		rc = load_start_info(&b);
	if (!rc)
		vcpu_arch_boot_state(d->vcpus[0], b.elf.entry, (uint32_t)b.start_at);
	*why = b.why;
	return rc;
}
