/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts of test guests. */
#include "test.h"
#include <stdio.h>

static unsigned long counted;
static unsigned int failures;
static char first_failure[160];
static bool said;

static void verdict(const char *result, const char *text)
{
	if (said)
		return;
	said = true;
	printk("VERDICT %s %s: %s\n", result, test_title, text);
	console_flush();
}

static void verdict_va(const char *result, const char *fmt, va_list ap)
{
	char text[160];

	vsnprintf(text, sizeof(text), fmt, ap);
	verdict(failures ? "FAILURE" : result, failures ? first_failure : text);
}

void test_failure(const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!failures)
		snprintf(first_failure, sizeof(first_failure), "%s", text);
	if (++failures <= 8)
		printk("failure: %s\n", text);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verdict_va("SKIP", fmt, ap);
	va_end(ap);
	shutdown(SHUTDOWN_poweroff);
}

void test_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verdict_va("ERROR", fmt, ap);
	va_end(ap);
	shutdown(SHUTDOWN_poweroff);
}

void test_count(unsigned long n)
{
	counted += n;
}

void test_verdict(void)
{
	char text[200];

	if (failures)
		snprintf(text, sizeof(text), "%u failures, the first: %s", failures, first_failure);
	else
		snprintf(text, sizeof(text), "%lu checks", counted);
	verdict(failures ? "FAILURE" : counted ? "SUCCESS" : "ERROR", text);
}

void test_bench(const char *name, uint64_t value)
{
	printk("BENCH %s %lu\n", name, value);
	test_count(1);
}

uint64_t test_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

int guest_main(void)
{
	test_main();
	test_verdict();
	return 0;
}
