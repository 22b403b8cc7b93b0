/* SPDX-License-Identifier: BSD-2-Clause */
/* The n-th allocation fails, n = 0, 1, 2, ... until a whole life runs clean: nothing leaks, the tree stays whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include <env.h>

#include "env_host.h"

static struct xenstore *xs;

/* Each name that a directory lists is a node, and the owners' accounts add up. */
static unsigned int walk(const char *path)
{
	char *names = malloc(65536), *kid = malloc(4096);
	int len = xs_directory(xs, path, names, 65536);
	unsigned int n = 1;
	assert_true(len >= 0);
	for (int at = 0; at < len; at += (int)strlen(names + at) + 1) {
		snprintf(kid, 4096, "%s/%s", path[1] ? path : "", names + at);
		assert_true(xs_read(xs, kid, NULL, 0) >= 0);
		n += walk(kid);
	}
	free(names);
	free(kid);
	return n;
}

static void check_tree(void)
{
	struct xs_usage u;
	unsigned int sum = 0;
	for (uint16_t id = 0; id < 8; id++)
		if (xs_domain_usage(xs, id, &u) == 0)
			sum += u.nodes;
	assert_int_equal(walk("/"), sum);
}

static unsigned int output, calls;

static void on_output(void *ctx)
{
	output++;
}

static void on_change(void *ctx, const char *path)
{
	calls++;
}

static void serve(struct client *c, bool sure)
{
	static const struct {
		uint32_t type;
		const char *s, *t;
	} rows[] = {
		{ XS_WATCH, "data", "t" },
		{ XS_WRITE, "data/a/b/c", "value" },
		{ XS_WRITE, "data/a/b/c", "longer value" },
		{ XS_MKDIR, "data/d", NULL },
		{ XS_SET_PERMS, "data/d", "r5" },
		{ XS_RM, "data/a", NULL },
		{ XS_WRITE, "device/vif/0/state", "4" },
	};
	for (int in_tx = 0; in_tx < 3; in_tx++) {
		if (in_tx && begin_tx(c))
			continue;
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			int err = rows[i].t ? ask2(c, rows[i].type, rows[i].s, rows[i].t) : ask1(c, rows[i].type, rows[i].s);
			if (err && !(in_tx && err == -EEXIST) &&
			    (sure || (err != -ENOMEM && err != -EEXIST && err != -ENOENT && err != -EACCES)))
				fail_msg("row %zu: %d", i, err);
			if (!in_tx)
				check_tree();
		}
		if (in_tx) {
			int err = end_tx(c, in_tx == 1);
			assert_true(err == 0 || (!sure && err == -ENOMEM));
		}
		check_tree();
	}
	take_events(c);
}

/* Begin, live, end; false when it could not begin. */
static bool life(bool sure)
{
	static const uint8_t mac[6] = { 2 };
	struct xs_home home = { .domid = 5, .name = "five", .vcpus = 2 };
	struct xs_watch *watch = NULL;
	struct client c = { 0 };
	xs = xs_create(99);
	if (!xs)
		return false;
	bool ok = !xs_watch(xs, "/local/domain", on_change, NULL, &watch) && !xs_domain_add(xs, 5, NULL) && !xs_home_add(xs, &home);
	check_tree();
	if (!ok && xs_domain_known(xs, 5))
		assert_int_equal(xs_read(xs, "/local/domain/5", NULL, 0), -ENOENT);
	ok = ok && !xs_vif_add(xs, 5, 0, mac, 1500);
	check_tree();
	static const struct xs_conn_ops ops = { on_output };
	c.conn = ok ? xs_conn_open(xs, 5, &ops, NULL) : NULL;
	if (c.conn) {
		serve(&c, sure);
		xs_conn_close(c.conn);
	}
	while (xs_run_pending(xs))
		;
	xs_domain_remove(xs, 5);
	check_tree();
	if (watch)
		xs_unwatch(xs, watch);
	xs_destroy(xs);
	return c.conn != NULL;
}

