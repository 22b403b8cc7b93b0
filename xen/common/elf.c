/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF images, 32 and 64 bit, little endian, x86. The image comes from an operator and may be anything: every offset and
 * length is checked against what encloses it before it is used, in the order header, program header table, segment, note.
 */
#include "elf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define EI_NIDENT 16
#define CLASS32 1
#define CLASS64 2
#define MACHINE_386 3
#define MACHINE_X86_64 62
#define SEG_LOAD 1
#define SEG_NOTE 4
#define NOTE_PHYS32_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define ADDR_MAX (1ULL << 40)

struct image {
	const uint8_t *bytes;
	uint64_t size;
	bool wide; /* ELFCLASS64 */
	uint64_t phoff;
	uint32_t phentsize, phnum;
};

struct phdr {
	uint32_t type;
	uint64_t offset, paddr, filesz, memsz;
};

static uint64_t le(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static bool inside(const struct image *im, uint64_t offset, uint64_t n)
{
	return offset <= im->size && n <= im->size - offset;
}

static const char *read_header(struct image *im)
{
	const uint8_t *h = im->bytes;

	if (im->size < EI_NIDENT || memcmp(h, "\177ELF", 4))
		return "kernel is not an ELF file";
	if ((h[4] != CLASS32 && h[4] != CLASS64) || h[5] != 1)
		return "kernel is not a little-endian ELF file";
	im->wide = h[4] == CLASS64;
	if (im->size < (im->wide ? 64 : 52))
		return "kernel is truncated: the ELF header does not fit";
	if (le(h + 18, 2) != MACHINE_386 && le(h + 18, 2) != MACHINE_X86_64)
		return "kernel is not for x86";
	im->phoff = im->wide ? le(h + 32, 8) : le(h + 28, 4);
	im->phentsize = (uint32_t)le(h + (im->wide ? 54 : 42), 2);
	im->phnum = (uint32_t)le(h + (im->wide ? 56 : 44), 2);
	if (im->phentsize < (im->wide ? 56u : 32u) || !im->phnum)
		return "kernel has no program headers";
	if (!inside(im, im->phoff, (uint64_t)im->phentsize * im->phnum))
		return "kernel is truncated: the program headers are past its end";
	return NULL;
}

static struct phdr read_phdr(const struct image *im, uint32_t i)
{
	const uint8_t *p = im->bytes + im->phoff + (uint64_t)i * im->phentsize;

	if (im->wide)
		return (struct phdr){ (uint32_t)le(p, 4), le(p + 8, 8), le(p + 24, 8), le(p + 32, 8), le(p + 40, 8) };
	return (struct phdr){ (uint32_t)le(p, 4), le(p + 4, 4), le(p + 12, 4), le(p + 16, 4), le(p + 20, 4) };
}

/* Keep the list sorted as segments come. */
static void insert(struct elf_image *out, const struct elf_segment *s)
{
	unsigned i = out->nr_segments++;

	for (; i > 0 && out->segment[i - 1].paddr > s->paddr; i--)
		out->segment[i] = out->segment[i - 1];
	out->segment[i] = *s;
}

static const char *add_segment(const struct image *im, const struct phdr *p, struct elf_image *out)
{
	if (!p->memsz)
		return p->filesz ? "kernel has a segment that is larger in the file than in memory" : NULL;
	if (p->filesz > p->memsz)
		return "kernel has a segment that is larger in the file than in memory";
	if (!inside(im, p->offset, p->filesz))
		return "kernel is truncated: a segment is past its end";
	if (p->paddr >= ADDR_MAX || p->memsz >= ADDR_MAX)
		return "kernel is larger than memory can be";
	if (out->nr_segments == ELF_SEGMENTS_MAX)
		return "kernel has too many segments";
	insert(out, &(struct elf_segment){ p->paddr, p->memsz, im->bytes + p->offset, p->filesz });
	return NULL;
}

static const char *check_overlap(struct elf_image *out)
{
	if (!out->nr_segments)
		return "kernel has nothing to load";
	for (unsigned i = 1; i < out->nr_segments; i++) {
		if (out->segment[i - 1].paddr + out->segment[i - 1].mem_size > out->segment[i].paddr)
			return "kernel has overlapping segments";
	}
	const struct elf_segment *top = &out->segment[out->nr_segments - 1];
	out->start = out->segment[0].paddr;
	out->end = top->paddr + top->mem_size;
	return NULL;
}

/* Look through one note segment; notes are 4-aligned triples of sizes, name, contents. True: the entry was found. */
static bool find_entry(const uint8_t *p, uint64_t n, struct elf_image *out)
{
	while (n >= 12) {
		uint64_t name_size = le(p, 4), desc_size = le(p + 4, 4);
		uint64_t name_room = (name_size + 3) & ~3ULL, desc_room = (desc_size + 3) & ~3ULL;
		if (name_room > n - 12 || desc_room > n - 12 - name_room)
			return false;
		const uint8_t *desc = p + 12 + name_room;
		if (le(p + 8, 4) == NOTE_PHYS32_ENTRY && name_size == 4 && !memcmp(p + 12, "Xen", 4) &&
		    (desc_size == 4 || desc_size == 8)) {
			uint64_t entry = le(desc, (unsigned)desc_size);
			out->entry = (uint32_t)entry;
			return entry <= UINT32_MAX;
		}
		p += 12 + name_room + desc_room;
		n -= 12 + name_room + desc_room;
	}
	return false;
}

static bool entry_is_loaded(const struct elf_image *out)
{
	for (unsigned i = 0; i < out->nr_segments; i++) {
		const struct elf_segment *s = &out->segment[i];
		if (out->entry >= s->paddr && out->entry - s->paddr < s->file_size)
			return true;
	}
	return false;
}

int elf_parse(const void *image, size_t size, struct elf_image *out, const char **why)
{
	struct image im = { .bytes = image, .size = size };
	bool found = false;

	memset(out, 0, sizeof(*out));
	*why = read_header(&im);
	for (uint32_t i = 0; !*why && i < im.phnum; i++) {
		struct phdr p = read_phdr(&im, i);
		if (p.type == SEG_LOAD)
			*why = add_segment(&im, &p, out);
		else if (p.type == SEG_NOTE && inside(&im, p.offset, p.filesz))
			found = found || find_entry(im.bytes + p.offset, p.filesz, out);
	}
	if (!*why)
		*why = check_overlap(out);
	if (!*why && !found)
		*why = "kernel has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY)";
	if (!*why && !entry_is_loaded(out))
		*why = "kernel's PVH entry is not in a loaded segment";
	return *why ? -ENOEXEC : 0;
}
