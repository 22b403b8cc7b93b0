/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant tables, version 1: the shared entries, who has pinned which, and the borrow that backends use.
 *
 * A shared entry is written by the guest at any time. It is read as one 32-bit word (flags and domain), checked, and
 * pinned by a compare-and-swap that sets its "reading" or "writing" flag: the guest cannot end the grant while that is
 * set. The counts behind the flags are in our own memory (struct grant_active), so that nothing the guest writes changes
 * how often a frame is released. The frame of the first pin is the frame of all pins of that entry until the last goes.
 *
 * Only RAM of the domain's own is lent: a frame that it has mapped from a third one is not its to give, and SPECIAL pages
 * are the hypervisor's.
 *
 * Locks: d->grant_lock for the table of d; p2m.lock inside it (gfn_get_page). Never two domains' grant locks at once.
 * Life: one frame of 512 entries at first, more when the guest maps them, at most 64. After grant_destroy() a borrower
 * keeps the frame alone.
 */
#include <hv/hypercall.h>

#include <errno.h>
#include <string.h>

#include "grant_priv.h"

#define PIN_MAX 0xffff
#define CMPXCHG_TRIES 8

static_assert(sizeof(struct grant_entry_v1) == 8, "version 1 entry");

/* --- entries --- */

struct entry_ref {
	struct grant_entry_v1 *shared;
	struct grant_active *active;
};

static bool entry_find(struct domain *d, uint32_t ref, struct entry_ref *e)
{
	struct grant_table *t = d->grant;

	ASSERT(lock_is_held(&d->grant_lock));
	if (!t || ref >= t->nr_frames * GRANT_PER_FRAME)
		return false;
	e->shared = &t->shared[ref / GRANT_PER_FRAME][ref % GRANT_PER_FRAME];
	e->active = &t->active[ref / GRANT_PER_FRAME][ref % GRANT_PER_FRAME];
	return true;
}

/* Set the in-use flags in the shared entry, if it allows what is asked. */
static int entry_mark(struct grant_entry_v1 *shared, uint16_t domid, bool write)
{
	uint32_t *word = (uint32_t *)shared;
	uint32_t old = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < CMPXCHG_TRIES; i++) {
		uint32_t flags = old & 0xffff;
		if ((flags & GTF_type_mask) != GTF_permit_access || old >> 16 != domid)
			return GNTST_general_error;
		if (write && (flags & GTF_readonly))
			return GNTST_general_error;
		uint32_t new = old | GTF_reading | (write ? GTF_writing : 0);
		if (__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return GNTST_okay;
	}
	/* Somebody rewrites the entry all the time. */
	return GNTST_general_error;
}

static void entry_unmark(struct grant_entry_v1 *shared, uint16_t flags)
{
	__atomic_fetch_and(&shared->flags, (uint16_t)~flags, __ATOMIC_RELEASE);
}

/* The first pin of an entry: mark it, find its frame. */
static int pin_first(struct domain *d, struct entry_ref *e, uint16_t domid, bool write)
{
	int status = entry_mark(e->shared, domid, write);

	if (status != GNTST_okay)
		return status;
	uint32_t frame = __atomic_load_n(&e->shared->frame, __ATOMIC_RELAXED);
	uint8_t *page = gfn_get_page(d, frame);
	if (!page) {
		entry_unmark(e->shared, GTF_reading | GTF_writing);
		return GNTST_bad_page;
	}
	e->active->page = page;
	e->active->domid = domid;
	return GNTST_okay;
}

/* A further pin: same domain, same frame. Only a first writer has to ask the entry again. */
static int pin_again(struct entry_ref *e, uint16_t domid, bool write)
{
	struct grant_active *a = e->active;

	if (a->domid != domid || a->readers == PIN_MAX || a->writers == PIN_MAX)
		return GNTST_general_error;
	if (write && !a->writers) {
		int status = entry_mark(e->shared, domid, true);
		if (status != GNTST_okay)
			return status;
	}
	frame_get(page_mfn(a->page));
	return GNTST_okay;
}

int grant_pin(struct domain *d, uint32_t ref, uint16_t domid, bool write, uint8_t **page)
{
	struct entry_ref e;
	int status = GNTST_bad_gntref;

	env_lock(&d->grant_lock);
	if (entry_find(d, ref, &e)) {
		struct grant_active *a = e.active;
		bool first = !a->readers && !a->writers;
		status = first ? pin_first(d, &e, domid, write) : pin_again(&e, domid, write);
		if (status == GNTST_okay) {
			*(write ? &a->writers : &a->readers) += 1;
			*page = a->page;
		}
	}
	env_unlock(&d->grant_lock);
	return status;
}

