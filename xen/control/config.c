/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration: objects sorted by key in one array. Generations share objects, so that a copy costs a pointer each. */
#include "internal.h"

void config_init(struct config *cf)
{
	memset(cf, 0, sizeof(*cf));
}

void config_free(struct config *cf)
{
	for (uint32_t i = 0; i < cf->n; i++)
		object_put(cf->v[i]);
	env_free(cf->v, cf->room * sizeof(*cf->v));
	config_init(cf);
}

static int config_grow(struct config *cf, uint32_t want)
{
	uint32_t room = cf->room ? cf->room : 16;
	struct object **v;

	if (want <= cf->room)
		return 0;
	if (want > CONTROL_OBJECTS_MAX)
		return -ENOSPC;
	while (room < want)
		room *= 2;
	v = env_alloc(room * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (cf->n)
		memcpy(v, cf->v, cf->n * sizeof(*v));
	env_free(cf->v, cf->room * sizeof(*v));
	cf->v = v;
	cf->room = room;
	return 0;
}

int config_copy(struct config *to, const struct config *from)
{
	int rc;

	config_init(to);
	if (!from->n)
		return 0;
	rc = config_grow(to, from->n);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < from->n; i++)
		to->v[i] = object_ref(from->v[i]);
	to->n = from->n;
	return 0;
}

uint32_t config_find(const struct config *cf, uint16_t type, const void *body, bool *found)
{
	uint32_t lo = 0, hi = cf->n;

	*found = false;
	/* Messages mostly come in key order: then the place is the end. */
	if (hi && vc_object_cmp(cf->v[hi - 1]->type, cf->v[hi - 1]->body, type, body) < 0)
		return hi;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int r = vc_object_cmp(cf->v[mid]->type, cf->v[mid]->body, type, body);

		if (!r) {
			*found = true;
			return mid;
		}
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct object *config_get(const struct config *cf, uint16_t type, const void *body)
{
	bool found;
	uint32_t i = config_find(cf, type, body, &found);

	return found ? cf->v[i] : NULL;
}

int config_put(struct config *cf, struct object *o)
{
	bool found;
	uint32_t i = config_find(cf, o->type, o->body, &found);
	int rc;

	if (found) {
		object_put(cf->v[i]);
		cf->v[i] = o;
		return 0;
	}
	rc = config_grow(cf, cf->n + 1);
	if (rc)
		return rc;
	memmove(cf->v + i + 1, cf->v + i, (cf->n - i) * sizeof(*cf->v));
	cf->v[i] = o;
	cf->n++;
	return 0;
}

static void config_del_at(struct config *cf, uint32_t i)
{
	object_put(cf->v[i]);
	cf->n--;
	memmove(cf->v + i, cf->v + i + 1, (cf->n - i) * sizeof(*cf->v));
}

bool config_del(struct config *cf, uint16_t type, const void *body)
{
	bool found;
	uint32_t i = config_find(cf, type, body, &found);

	if (found)
		config_del_at(cf, i);
	return found;
}

uint32_t config_first(const struct config *cf, uint16_t type)
{
	uint32_t lo = 0, hi = cf->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (cf->v[mid]->type < type)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void config_del_domain(struct config *cf, const char *name)
{
	uint32_t to = 0;

	for (uint32_t i = 0; i < cf->n; i++) {
		if (!strncmp(vc_object_domain(cf->v[i]->type, cf->v[i]->body), name, VC_NAME))
			object_put(cf->v[i]);
		else
			cf->v[to++] = cf->v[i];
	}
	cf->n = to;
}
