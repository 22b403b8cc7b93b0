/* SPDX-License-Identifier: BSD-2-Clause */
/* The xenstore: our own subtree works as the protocol says, transactions and watches too; other subtrees are closed. */
#include "test.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "store.h"

const char test_title[] = "xenstore";
static char home[64], buf[4096];

static int request(unsigned int type, uint32_t tx, const char *payload)
{
	return store_request(type, tx, payload, strlen(payload) + 1, buf, sizeof(buf));
}

static void read_and_write(void)
{
	char path[128];

	CHECK_EQ(store_write("data/one", "1"), 0);
	CHECK_EQ(store_read("data/one", buf, sizeof(buf)), 1);
	CHECK(!strcmp(buf, "1"), "%s", buf);
	snprintf(path, sizeof(path), "%s/data/one", home);
	CHECK_EQ(store_read(path, buf, sizeof(buf)), 1);
	CHECK_EQ(store_write("data/empty", ""), 0);
	CHECK_EQ(store_read("data/empty", buf, sizeof(buf)), 0);
	CHECK_EQ(store_write("data/one/two/three", "deep"), 0);
	CHECK(request(XS_DIRECTORY, 0, "data/one") == 4 && !strcmp(buf, "two"), "%s", buf);
	CHECK_EQ(store_read("data/none", buf, sizeof(buf)), -ENOENT);
	CHECK_EQ(request(XS_MKDIR, 0, "data/dir"), 3);
	CHECK_EQ(request(XS_MKDIR, 0, "data/dir"), 3);
	CHECK_EQ(store_remove("data/one"), 0);
	CHECK_EQ(store_read("data/one/two/three", buf, sizeof(buf)), -ENOENT);
	CHECK(request(XS_GET_DOMAIN_PATH, 0, "0") > 0 && !strcmp(buf, "/local/domain/0"), "%s", buf);
}

static uint32_t start(void)
{
	const char *p = buf;

	CHECK(request(XS_TRANSACTION_START, 0, "") > 0, "-");
	return (uint32_t)parse_number(&p);
}

static void transactions(void)
{
	char value[16];
	uint32_t tx;

	tx = start();
	CHECK(tx, "%s", buf);
	CHECK(store_request(XS_WRITE, tx, "data/tx\0v", 9, buf, sizeof(buf)) >= 0, "-");
	CHECK_EQ(store_read("data/tx", value, sizeof(value)), -ENOENT);
	CHECK(request(XS_TRANSACTION_END, tx, "F") >= 0, "-");
	CHECK_EQ(store_read("data/tx", value, sizeof(value)), -ENOENT);
	CHECK_EQ(request(XS_TRANSACTION_END, tx, "T"), -ENOENT);

	tx = start();
	CHECK(store_request(XS_WRITE, tx, "data/tx\0w", 9, buf, sizeof(buf)) >= 0, "-");
	CHECK_EQ(request(XS_TRANSACTION_END, tx, "maybe"), -EINVAL);
	CHECK(request(XS_TRANSACTION_END, tx, "T") >= 0, "-");
	CHECK_EQ(store_read("data/tx", value, sizeof(value)), 1);
	CHECK_EQ(request(XS_READ, 0x7fffffff, "data/tx"), -ENOENT);
}

static void watches(void)
{
	CHECK_EQ(store_watch("data/w", "token-w"), 0);
	CHECK(store_wait_event("token-w", SEC), "no first event");
	CHECK_EQ(store_watch("data/w", "token-w"), -EEXIST);
	CHECK_EQ(store_write("data/w/below", "x"), 0);
	CHECK(store_wait_event("token-w", SEC), "no event");
	CHECK(!store_wait_event("token-w", 50 * MSEC), "an event too many");
	CHECK_EQ(store_unwatch("data/w", "token-w"), 0);
	CHECK_EQ(store_unwatch("data/w", "token-w"), -ENOENT);
	CHECK_EQ(store_write("data/w/below", "y"), 0);
	CHECK(!store_wait_event("token-w", 50 * MSEC), "an event after the watch");
}

static void closed_doors(void)
{
	static const char *const foreign[] = { "/", "/local", "/local/domain", "/local/domain/0", "/tool", "/local/domain/0/backend", "/vm",
					       "/nothing" };
	char path[128];
	unsigned int i;
	int rc;

	for (i = 0; i < ARRAY_LEN(foreign); i++) {
		rc = store_write(foreign[i], "mine");
		CHECK(rc == -EACCES || rc == -EINVAL, "write %s: %d", foreign[i], rc);
		snprintf(path, sizeof(path), "%s/x", foreign[i][1] ? foreign[i] : "");
		CHECK_EQ(store_write(path, "mine"), -EACCES);
		rc = store_remove(path);
		CHECK(rc == -EACCES || rc == -ENOENT || rc == -EINVAL, "rm %s: %d", path, rc);
		rc = request(XS_MKDIR, 0, path);
		CHECK_EQ(rc, -EACCES);
	}
	CHECK(store_read("/local/domain/0/name", buf, sizeof(buf)) < 0, "read %s", buf);
	CHECK(store_read("/local/domain/0/none", buf, sizeof(buf)) < 0, "-");
	CHECK(request(XS_RESUME, 0, "0") < 0, "-");
	CHECK(request(XS_INTRODUCE, 0, "0") < 0, "-");
	CHECK(request(XS_SET_TARGET, 0, "0") < 0, "-");
	CHECK(request(XS_RELEASE, 0, "0") < 0, "-");
	CHECK(store_request(XS_SET_PERMS, 0, "/local\0n0", 10, buf, sizeof(buf)) < 0, "-");
}

static void bad_requests(void)
{
	static const char *const paths[] = { "", "data//x", "data/", "/", "da ta", "data/\x80", "@x" };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(paths); i++) {
		int rc = store_write(paths[i], "v");

		CHECK(rc < 0, "'%s' accepted", paths[i]);
	}
	CHECK_EQ(store_request(XS_READ, 0, "data", 4, buf, sizeof(buf)), -EINVAL);	/* no terminator */
	CHECK_EQ(store_request(XS_READ, 0, "", 0, buf, sizeof(buf)), -EINVAL);
	CHECK_EQ(request(200, 0, "data"), -ENOSYS);
	CHECK_EQ(request(0xffff, 0, "data"), -ENOSYS);
	CHECK_EQ(request(XS_UNWATCH, 0, "data"), -EINVAL);
	CHECK_EQ(store_request(XS_WRITE, 0, "data/x", 6, buf, sizeof(buf)), -EINVAL);
}

void test_main(void)
{
	snprintf(home, sizeof(home), "/local/domain/%u", store_own_domid());
	/* The builder gives a guest this directory to write to. */
	read_and_write();
	transactions();
	watches();
	closed_doors();
	bad_requests();
}
