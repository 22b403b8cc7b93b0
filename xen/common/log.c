/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: every message goes into a ring that control clients read by sequence number; those up to the chosen level
 * also go to the serial line, stamped with the time since boot.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <hv/arch.h>
#include <hv/log.h>
#include <hv/timer.h>

#define LOG_ENTRIES 1024 /* a power of two */

static struct log_entry ring[LOG_ENTRIES];
static uint64_t next_seq = 1;
static struct env_lock log_lock;
static enum env_level shown = ENV_INFO;

static const char level_letter[] = { 'E', 'W', 'I', 'D' };

void log_set_level(enum env_level level)
{
	shown = level;
}

static void show(const struct log_entry *e)
{
	uint64_t us = e->time_ns / 1000;

	serial_printf("[%5lu.%06lu] %c %s\n", us / 1000000, us % 1000000, level_letter[e->level], e->text);
}

void log_vprintf(enum env_level level, const char *fmt, va_list ap)
{
	env_lock(&log_lock);
	struct log_entry *e = &ring[next_seq % LOG_ENTRIES];
	int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	e->len = n < LOG_LINE_MAX ? (uint32_t)n : LOG_LINE_MAX - 1;
	e->seq = next_seq++;
	e->time_ns = time_now_ns();
	e->level = level;
	if (level <= shown)
		show(e);
	env_unlock(&log_lock);
}

void log_printf(enum env_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vprintf(level, fmt, ap);
	va_end(ap);
}

void env_yield(void)
{
	arch_irq_window();
}

void env_log(enum env_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vprintf(level, fmt, ap);
	va_end(ap);
}

int log_read(uint64_t seq, struct log_entry *out)
{
	int ret = -ENOENT;

	env_lock(&log_lock);
	if (next_seq > LOG_ENTRIES && seq < next_seq - LOG_ENTRIES)
		seq = next_seq - LOG_ENTRIES;
	if (seq == 0)
		seq = 1;
	if (seq < next_seq) {
		*out = ring[seq % LOG_ENTRIES];
		ret = 0;
	}
	env_unlock(&log_lock);
	return ret;
}
