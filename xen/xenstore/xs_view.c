/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations: get, write, mkdir, rm, set_perms, seen through a view.
 *
 * A view without a transaction works on the table itself; every step that can fail comes before the first that changes
 * anything, and a removal cannot fail. A view with one works on the transaction's copies.
 */
#include <xenstore/xs_private.h>

/* The node at a path, or NULL: for looking around, leaves no trace in the transaction. */
static const struct xs_node *peek(struct xs_view *view, const char *path, size_t len)
{
	uint64_t hash = xs_hash(view->xs, path, len);
	struct xs_tnode *t = view->tx ? xs_tx_peek(view->tx, path, len, hash) : NULL;
	return t && t->changed ? t->node : xs_node_find(view->xs, path, len, hash);
}

/* The node at a path; *out NULL when there is none. The transaction's end will check that this is still so. */
static int look(struct xs_view *view, const char *path, size_t len, const struct xs_node **out)
{
	struct xs_tnode *t;
	int err = view->tx ? xs_tx_touch(view->xs, view->tx, path, len, &t) : 0;
	*out = err ? NULL : peek(view, path, len);
	return err;
}

/* The node, ready to be changed: itself, or the transaction's copy. => it exists. */
static int own(struct xs_view *view, const char *path, size_t len, struct xs_node **out)
{
	*out = xs_node_find(view->xs, path, len, xs_hash(view->xs, path, len));
	if (!view->tx)
		return 0;
	struct xs_tnode *t;
	int err = xs_tx_touch(view->xs, view->tx, path, len, &t);
	if (err)
		return err;
	if (!t->changed) {
		err = xs_tx_room(view->tx, xs_node_bytes(*out) + (*out)->kids_len);
		if (err)
			return err;
		t->node = xs_node_copy(*out);
		if (!t->node)
			return -ENOMEM;
		t->changed = true;
		xs_tx_recharge(view->tx, t);
	}
	*out = t->node;
	return 0;
}

/* After a change of value, permissions or existence: a new generation, and watches. */
static void touched(struct xs_view *view, struct xs_node *node, const struct xs_perms *before)
{
	if (view->tx) {
		struct xs_tnode *t = xs_tx_peek(view->tx, node->path, node->path_len, node->hash);
		t->fire = true;
		xs_tx_recharge(view->tx, t);
		return;
	}
	node->gen = ++view->xs->gen;
	xs_watch_fire(view->xs, node, before, true);
}

/* The nearest node above that exists; the root always does. */
static int ancestor(struct xs_view *view, const char *path, size_t len, const struct xs_node **out)
{
	int err = 0;
	*out = NULL;
	while (!err && !*out) {
		len = xs_parent_len(path, len);
		err = look(view, path, len, out);
	}
	return err;
}

/* -ENOENT is told only to those who might have read the answer higher up. */
static int get(struct xs_view *view, const struct xs_path *path, unsigned int need, const struct xs_node **out)
{
	int err = look(view, path->s, path->len, out);
	const struct xs_node *judge = *out;
	if (!err && !judge)
		err = ancestor(view, path->s, path->len, &judge);
	if (err)
		return err;
	if ((xs_perm_mode(&judge->perms, view->dom) & need) != need)
		return -EACCES;
	return *out ? 0 : -ENOENT;
}

int xs_view_get(struct xs_view *view, const struct xs_path *path, unsigned int need, const struct xs_node **out)
{
	return get(view, path, need, out);
}

/* Would `more` bytes and nodes of that owner still be within its quota? A transaction is checked as a whole at its end. */
static int room(struct xs_view *view, uint16_t owner, uint32_t nodes, uint32_t bytes)
{
	if (view->dom->domid == XS_DOM0)
		return 0;
	if (view->tx)
		return xs_tx_room(view->tx, bytes);
	const struct xs_dom *dom = xs_dom_find(view->xs, owner);
	return !dom || xs_dom_room(dom, nodes, bytes) ? 0 : -ENOSPC;
}

