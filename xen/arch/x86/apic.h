/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of this CPU: interrupts between CPUs, and the one-shot timer. */
#ifndef ARCH_X86_APIC_H
#define ARCH_X86_APIC_H

#include <stdint.h>

/* Find and map it (once, on the boot CPU), then enable it (each CPU). */
void apic_init_boot(void);
void apic_init_cpu(void);
uint32_t apic_id(void);
void apic_eoi(void);
void apic_send(uint32_t apic_id, uint8_t vector);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint8_t page);
/* NMI to all others, for panic. */
void apic_stop_others(void);
/* The timer as a free-running down counter, for calibration. */
void apic_timer_calibrate_start(void);
uint32_t apic_timer_calibrate_read(void);
void apic_timer_calibrate_end(void);
void apic_timer_set_hz(uint64_t hz);

#endif
