/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel images: good ones of both classes are described right, each kind of bad one is refused by name, and no image
 * whatsoever makes the reader look outside of it (ASan watches a buffer of exactly the image's size).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "elf.h"

#define PHDRS 3
#define SIZE 0x300
#define ENTRY 0x100010

/* Where the fields of the test image are, for either class. */
struct shape {
	bool wide;
	unsigned ehsize, phentsize;
	unsigned e_phoff, e_phentsize, e_phnum;
	unsigned p_offset, p_paddr, p_filesz, p_memsz;
	unsigned word; /* bytes of an address */
};

static const struct shape shape64 = { true, 64, 56, 32, 54, 56, 8, 24, 32, 40, 8 };
static const struct shape shape32 = { false, 52, 32, 28, 42, 44, 4, 12, 16, 20, 4 };

static void put(uint8_t *p, uint64_t v, unsigned n)
{
	memcpy(p, &v, n);
}

static void put_phdr(const struct shape *s, uint8_t *img, unsigned i, uint32_t type, uint64_t offset, uint64_t paddr,
		     uint64_t filesz, uint64_t memsz)
{
	uint8_t *p = img + s->ehsize + i * s->phentsize;

	put(p, type, 4);
	put(p + s->p_offset, offset, s->word);
	put(p + s->p_paddr, paddr, s->word);
	put(p + s->p_filesz, filesz, s->word);
	put(p + s->p_memsz, memsz, s->word);
}

/* Code at 1 MiB, data with a bss at 2 MiB (listed first), one note segment with two notes. */
static void make_image(const struct shape *s, uint8_t *img)
{
	memset(img, 0, SIZE);
	memcpy(img, "\177ELF", 4);
	img[4] = s->wide ? 2 : 1;
	img[5] = 1;
	put(img + 18, s->wide ? 62 : 3, 2);
	put(img + s->e_phoff, s->ehsize, s->word);
	put(img + s->e_phentsize, s->phentsize, 2);
	put(img + s->e_phnum, PHDRS, 2);
	put_phdr(s, img, 0, 1, 0x240, 0x200000, 0x40, 0x1000);
	put_phdr(s, img, 1, 1, 0x200, 0x100000, 0x40, 0x40);
	put_phdr(s, img, 2, 4, 0x280, 0, 0x34, 0);
	uint8_t *note = img + 0x280;
	put(note, 4, 4);
	put(note + 4, 5, 4);
	put(note + 8, 6, 4);
	memcpy(note + 12, "Xen", 4);
	memcpy(note + 16, "hello", 5);
	note += 24;
	put(note, 4, 4);
	put(note + 4, s->word, 4);
	put(note + 8, 18, 4);
	memcpy(note + 12, "Xen", 4);
	put(note + 16, ENTRY, s->word);
}

/* Parse a copy in a buffer of exactly n bytes. */
static int parse(const uint8_t *img, size_t n, struct elf_image *out, const char **why)
{
	uint8_t *exact = malloc(n ? n : 1);
	uint8_t sum = 0;

	assert_non_null(exact);
	memcpy(exact, img, n);
	int rc = elf_parse(exact, n, out, why);
	for (unsigned i = 0; rc == 0 && i < out->nr_segments; i++) {
		const struct elf_segment *s = &out->segment[i];
		assert_true(s->bytes >= exact && s->file_size <= (uint64_t)(exact + n - s->bytes));
		assert_true(s->file_size <= s->mem_size && s->mem_size);
		assert_true(!i || s[-1].paddr + s[-1].mem_size <= s->paddr);
		for (uint64_t k = 0; k < s->file_size; k++)
			sum ^= s->bytes[k];
	}
	volatile uint8_t sink = sum;
	(void)sink;
	free(exact);
	return rc;
}

static void check_good(const struct shape *s)
{
	uint8_t img[SIZE];
	struct elf_image out;
	const char *why;

	make_image(s, img);
	assert_int_equal(parse(img, SIZE, &out, &why), 0);
	assert_null(why);
	assert_int_equal(out.entry, ENTRY);
	assert_int_equal(out.nr_segments, 2);
	assert_int_equal(out.segment[0].paddr, 0x100000);
	assert_int_equal(out.segment[1].mem_size, 0x1000);
	assert_int_equal(out.segment[1].file_size, 0x40);
	assert_int_equal(out.start, 0x100000);
	assert_int_equal(out.end, 0x201000);
}

static void good_images_are_described(void **state)
{
	check_good(&shape64);
	check_good(&shape32);
}


static void no_magic(uint8_t *img) { img[0] = 'M'; }
static void big_endian(uint8_t *img) { img[5] = 2; }
static void no_class(uint8_t *img) { img[4] = 3; }
static void arm(uint8_t *img) { put(img + 18, 183, 2); }
static void no_phdrs(uint8_t *img) { put(img + 56, 0, 2); }
static void small_phdrs(uint8_t *img) { put(img + 54, 55, 2); }
static void phdrs_past_end(uint8_t *img) { put(img + 32, SIZE - 56, 8); }
static void phdrs_wrap(uint8_t *img) { put(img + 32, ~0ULL - 8, 8); }
static void segment_past_end(uint8_t *img) { put_phdr(&shape64, img, 0, 1, SIZE - 0x3f, 0x200000, 0x40, 0x40); }
static void segment_offset_wraps(uint8_t *img) { put_phdr(&shape64, img, 0, 1, ~0ULL, 0x200000, 0x40, 0x40); }
static void file_over_memory(uint8_t *img) { put_phdr(&shape64, img, 0, 1, 0x200, 0x200000, 0x40, 0x3f); }
static void file_without_memory(uint8_t *img) { put_phdr(&shape64, img, 0, 1, 0x200, 0x200000, 0x40, 0); }
static void far_away(uint8_t *img) { put_phdr(&shape64, img, 0, 1, 0x200, ~0ULL - 0xfff, 0x40, 0x1000); }
static void huge(uint8_t *img) { put_phdr(&shape64, img, 0, 1, 0x200, 0x200000, 0x40, ~0ULL); }
static void overlap(uint8_t *img) { put_phdr(&shape64, img, 0, 1, 0x200, 0x10003f, 0x40, 0x40); }
static void nothing_to_load(uint8_t *img)
{
	put_phdr(&shape64, img, 0, 6, 0, 0, 0, 0);
	put_phdr(&shape64, img, 1, 6, 0, 0, 0, 0);
}
static void no_note(uint8_t *img) { put_phdr(&shape64, img, 2, 6, 0, 0, 0, 0); }
static void note_past_end(uint8_t *img) { put_phdr(&shape64, img, 2, 4, 0x280, 0, SIZE, 0); }
static void other_owner(uint8_t *img) { memcpy(img + 0x280 + 24 + 12, "Foo", 4); }
static void note_name_wraps(uint8_t *img) { put(img + 0x280, 0xffffffff, 4); }
static void note_desc_past_end(uint8_t *img) { put(img + 0x280 + 24 + 4, 9, 4); }
static void entry_over_4g(uint8_t *img) { put(img + 0x280 + 24 + 16, 1ULL << 32, 8); }
static void entry_in_bss(uint8_t *img) { put(img + 0x280 + 24 + 16, 0x200040, 8); }
static void entry_nowhere(uint8_t *img) { put(img + 0x280 + 24 + 16, 0x100040, 8); }

static const struct bad {
	const char *title;
	void (*change)(uint8_t *img);
	const char *why;
} bads[] = {
	{ "no magic", no_magic, "kernel is not an ELF file" },
	{ "big endian", big_endian, "kernel is not a little-endian ELF file" },
	{ "unknown class", no_class, "kernel is not a little-endian ELF file" },
	{ "another machine", arm, "kernel is not for x86" },
	{ "no program headers", no_phdrs, "kernel has no program headers" },
	{ "program headers too small", small_phdrs, "kernel has no program headers" },
	{ "program headers past the end", phdrs_past_end, "kernel is truncated: the program headers are past its end" },
	{ "program header offset wraps", phdrs_wrap, "kernel is truncated: the program headers are past its end" },
	{ "segment past the end", segment_past_end, "kernel is truncated: a segment is past its end" },
	{ "segment offset wraps", segment_offset_wraps, "kernel is truncated: a segment is past its end" },
	{ "more file than memory", file_over_memory, "kernel has a segment that is larger in the file than in memory" },
	{ "file but no memory", file_without_memory, "kernel has a segment that is larger in the file than in memory" },
	{ "address at the top", far_away, "kernel is larger than memory can be" },
	{ "segment of 2^64 bytes", huge, "kernel is larger than memory can be" },
	{ "overlapping by one byte", overlap, "kernel has overlapping segments" },
	{ "nothing to load", nothing_to_load, "kernel has nothing to load" },
	{ "no note", no_note, "kernel has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY)" },
	{ "note segment past the end", note_past_end, "kernel has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY)" },
	{ "note of another owner", other_owner, "kernel has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY)" },
	{ "note name of 2^32 bytes", note_name_wraps, "kernel has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY)" },
	{ "note contents past the end", note_desc_past_end, "kernel has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY)" },
	{ "entry over 4 GiB", entry_over_4g, "kernel has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY)" },
	{ "entry in the bss", entry_in_bss, "kernel's PVH entry is not in a loaded segment" },
	{ "entry behind the code", entry_nowhere, "kernel's PVH entry is not in a loaded segment" },
};

static void bad_images_are_refused_by_name(void **state)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		uint8_t img[SIZE];
		struct elf_image out;
		const char *why = NULL;

		make_image(&shape64, img);
		bads[i].change(img);
		int rc = parse(img, SIZE, &out, &why);
		if (rc != -ENOEXEC || !why || strcmp(why, bads[i].why))
			fail_msg("%s: %d, %s", bads[i].title, rc, why ? why : "accepted");
	}
}

