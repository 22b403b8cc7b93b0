/* SPDX-License-Identifier: BSD-2-Clause */
/* The multiboot2 information structure (GNU multiboot2 specification, section 3.6): tags are walked once, lengths checked. */
#include "multiboot.h"

#include <stdbool.h>
#include <string.h>

#include <hv/boot.h>
#include <hv/log.h>

#define MB2_LOADER_MAGIC 0x36d76289u
#define RSDP1_SIZE 20 /* of ACPI 1.0; the later one says how long it is */

enum { TAG_END = 0, TAG_CMDLINE = 1, TAG_MODULE = 3, TAG_MMAP = 6, TAG_RSDP1 = 14, TAG_RSDP2 = 15 };

struct tag {
	uint32_t type, size;
};

struct tag_module {
	struct tag tag;
	uint32_t start, end;
	char line[];
};

struct tag_mmap {
	struct tag tag;
	uint32_t entry_size, entry_version;
};

struct mmap_entry {
	uint64_t base, length;
	uint32_t type, reserved;
};

struct boot_info boot_info;

static void add_module(const struct tag_module *m)
{
	if (m->end < m->start)
		return;
	if (boot_info.nr_modules == BOOT_MODULES_MAX) {
		log_warn("boot: more than %d modules; '%s' is left out", BOOT_MODULES_MAX, m->line);
		return;
	}
	/* The name is the first word; the tag is ours now, so the line is cut there. */
	char *space = strchr((char *)(uintptr_t)m->line, ' ');
	if (space)
		*space = '\0';
	boot_info.modules[boot_info.nr_modules++] = (struct boot_module){ m->line, m->start, m->end - m->start };
}

static void add_ram(uint64_t start, uint64_t end)
{
	struct boot_region *r = boot_info.ram;
	uint32_t i;

	start = (start + PAGE_SIZE - 1) & PAGE_MASK;
	end &= PAGE_MASK;
	if (start >= end || boot_info.nr_ram == BOOT_REGIONS_MAX)
		return;
	for (i = boot_info.nr_ram; i && r[i - 1].start > start; i--)
		r[i] = r[i - 1];
	r[i] = (struct boot_region){ start, end };
	boot_info.nr_ram++;
}

static void add_mmap(const struct tag_mmap *m)
{
	bool usable = m->entry_size >= sizeof(struct mmap_entry) && m->entry_size % 8 == 0;
	uint32_t n = usable ? (m->tag.size - sizeof(*m)) / m->entry_size : 0;
	const uint8_t *p = (const uint8_t *)(m + 1);

	for (; n--; p += m->entry_size) {
		const struct mmap_entry *e = (const struct mmap_entry *)p;
		if (e->type == 1)
			add_ram(e->base, e->base + e->length);
	}
}

/* Is there a whole string at `at` of the tag? */
static bool has_text(const struct tag *t, size_t at)
{
	return t->size > at && strnlen((const char *)t + at, t->size - at) < t->size - at;
}

static void handle_tag(const struct tag *t)
{
	switch (t->type) {
	case TAG_CMDLINE:
		if (has_text(t, sizeof(*t)))
			boot_info.cmdline = (const char *)(t + 1);
		break;
	case TAG_MODULE:
		if (has_text(t, sizeof(struct tag_module)))
			add_module((const struct tag_module *)t);
		break;
	case TAG_MMAP:
		if (t->size >= sizeof(struct tag_mmap))
			add_mmap((const struct tag_mmap *)t);
		break;
	case TAG_RSDP1:
		if (boot_info.rsdp || t->size < sizeof(*t) + RSDP1_SIZE)
			break;
		/* fall through */
	case TAG_RSDP2:
		if (t->size >= sizeof(*t) + RSDP1_SIZE)
			boot_info.rsdp = virt_to_phys(t + 1);
		break;
	}
}

void multiboot_parse(uint32_t magic, uint64_t info_pa)
{
	if (magic != MB2_LOADER_MAGIC)
		panic("not started by a multiboot2 loader (magic %#x)", magic);
	uint8_t *info = phys_to_virt(info_pa);
	uint32_t total = *(uint32_t *)info;

	boot_info.cmdline = "";
	boot_info.info_start = info_pa;
	boot_info.info_end = info_pa + total;
	for (uint32_t at = 8; at + sizeof(struct tag) <= total;) {
		const struct tag *t = (const struct tag *)(info + at);
		if (t->type == TAG_END || t->size < sizeof(*t) || t->size > total - at)
			break;
		handle_tag(t);
		at += (t->size + 7) & ~7u;
	}
	if (!boot_info.nr_ram)
		panic("the boot loader gave no memory map");
}

const struct boot_module *boot_module_find(const char *name)
{
	for (uint32_t i = 0; i < boot_info.nr_modules; i++)
		if (!strcmp(boot_info.modules[i].name, name))
			return &boot_info.modules[i];
	return NULL;
}

bool boot_option(const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	for (const char *p = boot_info.cmdline; *p;) {
		while (*p == ' ')
			p++;
		const char *end = p;
		while (*end && *end != ' ')
			end++;
		if ((size_t)(end - p) >= n && !strncmp(p, name, n) && (p[n] == '=' || p + n == end)) {
			const char *v = p[n] == '=' ? p + n + 1 : p + n;
			size_t len = (size_t)(end - v) < size - 1 ? (size_t)(end - v) : size - 1;
			memcpy(buf, v, len);
			buf[len] = '\0';
			return true;
		}
		p = end;
	}
	return false;
}
