/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot loader's tags: modules up to the bound, and no damage in them makes the reader look beyond their buffer (ASan watches
 * one of exactly their size). The blobs of clients: as many as are promised, and no more.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <env_host.h>
#include <hv/arch.h>
#include <hv/boot.h>
#include <hv/log.h>

#include <arch/x86/multiboot.h>
#include <common/blob.h>

#define MAGIC 0x36d76289u

static jmp_buf stopped;

_Noreturn void panic(const char *fmt, ...)
{
	longjmp(stopped, 1);
}

void log_printf(enum env_level level, const char *fmt, ...)
{
}

void arch_irq_window(void)
{
}

void *heap_alloc_raw(size_t size)
{
	void *p = env_alloc(size);

	if (p)
		memset(p, 0xee, size);
	return p;
}

/* --- tags --- */

static uint8_t info[65536];
static uint32_t at;

static void begin(void)
{
	memset(&boot_info, 0, sizeof(boot_info));
	at = 8;
}

static void tag(uint32_t type, const void *body, uint32_t n)
{
	const uint32_t head[2] = { type, 8 + n };

	memcpy(info + at, head, 8);
	memcpy(info + at + 8, body, n);
	at = (at + 8 + n + 7) & ~7u;
}

static void module(unsigned n)
{
	struct {
		uint32_t start, end;
		char line[24];
	} body = { 0x100000 * n, 0x100000 * n + 10, "" };

	snprintf(body.line, sizeof(body.line), "m%u and more", n);
	tag(3, &body, sizeof(body));
}

static void memory_map(void)
{
	const struct {
		uint32_t entry_size, version;
		uint64_t e[2][3];
	} body = { 24, 0, { { 0x100000, 0x7ff00000, 1 }, { 0, 0x9f000, 1 } } };

	tag(6, &body, sizeof(body));
}

/* => false: the machine would have stopped. The tags are in a buffer of just their size. */
static bool parse(uint32_t magic, uint32_t size)
{
	uint8_t *copy = aligned_alloc(8, (size + 7) & ~7u);
	bool ok = false;

	memcpy(copy, info, size);
	memcpy(copy, &size, 4);
	if (!setjmp(stopped)) {
		multiboot_parse(magic, (uint64_t)(uintptr_t)copy);
		ok = true;
	}
	/* Names and command line are looked at while the buffer is there. */
	for (uint32_t i = 0; i < boot_info.nr_modules; i++)
		assert_true(strlen(boot_info.modules[i].name) < size);
	if (ok)
		assert_true(strlen(boot_info.cmdline) < size);
	free(copy);
	return ok;
}

static void at_most_256_modules(void **state)
{
	assert_int_equal(BOOT_MODULES_MAX, 256);
	begin();
	for (unsigned i = 0; i < 300; i++)
		module(i);
	memory_map();
	tag(1, "cpus=2 loglevel=debug", 22);
	assert_true(parse(MAGIC, at));
	assert_int_equal(boot_info.nr_modules, 256);
	assert_int_equal(boot_info.modules[255].start, 0x100000UL * 255);
	assert_int_equal(boot_info.modules[255].size, 10);
	assert_int_equal(boot_info.nr_ram, 2);
	assert_int_equal(boot_info.ram[0].start, 0);
}

static void without_a_map_or_from_another_loader_it_stops(void **state)
{
	begin();
	module(1);
	assert_false(parse(MAGIC, at));
	begin();
	memory_map();
	assert_false(parse(MAGIC + 1, at));
}

static void damage_is_not_followed(void **state)
{
	srandom(1);
	for (unsigned round = 0; round < 20000; round++) {
		begin();
		memory_map();
		for (unsigned i = 0; i < 4; i++)
			module(i);
		tag(1, "cpus=2", 7);
		tag(15, info, 36);
		uint32_t size = round & 1 ? at : 8 + (uint32_t)random() % (at - 8);
		for (unsigned i = 0; i < 1 + round % 4; i++)
			info[8 + (uint32_t)random() % (at - 8)] = (uint8_t)(random() % 3 ? random() : 0xff);
		parse(MAGIC, size & ~7u ? size & ~7u : 8);
	}
}

/* --- blobs --- */

static void at_most_64_blobs(void **state)
{
	size_t before = env_host_live_bytes(), size;
	struct control_error err;
	char name[16];

	assert_int_equal(BLOBS_MAX, 64);
	begin();
	for (unsigned i = 0; i < BLOBS_MAX; i++) {
		snprintf(name, sizeof(name), "b%u", i);
		assert_int_equal(machine_blob_begin(NULL, name, 100000, &err), 0);
		if (i & 1)
			assert_int_equal(machine_blob_end(NULL, name, &err), 0);
	}
	assert_int_not_equal(machine_blob_begin(NULL, "one more", 1, &err), 0);
	assert_int_equal(err.code, ENOSPC);
	/* What was not brought is zero, not what was there. */
	const uint8_t *bytes = blob_bytes("b1", &size);
	assert_int_equal(size, 100000);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], 0);
	for (unsigned i = 0; i < BLOBS_MAX; i++) {
		snprintf(name, sizeof(name), "b%u", i);
		machine_blob_drop(NULL, name);
	}
	assert_int_equal(env_host_live_bytes(), before);
}

static void a_blob_has_bounds(void **state)
{
	struct control_error err;

	assert_int_not_equal(machine_blob_begin(NULL, "b", 0, &err), 0);
	assert_int_not_equal(machine_blob_begin(NULL, "b", BLOB_SIZE_MAX + 1, &err), 0);
	env_host_fail_after(0);
	assert_int_not_equal(machine_blob_begin(NULL, "b", 100, &err), 0);
	env_host_fail_after(-1);
	assert_int_equal(machine_blob_begin(NULL, "b", 100, &err), 0);
	assert_int_not_equal(machine_blob_put(NULL, "b", 101, "x", 0), 0);
	assert_int_not_equal(machine_blob_put(NULL, "b", 100, "x", 1), 0);
	assert_int_not_equal(machine_blob_put(NULL, "b", ~0UL, "xy", 2), 0);
	assert_int_equal(machine_blob_put(NULL, "b", 99, "x", 1), 0);
	machine_blob_drop(NULL, "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_most_256_modules),
		cmocka_unit_test(without_a_map_or_from_another_loader_it_stops),
		cmocka_unit_test(damage_is_not_followed),
		cmocka_unit_test(at_most_64_blobs),
		cmocka_unit_test(a_blob_has_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
