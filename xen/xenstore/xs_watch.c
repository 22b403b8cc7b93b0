/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches, and the events pending for a connection.
 *
 * Watches hang in a table by the hash of their path; a change looks up each prefix of its own path, so its cost follows
 * the depth of the tree and not the number of watches. A domain hears of a change only if it may read the node, or the
 * node's parent (which lists it).
 */
#include <xenstore/xs_private.h>

static struct xs_watch **bucket(struct xenstore *xs, uint64_t hash)
{
	return &xs->watches[hash % XS_WATCH_BUCKETS];
}

static size_t watch_size(const struct xs_watch *w)
{
	return sizeof(*w) + w->path_len + w->token_len + 2;
}

int xs_watch_find(struct xs_conn *conn, const struct xs_path *path, const char *token, size_t token_len, struct xs_watch **out)
{
	struct xs_watch *w = *bucket(conn->xs, xs_hash(conn->xs, path->s, path->len));
	while (w && (w->conn != conn || w->path_len != path->len || w->token_len != token_len ||
		     memcmp(w->text, path->s, path->len) || memcmp(w->text + w->path_len + 1, token, token_len)))
		w = w->next;
	*out = w;
	return w ? 0 : -ENOENT;
}

static_assert(XENSTORE_ABS_PATH_MAX + XS_TOKEN_MAX + 2 <= XENSTORE_PAYLOAD_MAX, "every event fits into one message");

/* The first event, for the watched path itself, is pending on return. */
int xs_watch_add(struct xs_conn *conn, const struct xs_path *path, const char *token, size_t token_len, struct xs_watch **out)
{
	struct xs_dom *dom = conn->dom;
	size_t size = sizeof(struct xs_watch) + path->len + token_len + 2;
	if (token_len > XS_TOKEN_MAX)
		return -EINVAL;
	if (dom->used.watches >= dom->quota.watches || !xs_dom_room(dom, 0, (uint32_t)size))
		return -ENOSPC;
	struct xs_watch *w = env_alloc(size);
	if (!w)
		return -ENOMEM;
	w->conn = conn;
	w->hash = xs_hash(conn->xs, path->s, path->len);
	w->path_len = path->len;
	w->token_len = (uint32_t)token_len;
	w->shown = path->shown;
	memcpy(w->text, path->s, path->len);
	memcpy(w->text + path->len + 1, token, token_len);
	w->self.watch = w;
	w->self.len = w->path_len;
	w->self.hash = w->hash;

	struct xs_watch **b = bucket(conn->xs, w->hash);
	w->next = *b;
	*b = w;
	w->cnext = conn->watches;
	w->cprev = &conn->watches;
	if (conn->watches)
		conn->watches->cprev = &w->cnext;
	conn->watches = w;
	dom->used.watches++;
	dom->used.bytes += (uint32_t)size;
	xs_event_post(w, w->text, w->path_len, w->hash);
	*out = w;
	return 0;
}

void xs_watch_remove(struct xs_watch *w)
{
	struct xs_conn *conn = w->conn;
	struct xs_watch **b = bucket(conn->xs, w->hash);
	for (struct xs_event *ev = conn->events.next, *next; ev != &conn->events; ev = next) {
		next = ev->next;
		if (ev->watch == w) {
			xs_event_unlink(ev);
			xs_event_free(ev);
		}
	}
	while (*b != w)
		b = &(*b)->next;
	*b = w->next;
	*w->cprev = w->cnext;
	if (w->cnext)
		w->cnext->cprev = w->cprev;
	conn->dom->used.watches--;
	conn->dom->used.bytes -= (uint32_t)watch_size(w);
	xs_update_pending(conn->xs);
	env_free(w, watch_size(w));
}

void xs_watch_remove_all(struct xs_conn *conn)
{
	while (conn->watches)
		xs_watch_remove(conn->watches);
}

static size_t event_size(size_t len)
{
	return sizeof(struct xs_event) + len + 1;
}

