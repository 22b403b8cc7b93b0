/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches and transactions. */
#include "world.h"

static void watches_fire_at_and_below(void **state)
{
	assert_int_equal(ask2(&w.a, XS_WATCH, "data", "tok"), 0);
	assert_int_equal(take_events(&w.a), 1);
	assert_true(had_event(&w.a, "data tok"));
	assert_int_equal(ask2(&w.a, XS_WATCH, "data", "tok"), -EEXIST);
	assert_int_equal(ask2(&w.a, XS_WATCH, "/local/domain/5/data", "abs"), 0);
	assert_int_equal(take_events(&w.a), 1);
	assert_int_equal(ask2(&w.a, XS_WRITE, "data/x/y", "1"), 0);
	assert_int_equal(take_events(&w.a), 2);
	assert_true(had_event(&w.a, "data/x/y tok"));
	assert_true(had_event(&w.a, "/local/domain/5/data/x/y abs"));
	assert_int_equal(ask2(&w.a, XS_WRITE, "drivers/x", "1"), 0);
	assert_int_equal(take_events(&w.a), 0);
	assert_int_equal(ask2(&w.a, XS_UNWATCH, "data", "tok"), 0);
	assert_int_equal(ask1(&w.a, XS_RM, "data/x"), 0);
	assert_int_equal(take_events(&w.a), 1);
	assert_true(had_event(&w.a, "/local/domain/5/data/x abs"));
	assert_int_equal(ask2(&w.a, XS_SET_PERMS, "data", "r5"), 0);
	assert_int_equal(take_events(&w.a), 1);
	assert_int_equal(ask(&w.a, XS_RESET_WATCHES, "", 1), 0);
	assert_int_equal(ask2(&w.a, XS_WRITE, "data/x", "1"), 0);
	assert_int_equal(take_events(&w.a), 0);
}

static void a_removal_from_above_is_told_to_those_below(void **state)
{
	ask2(&w.a, XS_WRITE, "data/x/y/z", "1");
	ask2(&w.a, XS_WATCH, "data/x/y", "y");
	ask2(&w.a, XS_WATCH, "data/x/none", "none");
	take_events(&w.a);
	assert_int_equal(ask1(&w.a, XS_RM, "data/x"), 0);
	assert_int_equal(take_events(&w.a), 1);
	assert_true(had_event(&w.a, "data/x/y y"));
}

static void a_watch_on_others_nodes_tells_nothing(void **state)
{
	static const char *const paths[] = { "/", "/local/domain", "/local/domain/6", "/local/domain/6/data", "/local/domain/6/data/x" };
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(ask2(&w.a, XS_WATCH, paths[i], "spy"), 0);
		assert_int_equal(take_events(&w.a), 1);
	}
	ask2(&w.b, XS_WRITE, "data/x", "1");
	ask1(&w.b, XS_RM, "data/x");
	ask2(&w.b, XS_WRITE, "data/x/y", "1");
	begin_tx(&w.b);
	ask2(&w.b, XS_WRITE, "data/x/y", "2");
	ask1(&w.b, XS_RM, "data/x");
	end_tx(&w.b, 1);
	xs_write(w.xs, "/local/domain/6/memory/target", "1", 1);
	assert_int_equal(take_events(&w.a), 0);
	/* Until it may read it. */
	ask2(&w.b, XS_WRITE, "data/x", "1");
	ask(&w.b, XS_SET_PERMS, "data/x\0n6\0r5", 13);
	assert_int_equal(take_events(&w.a), 5);
	ask2(&w.b, XS_WRITE, "data/x", "2");
	assert_int_equal(take_events(&w.a), 5);
}

static void equal_pending_events_are_one(void **state)
{
	ask2(&w.a, XS_WATCH, "data", "t");
	take_events(&w.a);
	for (int i = 0; i < 50; i++) {
		xs_write(w.xs, "/local/domain/5/data/p", "1", 1);
		xs_write(w.xs, "/local/domain/5/data/q", "1", 1);
		xs_write(w.xs, "/local/domain/5/data", "1", 1);
	}
	assert_int_equal(take_events(&w.a), 3);
}

