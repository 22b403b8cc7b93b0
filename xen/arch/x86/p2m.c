/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's map: nested page tables in the long-mode format, user bit set in all entries (AMD manual volume 2, 15.25.5).
 *
 * Entry bits that the CPU ignores carry what we know: the type in bits 52-54, and LAZY (bit 9) on an entry that is not
 * present yet but has its frames: they are cleared when somebody touches them, or filled from the kernel's image if IMAGE
 * (bit 10) says that they are of the domain's first RAM. Only 2 MiB entries are lazy. How many of their 512 frames are
 * ready stands in bits 12-20, where such an address has zeros: a guest's fault fills a piece after the other and looks at
 * interrupts in between; a backend, which cannot wait, does the rest at once.
 *
 * Removal: the entry goes under p2m.lock; then every CPU that is running a vcpu of the domain is made to leave the guest
 * (each entry compares p2m.flush_gen and flushes); only then the frame's reference goes, so no CPU can still write to a
 * frame that has a new owner.
 */
#include <errno.h>
#include <string.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/log.h>
#include <hv/p2m.h>

#include <common/frame.h>

#include "p2m_priv.h"
#include "vcpu.h"

int p2m_init(struct p2m *p2m)
{
	p2m->root = page_alloc(0);
	if (!p2m->root)
		return -ENOMEM;
	p2m->root_pa = virt_to_phys(p2m->root);
	p2m->table_pages = 1;
	return 0;
}

static void free_tables(uint64_t *t, unsigned level)
{
	for (unsigned i = 0; i < 512 && level; i++)
		if ((t[i] & PTE_P) && !(t[i] & PTE_PS))
			free_tables(phys_to_virt(t[i] & PTE_ADDR), level - 1);
	page_free(t, 0);
}

void p2m_destroy(struct p2m *p2m)
{
	if (p2m->root)
		free_tables(p2m->root, 3);
	p2m->root = NULL;
}

static uint64_t entry_of(paddr_t pa, enum p2m_type type)
{
	uint64_t w = type == P2M_FOREIGN_RO ? 0 : PTE_W;
	uint64_t nx = type == P2M_FOREIGN_RO || type == P2M_FOREIGN_RW ? PTE_NX : 0;

	return pa | PTE_P | PTE_U | w | nx | (uint64_t)type << NPT_TYPE_SHIFT;
}

static bool split(struct p2m *p2m, uint64_t *e, uint64_t gfn)
{
	uint64_t *t = p2m->table_pages < p2m->table_max ? page_alloc(0) : NULL;

	if (!t)
		return false;
	if (*e & NPT_LAZY)
		p2m_materialise(p2m, e, gfn, SUPER_FRAMES);
	for (uint64_t i = 0; i < SUPER_FRAMES; i++)
		t[i] = (*e & ~PTE_PS) + (i << PAGE_SHIFT);
	p2m->table_pages++;
	*e = virt_to_phys(t) | NPT_TABLE;
	return true;
}

uint64_t *p2m_find(struct p2m *p2m, uint64_t gfn, unsigned to_level, bool make, unsigned *level)
{
	uint64_t *t = p2m->root;

	for (unsigned l = 3;; l--) {
		uint64_t *e = &t[gfn >> (9 * l) & 511];
		*level = l;
		if (l == to_level || (l == 1 && (*e & PTE_PS)))
			return e;
		if (!*e) {
			uint64_t *n = make && p2m->table_pages < p2m->table_max ? page_alloc(0) : NULL;
			if (!n)
				return NULL;
			p2m->table_pages++;
			*e = virt_to_phys(n) | NPT_TABLE;
		}
		t = phys_to_virt(*e & PTE_ADDR);
	}
}

