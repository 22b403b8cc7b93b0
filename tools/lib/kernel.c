/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernels: the hypervisor loads ELF files with a PVH entry, Debian ships bzImages. This unpacks the one out of the other, checks that
 * a guest can start from it, and leaves out what loading does not need (symbols, sections).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfrc.h"

#define FILE_MAX_BYTES ((off_t)2 << 30)
#define NOTE_PHYS32_ENTRY 18	/* XEN_ELFNOTE_PHYS32_ENTRY */

int file_read(const char *path, uint8_t **out, size_t *size, char *why, size_t whysize)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);	/* a pipe must not hold us up */
	struct stat st;
	size_t done = 0;
	uint8_t *p = NULL;

	if (fd < 0 || fstat(fd, &st))
		goto failed;
	errno = S_ISDIR(st.st_mode) ? EISDIR : st.st_size > FILE_MAX_BYTES ? EFBIG : 0;
	if (errno)
		goto failed;
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return snprintf(why, whysize, "it is not a file but a device or pipe"), -1;
	}
	p = malloc(st.st_size + 1);
	while (p && done < (size_t)st.st_size) {
		ssize_t k = read(fd, p + done, st.st_size - done);

		if (k < 0)
			goto failed;
		if (!k)
			break;
		done += k;
	}
	if (!p)
		goto failed;
	close(fd);
	*out = p;
	*size = done;
	return 0;
failed:
	snprintf(why, whysize, "%s", strerror(errno ? errno : ENOMEM));
	free(p);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* By a temporary name, so that no reader sees half a file. */
int file_write(const char *path, const void *bytes, size_t n, char *why, size_t whysize)
{
	char tmp[4096];
	const uint8_t *p = bytes;
	int fd;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return snprintf(why, whysize, "the path is too long"), -1;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	while (fd >= 0 && n) {
		ssize_t k = write(fd, p, n);

		if (k < 0)
			break;
		p += k;
		n -= k;
	}
	if (fd >= 0 && close(fd) == 0 && !n && !rename(tmp, path))
		return 0;
	snprintf(why, whysize, "%s", strerror(errno));
	unlink(tmp);
	return -1;
}

/* Does this run of notes hold the PVH entry? */
static bool notes_have_entry(const uint8_t *p, size_t n)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		size_t name, desc;

		memcpy(&h, p, sizeof(h));
		p += sizeof(h);
		n -= sizeof(h);
		name = ((size_t)h.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
		if (name > n || desc > n - name)
			return false;
		if (h.n_type == NOTE_PHYS32_ENTRY && h.n_namesz == 4 && !memcmp(p, "Xen", 4) && h.n_descsz >= 4)
			return true;
		p += name + desc;
		n -= name + desc;
	}
	return false;
}

static int elf_error(char *why, size_t whysize, const char *what)
{
	snprintf(why, whysize, "%s", what);
	return -1;
}

static int elf_check_head(const uint8_t *f, size_t n, char *why, size_t whysize)
{
	const Elf64_Ehdr *e = (const void *)f;

	if (n < sizeof(*e))
		return elf_error(why, whysize, "the ELF file is cut off in its header");
	if (e->e_ident[EI_CLASS] != ELFCLASS64 && e->e_ident[EI_CLASS] != ELFCLASS32)
		return elf_error(why, whysize, "the ELF file is neither 32-bit nor 64-bit");
	if (e->e_ident[EI_DATA] != ELFDATA2LSB || (e->e_machine != EM_X86_64 && e->e_machine != EM_386))
		return elf_error(why, whysize, "the ELF file is not for x86");
	if (e->e_type != ET_EXEC && e->e_type != ET_DYN)
		return elf_error(why, whysize, "the ELF file is not an executable");
	return 0;
}

/* Checks the segments of a 64-bit ELF; *need counts the bytes that loading needs. */
static int elf64_check(const uint8_t *f, size_t n, size_t *need, char *why, size_t whysize)
{
	const Elf64_Ehdr *e = (const void *)f;
	unsigned int loads = 0;
	bool entry = false;

	if (e->e_phentsize != sizeof(Elf64_Phdr) || e->e_phoff > n || e->e_phnum > (n - e->e_phoff) / sizeof(Elf64_Phdr))
		return elf_error(why, whysize, "the ELF file is cut off in its program headers");
	*need = sizeof(*e);
	for (unsigned int i = 0; i < e->e_phnum; i++) {
		Elf64_Phdr p;

		memcpy(&p, f + e->e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD && p.p_type != PT_NOTE)
			continue;
		if (p.p_offset > n || p.p_filesz > n - p.p_offset)
			return elf_error(why, whysize, "the ELF file is cut off: a segment lies beyond its end");
		if (p.p_type == PT_LOAD && p.p_filesz > p.p_memsz)
			return elf_error(why, whysize, "the ELF file has a segment larger in the file than in memory");
		loads += p.p_type == PT_LOAD;
		entry = entry || (p.p_type == PT_NOTE && notes_have_entry(f + p.p_offset, p.p_filesz));
		*need += sizeof(p) + p.p_filesz + 16;
	}
	if (!loads)
		return elf_error(why, whysize, "the ELF file has nothing to load");
	if (!entry)
		return elf_error(why, whysize,
				 "the kernel has no PVH entry (no XEN_ELFNOTE_PHYS32_ENTRY note): "
				 "build it with CONFIG_PVH or CONFIG_XEN_PVH");
	return 0;
}

