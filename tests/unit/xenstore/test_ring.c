/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared ring page: honest guests of any pace, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "env_host.h"

static struct xenstore *xs;
static struct xs_conn *conn;
static struct xenstore_domain_interface ring;
static size_t live;

static void nothing(void *ctx)
{
}

static const struct xs_conn_ops ops = { nothing };

static int setup(void **state)
{
	live = env_host_live_bytes();
	xs = xs_create(1);
	xs_domain_add(xs, 5, NULL);
	struct xs_home home = { .domid = 5, .name = "ring", .vcpus = 1 };
	assert_int_equal(xs_home_add(xs, &home), 0);
	conn = xs_conn_open(xs, 5, &ops, NULL);
	memset(&ring, 0xa5, sizeof(ring));
	xs_ring_attach(conn, &ring);
	assert_int_equal(ring.server_features, XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
	assert_int_equal(ring.req_prod | ring.req_cons | ring.rsp_prod | ring.rsp_cons, 0);
	return 0;
}

static int teardown(void **state)
{
	xs_conn_close(conn);
	xs_domain_remove(xs, 5);
	xs_destroy(xs);
	assert_int_equal(env_host_live_bytes(), live);
	return 0;
}

/* As many bytes as the ring has room for. */
static size_t guest_put(const char *p, size_t n)
{
	size_t done = 0;
	for (; done < n && ring.req_prod - ring.req_cons < XENSTORE_RING_SIZE; done++)
		ring.req[MASK_XENSTORE_IDX(ring.req_prod++)] = p[done];
	return done;
}

static size_t guest_get(char *p, size_t n)
{
	size_t done = 0;
	for (; done < n && ring.rsp_prod != ring.rsp_cons; done++)
		p[done] = ring.rsp[MASK_XENSTORE_IDX(ring.rsp_cons++)];
	return done;
}

static size_t request(char *out, uint32_t type, uint32_t id, const char *payload, size_t len)
{
	struct xsd_sockmsg hdr = { .type = type, .req_id = id, .len = (uint32_t)len };
	memcpy(out, &hdr, sizeof(hdr));
	memcpy(out + sizeof(hdr), payload, len);
	return sizeof(hdr) + len;
}

static void messages_longer_than_the_ring_pass(void **state)
{
	static char req[4200], reply[4200], payload[2048];
	struct xsd_sockmsg hdr;
	memcpy(payload, "data/v", 7);
	for (int i = 7; i < 2048; i++)
		payload[i] = (char)(i * 31);
	size_t n = request(req, XS_WRITE, 1, payload, 2048), put = 0, got = 0;
	while (put < n) {
		put += guest_put(req + put, n - put);
		assert_int_equal(xs_ring_service(conn, &ring), XS_RING_NOTIFY);
	}
	got = guest_get(reply, sizeof(reply));
	assert_int_equal(got, 16 + 3);
	assert_string_equal(reply + 16, "OK");
	n = request(req, XS_READ, 2, "data/v", 7);
	assert_int_equal(guest_put(req, n), n);
	got = 0;
	for (int rounds = 0; rounds < 5; rounds++) {
		xs_ring_service(conn, &ring);
		got += guest_get(reply + got, sizeof(reply) - got);
	}
	memcpy(&hdr, reply, 16);
	assert_int_equal(hdr.type, XS_READ);
	assert_int_equal(got, 16 + 2048 - 7);
	assert_memory_equal(reply + 16, payload + 7, 2048 - 7);
	assert_int_equal(xs_ring_service(conn, &ring), 0);
}

static void work_in_one_call_is_bounded(void **state)
{
	char req[64], reply[64];
	size_t n = request(req, XS_WATCH, 9, "", 0), answered = 0;
	int more = 0, flags;
	for (int i = 0; i < XENSTORE_RING_SIZE / 16; i++)
		guest_put(req, n);
	for (int i = 0; i < 64; i++) {
		uint32_t before = ring.rsp_prod;
		flags = xs_ring_service(conn, &ring);
		assert_true(ring.rsp_prod - before <= 9 * 23);
		more += !!(flags & XS_RING_MORE);
		while (guest_get(reply, 23) == 23)
			answered++;
		if (!flags)
			break;
	}
	assert_int_equal(answered, 64);
	assert_true(more >= 4);
}

static void a_guest_that_reads_slowly_gets_every_reply(void **state)
{
	static char req[64];
	unsigned int asked = 0, answered = 0;
	char reply[20];
	size_t have = 0, n = 0, put = 0;
	for (int i = 0; i < 200000 && answered < 500; i++) {
		if (put == n && asked < 500) {
			n = request(req, XS_READ, asked++, "domid", 6);
			put = 0;
		}
		put += guest_put(req + put, n - put < 5 ? n - put : 5);
		xs_ring_service(conn, &ring);
		have += guest_get(reply + have, 3 < 17 - have ? 3 : 17 - have);
		if (have == 17) {
			struct xsd_sockmsg hdr;
			memcpy(&hdr, reply, 16);
			assert_int_equal(hdr.req_id, answered++);
			assert_int_equal(reply[16], '5');
			have = 0;
		}
	}
	assert_int_equal(answered, 500);
}

static void indices_that_make_no_sense_break_the_ring(void **state)
{
	const struct {
		bool request;
		uint32_t value;
		const char *why;
	} rows[] = {
		{ true, 1025, "the request ring's producer index makes no sense" },
		{ true, 0xffffffff, "the request ring's producer index makes no sense" },
		{ true, 0x80000000, "the request ring's producer index makes no sense" },
		{ false, 1, "the response ring's consumer index makes no sense" },
		{ false, 0x80000000, "the response ring's consumer index makes no sense" },
		{ false, 0u - 1025, "the response ring's consumer index makes no sense" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].request)
			ring.req_prod = rows[i].value;
		else
			ring.rsp_cons = rows[i].value;
		assert_int_equal(xs_ring_service(conn, &ring), -EPROTO);
		assert_string_equal(xs_conn_fault(conn), rows[i].why);
		assert_int_equal(ring.error, XENSTORE_ERROR_RINGIDX);
		ring.req_prod = ring.rsp_cons = 0;
		assert_int_equal(xs_ring_service(conn, &ring), -EPROTO);
		/* A guest that starts over is served again. */
		ring.connection = XENSTORE_RECONNECT;
		assert_int_equal(xs_ring_service(conn, &ring), XS_RING_NOTIFY);
		assert_int_equal(ring.connection, XENSTORE_CONNECTED);
		assert_int_equal(ring.error, XENSTORE_ERROR_NONE);
		assert_null(xs_conn_fault(conn));
	}
	char req[64], reply[64];
	guest_put(req, request(req, XS_READ, 1, "domid", 6));
	xs_ring_service(conn, &ring);
	assert_int_equal(guest_get(reply, 64), 17);
}

