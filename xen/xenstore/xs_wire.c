/* SPDX-License-Identifier: BSD-2-Clause */
/* The requests of the wire protocol: one small function each, one table, one reply. */
#include <xenstore/xs_private.h>

#include <stdio.h>

#define HDR sizeof(struct xsd_sockmsg)

struct xs_req {
	struct xs_conn *conn;
	struct xs_view view;
	struct xsd_sockmsg hdr;
	const char *in;     /* hdr.len bytes and a NUL behind them */
	char *out;          /* XENSTORE_PAYLOAD_MAX bytes */
	uint32_t out_len;
};

static int ack(struct xs_req *r)
{
	memcpy(r->out, "OK", 3);
	r->out_len = 3;
	return 0;
}

static int ack_if(struct xs_req *r, int err)
{
	return err ? err : ack(r);
}

/* The payload as exactly n strings, each closed with a NUL; lengths without it. */
static int strings(const struct xs_req *r, const char *s[], size_t len[], unsigned int n)
{
	size_t at = 0;
	for (unsigned int i = 0; i < n; i++) {
		const char *end = at < r->hdr.len ? memchr(r->in + at, '\0', r->hdr.len - at) : NULL;
		if (!end)
			return -EINVAL;
		s[i] = r->in + at;
		len[i] = (size_t)(end - s[i]);
		at += len[i] + 1;
	}
	return at == r->hdr.len ? 0 : -EINVAL;
}

/* The payload's first string as a path, and what follows it. */
static int path_and_rest(struct xs_req *r, const struct xs_path **path, const char **rest, size_t *rest_len)
{
	struct xs_path *p = &r->conn->xs->path;
	const char *end = memchr(r->in, '\0', r->hdr.len);
	if (!end)
		return -EINVAL;
	*path = p;
	*rest = end + 1;
	*rest_len = r->hdr.len - (size_t)(end + 1 - r->in);
	return xs_path_parse(r->conn->dom, r->in, (size_t)(end - r->in), p);
}

static int only_path(struct xs_req *r, const struct xs_path **path)
{
	const char *rest;
	size_t rest_len;
	int err = path_and_rest(r, path, &rest, &rest_len);
	return err ? err : rest_len ? -EINVAL : 0;
}

static int number(const char *s, size_t len, uint32_t *out)
{
	uint64_t v = 0;
	if (len == 0 || len > 10)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*out = (uint32_t)v;
	return v > UINT32_MAX ? -EINVAL : 0;
}

static int read_node(struct xs_req *r, const struct xs_node **node)
{
	const struct xs_path *path;
	int err = only_path(r, &path);
	return err ? err : xs_view_get(&r->view, path, XS_MODE_READ, node);
}