void grant_unpin(struct domain *d, uint32_t ref, bool write)
{
	struct entry_ref e;

	env_lock(&d->grant_lock);
	if (entry_find(d, ref, &e)) {
		struct grant_active *a = e.active;
		uint16_t *count = write ? &a->writers : &a->readers;
		ASSERT(*count);
		--*count;
		if (write && !a->writers)
			entry_unmark(e.shared, GTF_writing);
		if (!a->readers && !a->writers) {
			a->page = NULL;
			entry_unmark(e.shared, GTF_reading);
		}
	}
	env_unlock(&d->grant_lock);
}

/* --- backends --- */

int grant_borrow(struct domain *d, uint32_t ref, bool write, struct grant_use *out)
{
	uint8_t *page;

	switch (grant_pin(d, ref, 0, write, &page)) {
	case GNTST_okay:
		*out = (struct grant_use){ .va = page, .pa = virt_to_phys(page), .ref = ref, .write = write };
		return 0;
	case GNTST_bad_page:
		return -EFAULT;
	case GNTST_bad_gntref:
		return -EINVAL;
	default:
		return -EACCES;
	}
}

void grant_release(struct domain *d, struct grant_use *use)
{
	grant_unpin(d, use->ref, use->write);
	put_page(use->va);
	use->va = NULL;
}

/* Copy with the entry marked and the frame's place in the map held, in one go. => 1: in use already, borrow it instead. */
static int copy_unused(struct domain *d, uint32_t ref, uint32_t off, void *buf, uint32_t n, bool write)
{
	struct entry_ref e;
	int ret = -EINVAL;

	env_lock(&d->grant_lock);
	if (!entry_find(d, ref, &e)) {
		;
	} else if (e.active->readers || e.active->writers) {
		ret = 1;
	} else if (entry_mark(e.shared, 0, write) != GNTST_okay) {
		ret = -EACCES;
	} else {
		env_lock(&d->p2m.lock);
		uint8_t *page = p2m_peek_ram(d, __atomic_load_n(&e.shared->frame, __ATOMIC_RELAXED));
		if (page)
			memcpy(write ? page + off : buf, write ? buf : page + off, n);
		env_unlock(&d->p2m.lock);
		entry_unmark(e.shared, GTF_reading | GTF_writing);
		ret = page ? 0 : -EFAULT;
	}
	env_unlock(&d->grant_lock);
	return ret;
}

int grant_copy(struct domain *d, uint32_t ref, uint32_t off, void *buf, uint32_t n, bool write)
{
	struct grant_use use;
	int ret;

	ASSERT(off <= PAGE_SIZE && n <= PAGE_SIZE - off);
	ret = copy_unused(d, ref, off, buf, n, write);
	if (ret != 1)
		return ret;
	ret = grant_borrow(d, ref, write, &use);
	if (ret)
		return ret;
	memcpy(write ? use.va + off : buf, write ? buf : use.va + off, n);
	grant_release(d, &use);
	return 0;
}

/* --- the table itself --- */

/* => d->grant_lock, or the domain is new */
static int grow_by_one(struct grant_table *t)
{
	uint32_t n = t->nr_frames;
	struct grant_entry_v1 *shared = shared_page_alloc();
	struct grant_active *active = env_alloc(GRANT_PER_FRAME * sizeof(*active));

	if (!shared || !active) {
		if (shared)
			put_page(shared);
		env_free(active, GRANT_PER_FRAME * sizeof(*active));
		return -ENOMEM;
	}
	t->shared[n] = shared;
	t->active[n] = active;
	t->gfn[n] = INVALID_GFN;
	t->nr_frames = n + 1;
	return 0;
}

static int grow_to(struct grant_table *t, uint32_t frames)
{
	if (frames > GRANT_FRAMES_MAX)
		return -EINVAL;
	while (t->nr_frames < frames) {
		int rc = grow_by_one(t);
		if (rc)
			return rc;
	}
	return 0;
}

int grant_table_frame(struct domain *d, uint32_t index, uint64_t new_gfn, mfn_t *mfn, uint64_t *old_gfn)
{
	struct grant_table *t;
	int rc = -EINVAL;

	env_lock(&d->grant_lock);
	t = d->grant;
	if (t && index < GRANT_FRAMES_MAX)
		rc = grow_to(t, index + 1);
	if (!rc) {
		*mfn = page_mfn(t->shared[index]);
		*old_gfn = t->gfn[index];
		t->gfn[index] = new_gfn;
	}
	env_unlock(&d->grant_lock);
	return rc;
}

int grant_init(struct domain *d)
{
	struct grant_table *t = env_alloc(sizeof(*t));

	if (!t)
		return -ENOMEM;
	int rc = grow_by_one(t);
	if (rc)
		env_free(t, sizeof(*t));
	else
		d->grant = t;
	return rc;
}

