/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/log.h>

#include <common/frame.h>
#include <common/layout.h>

struct domain *domains[MAX_DOMAINS];
struct env_lock domains_lock;

static _Atomic unsigned frames_alive, domains_alive;

/* A frame and, in the page behind it, its count. */
struct frame_tail {
	_Atomic uint32_t refs;
};

struct paper_map {
	struct {
		mfn_t mfn;
		enum p2m_type type;
	} e[MACHINE_GFNS];
	uint8_t virt[MACHINE_VCPUS][MACHINE_VIRT];
};

static struct paper_map *map_of(struct domain *d)
{
	return (struct paper_map *)d->p2m.root;
}

/* Where a guest frame is in the array: the console's page is the last; MACHINE_GFNS: not known. */
static uint64_t slot(uint64_t gfn)
{
	if (gfn == GUEST_CONSOLE_GFN)
		return MACHINE_GFNS - 1;
	return gfn < MACHINE_GFNS - 1 ? gfn : MACHINE_GFNS;
}

/* --- frames --- */

static struct frame_tail *tail(mfn_t mfn)
{
	return (struct frame_tail *)((mfn << PAGE_SHIFT) + PAGE_SIZE);
}

paddr_t frame_alloc_zeroed(void)
{
	void *p = env_alloc(2 * PAGE_SIZE);

	if (!p)
		return INVALID_PADDR;
	frames_alive++;
	tail((paddr_t)p >> PAGE_SHIFT)->refs = 1;
	return (paddr_t)p;
}

void frame_get(mfn_t mfn)
{
	assert(tail(mfn)->refs);
	tail(mfn)->refs++;
}

void frame_put(mfn_t mfn)
{
	assert(tail(mfn)->refs);
	if (--tail(mfn)->refs == 0) {
		frames_alive--;
		env_free((void *)(mfn << PAGE_SHIFT), 2 * PAGE_SIZE);
	}
}

void put_page(void *page)
{
	frame_put((uint64_t)page >> PAGE_SHIFT);
}

unsigned machine_frames(void)
{
	return frames_alive;
}

unsigned machine_domains(void)
{
	return domains_alive;
}

/* --- maps --- */

enum p2m_type p2m_lookup(struct domain *d, uint64_t gfn, mfn_t *mfn)
{
	uint64_t at = slot(gfn);
	enum p2m_type type = P2M_NONE;

	env_lock(&d->p2m.lock);
	if (at < MACHINE_GFNS) {
		type = map_of(d)->e[at].type;
		*mfn = map_of(d)->e[at].mfn;
	}
	env_unlock(&d->p2m.lock);
	return type;
}

int p2m_map_frame(struct domain *d, uint64_t gfn, mfn_t mfn, enum p2m_type type)
{
	uint64_t at = slot(gfn);
	int rc = 0;

	if (at >= MACHINE_GFNS)
		return -EINVAL;
	env_lock(&d->p2m.lock);
	if (map_of(d)->e[at].type != P2M_NONE) {
		rc = -EBUSY;
	} else {
		frame_get(mfn);
		map_of(d)->e[at].mfn = mfn;
		map_of(d)->e[at].type = type;
	}
	env_unlock(&d->p2m.lock);
	return rc;
}

int p2m_populate(struct domain *d, uint64_t gfn, uint64_t count)
{
	for (uint64_t i = gfn; i < gfn + count; i++) {
		if (i >= MACHINE_GFNS)
			return -EINVAL;
		paddr_t pa = frame_alloc_zeroed();
		if (pa == INVALID_PADDR)
			return -ENOMEM;
		int rc = p2m_map_frame(d, i, pa >> PAGE_SHIFT, P2M_RAM);
		frame_put(pa >> PAGE_SHIFT);
		if (rc)
			return -EEXIST;
		d->pages++;
	}
	return 0;
}

