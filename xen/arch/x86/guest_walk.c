/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory: physical copies through the map, virtual ones through the guest's own page tables as its kernel would see
 * them (AMD manual volume 2, chapter 5): none, 32-bit, PAE, and 4-level tables. Every table entry is read once for a walk.
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

static bool same_paging(const struct guest_paging *a, const struct guest_paging *b)
{
	return !((a->cr0 ^ b->cr0) | (a->cr3 ^ b->cr3) | (a->cr4 ^ b->cr4) | (a->efer ^ b->efer));
}

/*
 * A walk of before holds if it began with the same registers, no frame has left the guest's map, and every table entry on the
 * way still says the same: then a walk now would end at the same place. Of long mode alone, whose entries are all alike.
 */
static bool walk_holds(const struct guest_walk *w, const struct domain *d, const struct guest_paging *p, uint64_t va)
{
	if (w->page != (va | (PAGE_SIZE - 1)) || w->changes != d->p2m.changes || !same_paging(&w->paging, p))
		return false;
	for (unsigned i = 0; i < w->levels; i++)
		if (__atomic_load_n(w->entry[i], __ATOMIC_RELAXED) != w->value[i])
			return false;
	return true;
}

/* One table entry, read once, and noted. 0: there is no such table. */
static uint64_t table_entry(struct guest_walk *w, struct domain *d, uint64_t at, bool wide)
{
	uint8_t *table = p2m_peek(d, at >> PAGE_SHIFT, false);

	if (!table)
		return 0;
	uint64_t *e = (uint64_t *)(table + (at & (PAGE_SIZE - 1)));
	w->entry[w->levels] = e;
	w->value[w->levels] = wide ? __atomic_load_n(e, __ATOMIC_RELAXED) : __atomic_load_n((uint32_t *)e, __ATOMIC_RELAXED);
	return w->value[w->levels++];
}

/* From a virtual page to the guest's frame; false: not mapped. => p2m.lock is held. */
static bool walk(struct guest_walk *w, struct domain *d, const struct guest_paging *p, uint64_t va)
{
	const struct walk_format *f = p->efer & EFER_LMA ? &format_long : p->cr4 & CR4_PAE ? &format_pae : &format_32;
	bool wide = f->entry_size == 8;
	uint64_t table = wide ? p->cr3 & (f == &format_pae ? 0xffffffe0 : PTE_ADDR) : p->cr3 & 0xfffff000;

	w->levels = 0;
	w->writable = true;
	if (f == &format_long && (uint64_t)((int64_t)(va << 16) >> 16) != va)
		return false;
	for (unsigned l = f->levels; l-- > 0;) {
		unsigned shift = PAGE_SHIFT + f->bits * l;
		uint64_t e = table_entry(w, d, table + (va >> shift & ((1u << f->bits) - 1)) * f->entry_size, wide);

		if (!(e & PTE_P))
			return false;
		if (!(f == &format_pae && l == 2))
			w->writable &= !!(e & PTE_W);
		bool large = (e & PTE_PS) && l > 0 && (wide ? l < 3 && !(f == &format_pae && l == 2) : !!(p->cr4 & CR4_PSE));
		uint64_t addr = wide ? e & PTE_ADDR : e & 0xfffff000;
		if (large || l == 0) {
			uint64_t mask = (1UL << shift) - 1;
			w->gfn = ((addr & ~mask) | (va & mask)) >> PAGE_SHIFT;
			if (!wide && large)
				w->gfn |= (e >> 13 & 0xff) << (32 - PAGE_SHIFT);
			return true;
		}
		table = addr;
	}
	return false;
}

/*
 * The page behind a virtual address; NULL: not mapped, or not writable for a write under CR0.WP. The last few walks of each
 * vcpu are kept: hypercalls and the scheduler come back to the same pages. => p2m.lock is held.
 */
static uint8_t *gva_page(struct vcpu *v, const struct guest_paging *p, uint64_t va, bool write)
{
	struct domain *d = v->domain;

	if (!(p->cr0 & CR0_PG))
		return p2m_peek(d, (uint32_t)va >> PAGE_SHIFT, write);
	struct guest_walk *w = &v->arch->walk[va / PAGE_SIZE % VCPU_WALKS];
	if (!walk_holds(w, d, p, va)) {
		w->page = 0;
		if (!walk(w, d, p, va))
			return NULL;
		w->host = p2m_peek(d, w->gfn, true);
		w->paging = *p;
		w->changes = d->p2m.changes;
		w->page = p->efer & EFER_LMA ? va | (PAGE_SIZE - 1) : 0;
	}
	if (write && !w->writable && (p->cr0 & CR0_WP))
		return NULL;
	return w->host ? w->host : p2m_peek(d, w->gfn, write);
}

static int gva_copy(struct vcpu *v, uint64_t va, void *buf, size_t n, bool write)
{
	struct domain *d = v->domain;
	struct guest_paging paging;
	uint8_t *p = buf;

	hvm->paging(v, &paging);
	while (n) {
		size_t off = va & (PAGE_SIZE - 1), piece = PAGE_SIZE - off;

		if (piece > n)
			piece = n;
		env_lock(&d->p2m.lock);
		uint8_t *page = gva_page(v, &paging, va, write);
		if (page)
			memcpy(write ? page + off : p, write ? p : page + off, piece);
		env_unlock(&d->p2m.lock);
		if (!page)
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
