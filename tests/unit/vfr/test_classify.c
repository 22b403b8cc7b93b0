/* SPDX-License-Identifier: BSD-2-Clause */
/* The classifier against a plain walk over the same boxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <env_host.h>
#include <env.h>
#include <vfr/classify.h>

static uint64_t seed;

static uint32_t rnd(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) ^ (uint32_t)(seed >> 11);
}

static void random_range(uint32_t *lo, uint32_t *hi, uint32_t max)
{
	uint32_t a = rnd() % (max + 1), b = rnd() % (max + 1);

	switch (rnd() % 3) {
	case 0:
		*lo = 0;
		*hi = max;
		break;
	case 1:
		*lo = *hi = a;
		break;
	default:
		*lo = a < b ? a : b;
		*hi = a < b ? b : a;
		break;
	}
}

static void random_box(struct class_box *b, unsigned int dims, uint32_t index)
{
	unsigned int words = (dims - 3) / 2;

	memset(b, 0, sizeof(*b));
	for (unsigned int side = 0; side < 2; side++) {
		unsigned int plen = rnd() % (words * 32 + 1);

		for (unsigned int i = 0; i < words; i++) {
			unsigned int bits = plen > i * 32 ? (plen - i * 32 > 32 ? 32 : plen - i * 32) : 0;
			uint32_t mask = bits ? UINT32_MAX << (32 - bits) : 0, a = (rnd() % 4 ? rnd() & 0x0f0f000f : rnd()) & mask;

			b->lo[side * words + i] = a;
			b->hi[side * words + i] = a | ~mask;
		}
	}
	random_range(&b->lo[dims - 3], &b->hi[dims - 3], 65535);
	random_range(&b->lo[dims - 2], &b->hi[dims - 2], 65535);
	b->lo[dims - 1] = rnd() % 2 ? 6 : 0;
	b->hi[dims - 1] = b->lo[dims - 1] ? 6 : 255;
	b->index = index;
	b->final = rnd() % 3;
}

static uint32_t walk(const struct class_box *b, uint32_t n, unsigned int dims, const struct class_key *k, uint32_t from)
{
	for (uint32_t i = 0; i < n; i++) {
		unsigned int d = 0;

		while (d < dims && k->w[d] >= b[i].lo[d] && k->w[d] <= b[i].hi[d])
			d++;
		if (d == dims && b[i].index >= from)
			return b[i].index;
	}
	return UINT32_MAX;
}

/* Half of the keys are inside some box, at its corners too. */
static void random_key(struct class_key *k, const struct class_box *b, uint32_t n, unsigned int dims)
{
	const struct class_box *in = &b[rnd() % n];

	for (unsigned int d = 0; d < dims; d++) {
		uint32_t span = in->hi[d] - in->lo[d];

		k->w[d] = rnd() % 3 == 0 ? in->lo[d] : rnd() % 3 == 0 ? in->hi[d] : in->lo[d] + (span == UINT32_MAX ? rnd()
			: rnd() % (span + 1));
		if (rnd() % 16 == 0)
			k->w[d] = d < dims - 3 ? rnd() : rnd() & 0xffff;
	}
	k->w[dims - 1] &= 255;
}

/* As rules are asked: on behind a box that has the key, until one is final. `index` is `by` times the number. */
static void same_boxes(const struct classifier *cl, const struct class_box *b, uint32_t n, unsigned int dims, const struct class_key *k,
		       uint32_t by)
{
	uint32_t from = 0, want;

	do {
		want = walk(b, n, dims, k, from);
		assert_int_equal(vfr_classify(cl, k, from), want);
		from = want + 1;
	} while (want != UINT32_MAX && !b[want / by].final);
}

static void compare(uint32_t n, unsigned int dims, uint32_t keys)
{
	struct class_box *b = calloc(n, sizeof(*b));
	struct class_key k = { 0 };

	for (uint32_t i = 0; i < n; i++)
		random_box(&b[i], dims, i * 2);
	struct classifier *cl = vfr_classifier_make(b, n, dims);
	assert_non_null(cl);
	for (uint32_t i = 0; i < keys; i++) {
		random_key(&k, b, n, dims);
		same_boxes(cl, b, n, dims, &k, 2);
	}
	vfr_classifier_free(cl);
	free(b);
}

