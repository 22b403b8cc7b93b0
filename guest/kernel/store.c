/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenstore client over the shared ring. A request is written whole, then replies are read until the one with its number
 * comes; watch events in between go to a small queue that store_wait_event() looks at, the oldest lost when it is full.
 */
#include "store.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "event.h"
#include "hypercall.h"
#include "kernel.h"

#define WATCH_QUEUE 16
#define TOKEN_MAX 32

static struct xenstore_domain_interface *ring;
static evtchn_port_t port;
static uint32_t next_req = 1;
static char tokens[WATCH_QUEUE][TOKEN_MAX];
static unsigned int token_head, token_tail;

struct xenstore_domain_interface *store_ring(void)
{
	return ring;
}

uint32_t store_port(void)
{
	return port;
}

void store_init(void)
{
	uint64_t gfn, evtchn;

	if (hvm_param_get(HVM_PARAM_STORE_PFN, &gfn) || hvm_param_get(HVM_PARAM_STORE_EVTCHN, &evtchn) || !gfn)
		panic("no xenstore");
	port = (evtchn_port_t)evtchn;
	ring = (void *)(gfn << 12);
	event_bind(port, NULL, NULL);
}

static void put(const void *data, size_t len)
{
	const char *s = data;

	while (len) {
		XENSTORE_RING_IDX prod = ring->req_prod, start = prod;

		WAIT_UNTIL(prod - READ_ONCE(ring->req_cons) < XENSTORE_RING_SIZE);
		while (len && prod - READ_ONCE(ring->req_cons) < XENSTORE_RING_SIZE) {
			ring->req[MASK_XENSTORE_IDX(prod++)] = *s++;
			len--;
		}
		wmb();
		WRITE_ONCE(ring->req_prod, prod);
		if (prod != start)
			hv_notify(port);
	}
}

/* Take LEN bytes; those beyond KEEP are dropped. */
static void get(char *buf, size_t keep, size_t len)
{
	size_t done = 0;

	while (done < len) {
		XENSTORE_RING_IDX cons = ring->rsp_cons;
		bool was_full;

		WAIT_UNTIL(cons != READ_ONCE(ring->rsp_prod));
		rmb();
		was_full = READ_ONCE(ring->rsp_prod) - cons == XENSTORE_RING_SIZE;
		for (; done < len && cons != READ_ONCE(ring->rsp_prod); cons++, done++)
			if (done < keep)
				buf[done] = ring->rsp[MASK_XENSTORE_IDX(cons)];
		mb();
		WRITE_ONCE(ring->rsp_cons, cons);
		if (was_full)
			hv_notify(port);
	}
}

static bool reply_waits(void)
{
	return READ_ONCE(ring->rsp_prod) != ring->rsp_cons;
}

/* The payload of an event is path, 0, token, 0. */
static void keep_event(size_t len)
{
	static char buf[XENSTORE_PAYLOAD_MAX + 1];
	size_t plen;

	get(buf, sizeof(buf) - 1, len);
	buf[len < sizeof(buf) ? len : sizeof(buf) - 1] = 0;
	plen = strlen(buf) + 1;
	if (token_tail - token_head == WATCH_QUEUE)
		token_head++;
	snprintf(tokens[token_tail++ % WATCH_QUEUE], TOKEN_MAX, "%s", plen < len ? buf + plen : "");
}

static int error_number(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(xsd_errors); i++)
		if (!strcmp(name, xsd_errors[i].errstring))
			return -xsd_errors[i].errnum;
	return -EINVAL;
}