static void a_request_too_long_is_a_protocol_error(void **state)
{
	struct xsd_sockmsg hdr = { .type = XS_READ, .len = 0xffffffff };
	guest_put((char *)&hdr, 16);
	assert_int_equal(xs_ring_service(conn, &ring), -EPROTO);
	assert_int_equal(ring.error, XENSTORE_ERROR_PROTO);
}

static void our_own_indices_are_never_read_back(void **state)
{
	char req[64], reply[64];
	for (int i = 0; i < 300; i++) {
		ring.rsp_prod = ring.rsp_cons; /* as we left it, before the guest spoils it */
		guest_put(req, request(req, XS_READ, (uint32_t)i, "domid", 6));
		uint32_t cons = ring.req_cons;
		ring.req_cons = (uint32_t)rand();
		ring.rsp_prod = (uint32_t)rand();
		assert_int_equal(xs_ring_service(conn, &ring), XS_RING_NOTIFY);
		assert_int_equal(ring.req_cons, cons + 22);
		assert_int_equal(guest_get(reply, 64), 17);
	}
}

static void a_reconnect_drops_watches_and_transactions(void **state)
{
	char req[64], reply[256];
	struct xs_usage u;
	guest_put(req, request(req, XS_WATCH, 1, "data\0t", 7));
	guest_put(req, request(req, XS_TRANSACTION_START, 2, "", 1));
	xs_ring_service(conn, &ring);
	guest_get(reply, 256);
	xs_domain_usage(xs, 5, &u);
	assert_int_equal(u.watches, 1);
	assert_int_equal(u.transactions, 1);
	guest_put("half a header", 9);
	xs_ring_service(conn, &ring);
	ring.connection = XENSTORE_RECONNECT;
	xs_ring_service(conn, &ring);
	xs_domain_usage(xs, 5, &u);
	assert_int_equal(u.watches + u.transactions, 0);
	guest_put(req, request(req, XS_READ, 1, "domid", 6));
	xs_ring_service(conn, &ring);
	assert_int_equal(guest_get(reply, 256), 17);
}

/* A second vcpu that scribbles over the whole page while it is served. */
static _Atomic bool scribbling;

static void *scribble(void *arg)
{
	unsigned int seed = 3;
	volatile uint32_t *words = (volatile uint32_t *)&ring;
	while (scribbling) {
		unsigned int r = (unsigned int)rand_r(&seed);
		words[r % (sizeof(ring) / 4)] = r % 3 ? (uint32_t)rand_r(&seed) : r % 64;
	}
	return NULL;
}

static void a_page_that_changes_under_us_harms_only_its_guest(void **state)
{
	pthread_t id;
	unsigned int broken = 0;
	scribbling = true;
	assert_int_equal(pthread_create(&id, NULL, scribble, NULL), 0);
	for (long i = 0; i < 100000 || (broken <= 10 && i < 100000000); i++) {
		if (i % 1000 == 0)
			sched_yield();
		if (xs_ring_service(conn, &ring) == -EPROTO) {
			broken++;
			__atomic_store_n(&ring.connection, XENSTORE_RECONNECT, __ATOMIC_RELEASE);
		}
	}
	scribbling = false;
	pthread_join(id, NULL);
	assert_true(broken > 10);
	char name[8];
	assert_int_equal(xs_read(xs, "/local/domain/5/name", name, sizeof(name)), 4);
	assert_string_equal(name, "ring");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	env_host_log_level(0);
	const struct CMUnitTest tests[] = {
		T(messages_longer_than_the_ring_pass),
		T(work_in_one_call_is_bounded),
		T(a_guest_that_reads_slowly_gets_every_reply),
		T(indices_that_make_no_sense_break_the_ring),
		T(a_request_too_long_is_a_protocol_error),
		T(our_own_indices_are_never_read_back),
		T(a_reconnect_drops_watches_and_transactions),
		T(a_page_that_changes_under_us_harms_only_its_guest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
