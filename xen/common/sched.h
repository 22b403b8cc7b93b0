/* SPDX-License-Identifier: BSD-2-Clause */
/* Vcpus on CPUs: the glue between the CPU loop, the cpu scheduler (sched/cpu) and the domains. */
#ifndef COMMON_SCHED_H
#define COMMON_SCHED_H

#include <stdbool.h>
#include <stdint.h>

struct cpusched;
struct vcpu;

extern struct cpusched *the_cpusched;

/* After all CPUs are known. */
void sched_init(const char *policy);
/* On each CPU, before its loop. */
void sched_init_cpu(void);
/* Let go of the current vcpu of this CPU and take the next one: this_cpu()->current, NULL to idle. */
void schedule(void);
/* No other CPU runs the vcpu on return, and none will while it may not run; this one lets go before the next guest entry. */
void vcpu_wait_off(struct vcpu *v);

#endif