int store_request(unsigned int type, uint32_t tx, const void *payload, size_t len, char *reply, size_t size)
{
	struct xsd_sockmsg msg = { .type = type, .req_id = next_req++, .tx_id = tx, .len = (uint32_t)len };
	struct xsd_sockmsg rsp;
	char error[32];
	size_t n;

	put(&msg, sizeof(msg));
	put(payload, len);
	for (;;) {
		get((char *)&rsp, sizeof(rsp), sizeof(rsp));
		if (rsp.type != XS_WATCH_EVENT)
			break;
		keep_event(rsp.len);
	}
	if (rsp.req_id != msg.req_id)
		panic("xenstore: reply %u to request %u", rsp.req_id, msg.req_id);
	if (rsp.type == XS_ERROR) {
		n = rsp.len < sizeof(error) - 1 ? rsp.len : sizeof(error) - 1;
		get(error, n, rsp.len);
		error[n] = 0;
		return error_number(error);
	}
	n = size && rsp.len > size - 1 ? size - 1 : rsp.len;
	get(reply, size ? n : 0, rsp.len);
	if (size)
		reply[n] = 0;
	return (int)rsp.len;
}

int store_read(const char *path, char *buf, size_t size)
{
	return store_request(XS_READ, 0, path, strlen(path) + 1, buf, size);
}

static unsigned long read_number(const char *path, unsigned long otherwise)
{
	char value[24];
	const char *p = value;

	return store_read(path, value, sizeof(value)) > 0 ? parse_number(&p) : otherwise;
}

unsigned long store_read_number(const char *dir, const char *name, unsigned long otherwise)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return read_number(path, otherwise);
}

int store_write(const char *path, const char *value)
{
	static char buf[XENSTORE_PAYLOAD_MAX];
	size_t n = strlen(path) + 1, len = strlen(value);

	if (n + len > sizeof(buf))
		return -E2BIG;
	memcpy(buf, path, n);
	memcpy(buf + n, value, len);
	n = (size_t)store_request(XS_WRITE, 0, buf, n + len, NULL, 0);
	return (int)n < 0 ? (int)n : 0;
}

int store_printf(const char *dir, const char *name, const char *fmt, ...)
{
	char path[128], value[128];
	va_list ap;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return store_write(path, value);
}

int store_remove(const char *path)
{
	int rc = store_request(XS_RM, 0, path, strlen(path) + 1, NULL, 0);

	return rc < 0 ? rc : 0;
}

static int watch_request(unsigned int type, const char *path, const char *token)
{
	char buf[256];
	size_t n = strlen(path) + 1, m = strlen(token) + 1;
	int rc;

	if (n + m > sizeof(buf))
		return -E2BIG;
	memcpy(buf, path, n);
	memcpy(buf + n, token, m);
	rc = store_request(type, 0, buf, n + m, NULL, 0);
	return rc < 0 ? rc : 0;
}

int store_watch(const char *path, const char *token)
{
	return watch_request(XS_WATCH, path, token);
}

int store_unwatch(const char *path, const char *token)
{
	return watch_request(XS_UNWATCH, path, token);
}

static bool take_token(const char *token)
{
	unsigned int i;

	for (i = token_head; i != token_tail; i++)
		if (!strcmp(tokens[i % WATCH_QUEUE], token)) {
			tokens[i % WATCH_QUEUE][0] = 0;
			return true;
		}
	return false;
}

bool store_wait_event(const char *token, uint64_t timeout_ns)
{
	uint64_t end = clock_ns() + timeout_ns;
	struct xsd_sockmsg rsp;

	while (!take_token(token)) {
		uint64_t now = clock_ns();

		if (now >= end || !WAIT_UNTIL_TIMEOUT(reply_waits(), end - now))
			return take_token(token);
		get((char *)&rsp, sizeof(rsp), sizeof(rsp));
		keep_event(rsp.len);
	}
	return true;
}

bool store_wait_number(const char *dir, const char *name, unsigned long want, uint64_t timeout_ns)
{
	uint64_t end = clock_ns() + timeout_ns;
	char path[128];
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (store_watch(path, "wait-number"))
		return false;
	while (!(ok = read_number(path, ~0ul) == want)) {
		uint64_t now = clock_ns();

		if (now >= end)
			break;
		store_wait_event("wait-number", end - now);
	}
	store_unwatch(path, "wait-number");
	return ok;
}

unsigned int store_own_domid(void)
{
	unsigned long id = read_number("domid", ~0ul);

	BUG_ON(id == ~0ul);
	return (unsigned int)id;
}