/* Bytes up to the last that is not zero: the rest of a segment is cleared memory anyway. Linux's .bss stands in the file. */
static size_t without_zeros(const uint8_t *p, size_t n)
{
	while (n && !p[n - 1])
		n--;
	return n;
}

/* A copy with header, program headers and the segments' bytes alone. */
static uint8_t *elf64_strip(const uint8_t *f, size_t need, size_t *size)
{
	const Elf64_Ehdr *old = (const void *)f;
	uint8_t *out = calloc(1, need);
	Elf64_Ehdr *e = (void *)out;
	Elf64_Phdr *ph = (void *)(e + 1);
	size_t at;

	if (!out)
		return NULL;
	*e = *old;
	e->e_phoff = sizeof(*e);
	e->e_phnum = 0;
	e->e_shoff = e->e_shnum = e->e_shstrndx = 0;
	for (unsigned int i = 0; i < old->e_phnum; i++) {
		memcpy(&ph[e->e_phnum], f + old->e_phoff + i * sizeof(*ph), sizeof(*ph));
		if (ph[e->e_phnum].p_type == PT_LOAD || ph[e->e_phnum].p_type == PT_NOTE)
			e->e_phnum++;
	}
	at = sizeof(*e) + e->e_phnum * sizeof(*ph);
	for (unsigned int i = 0; i < e->e_phnum; i++) {
		at = (at + 15) & ~(size_t)15;
		if (ph[i].p_type == PT_LOAD)
			ph[i].p_filesz = without_zeros(f + ph[i].p_offset, ph[i].p_filesz);
		memcpy(out + at, f + ph[i].p_offset, ph[i].p_filesz);
		ph[i].p_offset = at;
		ph[i].p_align = 1;
		at += ph[i].p_filesz;
	}
	*size = at;
	return out;
}

/* 32-bit kernels are small and pass as they are. */
static int elf32_check(const uint8_t *f, size_t n, char *why, size_t whysize)
{
	const Elf32_Ehdr *e = (const void *)f;

	if (e->e_phentsize != sizeof(Elf32_Phdr) || e->e_phoff > n || e->e_phnum > (n - e->e_phoff) / sizeof(Elf32_Phdr))
		return elf_error(why, whysize, "the ELF file is cut off in its program headers");
	for (unsigned int i = 0; i < e->e_phnum; i++) {
		Elf32_Phdr p;

		memcpy(&p, f + e->e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_offset > n || p.p_filesz > n - p.p_offset)
			return elf_error(why, whysize, "the ELF file is cut off: a segment lies beyond its end");
		if (p.p_type == PT_NOTE && notes_have_entry(f + p.p_offset, p.p_filesz))
			return 0;
	}
	return elf_error(why, whysize, "the kernel has no PVH entry (no XEN_ELFNOTE_PHYS32_ENTRY note)");
}

/* Takes an ELF in malloc'ed memory, gives one back. */
static int elf_load(uint8_t *f, size_t n, uint8_t **out, size_t *size, char *why, size_t whysize)
{
	size_t need = 0;
	uint8_t *small;
	int rc = elf_check_head(f, n, why, whysize);

	*out = f;
	*size = n;
	if (rc)
		return rc;
	if (f[EI_CLASS] == ELFCLASS32)
		return elf32_check(f, n, why, whysize);
	rc = elf64_check(f, n, &need, why, whysize);
	if (rc || need >= n)
		return rc;
	small = elf64_strip(f, need, size);
	if (!small)
		return 0;
	free(f);
	*out = small;
	return 0;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The Linux boot protocol: after the real-mode sectors stands the part that holds the payload. */
static int bzimage_payload(const uint8_t *f, size_t n, const uint8_t **payload, size_t *len, char *why, size_t whysize)
{
	size_t start, off, size;

	if (n < 0x260 || memcmp(f + 0x202, "HdrS", 4))
		return elf_error(why, whysize, "neither an ELF file nor a Linux bzImage");
	if ((f[0x206] | f[0x207] << 8) < 0x208)
		return elf_error(why, whysize, "the bzImage is older than boot protocol 2.08 and tells no payload");
	start = ((f[0x1f1] ? f[0x1f1] : 4) + 1) * 512u;
	off = get32(f + 0x248);
	size = get32(f + 0x24c);
	if (start > n || off > n - start || size > n - start - off || !size)
		return elf_error(why, whysize, "the bzImage is cut off: its payload lies beyond the end of the file");
	*payload = f + start + off;
	*len = size;
	return 0;
}

int kernel_load(const uint8_t *file, size_t n, uint8_t **out, size_t *size, char *why, size_t whysize)
{
	const uint8_t *payload = file;
	size_t len = n;
	uint8_t *elf = NULL;
	int rc;

	if (n >= 4 && !memcmp(file, ELFMAG, SELFMAG)) {
		elf = malloc(n);
		if (!elf)
			return elf_error(why, whysize, "no memory");
		memcpy(elf, file, n);
	} else if (bzimage_payload(file, n, &payload, &len, why, whysize) || unpack_payload(payload, len, &elf, &len, why, whysize)) {
		return -1;
	} else if (len < 4 || memcmp(elf, ELFMAG, SELFMAG)) {
		free(elf);
		return elf_error(why, whysize, "the payload of the bzImage is not an ELF file");
	}
	rc = elf_load(elf, len, out, size, why, whysize);
	if (rc) {
		free(*out);
		*out = NULL;
	}
	return rc;
}