/* An event with a path of its own, or NULL when the connection has its share of them, or memory is out. */
static struct xs_event *event_new(struct xs_watch *w, const char *path, size_t len, uint64_t hash)
{
	struct xs_conn *conn = w->conn;
	if (conn->n_events >= XS_EVENTS_MAX || conn->event_bytes + event_size(len) > XS_EVENT_BYTES_MAX)
		return NULL;
	struct xs_event *ev = env_alloc(event_size(len));
	if (!ev)
		return NULL;
	ev->watch = w;
	ev->path = (char *)(ev + 1);
	memcpy(ev->path, path, len);
	ev->len = (uint32_t)len;
	ev->hash = hash;
	return ev;
}

static bool posted(const struct xs_conn *conn, const struct xs_watch *w, const char *path, size_t len, uint64_t hash)
{
	for (const struct xs_event *ev = conn->events.next; ev != &conn->events; ev = ev->next)
		if (ev->hash == hash && ev->watch == w && ev->path && ev->len == len && !memcmp(ev->path, path, len))
			return true;
	return false;
}

/* Queue an event unless the same is pending. What cannot be queued folds into the event for the watched path itself. */
void xs_event_post(struct xs_watch *w, const char *path, size_t len, uint64_t hash)
{
	struct xs_conn *conn = w->conn;
	struct xs_event *ev = &w->self;
	if (len != w->path_len) {
		if (posted(conn, w, path, len, hash))
			return;
		struct xs_event *own = event_new(w, path, len, hash);
		ev = own ? own : ev;
	}
	if (ev->pending)
		return;
	ev->pending = true;
	ev->next = &conn->events;
	ev->prev = conn->events.prev;
	ev->prev->next = ev;
	conn->events.prev = ev;
	conn->n_events++;
	if (ev->path)
		conn->event_bytes += (uint32_t)event_size(ev->len);
	xs_conn_mark(conn);
}

void xs_event_unlink(struct xs_event *ev)
{
	struct xs_conn *conn = ev->watch->conn;
	ev->prev->next = ev->next;
	ev->next->prev = ev->prev;
	ev->pending = false;
	conn->n_events--;
	if (ev->path)
		conn->event_bytes -= (uint32_t)event_size(ev->len);
}

/* => unlinked. */
void xs_event_free(struct xs_event *ev)
{
	if (ev->path)
		env_free(ev, event_size(ev->len));
}

static bool may_know(struct xenstore *xs, const struct xs_node *node, const struct xs_perms *before, const struct xs_dom *dom)
{
	unsigned int mode = xs_perm_mode(&node->perms, dom) | (before ? xs_perm_mode(before, dom) : 0);
	if (!(mode & XS_MODE_READ) && node->path_len > 1) {
		size_t len = xs_parent_len(node->path, node->path_len);
		const struct xs_node *parent = xs_node_find(xs, node->path, len, xs_hash(xs, node->path, len));
		mode |= parent ? xs_perm_mode(&parent->perms, dom) : 0;
	}
	return mode & XS_MODE_READ;
}

/* Tell those who watch the first `len` characters of the node's path. */
static void fire_at(struct xenstore *xs, const struct xs_node *node, const struct xs_perms *before, size_t len, uint64_t hash)
{
	for (struct xs_watch *w = *bucket(xs, hash); w; w = w->next)
		if (w->hash == hash && w->path_len == len && !memcmp(w->text, node->path, len) && may_know(xs, node, before, w->conn->dom))
			xs_event_post(w, node->path, node->path_len, node->hash);
}

/* A node changed. `before`: its permissions if they are what changed. `below`: tell also who watches from further up. */
void xs_watch_fire(struct xenstore *xs, const struct xs_node *node, const struct xs_perms *before, bool below)
{
	uint64_t h = xs->seed;
	for (size_t at = 1, n; below && at < node->path_len; at += n + 1) {
		const char *slash = memchr(node->path + at, '/', node->path_len - at);
		n = slash ? (size_t)(slash - node->path) - at : node->path_len - at;
		fire_at(xs, node, before, at == 1 ? 1 : at - 1, h);
		h = xs_hash_next(h, node->path + at, n);
	}
	fire_at(xs, node, before, node->path_len, node->hash);
}
