/* SPDX-License-Identifier: BSD-2-Clause */
/* Once, on the boot CPU: silence the legacy interrupt controller. */
#ifndef ARCH_X86_IRQ_INIT_H
#define ARCH_X86_IRQ_INIT_H
void irq_init(void);
#endif
