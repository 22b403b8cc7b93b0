/* SPDX-License-Identifier: BSD-2-Clause */
/* For the softirq table: fire what is due on this CPU and program the next deadline. */
#ifndef COMMON_TIMER_H
#define COMMON_TIMER_H
#include <stdint.h>
void timer_softirq(void);
#endif
