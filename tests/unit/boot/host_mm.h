/* SPDX-License-Identifier: BSD-2-Clause */
/* As that of the guest ABI's tests, with the heap's raw form. */
#include "../abi/host_mm.h"
#ifndef TESTS_BOOT_HOST_MM_H
#define TESTS_BOOT_HOST_MM_H
void *heap_alloc_raw(size_t size);
#endif
