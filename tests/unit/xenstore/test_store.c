/* SPDX-License-Identifier: BSD-2-Clause */
/* Xenstore as its clients see it: operations and permissions. */
#include "world.h"

static void a_guest_finds_its_home(void **state)
{
	static const char *const rows[][2] = {
		{ "name", "dom5" }, { "domid", "5" }, { "memory/target", "65536" }, { "cpu/1/availability", "online" },
		{ "store/port", "1" }, { "store/ring-ref", "1044476" }, { "console/port", "2" }, { "console/limit", "1048576" },
		{ "vm", "/vm/05010203-0000-0000-0000-000000000000" }, { "/vm/05010203-0000-0000-0000-000000000000/name", "dom5" },
		{ "device/vif/0/state", "1" }, { "device/vif/0/mac", "00:16:3e:01:02:03" }, { "device/vif/0/backend-id", "0" },
		{ "device/vif/0/backend", "/local/domain/0/backend/vif/5/0" }, { "/local/domain/0/backend/vif/5/0/frontend-id", "5" },
		{ "/local/domain/0/backend/vif/5/0/frontend", "/local/domain/5/device/vif/0" },
		{ "control/platform-feature-xs_reset_watches", "1" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ask1(&w.a, XS_READ, rows[i][0]), 0);
		assert_string_equal(w.a.reply, rows[i][1]);
	}
	assert_int_equal(ask1(&w.a, XS_DIRECTORY, "device"), 0);
	assert_string_equal(w.a.reply, "vif");
	/* What stock Linux writes. */
	static const char *const writes[] = { "device/vif/0/state", "device/vif/0/tx-ring-ref", "device/vif/0/queue-0/rx-ring-ref",
					      "control/feature-poweroff", "control/shutdown", "data/x", "attr/os/name", "drivers/0" };
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		assert_int_equal(ask2(&w.a, XS_WRITE, writes[i], "4"), 0);
	uint32_t v;
	assert_int_equal(xs_read_u32(w.xs, "/local/domain/5/device/vif/0", "queue-0/rx-ring-ref", &v), 0);
	assert_int_equal(v, 4);
}

static void values_are_any_bytes(void **state)
{
	char req[4096] = "data/v", back[8];
	memcpy(req + 7, "\0\xff\n\0x", 5);
	assert_int_equal(ask(&w.a, XS_WRITE, req, 12), 0);
	assert_int_equal(ask1(&w.a, XS_READ, "data/v"), 0);
	assert_int_equal(w.a.reply_len, 5);
	assert_memory_equal(w.a.reply, "\0\xff\n\0x", 5);
	assert_int_equal(xs_read(w.xs, "/local/domain/5/data/v", back, 3), 5);
	assert_memory_equal(back, "\0\xff", 3);
	assert_int_equal(ask2(&w.a, XS_WRITE, "data/v", ""), 0);
	assert_int_equal(ask1(&w.a, XS_READ, "data/v"), 0);
	assert_int_equal(w.a.reply_len, 0);
}

static void mkdir_rm_and_directories(void **state)
{
	assert_int_equal(ask1(&w.a, XS_MKDIR, "data/d/e/f"), 0);
	assert_int_equal(ask1(&w.a, XS_MKDIR, "data/d"), 0);
	assert_int_equal(ask2(&w.a, XS_WRITE, "data/d/g", "1"), 0);
	assert_int_equal(ask1(&w.a, XS_DIRECTORY, "data/d"), 0);
	assert_int_equal(w.a.reply_len, 4);
	assert_memory_equal(w.a.reply, "e\0g", 4);
	assert_int_equal(ask1(&w.a, XS_RM, "data/d/e"), 0);
	assert_int_equal(ask1(&w.a, XS_READ, "data/d/e/f"), -ENOENT);
	assert_int_equal(ask1(&w.a, XS_RM, "data/d/e"), 0);
	assert_int_equal(ask1(&w.a, XS_RM, "data/no/such"), -ENOENT);
	assert_int_equal(ask1(&w.a, XS_RM, "data/d"), 0);
	assert_int_equal(ask1(&w.a, XS_DIRECTORY, "data"), 0);
	assert_int_equal(w.a.reply_len, 0);
	assert_int_equal(ask1(&w.a, XS_RM, "/"), -EACCES);
	assert_int_equal(xs_rm(w.xs, "/"), -EINVAL);
}