static int populate_super(struct domain *d, uint64_t gfn)
{
	unsigned level;
	uint64_t *e = p2m_find(&d->p2m, gfn, 1, true, &level);
	paddr_t pa;

	if (!e)
		return -ENOMEM;
	if (*e)
		return -EEXIST;
	pa = frame_alloc_guest(SUPER_ORDER);
	if (pa == INVALID_PADDR)
		return -ENOSPC;
	*e = (entry_of(pa, P2M_RAM) & ~PTE_P) | PTE_PS | NPT_LAZY | (d->state == DOM_BUILDING ? NPT_IMAGE : 0);
	d->pages += SUPER_FRAMES;
	return 0;
}

static int populate_one(struct domain *d, uint64_t gfn)
{
	unsigned level;
	uint64_t *e = p2m_find(&d->p2m, gfn, 0, true, &level);
	paddr_t pa;

	if (!e)
		return -ENOMEM;
	if (level || *e)
		return -EEXIST;
	pa = frame_alloc_guest(0);
	if (pa == INVALID_PADDR)
		return -ENOMEM;
	if (d->state == DOM_BUILDING)
		p2m_contents(&d->p2m, gfn << PAGE_SHIFT, phys_to_virt(pa), PAGE_SIZE);
	else
		memset(phys_to_virt(pa), 0, PAGE_SIZE);
	*e = entry_of(pa, P2M_RAM);
	d->pages++;
	return 0;
}

/* As p2m_populate(), within one 2 MiB. => p2m.lock is held. */
static int populate_piece(struct domain *d, uint64_t gfn, uint64_t count)
{
	int ret = 0, one = -ENOSPC;

	if (count == SUPER_FRAMES)
		one = populate_super(d, gfn);
	if (one != -ENOSPC && one != -EEXIST)
		return one;
	for (uint64_t i = 0; i < count; i++) {
		one = populate_one(d, gfn + i);
		if (one == -ENOMEM)
			return one;
		if (one)
			ret = one;
	}
	return ret;
}

int p2m_populate(struct domain *d, uint64_t gfn, uint64_t count)
{
	int ret = 0;

	if (gfn >= GFN_LIMIT || count > GFN_LIMIT - gfn)
		return -EINVAL;
	for (uint64_t n; count; gfn += n, count -= n) {
		n = SUPER_FRAMES - (gfn & (SUPER_FRAMES - 1));
		if (n > count)
			n = count;
		env_lock(&d->p2m.lock);
		int one = populate_piece(d, gfn, n);
		env_unlock(&d->p2m.lock);
		if (one == -ENOMEM)
			return one;
		if (one)
			ret = one;
		arch_irq_window();
	}
	return ret;
}

int p2m_map_frame(struct domain *d, uint64_t gfn, mfn_t mfn, enum p2m_type type)
{
	unsigned level;
	int ret = 0;

	if (gfn >= GFN_LIMIT)
		return -EINVAL;
	env_lock(&d->p2m.lock);
	uint64_t *e = p2m_find(&d->p2m, gfn, 0, true, &level);
	if (!e) {
		ret = -ENOMEM;
	} else if (level || *e) {
		ret = -EBUSY;
	} else {
		frame_get(mfn);
		*e = entry_of(mfn << PAGE_SHIFT, type);
	}
	env_unlock(&d->p2m.lock);
	return ret;
}

/* Wait until no CPU runs the domain on translations older than the caller's removal. */
static void flush_others(struct domain *d)
{
	uint64_t gen = atomic_fetch_add(&d->p2m.flush_gen, 1) + 1;

	for (uint32_t i = 0; i < d->nr_vcpus; i++) {
		struct vcpu *v = d->vcpus[i];
		int32_t cpu = v ? atomic_load(&v->running_on) : -1;

		if (cpu < 0 || cpu == (int32_t)this_cpu()->id)
			continue;
		cpu_kick((uint32_t)cpu);
		while (atomic_load(&v->running_on) == cpu && atomic_load(&cpus[cpu].in_guest) &&
		       atomic_load(&v->arch->flush_seen) < gen)
			cpu_relax();
	}
}

