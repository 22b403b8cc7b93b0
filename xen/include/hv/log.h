/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's log: levels, a ring that control clients read by sequence number, the serial line.
 */
#ifndef HV_LOG_H
#define HV_LOG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <env.h>

/* Levels are env.h's ENV_ERROR … ENV_DEBUG. A message is one line, at most LOG_LINE_MAX bytes, longer ones are cut. */
#define LOG_LINE_MAX 240

void log_printf(enum env_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_vprintf(enum env_level level, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
#define log_error(...) log_printf(ENV_ERROR, __VA_ARGS__)
#define log_warn(...)  log_printf(ENV_WARN, __VA_ARGS__)
#define log_info(...)  log_printf(ENV_INFO, __VA_ARGS__)
#define log_debug(...) log_printf(ENV_DEBUG, __VA_ARGS__)

/* Messages above `level` are not shown on the serial line; the ring keeps them all up to ENV_DEBUG. */
void log_set_level(enum env_level level);

struct log_entry {
	uint64_t seq;     /* from 1, without gaps */
	uint64_t time_ns; /* since boot */
	uint32_t level;
	uint32_t len;
	char text[LOG_LINE_MAX];
};

/* Copy the entry `seq`, or the oldest kept one after it, to *out. 0, or -ENOENT: nothing that new yet. */
int log_read(uint64_t seq, struct log_entry *out);

/* Print registers and backtrace of the caller and stop every CPU. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(x) ENV_ASSERT(x)
#define BUG_ON(x) ENV_ASSERT(!(x))

#endif
