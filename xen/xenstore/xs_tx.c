/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions: what was seen and changed, path by path; at the end the check, then all changes at once.
 * The end needs no memory: changed nodes are moved into the table, not copied.
 */
#include <xenstore/xs_private.h>

static struct xs_tnode **bucket(struct xs_tx *tx, uint64_t hash)
{
	return &tx->bucket[hash % XS_TX_BUCKETS];
}

#define for_each_tnode(tx, i, t)                        \
	for (unsigned int i = 0; i < XS_TX_BUCKETS; i++) \
		for (struct xs_tnode *t = (tx)->bucket[i]; t; t = t->next)

struct xs_tnode *xs_tx_peek(struct xs_tx *tx, const char *path, size_t len, uint64_t hash)
{
	struct xs_tnode *t = *bucket(tx, hash);
	while (t && (t->hash != hash || t->path_len != len || memcmp(t->path, path, len)))
		t = t->next;
	return t;
}

int xs_tx_room(const struct xs_tx *tx, uint32_t bytes)
{
	return xs_dom_room(tx->dom, 0, bytes) ? 0 : -ENOSPC;
}

/* Bring the domain's account up to what the entry now holds. */
void xs_tx_recharge(struct xs_tx *tx, struct xs_tnode *t)
{
	uint32_t now = (uint32_t)sizeof(*t) + t->path_len + 1;
	if (t->node)
		now += xs_node_bytes(t->node) + t->node->kids_cap;
	tx->dom->used.bytes += now - t->charged;
	t->charged = now;
}

/* The entry of a path; at the first access it is made and the generation noted. */
int xs_tx_touch(struct xenstore *xs, struct xs_tx *tx, const char *path, size_t len, struct xs_tnode **out)
{
	uint64_t hash = xs_hash(xs, path, len);
	*out = xs_tx_peek(tx, path, len, hash);
	if (*out)
		return 0;
	size_t size = sizeof(struct xs_tnode) + len + 1;
	if (tx->n >= tx->dom->quota.tx_nodes || xs_tx_room(tx, (uint32_t)size))
		return -ENOSPC;
	struct xs_tnode *t = env_alloc(size), **b = bucket(tx, hash);
	if (!t)
		return -ENOMEM;
	const struct xs_node *node = xs_node_find(xs, path, len, hash);
	t->base_gen = node ? node->gen : 0;
	t->hash = hash;
	t->path_len = (uint32_t)len;
	memcpy(t->path, path, len);
	t->next = *b;
	*b = t;
	tx->n++;
	xs_tx_recharge(tx, t);
	*out = t;
	return 0;
}

struct xs_tx *xs_tx_find(struct xs_conn *conn, uint32_t id)
{
	struct xs_tx *tx = conn->txs;
	while (tx && tx->id != id)
		tx = tx->next;
	return tx;
}

int xs_tx_start(struct xs_conn *conn, uint32_t *id)
{
	struct xs_dom *dom = conn->dom;
	if (dom->used.transactions >= dom->quota.transactions || !xs_dom_room(dom, 0, sizeof(struct xs_tx)))
		return -ENOSPC;
	struct xs_tx *tx = env_alloc(sizeof(*tx));
	if (!tx)
		return -ENOMEM;
	do
		tx->id = ++conn->next_tx;
	while (tx->id == 0 || xs_tx_find(conn, tx->id));
	tx->dom = dom;
	tx->next = conn->txs;
	conn->txs = tx;
	dom->used.transactions++;
	dom->used.bytes += sizeof(*tx);
	*id = tx->id;
	return 0;
}

static void discharge(struct xs_tx *tx)
{
	for_each_tnode(tx, i, t) {
		tx->dom->used.bytes -= t->charged;
		t->charged = 0;
	}
}

static void tx_free(struct xs_conn *conn, struct xs_tx *tx)
{
	struct xs_tx **at = &conn->txs;
	while (*at != tx)
		at = &(*at)->next;
	*at = tx->next;
	discharge(tx);
	for (unsigned int i = 0; i < XS_TX_BUCKETS; i++)
		while (tx->bucket[i]) {
			struct xs_tnode *t = tx->bucket[i];
			tx->bucket[i] = t->next;
			if (t->node && !t->linked)
				xs_node_free(t->node);
			env_free(t, sizeof(*t) + t->path_len + 1);
		}
	tx->dom->used.transactions--;
	tx->dom->used.bytes -= sizeof(*tx);
	env_free(tx, sizeof(*tx));
}