static void any_one_allocation_may_fail(void **state)
{
	size_t live = env_host_live_bytes(), blocks = env_host_live_blocks();
	assert_true(life(true));
	assert_int_equal(env_host_live_bytes(), live);
	assert_true(calls > 0);
	long n = 0;
	for (bool clean = false; !clean; n++) {
		env_host_fail_after(n);
		bool ok = life(false);
		/* The failure is still to come: this life had no need of more. */
		void *p = env_alloc(1);
		env_host_fail_after(-1);
		clean = !p;
		env_free(p, 1);
		assert_true(ok || !clean);
		if (env_host_live_bytes() != live || env_host_live_blocks() != blocks)
			fail_msg("allocation %ld: %zu bytes in %zu blocks are left", n, env_host_live_bytes() - live,
				 env_host_live_blocks() - blocks);
	}
	assert_true(n > 200);
	print_message("%ld points of failure\n", n);
}

/* As many as there are; none of them may leave a table in a state that later work trips over. */
static void many_allocations_may_fail(void **state)
{
	size_t live = env_host_live_bytes();
	srand(5);
	for (int round = 0; round < 60; round++) {
		struct client c = { 0 };
		static const struct xs_conn_ops ops = { on_output };
		xs = xs_create(7);
		assert_non_null(xs);
		assert_int_equal(xs_domain_add(xs, 5, NULL), 0);
		assert_int_equal(xs_mkdir(xs, "/local/domain/5/data"), 0);
		assert_int_equal(xs_set_perms(xs, "/local/domain/5/data", "n5"), 0);
		c.conn = xs_conn_open(xs, 5, &ops, NULL);
		assert_non_null(c.conn);
		for (int i = 0; i < 200; i++) {
			char path[64];
			snprintf(path, sizeof(path), "data/%d/%d", rand() % 4, rand() % 6);
			if (!c.tx && rand() % 8 == 0)
				begin_tx(&c);
			env_host_fail_after(rand() % 6);
			switch (rand() % 5) {
			case 0:
				ask1(&c, XS_RM, path);
				break;
			case 1:
				ask2(&c, XS_WATCH, path, "t");
				break;
			case 2:
				xs_rm(xs, "/local/domain/5/data/1");
				break;
			default:
				ask2(&c, XS_WRITE, path, "some value");
			}
			if (c.tx && rand() % 8 == 0)
				end_tx(&c, 1);
			env_host_fail_after(-1);
			check_tree();
		}
		xs_conn_close(c.conn);
		xs_domain_remove(xs, 5);
		check_tree();
		xs_destroy(xs);
		assert_int_equal(env_host_live_bytes(), live);
	}
}

/* Killed at random instants, with watches, transactions and a request half sent: all comes back. */
static void a_domain_may_end_at_any_instant(void **state)
{
	size_t live = env_host_live_bytes();
	srand(6);
	xs = xs_create(8);
	for (int round = 0; round < 500; round++) {
		static const struct xs_conn_ops ops = { on_output };
		static const uint8_t mac[6] = { 2 };
		struct xs_home home = { .domid = 5, .name = "five", .vcpus = 1 };
		struct xsd_sockmsg hdr = { .type = XS_WRITE, .len = 100 };
		struct client c = { 0 };
		assert_int_equal(xs_domain_add(xs, 5, NULL), 0);
		assert_int_equal(xs_home_add(xs, &home), 0);
		assert_int_equal(xs_vif_add(xs, 5, 0, mac, 1500), 0);
		c.conn = xs_conn_open(xs, 5, &ops, NULL);
		for (int i = rand() % 60; i > 0; i--) {
			char path[64];
			snprintf(path, sizeof(path), "data/%d/%d", rand() % 4, rand() % 6);
			c.tx = 0;
			if (rand() % 8 == 0)
				begin_tx(&c);
			ask2(&c, rand() % 4 ? XS_WRITE : XS_WATCH, path, "v");
		}
		xs_conn_input(c.conn, &hdr, (size_t)rand() % 16 + 1);
		xs_conn_close(c.conn);
		xs_vif_remove(xs, 5, 0);
		xs_domain_remove(xs, 5);
		check_tree();
		xs_run_pending(xs);
	}
	char names[64];
	assert_int_equal(xs_directory(xs, "/local/domain", names, sizeof(names)), 2);
	assert_int_equal(xs_directory(xs, "/local/domain/0/backend/vif", names, sizeof(names)), 0);
	xs_destroy(xs);
	assert_int_equal(env_host_live_bytes(), live);
}

int main(void)
{
	env_host_log_level(0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_one_allocation_may_fail),
		cmocka_unit_test(many_allocations_may_fail),
		cmocka_unit_test(a_domain_may_end_at_any_instant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
