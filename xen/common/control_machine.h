/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine behind the control protocol (control/control.h): domains, modules, log and transport as control_ops.
 */
#ifndef COMMON_CONTROL_MACHINE_H
#define COMMON_CONTROL_MACHINE_H

#include <stdint.h>

/* Make control and audit, apply the boot plan module "boot.plan", serve the port "vfr.control". After net_init(). */
void control_machine_init(void);
/* Transport, domains that stopped, control's timers. CPU 0 only. */
void control_softirq(void);
/* Nanoseconds since 1970, as guests and the audit log have them. */
uint64_t control_machine_utc_ns(void);

#endif
