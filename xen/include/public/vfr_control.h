/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control protocol: the only way in which state of the hypervisor changes. docs/control-protocol.md is its manual.
 *
 * Frame.  A message is a `struct vc_msg` and `length` bytes of body; everything is little-endian and packed, strings
 * are padded with zero bytes (and hold at least one), reserved bytes are zero and checked. On a byte stream a message is
 * COBS-encoded, so that the encoded form holds no zero byte, and closed by one zero byte: a peer that died in the middle
 * of a message costs the next one nothing but that message. In a boot plan messages stand one after the other, plain.
 *
 * Session.  HELLO opens one and carries a number chosen by the client. All later messages carry the same number, replies
 * repeat it together with `seq`; a new HELLO ends the session before it (its transaction is aborted). Each request has
 * exactly one reply: type | VC_REPLY, or VC_ERROR; only WAIT has none when another request overtakes it. Long lists come in
 * pages: the reply
 * gives the cursor of the next page, VC_CURSOR_END closes the list.
 *
 * Configuration.  Messages 0x100-0x1ff describe *objects*: an uplink's policy, an address, a domain, a slice, the rules or
 * rates of a domain. The same message adds an object or replaces the one of the same key; type | VC_DEL with the same
 * body removes it (only the key counts). All objects together are the configuration, and a change of it is a generation:
 * one message alone, or all messages between TXN_BEGIN and TXN_COMMIT, and either everything is applied or nothing.
 * Domains are named by name here; their number is given by the hypervisor (DOM_LIST).
 *
 * Names here begin with vc_ and VC_, so that the router's own (vfr_, VFR_) can stand beside them.
 */
#ifndef PUBLIC_VFR_CONTROL_H
#define PUBLIC_VFR_CONTROL_H

#include <assert.h>
#include <stdint.h>

#define VC_VERSION 2
#define VC_MSG_MAGIC 0x32524656u	/* "VFR2" */
#define VC_BODY_MAX 65536u		/* bytes of body at most */
#define VC_NAME 32			/* names of domains, uplinks, policies; the last byte is zero */
#define VC_MODULE 64			/* names of kernels and ramdisks; the last byte is zero */
#define VC_CMDLINE_MAX 1024u
#define VC_CURSOR_END 0xffffffffffffffffull

#define VC_PACKED __attribute__((packed))

struct vc_msg {
	uint32_t magic;		/* VC_MSG_MAGIC */
	uint16_t version;	/* VC_VERSION */
	uint16_t type;
	uint32_t seq;		/* any number; the reply repeats it */
	uint32_t session;	/* as HELLO chose it */
	uint32_t length;	/* of the body */
	uint32_t crc;		/* CRC-32C over header, with this field zero, and body */
} VC_PACKED;
static_assert(sizeof(struct vc_msg) == 24, "frame header");

/* COBS adds a byte each 254 and one; then the closing zero. */
#define VC_STREAM_MAX(len) ((len) + (len) / 254 + 2)

enum vc_type {
	VC_HELLO		= 0x001,
	VC_INFO		= 0x002,
	VC_WAIT		= 0x003,
	VC_TXN_BEGIN		= 0x010,
	VC_TXN_COMMIT		= 0x011,
	VC_TXN_ABORT		= 0x012,
	VC_CONFIRM		= 0x013,
	VC_ROLLBACK		= 0x014,
	VC_HISTORY		= 0x015,
	VC_CONFIG_READ		= 0x016,

	VC_DOM_LIST		= 0x020,
	VC_DOM_PAUSE		= 0x021,
	VC_DOM_UNPAUSE		= 0x022,
	VC_DOM_REBOOT		= 0x023,	/* at once: stop and start anew; starts a stopped domain */
	VC_DOM_SHUTDOWN	= 0x024,	/* ask the guest; struct vc_dom_op.arg 1: to reboot */
	VC_DOM_STOP		= 0x025,	/* at once; the domain keeps its place in the configuration */
	VC_CONSOLE_READ	= 0x028,
	VC_CONSOLE_WRITE	= 0x029,