static void long_directories_come_in_parts(void **state)
{
	char path[64], names[8192] = "";
	size_t total = 0;
	for (int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "data/entry-number-%03d", i);
		assert_int_equal(ask1(&w.a, XS_MKDIR, path), 0);
	}
	assert_int_equal(ask1(&w.a, XS_DIRECTORY, "data"), -E2BIG);
	for (int part = 0; part < 5; part++) {
		char req[32];
		int n = snprintf(req, sizeof(req), "data%c%zu", 0, total) + 1;
		assert_int_equal(ask(&w.a, XS_DIRECTORY_PART, req, (size_t)n), 0);
		size_t gen = strlen(w.a.reply) + 1, len = w.a.reply_len - gen;
		bool last = len >= 2 ? !w.a.reply[w.a.reply_len - 2] : true;
		len -= last;
		memcpy(names + total, w.a.reply + gen, len);
		total += len;
		if (last)
			break;
	}
	assert_int_equal(total, 400 * 17);
	for (int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "entry-number-%03d", i);
		assert_string_equal(names + 17 * i, path);
	}
	assert_int_equal(ask(&w.a, XS_DIRECTORY_PART, "data\0" "99999", 11), 0);
	assert_int_equal(w.a.reply_len, strlen(w.a.reply) + 2);
	assert_int_equal(ask(&w.a, XS_DIRECTORY_PART, "data\0" "x", 7), -EINVAL);
}

static void malformed_requests_are_refused(void **state)
{
	static char long_rel[2060], long_abs[3080], deep[80] = "data";
	memset(long_rel, 'a', 2049);
	memset(long_abs, 'a', 3073);
	long_abs[0] = '/';
	for (int i = 0; i < 33; i++)
		strcat(deep, "/d");
	const struct {
		uint32_t type;
		const char *payload;
		size_t len;
		int err;
	} rows[] = {
		{ XS_READ, "", 0, -EINVAL },
		{ XS_READ, "", 1, -EINVAL },
		{ XS_READ, "name", 4, -EINVAL },
		{ XS_READ, "name\0x", 6, -EINVAL },
		{ XS_READ, "name\0x", 7, -EINVAL },
		{ XS_READ, "a//b", 5, -EINVAL },
		{ XS_READ, "a/", 3, -EINVAL },
		{ XS_READ, "//", 3, -EINVAL },
		{ XS_READ, "a.b", 4, -EINVAL },
		{ XS_READ, "a b", 4, -EINVAL },
		{ XS_READ, "\xc3\xa4", 3, -EINVAL },
		{ XS_READ, long_rel, 2050, -EINVAL },
		{ XS_READ, long_abs, 3074, -EINVAL },
		{ XS_MKDIR, deep, strlen(deep) + 1, -ENOSPC },
		{ XS_WRITE, "data", 4, -EINVAL },
		{ XS_WRITE, "", 0, -EINVAL },
		{ XS_MKDIR, "x", 1, -EINVAL },
		{ XS_RM, "x", 1, -EINVAL },
		{ XS_WATCH, "data", 5, -EINVAL },
		{ XS_WATCH, "data\0t", 6, -EINVAL },
		{ XS_WATCH, "data\0t\0u", 9, -EINVAL },
		{ XS_UNWATCH, "data\0t", 7, -ENOENT },
		{ XS_WATCH, "@introduceDomain\0t", 19, -EACCES },
		{ XS_WATCH, "@releaseDomain\0t", 17, -EACCES },
		{ XS_WATCH, "@noSuchThing\0t", 15, -EINVAL },
		{ XS_SET_PERMS, "data", 5, -EINVAL },
		{ XS_SET_PERMS, "data\0n5", 7, -EINVAL },
		{ XS_SET_PERMS, "data\0x5", 8, -EINVAL },
		{ XS_SET_PERMS, "data\0n", 7, -EINVAL },
		{ XS_SET_PERMS, "data\0n70000", 12, -EINVAL },
		{ XS_SET_PERMS, "data\0n5x", 9, -EINVAL },
		{ XS_SET_PERMS, "data\0n5\0r1\0r2\0r3\0r4\0r7", 23, -ENOSPC },
		{ XS_TRANSACTION_END, "T", 2, -ENOENT },
		{ XS_GET_DOMAIN_PATH, "", 1, -EINVAL },
		{ XS_GET_DOMAIN_PATH, "-1", 3, -EINVAL },
		{ XS_GET_DOMAIN_PATH, "65536", 6, -EINVAL },
		{ XS_GET_DOMAIN_PATH, "99999999999", 12, -EINVAL },
		{ XS_CONTROL, "print\0x", 8, -EACCES },
		{ XS_INTRODUCE, "7\0001\0002", 6, -EACCES },
		{ XS_RELEASE, "6", 2, -EACCES },
		{ XS_RESUME, "6", 2, -EACCES },
		{ XS_SET_TARGET, "5\0006", 4, -EACCES },
		{ XS_WATCH_EVENT, "x", 2, -ENOSYS },
		{ XS_ERROR, "x", 2, -ENOSYS },
		{ XS_TYPE_COUNT, "x", 2, -ENOSYS },
		{ 0xffff, "x", 2, -ENOSYS },
		{ 0xffffffff, "x", 2, -ENOSYS },
		{ XS_RESET_WATCHES - 1, "x", 2, -ENOSYS },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err = ask(&w.a, rows[i].type, rows[i].payload, rows[i].len);
		if (err != rows[i].err)
			fail_msg("row %zu: type %u gives %d, not %d", i, rows[i].type, err, rows[i].err);
	}
	w.a.tx = 77;
	assert_int_equal(ask1(&w.a, XS_READ, "name"), -ENOENT);
}

