/* SPDX-License-Identifier: BSD-2-Clause */
/* The xenstore's limits: paths and payloads at and over the edge, and the quotas on nodes, watches and transactions. */
#include "test.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "store.h"

const char test_title[] = "xenstore-limits";
static char buf[XENSTORE_PAYLOAD_MAX + 8], path[4096];

/* A path of LEN characters below data/, with one node as deep as the rest. */
static void long_path(size_t len)
{
	size_t i;

	memcpy(path, "data/", 5);
	for (i = 5; i < len; i++)
		path[i] = i % 50 == 49 && i + 1 < len ? '/' : 'p';
	path[len] = 0;
}

static void paths(void)
{
	int rc;

	long_path(XENSTORE_REL_PATH_MAX);
	rc = store_write(path, "");
	CHECK(rc == 0 || rc == -ENOSPC || rc == -EINVAL || rc == -E2BIG, "2048: %d", rc);
	long_path(XENSTORE_REL_PATH_MAX + 1);
	CHECK(store_write(path, "") < 0, "2049 accepted");
	memset(path, 'q', sizeof(path));
	path[0] = '/';
	path[XENSTORE_ABS_PATH_MAX] = 0;
	CHECK(store_write(path, "") < 0, "3072, foreign");
	path[XENSTORE_ABS_PATH_MAX] = 'q';
	path[XENSTORE_ABS_PATH_MAX + 1] = 0;
	CHECK(store_read(path, buf, sizeof(buf)) < 0, "3073");
	store_remove("data/p");
}

static void payloads(void)
{
	static const char key[] = "data/v";

	memset(buf, 'v', sizeof(buf));
	memcpy(buf, key, sizeof(key));
	CHECK(store_request(XS_WRITE, 0, buf, 1900 + sizeof(key), NULL, 0) >= 0, "1900 bytes of value");
	CHECK(store_request(XS_WRITE, 0, buf, XENSTORE_PAYLOAD_MAX, NULL, 0) <= 3, "-");
	CHECK_EQ(store_remove("data/v") < 0, 0);
}

static void nodes(void)
{
	unsigned int n;
	int rc = 0;

	for (n = 0; n < 20000; n++) {
		snprintf(path, sizeof(path), "data/n/%u", n);
		rc = store_write(path, "");
		if (rc)
			break;
	}
	printk("%u nodes, then %d\n", n, rc);
	CHECK(rc == -ENOSPC, "after %u nodes: %d", n, rc);
	CHECK_EQ(store_remove("data/n"), 0);
	CHECK_EQ(store_write("data/after", "1"), 0);
}

static void watches(void)
{
	unsigned int n, i;
	int rc = 0;

	for (n = 0; n < 5000 && !rc; n++) {
		snprintf(path, sizeof(path), "t%u", n);
		rc = store_watch("data/after", path);
	}
	printk("%u watches, then %d\n", n - 1, rc);
	CHECK(rc == -E2BIG || rc == -ENOSPC, "%u: %d", n, rc);
	for (i = 0; i + 1 < n; i++) {
		snprintf(path, sizeof(path), "t%u", i);
		CHECK_EQ(store_unwatch("data/after", path), 0);
	}
}

static void transactions(void)
{
	static uint32_t ids[64];
	const char *number;
	unsigned int n, i;
	int rc = 0;

	for (n = 0; n < 64; n++) {
		rc = store_request(XS_TRANSACTION_START, 0, "", 1, buf, sizeof(buf));
		if (rc < 0)
			break;
		number = buf;
		ids[n] = (uint32_t)parse_number(&number);
	}
	printk("%u transactions, then %d\n", n, rc);
	CHECK(rc == -ENOSPC || rc == -EBUSY, "%u: %d", n, rc);
	for (i = 0; i < n; i++)
		CHECK(store_request(XS_TRANSACTION_END, ids[i], "F", 2, buf, sizeof(buf)) >= 0, "%u", i);
}

void test_main(void)
{
	paths();
	payloads();
	nodes();
	watches();
	transactions();
}