	VC_BLOB_BEGIN		= 0x030,
	VC_BLOB_PUT		= 0x031,
	VC_BLOB_END		= 0x032,
	VC_BLOB_DEL		= 0x033,
	VC_BLOB_LIST		= 0x034,

	VC_STATS		= 0x040,
	VC_DROPS		= 0x041,
	VC_LOG_READ		= 0x042,
	VC_AUDIT_READ		= 0x043,
	VC_WHOIS		= 0x044,
	VC_TRACE		= 0x045,
	VC_UPLINK_LIST		= 0x046,
	VC_SCHED_LIST		= 0x047,
	VC_CAPTURE_START	= 0x048,
	VC_CAPTURE_READ	= 0x049,
	VC_CAPTURE_STOP	= 0x04a,
	VC_CLASS_LIST		= 0x04b,
	VC_SUB_LIST		= 0x04c,
	VC_RULE_LIST		= 0x04d,

	/* Objects, in the order in which they depend on each other. */
	VC_SCHED_SET		= 0x100,
	VC_ADDR_ADD		= 0x101,
	VC_DOM_CREATE		= 0x102,
	VC_SLICE_ADD		= 0x103,
	VC_RATE_SET		= 0x104,
	VC_RULE_SET		= 0x105,
	VC_DISK_SET		= 0x106,
	VC_SUB_SET		= 0x107,
	VC_OBJECT_END		= 0x108,
	VC_DEL			= 0x0800,	/* flag: removes the object that the body names */

	VC_REPLY		= 0x8000,	/* flag */
	VC_ERROR		= 0xffff,
};
#define VC_IS_OBJECT(type) (((type) & ~VC_DEL) >= VC_SCHED_SET && ((type) & ~VC_DEL) < VC_OBJECT_END)

/*
 * Refusal of any request. `code` is an errno, `name` a word that programs can test (docs/control-protocol.md lists them),
 * the text says it to a person: what is wrong and who owns what it collides with. In a transaction `index` is the number of the
 * message that is at fault, counted from 0 after TXN_BEGIN; in a refused TXN_COMMIT it is the place of the object at fault in the
 * new configuration, in key order. Otherwise VC_NO_INDEX.
 */
#define VC_NO_INDEX 0xffffffffu
struct vc_error {
	uint32_t code;
	uint32_t index;
	char name[VC_NAME];
	char owner[VC_NAME];	/* the domain that holds what was asked for, or empty */
	char text[192];
} VC_PACKED;
static_assert(sizeof(struct vc_error) == 264, "error");

/* An address of either family; IPv4 as ::ffff:a.b.c.d. */
struct vc_ip {
	uint8_t b[16];
} VC_PACKED;

/* --- session ------------------------------------------------------------------------------------------------------- */

struct vc_hello {		/* request */
	uint32_t session;	/* not 0 */
	uint32_t min_version, max_version;
	char client[VC_NAME];	/* for the log: "vfrctl/1234" */
} VC_PACKED;
static_assert(sizeof(struct vc_hello) == 44, "hello");

struct vc_hello_reply {
	uint32_t version;
	uint32_t body_max;
	uint64_t generation;
	char server[VC_NAME];	/* "vfr" or "vfr-sim" */
} VC_PACKED;
static_assert(sizeof(struct vc_hello_reply) == 48, "hello reply");

struct vc_info_reply {		/* INFO has no body */
	char version[VC_NAME];
	char cpu[48];
	uint32_t cpus, cpus_online;
	uint64_t mem_total, mem_free;
	uint64_t uptime_ns, utc_ns;
	uint64_t generation;
	uint64_t confirm_left_ns;	/* of an unconfirmed change; 0: none */
	uint32_t domains, uplinks;
	uint32_t domains_max, reserved;
	uint64_t boot_ns;		/* hand-over by the boot loader to the first guest instruction; 0: none ran yet */
} VC_PACKED;
static_assert(sizeof(struct vc_info_reply) == 160, "info");

