/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping another domain's granted frame into one's own guest-physical space, and taking it out again.
 *
 * The mapper keeps a handle for each map: who owns the frame, which entry, where it is. The handle holds a reference on
 * the owner's struct, so a domain that dies and another that takes its number are never confused; the frame itself is
 * held by the entry in the mapper's map. A handle is taken under the mapper's grant_lock (`busy`) and worked on without
 * it, since the owner's grant_lock is needed for the pin.
 */
#include "grant_priv.h"

static struct grant_map *map_at(struct grant_table *t, uint32_t handle)
{
	struct grant_map *chunk = handle / MAPTRACK_CHUNK < MAPTRACK_CHUNKS ? t->maps[handle / MAPTRACK_CHUNK] : NULL;

	return chunk ? &chunk[handle % MAPTRACK_CHUNK] : NULL;
}

/* Reserve a handle; GNTST_no_device_space when there is none. */
static int map_take(struct domain *d, struct domain *owner, uint32_t *handle)
{
	struct grant_table *t = d->grant;
	int status = GNTST_no_device_space;

	env_lock(&d->grant_lock);
	for (uint32_t h = 0; h < MAPTRACK_CHUNK * MAPTRACK_CHUNKS; h++) {
		struct grant_map **chunk = &t->maps[h / MAPTRACK_CHUNK];
		if (!*chunk && !(*chunk = env_alloc(MAPTRACK_CHUNK * sizeof(**chunk))))
			break;
		struct grant_map *m = &(*chunk)[h % MAPTRACK_CHUNK];
		if (!m->owner) {
			*m = (struct grant_map){ .owner = domain_ref(owner), .busy = true };
			t->nr_maps++;
			*handle = h;
			status = GNTST_okay;
			break;
		}
	}
	env_unlock(&d->grant_lock);
	return status;
}

static void map_drop(struct domain *d, uint32_t handle)
{
	env_lock(&d->grant_lock);
	struct grant_map *m = map_at(d->grant, handle);
	struct domain *owner = m->owner;
	m->owner = NULL;
	d->grant->nr_maps--;
	env_unlock(&d->grant_lock);
	domain_put(owner);
}

static void map_publish(struct domain *d, uint32_t handle, uint64_t gfn, uint32_t ref, bool write)
{
	env_lock(&d->grant_lock);
	struct grant_map *m = map_at(d->grant, handle);
	m->gfn = gfn;
	m->ref = ref;
	m->write = write;
	m->busy = false;
	env_unlock(&d->grant_lock);
}

static int map_into(struct domain *d, struct domain *owner, struct gnttab_map_grant_ref *op)
{
	bool write = !(op->flags & GNTMAP_readonly);
	uint64_t gfn = op->host_addr >> PAGE_SHIFT;
	uint32_t handle;
	uint8_t *page;

	int status = map_take(d, owner, &handle);
	if (status != GNTST_okay)
		return status;
	status = grant_pin(owner, op->ref, d->id, write, &page);
	if (status != GNTST_okay) {
		map_drop(d, handle);
		return status;
	}
	int rc = p2m_map_frame(d, gfn, page_mfn(page), write ? P2M_FOREIGN_RW : P2M_FOREIGN_RO);
	if (rc)
		grant_unpin(owner, op->ref, write);
	put_page(page);
	if (rc) {
		map_drop(d, handle);
		return rc == -ENOMEM ? GNTST_no_space : GNTST_general_error;
	}
	map_publish(d, handle, gfn, op->ref, write);
	op->handle = handle;
	op->dev_bus_addr = 0;
	return GNTST_okay;
}

static int16_t map_one(struct domain *d, struct gnttab_map_grant_ref *op)
{
	const uint32_t known = GNTMAP_host_map | GNTMAP_readonly;

	if (!(op->flags & GNTMAP_host_map) || (op->flags & ~known))
		return GNTST_bad_gntref;
	if (op->host_addr & ~PAGE_MASK)
		return GNTST_bad_virt_addr;
	struct domain *owner = domain_get(op->dom == DOMID_SELF ? d->id : op->dom);
	if (!owner)
		return GNTST_bad_domain;
	int status = map_into(d, owner, op);
	domain_put(owner);
	return (int16_t)status;
}

int grant_map_batch(struct vcpu *v, gva_t ops, uint32_t n, uint32_t *done)
{
	for (; *done < n; ++*done, ops.v += sizeof(struct gnttab_map_grant_ref)) {
		struct gnttab_map_grant_ref op;
		if (gva_read(v, &op, ops, sizeof(op)))
			return -EFAULT;
		op.status = map_one(v->domain, &op);
		if (gva_write(v, ops, &op, sizeof(op)))
			return -EFAULT;
	}
	return 0;
}

/* Take the handle for an unmap, so that a second one finds it gone. */
static int unmap_take(struct domain *d, uint32_t handle, uint64_t host_addr, struct grant_map *out)
{
	int status = GNTST_bad_handle;

	env_lock(&d->grant_lock);
	struct grant_map *m = map_at(d->grant, handle);
	if (m && m->owner && !m->busy) {
		status = GNTST_general_error;
		if (m->gfn == host_addr >> PAGE_SHIFT) {
			m->busy = true;
			*out = *m;
			status = GNTST_okay;
		}
	}
	env_unlock(&d->grant_lock);
	return status;
}

/* The frame is kept until the pin is gone: a further pin of the entry counts on the reference of one that there is. */
static void unmap(struct domain *d, const struct grant_map *m)
{
	void *page = p2m_get_page(d, m->gfn, false);

	p2m_remove(d, m->gfn);
	grant_unpin(m->owner, m->ref, m->write);
	if (page)
		put_page(page);
}

static int16_t unmap_one(struct domain *d, const struct gnttab_unmap_grant_ref *op)
{
	struct grant_map m;
	int status = unmap_take(d, op->handle, op->host_addr, &m);

	if (status != GNTST_okay)
		return (int16_t)status;
	unmap(d, &m);
	map_drop(d, op->handle);
	return GNTST_okay;
}

int grant_unmap_batch(struct vcpu *v, gva_t ops, uint32_t n, uint32_t *done)
{
	for (; *done < n; ++*done, ops.v += sizeof(struct gnttab_unmap_grant_ref)) {
		struct gnttab_unmap_grant_ref op;
		if (gva_read(v, &op, ops, sizeof(op)))
			return -EFAULT;
		op.status = unmap_one(v->domain, &op);
		if (gva_write(v, ops, &op, sizeof(op)))
			return -EFAULT;
	}
	return 0;
}

void grant_map_destroy(struct domain *d, struct grant_table *t)
{
	for (uint32_t h = 0; h < MAPTRACK_CHUNK * MAPTRACK_CHUNKS; h++) {
		struct grant_map *m = map_at(t, h);
		if (!m || !m->owner)
			continue;
		unmap(d, m);
		map_drop(d, h);
	}
	for (uint32_t i = 0; i < MAPTRACK_CHUNKS; i++)
		env_free(t->maps[i], MAPTRACK_CHUNK * sizeof(struct grant_map));
}