void grant_destroy(struct domain *d)
{
	struct grant_table *t = d->grant;

	if (!t)
		return;
	grant_map_destroy(d, t);
	env_lock(&d->grant_lock);
	d->grant = NULL;
	env_unlock(&d->grant_lock);
	for (uint32_t i = 0; i < t->nr_frames; i++) {
		/* The guest's map may hold it still. */
		put_page(t->shared[i]);
		env_free(t->active[i], GRANT_PER_FRAME * sizeof(struct grant_active));
	}
	env_free(t, sizeof(*t));
}

/* --- the hypercall --- */

static int16_t self_status(const struct vcpu *v, uint16_t domid)
{
	switch (abi_self(v, domid)) {
	case 0:
		return GNTST_okay;
	case -ESRCH:
		return GNTST_bad_domain;
	default:
		return GNTST_permission_denied;
	}
}

/* The list of frames is for guests that map machine frames; one with a map of its own gets zeroes. */
static int64_t setup_table(struct vcpu *v, gva_t at)
{
	struct gnttab_setup_table op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	op.status = self_status(v, op.dom);
	if (op.status == GNTST_okay) {
		struct domain *d = v->domain;
		env_lock(&d->grant_lock);
		if (grow_to(d->grant, op.nr_frames))
			op.status = GNTST_general_error;
		env_unlock(&d->grant_lock);
	}
	uint64_t none = 0;
	for (uint32_t i = 0; op.status == GNTST_okay && i < op.nr_frames; i++) {
		if (gva_write(v, gva((uint64_t)(uintptr_t)op.frame_list.p + i * 8), &none, sizeof(none)))
			return -EFAULT;
	}
	return gva_write(v, at, &op, sizeof(op)) ? -EFAULT : 0;
}

static int64_t query_size(struct vcpu *v, gva_t at)
{
	struct gnttab_query_size op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	op.status = self_status(v, op.dom);
	if (op.status == GNTST_okay) {
		op.nr_frames = v->domain->grant->nr_frames;
		op.max_nr_frames = GRANT_FRAMES_MAX;
	}
	return gva_write(v, at, &op, sizeof(op)) ? -EFAULT : 0;
}

static int64_t get_version(struct vcpu *v, gva_t at)
{
	struct gnttab_get_version op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	int rc = abi_self(v, op.dom);
	if (rc)
		return rc;
	op.version = 1;
	return gva_write(v, at, &op, sizeof(op)) ? -EFAULT : 0;
}

/* Asking for version 2 answers as Xen does where the limit is version 1: the version in force, and ENOSYS. */
static int64_t set_version(struct vcpu *v, gva_t at)
{
	struct gnttab_set_version op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	int rc = op.version == 1 ? 0 : op.version == 2 ? -ENOSYS : -EINVAL;
	op.version = 1;
	return gva_write(v, at, &op, sizeof(op)) ? -EFAULT : rc;
}

struct grant_single {
	int64_t (*fn)(struct vcpu *v, gva_t at);
};

struct grant_batch {
	int (*fn)(struct vcpu *v, gva_t ops, uint32_t n, uint32_t *done);
	uint32_t size;
};

/* Operations on one argument: exactly one, or none with -EINVAL. */
static const struct grant_single singles[] = {
	[GNTTABOP_setup_table] = { setup_table },
	[GNTTABOP_query_size] = { query_size },
	[GNTTABOP_set_version] = { set_version },
	[GNTTABOP_get_version] = { get_version },
};

static const struct grant_batch batches[] = {
	[GNTTABOP_map_grant_ref] = { grant_map_batch, sizeof(struct gnttab_map_grant_ref) },
	[GNTTABOP_unmap_grant_ref] = { grant_unmap_batch, sizeof(struct gnttab_unmap_grant_ref) },
	[GNTTABOP_copy] = { grant_copy_batch, sizeof(struct gnttab_copy) },
};

int64_t do_grant_table_op(struct vcpu *v, struct hypercall_args *args)
{
	uint32_t cmd = (uint32_t)args->a[0];
	uint32_t count = (uint32_t)args->a[2];
	uint32_t done = 0;

	if ((int32_t)count < 0)
		return -EINVAL;
	if (cmd < ENV_ARRAY_SIZE(singles) && singles[cmd].fn)
		return count == 1 ? singles[cmd].fn(v, gva(args->a[1])) : -EINVAL;
	if (cmd >= ENV_ARRAY_SIZE(batches) || !batches[cmd].fn)
		return -ENOSYS;
	int rc = batches[cmd].fn(v, gva(args->a[1]), count < ABI_BATCH ? count : ABI_BATCH, &done);
	if (rc)
		return rc;
	args->a[1] += (uint64_t)done * batches[cmd].size;
	args->a[2] = count - done;
	return args->a[2] ? HYPERCALL_AGAIN : 0;
}
