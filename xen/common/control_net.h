/* SPDX-License-Identifier: BSD-2-Clause */
/* The control_ops of control/control.h that concern the network: uplinks, rates and losses of domains, schedulers. */
#ifndef COMMON_CONTROL_NET_H
#define COMMON_CONTROL_NET_H

#include <stdint.h>

#include <control/control.h>

int machine_uplink_info(void *machine, unsigned int index, struct control_uplink_info *out);
int machine_rate_set(void *machine, uint16_t domid, const struct vc_rate_set *rate, struct control_error *err);
int machine_class_info(void *machine, unsigned int link, uint16_t domid, struct vc_class_rec *out);
int machine_sub_set(void *machine, uint16_t domid, unsigned int index, const struct vc_sub_set *set, struct control_error *err);
int machine_sub_info(void *machine, unsigned int link, uint16_t domid, unsigned int index, struct vc_sub_rec *out);
unsigned int machine_drops(void *machine, uint16_t domid, struct vc_drop_rec *out, unsigned int max);
int machine_sched_set(void *machine, const struct vc_sched_set *set, struct control_error *err);
int machine_sched_info(void *machine, unsigned int index, struct vc_sched_rec *out);

/* control_tap.c: captures, and where a domain is attached to the router */
int machine_capture_start(void *machine, int domid, unsigned int flags, unsigned int snaplen,
			  const struct vc_bpf_insn *prog, unsigned int insns,
			  uint32_t *id);
size_t machine_capture_read(void *machine, uint32_t id, void *buf, size_t max, uint32_t *count, uint32_t *lost);
void machine_capture_stop(void *machine, uint32_t id);
int machine_dom_port(void *machine, uint16_t domid, uint32_t *port, uint8_t mac[6], uint8_t gateway_mac[6]);

#endif