static int reply(struct xs_req *r, const void *bytes, uint32_t len)
{
	if (len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	if (len)
		memcpy(r->out, bytes, len);
	r->out_len = len;
	return 0;
}

static int do_directory(struct xs_req *r)
{
	const struct xs_node *node;
	int err = read_node(r, &node);
	return err ? err : reply(r, node->kids, node->kids_len);
}

/* Generation, then as many whole names from `offset` on as fit, then one more NUL if the list ends there. */
static int do_directory_part(struct xs_req *r)
{
	const char *s[2];
	size_t len[2];
	uint32_t offset;
	const struct xs_node *node;
	struct xs_path *path = &r->conn->xs->path;
	int err = strings(r, s, len, 2);
	if (!err)
		err = number(s[1], len[1], &offset);
	if (!err)
		err = xs_path_parse(r->conn->dom, s[0], len[0], path);
	if (!err)
		err = xs_view_get(&r->view, path, XS_MODE_READ, &node);
	if (err)
		return err;
	uint32_t n = (uint32_t)snprintf(r->out, 24, "%lu", (unsigned long)node->gen) + 1;
	while (offset < node->kids_len) {
		uint32_t step = (uint32_t)strlen(node->kids + offset) + 1;
		if (n + step + 1 > XENSTORE_PAYLOAD_MAX)
			break;
		memcpy(r->out + n, node->kids + offset, step);
		n += step;
		offset += step;
	}
	if (offset >= node->kids_len)
		r->out[n++] = '\0';
	r->out_len = n;
	return 0;
}

static int do_read(struct xs_req *r)
{
	const struct xs_node *node;
	int err = read_node(r, &node);
	return err ? err : reply(r, node->value, node->value_len);
}

static int do_write(struct xs_req *r)
{
	const struct xs_path *path;
	const char *value;
	size_t len;
	int err = path_and_rest(r, &path, &value, &len);
	return ack_if(r, err ? err : xs_view_write(&r->view, path, value, len));
}

static int do_mkdir(struct xs_req *r)
{
	const struct xs_path *path;
	int err = only_path(r, &path);
	return ack_if(r, err ? err : xs_view_mkdir(&r->view, path));
}

static int do_rm(struct xs_req *r)
{
	const struct xs_path *path;
	int err = only_path(r, &path);
	return ack_if(r, err ? err : xs_view_rm(&r->view, path));
}

static int do_get_perms(struct xs_req *r)
{
	const struct xs_node *node;
	int err = read_node(r, &node);
	if (!err)
		r->out_len = (uint32_t)xs_perm_format(r->conn->xs, &node->perms, r->out, XENSTORE_PAYLOAD_MAX);
	return err;
}

static int do_set_perms(struct xs_req *r)
{
	const struct xs_path *path;
	const char *s;
	size_t left;
	struct xs_perms perms = { .n = 0 };
	int err = path_and_rest(r, &path, &s, &left);
	while (!err && left) {
		size_t len = strnlen(s, left);
		if (len == left)
			return -EINVAL;
		if (perms.n == XS_PERMS_MAX)
			return -ENOSPC;
		err = xs_perm_parse(r->conn->xs, s, len, &perms.p[perms.n++]);
		s += len + 1;
		left -= len + 1;
	}
	if (!err && perms.n == 0)
		err = -EINVAL;
	return ack_if(r, err ? err : xs_view_set_perms(&r->view, path, &perms));
}

static int watch_args(struct xs_req *r, const char **token, size_t *token_len)
{
	const char *s[2];
	size_t len[2];
	int err = strings(r, s, len, 2);
	if (err)
		return err;
	*token = s[1];
	*token_len = len[1];
	return xs_path_parse(r->conn->dom, s[0], len[0], &r->conn->xs->path);
}

static int do_watch(struct xs_req *r)
{
	const char *token;
	size_t len;
	struct xs_watch *w;
	int err = watch_args(r, &token, &len);
	if (err)
		return err;
	if (xs_watch_find(r->conn, &r->conn->xs->path, token, len, &w) == 0)
		return -EEXIST;
	return ack_if(r, xs_watch_add(r->conn, &r->conn->xs->path, token, len, &w));
}

static int do_unwatch(struct xs_req *r)
{
	const char *token;
	size_t len;
	struct xs_watch *w;
	int err = watch_args(r, &token, &len);
	if (!err)
		err = xs_watch_find(r->conn, &r->conn->xs->path, token, len, &w);
	if (!err)
		xs_watch_remove(w);
	return ack_if(r, err);
}

static int do_reset_watches(struct xs_req *r)
{
	xs_watch_remove_all(r->conn);
	xs_tx_drop_all(r->conn);
	return ack(r);
}

static int do_transaction_start(struct xs_req *r)
{
	uint32_t id;
	if (r->view.tx)
		return -EBUSY;
	int err = xs_tx_start(r->conn, &id);
	if (!err)
		r->out_len = (uint32_t)snprintf(r->out, 16, "%u", id) + 1;
	return err;
}

static int do_transaction_end(struct xs_req *r)
{
	if (!r->view.tx)
		return -ENOENT;
	if (r->hdr.len != 2 || r->in[1] || (r->in[0] != 'T' && r->in[0] != 'F'))
		return -EINVAL;
	return ack_if(r, xs_tx_end(r->conn, r->view.tx, r->in[0] == 'T'));
}

static int domid_arg(const struct xs_req *r, uint32_t *id)
{
	const char *s[1];
	size_t len[1];
	int err = strings(r, s, len, 1);
	if (!err)
		err = number(s[0], len[0], id);
	return err ? err : *id > UINT16_MAX ? -EINVAL : 0;
}

static int do_get_domain_path(struct xs_req *r)
{
	uint32_t id;
	int err = domid_arg(r, &id);
	if (!err)
		r->out_len = (uint32_t)snprintf(r->out, 32, "/local/domain/%u", id) + 1;
	return err;
}

static int do_is_domain_introduced(struct xs_req *r)
{
	uint32_t id;
	int err = domid_arg(r, &id);
	return err ? err : reply(r, xs_dom_find(r->conn->xs, (uint16_t)id) ? "T" : "F", 2);
}

static int refused(struct xs_req *r)
{
	return -EACCES;
}

struct op {
	int (*fn)(struct xs_req *r);
	bool no_tx; /* has nothing to do with transactions: the header's id is not looked at */
};

static const struct op ops[XS_TYPE_COUNT] = {
	[XS_CONTROL] = { refused, true },
	[XS_INTRODUCE] = { refused, true },
	[XS_RELEASE] = { refused, true },
	[XS_RESUME] = { refused, true },
	[XS_SET_TARGET] = { refused, true },
	[XS_DIRECTORY] = { do_directory, false },
	[XS_DIRECTORY_PART] = { do_directory_part, false },
	[XS_READ] = { do_read, false },
	[XS_WRITE] = { do_write, false },
	[XS_MKDIR] = { do_mkdir, false },
	[XS_RM] = { do_rm, false },
	[XS_GET_PERMS] = { do_get_perms, false },
	[XS_SET_PERMS] = { do_set_perms, false },
	[XS_WATCH] = { do_watch, true },
	[XS_UNWATCH] = { do_unwatch, true },
	[XS_RESET_WATCHES] = { do_reset_watches, true },
	[XS_TRANSACTION_START] = { do_transaction_start, false },
	[XS_TRANSACTION_END] = { do_transaction_end, false },
	[XS_GET_DOMAIN_PATH] = { do_get_domain_path, true },
	[XS_IS_DOMAIN_INTRODUCED] = { do_is_domain_introduced, true },
};

static int dispatch(struct xs_req *r)
{
	const struct op *op = r->hdr.type < XS_TYPE_COUNT ? &ops[r->hdr.type] : NULL;
	if (!op || !op->fn)
		return -ENOSYS;
	if (r->hdr.tx_id && !op->no_tx) {
		r->view.tx = xs_tx_find(r->conn, r->hdr.tx_id);
		if (!r->view.tx)
			return -ENOENT;
	}
	return op->fn(r);
}

static void put_error(struct xs_req *r, int err)
{
	const char *name = "EINVAL";
	for (size_t i = 0; i < ENV_ARRAY_SIZE(xsd_errors); i++)
		if (xsd_errors[i].errnum == -err)
			name = xsd_errors[i].errstring;
	r->hdr.type = XS_ERROR;
	r->out_len = (uint32_t)strlen(name) + 1;
	memcpy(r->out, name, r->out_len);
}

/* Answer the complete request in conn->in with one message in conn->out. */
void xs_request(struct xs_conn *conn)
{
	struct xs_req r = {
		.conn = conn,
		.view = { .xs = conn->xs, .dom = conn->dom },
		.in = conn->in + HDR,
		.out = conn->out + HDR,
	};
	memcpy(&r.hdr, conn->in, HDR);
	conn->in[HDR + r.hdr.len] = '\0';
	int err = dispatch(&r);
	if (err)
		put_error(&r, err);
	r.hdr.len = r.out_len;
	memcpy(conn->out, &r.hdr, HDR);
	conn->out_len = (uint32_t)HDR + r.out_len;
	conn->out_off = 0;
}
