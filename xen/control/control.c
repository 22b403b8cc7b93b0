/* SPDX-License-Identifier: BSD-2-Clause */
/* The instance: made, freed, ticked. control.h is the contract. */
#include "internal.h"

struct control *control_create(const struct control_params *params)
{
	struct control *c = env_alloc(sizeof(*c));

	if (!c)
		return NULL;
	c->p = *params;
	if (!c->p.generations)
		c->p.generations = CONTROL_GENERATIONS;
	if (c->p.generations < 3)
		c->p.generations = 3;
	c->gen = env_alloc(c->p.generations * sizeof(*c->gen));
	c->dom = env_alloc(c->p.domains_max * sizeof(*c->dom));
	if (!c->gen || !c->dom) {
		control_free(c);
		return NULL;
	}
	c->gens = 1;
	copy_name(c->gen[0].note, sizeof(c->gen[0].note), "empty");
	copy_name(c->gen[0].client, sizeof(c->gen[0].client), "boot");
	return c;
}

void control_free(struct control *c)
{
	for (unsigned int i = 0; i < CONTROL_SESSIONS; i++)
		if (c->session[i])
			control_session_close(c->session[i], c->now_ns);
	for (unsigned int i = 0; c->gen && i < c->p.generations; i++)
		config_free(&c->gen[i].config);
	for (unsigned int i = 0; c->dom && i < c->p.domains_max; i++)
		env_free(c->dom[i], sizeof(*c->dom[i]));
	config_free(&c->txn.staged);
	if (c->gen)
		env_free(c->gen, c->p.generations * sizeof(*c->gen));
	if (c->dom)
		env_free(c->dom, c->p.domains_max * sizeof(*c->dom));
	env_free(c, sizeof(*c));
}

/* A client that takes no bytes for so long is dead or hangs: what it was told is thrown away. */
static uint64_t session_timer(struct control *c, struct control_session *s)
{
	if (s->out_len) {
		session_flush_stale(s);
		return s->out_len ? s->out_since_ns + SEND_IDLE_NS : UINT64_MAX;
	}
	session_wait_check(s, c->now_ns);
	return s->wait.active ? s->wait.deadline_ns : UINT64_MAX;
}

uint64_t control_timer(struct control *c, uint64_t now_ns)
{
	uint64_t next;

	c->now_ns = now_ns;
	next = txn_timer(c);
	for (unsigned int i = 0; i < CONTROL_SESSIONS; i++) {
		uint64_t t = c->session[i] ? session_timer(c, c->session[i]) : UINT64_MAX;

		next = t < next ? t : next;
	}
	if (c->capture_id && now_ns - c->capture_touched_ns >= CAPTURE_IDLE_NS) {
		c->p.ops->capture_stop(c->p.machine, c->capture_id);
		c->capture_id = 0;
	}
	if (c->capture_id && c->capture_touched_ns + CAPTURE_IDLE_NS < next)
		next = c->capture_touched_ns + CAPTURE_IDLE_NS;
	return next;
}

void control_event(struct control *c, unsigned int what, uint16_t domid, uint64_t now_ns)
{
	c->now_ns = now_ns;
	for (unsigned int i = 0; i < CONTROL_SESSIONS; i++) {
		struct control_session *s = c->session[i];

		if (s && s->wait.active && (s->wait.req.what & what))
			session_wait_check(s, now_ns);
	}
}
