/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernels and ramdisks that a site file names: each file is read once, and its name on the machine tells its content. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfrc.h"

/* 48 bits of FNV-1a: a name for content, not a proof of it. */
static uint64_t content_hash(const uint8_t *p, size_t n)
{
	uint64_t h = 14695981039346656037ull;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211ull;
	return (h ^ h >> 48) & 0xffffffffffffull;
}

static void module_name(struct module *m)
{
	const char *base = strrchr(m->path, '/');
	char clean[46];
	size_t n = 0;

	for (base = base ? base + 1 : m->path; *base && n < sizeof(clean) - 1; base++) {
		clean[n] = *base;
		clean[n + 1] = 0;
		if (!vfrc_name_ok(clean + n, 3))
			clean[n] = '_';
		n++;
	}
	clean[n] = 0;
	snprintf(m->name, sizeof(m->name), "%s-%012llx", clean, (unsigned long long)content_hash(m->bytes, m->size));
}

/* A relative path is looked for beside the site file, then from where the command runs. */
static int module_read(struct site *s, struct module *m, const char *path, char *why, size_t size)
{
	const char *slash = strrchr(s->file, '/');
	char beside[4096];

	if (*path != '/' && slash) {
		snprintf(beside, sizeof(beside), "%.*s/%s", (int)(slash - s->file), s->file, path);
		if (!file_read(beside, &m->bytes, &m->size, why, size))
			return 0;
	}
	return file_read(path, &m->bytes, &m->size, why, size);
}

struct module *site_module(struct site *s, const char *path, bool kernel, int line, int col)
{
	struct module *m;
	char why[256];

	for (size_t i = 0; i < s->nmodules; i++)
		if (!strcmp(s->modules[i]->path, path) && s->modules[i]->kernel == kernel)
			return s->modules[i];
	m = calloc(1, sizeof(*m));
	s->modules = realloc(s->modules, (s->nmodules + 1) * sizeof(*s->modules));
	m->path = strdup(path);
	m->kernel = kernel;
	m->line = line;
	m->col = col;
	s->modules[s->nmodules++] = m;
	if (module_read(s, m, path, why, sizeof(why)))
		site_error(s, line, col, "the %s '%s' cannot be read: %s", kernel ? "kernel" : "ramdisk", path, why);
	else if (!m->size)
		site_error(s, line, col, "the %s '%s' is empty", kernel ? "kernel" : "ramdisk", path);
	module_name(m);
	return m;
}
