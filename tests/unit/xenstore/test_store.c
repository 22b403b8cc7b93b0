/* SPDX-License-Identifier: BSD-2-Clause */
/* Xenstore as its clients see it: operations, permissions, watches, transactions, quotas, removal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "env_host.h"

struct world {
	struct xenstore *xs;
	struct client a, b;  /* domains 5 and 6 */
	size_t live;
	unsigned int kicks;
};

static struct world w;

static void kicked(void *ctx)
{
	(*(unsigned int *)ctx)++;
}

static const struct xs_conn_ops conn_ops = { .output_ready = kicked };

static void add_domain(struct client *c, uint16_t domid)
{
	char name[16];
	struct xs_home home = { .domid = domid, .name = name, .uuid = { (uint8_t)domid, 1, 2, 3 }, .memory_kib = 65536, .vcpus = 2,
				.store_gfn = 0xfeffc, .store_port = 1, .console_gfn = 0xfeffd, .console_port = 2 };
	static const uint8_t mac[6] = { 0, 0x16, 0x3e, 1, 2, 3 };
	snprintf(name, sizeof(name), "dom%u", domid);
	assert_int_equal(xs_domain_add(w.xs, domid, NULL), 0);
	assert_int_equal(xs_home_add(w.xs, &home), 0);
	assert_int_equal(xs_vif_add(w.xs, domid, 0, mac, 1500), 0);
	memset(c, 0, sizeof(*c));
	c->conn = xs_conn_open(w.xs, domid, &conn_ops, &w.kicks);
	assert_non_null(c->conn);
}

static int setup(void **state)
{
	memset(&w, 0, sizeof(w));
	w.live = env_host_live_bytes();
	w.xs = xs_create(0x1234567812345678);
	assert_non_null(w.xs);
	add_domain(&w.a, 5);
	add_domain(&w.b, 6);
	while (xs_run_pending(w.xs))
		;
	return 0;
}

static int teardown(void **state)
{
	static const uint16_t ids[] = { 5, 6 };
	struct client *c[] = { &w.a, &w.b };
	for (int i = 0; i < 2; i++) {
		if (c[i]->conn)
			xs_conn_close(c[i]->conn);
		xs_domain_remove(w.xs, ids[i]);
	}
	char names[64];
	assert_int_equal(xs_directory(w.xs, "/local/domain", names, sizeof(names)), 2);
	assert_string_equal(names, "0");
	assert_int_equal(xs_directory(w.xs, "/vm", names, sizeof(names)), 0);
	xs_destroy(w.xs);
	assert_int_equal(env_host_live_bytes(), w.live);
	return 0;
}

/* --- plain operations --- */

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
		{ XS_READ, "", 0, -EINVAL }, { XS_READ, "", 1, -EINVAL }, { XS_READ, "name", 4, -EINVAL }, { XS_READ, "name\0x", 6, -EINVAL },
		{ XS_READ, "name\0x", 7, -EINVAL }, { XS_READ, "a//b", 5, -EINVAL }, { XS_READ, "a/", 3, -EINVAL }, { XS_READ, "//", 3, -EINVAL },
		{ XS_READ, "a.b", 4, -EINVAL }, { XS_READ, "a b", 4, -EINVAL }, { XS_READ, "\xc3\xa4", 3, -EINVAL },
		{ XS_READ, long_rel, 2050, -EINVAL }, { XS_READ, long_abs, 3074, -EINVAL }, { XS_MKDIR, deep, strlen(deep) + 1, -ENOSPC },
		{ XS_WRITE, "data", 4, -EINVAL }, { XS_WRITE, "", 0, -EINVAL }, { XS_MKDIR, "x", 1, -EINVAL }, { XS_RM, "x", 1, -EINVAL },
		{ XS_WATCH, "data", 5, -EINVAL }, { XS_WATCH, "data\0t", 6, -EINVAL }, { XS_WATCH, "data\0t\0u", 9, -EINVAL },
		{ XS_UNWATCH, "data\0t", 7, -ENOENT }, { XS_WATCH, "@introduceDomain\0t", 19, -EACCES },
		{ XS_WATCH, "@releaseDomain\0t", 17, -EACCES }, { XS_WATCH, "@noSuchThing\0t", 15, -EINVAL },
		{ XS_SET_PERMS, "data", 5, -EINVAL }, { XS_SET_PERMS, "data\0n5", 7, -EINVAL }, { XS_SET_PERMS, "data\0x5", 8, -EINVAL },
		{ XS_SET_PERMS, "data\0n", 7, -EINVAL }, { XS_SET_PERMS, "data\0n70000", 12, -EINVAL }, { XS_SET_PERMS, "data\0n5x", 9, -EINVAL },
		{ XS_SET_PERMS, "data\0n5\0r1\0r2\0r3\0r4\0r7", 23, -ENOSPC },
		{ XS_TRANSACTION_END, "T", 2, -ENOENT }, { XS_GET_DOMAIN_PATH, "", 1, -EINVAL }, { XS_GET_DOMAIN_PATH, "-1", 3, -EINVAL },
		{ XS_GET_DOMAIN_PATH, "65536", 6, -EINVAL }, { XS_GET_DOMAIN_PATH, "99999999999", 12, -EINVAL },
		{ XS_CONTROL, "print\0x", 8, -EACCES }, { XS_INTRODUCE, "7\0001\0002", 6, -EACCES }, { XS_RELEASE, "6", 2, -EACCES },
		{ XS_RESUME, "6", 2, -EACCES }, { XS_SET_TARGET, "5\0006", 4, -EACCES }, { XS_WATCH_EVENT, "x", 2, -ENOSYS },
		{ XS_ERROR, "x", 2, -ENOSYS }, { XS_TYPE_COUNT, "x", 2, -ENOSYS }, { 0xffff, "x", 2, -ENOSYS }, { 0xffffffff, "x", 2, -ENOSYS },
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

/* --- watches --- */

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

/* --- quotas --- */

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

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
		T(quotas_hold),
		T(transactions_count_against_the_quotas),
		T(a_guest_that_does_not_read_is_not_served),
		T(too_long_a_request_breaks_the_connection),
		T(connections_are_one_a_known_domain),
		T(the_hypervisors_calls_refuse_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