/* The entry at gfn, alone: a 2 MiB one is split before. 0, -ENOENT, -ENOMEM. => p2m.lock is held. */
static int find_alone(struct p2m *p2m, uint64_t gfn, uint64_t **entry)
{
	unsigned level;
	uint64_t *e = p2m_find(p2m, gfn, 0, false, &level);

	if (e && *e && level) {
		if (!split(p2m, e, gfn))
			return -ENOMEM;
		e = p2m_find(p2m, gfn, 0, false, &level);
	}
	*entry = e;
	return e && *e ? 0 : -ENOENT;
}

/* => p2m.lock is held. */
static void forget(struct domain *d, uint64_t *e, uint64_t frames)
{
	if (NPT_TYPE(*e) == P2M_RAM)
		d->pages -= frames;
	*e = 0;
	d->p2m.changes++;
}

int p2m_remove(struct domain *d, uint64_t gfn)
{
	uint64_t *e, gone = 0;

	if (gfn >= GFN_LIMIT)
		return -ENOENT;
	env_lock(&d->p2m.lock);
	int ret = find_alone(&d->p2m, gfn, &e);
	if (!ret) {
		gone = *e;
		forget(d, e, 1);
	}
	env_unlock(&d->p2m.lock);
	if (!ret) {
		flush_others(d);
		frame_put(npt_frame(gone, 0));
	}
	return ret;
}

/* Take a whole 2 MiB entry of RAM out; false: there is none. */
static bool remove_super(struct domain *d, uint64_t gfn)
{
	unsigned level;
	uint64_t gone = 0;

	env_lock(&d->p2m.lock);
	uint64_t *e = p2m_find(&d->p2m, gfn, 1, false, &level);
	if (e && level == 1 && (*e & PTE_PS)) {
		gone = *e;
		forget(d, e, SUPER_FRAMES);
	}
	env_unlock(&d->p2m.lock);
	if (!gone)
		return false;
	flush_others(d);
	for (uint64_t i = 0; i < SUPER_FRAMES; i++)
		frame_put(npt_frame(gone, 1) + i);
	return true;
}

uint64_t p2m_remove_ram(struct domain *d, uint64_t gfn, uint64_t count)
{
	uint32_t gone[P2M_REMOVE_MAX];
	uint64_t n, *e;

	if (gfn >= GFN_LIMIT || count > GFN_LIMIT - gfn)
		return 0;
	if (count > P2M_REMOVE_MAX)
		count = P2M_REMOVE_MAX;
	if (count == SUPER_FRAMES && !(gfn & (SUPER_FRAMES - 1)) && remove_super(d, gfn))
		return count;
	env_lock(&d->p2m.lock);
	for (n = 0; n < count && !find_alone(&d->p2m, gfn + n, &e) && NPT_TYPE(*e) == P2M_RAM; n++) {
		gone[n] = (uint32_t)npt_frame(*e, 0);
		forget(d, e, 1);
	}
	env_unlock(&d->p2m.lock);
	if (n)
		flush_others(d);
	for (uint64_t i = 0; i < n; i++)
		frame_put(gone[i]);
	return n;
}

bool p2m_teardown(struct domain *d, uint64_t *cursor, unsigned max)
{
	d->p2m.changes++; /* nobody looks any more: the domain is off every CPU */
	for (unsigned l; *cursor < GFN_LIMIT;) {
		/* Skip whole tables that are not there. */
		uint64_t *t = d->p2m.root;
		for (l = 3; l; l--) {
			uint64_t e = t[*cursor >> (9 * l) & 511];
			if (!e || (e & PTE_PS))
				break;
			t = phys_to_virt(e & PTE_ADDR);
		}
		uint64_t *e = &t[*cursor >> (9 * l) & 511];
		uint64_t span = 1UL << (9 * l);
		uint64_t count = *e && l == 1 ? SUPER_FRAMES : 1;

		if (*e) {
			if (max < count)
				return false;
			max -= (unsigned)count;
			for (uint64_t i = 0; i < count; i++)
				frame_put(npt_frame(*e, l) + i);
			if (NPT_TYPE(*e) == P2M_RAM)
				d->pages -= count;
			*e = 0;
		}
		*cursor = (*cursor | (span - 1)) + 1;
	}
	return true;
}