int p2m_remove(struct domain *d, uint64_t gfn)
{
	uint64_t at = slot(gfn);
	mfn_t mfn = 0;

	if (at >= MACHINE_GFNS)
		return -ENOENT;
	env_lock(&d->p2m.lock);
	enum p2m_type type = map_of(d)->e[at].type;
	mfn = map_of(d)->e[at].mfn;
	map_of(d)->e[at].type = P2M_NONE;
	env_unlock(&d->p2m.lock);
	if (type == P2M_NONE)
		return -ENOENT;
	if (type == P2M_RAM)
		d->pages--;
	frame_put(mfn);
	return 0;
}

uint64_t p2m_remove_ram(struct domain *d, uint64_t gfn, uint64_t count)
{
	uint64_t n = 0;
	mfn_t mfn;

	while (n < count && p2m_lookup(d, gfn + n, &mfn) == P2M_RAM && !p2m_remove(d, gfn + n))
		n++;
	return n;
}

void *p2m_get_page(struct domain *d, uint64_t gfn, bool write)
{
	uint64_t at = slot(gfn);
	void *page = NULL;

	if (at >= MACHINE_GFNS)
		return NULL;
	env_lock(&d->p2m.lock);
	enum p2m_type type = map_of(d)->e[at].type;
	if (type != P2M_NONE && !(write && type == P2M_FOREIGN_RO)) {
		frame_get(map_of(d)->e[at].mfn);
		page = phys_to_virt(map_of(d)->e[at].mfn << PAGE_SHIFT);
	}
	env_unlock(&d->p2m.lock);
	return page;
}

void *p2m_peek_ram(struct domain *d, uint64_t gfn)
{
	uint64_t at = slot(gfn);

	assert(__atomic_load_n((const unsigned char *)&d->p2m.lock.held, __ATOMIC_RELAXED));
	if (at >= MACHINE_GFNS || map_of(d)->e[at].type != P2M_RAM)
		return NULL;
	return phys_to_virt(map_of(d)->e[at].mfn << PAGE_SHIFT);
}

void *gfn_get_page(struct domain *d, uint64_t gfn)
{
	env_lock(&d->p2m.lock);
	void *page = p2m_peek_ram(d, gfn);
	if (page)
		frame_get((uint64_t)page >> PAGE_SHIFT);
	env_unlock(&d->p2m.lock);
	return page;
}

/* --- virtual memory --- */

uint8_t *machine_virt(struct vcpu *v)
{
	return map_of(v->domain)->virt[v->id];
}

/* No lock may be held over these: the real ones walk page tables. */
static bool reachable(struct vcpu *v, uint64_t at, size_t n)
{
	return at <= MACHINE_VIRT && n <= MACHINE_VIRT - at;
}

int gva_read(struct vcpu *v, void *dst, gva_t src, size_t n)
{
	if (!reachable(v, src.v, n))
		return -EFAULT;
	memcpy(dst, machine_virt(v) + src.v, n);
	return 0;
}

static bool watch_leaks;

void machine_watch_leaks(bool on)
{
	watch_leaks = on;
}

static bool has_pattern(const uint8_t *p, size_t n)
{
	for (size_t i = 2; i < n; i++) {
		if (p[i - 2] == 0xaa && p[i - 1] == 0xaa && p[i] == 0xaa)
			return true;
	}
	return false;
}

int gva_write(struct vcpu *v, gva_t dst, const void *src, size_t n)
{
	assert(!watch_leaks || !has_pattern(src, n));
	if (!reachable(v, dst.v, n))
		return -EFAULT;
	memcpy(machine_virt(v) + dst.v, src, n);
	return 0;
}

/* --- domains --- */

struct domain *domain_get(uint16_t id)
{
	struct domain *d = NULL;

	env_lock(&domains_lock);
	if (id < MAX_DOMAINS && domains[id])
		d = domain_ref(domains[id]);
	env_unlock(&domains_lock);
	return d;
}

