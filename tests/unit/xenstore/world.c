/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains 5 and 6, each with a home, an interface and a connection. */
#include "world.h"

struct world w;


static void kicked(void *ctx)
{
	(*(unsigned int *)ctx)++;
}

const struct xs_conn_ops conn_ops = { .output_ready = kicked };

void add_domain(struct client *c, uint16_t domid)
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

int setup(void **state)
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

int teardown(void **state)
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
