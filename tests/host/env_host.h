/* SPDX-License-Identifier: BSD-2-Clause */
/* What a host test can set and ask of its environment (tests/host/env.c). */
#ifndef ENV_HOST_H
#define ENV_HOST_H
#include <stddef.h>
/* The allocation after the next n ones fails, once; -1: none. */
void env_host_fail_after(long n);
/* What env_alloc() gave and env_free() has not taken back. */
size_t env_host_live_bytes(void);
size_t env_host_live_blocks(void);
/* One of enum env_level; messages above it are not printed. Starts at ENV_WARN. */
void env_host_log_level(int level);
#endif