/* A new node takes its parent's permissions; what a guest makes is its own. */
static void inherit(struct xs_view *view, const struct xs_node *parent, struct xs_node *node)
{
	node->perms = parent->perms;
	if (view->dom->domid != XS_DOM0) {
		node->perms.p[0].domid = view->dom->domid;
		node->perms.p[0].epoch = view->dom->epoch;
	}
}

/* Enter a node that its parent already has room for. */
static int insert(struct xs_view *view, struct xs_node *parent, struct xs_node *node)
{
	if (view->tx) {
		struct xs_tnode *t;
		int err = xs_tx_touch(view->xs, view->tx, node->path, node->path_len, &t);
		if (err)
			return err;
		t->node = node;
		t->changed = true;
		xs_tx_recharge(view->tx, t);
	} else {
		xs_node_link(view->xs, node);
		parent->gen = node->gen = ++view->xs->gen;
	}
	size_t name_len;
	const char *name = xs_name(node->path, node->path_len, &name_len);
	xs_kids_add(parent, name, name_len);
	if (view->tx)
		xs_tx_recharge(view->tx, xs_tx_peek(view->tx, parent->path, parent->path_len, parent->hash));
	return 0;
}

/* Add the node `path` of `len`, whose parent exists. */
static int add_node(struct xs_view *view, const char *path, size_t len, const void *value, size_t value_len, struct xs_node **out)
{
	struct xs_node *parent, *node;
	size_t name_len;
	xs_name(path, len, &name_len);
	int err = own(view, path, xs_parent_len(path, len), &parent);
	if (err)
		return err;
	node = xs_node_new(view->xs, path, len);
	if (!node)
		return -ENOMEM;
	inherit(view, parent, node);
	err = xs_node_set_value(node, value, value_len);
	if (!err)
		err = room(view, node->perms.p[0].domid, 1, xs_node_bytes(node));
	if (!err)
		err = xs_kids_reserve(parent, name_len);
	if (!err)
		err = insert(view, parent, node);
	if (err)
		xs_node_free(node);
	*out = node;
	return err;
}

static unsigned int depth(const char *path, size_t len)
{
	unsigned int n = 0;
	for (size_t i = 0; i < len; i++)
		n += path[i] == '/';
	return n;
}

static int remove_tree(struct xs_view *view, const char *path, size_t len, bool quiet);

/* Create a node and the missing ones above it; all of them or none. */
static int create(struct xs_view *view, const struct xs_path *path, const void *value, size_t value_len)
{
	if (view->dom->domid != XS_DOM0 && depth(path->s, path->len) > view->dom->quota.depth)
		return -ENOSPC;
	const struct xs_node *have;
	struct xs_node *node = NULL;
	size_t first = 0;
	int err = ancestor(view, path->s, path->len, &have);
	for (size_t len = err ? 0 : have->path_len + 1; !err && len <= path->len; len++) {
		if (len < path->len && path->s[len] != '/')
			continue;
		bool last = len == path->len;
		err = add_node(view, path->s, len, last ? value : NULL, last ? value_len : 0, &node);
		if (!err && !first)
			first = len;
	}
	if (!err)
		touched(view, node, NULL);
	else if (first)
		remove_tree(view, path->s, first, true);
	return err;
}

int xs_view_write(struct xs_view *view, const struct xs_path *path, const void *value, size_t len)
{
	const struct xs_node *found;
	struct xs_node *node;
	if (len > view->dom->quota.value_bytes)
		return -ENOSPC;
	int err = get(view, path, XS_MODE_WRITE, &found);
	if (err == -ENOENT)
		return create(view, path, value, len);
	if (err)
		return err;
	uint32_t more = len > found->value_len ? (uint32_t)len - found->value_len : 0;
	err = room(view, found->perms.p[0].domid, 0, more);
	if (!err)
		err = own(view, path->s, path->len, &node);
	uint32_t old_len = err ? 0 : node->value_len;
	if (!err)
		err = xs_node_set_value(node, value, len);
	if (err)
		return err;
	if (!view->tx)
		xs_node_owner(view->xs, node)->used.bytes += (uint32_t)len - old_len;
	touched(view, node, NULL);
	return 0;
}

