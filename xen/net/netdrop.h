/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons for which a packet is lost outside of the router: at a vif, an uplink or in a network scheduler. Same form as
 * vfr/drops.h, and shown in the same lists; the order may grow at the end only.
 */
#ifndef NET_NETDROP_H
#define NET_NETDROP_H

#define NET_DROP_LIST(X)                                                                                       \
	X(NONE, "none", "not dropped")                                                                         \
	X(VIF_DOWN, "vif-down", "the guest's interface is not connected")                                      \
	X(VIF_RING_FULL, "vif-ring-full", "the guest gave no receive buffers, and its queue is full")          \
	X(VIF_BAD_GRANT, "vif-bad-grant", "the guest named a page that it does not grant")                     \
	X(VIF_BAD_CHAIN, "vif-bad-chain", "the slots of a guest's packet make no sense")                       \
	X(VIF_BAD_OFFLOAD, "vif-bad-offload", "a guest asked for checksum or segmentation that does not fit the packet") \
	X(UPLINK_DOWN, "uplink-down", "the uplink has no link, or its card has failed")                        \
	X(UPLINK_BAD_FRAME, "uplink-bad-frame", "the card delivered a frame that is cut off or empty")         \
	X(NO_BUFFER, "no-buffer", "no packet buffer was left")                                                 \
	X(SCHED_NO_CLASS, "sched-no-class", "its domain has no class on this link")                            \
	X(SCHED_OVERSIZE, "sched-oversize", "longer on the wire than its class's largest packet")              \
	X(SCHED_FULL, "sched-full", "its class is at its limit")                                               \
	X(SCHED_CODEL, "sched-codel", "it waited too long, and could not be marked")                           \
	X(SCHED_GONE, "sched-gone", "its class was deleted while it waited")

enum net_drop {
#define X(e, name, text) NET_DROP_##e,
	NET_DROP_LIST(X)
#undef X
	NET_DROP_COUNT
};

#endif
