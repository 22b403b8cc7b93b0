/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels and ramdisks by name. A blob replaces one of the same name only when it is complete. */
#include "blob.h"

#include <errno.h>
#include <string.h>

#include <hv/arch.h>
#include <hv/boot.h>
#include <hv/log.h>
#include <hv/mm.h>

#define CLEAR_STEP 65536UL

struct blob {
	char name[VC_MODULE];
	uint8_t *bytes;
	uint64_t size;
	bool complete;
};

static struct blob blobs[BLOBS_MAX];

static struct blob *find(const char *name, bool complete)
{
	for (unsigned i = 0; i < BLOBS_MAX; i++)
		if (blobs[i].bytes && blobs[i].complete == complete && !strcmp(blobs[i].name, name))
			return &blobs[i];
	return NULL;
}

static void release(struct blob *b)
{
	env_free(b->bytes, b->size);
	*b = (struct blob){ .bytes = NULL };
}

const void *blob_bytes(const char *name, size_t *size)
{
	const struct blob *b = find(name, true);
	const struct boot_module *m = b ? NULL : boot_module_find(name);

	if (b) {
		*size = b->size;
		return b->bytes;
	}
	if (!m)
		return NULL;
	*size = m->size;
	return phys_to_virt(m->start);
}

int machine_blob_find(void *machine, const char *name, uint64_t *size)
{
	size_t n;

	if (!blob_bytes(name, &n))
		return -ENOENT;
	*size = n;
	return 0;
}

int machine_blob_info(void *machine, unsigned int index, struct control_blob_info *out)
{
	const char *name = NULL;

	if (index < boot_info.nr_modules) {
		const struct boot_module *m = &boot_info.modules[index];
		name = m->name;
		*out = (struct control_blob_info){ .size = m->size, .boot = true, .complete = true };
	}
	index -= boot_info.nr_modules;
	for (unsigned i = 0; i < BLOBS_MAX && !name; i++)
		if (blobs[i].bytes && index-- == 0) {
			name = blobs[i].name;
			*out = (struct control_blob_info){ .size = blobs[i].size, .complete = blobs[i].complete };
		}
	if (!name)
		return -ENOENT;
	memcpy(out->name, name, strnlen(name, VC_MODULE - 1));
	return 0;
}

int machine_blob_begin(void *machine, const char *name, uint64_t size, struct control_error *err)
{
	struct blob *b = find(name, false);

	if (b)
		release(b);
	if (!size || size > BLOB_SIZE_MAX)
		return control_refuse(err, EFBIG, "blob-size", "'%s': %lu bytes; a blob has 1 to %lu", name, size, BLOB_SIZE_MAX);
	for (unsigned i = 0; i < BLOBS_MAX && !b; i++)
		if (!blobs[i].bytes)
			b = &blobs[i];
	if (!b)
		return control_refuse(err, ENOSPC, "blob-count", "%d blobs are there already; delete one", BLOBS_MAX);
	b->bytes = heap_alloc_raw(size);
	if (!b->bytes)
		return control_refuse(err, ENOMEM, "no-memory", "'%s': no %lu bytes of memory in one piece", name, size);
	for (uint64_t at = 0; at < size; at += CLEAR_STEP, arch_irq_window())
		memset(b->bytes + at, 0, size - at < CLEAR_STEP ? size - at : CLEAR_STEP);
	b->size = size;
	b->complete = false;
	memcpy(b->name, name, strnlen(name, VC_MODULE - 1));
	return 0;
}

int machine_blob_put(void *machine, const char *name, uint64_t offset, const void *bytes, size_t n)
{
	struct blob *b = find(name, false);

	if (!b)
		return -ENOENT;
	if (offset > b->size || n > b->size - offset)
		return -EINVAL;
	memcpy(b->bytes + offset, bytes, n);
	return 0;
}

int machine_blob_end(void *machine, const char *name, struct control_error *err)
{
	struct blob *b = find(name, false), *old = find(name, true);

	if (!b)
		return control_refuse(err, ENOENT, "no-blob", "no blob '%s' was begun", name);
	if (old)
		release(old);
	b->complete = true;
	return 0;
}

void machine_blob_drop(void *machine, const char *name)
{
	struct blob *b = find(name, false);

	if (!b)
		b = find(name, true);
	if (b)
		release(b);
}
