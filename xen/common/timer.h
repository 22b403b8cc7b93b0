/* SPDX-License-Identifier: BSD-2-Clause */
/* For the CPU loop and the softirq table. */
#ifndef COMMON_TIMER_H
#define COMMON_TIMER_H
#include <stdint.h>
/* Fire what is due on this CPU. */
void timer_softirq(void);
/* Program this CPU's clock for its next deadline: before it enters a guest or sleeps. */
void timer_sync(void);
#endif