static struct xs_node *current(struct xenstore *xs, const struct xs_tnode *t)
{
	return xs_node_find(xs, t->path, t->path_len, t->hash);
}

static bool conflicts(struct xenstore *xs, struct xs_tx *tx)
{
	for_each_tnode(tx, i, t) {
		const struct xs_node *node = current(xs, t);
		if ((node ? node->gen : 0) != t->base_gen)
			return true;
		/* Its owner may have gone since. */
		if (t->node && !xs_perm_live(xs, &t->node->perms.p[0]))
			return true;
	}
	return false;
}

static void add_delta(struct xs_dom *dom, const struct xs_node *node, int sign)
{
	dom->d_nodes += sign;
	dom->d_bytes += sign * (int64_t)xs_node_bytes(node);
}

static bool over(uint32_t used, int64_t delta, uint32_t quota)
{
	return delta > 0 && (int64_t)used + delta > (int64_t)quota;
}

/* Would the changes take an owner over its quota? */
static bool exceeds(struct xenstore *xs, struct xs_tx *tx)
{
	bool bad = false;
	if (tx->dom->domid == XS_DOM0)
		return false;
	for_each_tnode(tx, i, t) {
		const struct xs_node *node = current(xs, t);
		if (t->changed && node)
			add_delta(xs_node_owner(xs, node), node, -1);
		if (t->changed && t->node)
			add_delta(xs_node_owner(xs, t->node), t->node, +1);
	}
	for_each_tnode(tx, j, t) {
		struct xs_dom *dom = t->changed && t->node ? xs_node_owner(xs, t->node) : NULL;
		if (dom)
			bad |= over(dom->used.nodes, dom->d_nodes, dom->quota.nodes) ||
			       over(dom->used.bytes, dom->d_bytes, dom->quota.bytes);
	}
	for_each_tnode(tx, k, t) {
		const struct xs_node *node = t->changed ? current(xs, t) : NULL;
		struct xs_dom *old = node ? xs_node_owner(xs, node) : NULL,
			      *new = t->changed && t->node ? xs_node_owner(xs, t->node) : NULL;
		if (old)
			old->d_nodes = old->d_bytes = 0;
		if (new)
			new->d_nodes = new->d_bytes = 0;
	}
	return bad;
}

static bool removes(struct xenstore *xs, struct xs_tx *tx, const char *path, size_t len)
{
	const struct xs_tnode *t = xs_tx_peek(tx, path, len, xs_hash(xs, path, len));
	return t && t->changed && !t->node;
}

static void apply(struct xenstore *xs, struct xs_tnode *t)
{
	struct xs_node *node = current(xs, t);
	if (node) {
		xs_node_unlink(xs, node);
		if (!t->node) {
			xs_node_free(node);
			return;
		}
		xs_node_swap(node, t->node);
	} else if (t->node) {
		node = t->node;
		t->linked = true;
	} else {
		return;
	}
	node->gen = ++xs->gen;
	xs_node_link(xs, node);
}

/* Removals are told before they happen, for the permissions that decide who may know; all else afterwards. */
static void commit(struct xenstore *xs, struct xs_tx *tx)
{
	for_each_tnode(tx, i, t) {
		const struct xs_node *node = t->fire && !t->node ? current(xs, t) : NULL;
		if (node)
			xs_watch_fire(xs, node, NULL, !removes(xs, tx, t->path, xs_parent_len(t->path, t->path_len)));
	}
	for_each_tnode(tx, j, t)
		if (t->changed)
			apply(xs, t);
	for_each_tnode(tx, k, t)
		if (t->fire && t->node)
			xs_watch_fire(xs, current(xs, t), t->linked ? NULL : &t->node->perms, true);
}

int xs_tx_end(struct xs_conn *conn, struct xs_tx *tx, bool wanted)
{
	struct xenstore *xs = conn->xs;
	int err = 0;
	if (wanted) {
		discharge(tx);
		if (tx->failed)
			err = tx->failed;
		else if (conflicts(xs, tx))
			err = -EAGAIN;
		else if (exceeds(xs, tx))
			err = -ENOSPC;
		else
			commit(xs, tx);
	}
	tx_free(conn, tx);
	return err;
}

void xs_tx_drop_all(struct xs_conn *conn)
{
	while (conn->txs)
		tx_free(conn, conn->txs);
}