/* The image needs all its bytes up to the end of the notes: each shorter one is refused. */
static void every_truncation_is_refused(void **state)
{
	const struct shape *shapes[] = { &shape64, &shape32 };

	for (int k = 0; k < 2; k++) {
		uint8_t img[SIZE];
		make_image(shapes[k], img);
		for (size_t n = 0; n < 0x280 + 0x34; n++) {
			struct elf_image out;
			const char *why = NULL;
			assert_int_equal(parse(img, n, &out, &why), -ENOEXEC);
			assert_non_null(why);
		}
	}
}

static void too_many_segments_are_refused(void **state)
{
	enum { N = ELF_SEGMENTS_MAX + 1, BIG = 64 + N * 56 };
	uint8_t img[BIG];
	struct elf_image out;
	const char *why;

	memset(img, 0, sizeof(img));
	memcpy(img, "\177ELF\2\1", 6);
	put(img + 18, 62, 2);
	put(img + 32, 64, 8);
	put(img + 54, 56, 2);
	put(img + 56, N, 2);
	for (unsigned i = 0; i < N; i++)
		put_phdr(&shape64, img, i, 1, 0, 0x1000 * (N - i), 0, 0x1000);
	assert_int_equal(parse(img, BIG, &out, &why), -ENOEXEC);
	assert_string_equal(why, "kernel has too many segments");
}

/* Random damage: what is accepted is sound (parse() checks it), what is refused has a reason. */
static void damaged_images_do_no_harm(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	unsigned accepted = 0;

	for (int round = 0; round < 200000; round++) {
		uint8_t img[SIZE];
		struct elf_image out;
		const char *why = NULL;

		make_image(round & 1 ? &shape64 : &shape32, img);
		for (int i = 0; i < 1 + round % 4; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			unsigned at = (unsigned)(seed >> 33) % 0x2b4;
			img[at] = (uint8_t)(seed >> 20);
		}
		int rc = parse(img, SIZE, &out, &why);
		assert_true(rc == 0 ? !why : rc == -ENOEXEC && why != NULL);
		accepted += rc == 0;
	}
	assert_in_range(accepted, 1000, 199000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_images_are_described),
		cmocka_unit_test(bad_images_are_refused_by_name),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(too_many_segments_are_refused),
		cmocka_unit_test(damaged_images_do_no_harm),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
