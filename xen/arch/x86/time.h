/* SPDX-License-Identifier: BSD-2-Clause */
/* Clock sources: the TSC as the clock, the PIT to measure it once, the CMOS clock for the date. */
#ifndef ARCH_X86_TIME_H
#define ARCH_X86_TIME_H

#include <stdint.h>

/* Measure TSC and APIC timer, read the date. => apic_init_cpu() has run. */
void time_init(void);
uint64_t time_tsc_hz(void);
/* ns since boot of a TSC value */
uint64_t time_from_tsc(uint64_t tsc);
extern uint64_t boot_tsc;

#endif
