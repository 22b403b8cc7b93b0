/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_*: the memory map, ballooning, and the placing of shared pages.
 *
 * A batched call does ABI_BATCH extents a pass. How far it came is kept where Xen keeps it, in the upper bits of the
 * command, and a guest that passes such a command itself starts there, which is harmless: extents are independent.
 */
#include <hv/hypercall.h>

#include "abi.h"
#include "layout.h"

#include <xen/memory.h>

#define OP_BITS 6
#define OP_MASK ((1u << OP_BITS) - 1)
#define EXTENTS_MAX (~0UL >> OP_BITS)
#define ORDER_MAX SUPER_ORDER

struct memory_call {
	struct vcpu *v;
	struct domain *d;
	struct hypercall_args *args;
	gva_t arg;
	uint64_t start; /* extents done in earlier passes */
};

static int64_t again_from(struct memory_call *c, uint64_t next)
{
	c->args->a[0] = (c->args->a[0] & OP_MASK) | next << OP_BITS;
	return HYPERCALL_AGAIN;
}

/* --- the map --- */

static int64_t op_memory_map(struct memory_call *c)
{
	struct hvm_memmap_table_entry map[GUEST_MEMMAP_MAX];
	struct xen_memory_map op;
	uint32_t n = layout_memmap(c->d->mem_bytes, map);

	if (gva_read(c->v, &op, c->arg, sizeof(op)))
		return -EFAULT;
	if (op.nr_entries < n)
		n = op.nr_entries;
	for (uint32_t i = 0; i < n; i++) {
		/* The e820 entry: the first 20 bytes of the boot ABI's one. */
		gva_t at = gva((uint64_t)(uintptr_t)op.buffer.p + i * 20);
		if (gva_write(c->v, at, &map[i], 20))
			return -EFAULT;
	}
	op.nr_entries = n;
	return gva_write(c->v, c->arg, &op, sizeof(op)) ? -EFAULT : 0;
}

static int64_t op_reservation_size(struct memory_call *c, bool maximum)
{
	domid_t domid;

	if (gva_read(c->v, &domid, c->arg, sizeof(domid)))
		return -EFAULT;
	int rc = abi_self(c->v, domid);
	if (rc)
		return rc;
	return (int64_t)(maximum ? c->d->mem_bytes >> PAGE_SHIFT : atomic_load(&c->d->pages));
}

static int64_t op_current_reservation(struct memory_call *c)
{
	return op_reservation_size(c, false);
}

static int64_t op_maximum_reservation(struct memory_call *c)
{
	return op_reservation_size(c, true);
}

static int64_t op_maximum_gpfn(struct memory_call *c)
{
	domid_t domid;

	if (gva_read(c->v, &domid, c->arg, sizeof(domid)))
		return -EFAULT;
	int rc = abi_self(c->v, domid);
	return rc ? rc : (int64_t)layout_max_gfn(c->d->mem_bytes);
}

/* --- ballooning --- */

/* A guest may not hold more RAM than it was promised. */
static bool take_extent(struct domain *d, uint64_t gfn, uint64_t count)
{
	uint64_t limit = d->mem_bytes >> PAGE_SHIFT;

	if (gfn + count < gfn || gfn + count > layout_max_gfn(d->mem_bytes) + 1 + limit)
		return false;
	if (atomic_load(&d->pages) + count > limit)
		return false;
	return p2m_populate(d, gfn, count) == 0;
}

static bool give_extent(struct domain *d, uint64_t gfn, uint64_t count)
{
	return p2m_remove_ram(d, gfn, count) == count;
}

/* Answers the number of extents done, as the ABI has it, also when one fails. */
static int64_t change_reservation(struct memory_call *c, bool (*one)(struct domain *, uint64_t, uint64_t))
{
	struct xen_memory_reservation op;

	if (gva_read(c->v, &op, c->arg, sizeof(op)))
		return (int64_t)c->start;
	int rc = abi_self(c->v, op.domid);
	if (rc)
		return rc;
	if (op.nr_extents > EXTENTS_MAX || op.extent_order > ORDER_MAX || c->start > op.nr_extents)
		return (int64_t)c->start;
	uint64_t frames = 1UL << op.extent_order;
	uint64_t pass_end = c->start + (frames > 1 ? 1 : ABI_BATCH);
	for (uint64_t i = c->start; i < op.nr_extents; i++) {
		xen_pfn_t gfn;
		if (i == pass_end)
			return again_from(c, i);
		if (gva_read(c->v, &gfn, gva((uint64_t)(uintptr_t)op.extent_start.p + i * 8), sizeof(gfn)))
			return (int64_t)i;
		if (!one(c->d, gfn, frames))
			return (int64_t)i;
	}
	return (int64_t)op.nr_extents;
}

static int64_t op_populate(struct memory_call *c)
{
	return change_reservation(c, take_extent);
}

static int64_t op_decrease(struct memory_call *c)
{
	return change_reservation(c, give_extent);
}

/* --- shared pages --- */