int xs_view_mkdir(struct xs_view *view, const struct xs_path *path)
{
	const struct xs_node *found;
	int err = get(view, path, XS_MODE_WRITE, &found);
	return err == -ENOENT ? create(view, path, NULL, 0) : err;
}

/* Take one node out of the view. */
static void drop(struct xs_view *view, struct xs_node *node, bool top, bool quiet)
{
	if (!view->tx) {
		if (!top && !quiet)
			xs_watch_fire(view->xs, node, NULL, false);
		xs_node_unlink(view->xs, node);
		xs_node_free(node);
		return;
	}
	struct xs_tnode *t = xs_tx_peek(view->tx, node->path, node->path_len, node->hash);
	t->node = NULL;
	t->fire = true;
	xs_node_free(node);
	xs_tx_recharge(view->tx, t);
}

/* Remove a node, not the root, and all below it, leaves first and without recursion. Fails in a transaction only, which is
 * then marked as failed. */
static int remove_tree(struct xs_view *view, const char *path, size_t len, bool quiet)
{
	struct xs_path *walk = &view->xs->walk;
	struct xs_node *node, *parent;
	size_t name_len;
	memcpy(walk->s, path, len);
	size_t at = len;
	int err = own(view, walk->s, xs_parent_len(walk->s, len), &parent);
	if (!err && !view->tx && !quiet)
		xs_watch_fire(view->xs, xs_node_find(view->xs, path, len, xs_hash(view->xs, path, len)), NULL, true);
	for (bool done = false; !err && !done;) {
		err = own(view, walk->s, at, &node);
		if (err)
			break;
		if (node->kids_len) {
			const char *kid = xs_kids_last(node);
			walk->s[at] = '/';
			memcpy(walk->s + at + 1, kid, strlen(kid));
			at += 1 + strlen(kid);
			continue;
		}
		done = at == len;
		drop(view, node, done, quiet);
		if (done)
			break;
		at = xs_parent_len(walk->s, at);
		err = own(view, walk->s, at, &node);
		if (!err)
			xs_kids_drop_last(node);
	}
	if (!err) {
		const char *name = xs_name(path, len, &name_len);
		xs_kids_remove(parent, name, name_len);
		if (!view->tx)
			parent->gen = ++view->xs->gen;
	} else if (view->tx) {
		view->tx->failed = err;
	}
	return err;
}

int xs_view_rm(struct xs_view *view, const struct xs_path *path)
{
	const struct xs_node *found;
	int err = get(view, path, XS_MODE_WRITE, &found);
	/* What is not there is removed already, where there could have been something. */
	if (err == -ENOENT) {
		err = look(view, path->s, xs_parent_len(path->s, path->len), &found);
		return err ? err : found ? 0 : -ENOENT;
	}
	if (err)
		return err;
	return path->len == 1 ? -EINVAL : remove_tree(view, path->s, path->len, false);
}

int xs_view_set_perms(struct xs_view *view, const struct xs_path *path, const struct xs_perms *perms)
{
	const struct xs_node *found;
	struct xs_node *node;
	int err = get(view, path, XS_MODE_WRITE | XS_MODE_OWNER, &found);
	if (err)
		return err;
	bool moves = perms->p[0].domid != found->perms.p[0].domid;
	if (moves && (view->dom->domid != XS_DOM0 || path->len == 1))
		return -EPERM;
	if (!xs_perm_live(view->xs, &perms->p[0]))
		return -EINVAL;
	err = own(view, path->s, path->len, &node);
	if (err)
		return err;
	struct xs_perms before = node->perms;
	if (!view->tx && moves)
		xs_node_unlink(view->xs, node);
	node->perms = *perms;
	if (!view->tx && moves)
		xs_node_link(view->xs, node);
	touched(view, node, &before);
	return 0;
}