static void domain_free(struct domain *d)
{
	for (uint32_t i = 0; i < d->nr_vcpus; i++) {
		vcpu_info_destroy(d->vcpus[i]);
		env_free(d->vcpus[i], sizeof(struct vcpu));
	}
	grant_destroy(d);
	evtchn_destroy(d);
	if (d->shared_info)
		put_page(d->shared_info);
	env_free(map_of(d), sizeof(struct paper_map));
	env_free(d, sizeof(*d));
	domains_alive--;
}

void domain_put(struct domain *d)
{
	if (atomic_fetch_sub(&d->refs, 1) == 1)
		domain_free(d);
}

void domain_shutdown(struct domain *d, enum domain_stop reason)
{
	d->stop_reason = reason;
	d->state = DOM_SHUTDOWN;
}

static void forget_ram(struct domain *d)
{
	for (uint64_t gfn = 0; gfn < MACHINE_GFNS - 1; gfn++)
		p2m_remove(d, gfn);
	p2m_remove(d, GUEST_CONSOLE_GFN);
}

static int add_vcpu(struct domain *d)
{
	struct vcpu *v = env_alloc(sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->id = d->nr_vcpus;
	v->domain = d;
	v->running_on = -1;
	v->up = true;
	d->vcpus[d->nr_vcpus++] = v;
	vcpu_info_init(v);
	return 0;
}

static int furnish(struct domain *d)
{
	d->p2m.root = env_alloc(sizeof(struct paper_map));
	paddr_t shared = d->p2m.root ? frame_alloc_zeroed() : INVALID_PADDR;
	if (shared == INVALID_PADDR)
		return -ENOMEM;
	d->shared_info = phys_to_virt(shared);
	int rc = evtchn_init(d);
	if (!rc)
		rc = grant_init(d);
	for (int i = 0; i < MACHINE_VCPUS && !rc; i++)
		rc = add_vcpu(d);
	if (!rc)
		rc = p2m_populate(d, 0, MACHINE_RAM);
	if (!rc)
		rc = console_init(d);
	return rc;
}

struct domain *machine_domain(uint16_t id)
{
	struct domain *d = env_alloc(sizeof(*d));

	if (!d)
		return NULL;
	domains_alive++;
	d->id = id;
	d->refs = 1;
	d->mem_bytes = MACHINE_RAM * PAGE_SIZE;
	snprintf(d->name, sizeof(d->name), "dom%u", id);
	if (furnish(d)) {
		if (d->console)
			console_destroy(d);
		if (d->p2m.root)
			forget_ram(d);
		domain_put(d);
		return NULL;
	}
	wallclock_update(d);
	d->state = DOM_RUNNING;
	env_lock(&domains_lock);
	domains[id] = d;
	env_unlock(&domains_lock);
	return d;
}

void machine_destroy(struct domain *d)
{
	env_lock(&domains_lock);
	domains[d->id] = NULL;
	env_unlock(&domains_lock);
	d->state = DOM_DYING;
	console_destroy(d);
	evtchn_destroy(d);
	grant_destroy(d);
	watchdog_destroy(d);
	forget_ram(d);
	domain_put(d);
}

/* --- calls --- */

static void assert_free(const struct env_lock *l)
{
	assert(!__atomic_load_n((const unsigned char *)&l->held, __ATOMIC_RELAXED));
}

int64_t machine_call(struct vcpu *v, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, bool alone)
{
	struct hypercall_args args = { .a = { a0, a1, a2, ~0UL, ~0UL, ~0UL } };
	int64_t rc;
	unsigned passes = 0;

	do {
		rc = hypercall_dispatch(v, nr, &args);
		for (unsigned i = 0; alone && i < 8; i++) {
			if (!domains[i])
				continue;
			assert_free(&domains[i]->lock);
			assert_free(&domains[i]->grant_lock);
			assert_free(&domains[i]->p2m.lock);
		}
	} while (rc == HYPERCALL_AGAIN && ++passes < 4096 && v->domain->state == DOM_RUNNING);
	return rc;
}
