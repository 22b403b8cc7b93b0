/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine of paper for the guest ABI: domains with a few hundred frames, maps as arrays, "virtual" memory as one buffer a
 * vcpu, frames with reference counts that are given back to malloc at zero, so that ASan sees a use after the end.
 */
#ifndef TESTS_ABI_MACHINE_H
#define TESTS_ABI_MACHINE_H

#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/grant.h>
#include <hv/hypercall.h>
#include <hv/subsys.h>

#define MACHINE_GFNS 256      /* guest frames that the maps know */
#define MACHINE_RAM 64        /* of them RAM at first, from frame 0 */
#define MACHINE_VIRT 16384    /* bytes of a vcpu's virtual memory */
#define MACHINE_VCPUS 4

/* Each thread that plays a CPU says so first. */
void machine_cpu(unsigned cpu);
/* A running domain, or NULL when memory is out. */
struct domain *machine_domain(uint16_t id);
/* As common/domain.c does it; no vcpu of it runs. */
void machine_destroy(struct domain *d);
uint8_t *machine_virt(struct vcpu *v);
/* A hypercall with its continuations; every lock of every domain must be free afterwards if `alone`. */
int64_t machine_call(struct vcpu *v, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, bool alone);
/* Frames and domains that are still there. */
unsigned machine_frames(void);
unsigned machine_domains(void);
/* From now on a write to a guest with the pattern of uninitialised memory (0xaa, three of it: times have two at times) ends the test. */
void machine_watch_leaks(bool on);
void machine_fire_timers(struct domain *d);

#endif
