/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains as the store knows them: quota, usage, and the epoch that makes permissions for a predecessor void. */
#include <xenstore/xs_private.h>

#include <stdio.h>

const struct xs_quota xs_quota_default = {
	.nodes = 512,
	.bytes = 128 * 1024,
	.value_bytes = 2048,
	.depth = 32,
	.watches = 128,
	.transactions = 10,
	.tx_nodes = 256,
};

static struct xs_dom **slot(struct xenstore *xs, uint16_t domid)
{
	struct xs_dom **d = &xs->doms[domid % XS_DOM_BUCKETS];
	while (*d && (*d)->domid != domid)
		d = &(*d)->next;
	return d;
}

struct xs_dom *xs_dom_find(const struct xenstore *xs, uint16_t domid)
{
	struct xs_dom *d = xs->doms[domid % XS_DOM_BUCKETS];
	while (d && d->domid != domid)
		d = d->next;
	return d;
}

struct xs_dom *xs_dom_new(struct xenstore *xs, uint16_t domid, const struct xs_quota *quota)
{
	struct xs_dom *dom = env_alloc(sizeof(*dom));
	if (!dom)
		return NULL;
	dom->domid = domid;
	dom->quota = quota ? *quota : xs_quota_default;
	dom->epoch = xs->next_epoch++;
	*slot(xs, domid) = dom;
	return dom;
}

void xs_dom_free(struct xenstore *xs, struct xs_dom *dom)
{
	*slot(xs, dom->domid) = dom->next;
	env_free(dom, sizeof(*dom));
}

/* May `dom` hold that much more? */
bool xs_dom_room(const struct xs_dom *dom, uint32_t nodes, uint32_t bytes)
{
	return (uint64_t)dom->used.nodes + nodes <= dom->quota.nodes && (uint64_t)dom->used.bytes + bytes <= dom->quota.bytes;
}

int xs_domain_add(struct xenstore *xs, uint16_t domid, const struct xs_quota *quota)
{
	env_lock(&xs->lock);
	int err = xs_dom_find(xs, domid) ? -EEXIST : xs_dom_new(xs, domid, quota) ? 0 : -ENOMEM;
	env_unlock(&xs->lock);
	return err;
}

static void rm_path(struct xs_view *view, const char *s, size_t len)
{
	struct xs_path *path = &view->xs->path;
	if (xs_path_parse(view->dom, s, len, path) == 0)
		xs_view_rm(view, path);
}

/* /local/domain/0/backend/<every type>/<domid>. The list is copied name by name: removing changes the tree. */
static void rm_backends(struct xs_view *view, uint16_t domid)
{
	static const char dir[] = "/local/domain/0/backend";
	struct xenstore *xs = view->xs;
	const struct xs_node *node = xs_node_find(xs, dir, sizeof(dir) - 1, xs_hash(xs, dir, sizeof(dir) - 1));
	for (uint32_t at = 0; node && at < node->kids_len; at += (uint32_t)strlen(node->kids + at) + 1) {
		char path[128];
		int len = snprintf(path, sizeof(path), "%s/%s/%u", dir, node->kids + at, domid);
		if (len < (int)sizeof(path))
			rm_path(view, path, (size_t)len);
	}
}

static void rm_vm(struct xs_view *view, const char *home)
{
	struct xenstore *xs = view->xs;
	char path[64];
	int len = snprintf(path, sizeof(path), "%s/vm", home);
	const struct xs_node *node = xs_node_find(xs, path, (size_t)len, xs_hash(xs, path, (size_t)len));
	/* Only a path that the hypervisor wrote: the node is domain 0's. */
	if (node && node->perms.p[0].domid == XS_DOM0 && node->value_len > 4 && !memcmp(node->value, "/vm/", 4))
		rm_path(view, (const char *)node->value, node->value_len);
}

void xs_domain_remove(struct xenstore *xs, uint16_t domid)
{
	env_lock(&xs->lock);
	struct xs_dom *dom = xs_dom_find(xs, domid);
	if (dom && domid != XS_DOM0) {
		struct xs_view view = { .xs = xs, .dom = xs->dom0 };
		char home[32];
		ENV_ASSERT(!dom->conn);
		int len = snprintf(home, sizeof(home), "/local/domain/%u", domid);
		rm_vm(&view, home);
		rm_path(&view, home, (size_t)len);
		rm_backends(&view, domid);
		while (dom->owned)
			rm_path(&view, dom->owned->path, dom->owned->path_len);
		xs_dom_free(xs, dom);
	}
	env_unlock(&xs->lock);
}

bool xs_domain_known(struct xenstore *xs, uint16_t domid)
{
	env_lock(&xs->lock);
	bool known = xs_dom_find(xs, domid) != NULL;
	env_unlock(&xs->lock);
	return known;
}

int xs_domain_usage(struct xenstore *xs, uint16_t domid, struct xs_usage *out)
{
	env_lock(&xs->lock);
	const struct xs_dom *dom = xs_dom_find(xs, domid);
	if (dom)
		*out = dom->used;
	env_unlock(&xs->lock);
	return dom ? 0 : -ENOENT;
}
