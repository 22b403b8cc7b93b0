/* SPDX-License-Identifier: BSD-2-Clause */
/* Quotas, guests that do not read, and what the hypervisor's own calls refuse. */
#include "world.h"

static void quotas_hold(void **state)
{
	const struct xs_quota *q = &xs_quota_default;
	struct xs_usage u;
	char path[64], value[2050];
	int err = 0, n = 0;
	memset(value, 'v', sizeof(value));
	while (!err) {
		snprintf(path, sizeof(path), "data/n%d", n++);
		err = ask2(&w.a, XS_WRITE, path, "1");
	}
	assert_int_equal(err, -ENOSPC);
	xs_domain_usage(w.xs, 5, &u);
	assert_true(u.nodes <= q->nodes && u.bytes <= q->bytes);
	assert_true(u.nodes == q->nodes || u.bytes > q->bytes - 400);
	assert_int_equal(ask2(&w.b, XS_WRITE, "data/mine", "1"), 0);
	assert_int_equal(xs_write(w.xs, "/local/domain/5/data/n0", "yes", 3), 0);
	assert_int_equal(ask1(&w.a, XS_RM, "data"), 0);
	xs_domain_usage(w.xs, 5, &u);
	assert_true(u.nodes < 60);

	value[2049] = '\0';
	assert_int_equal(ask2(&w.a, XS_WRITE, "drivers/v", value), -ENOSPC);
	value[2048] = '\0';
	assert_int_equal(ask2(&w.a, XS_WRITE, "drivers/v", value), 0);
	for (err = 0, n = 0; !err; n++) {
		snprintf(path, sizeof(path), "drivers/v%d", n);
		err = ask2(&w.a, XS_WRITE, path, value);
	}
	assert_int_equal(err, -ENOSPC);
	xs_domain_usage(w.xs, 5, &u);
	assert_true(u.bytes <= q->bytes && u.bytes > q->bytes - 4096);
	/* Growing a value counts, too, shrinking helps. */
	assert_int_equal(ask2(&w.a, XS_WRITE, "drivers/v0", ""), 0);
	assert_int_equal(ask2(&w.a, XS_WRITE, "drivers/v0", value), 0);
	ask1(&w.a, XS_RM, "drivers");

	for (err = 0, n = 0; !err; n++) {
		snprintf(path, sizeof(path), "t%d", n);
		err = ask2(&w.a, XS_WATCH, "data", path);
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(n - 1, q->watches);
	ask(&w.a, XS_RESET_WATCHES, "", 1);
	for (err = 0, n = 0; !err; n++)
		err = begin_tx(&w.a);
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(n - 1, q->transactions);
	w.a.tx = 1;
	ask(&w.a, XS_RESET_WATCHES, "", 1);
	w.a.tx = 0;
	xs_domain_usage(w.xs, 5, &u);
	assert_int_equal(u.transactions, 0);
	assert_int_equal(u.watches, 0);
}

static void transactions_count_against_the_quotas(void **state)
{
	char path[64], value[2001];
	struct xs_usage before, u;
	int err = 0, n;
	memset(value, 'v', 2000);
	value[2000] = '\0';
	xs_domain_usage(w.xs, 5, &before);
	begin_tx(&w.a);
	for (n = 0; !err; n++) {
		snprintf(path, sizeof(path), "none%d", n);
		err = ask1(&w.a, XS_READ, path);
		err = err == -ENOENT ? 0 : err;
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(n, xs_quota_default.tx_nodes); /* the home, whose permissions decide, is one of them */
	end_tx(&w.a, 1);
	begin_tx(&w.a);
	for (err = 0, n = 0; !err; n++) {
		snprintf(path, sizeof(path), "data/n%d", n);
		err = ask2(&w.a, XS_WRITE, path, value);
	}
	assert_int_equal(err, -ENOSPC);
	xs_domain_usage(w.xs, 5, &u);
	assert_true(u.bytes <= xs_quota_default.bytes);
	end_tx(&w.a, 0);
	xs_domain_usage(w.xs, 5, &u);
	assert_memory_equal(&u, &before, sizeof(u));
	/* Two at once cannot together create more than one may. */
	uint32_t tx[2];
	for (int t = 0; t < 2; t++) {
		begin_tx(&w.a);
		tx[t] = w.a.tx;
	}
	for (int round = 0; round < 3; round++)
		for (int t = 0; t < 2; t++)
			for (n = 0; n < 170; n++) {
				snprintf(path, sizeof(path), "%s/%d-%d", t ? "data" : "drivers", round, n);
				w.a.tx = tx[t];
				ask1(&w.a, XS_MKDIR, path);
			}
	w.a.tx = tx[0];
	int first = end_tx(&w.a, 1);
	w.a.tx = tx[1];
	int second = end_tx(&w.a, 1);
	assert_int_equal(first, 0);
	assert_true(second == 0 || second == -ENOSPC);
	xs_domain_usage(w.xs, 5, &u);
	assert_true(u.nodes <= xs_quota_default.nodes && u.bytes <= xs_quota_default.bytes);
}

static void a_guest_that_does_not_read_is_not_served(void **state)
{
	struct xsd_sockmsg hdr = { .type = XS_READ, .len = 5 };
	char req[21];
	size_t taken = 0, live;
	memcpy(req, &hdr, 16);
	memcpy(req + 16, "name", 5);
	ask2(&w.a, XS_WATCH, "data", "t");
	live = env_host_live_bytes();
	for (int i = 0; i < 1000; i++)
		taken += xs_conn_input(w.a.conn, req, sizeof(req));
	assert_true(taken <= 3 * sizeof(req));
	for (int i = 0; i < 1000; i++)
		xs_write(w.xs, "/local/domain/5/data/x", "1", 1);
	assert_true(env_host_live_bytes() < live + 2048);
	xs_conn_close(w.a.conn);
	w.a.conn = NULL;
}

static void too_long_a_request_breaks_the_connection(void **state)
{
	struct xsd_sockmsg hdr = { .type = XS_WRITE, .len = 4097 };
	char c;
	assert_int_equal(xs_conn_input(w.a.conn, &hdr, 16), 16);
	assert_int_equal(xs_conn_input(w.a.conn, "x", 1), 0);
	assert_string_equal(xs_conn_fault(w.a.conn), "a request is longer than 4096 bytes");
	assert_int_equal(xs_conn_output(w.a.conn, &c, 1), 0);
	assert_int_equal(ask1(&w.b, XS_READ, "name"), 0);
}

static void connections_are_one_a_known_domain(void **state)
{
	assert_null(xs_conn_open(w.xs, 5, &conn_ops, NULL));
	assert_null(xs_conn_open(w.xs, 0, &conn_ops, NULL));
	assert_null(xs_conn_open(w.xs, 99, &conn_ops, NULL));
	assert_int_equal(xs_domain_add(w.xs, 5, NULL), -EEXIST);
	struct xs_home none = { .domid = 99, .name = "x" };
	assert_int_equal(xs_home_add(w.xs, &none), -ENOENT);
	assert_int_equal(xs_vif_add(w.xs, 99, 0, (const uint8_t *)"abcdef", 1500), -ENOENT);
	struct xs_usage u;
	assert_int_equal(xs_domain_usage(w.xs, 99, &u), -ENOENT);
	xs_domain_remove(w.xs, 99);
	xs_domain_remove(w.xs, 0);
	assert_true(xs_domain_known(w.xs, 0));
}

static void the_hypervisors_calls_refuse_nonsense(void **state)
{
	uint32_t v;
	char longer[300];
	memset(longer, 'x', 299);
	longer[299] = '\0';
	assert_int_equal(xs_write(w.xs, "/a//b", "", 0), -EINVAL);
	assert_int_equal(xs_printf(w.xs, "/tool", "v", "%s", longer), -E2BIG);
	assert_int_equal(xs_printf(w.xs, longer, "v", "1"), -E2BIG);
	static const char *const numbers[] = { "", "x", "1x", "-1", "4294967296", "99999999999", "0x10" };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		xs_printf(w.xs, "/tool", "v", "%s", numbers[i]);
		assert_int_equal(xs_read_u32(w.xs, "/tool", "v", &v), -EINVAL);
	}
	xs_printf(w.xs, "/tool", "v", "%u", 4294967295u);
	assert_int_equal(xs_read_u32(w.xs, "/tool", "v", &v), 0);
	assert_int_equal(v, 4294967295u);
	assert_int_equal(xs_set_perms(w.xs, "/tool", ""), -EINVAL);
	assert_int_equal(xs_set_perms(w.xs, "/tool", "n77"), -EINVAL);
	assert_int_equal(xs_set_perms(w.xs, "/", "n5"), -EPERM);
	assert_int_equal(xs_set_perms(w.xs, "/none", "n0"), -ENOENT);
	assert_int_equal(xs_rm(w.xs, "/none"), -ENOENT);
	char buf[2];
	assert_int_equal(xs_directory(w.xs, "/tool", buf, 1), -E2BIG);
	assert_int_equal(xs_rm(w.xs, "/tool"), 0);
}

int main(void)
{
	env_host_log_level(0);
	const struct CMUnitTest tests[] = {
		T(quotas_hold),
		T(transactions_count_against_the_quotas),
		T(a_guest_that_does_not_read_is_not_served),
		T(too_long_a_request_breaks_the_connection),
		T(connections_are_one_a_known_domain),
		T(the_hypervisors_calls_refuse_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
