/* SPDX-License-Identifier: BSD-2-Clause */
/* The second half of the control protocol: what clients look at. vfr_control.h includes it. */
#ifndef PUBLIC_VFR_CONTROL_SEE_H
#define PUBLIC_VFR_CONTROL_SEE_H

#include "vfr_control.h"

/* --- what is seen ---------------------------------------------------------------------------------------------------- */

struct vc_count {
	uint64_t packets, bytes;
} VC_PACKED;
/* STATS: vc_page -> one record a domain (domid 0: the router and the uplinks), variable length: `drops` pairs follow. */
struct vc_stats_rec {
	char name[VC_NAME];
	uint16_t domid;
	uint16_t drops;		/* pairs that follow, those that are not zero */
	uint32_t slices;
	struct vc_count in, out;		/* forwarded toward the domain, from it */
	struct vc_count in_dropped, out_dropped;
	uint64_t backlog_bytes;
	uint64_t cpu_ns;
} VC_PACKED;
static_assert(sizeof(struct vc_stats_rec) == 120, "stats");
struct vc_drop_pair {
	uint16_t reason;	/* index into the names that DROPS gives */
	uint8_t dir;		/* enum vc_rule_dir */
	uint8_t reserved[5];
	uint64_t packets;
} VC_PACKED;
static_assert(sizeof(struct vc_drop_pair) == 16, "drop pair");

struct vc_drop_rec {		/* DROPS: vc_page -> the table of names, with the sum over all domains */
	char name[VC_NAME];
	uint64_t in, out;
} VC_PACKED;

struct vc_log_read {
	uint64_t seq;		/* of the first record wanted; 0: the oldest kept */
	uint32_t min_level, reserved;
} VC_PACKED;
struct vc_log_rec {		/* `length` bytes of text follow; page_reply.next: the seq to ask for next */
	uint64_t seq;
	uint64_t ns;		/* since boot */
	uint8_t level;		/* 0 error, 1 warning, 2 notice, 3 detail */
	uint8_t reserved;
	uint16_t length;
} VC_PACKED;

struct vc_audit_read {
	uint64_t seq;
} VC_PACKED;
struct vc_audit_rec {
	uint64_t seq;
	uint64_t utc_ns;
	uint16_t domid;
	uint8_t kind;
	uint8_t protos;
	uint16_t first, last;
	char kind_name[VC_NAME];
	char dom[VC_NAME];
	struct vc_ip addr;
	uint64_t count;
	uint8_t digest[32];	/* of the chain up to here */
	char text[48];
	uint8_t set, a, k;	/* 1: the ports are the set a, k, psid of RFC 7597 */
	uint8_t prefix;		/* of a whole address or IPv6 prefix; 0: none */
	uint16_t psid;
	uint8_t ip_proto;	/* another protocol of a shared address; 0: none */
	uint8_t reserved;
	uint32_t spi;		/* of ESP; 0: all */
	uint32_t reserved2;
} VC_PACKED;
static_assert(sizeof(struct vc_audit_rec) == 208, "audit");

enum vc_whois_answer { VC_WHOIS_HELD, VC_WHOIS_NOBODY, VC_WHOIS_UNKNOWN /* before the log starts */ };
struct vc_whois {
	struct vc_ip addr;
	uint64_t utc_ns;	/* 0: now */
	uint16_t port;
	uint8_t proto;		/* one bit of enum vc_proto_bit; 0: the address as a whole, or ip_proto */
	uint8_t ip_proto;	/* another protocol of a shared address; 0: none */
	uint32_t spi;		/* of ESP; 0: all */
} VC_PACKED;
struct vc_whois_reply {
	uint32_t answer;
	uint16_t domid;
	uint16_t reserved;
	char dom[VC_NAME];
	uint64_t from_ns, until_ns;	/* until 0: holds it still */
	uint64_t seq;			/* of the record that granted it */
	uint64_t log_from_ns;		/* what the log knows begins here */
} VC_PACKED;
static_assert(sizeof(struct vc_whois_reply) == 72, "whois");

/* What would happen to this packet? */
struct vc_trace_req {
	struct vc_ip src, dst;
	uint16_t sport, dport;		/* ICMP echo: sport is the identifier */
	uint8_t proto;			/* IP protocol number */
	uint8_t tcp_flags;
	uint16_t length;
	char from[VC_NAME];		/* a domain or an uplink; empty: by the source address */
} VC_PACKED;
static_assert(sizeof(struct vc_trace_req) == 72, "trace");
enum vc_trace_verdict { VC_TRACE_FORWARDED, VC_TRACE_DROPPED, VC_TRACE_HELD, VC_TRACE_ANSWERED /* by the router */ };
struct vc_trace_reply {		/* `count` steps follow */
	uint32_t verdict;		/* VC_TRACE_* */
	uint16_t reason;		/* of the drop */
	uint16_t count;
	char reason_name[VC_NAME];
	char out[VC_NAME];		/* uplink or domain */
	char owner[VC_NAME];
	uint32_t rule;			/* index from 0 in the owner's set, VC_NO_INDEX: none */
} VC_PACKED;
struct vc_trace_step {
	char stage[16];
	char text[112];
} VC_PACKED;

