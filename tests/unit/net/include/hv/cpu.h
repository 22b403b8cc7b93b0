/* SPDX-License-Identifier: BSD-2-Clause */
/* The one CPU of a host test, in the place of xen/include/hv/cpu.h. */
#ifndef HV_CPU_H
#define HV_CPU_H
#include <stdbool.h>
#include <stdint.h>
#define MAX_CPUS 32
struct cpu {
	uint32_t id;
	bool net_watching;
};
extern struct cpu host_cpu;
extern uint32_t nr_cpus;
static inline struct cpu *this_cpu(void)
{
	return &host_cpu;
}
#endif
