/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own calls, with domain 0's rights. */
#include <xenstore/xs_private.h>

#include <stdio.h>

/* Under the lock: the checked path in xs->path, and domain 0's view. */
static int begin(struct xenstore *xs, const char *path, struct xs_view *view)
{
	env_lock(&xs->lock);
	*view = (struct xs_view){ .xs = xs, .dom = xs->dom0 };
	return xs_path_parse(xs->dom0, path, strlen(path), &xs->path);
}

static int end(struct xenstore *xs, int ret)
{
	env_unlock(&xs->lock);
	return ret;
}

int xs_write(struct xenstore *xs, const char *path, const void *value, size_t len)
{
	struct xs_view view;
	int err = begin(xs, path, &view);
	return end(xs, err ? err : xs_view_write(&view, &xs->path, value, len));
}

static int join(char *out, size_t size, const char *dir, const char *name)
{
	int n = snprintf(out, size, "%s/%s", dir, name);
	return n < 0 || (size_t)n >= size ? -E2BIG : 0;
}

int xs_printf(struct xenstore *xs, const char *dir, const char *name, const char *fmt, ...)
{
	char path[XS_PRINTF_MAX], value[XS_PRINTF_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(value) || join(path, sizeof(path), dir, name))
		return -E2BIG;
	return xs_write(xs, path, value, (size_t)n);
}

int xs_read(struct xenstore *xs, const char *path, char *buf, size_t size)
{
	struct xs_view view;
	const struct xs_node *node;
	int err = begin(xs, path, &view);
	if (!err)
		err = xs_view_get(&view, &xs->path, XS_MODE_READ, &node);
	if (err)
		return end(xs, err);
	size_t n = node->value_len < size ? node->value_len : size ? size - 1 : 0;
	if (n)
		memcpy(buf, node->value, n);
	if (size)
		buf[n] = '\0';
	return end(xs, (int)node->value_len);
}

int xs_read_u32(struct xenstore *xs, const char *dir, const char *name, uint32_t *value)
{
	char path[XS_PRINTF_MAX], text[12];
	int n = join(path, sizeof(path), dir, name);
	if (!n)
		n = xs_read(xs, path, text, sizeof(text));
	if (n < 0)
		return n;
	uint64_t v = 0;
	for (int i = 0; i < n; i++) {
		if (n > 10 || text[i] < '0' || text[i] > '9')
			return -EINVAL;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	if (n == 0 || v > UINT32_MAX)
		return -EINVAL;
	*value = (uint32_t)v;
	return 0;
}

int xs_directory(struct xenstore *xs, const char *path, char *buf, size_t size)
{
	struct xs_view view;
	const struct xs_node *node;
	int err = begin(xs, path, &view);
	if (!err)
		err = xs_view_get(&view, &xs->path, XS_MODE_READ, &node);
	if (!err && node->kids_len > size)
		err = -E2BIG;
	if (!err && node->kids_len)
		memcpy(buf, node->kids, node->kids_len);
	return end(xs, err ? err : (int)node->kids_len);
}

int xs_mkdir(struct xenstore *xs, const char *path)
{
	struct xs_view view;
	int err = begin(xs, path, &view);
	return end(xs, err ? err : xs_view_mkdir(&view, &xs->path));
}

int xs_rm(struct xenstore *xs, const char *path)
{
	struct xs_view view;
	const struct xs_node *node;
	int err = begin(xs, path, &view);
	if (!err)
		err = xs_view_get(&view, &xs->path, XS_MODE_READ, &node);
	return end(xs, err ? err : xs_view_rm(&view, &xs->path));
}

int xs_set_perms(struct xenstore *xs, const char *path, const char *text)
{
	struct xs_view view;
	struct xs_perms perms = { .n = 0 };
	int err = begin(xs, path, &view);
	while (!err && *text) {
		const char *space = strchr(text, ' ');
		size_t len = space ? (size_t)(space - text) : strlen(text);
		err = perms.n == XS_PERMS_MAX ? -ENOSPC : xs_perm_parse(xs, text, len, &perms.p[perms.n++]);
		text += len + (space != NULL);
	}
	if (!err && perms.n == 0)
		err = -EINVAL;
	return end(xs, err ? err : xs_view_set_perms(&view, &xs->path, &perms));
}

int xs_watch(struct xenstore *xs, const char *path, xs_watch_fn *fn, void *ctx, struct xs_watch **out)
{
	struct xs_view view;
	struct xs_watch *w = NULL;
	int err = begin(xs, path, &view);
	if (!err)
		err = xs_watch_add(xs->self, &xs->path, "", 0, &w);
	if (!err) {
		w->fn = fn;
		w->ctx = ctx;
	}
	*out = w;
	return end(xs, err);
}

void xs_unwatch(struct xenstore *xs, struct xs_watch *watch)
{
	/* Off the queue first, so that it cannot be chosen again; then let a running call come back. */
	env_lock(&xs->lock);
	watch->fn = NULL;
	env_unlock(&xs->lock);
	xs_wait_idle(xs, watch);
	env_lock(&xs->lock);
	xs_watch_remove(watch);
	env_unlock(&xs->lock);
}