struct vc_uplink_rec {		/* UPLINK_LIST: vc_page -> records */
	char name[VC_NAME];
	char driver[VC_NAME];
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t flags;		/* 1: link up */
	uint32_t port;
	struct vc_count rx, tx;
	uint64_t rate_bps;
} VC_PACKED;
static_assert(sizeof(struct vc_uplink_rec) == 120, "uplink");

enum { VC_SCHED_PACED = 1 /* the line is held to rate_bps */ };
struct vc_sched_rec {		/* SCHED_LIST: vc_page -> records */
	uint8_t kind;
	uint8_t flags;
	uint8_t reserved[6];
	char target[VC_NAME];
	char policy[VC_NAME];
	char choices[128];	/* names with blanks between */
	uint64_t rate_bps;	/* NET: what guarantees are admitted against */
} VC_PACKED;
static_assert(sizeof(struct vc_sched_rec) == 208, "sched record");

/* CLASS_LIST: vc_page -> records, a domain's class in a network scheduler each. Bytes are those on the wire. */
enum { VC_CLASS_STOPPED = 1 /* its ring is */, VC_CLASS_CAPPED = 2 /* it waits for its ceiling */,
      VC_CLASS_GUARANTEED = 4 /* the policy honours guarantees */ };
struct vc_class_rec {
	char link[VC_NAME];	/* an uplink, or "guests" */
	char dom[VC_NAME];	/* empty: the router itself */
	char policy[VC_NAME];
	uint16_t domid;
	uint8_t dir;		/* enum vc_rule_dir: OUT on an uplink, IN towards the guests */
	uint8_t flags;		/* VC_CLASS_* */
	uint32_t weight;
	uint64_t guarantee_bps, ceiling_bps;	/* 0: none */
	uint64_t rate_bps;	/* achieved, of late */
	struct vc_count sent, backlog;
	uint64_t drops, marks, stops;
	uint64_t delay_ns;	/* in the queue, smoothed */
	uint64_t delay_max_ns;
	uint64_t late_max_ns, bound_ns;	/* hfq: docs/schedulers.md */
} VC_PACKED;
static_assert(sizeof(struct vc_class_rec) == 216, "class");

/* SUB_LIST: vc_page -> records, a domain's sub-class in a network scheduler each, of domains that have some. */
struct vc_sub_rec {
	char link[VC_NAME];
	char dom[VC_NAME];
	uint16_t domid;
	uint8_t dir;		/* as in struct vc_class_rec */
	uint8_t index;
	uint32_t weight;
	uint64_t dscps;
	struct vc_count sent, backlog;
	uint64_t drops, marks;
} VC_PACKED;
static_assert(sizeof(struct vc_sub_rec) == 128, "sub-class record");

/*
 * RULE_LIST: vc_page -> records, one for each rule, in order, and one for what becomes of the rest where that is not all allowed. A rule
 * that keeps a connection has matched its first packet only; the others are not asked about. A change of the set keeps the counts of the
 * rules ahead of it and behind it.
 */
struct vc_rule_rec {
	char dom[VC_NAME];	/* empty: all */
	uint32_t number;	/* from 1, as in RULE_SET; the number of rules + 1: the rest */
	uint32_t reserved;
	struct vc_count hits;
} VC_PACKED;
static_assert(sizeof(struct vc_rule_rec) == 56, "rule record");

/* A capture stops by itself when it is not read for 10 s. */
enum { VC_CAPTURE_DROPS_ONLY = 1 };
struct vc_bpf_insn {		/* of the classic filter machine, as libpcap's compiler makes it */
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
} VC_PACKED;
#define VC_BPF_MAX 256
struct vc_capture_start {	/* `insns` instructions follow */
	char dom[VC_NAME];	/* a domain or an uplink; empty: every packet */
	uint32_t flags;
	uint16_t snaplen;
	uint16_t insns;
} VC_PACKED;
struct vc_capture_id {		/* reply of CAPTURE_START; body of CAPTURE_STOP and CAPTURE_READ */
	uint32_t id;
	uint32_t max;		/* CAPTURE_READ: bytes of reply at most */
} VC_PACKED;
struct vc_capture_reply {	/* records follow */
	uint32_t count;
	uint32_t lost;		/* since the last read */
} VC_PACKED;
struct vc_capture_rec {	/* `caplen` bytes follow */
	uint64_t utc_ns;
	uint32_t len, caplen;
	uint16_t domid;
	uint16_t reason;	/* of the drop; 0: forwarded */
	uint8_t dir;
	uint8_t reserved[3];
} VC_PACKED;
static_assert(sizeof(struct vc_capture_rec) == 24, "capture record");

#endif
