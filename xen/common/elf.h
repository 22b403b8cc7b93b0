/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a kernel image: an ELF file with the note that names its PVH entry. Host-free. */
#ifndef COMMON_ELF_H
#define COMMON_ELF_H

#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 16

struct elf_segment {
	uint64_t paddr;
	uint64_t mem_size;
	const uint8_t *bytes; /* within the image */
	uint64_t file_size;   /* at most mem_size */
};

struct elf_image {
	uint32_t entry;       /* physical, 32-bit protected mode */
	unsigned nr_segments;
	struct elf_segment segment[ELF_SEGMENTS_MAX]; /* sorted by address, none overlaps another */
	uint64_t start, end;  /* of all segments */
};

/* Check the whole image and describe it. 0, or -ENOEXEC with the reason in *why. */
int elf_parse(const void *image, size_t size, struct elf_image *out, const char **why);

#endif
