/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions and generations.
 *
 * Object messages edit a staged copy of the configuration; TXN_COMMIT applies it (apply.c) and makes it the next generation. An
 * object message outside a transaction is one of its own. Nothing of a transaction is visible before its commit, so a client may die
 * at any message. A commit that awaits confirmation remembers the generation before it; unless CONFIRM comes in time, the timer
 * goes back to that one, whatever became of the client.
 */
#include "internal.h"

struct config *config_current(struct control *c)
{
	return &c->gen[c->cur].config;
}

static uint64_t current_number(const struct control *c)
{
	return c->gen[c->cur].number;
}

/* Where both hold equal objects, hold the same: who points to an object of the current configuration stays right. */
static void config_share(struct config *to, const struct config *from)
{
	for (uint32_t i = 0, j = 0; i < to->n && j < from->n;) {
		int r = vc_object_cmp(to->v[i]->type, to->v[i]->body, from->v[j]->type, from->v[j]->body);

		if (!r && to->v[i] != from->v[j] && object_same(to->v[i], from->v[j])) {
			object_put(to->v[i]);
			to->v[i] = object_ref(from->v[j]);
		}
		i += r <= 0;
		j += r >= 0;
	}
}

/* The new generation takes the objects of `staged`, which is empty then. */
int txn_new_generation(struct control *c, struct config *staged, const char *note, const char *client)
{
	uint64_t number = current_number(c) + 1;
	struct generation *g;

	c->cur = (c->cur + 1) % c->p.generations;
	if (c->gens < c->p.generations)
		c->gens++;
	g = &c->gen[c->cur];
	config_free(&g->config);
	g->config = *staged;
	config_init(staged);
	g->number = number;
	g->utc_ns = c->p.ops->utc_ns(c->p.machine);
	copy_name(g->note, sizeof(g->note), note);
	copy_name(g->client, sizeof(g->client), client);
	note_policy(c, g->note);
	control_event(c, VC_WAIT_CONFIG, 0, c->now_ns);
	return 0;
}

struct generation *generation_find(struct control *c, uint64_t number)
{
	for (unsigned int i = 0; i < c->gens; i++) {
		struct generation *g = &c->gen[(c->cur + c->p.generations - i) % c->p.generations];

		if (g->number == number)
			return g;
	}
	return NULL;
}

int refuse_generation(struct control *c, uint64_t number, struct control_error *err)
{
	uint64_t now = current_number(c);

	return control_refuse(err, ENOENT, "no-generation", "generation %llu is not kept: %llu to %llu are", (unsigned long long)number,
			      (unsigned long long)(now + 1 - c->gens), (unsigned long long)now);
}

static int refuse_unconfirmed(struct control *c, struct control_error *err)
{
	return control_refuse(err, EBUSY, "unconfirmed",
			      "generation %llu awaits confirmation for another %llu s: confirm it or roll it back first",
			      (unsigned long long)current_number(c),
			      (unsigned long long)((c->confirm_deadline_ns - c->now_ns + SEC - 1) / SEC));
}

static int may_change(struct control *c, struct control_session *s, struct control_error *err)
{
	if (c->txn.owner && c->txn.owner != s)
		return control_refuse(err, EBUSY, "transaction-open", "%s has a transaction open", c->txn.owner->client);
	return c->confirm_deadline_ns ? refuse_unconfirmed(c, err) : 0;
}

void txn_abort(struct control *c)
{
	config_free(&c->txn.staged);
	c->txn.owner = NULL;
}

static int stage_del(struct config *cf, uint16_t type, const void *body, struct control_error *err)
{
	if (type == VC_DOM_CREATE && config_get(cf, type, body)) {
		config_del_domain(cf, body);
		return 0;
	}
	if (config_del(cf, type, body))
		return 0;
	return control_refuse(err, ENOENT, "no-such-object", "there is no such %s", vc_object_form(type)->name);
}

/* A slice of the same ports belongs to one domain: a message for another one is a conflict, not a change. */
static int stage_owner(const struct config *cf, uint16_t type, const void *body, struct control_error *err)
{
	const struct object *had = type == VC_SLICE_ADD ? config_get(cf, type, body) : NULL;
	const struct vc_slice_add *a, *b = body;
	char ip[48];

	if (!had)
		return 0;
	a = (const void *)had->body;
	if (!strncmp(a->dom, b->dom, VC_NAME))
		return 0;
	ip_text(&a->addr, ip, sizeof(ip));
	copy_name(err->owner, sizeof(err->owner), a->dom);
	return control_refuse(err, EEXIST, "slice-taken", "%s asks for a part of %s that belongs to %s", b->dom, ip, a->dom);
}

