/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test guest defines test_title and test_main(). The verdict is one console line, "VERDICT <result> <title>: <text>":
 * SUCCESS, SKIP (the host does not have what is tested), ERROR (the test itself broke), FAILURE (the host is wrong).
 * A guest that ends without one has crashed. FAILURE sticks: later words do not change it.
 */
#ifndef GUEST_TEST_H
#define GUEST_TEST_H
#include <stdbool.h>
#include <stdint.h>
#include "kernel.h"

extern const char test_title[];
void test_main(void);

/* Wrong host: counted, the first eight printed; the test goes on. */
void test_failure(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The end, at once. */
void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void test_error(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* A verdict without the end: for guests whose last act cannot be followed by words. */
void test_verdict(void);
/* Count what was looked at, to be printed with SUCCESS. */
void test_count(unsigned long n);
/* A measurement: "BENCH <name> <value>". */
void test_bench(const char *name, uint64_t value);

/* An address that no page table of ours maps. */
#define NOWHERE ((void *)0x700000000000ul)

/* xorshift: the same numbers for the same seed on every host. */
uint64_t test_random(uint64_t *state);

#define CHECK(cond, fmt, ...)                                                                                                     \
	do {                                                                                                                       \
		test_count(1);                                                                                                     \
		if (!(cond))                                                                                                       \
			test_failure("line %d: %s: " fmt, __LINE__, #cond, ##__VA_ARGS__);                                         \
	} while (0)

#define CHECK_EQ(what, want)                                                                                                      \
	do {                                                                                                                       \
		long long got_ = (long long)(what), want_ = (long long)(want);                                                     \
		test_count(1);                                                                                                     \
		if (got_ != want_)                                                                                                 \
			test_failure("line %d: %s is %lld, not %lld", __LINE__, #what, got_, want_);                               \
	} while (0)
#endif
