/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures: while one runs, the network shows each packet that has its verdict, and the tap keeps those that the client asked for. */
#include <control/tap.h>
#include <net/net.h>

#include "control_machine.h"
#include "control_net.h"

static struct tap tap;

static void on_packet(const struct vfr_pkt *p)
{
	struct tap_packet seen = {
		.utc_ns = control_machine_utc_ns(), .bytes = p->head, .linear = p->head_len, .len = p->len, .src_dom = p->src_dom,
		.dst_dom = p->dst_dom, .reason = p->drop, .dropped = p->verdict == VFR_DROP,
	};

	if (tap_on(&tap))
		tap_packet(&tap, &seen);
}

int machine_capture_start(void *machine, int domid, unsigned int flags, unsigned int snaplen, const struct vc_bpf_insn *prog,
			  unsigned int insns, uint32_t *id)
{
	int ret = tap_start(&tap, domid, flags, snaplen, prog, insns, id);

	if (!ret)
		net_tap(on_packet);
	return ret;
}

size_t machine_capture_read(void *machine, uint32_t id, void *buf, size_t max, uint32_t *count, uint32_t *lost)
{
	return tap_read(&tap, id, buf, max, count, lost);
}

void machine_capture_stop(void *machine, uint32_t id)
{
	net_tap(NULL);
	tap_stop(&tap, id);
}

int machine_dom_port(void *machine, uint16_t domid, uint32_t *port, uint8_t mac[6], uint8_t gateway_mac[6])
{
	*port = NET_GUEST_PORT(domid);
	return net_vif_macs(domid, mac, gateway_mac);
}
