/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xenstore: overview, life-cycle of the store, and delivery of callbacks.
 *
 * Nodes live in one hash table keyed by their whole path; a node carries its children's names as the very bytes that a
 * DIRECTORY reply needs, so most requests are one look-up and one copy. Every change gives a node a new generation.
 *
 *   xs_path    what a path may look like          xs_tx      transactions: overlay, conflict check, commit
 *   xs_perm    who may do what                    xs_watch   watches and their bounded queues of events
 *   xs_node    nodes, the table, what they cost   xs_conn    a guest's connection: bytes in, bytes out
 *   xs_domain  domains, quotas, epochs            xs_wire    the requests of the wire protocol
 *   xs_view    read, write, mkdir, rm, perms      xs_ring    the shared ring page
 *   xs_api     the hypervisor's own calls         xs_home    what a new domain finds
 *
 * Transactions hold no lock and no snapshot. The overlay remembers the generation of each path at its first access and
 * keeps changed nodes as copies; the end compares generations and answers EAGAIN when one differs. So a transaction can be
 * spoiled only by changes to what it has itself looked at, and an idle one costs nobody anything but its owner's quota.
 *
 * Memory a guest can make us hold is bounded: nodes, watches and overlays by its quota, requests and replies by the two
 * buffers of its connection, events by XS_EVENTS_MAX with a path of their own plus one embedded in each watch. When
 * that is used up, or memory is, a watch's further events fold into the embedded one: none is lost without a trace.
 *
 * Lock: xenstore.lock guards all; no other lock is taken under it. Callbacks run without it, one at a time (`delivering`);
 * `running` names the object of the present one, and whoever removes that object waits for it.
 */
#include <xenstore/xs_private.h>

struct xenstore *xs_create(uint64_t seed)
{
	struct xenstore *xs = env_alloc(sizeof(*xs));
	if (!xs)
		return NULL;
	xs->seed = seed;
	xs->next_epoch = 1;
	xs->dirty_tail = &xs->dirty;
	xs->n_buckets = XS_NODE_MIN_BUCKETS;
	xs->nodes = env_alloc(xs->n_buckets * sizeof(*xs->nodes));
	static const struct xs_quota unlimited = { ~0u, ~0u, XENSTORE_PAYLOAD_MAX, ~0u, ~0u, ~0u, ~0u };
	xs->dom0 = xs->nodes ? xs_dom_new(xs, XS_DOM0, &unlimited) : NULL;
	xs->self = xs->dom0 ? xs_conn_new(xs, xs->dom0) : NULL;
	struct xs_node *root = xs->self ? xs_node_new(xs, "/", 1) : NULL;
	if (!root) {
		xs_destroy(xs);
		return NULL;
	}
	root->perms.n = 1;
	root->perms.p[0] = (struct xs_perm){ .domid = XS_DOM0, .mode = XS_MODE_NONE, .epoch = xs->dom0->epoch };
	root->gen = ++xs->gen;
	xs_node_link(xs, root);
	return xs;
}

static void free_nodes(struct xenstore *xs)
{
	for (uint32_t i = 0; xs->nodes && i < xs->n_buckets; i++)
		while (xs->nodes[i]) {
			struct xs_node *node = xs->nodes[i];
			xs_node_unlink(xs, node);
			xs_node_free(node);
		}
	env_free(xs->nodes, xs->n_buckets * sizeof(*xs->nodes));
}

void xs_destroy(struct xenstore *xs)
{
	if (!xs)
		return;
	if (xs->self)
		xs_conn_free(xs->self);
	free_nodes(xs);
	for (unsigned int i = 0; i < XS_DOM_BUCKETS; i++)
		while (xs->doms[i])
			xs_dom_free(xs, xs->doms[i]);
	env_free(xs, sizeof(*xs));
}

bool xs_pending(struct xenstore *xs)
{
	return atomic_load_explicit(&xs->pending, memory_order_acquire);
}

void xs_update_pending(struct xenstore *xs)
{
	bool any = xs->dirty || (xs->self && xs->self->n_events);
	atomic_store_explicit(&xs->pending, any, memory_order_release);
}

/* => without the lock. */
void xs_wait_idle(struct xenstore *xs, const void *what)
{
	while (atomic_load_explicit(&xs->running, memory_order_acquire) == what)
		__builtin_ia32_pause();
}

/* The next call to make, chosen under the lock and made without it. */
struct call {
	void *target;           /* the watch or connection; NULL: nothing is due */
	xs_watch_fn *fn;
	struct xs_event *ev;
	const char *path;
	void (*output_ready)(void *ctx);
	void *ctx;
};

static void choose_watch(struct xenstore *xs, struct call *c)
{
	struct xs_event *ev = xs->self->events.next;
	struct xs_watch *w = ev->watch;
	xs_event_unlink(ev);
	if (w->fn)
		*c = (struct call){ .target = w, .fn = w->fn, .ev = ev, .path = ev->path ? ev->path : w->text, .ctx = w->ctx };
	else
		xs_event_free(ev);
}

static void choose_conn(struct xenstore *xs, struct call *c)
{
	struct xs_conn *conn = xs->dirty;
	xs->dirty = conn->dirty_next;
	if (!xs->dirty)
		xs->dirty_tail = &xs->dirty;
	conn->dirty = false;
	if (xs_conn_has_output(conn))
		*c = (struct call){ .target = conn, .output_ready = conn->ops->output_ready, .ctx = conn->ctx };
}

static void choose(struct xenstore *xs, struct call *c)
{
	*c = (struct call){ 0 };
	while (!c->target && (xs->self->n_events || xs->dirty)) {
		if (xs->self->n_events)
			choose_watch(xs, c);
		else
			choose_conn(xs, c);
	}
	xs_update_pending(xs);
	atomic_store_explicit(&xs->running, c->target, memory_order_release);
}

bool xs_run_pending(struct xenstore *xs)
{
	if (atomic_flag_test_and_set_explicit(&xs->delivering, memory_order_acquire))
		return true;
	for (unsigned int i = 0; i < 256; i++) {
		struct call c;
		env_lock(&xs->lock);
		choose(xs, &c);
		env_unlock(&xs->lock);
		if (!c.target)
			break;
		if (c.fn) {
			c.fn(c.ctx, c.path);
			xs_event_free(c.ev);
		} else {
			c.output_ready(c.ctx);
		}
		atomic_store_explicit(&xs->running, NULL, memory_order_release);
	}
	atomic_flag_clear_explicit(&xs->delivering, memory_order_release);
	return xs_pending(xs);
}
