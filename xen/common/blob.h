/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernels and ramdisks by name: modules of the boot loader, and blobs brought at run time through control.
 * Called under the control lock only.
 */
#ifndef COMMON_BLOB_H
#define COMMON_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <control/control.h>

#define BLOBS_MAX 64
#define BLOB_SIZE_MAX (1UL << 30)

/* A complete one: its bytes and size, or NULL. */
const void *blob_bytes(const char *name, size_t *size);

/* The control_ops of the same names. */
int machine_blob_find(void *machine, const char *name, uint64_t *size);
int machine_blob_info(void *machine, unsigned int index, struct control_blob_info *out);
int machine_blob_begin(void *machine, const char *name, uint64_t size, struct control_error *err);
int machine_blob_put(void *machine, const char *name, uint64_t offset, const void *bytes, size_t n);
int machine_blob_end(void *machine, const char *name, struct control_error *err);
void machine_blob_drop(void *machine, const char *name);

#endif
