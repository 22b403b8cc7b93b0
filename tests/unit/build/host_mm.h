/* SPDX-License-Identifier: BSD-2-Clause */
/* As that of the guest ABI's tests, and what the life of a domain asks besides. */
#include "../abi/host_mm.h"
#ifndef TESTS_BUILD_HOST_MM_H
#define TESTS_BUILD_HOST_MM_H
uint64_t mm_free_bytes(void);
#endif
