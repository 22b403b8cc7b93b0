/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From one configuration to another, all or nothing.
 *
 * The difference of two sorted sets of objects is a list of steps {old, new}: what goes away comes first and in reverse key order
 * (slices before the domain, domains before the address they use), then what is new or changed in key order. A step is done or
 * not; when one is refused, those done before it are undone in reverse, as the step {new, old}. Nothing that can be known from the two
 * sets alone is left to the steps: references and overlaps are checked before the first of them. New domains are built paused and
 * started when all is through, so no guest runs in a half-made network.
 */
#include "internal.h"

static int steps_room(struct transition *t, uint32_t most)
{
	t->room = most ? most : 1;
	t->steps = env_alloc(t->room * sizeof(*t->steps));
	return t->steps ? 0 : -ENOMEM;
}

/* A slice that changes its owner is taken from the old one before anything is given to the new one. */
static bool moves(const struct object *a, const struct object *b)
{
	return a->type == VC_SLICE_ADD && !object_same(a, b);
}

static void steps_diff(struct transition *t, struct apply_count *count)
{
	const struct config *a = t->from, *b = t->to;
	uint32_t i, j;

	/* Removals, from the back. */
	for (i = a->n, j = b->n; i > 0;) {
		const struct object *o = a->v[i - 1];
		int r = j ? vc_object_cmp(b->v[j - 1]->type, b->v[j - 1]->body, o->type, o->body) : -1;

		if (r < 0) {
			t->steps[t->n++] = (struct step){o, NULL};
			count->removed++;
		} else if (!r && moves(o, b->v[j - 1])) {
			t->steps[t->n++] = (struct step){o, NULL};
		}
		if (r <= 0)
			i--;
		if (r >= 0)
			j--;
	}
	for (i = 0, j = 0; j < b->n;) {
		const struct object *o = b->v[j];
		int r = i < a->n ? vc_object_cmp(a->v[i]->type, a->v[i]->body, o->type, o->body) : 1;

		if (r > 0) {
			t->steps[t->n++] = (struct step){NULL, o};
			count->added++;
		} else if (!r && !object_same(a->v[i], o)) {
			t->steps[t->n++] = (struct step){moves(a->v[i], o) ? NULL : a->v[i], o};
			count->changed++;
		}
		if (r <= 0)
			i++;
		if (r >= 0)
			j++;
	}
}

static int steps_check(struct control *c, const struct transition *t, const struct object **fault, struct control_error *err)
{
	for (uint32_t i = 0; i < t->n; i++) {
		const struct object *o = t->steps[i].new;
		int rc;

		if (!o || !object_kind(o->type)->check_refs)
			continue;
		rc = object_kind(o->type)->check_refs(c, o, t, err);
		if (rc) {
			*fault = o;
			return rc;
		}
	}
	/* What stays may refer to what goes. */
	for (uint32_t i = 0; i < t->to->n; i++) {
		const struct object *o = t->to->v[i];
		int rc;

		if (o->type == VC_DOM_CREATE || !object_kind(o->type)->check_refs)
			continue;
		rc = object_kind(o->type)->check_refs(c, o, t, err);
		if (rc) {
			*fault = o;
			return rc;
		}
	}
	return config_check_overlap(t, fault, err);
}

static int step_do(struct control *c, const struct step *s, const struct transition *t, struct control_error *err)
{
	const struct object *o = s->new ? s->new : s->old;

	return object_kind(o->type)->apply(c, s->old, s->new, t, err);
}

static void steps_undo(struct control *c, struct transition *t, uint32_t done)
{
	struct control_error err;

	t->undoing = true;
	t->force = true;
	while (done--) {
		struct step back = {t->steps[done].new, t->steps[done].old};
		int rc = step_do(c, &back, t, &err);

		env_yield();
		if (rc)
			env_log(ENV_ERROR, "control: taking a refused change back failed: %s", err.text);
	}
}

static int steps_run(struct control *c, struct transition *t, const struct object **fault, struct control_error *err)
{
	for (uint32_t i = 0; i < t->n; i++) {
		int rc = step_do(c, &t->steps[i], t, err);

		env_yield();
		if (rc) {
			*fault = t->steps[i].new ? t->steps[i].new : t->steps[i].old;
			steps_undo(c, t, i);
			return rc;
		}
	}
	return 0;
}

int config_apply(struct control *c, const struct config *to, bool force, bool dry, struct apply_count *count,
		 const struct object **fault, struct control_error *err)
{
	struct transition t = {.from = config_current(c), .to = to, .force = force, .dry = dry};
	int rc;

	memset(count, 0, sizeof(*count));
	*fault = NULL;
	if (steps_room(&t, t.from->n + to->n))
		return control_refuse(err, ENOMEM, "no-memory", "no memory to compare %u objects with %u", t.from->n, to->n);
	steps_diff(&t, count);
	rc = steps_check(c, &t, fault, err);
	if (!rc && !dry)
		rc = steps_run(c, &t, fault, err);
	if (!rc && !dry)
		net_sync(c, t.from, to);
	/* Those too that were built anew because the change was taken back. */
	if (!dry)
		dom_start_fresh(c);
	env_free(t.steps, t.room * sizeof(*t.steps));
	return rc;
}

int apply_one(struct control *c, const struct object *o, const struct config *to, struct control_error *err)
{
	struct transition t = {.from = to, .to = to};
	struct step s = {config_get(to, o->type, o->body), o};
	const struct object_kind *k = object_kind(o->type);
	int rc = k->check_refs ? k->check_refs(c, o, &t, err) : 0;

	return rc ? rc : step_do(c, &s, &t, err);
}
