/* SPDX-License-Identifier: BSD-2-Clause */
/* For the CPU loop: run what was raised on this CPU; false when nothing was. */
#ifndef COMMON_SOFTIRQ_H
#define COMMON_SOFTIRQ_H
#include <stdbool.h>
bool softirq_run(void);
#endif
