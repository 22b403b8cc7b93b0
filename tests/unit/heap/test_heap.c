/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks do not overlap, what is freed is memory for anything again, and memory that ends is an answer, not the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/boot.h>
#include <hv/log.h>

#include <common/frame.h>

#define MEMORY (64UL << 20)
#define CLASSES 8
#define LIVE 3000
#define SUPER 9

uint8_t *arena;
struct boot_info boot_info;

bool boot_option(const char *name, char *buf, size_t size)
{
	return false;
}

void log_printf(enum env_level level, const char *fmt, ...)
{
}

_Noreturn void env_bug(const char *file, int line, const char *what)
{
	print_message("%s:%d: %s\n", file, line, what);
	abort();
}

_Noreturn void panic(const char *fmt, ...)
{
	abort();
}

/* All but the pages of which the heap keeps one for each size. */
static void assert_all_is_free(uint64_t before)
{
	assert_in_range(mm_free_bytes(), before - CLASSES * PAGE_SIZE, before);
	assert_int_equal(mm_free_bytes() + heap_idle_bytes(), before);
}

struct live {
	uint8_t *p;
	size_t size;
	uint8_t mark;
};

static void check_and_free(struct live *l)
{
	for (size_t i = 0; i < l->size; i++)
		assert_int_equal(l->p[i], l->mark);
	env_free(l->p, l->size);
	l->p = NULL;
}

/* Small ones mostly, some of many frames. */
static size_t some_size(void)
{
	return 1 + (size_t)random() % (random() % 16 ? 2100 : 40000);
}

static void random_blocks_keep_what_is_written(void **state)
{
	static struct live live[LIVE];
	uint64_t before = mm_free_bytes() + heap_idle_bytes();

	srandom(1);
	for (unsigned round = 0; round < 200000; round++) {
		struct live *l = &live[random() % LIVE];

		if (l->p) {
			check_and_free(l);
			continue;
		}
		l->size = some_size();
		l->p = env_alloc(l->size);
		assert_non_null(l->p);
		for (size_t i = 0; i < l->size; i++)
			assert_int_equal(l->p[i], 0);
		l->mark = (uint8_t)random();
		memset(l->p, l->mark, l->size);
	}
	for (unsigned i = 0; i < LIVE; i++)
		if (live[i].p)
			check_and_free(&live[i]);
	assert_all_is_free(before);
}

static unsigned supers(void)
{
	static void *got[MEMORY >> (PAGE_SHIFT + SUPER)];
	unsigned n = 0;

	while ((got[n] = page_alloc_raw(SUPER)))
		n++;
	for (unsigned i = 0; i < n; i++)
		page_free(got[i], SUPER);
	return n;
}

/* All memory in blocks of one size, then of the next, freed in another order than taken: it is there in large pieces again. */
static void what_small_blocks_took_is_there_for_domains(void **state)
{
	static void *all[MEMORY / 16];
	uint64_t before = mm_free_bytes() + heap_idle_bytes();
	unsigned large = supers();

	for (size_t size = 16; size <= 2048; size *= 2) {
		size_t n = 0;

		while ((all[n] = env_alloc(size)))
			n++;
		assert_true(n >= before / size - CLASSES * PAGE_SIZE / size);
		assert_true(mm_free_bytes() == 0);
		for (size_t from = 0; from < 3; from++)
			for (size_t i = from; i < n; i += 3)
				env_free(all[i], size);
		assert_all_is_free(before);
		assert_true(supers() + CLASSES >= large);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_blocks_keep_what_is_written),
		cmocka_unit_test(what_small_blocks_took_is_there_for_domains),
	};

	arena = aligned_alloc(2UL << 20, MEMORY);
	boot_info.nr_ram = 1;
	boot_info.ram[0] = (struct boot_region){ 0, MEMORY };
	frame_init(0, 0);
	frame_init_finish();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(arena);
	return failed;
}
