/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control: decode -> validate -> apply, for every message of <public/vfr_control.h>. Host-free.
 *
 * One `struct control` a machine. It owns the configuration (the objects, their generations, the confirm timer), the numbers of the
 * domains, and the sessions; it calls the router, the audit log and the schedulers itself, and the machine through `struct control_ops`
 * for what only the machine can do. Host programs (vfr-sim, tests, the fuzzer) give it other ops.
 *
 * Concurrency: every function here is called with one lock of the caller's held ("the control lock"); no op may call back into control,
 * except that control_dom_exited() and control_event() may be called from anywhere under that lock. Nothing here is on a packet's way.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <env.h>
#include <public/vfr_control.h>

struct vfr;
struct audit;
struct control;
struct control_session;

/* Why something was refused. `code` is a positive errno; name and text as in struct vc_error. */
struct control_error {
	int code;
	char name[VC_NAME];
	char owner[VC_NAME];
	char text[192];
};

/* Fills *err and returns -code, so that a refusal is one line: return control_refuse(err, ENOENT, "no-module", "…"). */
int control_refuse(struct control_error *err, int code, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A domain to be built. Strings are closed by a zero byte and live until the op returns. */
struct control_dom_spec {
	const char *name;
	uint64_t mem_bytes;
	unsigned int vcpus;
	unsigned int flags;		/* VC_DOM_* */
	uint8_t mac[6];			/* never all zero here, unless VC_DOM_NO_NET */
	uint16_t mtu;
	uint16_t cpu_weight, cpu_cap;
	const char *kernel, *ramdisk;	/* names of modules or blobs; ramdisk may be "" */
	const char *cmdline;
};

struct control_dom_info {
	uint8_t state;			/* enum vc_dom_state: RUNNING or PAUSED; control knows the rest */
	uint64_t cpu_ns;
	uint64_t console_end;
	uint64_t backlog_bytes;		/* queued for or from its vif */
};

struct control_machine_info {
	char cpu[48];
	uint32_t cpus, cpus_online;
	uint64_t mem_total, mem_free;
	uint64_t boot_ns;		/* hand-over by the boot loader to the first guest instruction; 0: none ran yet */
};

struct control_uplink_info {
	char name[VC_NAME];
	char driver[VC_NAME];
	uint8_t mac[6];
	uint16_t mtu;
	bool up;
	uint32_t port;			/* the router's number of the attachment point */
	uint64_t rate_bps;
	struct vc_count rx, tx;
};

struct control_log_entry {
	uint64_t seq, ns;
	uint8_t level;
	uint16_t length;
	char text[256];
};

struct control_blob_info {
	char name[VC_MODULE];
	uint64_t size;
	bool boot;			/* a module of the boot loader */
	bool complete;
};

/*
 * What the machine does for control. Optional ops may be NULL: the message that needs them is then refused with ENOSYS.
 * int results are 0 or -errno; where there is an `err`, a failure fills it (control_refuse()).
 */
struct control_ops {
	const char *server;	/* for HELLO: "vfr", "vfr-sim" */

	/* Build the domain `domid`, which is free, and leave it paused: memory, kernel, ramdisk, vcpus, xenstore home, console, vif; attach
	 * the vif to the router. Start it with dom_unpause(). On failure nothing of it stays. */
	int (*dom_create)(void *machine, uint16_t domid, const struct control_dom_spec *spec, struct control_error *err);
	/* Stop it at once and give back all it had. Never fails; slices and rules of the router are control's and stay. */
	void (*dom_destroy)(void *machine, uint16_t domid);
	int (*dom_pause)(void *machine, uint16_t domid);
	int (*dom_unpause)(void *machine, uint16_t domid);
	/* Ask the guest to power off or to reboot (xenstore control/shutdown). What it then does comes by control_dom_exited(). */
	int (*dom_shutdown)(void *machine, uint16_t domid, bool reboot);
	int (*dom_info)(void *machine, uint16_t domid, struct control_dom_info *out);

	/* Output of the guest's console from byte `offset` of its life on: returns bytes copied, 0 where there is no news.
	 * *start is the offset of the first byte copied (later than asked where older ones are gone); ~0 asks for the oldest. The
	 * buffer of a domain that stopped may be kept under its domid until that is built anew. */
	size_t (*console_read)(void *machine, uint16_t domid, uint64_t offset, void *buf, size_t max, uint64_t *start);
	/* Input for the guest's console: returns bytes taken. */
	size_t (*console_write)(void *machine, uint16_t domid, const void *bytes, size_t n);

	/* Does a complete module or blob of that name exist? 0 or -ENOENT. */
	int (*blob_find)(void *machine, const char *name, uint64_t *size);
	/* The index-th module or blob; -ENOENT past the last. */
	int (*blob_info)(void *machine, unsigned int index, struct control_blob_info *out);
	/* A blob comes in chunks, in order, offsets checked by control. An incomplete one is dropped with blob_drop(). */
	int (*blob_begin)(void *machine, const char *name, uint64_t size, struct control_error *err);
	int (*blob_put)(void *machine, const char *name, uint64_t offset, const void *bytes, size_t n);
	int (*blob_end)(void *machine, const char *name, struct control_error *err);
	void (*blob_drop)(void *machine, const char *name);

	void (*machine_info)(void *machine, struct control_machine_info *out);
	/* Bytes that new domains can have, with all that destroyed ones still give back; NULL: not known before they are built. */
	uint64_t (*mem_room)(void *machine);
	/* The index-th uplink; -ENOENT past the last. */
	int (*uplink_info)(void *machine, unsigned int index, struct control_uplink_info *out);
	/* The router's attachment point of a built domain, its MAC and the gateway's MAC that the guest sees: for TRACE. Optional. */
	int (*dom_port)(void *machine, uint16_t domid, uint32_t *port, uint8_t mac[6], uint8_t gateway_mac[6]);
	uint64_t (*utc_ns)(void *machine);
	/* The clock is never before this time (from the boot plan). Optional. */
	void (*utc_at_least)(void *machine, uint64_t utc_ns);
	/* The oldest log record whose number is `seq` or later; false: none yet. */
	bool (*log_read)(void *machine, uint64_t seq, struct control_log_entry *out);

	/* Take up to n bytes for the session's peer, at once; returns how many were taken. Called again from control_output()
	 * when the machine says there is room. */
	size_t (*send)(void *machine, void *transport, const void *bytes, size_t n);

	/* Choose the scheduler policy of a target (VC_SCHED_*), and list the index-th target with its choices. Optional. */
	int (*sched_set)(void *machine, const struct vc_sched_set *set, struct control_error *err);
	int (*sched_info)(void *machine, unsigned int index, struct vc_sched_rec *out);
	/* Rates of a domain that was built; all zero: none. Called whenever they change and after each build. Optional. */
	int (*rate_set)(void *machine, uint16_t domid, const struct vc_rate_set *rate, struct control_error *err);

	/* A domain's class in the scheduler of the link-th link (all but the domain's name): -ENODEV past the last, -ENOENT where
	 * it has none. domid 0: what the router itself sends. Optional. */
	int (*class_info)(void *machine, unsigned int link, uint16_t domid, struct vc_class_rec *out);
	/* A sub-class of a domain that was built; NULL: it is no more. Called whenever they change, after each build, and after rate_set(),
	 * which may give the domain another class. And what one did: as class_info. Optional. */
	int (*sub_set)(void *machine, uint16_t domid, unsigned int index, const struct vc_sub_set *set, struct control_error *err);
	int (*sub_info)(void *machine, unsigned int link, uint16_t domid, unsigned int index, struct vc_sub_rec *out);
	/* What a domain lost outside of the router, by name, always the same names in the same order: returns how many, at most
	 * `max`. domid 0: what no domain is charged with. Optional. */
	unsigned int (*drops)(void *machine, uint16_t domid, struct vc_drop_rec *out, unsigned int max);

	/* Capture: one at a time is enough. Optional. */
	int (*capture_start)(void *machine, int domid /* -1: all */, unsigned int flags, unsigned int snaplen,
			     const struct vc_bpf_insn *prog, unsigned int insns, uint32_t *id);
	/* Fill buf with struct vc_capture_rec + bytes; returns the bytes used. */
	size_t (*capture_read)(void *machine, uint32_t id, void *buf, size_t max, uint32_t *count, uint32_t *lost);
	void (*capture_stop)(void *machine, uint32_t id);
};

struct control_params {
	const struct control_ops *ops;
	void *machine;
	struct vfr *vfr;	/* the router */
	struct audit *audit;
	uint16_t domains_max;
	uint16_t generations;	/* kept for rollback; 0: 16 */
};

struct control *control_create(const struct control_params *params);	/* NULL: no memory */
/* Frees control alone: domains that run are not destroyed. */
void control_free(struct control *c);

/*
 * Apply a boot plan, one object after the other: one that is refused is logged by name and skipped, the rest goes on. The
 * domains are started at the end. Returns the number of objects refused, or -errno where the file itself is no plan.
 */
int control_boot_plan(struct control *c, const void *bytes, size_t n, uint64_t now_ns);

/*
 * A session is a byte stream: the control port, or a control domain. `transport` is the machine's own, handed to ops->send().
 * control_session_open: at most 8; NULL: too many or no memory.
 */
struct control_session *control_session_open(struct control *c, void *transport);
void control_session_close(struct control_session *s, uint64_t now_ns);
/* The stream was cut and begins anew (the port's peer went away): forget half messages, abort the transaction. */
void control_session_reset(struct control_session *s, uint64_t now_ns);
/*
 * Bytes from the peer, in any pieces. Returns how many were taken: fewer than n where the peer does not read its replies; the
 * caller keeps the rest and offers it again after control_output() returned true. Never blocks.
 */
size_t control_input(struct control_session *s, const void *bytes, size_t n, uint64_t now_ns);
/* There is room in the transport: send on. Returns true when all was sent and input is taken again. */
bool control_output(struct control_session *s, uint64_t now_ns);

/* Confirm timers, waits, idle transactions, captures nobody reads. Returns when it wants to be called next (or earlier). */
uint64_t control_timer(struct control *c, uint64_t now_ns);

/* Something of enum vc_wait has news (domid for the console): answers who waits for it. Cheap when nobody does. */
void control_event(struct control *c, unsigned int what, uint16_t domid, uint64_t now_ns);

/*
 * A domain stopped by itself: `how` is VC_DOM_STOPPED (it powered off), VC_DOM_RUNNING (it asks for a reboot) or VC_DOM_CRASHED.
 * The machine has stopped its vcpus and given nothing back yet: control calls ops->dom_destroy() and, as on_* says,
 * ops->dom_create() before this returns. So call it from a context in which a domain can be destroyed, not from its own vcpu's stack.
 */
void control_dom_exited(struct control *c, uint16_t domid, enum vc_dom_state how, const char *reason, uint64_t now_ns);

/* The name of a domain, or "" when there is none: valid until the configuration changes. */
const char *control_dom_name(const struct control *c, uint16_t domid);

/* CRC-32C, and COBS: encode returns the bytes written (n + n / 254 + 1 at most, no closing zero). */
uint32_t control_crc(uint32_t crc, const void *bytes, size_t n);
size_t control_cobs_encode(const void *in, size_t n, void *out);

#endif
