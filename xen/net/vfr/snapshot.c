/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reclaiming what packets may still be reading.
 *
 * An object is unlinked, then retired with the epoch of that moment, and the epoch moves on. A CPU announces the epoch it
 * entered in and 0 when it leaves. An object may go when every CPU is outside or entered in a later epoch. Announcing and
 * unlinking are sequentially consistent, so either the reader sees the new pointer or the writer sees the reader.
 */
#include <vfr/priv.h>

#define SETTLE_SPINS (1u << 20)

void vfr_retire(struct vfr *v, struct vfr_rcu *obj, size_t size, void (*gone)(struct vfr *, struct vfr_rcu *))
{
	if (!obj)
		return;
	obj->size = size;
	obj->gone = gone;
	env_lock(&v->retire_lock);
	obj->epoch = atomic_fetch_add(&v->epoch, 1);
	obj->next = v->retired;
	v->retired = obj;
	env_unlock(&v->retire_lock);
}

static void destroy_list(struct vfr *v, struct vfr_rcu *list)
{
	while (list) {
		struct vfr_rcu *obj = list;

		list = obj->next;
		if (obj->gone)
			obj->gone(v, obj);
		env_free(obj, obj->size);
	}
}

static uint64_t oldest_reader(struct vfr *v)
{
	uint64_t oldest = UINT64_MAX;

	for (unsigned int i = 0; i < CPUS(v); i++) {
		uint64_t e = atomic_load(&v->cpu[i].epoch);

		if (e && e < oldest)
			oldest = e;
	}
	return oldest;
}

/*
 * Wait until nobody is inside with what was true before: packets that were under way have been queued, forwarded or dropped.
 * A batch takes microseconds; the bound is for a host that calls in against the rules, from inside a callback.
 */
void vfr_settle(struct vfr *v)
{
	uint64_t now = atomic_fetch_add(&v->epoch, 1);

	for (unsigned int spins = 0; oldest_reader(v) <= now && spins < SETTLE_SPINS; spins++)
		__builtin_ia32_pause();
}

void vfr_reclaim(struct vfr *v)
{
	struct vfr_rcu *ready = NULL;

	env_lock(&v->retire_lock);
	uint64_t oldest = oldest_reader(v);
	for (struct vfr_rcu **at = &v->retired; *at;) {
		struct vfr_rcu *obj = *at;

		if (obj->epoch < oldest) {
			*at = obj->next;
			obj->next = ready;
			ready = obj;
		} else {
			at = &obj->next;
		}
	}
	env_unlock(&v->retire_lock);
	destroy_list(v, ready);
}

void vfr_reclaim_all(struct vfr *v)
{
	while (v->retired) {
		struct vfr_rcu *list = v->retired;

		v->retired = NULL;
		destroy_list(v, list);
	}
}