/* The reply comes when one of the things asked for has news, or after timeout_ms; another request ends the wait silently. */
enum vc_wait { VC_WAIT_LOG = 1, VC_WAIT_AUDIT = 2, VC_WAIT_CONSOLE = 4, VC_WAIT_CAPTURE = 8, VC_WAIT_CONFIG = 16 };
struct vc_wait_req {
	uint32_t what;		/* bits of enum vc_wait */
	uint32_t timeout_ms;	/* at most 60000 */
	char dom[VC_NAME];	/* of the console */
	uint64_t log_seq;	/* news: a record of this number or later exists */
	uint64_t audit_seq;
	uint64_t console_off;	/* news: a byte at this offset exists */
	uint64_t generation;	/* news: the generation is another one */
} VC_PACKED;
static_assert(sizeof(struct vc_wait_req) == 72, "wait");
struct vc_wait_reply {
	uint32_t news;		/* bits of enum vc_wait; 0: timeout */
} VC_PACKED;

/* --- configuration ------------------------------------------------------------------------------------------------- */

/* REPLACE: the messages that follow are the whole new configuration, what is not among them goes away. */
enum { VC_TXN_REPLACE = 1 };
struct vc_txn_begin {
	uint32_t flags;		/* VC_TXN_REPLACE: from nothing */
	uint32_t reserved;
	uint64_t base;		/* generation that the change was made from, refused if another is current; 0: any */
	char note[64];		/* for the history: "apply site.yaml" */
} VC_PACKED;
static_assert(sizeof(struct vc_txn_begin) == 80, "txn begin");

enum { VC_COMMIT_DRY = 1, VC_COMMIT_FORCE = 2 /* take ports that are held down */ };
struct vc_txn_commit {
	uint32_t flags;		/* VC_COMMIT_DRY, VC_COMMIT_FORCE */
	uint32_t confirm_ms;	/* 0: final at once; else the change is taken back unless CONFIRM comes in time */
} VC_PACKED;
struct vc_generation_reply {	/* of TXN_COMMIT, CONFIRM, ROLLBACK and of each object message */
	uint64_t generation;
	uint32_t added, removed, changed, reserved;
} VC_PACKED;
static_assert(sizeof(struct vc_generation_reply) == 24, "generation");

struct vc_rollback {
	uint64_t generation;	/* to which; 0: the one before the current */
	uint32_t confirm_ms, reserved;
} VC_PACKED;

struct vc_page {		/* body of every paged request that needs nothing else */
	uint64_t cursor;	/* 0: from the start */
	uint32_t type;		/* CONFIG_READ: only objects of this type; 0: all */
	uint32_t reserved;
	uint64_t generation;	/* CONFIG_READ: of which; 0: the current */
} VC_PACKED;
static_assert(sizeof(struct vc_page) == 24, "page");
struct vc_page_reply {		/* head of every paged reply; `count` records follow */
	uint64_t next;
	uint32_t count;
	uint32_t record;	/* bytes a record; 0: records differ in length */
} VC_PACKED;
static_assert(sizeof(struct vc_page_reply) == 16, "page reply");

/* CONFIG_READ answers with this head and the object's body for each object, in key order: a boot plan's content. */
struct vc_object {
	uint16_t type;
	uint16_t length;	/* of the body that follows */
} VC_PACKED;

struct vc_history_rec {
	uint64_t generation;
	uint64_t utc_ns;
	uint32_t objects;
	uint32_t flags;		/* 1: awaits confirmation */
	char note[64];
	char client[VC_NAME];
} VC_PACKED;
static_assert(sizeof(struct vc_history_rec) == 120, "history");

/* --- objects ------------------------------------------------------------------------------------------------------- */

/* A shared address is split by slices; a dedicated one belongs to whom a VC_SLICE_WHOLE names. Key: addr. */
enum { VC_ADDR_SHARED = 1 };
struct vc_addr_add {
	struct vc_ip addr;
	struct vc_ip gateway;		/* next hop of the uplink; all zero: none is needed (on link) */
	char uplink[VC_NAME];
	struct vc_ip dns[2];		/* told to guests by DHCP; all zero: none */
	uint8_t prefix;			/* of the network the address lies in: 0-32, 0-128 */
	uint8_t flags;		/* VC_ADDR_SHARED */
	uint8_t reserved[2];
} VC_PACKED;
static_assert(sizeof(struct vc_addr_add) == 100, "addr");