/* Make room at gfn: RAM there goes back to the machine, a shared page is unmapped, a foreign frame is in the way. */
static int clear_gfn(struct domain *d, uint64_t gfn)
{
	mfn_t mfn;

	switch (p2m_lookup(d, gfn, &mfn)) {
	case P2M_NONE:
		return 0;
	case P2M_RAM:
	case P2M_SPECIAL:
		return p2m_remove(d, gfn);
	default:
		return -EBUSY;
	}
}

/* A shared page has one place: mapping it again moves it. */
static void leave_old_gfn(struct domain *d, uint64_t gfn, mfn_t mfn)
{
	mfn_t there;

	if (gfn != INVALID_GFN && p2m_lookup(d, gfn, &there) == P2M_SPECIAL && there == mfn)
		p2m_remove(d, gfn);
}

static int add_to_physmap(struct domain *d, uint32_t space, uint64_t idx, uint64_t gfn)
{
	uint64_t old;
	mfn_t mfn;

	if (gfn > layout_max_gfn(d->mem_bytes) + (d->mem_bytes >> PAGE_SHIFT))
		return -EINVAL;
	switch (space) {
	case XENMAPSPACE_shared_info:
		if (idx != 0)
			return -EINVAL;
		old = evtchn_shared_gfn(d, gfn);
		mfn = page_mfn(d->shared_info);
		break;
	case XENMAPSPACE_grant_table: {
		int rc = idx > UINT32_MAX ? -EINVAL : grant_table_frame(d, (uint32_t)idx, gfn, &mfn, &old);
		if (rc)
			return rc;
		break;
	}
	default:
		return -EINVAL;
	}
	leave_old_gfn(d, old, mfn);
	int rc = clear_gfn(d, gfn);
	return rc ? rc : p2m_map_frame(d, gfn, mfn, P2M_SPECIAL);
}

static int64_t op_add_to_physmap(struct memory_call *c)
{
	struct xen_add_to_physmap op;

	if (gva_read(c->v, &op, c->arg, sizeof(op)))
		return -EFAULT;
	int rc = abi_self(c->v, op.domid);
	return rc ? rc : add_to_physmap(c->d, op.space, op.idx, op.gpfn);
}

static int64_t op_add_to_physmap_batch(struct memory_call *c)
{
	struct xen_add_to_physmap_batch op;

	if (gva_read(c->v, &op, c->arg, sizeof(op)))
		return -EFAULT;
	int rc = abi_self(c->v, op.domid);
	if (rc)
		return rc;
	for (uint64_t i = c->start; i < op.size; i++) {
		xen_ulong_t idx;
		xen_pfn_t gfn;
		if (i == c->start + ABI_BATCH)
			return again_from(c, i);
		if (gva_read(c->v, &idx, gva((uint64_t)(uintptr_t)op.idxs.p + i * 8), sizeof(idx)) ||
		    gva_read(c->v, &gfn, gva((uint64_t)(uintptr_t)op.gpfns.p + i * 8), sizeof(gfn)))
			return -EFAULT;
		int err = add_to_physmap(c->d, op.space, idx, gfn);
		if (gva_write(c->v, gva((uint64_t)(uintptr_t)op.errs.p + i * 4), &err, sizeof(err)))
			return -EFAULT;
	}
	return 0;
}

static int64_t op_remove_from_physmap(struct memory_call *c)
{
	struct xen_remove_from_physmap op;
	mfn_t mfn;

	if (gva_read(c->v, &op, c->arg, sizeof(op)))
		return -EFAULT;
	int rc = abi_self(c->v, op.domid);
	if (rc)
		return rc;
	/* A foreign frame is unmapped through its grant handle. */
	switch (p2m_lookup(c->d, op.gpfn, &mfn)) {
	case P2M_RAM:
	case P2M_SPECIAL:
		return p2m_remove(c->d, op.gpfn);
	default:
		return -EINVAL;
	}
}

typedef int64_t (*memory_op_fn)(struct memory_call *c);

static const memory_op_fn ops[] = {
	[XENMEM_decrease_reservation] = op_decrease,
	[XENMEM_current_reservation] = op_current_reservation,
	[XENMEM_maximum_reservation] = op_maximum_reservation,
	[XENMEM_populate_physmap] = op_populate,
	[XENMEM_add_to_physmap] = op_add_to_physmap,
	[XENMEM_memory_map] = op_memory_map,
	[XENMEM_maximum_gpfn] = op_maximum_gpfn,
	[XENMEM_remove_from_physmap] = op_remove_from_physmap,
	[XENMEM_add_to_physmap_batch] = op_add_to_physmap_batch,
};

int64_t do_memory_op(struct vcpu *v, struct hypercall_args *args)
{
	uint32_t cmd = (uint32_t)(args->a[0] & OP_MASK);
	struct memory_call c = {
		.v = v,
		.d = v->domain,
		.args = args,
		.arg = gva(args->a[1]),
		.start = args->a[0] >> OP_BITS,
	};

	if (cmd >= ENV_ARRAY_SIZE(ops) || !ops[cmd])
		return -ENOSYS;
	return ops[cmd](&c);
}
