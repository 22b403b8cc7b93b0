/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain is made whole or not at all, whatever memory fails, and everything of it comes back when it goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <env_host.h>
#include <hv/domain.h>
#include <hv/subsys.h>
#include <xenstore/xenstore.h>

#include "paper.h"

#define MEMORY (4UL << 20)

static uint8_t *kernel;
static size_t kernel_size;
static const uint8_t ramdisk[5000] = { 1 };
static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

struct amount {
	size_t bytes;
	unsigned frames, vifs;
};

static struct amount amount(void)
{
	return (struct amount){ env_host_live_bytes(), paper_frames(), paper_vifs() };
}

static void assert_amount(struct amount want)
{
	struct amount now = amount();

	assert_int_equal(now.bytes, want.bytes);
	assert_int_equal(now.frames, want.frames);
	assert_int_equal(now.vifs, want.vifs);
}

static void take_down(struct domain *d)
{
	domain_destroy(d);
	domain_reclaim_all();
}

/* => 0 and the domain, whole; or an error, and nothing of it is there. */
static int make(uint16_t id, const char *name, uint32_t vcpus, struct domain **d)
{
	const struct domain_build in = { .kernel = kernel, .kernel_size = kernel_size, .ramdisk = ramdisk, .ramdisk_size = sizeof(ramdisk),
					 .cmdline = "a=b", .mac = mac };
	const char *why = NULL;
	int rc = domain_create(id, name, MEMORY, vcpus, d);

	if (rc)
		return rc;
	rc = domain_build(*d, &in, &why);
	if (rc) {
		assert_non_null(why);
		take_down(*d);
	}
	return rc;
}

static void what_is_made_comes_back(void **state)
{
	struct amount before;
	struct domain *d;

	/* The first leaves the store the directories that all have in common. */
	assert_int_equal(make(1, "one", 1, &d), 0);
	take_down(d);
	before = amount();
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(make(1, "one", MAX_VCPUS, &d), 0);
		assert_true(paper_frames() > MEMORY / PAGE_SIZE);
		assert_int_equal(paper_vifs(), 1);
		take_down(d);
		assert_amount(before);
	}
}

static void every_allocation_may_fail(void **state)
{
	struct amount before = amount();
	struct domain *d;
	unsigned refused = 0;

	for (long n = 0;; n++) {
		env_host_fail_after(n);
		int rc = make(1, "one", 2, &d);
		env_host_fail_after(-1);
		if (!rc)
			take_down(d);
		else
			refused++;
		assert_null(domain_get(1));
		assert_amount(before);
		/* It was the last: RAM alone are a thousand. */
		if (!rc && n > (long)(MEMORY / PAGE_SIZE) + 500)
			break;
		assert_true(n < 5000);
	}
	assert_true(refused > MEMORY / PAGE_SIZE);
}

/* From here on there is none at all. */
static void memory_may_end_anywhere(void **state)
{
	struct amount before = amount();
	struct domain *d;
	int rc = -1;

	for (uint64_t frames = 0; rc; frames += frames < 16 || frames > MEMORY / PAGE_SIZE - 4 ? 1 : 100) {
		paper_free_frames = frames;
		rc = make(1, "one", 1, &d);
		if (!rc)
			take_down(d);
		assert_amount(before);
		assert_true(frames < 2 * MEMORY / PAGE_SIZE);
	}
	paper_free_frames = ~0UL;
}

/* 511 of them, and no number beyond; a name and a number are one domain's. */
static void as_many_as_there_are_numbers(void **state)
{
	static struct domain *all[MAX_DOMAINS];
	struct amount before = amount();
	struct domain *d;
	char name[16];

	assert_int_equal(MAX_DOMAINS, 512);
	for (unsigned id = 1; id < MAX_DOMAINS; id++) {
		snprintf(name, sizeof(name), "d%u", id);
		assert_int_equal(domain_create((uint16_t)id, name, MEMORY, 1, &all[id]), 0);
	}
	assert_int_not_equal(domain_create(0, "zero", MEMORY, 1, &d), 0);
	assert_int_not_equal(domain_create(MAX_DOMAINS, "beyond", MEMORY, 1, &d), 0);
	assert_int_not_equal(domain_create(511, "again", MEMORY, 1, &d), 0);
	take_down(all[7]);
	assert_int_not_equal(domain_create(7, "d8", MEMORY, 1, &d), 0);
	assert_int_equal(domain_create(7, "d7", MEMORY, 1, &all[7]), 0);
	for (unsigned id = 1; id < MAX_DOMAINS; id++)
		take_down(all[id]);
	assert_amount(before);
}

static void sixteen_vcpus_and_no_more(void **state)
{
	struct amount before = amount();
	struct domain *d;

	assert_int_equal(MAX_VCPUS, 16);
	assert_int_not_equal(domain_create(1, "one", MEMORY, 0, &d), 0);
	assert_int_not_equal(domain_create(1, "one", MEMORY, MAX_VCPUS + 1, &d), 0);
	assert_int_equal(domain_create(1, "one", MEMORY, MAX_VCPUS, &d), 0);
	take_down(d);
	assert_amount(before);
}

static void load_kernel(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (!f || fseek(f, 0, SEEK_END))
		abort();
	kernel_size = (size_t)ftell(f);
	kernel = malloc(kernel_size);
	rewind(f);
	if (fread(kernel, 1, kernel_size, f) != kernel_size)
		abort();
	fclose(f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_comes_back),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(memory_may_end_anywhere),
		cmocka_unit_test(as_many_as_there_are_numbers),
		cmocka_unit_test(sixteen_vcpus_and_no_more),
	};

	if (argc != 2)
		return 2;
	load_kernel(argv[1]);
	alarm(120); /* a lock that is kept makes the next one wait for ever */
	paper_start();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(kernel);
	return failed;
}
