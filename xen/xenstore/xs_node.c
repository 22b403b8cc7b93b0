/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes: value, children's names, the table of all nodes, and what each costs its owner. */
#include <xenstore/xs_private.h>

struct xs_node *xs_node_new(struct xenstore *xs, const char *path, size_t len)
{
	struct xs_node *node = env_alloc(sizeof(*node) + len + 1);
	if (!node)
		return NULL;
	memcpy(node->path, path, len);
	node->path_len = (uint32_t)len;
	node->hash = xs_hash(xs, path, len);
	return node;
}

void xs_node_free(struct xs_node *node)
{
	env_free(node->value, node->value_len);
	env_free(node->kids, node->kids_cap);
	env_free(node, sizeof(*node) + node->path_len + 1);
}

/* A copy outside of the table. */
struct xs_node *xs_node_copy(const struct xs_node *node)
{
	struct xs_node *copy = env_alloc(sizeof(*copy) + node->path_len + 1);
	if (!copy)
		return NULL;
	memcpy(copy->path, node->path, node->path_len);
	copy->path_len = node->path_len;
	copy->hash = node->hash;
	copy->perms = node->perms;
	copy->gen = node->gen;
	if (xs_node_set_value(copy, node->value, node->value_len) || xs_kids_reserve(copy, node->kids_len)) {
		xs_node_free(copy);
		return NULL;
	}
	if (node->kids_len)
		memcpy(copy->kids, node->kids, node->kids_len);
	copy->kids_len = node->kids_len;
	return copy;
}

/* Exchange what two nodes of one path hold. => the caller keeps links and charges right. */
void xs_node_swap(struct xs_node *a, struct xs_node *b)
{
	struct xs_node t = *a;
	a->perms = b->perms;
	a->value = b->value;
	a->value_len = b->value_len;
	a->kids = b->kids;
	a->kids_len = b->kids_len;
	a->kids_cap = b->kids_cap;
	b->perms = t.perms;
	b->value = t.value;
	b->value_len = t.value_len;
	b->kids = t.kids;
	b->kids_len = t.kids_len;
	b->kids_cap = t.kids_cap;
}

/* The name in the parent's list is charged to the child, so that a directory costs its owner no more than it put there. */
uint32_t xs_node_bytes(const struct xs_node *node)
{
	size_t name_len;
	xs_name(node->path, node->path_len, &name_len);
	return (uint32_t)(sizeof(*node) + node->path_len + name_len + 2) + node->value_len;
}

int xs_node_set_value(struct xs_node *node, const void *value, size_t len)
{
	uint8_t *copy = NULL;
	if (len) {
		copy = env_alloc(len);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, value, len);
	}
	env_free(node->value, node->value_len);
	node->value = copy;
	node->value_len = (uint32_t)len;
	return 0;
}

/* Make room for one more name of that length, so that xs_kids_add() cannot fail. */
int xs_kids_reserve(struct xs_node *node, size_t name_len)
{
	size_t need = node->kids_len + name_len + 1;
	if (need <= node->kids_cap)
		return 0;
	size_t cap = node->kids_cap ? node->kids_cap : 16;
	while (cap < need)
		cap *= 2;
	char *kids = env_alloc(cap);
	if (!kids)
		return -ENOMEM;
	if (node->kids_len)
		memcpy(kids, node->kids, node->kids_len);
	env_free(node->kids, node->kids_cap);
	node->kids = kids;
	node->kids_cap = (uint32_t)cap;
	return 0;
}

void xs_kids_add(struct xs_node *node, const char *name, size_t len)
{
	memcpy(node->kids + node->kids_len, name, len);
	node->kids[node->kids_len + len] = '\0';
	node->kids_len += (uint32_t)len + 1;
}

void xs_kids_remove(struct xs_node *node, const char *name, size_t len)
{
	for (uint32_t at = 0; at < node->kids_len;) {
		uint32_t step = (uint32_t)strlen(node->kids + at) + 1;
		if (step == len + 1 && !memcmp(node->kids + at, name, len)) {
			memmove(node->kids + at, node->kids + at + step, node->kids_len - at - step);
			node->kids_len -= step;
			return;
		}
		at += step;
	}
}

/* The last child's name; removing from the end keeps a removal of all linear. => there is one. */
const char *xs_kids_last(const struct xs_node *node)
{
	uint32_t at = node->kids_len - 1;
	while (at > 0 && node->kids[at - 1])
		at--;
	return node->kids + at;
}

void xs_kids_drop_last(struct xs_node *node)
{
	node->kids_len = (uint32_t)(xs_kids_last(node) - node->kids);
}

static struct xs_node **bucket(const struct xenstore *xs, uint64_t hash)
{
	return &xs->nodes[hash & (xs->n_buckets - 1)];
}

struct xs_node *xs_node_find(const struct xenstore *xs, const char *path, size_t len, uint64_t hash)
{
	for (struct xs_node *n = *bucket(xs, hash); n; n = n->next)
		if (n->hash == hash && n->path_len == len && !memcmp(n->path, path, len))
			return n;
	return NULL;
}

/* Twice the buckets; without memory the chains just get longer. */
static void grow(struct xenstore *xs)
{
	uint32_t old_n = xs->n_buckets;
	struct xs_node **old = xs->nodes, **new = env_alloc(2ul * old_n * sizeof(*new));
	if (!new)
		return;
	xs->nodes = new;
	xs->n_buckets = 2 * old_n;
	for (uint32_t i = 0; i < old_n; i++)
		while (old[i]) {
			struct xs_node *n = old[i], **to = bucket(xs, n->hash);
			old[i] = n->next;
			n->next = *to;
			*to = n;
		}
	env_free(old, old_n * sizeof(*old));
}

/* => commit and set_perms have refused owners that are gone, xs_domain_remove() removes what they leave. */
struct xs_dom *xs_node_owner(struct xenstore *xs, const struct xs_node *node)
{
	struct xs_dom *dom = xs_dom_find(xs, node->perms.p[0].domid);
	ENV_ASSERT(dom);
	return dom;
}

/* Enter a node into the table, and into its owner's list and account. */
void xs_node_link(struct xenstore *xs, struct xs_node *node)
{
	if (xs->n_nodes >= xs->n_buckets)
		grow(xs);
	struct xs_node **b = bucket(xs, node->hash);
	node->next = *b;
	*b = node;
	xs->n_nodes++;

	struct xs_dom *dom = xs_node_owner(xs, node);
	node->onext = dom->owned;
	node->oprev = &dom->owned;
	if (dom->owned)
		dom->owned->oprev = &node->onext;
	dom->owned = node;
	dom->used.nodes++;
	dom->used.bytes += xs_node_bytes(node);
}

void xs_node_unlink(struct xenstore *xs, struct xs_node *node)
{
	struct xs_node **b = bucket(xs, node->hash);
	while (*b != node)
		b = &(*b)->next;
	*b = node->next;
	xs->n_nodes--;

	struct xs_dom *dom = xs_node_owner(xs, node);
	*node->oprev = node->onext;
	if (node->onext)
		node->onext->oprev = node->oprev;
	dom->used.nodes--;
	dom->used.bytes -= xs_node_bytes(node);
}