static void events_beyond_the_bound_fold_into_one(void **state)
{
	char name[16];
	ask2(&w.a, XS_WATCH, "data", "t");
	take_events(&w.a);
	size_t live = env_host_live_bytes();
	for (int i = 0; i < 900; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		xs_printf(w.xs, "/local/domain/5/data", name, "1");
	}
	for (int i = 0; i < 900; i++) {
		snprintf(name, sizeof(name), "data/n%d", i);
		xs_printf(w.xs, "/local/domain/5", name, "2");
	}
	assert_true(env_host_live_bytes() - live < 900 * 700 + 40000);
	assert_int_equal(take_events(&w.a), 129);
	assert_true(had_event(&w.a, "data t"));
	/* And when memory is out, too. */
	env_host_fail_after(1);
	xs_write(w.xs, "/local/domain/5/data/n5", "3", 1);
	env_host_fail_after(-1);
	assert_int_equal(take_events(&w.a), 1);
	assert_true(had_event(&w.a, "data t"));
}

struct seen {
	unsigned int n;
	char path[128];
};

static void on_watch(void *ctx, const char *path)
{
	struct seen *s = ctx;
	s->n++;
	snprintf(s->path, sizeof(s->path), "%s", path);
}

static void the_hypervisors_watches_are_delivered_later(void **state)
{
	struct xs_watch *watch;
	struct seen s = { 0 };
	assert_int_equal(xs_watch(w.xs, "/local/domain/5/device/vif/0", on_watch, &s, &watch), 0);
	assert_true(xs_pending(w.xs));
	assert_false(xs_run_pending(w.xs));
	assert_int_equal(s.n, 1);
	assert_int_equal(ask2(&w.a, XS_WRITE, "device/vif/0/state", "4"), 0);
	assert_int_equal(s.n, 1);
	xs_run_pending(w.xs);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.path, "/local/domain/5/device/vif/0/state");
	ask2(&w.a, XS_WRITE, "device/vif/0/state", "5");
	xs_unwatch(w.xs, watch);
	xs_run_pending(w.xs);
	assert_int_equal(s.n, 2);
	assert_false(xs_pending(w.xs));
}

static void output_for_another_is_announced(void **state)
{
	ask2(&w.b, XS_WATCH, "data", "t");
	take_events(&w.b);
	xs_run_pending(w.xs);
	w.kicks = 0;
	xs_write(w.xs, "/local/domain/6/data", "1", 1);
	xs_write(w.xs, "/local/domain/6/data/x", "1", 1);
	xs_run_pending(w.xs);
	assert_int_equal(w.kicks, 1);
	assert_int_equal(take_events(&w.b), 2);
	xs_run_pending(w.xs);
	assert_int_equal(w.kicks, 1);
}

/* --- transactions --- */

static void a_transaction_is_all_or_nothing(void **state)
{
	ask2(&w.a, XS_WATCH, "data", "t");
	take_events(&w.a);
	assert_int_equal(begin_tx(&w.a), 0);
	assert_int_equal(ask(&w.a, XS_TRANSACTION_START, "", 1), -EBUSY);
	assert_int_equal(ask2(&w.a, XS_WRITE, "data/x/y", "1"), 0);
	assert_int_equal(ask1(&w.a, XS_READ, "data/x/y"), 0);
	assert_string_equal(w.a.reply, "1");
	uint32_t tx = w.a.tx;
	w.a.tx = 0;
	assert_int_equal(ask1(&w.a, XS_READ, "data/x/y"), -ENOENT);
	w.a.tx = tx;
	assert_int_equal(take_events(&w.a), 0);
	assert_int_equal(end_tx(&w.a, 0), 0);
	assert_int_equal(ask1(&w.a, XS_READ, "data/x/y"), -ENOENT);
	assert_int_equal(take_events(&w.a), 0);

	begin_tx(&w.a);
	ask2(&w.a, XS_WRITE, "data/x/y", "1");
	ask2(&w.a, XS_WRITE, "data/z", "2");
	assert_int_equal(end_tx(&w.a, 1), 0);
	assert_int_equal(ask1(&w.a, XS_READ, "data/x/y"), 0);
	assert_string_equal(w.a.reply, "1");
	take_events(&w.a);
	assert_true(had_event(&w.a, "data/x/y t") && had_event(&w.a, "data/z t"));
	assert_int_equal(ask1(&w.a, XS_DIRECTORY, "data"), 0);
	assert_memory_equal(w.a.reply, "x\0z", 4);

	begin_tx(&w.a);
	assert_int_equal(ask1(&w.a, XS_RM, "data/x"), 0);
	assert_int_equal(ask1(&w.a, XS_READ, "data/x/y"), -ENOENT);
	assert_int_equal(ask2(&w.a, XS_WRITE, "data/x", "again"), 0);
	assert_int_equal(ask1(&w.a, XS_DIRECTORY, "data/x"), 0);
	assert_int_equal(w.a.reply_len, 0);
	assert_int_equal(end_tx(&w.a, 1), 0);
	assert_int_equal(ask1(&w.a, XS_READ, "data/x"), 0);
	assert_string_equal(w.a.reply, "again");
	assert_int_equal(ask1(&w.a, XS_READ, "data/x/y"), -ENOENT);
}