/* Key: name. A replacing message that differs in more than the on_* fields restarts the domain. */
enum { VC_DOM_CONTROL = 1 /* may issue control hypercalls */, VC_DOM_START_PAUSED = 2, VC_DOM_NO_NET = 4 };
enum vc_on { VC_ON_DESTROY, VC_ON_RESTART, VC_ON_PRESERVE, VC_ON_MAX };
#define VC_MEM_MIN (2ull << 20)
#define VC_MEM_MAX (1ull << 40)
#define VC_VCPUS_MAX 64
struct vc_dom_create {
	char name[VC_NAME];
	uint64_t mem_bytes;		/* a multiple of 4096 */
	uint16_t vcpus;
	uint16_t flags;		/* VC_DOM_CONTROL, VC_DOM_START_PAUSED, VC_DOM_NO_NET */
	uint8_t mac[6];			/* all zero: made from the name */
	uint8_t on_poweroff, on_reboot, on_crash;
	uint8_t reserved;
	uint16_t cpu_weight;		/* 0: 256 */
	uint16_t cpu_cap;		/* per cent of one CPU; 0: none */
	char kernel[VC_MODULE];
	char ramdisk[VC_MODULE];	/* empty: none */
	uint16_t mtu;			/* 0: 1500 */
	uint16_t cmdline_len;		/* bytes that follow, no closing zero */
} VC_PACKED;
static_assert(sizeof(struct vc_dom_create) == 190, "dom create");

enum vc_proto_bit { VC_PROTO_TCP = 1, VC_PROTO_UDP = 2, VC_PROTO_ICMP = 4, VC_PROTO_SCTP = 8, VC_PROTO_ALL = 15 };
/* Key: everything but dom: one set has one owner. */
enum vc_slice_kind {
	VC_SLICE_RANGE,	/* ports first..last */
	VC_SLICE_MAPE,		/* RFC 7597 appendix B: a offset bits, k PSID bits, psid */
	VC_SLICE_WHOLE,	/* a dedicated address, or an IPv6 prefix of `prefix` bits (64 or 128) */
	VC_SLICE_PROTOCOL,	/* another IP protocol of a shared address (GRE, ESP, 41) */
	VC_SLICE_ESP_SPI,	/* ESP by SPI */
	VC_SLICE_INTERNAL,	/* a private address of the domain, translated out of its slices */
	VC_SLICE_KINDS
};
struct vc_slice_add {
	struct vc_ip addr;
	char dom[VC_NAME];
	uint8_t kind;		/* VC_SLICE_* */
	uint8_t protos;		/* RANGE, MAPE: bits of enum vc_proto_bit */
	uint8_t prefix;		/* WHOLE */
	uint8_t protocol;	/* PROTOCOL */
	uint16_t first, last;	/* RANGE */
	uint8_t a, k;		/* MAPE */
	uint16_t psid;
	uint32_t spi;		/* ESP_SPI */
	uint32_t reserved;
} VC_PACKED;
static_assert(sizeof(struct vc_slice_add) == 68, "slice");

/* Key: dom. Rates in bits and packets a second, 0: no limit (guarantee: none). */
#define VC_EGRESS_MAX 8
struct vc_egress {		/* destination ports that the domain may not reach */
	uint8_t proto;		/* IP protocol number */
	uint8_t reserved;
	uint16_t first, last;
} VC_PACKED;
/* The IP-ID of outgoing fragments from a block of the domain's own (RFC 7597 8.3.3); its IPv4 multicast leaves by the uplink. */
enum { VC_RATE_IPID_BLOCK = 1, VC_RATE_MULTICAST = 2 };
struct vc_rate_set {
	char dom[VC_NAME];
	uint64_t out_bps, in_bps;
	uint64_t out_guarantee_bps, in_guarantee_bps;
	uint32_t out_burst, in_burst;	/* bytes; 0: chosen */
	uint32_t out_pps, in_pps;
	uint32_t weight;		/* 0: 100 */
	uint32_t new_flows;		/* a second */
	uint32_t max_conns;		/* 0: chosen */
	uint8_t egress_set;		/* 0: the default (25/tcp is denied); 1: the list counts */
	uint8_t egress_count;
	uint8_t flags;			/* VC_RATE_* */
	uint8_t reserved;
	struct vc_egress egress[VC_EGRESS_MAX];
} VC_PACKED;
static_assert(sizeof(struct vc_rate_set) == 144, "rate");

