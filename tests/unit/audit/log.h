/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the audit log share: a fresh log, two domains, an address, a time. */
#ifndef TESTS_UNIT_AUDIT_LOG_H
#define TESTS_UNIT_AUDIT_LOG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <audit/audit_private.h>

#include "env_host.h"

#define S 1000000000ull
#define T0 (1700000000 * S)
#define ADDR 0xcb007107u

static const struct audit_domain web = { 3, "web" }, mail = { 4, "mail" };

/* => a log that begins at T0. */
static inline struct audit *make(uint32_t records, uint32_t intervals, uint32_t holders)
{
	struct audit_config c = { .records = records, .intervals = intervals, .holders = holders, .start_utc_ns = T0 };
	struct audit *a = audit_create(&c);
	assert_non_null(a);
	return a;
}

#endif