static void conflicts_are_seen(void **state)
{
	const struct {
		uint32_t in_type;
		const char *in, *in_value;
		uint32_t out_type;
		const char *out, *out_value;
		int err;
	} rows[] = {
		{ XS_READ, "data/c", NULL, XS_WRITE, "data/c", "9", -EAGAIN },
		{ XS_READ, "data/c", NULL, XS_RM, "data/c", NULL, -EAGAIN },
		{ XS_READ, "data/none", NULL, XS_WRITE, "data/none", "1", -EAGAIN },
		{ XS_DIRECTORY, "data/c", NULL, XS_MKDIR, "data/c/kid", NULL, -EAGAIN },
		{ XS_WRITE, "data/c/1", "1", XS_WRITE, "data/c/2", "1", -EAGAIN },
		{ XS_WRITE, "data/c", "1", XS_SET_PERMS, "data/c", "r5", -EAGAIN },
		{ XS_RM, "data/c", NULL, XS_WRITE, "data/c/k", "1", -EAGAIN },
		{ XS_WRITE, "data/c", "1", XS_WRITE, "drivers/other", "1", 0 },
		{ XS_READ, "data/c", NULL, XS_WRITE, "data", "1", 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask1(&w.a, XS_RM, "data/none");
		ask1(&w.a, XS_RM, "data/c");
		assert_int_equal(ask2(&w.a, XS_WRITE, "data/c/k", "0"), 0);
		assert_int_equal(begin_tx(&w.a), 0);
		uint32_t tx = w.a.tx;
		if (rows[i].in_value)
			ask2(&w.a, rows[i].in_type, rows[i].in, rows[i].in_value);
		else
			ask1(&w.a, rows[i].in_type, rows[i].in);
		w.a.tx = 0;
		assert_int_equal(rows[i].out_value ? ask2(&w.a, rows[i].out_type, rows[i].out, rows[i].out_value) :
						     ask1(&w.a, rows[i].out_type, rows[i].out), 0);
		w.a.tx = tx;
		int err = end_tx(&w.a, 1);
		if (err != rows[i].err)
			fail_msg("row %zu: %d, not %d", i, err, rows[i].err);
	}
}

static void an_owner_that_goes_spoils_the_transaction(void **state)
{
	assert_int_equal(ask2(&w.b, XS_WRITE, "data/s", "1"), 0);
	assert_int_equal(ask(&w.b, XS_SET_PERMS, "data/s\0n6\0b5", 13), 0);
	begin_tx(&w.a);
	assert_int_equal(ask2(&w.a, XS_WRITE, "/local/domain/6/data/s", "2"), 0);
	assert_int_equal(ask2(&w.a, XS_WRITE, "/local/domain/6/data/s/mine", "2"), 0);
	xs_conn_close(w.b.conn);
	w.b.conn = NULL;
	xs_domain_remove(w.xs, 6);
	assert_int_equal(end_tx(&w.a, 1), -EAGAIN);
}

int main(void)
{
	env_host_log_level(0);
	const struct CMUnitTest tests[] = {
		T(watches_fire_at_and_below),
		T(a_removal_from_above_is_told_to_those_below),
		T(a_watch_on_others_nodes_tells_nothing),
		T(equal_pending_events_are_one),
		T(events_beyond_the_bound_fold_into_one),
		T(the_hypervisors_watches_are_delivered_later),
		T(output_for_another_is_announced),
		T(a_transaction_is_all_or_nothing),
		T(conflicts_are_seen),
		T(an_owner_that_goes_spoils_the_transaction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
