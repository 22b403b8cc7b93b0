/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection: one request being gathered, one message being read, and the events that wait.
 *
 * A request is answered only when the previous message has been read to its end. A guest that does not read is thus not
 * served, and costs two buffers. Requests and events take turns, so neither can hold up the other.
 */
#include <xenstore/xs_private.h>

#define HDR sizeof(struct xsd_sockmsg)

struct xs_conn *xs_conn_new(struct xenstore *xs, struct xs_dom *dom)
{
	struct xs_conn *conn = env_alloc(sizeof(*conn));
	if (!conn)
		return NULL;
	conn->xs = xs;
	conn->dom = dom;
	conn->events.next = conn->events.prev = &conn->events;
	return conn;
}

/* As if just opened. */
void xs_conn_reset(struct xs_conn *conn)
{
	xs_watch_remove_all(conn);
	xs_tx_drop_all(conn);
	conn->in_len = conn->out_len = conn->out_off = 0;
	conn->req_cons = conn->rsp_prod = 0;
	conn->event_turn = false;
	conn->fault = NULL;
}

void xs_conn_free(struct xs_conn *conn)
{
	xs_conn_reset(conn);
	struct xenstore *xs = conn->xs;
	for (struct xs_conn **at = &xs->dirty; *at; at = &(*at)->dirty_next)
		if (*at == conn) {
			*at = conn->dirty_next;
			if (!*at)
				xs->dirty_tail = at;
			break;
		}
	env_free(conn, sizeof(*conn));
}

struct xs_conn *xs_conn_open(struct xenstore *xs, uint16_t domid, const struct xs_conn_ops *ops, void *ctx)
{
	struct xs_conn *conn = NULL;
	env_lock(&xs->lock);
	struct xs_dom *dom = domid == XS_DOM0 ? NULL : xs_dom_find(xs, domid);
	if (dom && !dom->conn)
		conn = xs_conn_new(xs, dom);
	if (conn) {
		conn->ops = ops;
		conn->ctx = ctx;
		dom->conn = conn;
	}
	env_unlock(&xs->lock);
	return conn;
}

void xs_conn_close(struct xs_conn *conn)
{
	struct xenstore *xs = conn->xs;
	env_lock(&xs->lock);
	conn->dom->conn = NULL;
	conn->ops = NULL;
	env_unlock(&xs->lock);
	/* From here on choose() passes it by. */
	xs_wait_idle(xs, conn);
	env_lock(&xs->lock);
	xs_conn_free(conn);
	xs_update_pending(xs);
	env_unlock(&xs->lock);
}

static bool complete(const struct xs_conn *conn)
{
	struct xsd_sockmsg hdr;
	if (conn->in_len < HDR)
		return false;
	memcpy(&hdr, conn->in, HDR);
	return conn->in_len == HDR + hdr.len;
}

bool xs_conn_has_output(const struct xs_conn *conn)
{
	return conn->ops && !conn->fault && (conn->out_off < conn->out_len || conn->n_events);
}

/* There is something new for it. */
void xs_conn_mark(struct xs_conn *conn)
{
	struct xenstore *xs = conn->xs;
	if (conn != xs->self && !conn->dirty) {
		conn->dirty = true;
		conn->dirty_next = NULL;
		*xs->dirty_tail = conn;
		xs->dirty_tail = &conn->dirty_next;
	}
	atomic_store_explicit(&xs->pending, true, memory_order_release);
}

static void put_event(struct xs_conn *conn)
{
	struct xs_event *ev = conn->events.next;
	const struct xs_watch *w = ev->watch;
	const char *path = ev->path ? ev->path : w->text;
	size_t len = ev->len - w->shown;
	struct xsd_sockmsg hdr = { .type = XS_WATCH_EVENT, .len = (uint32_t)(len + w->token_len + 2) };
	xs_event_unlink(ev);
	memcpy(conn->out, &hdr, HDR);
	memcpy(conn->out + HDR, path + w->shown, len);
	conn->out[HDR + len] = '\0';
	memcpy(conn->out + HDR + len + 1, w->text + w->path_len + 1, w->token_len + 1);
	conn->out_len = (uint32_t)HDR + hdr.len;
	conn->out_off = 0;
	xs_event_free(ev);
}

/* Make the next message. => the last one has been read. */
static bool step(struct xs_conn *conn)
{
	bool request = complete(conn);
	if (conn->n_events && (conn->event_turn || !request)) {
		put_event(conn);
		conn->event_turn = false;
		return true;
	}
	if (!request)
		return false;
	xs_request(conn);
	conn->in_len = 0;
	conn->served++;
	conn->event_turn = true;
	return true;
}

void xs_conn_break(struct xs_conn *conn, uint32_t code, const char *why)
{
	conn->fault = why;
	conn->fault_code = code;
	/* A guest may reconnect and do it again as often as it likes. */
	if (conn->breaks++ < 3)
		env_log(ENV_WARN, "xenstore: d%u: %s", conn->dom->domid, why);
}

/* How many more bytes the message being gathered wants; 0: it is complete. */
static size_t wanted(struct xs_conn *conn)
{
	struct xsd_sockmsg hdr;
	if (conn->in_len < HDR)
		return HDR - conn->in_len;
	memcpy(&hdr, conn->in, HDR);
	if (hdr.len > XENSTORE_PAYLOAD_MAX) {
		xs_conn_break(conn, XENSTORE_ERROR_PROTO, "a request is longer than 4096 bytes");
		return 0;
	}
	return HDR + hdr.len - conn->in_len;
}

size_t xs_conn_take(struct xs_conn *conn, const char *bytes, size_t n)
{
	size_t taken = 0;
	while (!conn->fault) {
		size_t want = wanted(conn);
		if (conn->fault)
			break;
		if (want == 0) {
			if (conn->out_off < conn->out_len || !step(conn))
				break;
			continue;
		}
		size_t now = n - taken < want ? n - taken : want;
		if (now == 0)
			break;
		memcpy(conn->in + conn->in_len, bytes + taken, now);
		conn->in_len += (uint32_t)now;
		taken += now;
	}
	return taken;
}

size_t xs_conn_give(struct xs_conn *conn, char *buf, size_t max)
{
	size_t given = 0;
	while (given < max && !conn->fault) {
		if (conn->out_off == conn->out_len && !step(conn))
			break;
		size_t now = conn->out_len - conn->out_off;
		if (now > max - given)
			now = max - given;
		memcpy(buf + given, conn->out + conn->out_off, now);
		conn->out_off += (uint32_t)now;
		given += now;
	}
	return given;
}

size_t xs_conn_input(struct xs_conn *conn, const void *bytes, size_t n)
{
	env_lock(&conn->xs->lock);
	size_t taken = xs_conn_take(conn, bytes, n);
	env_unlock(&conn->xs->lock);
	return taken;
}

size_t xs_conn_output(struct xs_conn *conn, void *buf, size_t max)
{
	env_lock(&conn->xs->lock);
	size_t given = xs_conn_give(conn, buf, max);
	env_unlock(&conn->xs->lock);
	return given;
}

const char *xs_conn_fault(struct xs_conn *conn)
{
	return conn->fault;
}