static int stage_object(struct config *cf, uint16_t type, const void *body, size_t n, struct control_error *err)
{
	uint16_t kind = type & ~VC_DEL;
	int rc = object_check(kind, body, n, err);
	struct object *o;

	if (rc)
		return rc;
	if (type & VC_DEL)
		return stage_del(cf, kind, body, err);
	rc = stage_owner(cf, kind, body, err);
	if (rc)
		return rc;
	o = object_new(kind, body, n);
	rc = o ? config_put(cf, o) : -ENOMEM;
	if (!rc)
		return 0;
	object_put(o);
	return control_refuse(err, -rc, rc == -ENOSPC ? "too-many-objects" : "no-memory", "no room for another %s",
			      vc_object_form(kind)->name);
}

static int commit(struct control *c, struct config *staged, bool force, bool dry, const char *note, const char *client,
		  struct txn_result *out, const struct object **fault, struct control_error *err)
{
	int rc;

	config_share(staged, config_current(c));
	rc = config_apply(c, staged, force, dry, &out->count, fault, err);
	if (!rc && !dry && (out->count.added || out->count.removed || out->count.changed))
		txn_new_generation(c, staged, note, client);
	out->generation = current_number(c);
	return rc;
}

/* For the history: "slice of web1 removed". */
static void note_object(uint16_t type, const void *body, char note[64])
{
	uint16_t kind = type & ~VC_DEL;
	const char *dom = vc_object_domain(kind, body);

	snprintf(note, 64, "%s%s%.31s %s", vc_object_form(kind)->name, !*dom ? "" : kind == VC_DOM_CREATE ? " " : " of ", dom,
		 type & VC_DEL ? "removed" : "set");
}

/* An object message alone. */
static int object_alone(struct control *c, struct control_session *s, uint16_t type, const void *body, size_t n,
			struct txn_result *out, struct control_error *err)
{
	struct config staged;
	const struct object *fault;
	char note[64];
	int rc = may_change(c, s, err);

	if (rc)
		return rc;
	if (config_copy(&staged, config_current(c)))
		return control_refuse(err, ENOMEM, "no-memory", "no memory for a copy of the configuration");
	rc = stage_object(&staged, type, body, n, err);
	if (!rc) {
		note_object(type, body, note);
		rc = commit(c, &staged, false, false, note, s ? s->client : "boot", out, &fault, err);
	}
	config_free(&staged);
	return rc;
}

int txn_object(struct control *c, struct control_session *s, uint16_t type, const void *body, size_t n,
	       struct txn_result *out, uint32_t *index, struct control_error *err)
{
	int rc;

	if (c->txn.owner != s || !s)
		return object_alone(c, s, type, body, n, out, err);
	c->txn.touched_ns = c->now_ns;
	out->generation = current_number(c);
	rc = stage_object(&c->txn.staged, type, body, n, err);
	*index = c->txn.messages++;
	return rc;
}

/* --- requests ----------------------------------------------------------------------------------------------------------- */

static int reply_generation(struct request *rq, const struct txn_result *res)
{
	struct vc_generation_reply *g = reply_add(rq->r, sizeof(*g));

	g->generation = res->generation;
	g->added = res->count.added;
	g->removed = res->count.removed;
	g->changed = res->count.changed;
	return 0;
}

int txn_begin(struct request *rq)
{
	const struct vc_txn_begin *b = rq->body;
	struct control *c = rq->c;
	int rc = may_change(c, rq->s, rq->err);

	if (!rc)
		rc = check_zero(&b->reserved, sizeof(b->reserved), rq->err);
	if (rc)
		return rc;
	if (b->flags & ~VC_TXN_REPLACE)
		return control_refuse(rq->err, EINVAL, "bad-value", "unknown flags 0x%x of a transaction", b->flags);
	if (b->base && b->base != current_number(c))
		return control_refuse(rq->err, ESTALE, "stale-base", "the change was made from generation %llu, but %llu is current",
				      (unsigned long long)b->base, (unsigned long long)current_number(c));
	txn_abort(c);
	if (!(b->flags & VC_TXN_REPLACE) && config_copy(&c->txn.staged, config_current(c)))
		return control_refuse(rq->err, ENOMEM, "no-memory", "no memory for a copy of the configuration");
	c->txn.owner = rq->s;
	c->txn.messages = 0;
	c->txn.touched_ns = c->now_ns;
	copy_name(c->txn.note, sizeof(c->txn.note), b->note);
	return 0;
}

static int need_txn(struct request *rq)
{
	if (rq->c->txn.owner == rq->s)
		return 0;
	return control_refuse(rq->err, EINVAL, "no-transaction", "no transaction is open in this session");
}

/* The place of the object at fault in key order: clients that send their objects in that order know which it was. */
static uint32_t fault_index(const struct config *cf, const struct object *fault)
{
	bool found;
	uint32_t i = fault ? config_find(cf, fault->type, fault->body, &found) : 0;

	return fault && found ? i : VC_NO_INDEX;
}

