/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies, moves, fills and comparisons of every short length at every alignment: as the C library's, and not a byte beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONGEST 200
#define SHIFTS 9
#define ROOM (LONGEST + 2 * SHIFTS)

void *hv_memcpy(void *restrict d, const void *restrict s, size_t n);
void *hv_memmove(void *d, const void *s, size_t n);
void *hv_memset(void *d, int c, size_t n);
int hv_memcmp(const void *a, const void *b, size_t n);

static uint8_t from[ROOM], got[ROOM], want[ROOM];

static void scribble(void)
{
	for (size_t i = 0; i < ROOM; i++) {
		from[i] = (uint8_t)rand();
		got[i] = want[i] = (uint8_t)rand();
	}
}

static void each(void (*check)(size_t n, size_t a, size_t b))
{
	for (size_t n = 0; n <= LONGEST; n++)
		for (size_t a = 0; a < SHIFTS; a++)
			for (size_t b = 0; b < SHIFTS; b++) {
				scribble();
				check(n, a, b);
				assert_memory_equal(got, want, ROOM);
			}
}

static void copy(size_t n, size_t a, size_t b)
{
	memcpy(want + a, from + b, n);
	assert_ptr_equal(hv_memcpy(got + a, from + b, n), got + a);
}

static void move(size_t n, size_t a, size_t b)
{
	memmove(want + a, want + b, n);
	assert_ptr_equal(hv_memmove(got + a, got + b, n), got + a);
}

static void fill(size_t n, size_t a, size_t b)
{
	memset(want + a, (int)b - 1, n);
	assert_ptr_equal(hv_memset(got + a, (int)b - 1, n), got + a);
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

/* Equal but for one byte at most, which is `b` bytes before the end. */
static void compare(size_t n, size_t a, size_t b)
{
	memcpy(got + a, from, n);
	memcpy(want, got, ROOM);
	assert_int_equal(hv_memcmp(got + a, from, n), 0);
	if (b && n >= b)
		from[n - b] ^= 0x80;
	assert_int_equal(sign(hv_memcmp(got + a, from, n)), sign(memcmp(got + a, from, n)));
}

static void memcpy_copies(void **state)
{
	each(copy);
}

static void memmove_moves_either_way(void **state)
{
	each(move);
}

static void memset_fills(void **state)
{
	each(fill);
}

static void memcmp_finds_a_difference(void **state)
{
	each(compare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memcpy_copies),
		cmocka_unit_test(memmove_moves_either_way),
		cmocka_unit_test(memset_fills),
		cmocka_unit_test(memcmp_finds_a_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
