/* SPDX-License-Identifier: BSD-2-Clause */
/* What control's tests share: a world with one client in it, made anew for each test, and short ways to ask it. */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <env_host.h>

#include "client.h"

#define A1 0x0a00020f
#define SEC 1000000000ull
#define CALL(type, body) client_call(&cl, &w, type, &(body), sizeof(body))
#define T(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

extern struct world w;
extern struct client cl, other;

int open_world(void **state);
int close_world(void **state);
/* => 10.0.2.15, web1 with 20000-20999, web2 with 21000-21999 */
void add_base(void);
void assert_refused(int rc, int code, const char *name, const char *who);
uint64_t generation(void);
/* => the configuration as CONFIG_READ shows it, in one piece; its bytes */
size_t read_config(uint8_t *out);
/* => who has a TCP port of 10.0.2.15 in the router */
uint16_t owner(unsigned int port);

#endif