/*
 * Key: dom and index. A sub-class of the domain in every network scheduler: a share, by weight, of what the domain has. DSCPs lead to
 * it, or rules; what neither names is in sub-class 0, whose weight alone can be set.
 */
#define VC_SUBS 8
struct vc_sub_set {
	char dom[VC_NAME];
	uint32_t index;			/* below VC_SUBS */
	uint32_t weight;		/* 1-255 */
	uint64_t dscps;			/* bit n: DSCP n; in one sub-class of the domain at most */
} VC_PACKED;
static_assert(sizeof(struct vc_sub_set) == 48, "sub-class");

/* One rule; first match decides. Every condition that is zero or empty matches all. */
enum vc_rule_dir { VC_RULE_IN = 1, VC_RULE_OUT = 2 };	/* toward the domain, from it; bits */
enum vc_rule_action { VC_RULE_ALLOW, VC_RULE_DENY, VC_RULE_REJECT, VC_RULE_PASS /* count, log and go on */, VC_RULE_ACTIONS };
enum { VC_RULE_LOG = 1, VC_RULE_COUNT = 2 };
enum vc_rule_state { VC_STATE_NEW = 1, VC_STATE_ESTABLISHED = 2, VC_STATE_RELATED = 4, VC_STATE_INVALID = 8 };
#define VC_RULE_PORTS 4
#define VC_RULES_MAX 400
struct vc_port_range {
	uint16_t first, last;
} VC_PACKED;
struct vc_rule {
	uint8_t dirs;
	uint8_t action;
	uint8_t flags;
	uint8_t family;			/* 4, 6, or 0: both */
	uint8_t proto_set;		/* 1: proto counts */
	uint8_t proto;			/* IP protocol number */
	uint8_t icmp_set;		/* 1: type counts; 2: type and code */
	uint8_t icmp_type, icmp_code;
	uint8_t tcp_mask, tcp_flags;	/* (flags & mask) == tcp_flags */
	uint8_t states;			/* bits of enum vc_rule_state */
	uint8_t src_len, dst_len;	/* prefix length, counted as of IPv6: 10.0.0.0/8 has 104 */
	uint8_t nsrc, ndst;		/* ranges used below */
	struct vc_ip src, dst;
	struct vc_port_range sports[VC_RULE_PORTS], dports[VC_RULE_PORTS];
	uint32_t limit_pps;		/* 0: none; beyond it the rule does not match */
	uint32_t limit_burst;
	uint8_t sub;			/* sub-class that the schedulers file it under; 0: by its DSCP */
	uint8_t reserved[3];
} VC_PACKED;
static_assert(sizeof(struct vc_rule) == 92, "rule");

/* Key: dom. dom empty: the global rules, ahead of every domain's own. `count` rules follow. */
struct vc_rule_set {
	char dom[VC_NAME];
	uint16_t count;
	uint8_t def_in, def_out;	/* what happens to a packet that no rule names: ALLOW, DENY or REJECT */
	uint32_t reserved;
} VC_PACKED;
static_assert(sizeof(struct vc_rule_set) == 40, "rule set");

