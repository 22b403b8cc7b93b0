/* SPDX-License-Identifier: BSD-2-Clause */
/* Further vcpus, for tests: one function run on one of them, started as firmware-less machines do or by hypercall. */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H
#include <stdbool.h>
#include <stdint.h>

typedef void (*ap_fn)(void);

enum ap_mode { AP_SIPI, AP_PROTECTED, AP_LONG };

/* => 0 or -errno; the vcpu runs FN with interrupts off on a stack of its own and then halts for good. */
int smp_start(unsigned int vcpu, enum ap_mode mode, ap_fn fn);

/* The local APIC of the cpu that calls: its page, or the MSRs in x2APIC mode. */
uint32_t apic_read(unsigned int reg);
void apic_write(unsigned int reg, uint32_t value);
bool apic_x2(void);
void apic_enable_x2(void);
void apic_ipi(uint32_t apic_id, uint32_t command);
/* => the APIC id of a vcpu by the table of the firmware, or -1. */
int apic_id_of(unsigned int vcpu);

enum { APIC_ID = 0x020, APIC_VERSION = 0x030, APIC_EOI = 0x0b0, APIC_SPURIOUS = 0x0f0, APIC_ISR = 0x100, APIC_IRR = 0x200, APIC_ICR = 0x300,
       APIC_LVT_TIMER = 0x320, APIC_INITIAL = 0x380, APIC_CURRENT = 0x390, APIC_DIVIDE = 0x3e0, APIC_SELF = 0x3f0 };
#endif
