/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a guest. */
#include "hypercall.h"
#include "kernel.h"

void shutdown(unsigned int reason)
{
	struct sched_shutdown s = { .reason = reason };

	console_flush();
	for (;;)
		hv_sched(SCHEDOP_shutdown, &s);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	printk("CRASH ");
	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
	printk("\n");
	shutdown(SHUTDOWN_crash);
}
