/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GNTTABOP_copy: bytes from one frame to another, each named by a grant of some domain or by the caller's own frame
 * number. Both ends are pinned or referenced for the copy only; no lock is held while bytes move.
 */
#include <string.h>

#include "grant_priv.h"

struct copy_end {
	struct domain *owner; /* referenced; NULL: the caller's own frame */
	uint32_t ref;
	bool write;
	uint8_t *page;        /* referenced */
};

static int end_open_ref(struct domain *self, const struct gnttab_copy_ptr *p, struct copy_end *e)
{
	struct domain *owner = domain_get(p->domid == DOMID_SELF ? self->id : p->domid);

	if (!owner)
		return GNTST_bad_domain;
	int status = grant_pin(owner, p->u.ref, self->id, e->write, &e->page);
	if (status != GNTST_okay) {
		domain_put(owner);
		return status;
	}
	e->owner = owner;
	e->ref = p->u.ref;
	return GNTST_okay;
}

static int end_open(struct domain *self, const struct gnttab_copy_ptr *p, bool by_ref, struct copy_end *e)
{
	if (by_ref)
		return end_open_ref(self, p, e);
	if (p->domid != DOMID_SELF && p->domid != self->id)
		return GNTST_permission_denied;
	e->page = p2m_get_page(self, p->u.gmfn, e->write);
	return e->page ? GNTST_okay : GNTST_bad_page;
}

static void end_close(struct copy_end *e)
{
	if (!e->page)
		return;
	if (e->owner) {
		grant_unpin(e->owner, e->ref, e->write);
		domain_put(e->owner);
	}
	put_page(e->page);
}

static int16_t copy_one(struct domain *self, const struct gnttab_copy *op)
{
	struct copy_end from = { .write = false }, to = { .write = true };

	if (op->flags & ~(GNTCOPY_source_gref | GNTCOPY_dest_gref))
		return GNTST_bad_copy_arg;
	if ((uint32_t)op->source.offset + op->len > PAGE_SIZE || (uint32_t)op->dest.offset + op->len > PAGE_SIZE)
		return GNTST_bad_copy_arg;
	int status = end_open(self, &op->source, op->flags & GNTCOPY_source_gref, &from);
	if (status == GNTST_okay)
		status = end_open(self, &op->dest, op->flags & GNTCOPY_dest_gref, &to);
	if (status == GNTST_okay)
		memmove(to.page + op->dest.offset, from.page + op->source.offset, op->len);
	end_close(&to);
	end_close(&from);
	return (int16_t)status;
}

int grant_copy_batch(struct vcpu *v, gva_t ops, uint32_t n, uint32_t *done)
{
	for (; *done < n; ++*done, ops.v += sizeof(struct gnttab_copy)) {
		struct gnttab_copy op;
		if (gva_read(v, &op, ops, sizeof(op)))
			return -EFAULT;
		op.status = copy_one(v->domain, &op);
		gva_t where = gva(ops.v + offsetof(struct gnttab_copy, status));
		if (gva_write(v, where, &op.status, sizeof(op.status)))
			return -EFAULT;
	}
	return 0;
}
