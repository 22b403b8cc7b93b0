/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory: physical copies through the map, virtual ones through the guest's own page tables as its kernel would see
 * them (AMD manual volume 2, chapter 5): none, 32-bit, PAE, and 4-level tables. Every table entry is read once.
 */
#include <errno.h>
#include <string.h>

#include <hv/domain.h>
#include <hv/guest_mem.h>

#include "paging.h"
#include "vcpu.h"
#include "x86.h"

void *gfn_get_page(struct domain *d, uint64_t gfn)
{
	env_lock(&d->p2m.lock);
	void *page = p2m_peek_ram(d, gfn);
	if (page)
		frame_get(virt_to_phys(page) >> PAGE_SHIFT);
	env_unlock(&d->p2m.lock);
	return page;
}

void put_page(void *page)
{
	frame_put(((uint64_t)page - DIRECTMAP_BASE) >> PAGE_SHIFT);
}

/* One piece within a page, either way. => p2m.lock is held, so the frame stays. */
static int copy_piece(struct domain *d, uint64_t addr, void *buf, size_t n, bool write)
{
	uint8_t *page = p2m_peek(d, addr >> PAGE_SHIFT, write);

	if (!page)
		return -EFAULT;
	if (write)
		memcpy(page + (addr & (PAGE_SIZE - 1)), buf, n);
	else
		memcpy(buf, page + (addr & (PAGE_SIZE - 1)), n);
	return 0;
}

/* The lock is taken for each page anew: a long copy keeps nobody waiting. */
static int gpa_copy(struct domain *d, uint64_t addr, void *buf, size_t n, bool write)
{
	uint8_t *p = buf;

	while (n) {
		size_t piece = PAGE_SIZE - (addr & (PAGE_SIZE - 1));
		if (piece > n)
			piece = n;
		env_lock(&d->p2m.lock);
		int ret = copy_piece(d, addr, p, piece, write);
		env_unlock(&d->p2m.lock);
		if (ret)
			return ret;
		addr += piece, p += piece, n -= piece;
	}
	return 0;
}

int gpa_read(struct domain *d, void *dst, gpa_t src, size_t n)
{
	return gpa_copy(d, src.v, dst, n, false);
}

int gpa_write(struct domain *d, gpa_t dst, const void *src, size_t n)
{
	return gpa_copy(d, dst.v, (void *)(uintptr_t)src, n, true);
}

struct walk_format {
	unsigned levels, bits, entry_size;
};

static const struct walk_format format_32 = { 2, 10, 4 }, format_pae = { 3, 9, 8 }, format_long = { 4, 9, 8 };

/* Guest physical address of a virtual one; false: not mapped, or not writable for a write under CR0.WP. => p2m.lock is held. */
static bool translate(struct domain *d, const struct guest_paging *p, uint64_t va, bool write, uint64_t *out)
{
	if (!(p->cr0 & CR0_PG)) {
		*out = va & 0xffffffff;
		return true;
	}
	const struct walk_format *f = p->efer & EFER_LMA ? &format_long : p->cr4 & CR4_PAE ? &format_pae : &format_32;
	bool wide = f->entry_size == 8;
	uint64_t table = wide ? p->cr3 & (f == &format_pae ? 0xffffffe0 : PTE_ADDR) : p->cr3 & 0xfffff000;
	bool writable = true;

	if (f == &format_long && (uint64_t)((int64_t)(va << 16) >> 16) != va)
		return false;
	for (unsigned l = f->levels; l-- > 0;) {
		unsigned shift = PAGE_SHIFT + f->bits * l;
		uint64_t e = 0;

		if (copy_piece(d, table + (va >> shift & ((1u << f->bits) - 1)) * f->entry_size, &e, f->entry_size, false) ||
		    !(e & PTE_P))
			return false;
		if (!(f == &format_pae && l == 2))
			writable &= !!(e & PTE_W);
		bool large = (e & PTE_PS) && l > 0 && (wide ? l < 3 && !(f == &format_pae && l == 2) : !!(p->cr4 & CR4_PSE));
		uint64_t addr = wide ? e & PTE_ADDR : e & 0xfffff000;
		if (large || l == 0) {
			uint64_t mask = (1UL << shift) - 1;
			*out = (addr & ~mask) | (va & mask);
			if (!wide && large)
				*out |= (e >> 13 & 0xff) << 32;
			return writable || !write || !(p->cr0 & CR0_WP);
		}
		table = addr;
	}
	return false;
}

static int gva_copy(struct vcpu *v, uint64_t va, void *buf, size_t n, bool write)
{
	struct domain *d = v->domain;
	struct guest_paging paging;
	uint8_t *p = buf;

	hvm->paging(v, &paging);
	while (n) {
		size_t piece = PAGE_SIZE - (va & (PAGE_SIZE - 1));
		uint64_t addr;

		if (piece > n)
			piece = n;
		env_lock(&d->p2m.lock);
		bool ok = translate(d, &paging, va, write, &addr) && !copy_piece(d, addr, p, piece, write);
		env_unlock(&d->p2m.lock);
		if (!ok)
			return -EFAULT;
		va += piece, p += piece, n -= piece;
	}
	return 0;
}

int gva_read(struct vcpu *v, void *dst, gva_t src, size_t n)
{
	return gva_copy(v, src.v, dst, n, false);
}

int gva_write(struct vcpu *v, gva_t dst, const void *src, size_t n)
{
	return gva_copy(v, dst.v, (void *)(uintptr_t)src, n, true);
}
