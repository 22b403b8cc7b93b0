/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment of the host-free code on a host: malloc, stderr, abort.
 * Tests steer it through env_host.h: the n-th allocation can fail, live bytes are counted, the log can be silenced.
 */
#include "env_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <env.h>

static _Atomic size_t live_bytes;
static _Atomic size_t live_blocks;
static _Atomic long fail_countdown = -1;
static enum env_level log_level = ENV_WARN;

void env_host_fail_after(long n)
{
	fail_countdown = n;
}

size_t env_host_live_bytes(void)
{
	return live_bytes;
}

size_t env_host_live_blocks(void)
{
	return live_blocks;
}

void env_host_log_level(int level)
{
	log_level = (enum env_level)level;
}

void *env_alloc(size_t size)
{
	if (fail_countdown >= 0 && fail_countdown-- == 0)
		return NULL;
	size_t align = size >= 4096 ? 4096 : 16;
	void *p = aligned_alloc(align, (size + align - 1) & ~(align - 1));
	if (!p)
		return NULL;
	memset(p, 0, size);
	live_bytes += size;
	live_blocks++;
	return p;
}

void env_free(void *p, size_t size)
{
	if (!p)
		return;
	live_bytes -= size;
	live_blocks--;
	free(p);
}

void env_log(enum env_level level, const char *fmt, ...)
{
	if (level > log_level)
		return;
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void env_yield(void)
{
}

_Noreturn void env_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
	abort();
}
