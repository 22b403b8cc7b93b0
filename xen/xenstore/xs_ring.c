/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring page shared with a guest. All of it is the guest's to write at any moment: each of its two indices is read
 * once a round and checked, our own two live in the connection and are only ever written to the page, and the bytes are
 * copied once before anything looks at them.
 */
#include <xenstore/xs_private.h>

static uint32_t load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static void start(struct xenstore_domain_interface *ring)
{
	store(&ring->req_cons, 0);
	store(&ring->req_prod, 0);
	store(&ring->rsp_cons, 0);
	store(&ring->rsp_prod, 0);
	store(&ring->server_features, XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
	store(&ring->error, XENSTORE_ERROR_NONE);
	store(&ring->connection, XENSTORE_CONNECTED);
}

void xs_ring_attach(struct xs_conn *conn, struct xenstore_domain_interface *ring)
{
	env_lock(&conn->xs->lock);
	conn->req_cons = conn->rsp_prod = 0;
	start(ring);
	env_unlock(&conn->xs->lock);
}

/* Messages into the ring; the number of bytes. */
static uint32_t fill(struct xs_conn *conn, struct xenstore_domain_interface *ring)
{
	uint32_t used = conn->rsp_prod - load(&ring->rsp_cons), moved = 0;
	if (used > XENSTORE_RING_SIZE) {
		xs_conn_break(conn, XENSTORE_ERROR_RINGIDX, "the response ring's consumer index makes no sense");
		return 0;
	}
	while (moved < XENSTORE_RING_SIZE - used) {
		uint32_t at = MASK_XENSTORE_IDX(conn->rsp_prod + moved), room = XENSTORE_RING_SIZE - used - moved;
		if (room > XENSTORE_RING_SIZE - at)
			room = XENSTORE_RING_SIZE - at;
		uint32_t n = (uint32_t)xs_conn_give(conn, ring->rsp + at, room);
		if (n == 0)
			break;
		moved += n;
	}
	if (moved) {
		conn->rsp_prod += moved;
		store(&ring->rsp_prod, conn->rsp_prod);
	}
	return moved;
}

/* Request bytes out of the ring; their number. */
static uint32_t drain(struct xs_conn *conn, struct xenstore_domain_interface *ring)
{
	uint32_t avail = load(&ring->req_prod) - conn->req_cons, moved = 0;
	if (avail > XENSTORE_RING_SIZE) {
		xs_conn_break(conn, XENSTORE_ERROR_RINGIDX, "the request ring's producer index makes no sense");
		return 0;
	}
	while (moved < avail) {
		uint32_t at = MASK_XENSTORE_IDX(conn->req_cons + moved), some = avail - moved;
		if (some > XENSTORE_RING_SIZE - at)
			some = XENSTORE_RING_SIZE - at;
		uint32_t n = (uint32_t)xs_conn_take(conn, ring->req + at, some);
		moved += n;
		if (n < some)
			break;
	}
	if (moved) {
		conn->req_cons += moved;
		store(&ring->req_cons, conn->req_cons);
	}
	return moved;
}

static int service(struct xs_conn *conn, struct xenstore_domain_interface *ring)
{
	int flags = 0;
	if (load(&ring->connection) == XENSTORE_RECONNECT) {
		xs_conn_reset(conn);
		start(ring);
		flags = XS_RING_NOTIFY;
	}
	uint64_t until = conn->served + XS_RING_REQUESTS;
	uint32_t moved = 1;
	for (unsigned int round = 0; moved && !conn->fault; round++) {
		if (conn->served >= until || round > 4 * XS_RING_REQUESTS)
			return flags | XS_RING_MORE;
		moved = fill(conn, ring);
		if (!conn->fault)
			moved += drain(conn, ring);
		if (moved)
			flags |= XS_RING_NOTIFY;
	}
	if (!conn->fault)
		return flags;
	store(&ring->error, conn->fault_code);
	return -EPROTO;
}

int xs_ring_service(struct xs_conn *conn, struct xenstore_domain_interface *ring)
{
	env_lock(&conn->xs->lock);
	int ret = service(conn, ring);
	env_unlock(&conn->xs->lock);
	return ret;
}