static void classifier_agrees_with_a_walk(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 7, 30, 100, 400 };

	for (unsigned int round = 0; round < 6; round++) {
		seed = round + 1;
		for (unsigned int i = 0; i < ENV_ARRAY_SIZE(sizes); i++) {
			compare(sizes[i], 5, 2000);
			compare(sizes[i], 11, 1000);
		}
	}
	assert_int_equal(env_host_live_blocks(), 0);
}

/* A batch is longer than what is answered at once, and mixes families, sizes and where to look from. */
static void a_batch_of_questions_agrees_with_a_walk(void **state)
{
	enum { SETS = 6, QUESTIONS = 150 };
	static const uint32_t sizes[SETS] = { 1, 3, 40, 300, 5, 200 };
	struct class_box *b[SETS];
	struct classifier *cl[SETS];
	struct class_query q[QUESTIONS] = { 0 };

	seed = 77;
	for (unsigned int s = 0; s < SETS; s++) {
		b[s] = calloc(sizes[s], sizeof(**b));
		for (uint32_t i = 0; i < sizes[s]; i++)
			random_box(&b[s][i], s % 2 ? 11 : 5, i);
		cl[s] = vfr_classifier_make(b[s], sizes[s], s % 2 ? 11 : 5);
	}
	for (unsigned int round = 0; round < 200; round++) {
		uint32_t n = round % (QUESTIONS + 1);

		for (uint32_t i = 0; i < n; i++) {
			unsigned int s = rnd() % SETS;

			random_key(&q[i].key, b[s], sizes[s], s % 2 ? 11 : 5);
			q[i].cl = cl[s];
			q[i].from = 0;
			uint32_t first = walk(b[s], sizes[s], s % 2 ? 11 : 5, &q[i].key, 0);
			if (first != UINT32_MAX && !b[s][first].final)
				q[i].from = first + 1;
		}
		vfr_classify_batch(q, n);
		for (uint32_t i = 0; i < n; i++)
			for (unsigned int s = 0; s < SETS; s++)
				if (q[i].cl == cl[s])
					assert_int_equal(q[i].best, walk(b[s], sizes[s], s % 2 ? 11 : 5, &q[i].key, q[i].from));
	}
	for (unsigned int s = 0; s < SETS; s++) {
		vfr_classifier_free(cl[s]);
		free(b[s]);
	}
	assert_int_equal(env_host_live_blocks(), 0);
}

/* Half of ten thousand rules match everything in some way: the widest have copies everywhere, and memory stays what was promised. */
static void wide_boxes_do_not_eat_the_memory(void **state)
{
	uint32_t n = 4000;
	struct class_box *b = calloc(n, sizeof(*b));
	struct class_key k = { 0 };

	seed = 5;
	for (uint32_t i = 0; i < n; i++) {
		random_box(&b[i], 5, i);
		for (unsigned int d = 0; i % 2 && d < 2; d++) {
			b[i].lo[d] = 0;
			b[i].hi[d] = UINT32_MAX;
		}
	}
	size_t before = env_host_live_bytes();
	struct classifier *cl = vfr_classifier_make(b, n, 5);
	assert_non_null(cl);
	assert_true(env_host_live_bytes() - before < n * 1024);
	for (uint32_t i = 0; i < 20000; i++) {
		random_key(&k, b, n, 5);
		same_boxes(cl, b, n, 5, &k, 1);
	}
	vfr_classifier_free(cl);
	free(b);
}

static void classifier_holds_equal_boxes(void **state)
{
	struct class_box b[100];
	struct class_key k = { .w = { 1, 2, 3, 4, 6 } };

	for (uint32_t i = 0; i < 100; i++) {
		memset(&b[i], 0, sizeof(b[i]));
		memset(b[i].hi, 0xff, sizeof(b[i].hi));
		b[i].hi[2] = b[i].hi[3] = 65535;
		b[i].hi[4] = 255;
		b[i].index = i;
	}
	struct classifier *cl = vfr_classifier_make(b, 100, 5);
	assert_non_null(cl);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(vfr_classify(cl, &k, i), i);
	assert_int_equal(vfr_classify(cl, &k, 100), UINT32_MAX);
	vfr_classifier_free(cl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classifier_agrees_with_a_walk),
		cmocka_unit_test(a_batch_of_questions_agrees_with_a_walk),
		cmocka_unit_test(wide_boxes_do_not_eat_the_memory),
		cmocka_unit_test(classifier_holds_equal_boxes),
	};

	return cmocka_run_group_tests_name("classifier", tests, NULL, NULL);
}