/* Which policy runs where. Key: kind and target. */
enum vc_sched_kind { VC_SCHED_CPU, VC_SCHED_NET, VC_SCHED_DISK, VC_SCHED_KINDS };
struct vc_sched_set {
	uint8_t kind;		/* VC_SCHED_CPU, VC_SCHED_NET */
	uint8_t reserved[7];
	char target[VC_NAME];		/* NET: the uplink, or "guests" for the side toward the guests; else empty */
	char policy[VC_NAME];
	uint64_t rate_bps;		/* NET: of the line, which is held to it; 0: its device alone limits it */
} VC_PACKED;
static_assert(sizeof(struct vc_sched_set) == 80, "sched set");

/* Key: dom and index. */
struct vc_disk_set {
	char dom[VC_NAME];
	char volume[VC_MODULE];
	uint32_t index;
	uint32_t flags;
} VC_PACKED;
static_assert(sizeof(struct vc_disk_set) == 104, "disk");

/* --- domains ------------------------------------------------------------------------------------------------------- */

enum vc_dom_state { VC_DOM_RUNNING, VC_DOM_PAUSED, VC_DOM_STOPPED, VC_DOM_CRASHED, VC_DOM_STATES };
struct vc_dom_rec {		/* DOM_LIST: vc_page -> records */
	char name[VC_NAME];
	uint16_t domid;
	uint8_t state;
	uint8_t flags;
	uint32_t vcpus;
	uint64_t mem_bytes;
	uint64_t cpu_ns;	/* run time of all vcpus */
	uint64_t started_utc_ns;
	uint32_t restarts;
	uint32_t slices;
	uint64_t console_end;	/* bytes written by the guest so far */
	char reason[VC_NAME];	/* of the last stop: "poweroff", "crash: triple fault", … */
} VC_PACKED;
static_assert(sizeof(struct vc_dom_rec) == 112, "dom record");

struct vc_dom_op {		/* DOM_PAUSE, DOM_UNPAUSE, DOM_REBOOT, DOM_SHUTDOWN, DOM_STOP */
	char name[VC_NAME];
	uint32_t arg;
	uint32_t reserved;
} VC_PACKED;

struct vc_console_read {
	char name[VC_NAME];
	uint64_t offset;	/* of the first byte wanted, counted from the domain's start; ~0: the oldest kept */
	uint32_t max, reserved;
} VC_PACKED;
struct vc_console_read_reply {
	uint64_t offset;	/* of the first byte that follows: later than asked where older bytes are gone */
	uint64_t end;		/* bytes written so far */
} VC_PACKED;
struct vc_console_write {	/* bytes follow */
	char name[VC_NAME];
} VC_PACKED;
struct vc_console_write_reply {
	uint32_t taken;		/* the guest's ring may be full */
} VC_PACKED;

/* --- kernels and ramdisks brought at run time ------------------------------------------------------------------------ */

struct vc_blob_begin {
	char name[VC_MODULE];
	uint64_t size;
} VC_PACKED;
struct vc_blob_put {		/* bytes follow; chunks in order */
	char name[VC_MODULE];
	uint64_t offset;
} VC_PACKED;
struct vc_blob_name {		/* BLOB_END, BLOB_DEL */
	char name[VC_MODULE];
} VC_PACKED;
struct vc_blob_rec {		/* BLOB_LIST: vc_page -> records, boot modules too */
	char name[VC_MODULE];
	uint64_t size;
	uint32_t users;		/* domains of the configuration that name it */
	uint32_t flags;		/* 1: boot module, cannot be removed; 2: not complete */
} VC_PACKED;
static_assert(sizeof(struct vc_blob_rec) == 80, "blob");

/* --- the boot plan ---------------------------------------------------------------------------------------------------- */

/* A file: this head, then `messages` plain messages (session 0, seq counts from 0) that are objects. */
#define VC_PLAN_MAGIC 0x4e4c5056u	/* "VPLN" */
#define VC_PLAN_MAX (16u << 20)
struct vc_plan {
	uint32_t magic;
	uint16_t version;
	uint16_t reserved;
	uint32_t messages;
	uint32_t length;	/* of the whole file */
	uint64_t utc_ns;	/* when it was made; the clock is never set before this; 0: not known */
	char note[64];
} VC_PACKED;
static_assert(sizeof(struct vc_plan) == 88, "plan");

#include "vfr_control_see.h"

#endif