static void the_longest_paths_work(void **state)
{
	struct xs_quota roomy = xs_quota_default;
	static char path[3100];
	struct client c = { 0 };
	roomy.depth = 4000;
	xs_domain_add(w.xs, 9, &roomy);
	xs_mkdir(w.xs, "/local/domain/9");
	xs_set_perms(w.xs, "/local/domain/9", "n9");
	c.conn = xs_conn_open(w.xs, 9, &conn_ops, &w.kicks);
	for (int i = 0; i < 1024; i++)
		memcpy(path + 2 * i, i % 40 == 39 ? "/d" : "dd", 2);
	assert_int_equal(strlen(path), 2048);
	assert_int_equal(ask2(&c, XS_WRITE, path, "deep"), 0);
	assert_int_equal(ask1(&c, XS_READ, path), 0);
	assert_string_equal(c.reply, "deep");
	path[2048] = 'x';
	assert_int_equal(ask2(&c, XS_WRITE, path, "deep"), -EINVAL);
	path[2048] = '\0';
	assert_int_equal(ask2(&c, XS_WATCH, path, "token"), 0);
	assert_int_equal(take_events(&c), 1);
	assert_int_equal(ask1(&c, XS_RM, "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"), 0);
	assert_int_equal(take_events(&c), 1);
	assert_string_equal(c.event, path);
	xs_conn_close(c.conn);
	xs_domain_remove(w.xs, 9);
}

static void domain_paths_and_introductions(void **state)
{
	assert_int_equal(ask1(&w.a, XS_GET_DOMAIN_PATH, "17"), 0);
	assert_string_equal(w.a.reply, "/local/domain/17");
	assert_int_equal(ask1(&w.a, XS_IS_DOMAIN_INTRODUCED, "6"), 0);
	assert_string_equal(w.a.reply, "T");
	assert_int_equal(ask1(&w.a, XS_IS_DOMAIN_INTRODUCED, "17"), 0);
	assert_string_equal(w.a.reply, "F");
}

/* --- permissions --- */

static void every_operation_on_foreign_paths_is_refused(void **state)
{
	static const char *const paths[] = { "/", "/local", "/local/domain", "/local/domain/0", "/local/domain/0/backend/vif/6/0",
					     "/local/domain/0/backend/vif/6/0/state", "/local/domain/6", "/local/domain/6/name",
					     "/local/domain/6/data", "/local/domain/6/data/none", "/local/domain/77", "/tool", "/vm",
					     "/vm/06010203-0000-0000-0000-000000000000", "/vm/none", "/none" };
	static const uint32_t types[] = { XS_DIRECTORY, XS_READ, XS_MKDIR, XS_RM, XS_GET_PERMS };
	for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
			assert_int_equal(ask1(&w.a, types[t], paths[p]), -EACCES);
		assert_int_equal(ask2(&w.a, XS_WRITE, paths[p], "x"), -EACCES);
		assert_int_equal(ask2(&w.a, XS_SET_PERMS, paths[p], "n5"), -EACCES);
		assert_int_equal(ask2(&w.a, XS_DIRECTORY_PART, paths[p], "0"), -EACCES);
		assert_int_equal(begin_tx(&w.a), 0);
		assert_int_equal(ask2(&w.a, XS_WRITE, paths[p], "x"), -EACCES);
		assert_int_equal(ask1(&w.a, XS_RM, paths[p]), -EACCES);
		assert_int_equal(end_tx(&w.a, 1), 0);
	}
	/* And what is only readable stays so. */
	static const char *const mine[] = { ".", "name", "domid", "device", "memory/target", "console/port", "device/vif" };
	for (size_t p = 1; p < sizeof(mine) / sizeof(mine[0]); p++) {
		assert_int_equal(ask2(&w.a, XS_WRITE, mine[p], "x"), -EACCES);
		assert_int_equal(ask1(&w.a, XS_RM, mine[p]), -EACCES);
		assert_int_equal(ask2(&w.a, XS_SET_PERMS, mine[p], "n5"), -EACCES);
	}
	assert_int_equal(ask1(&w.a, XS_MKDIR, "device/vif/1"), -EACCES);
	assert_int_equal(ask2(&w.a, XS_WRITE, "/local/domain/0/backend/vif/5/0/state", "4"), -EACCES);
	assert_int_equal(ask1(&w.a, XS_READ, "data/none"), -ENOENT);
}

