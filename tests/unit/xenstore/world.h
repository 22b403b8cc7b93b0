/* SPDX-License-Identifier: BSD-2-Clause */
/* A store with two guests, made before each test and checked to be empty after it. */
#ifndef TEST_XENSTORE_WORLD_H
#define TEST_XENSTORE_WORLD_H

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

extern struct world w;
extern const struct xs_conn_ops conn_ops;

void add_domain(struct client *c, uint16_t domid);
int setup(void **state);
int teardown(void **state);

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