int txn_commit(struct request *rq)
{
	const struct vc_txn_commit *m = rq->body;
	struct control *c = rq->c;
	const struct object *fault = NULL;
	struct txn_result res = {0};
	uint64_t base = current_number(c);
	int rc = need_txn(rq);

	if (rc)
		return rc;
	if (m->flags & ~(VC_COMMIT_DRY | VC_COMMIT_FORCE))
		return control_refuse(rq->err, EINVAL, "bad-value", "unknown flags 0x%x of a commit", m->flags);
	rc = commit(c, &c->txn.staged, m->flags & VC_COMMIT_FORCE, m->flags & VC_COMMIT_DRY, c->txn.note, rq->s->client, &res, &fault,
		    rq->err);
	if (rc)
		rq->index = fault_index(&c->txn.staged, fault);
	txn_abort(c);
	if (rc)
		return rc;
	if (m->confirm_ms && !(m->flags & VC_COMMIT_DRY) && res.generation != base) {
		c->confirm_base = base;
		c->confirm_deadline_ns = c->now_ns + m->confirm_ms * MSEC;
	}
	return reply_generation(rq, &res);
}

int txn_abort_request(struct request *rq)
{
	int rc = need_txn(rq);

	if (!rc)
		txn_abort(rq->c);
	return rc;
}

int txn_confirm(struct request *rq)
{
	struct txn_result res = {.generation = current_number(rq->c)};

	if (!rq->c->confirm_deadline_ns)
		return control_refuse(rq->err, EINVAL, "nothing-to-confirm", "no change awaits confirmation");
	rq->c->confirm_deadline_ns = 0;
	return reply_generation(rq, &res);
}

int txn_rollback(struct control *c, uint64_t to, const char *client, const char *note, struct txn_result *out,
		 struct control_error *err)
{
	const struct generation *g = generation_find(c, to);
	const struct object *fault = NULL;
	struct config staged;
	int rc;

	if (!g)
		return refuse_generation(c, to, err);
	if (config_copy(&staged, &g->config))
		return control_refuse(err, ENOMEM, "no-memory", "no memory for a copy of the configuration");
	rc = commit(c, &staged, true, false, note, client, out, &fault, err);
	config_free(&staged);
	return rc;
}

int txn_rollback_request(struct request *rq)
{
	const struct vc_rollback *m = rq->body;
	struct control *c = rq->c;
	uint64_t base = current_number(c), to = m->generation;
	struct txn_result res = {0};
	char note[64];
	int rc;

	if (c->txn.owner && c->txn.owner != rq->s)
		return control_refuse(rq->err, EBUSY, "transaction-open", "%s has a transaction open", c->txn.owner->client);
	if (!to && c->gens == 1)
		return control_refuse(rq->err, ENOENT, "no-generation",
				      "there is nothing to go back to: nothing was changed since generation %llu, '%s'",
				      (unsigned long long)base, c->gen[c->cur].note);
	if (!to)
		to = c->confirm_deadline_ns ? c->confirm_base : base - 1;
	snprintf(note, sizeof(note), "rollback to %llu", (unsigned long long)to);
	txn_abort(c);
	rc = txn_rollback(c, to, rq->s->client, note, &res, rq->err);
	if (rc)
		return rc;
	c->confirm_deadline_ns = 0;
	if (m->confirm_ms) {
		c->confirm_base = base;
		c->confirm_deadline_ns = c->now_ns + m->confirm_ms * MSEC;
	}
	return reply_generation(rq, &res);
}

static void confirm_expired(struct control *c)
{
	struct control_error err;
	struct txn_result res;
	char note[64];

	c->confirm_deadline_ns = 0;
	if (c->txn.owner)
		txn_abort(c);
	snprintf(note, sizeof(note), "not confirmed: back to %llu", (unsigned long long)c->confirm_base);
	if (txn_rollback(c, c->confirm_base, "timer", note, &res, &err))
		env_log(ENV_ERROR, "control: an unconfirmed change could not be taken back: %s", err.text);
	else
		env_log(ENV_WARN, "control: %s", note);
}

uint64_t txn_timer(struct control *c)
{
	uint64_t next = UINT64_MAX;

	if (c->confirm_deadline_ns && c->now_ns >= c->confirm_deadline_ns)
		confirm_expired(c);
	if (c->txn.owner && c->now_ns - c->txn.touched_ns >= TXN_IDLE_NS) {
		env_log(ENV_WARN, "control: the transaction of %s was idle for too long and is aborted", c->txn.owner->client);
		txn_abort(c);
	}
	if (c->confirm_deadline_ns)
		next = c->confirm_deadline_ns;
	if (c->txn.owner && c->txn.touched_ns + TXN_IDLE_NS < next)
		next = c->txn.touched_ns + TXN_IDLE_NS;
	return next;
}
