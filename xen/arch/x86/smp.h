/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's other CPUs. */
#ifndef ARCH_X86_SMP_H
#define ARCH_X86_SMP_H

#include <stdint.h>

#include <hv/cpu.h>

/* Fill cpus[0] for the boot CPU (before anything uses this_cpu()). */
void smp_init_boot_cpu(void);
/* Start every other CPU that ACPI lists, at most `limit` in all; those that do not answer are logged and left out. */
void smp_start_others(uint32_t limit);
/* Let them into their loops: everything they use is there. */
void smp_release(void);
/* Entered by each started CPU. */
_Noreturn void ap_start(uint64_t cpu);
/* What every CPU sets up for itself (arch/x86/main.c), boot CPU included. */
void cpu_init(struct cpu *c);
_Noreturn void cpu_loop(void);

#endif