static void an_owner_can_share_but_not_give_away(void **state)
{
	assert_int_equal(ask2(&w.a, XS_WRITE, "data/s", "1"), 0);
	assert_int_equal(ask(&w.a, XS_SET_PERMS, "data/s\0n5\0r6\0b0", 16), 0);
	assert_int_equal(ask1(&w.a, XS_GET_PERMS, "data/s"), 0);
	assert_int_equal(w.a.reply_len, 9);
	assert_memory_equal(w.a.reply, "n5\0r6\0b0", 9);
	assert_int_equal(ask1(&w.b, XS_READ, "/local/domain/5/data/s"), 0);
	assert_string_equal(w.b.reply, "1");
	assert_int_equal(ask2(&w.b, XS_WRITE, "/local/domain/5/data/s", "2"), -EACCES);
	assert_int_equal(ask(&w.a, XS_SET_PERMS, "data/s\0n5\0b6", 13), 0);
	assert_int_equal(ask2(&w.b, XS_WRITE, "/local/domain/5/data/s", "2"), 0);
	assert_int_equal(ask2(&w.b, XS_SET_PERMS, "/local/domain/5/data/s", "n6"), -EACCES);
	assert_int_equal(ask2(&w.a, XS_SET_PERMS, "data/s", "n6"), -EPERM);
	/* What another makes there is its own, and counts as its own. */
	struct xs_usage before, after;
	xs_domain_usage(w.xs, 6, &before);
	assert_int_equal(ask2(&w.b, XS_WRITE, "/local/domain/5/data/s/t", "3"), 0);
	xs_domain_usage(w.xs, 6, &after);
	assert_int_equal(after.nodes, before.nodes + 1);
	assert_int_equal(ask1(&w.b, XS_GET_PERMS, "/local/domain/5/data/s/t"), 0);
	assert_memory_equal(w.b.reply, "n6\0b6", 6);
}

static void a_right_does_not_outlive_its_domain(void **state)
{
	struct client c;
	assert_int_equal(ask2(&w.a, XS_WRITE, "data/s", "1"), 0);
	assert_int_equal(ask(&w.a, XS_SET_PERMS, "data/s\0n5\0b7\0r6", 16), 0);
	add_domain(&c, 7);
	assert_int_equal(ask1(&c, XS_READ, "/local/domain/5/data/s"), -EACCES);
	assert_int_equal(ask(&w.a, XS_SET_PERMS, "data/s\0n5\0b7\0r6", 16), 0);
	assert_int_equal(ask1(&c, XS_READ, "/local/domain/5/data/s"), 0);
	assert_int_equal(ask2(&c, XS_WRITE, "/local/domain/5/data/s/mine", "x"), 0);
	xs_conn_close(c.conn);
	xs_domain_remove(w.xs, 7);
	assert_int_equal(xs_read(w.xs, "/local/domain/5/data/s/mine", NULL, 0), -ENOENT);
	assert_int_equal(ask1(&w.a, XS_GET_PERMS, "data/s"), 0);
	assert_memory_equal(w.a.reply, "n5\0r6", 6);
	add_domain(&c, 7);
	assert_int_equal(ask1(&c, XS_READ, "/local/domain/5/data/s"), -EACCES);
	assert_int_equal(ask2(&c, XS_WRITE, "/local/domain/5/data/s", "x"), -EACCES);
	xs_conn_close(c.conn);
	xs_domain_remove(w.xs, 7);
}

int main(void)
{
	env_host_log_level(0);
	const struct CMUnitTest tests[] = {
		T(a_guest_finds_its_home),
		T(values_are_any_bytes),
		T(mkdir_rm_and_directories),
		T(long_directories_come_in_parts),
		T(malformed_requests_are_refused),
		T(the_longest_paths_work),
		T(domain_paths_and_introductions),
		T(every_operation_on_foreign_paths_is_refused),
		T(an_owner_can_share_but_not_give_away),
		T(a_right_does_not_outlive_its_domain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
