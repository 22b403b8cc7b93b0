/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's map leads to: looking frames up for backends, hypercalls and faults, and filling lazy ones when they are touched. */
#include <string.h>

#include <hv/arch.h>
#include <hv/domain.h>

#include "p2m_priv.h"

void p2m_contents(const struct p2m *p2m, uint64_t start, uint8_t *va, uint64_t size)
{
	uint64_t done = 0;

	for (unsigned i = 0; i < p2m->nr_pieces; i++) {
		const struct p2m_piece *c = &p2m->piece[i];
		uint64_t from = c->start > start + done ? c->start - start : done;
		uint64_t to = c->start + c->size < start + size ? c->start + c->size - start : size;

		if (c->start + c->size <= start + done || from >= size)
			continue;
		memset(va + done, 0, from - done);
		memcpy(va + from, (const uint8_t *)c->bytes + (start + from - c->start), to - from);
		done = to;
	}
	memset(va + done, 0, size - done);
}

void p2m_materialise(struct p2m *p2m, uint64_t *e, uint64_t gfn, uint64_t max)
{
	uint64_t ready = LAZY_READY(*e), n = max < SUPER_FRAMES - ready ? max : SUPER_FRAMES - ready;
	mfn_t first = npt_frame(*e, 1);
	void *va = phys_to_virt((first + ready) << PAGE_SHIFT);

	if (*e & NPT_IMAGE)
		p2m_contents(p2m, ((gfn & ~(SUPER_FRAMES - 1)) + ready) << PAGE_SHIFT, va, n << PAGE_SHIFT);
	else
		memset(va, 0, n << PAGE_SHIFT);
	*e += n << PAGE_SHIFT;
	if (ready + n == SUPER_FRAMES) /* the count went over into the address */
		*e = ((*e - SUPER_SIZE) & ~(NPT_LAZY | NPT_IMAGE)) | PTE_P;
}

/* As p2m_find() down to level 0, by the hint. */
static uint64_t *find_leaf(struct p2m *p2m, uint64_t gfn, unsigned *level)
{
	uint64_t super = gfn / SUPER_FRAMES, *e;
	unsigned i = super % P2M_HINTS;

	if (p2m->hint[i].super != super + 1) {
		e = p2m_find(p2m, gfn, 1, false, level);
		if (!e)
			return NULL;
		p2m->hint[i].super = super + 1;
		p2m->hint[i].entry = e;
	}
	e = p2m->hint[i].entry;
	*level = 1;
	if (!*e || (*e & PTE_PS))
		return e;
	*level = 0;
	return (uint64_t *)phys_to_virt(*e & PTE_ADDR) + gfn % SUPER_FRAMES;
}

/* `max`: frames that may be filled now, if they have nothing in them yet. => p2m.lock is held. */
static enum p2m_type lookup_locked(struct p2m *p2m, uint64_t gfn, uint64_t max, mfn_t *mfn, bool *ready)
{
	unsigned level;
	uint64_t *e = gfn < GFN_LIMIT ? find_leaf(p2m, gfn, &level) : NULL;

	if (!e || !*e)
		return P2M_NONE;
	if ((*e & NPT_LAZY) && max)
		p2m_materialise(p2m, e, gfn, max);
	*ready = !(*e & NPT_LAZY);
	*mfn = npt_frame(*e, level) + (level ? gfn & (SUPER_FRAMES - 1) : 0);
	return NPT_TYPE(*e);
}

enum p2m_type p2m_lookup(struct domain *d, uint64_t gfn, mfn_t *mfn)
{
	bool ready;

	env_lock(&d->p2m.lock);
	enum p2m_type type = lookup_locked(&d->p2m, gfn, 0, mfn, &ready);
	env_unlock(&d->p2m.lock);
	return type;
}

/* What nearly every look is for: RAM with its contents in 2 MiB that the hint knows. NULL: lookup_locked() is to be asked. */
static inline void *ready_ram(const struct p2m *p2m, uint64_t gfn)
{
	uint64_t super = gfn / SUPER_FRAMES, e;
	unsigned i = super % P2M_HINTS;

	if (p2m->hint[i].super != super + 1)
		return NULL;
	e = *p2m->hint[i].entry;
	if ((e & (PTE_P | PTE_PS)) != (PTE_P | PTE_PS) || NPT_TYPE(e) != P2M_RAM)
		return NULL;
	return phys_to_virt((e & PTE_ADDR) + (gfn % SUPER_FRAMES << PAGE_SHIFT));
}

void *p2m_peek(struct domain *d, uint64_t gfn, bool write)
{
	bool ready;
	mfn_t mfn;
	void *ram = ready_ram(&d->p2m, gfn);
	if (ram)
		return ram;
	enum p2m_type type = lookup_locked(&d->p2m, gfn, SUPER_FRAMES, &mfn, &ready);

	return type == P2M_NONE || (write && type == P2M_FOREIGN_RO) ? NULL : phys_to_virt(mfn << PAGE_SHIFT);
}

void *p2m_peek_ram(struct domain *d, uint64_t gfn)
{
	bool ready;
	mfn_t mfn;
	void *ram = ready_ram(&d->p2m, gfn);

	if (ram)
		return ram;
	return lookup_locked(&d->p2m, gfn, SUPER_FRAMES, &mfn, &ready) == P2M_RAM ? phys_to_virt(mfn << PAGE_SHIFT) : NULL;
}

void *p2m_get_page(struct domain *d, uint64_t gfn, bool write)
{
	env_lock(&d->p2m.lock);
	void *page = p2m_peek(d, gfn, write);
	if (page)
		frame_get(((uint64_t)page - DIRECTMAP_BASE) >> PAGE_SHIFT);
	env_unlock(&d->p2m.lock);
	return page;
}

/* Fill a few frames of a lazy piece. => what is there, and whether it has its contents. */
static enum p2m_type fill_some(struct domain *d, uint64_t gfn, bool *ready)
{
	mfn_t mfn;

	*ready = true;
	env_lock(&d->p2m.lock);
	enum p2m_type type = lookup_locked(&d->p2m, gfn, LAZY_STEP, &mfn, ready);
	env_unlock(&d->p2m.lock);
	return type;
}

void p2m_fill(struct domain *d, uint64_t gfn)
{
	for (bool ready = false; !ready; arch_irq_window())
		fill_some(d, gfn, &ready);
}

bool p2m_fault(struct domain *d, uint64_t gfn, bool write)
{
	bool ready;

	for (;;) {
		enum p2m_type type = fill_some(d, gfn, &ready);
		if (type == P2M_NONE || (write && type == P2M_FOREIGN_RO))
			return false;
		if (ready)
			return true;
		/* What an interrupt brings goes first: the guest faults again and it goes on from here. */
		arch_irq_window();
		if (atomic_load(&this_cpu()->softirq_pending) || atomic_load(&this_cpu()->need_resched))
			return true;
	}
}
