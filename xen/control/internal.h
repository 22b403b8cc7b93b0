/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of xen/control share: the instance, objects and configurations, domains, sessions. */
#ifndef CONTROL_INTERNAL_H
#define CONTROL_INTERNAL_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <control/control.h>
#include <public/vfr_control_object.h>

#define CONTROL_SESSIONS 8
#define CONTROL_GENERATIONS 16
#define CONTROL_OBJECTS_MAX 65536
#define MSEC 1000000ull
#define SEC 1000000000ull
#define TXN_IDLE_NS (60 * SEC)
#define SEND_IDLE_NS (30 * SEC)
#define CAPTURE_IDLE_NS (10 * SEC)

/* --- objects and configurations: object.c, config.c ------------------------------------------------------------------ */

/* One object as its message had it. Immutable and counted: generations share it. */
struct object {
	uint32_t refs;
	uint16_t type;
	uint16_t length;
	uint8_t body[];
};

struct transition;

/* One kind of object. The table object_kinds[] in object.c is indexed by type - VC_SCHED_SET. */
struct object_kind {
	/* => the body makes sense by itself */
	int (*check)(const void *body, size_t n, struct control_error *err);
	/* => what it refers to exists in the configuration `to` and on this machine */
	int (*check_refs)(struct control *c, const struct object *o, const struct transition *t, struct control_error *err);
	/* => make it so: add (old NULL), remove (new NULL) or change. Either done or nothing done. Removing never fails. */
	int (*apply)(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
		     struct control_error *err);
};

const struct object_kind *object_kind(uint16_t type);
int object_check(uint16_t type, const void *body, size_t n, struct control_error *err);
struct object *object_new(uint16_t type, const void *body, size_t n);
struct object *object_ref(struct object *o);
void object_put(struct object *o);
bool object_same(const struct object *a, const struct object *b);

/* A set of objects, sorted by key. */
struct config {
	struct object **v;
	uint32_t n, room;
};

void config_init(struct config *cf);
void config_free(struct config *cf);
int config_copy(struct config *to, const struct config *from);
/* => index of the object, or where it would stand, with *found false */
uint32_t config_find(const struct config *cf, uint16_t type, const void *body, bool *found);
struct object *config_get(const struct config *cf, uint16_t type, const void *body);
/* => takes the reference of `o`, on success only; replaces the object of the same key */
int config_put(struct config *cf, struct object *o);
bool config_del(struct config *cf, uint16_t type, const void *body);
/* => first index of a type; the range of the type ends at config_first(type + 1) */
uint32_t config_first(const struct config *cf, uint16_t type);
/* => removes a domain and all that names it */
void config_del_domain(struct config *cf, const char *name);

/* A change on its way: the steps, and with what rights. */
struct step {
	const struct object *old, *new;
};
struct transition {
	const struct config *from, *to;
	bool force;		/* may take ports that are held down */
	bool undoing;
	bool dry;		/* nothing will be applied; modules may still be on their way */
	struct step *steps;
	uint32_t n;
	size_t room;
};

/* apply.c: => current configuration becomes `to`; on failure everything is as it was, *index names the object at fault */
struct apply_count {
	uint32_t added, removed, changed;
};
int config_apply(struct control *c, const struct config *to, bool force, bool dry, struct apply_count *count,
		 const struct object **fault, struct control_error *err);
int apply_one(struct control *c, const struct object *o, const struct config *to, struct control_error *err);

/* overlap.c: => no port has two slices in t->to */
int config_check_overlap(const struct transition *t, const struct object **fault, struct control_error *err);

/* --- domains: domain.c ---------------------------------------------------------------------------------------------- */

struct dom {
	char name[VC_NAME];
	uint16_t domid;
	uint16_t next;		/* in the chain of its hash; 0 ends it */
	uint8_t state;		/* enum vc_dom_state */
	uint8_t before;		/* the state in which a transition found it */
	bool built;		/* the machine has it */
	bool fresh;		/* to be started when the transition is through */
	uint32_t restarts;
	uint32_t slices;
	uint64_t started_utc_ns;
	uint64_t started_ns;	/* for the brake on restarts */
	uint32_t quick;		/* restarts in a row that came too soon */
	char reason[VC_NAME];
	const struct object *obj;	/* held by the current configuration */
	const struct object *rate;
	const struct object *sub[VC_SUBS];
	/* derived from the slices, by net_sync(); the pointers are for its own time */
	uint32_t nat_addr, inner;
	const struct vc_slice_add *main, *pool;
	bool has_ip6, advertised;
};

#define DOM_HASH 256
struct dom *dom_by_name(struct control *c, const char *name);
struct dom *dom_by_id(struct control *c, uint16_t domid);
int dom_check(const void *body, size_t n, struct control_error *err);
int dom_check_refs(struct control *c, const struct object *o, const struct transition *t, struct control_error *err);
int dom_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	      struct control_error *err);
void dom_start_fresh(struct control *c);
/* => built as its object says and paused, to be started; or nothing of it */
int dom_build(struct control *c, struct dom *d, struct control_error *err);
void dom_unbuild(struct control *c, struct dom *d, const char *reason);
void dom_start(struct control *c, struct dom *d);

/* --- network objects: net.c, slice.c, rules.c ------------------------------------------------------------------------ */

int addr_check(const void *body, size_t n, struct control_error *err);
int addr_check_refs(struct control *c, const struct object *o, const struct transition *t, struct control_error *err);
int addr_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	       struct control_error *err);
/* => the ports of a slice that has some. */
struct vfr_portset;
void slice_portset(const struct vc_slice_add *s, struct vfr_portset *ps);
int slice_check(const void *body, size_t n, struct control_error *err);
int slice_check_refs(struct control *c, const struct object *o, const struct transition *t, struct control_error *err);
int slice_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
		struct control_error *err);
int rate_check(const void *body, size_t n, struct control_error *err);
int rate_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	       struct control_error *err);
int rules_check(const void *body, size_t n, struct control_error *err);
int rules_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
		struct control_error *err);
int sched_check(const void *body, size_t n, struct control_error *err);
int sched_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
		struct control_error *err);
int sub_check(const void *body, size_t n, struct control_error *err);
int sub_check_refs(struct control *c, const struct object *o, const struct transition *t, struct control_error *err);
int sub_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	      struct control_error *err);
/* => the domain's classes may be new: its sub-classes are set in them */
void subs_renew(struct control *c, const struct dom *d);
int disk_check(const void *body, size_t n, struct control_error *err);
int disk_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	       struct control_error *err);
int ref_dom(struct control *c, const struct object *o, const struct transition *t, struct control_error *err);
/* => routes, DHCP and translation follow the configuration */
void net_sync(struct control *c, const struct config *from, const struct config *to);
int uplink_by_name(struct control *c, const char *name, struct control_uplink_info *out);
/* => IPv4 in host order of a mapped address; 0 where it is IPv6 or nothing */
bool ip_is_v4(const struct vc_ip *ip);
uint32_t ip_v4(const struct vc_ip *ip);
bool ip_is_zero(const struct vc_ip *ip);
void ip_from_v4(struct vc_ip *ip, uint32_t v4);
void ip_text(const struct vc_ip *ip, char *out, size_t n);

/* --- audit: notes.c -------------------------------------------------------------------------------------------------- */

/* => 0 or why the log cannot take it: then it must not be granted. What is freed is always taken. */
int note_slice(struct control *c, const struct vc_slice_add *s, uint16_t domid, bool granted);
void note_addr(struct control *c, const struct vc_addr_add *a, bool added);
void note_dom(struct control *c, const struct dom *d, bool started, const char *reason);
void note_policy(struct control *c, const char *note);
void note_refused(struct control *c, const char *client, const struct control_error *err);

/* --- generations and transactions: txn.c ------------------------------------------------------------------------------ */

struct generation {
	uint64_t number, utc_ns;
	struct config config;
	char note[64];
	char client[VC_NAME];
};

struct txn {
	struct control_session *owner;	/* NULL: none is open */
	struct config staged;
	uint64_t touched_ns;
	uint32_t messages;
	char note[64];
};

struct txn_result {
	uint64_t generation;
	struct apply_count count;
};

struct control {
	struct control_params p;
	struct generation *gen;		/* ring of p.generations; the current one is gen[cur] */
	unsigned int cur, gens;
	struct txn txn;
	uint64_t confirm_deadline_ns;	/* 0: nothing awaits confirmation */
	uint64_t confirm_base;		/* generation to go back to */
	struct dom **dom;		/* by domid */
	uint16_t dom_hash[DOM_HASH];
	uint16_t last_domid, doms;
	uint64_t now_ns;
	uint64_t boot_ns;
	struct control_session *session[CONTROL_SESSIONS];
	struct {
		char name[VC_MODULE];
		uint64_t size, done;
		struct control_session *owner;
	} upload;
	uint32_t capture_id;		/* 0: none */
	uint64_t capture_touched_ns;
};

struct config *config_current(struct control *c);
const char *current_note(const struct control *c);
void txn_abort(struct control *c);
int txn_object(struct control *c, struct control_session *s, uint16_t type, const void *body, size_t n,
	       struct txn_result *out, uint32_t *index, struct control_error *err);
int txn_rollback(struct control *c, uint64_t to, const char *client, const char *note, struct txn_result *out,
		 struct control_error *err);
/* => the generation of that number, NULL where it is not kept; what is then answered */
struct generation *generation_find(struct control *c, uint64_t number);
int refuse_generation(struct control *c, uint64_t number, struct control_error *err);
int txn_new_generation(struct control *c, struct config *staged, const char *note, const char *client);
uint64_t txn_timer(struct control *c);

/* --- frames and sessions: frame.c, session.c ------------------------------------------------------------------------- */

#define FRAME_MAX (sizeof(struct vc_msg) + VC_BODY_MAX)

/* Undoes COBS from a stream in any pieces. */
struct deframer {
	uint32_t len;
	uint8_t left;		/* bytes of the block that are still to come */
	uint8_t code;		/* of the block, 0: none yet */
	bool broken;		/* skip to the next zero byte */
	uint8_t buf[FRAME_MAX];
};

void deframer_reset(struct deframer *d);
/* => takes bytes up to the end of a frame: *done true when a whole one stands in buf (len 0: an empty one); returns bytes taken */
size_t deframer_take(struct deframer *d, const uint8_t *in, size_t n, bool *done);

struct control_session {
	struct control *c;
	void *transport;
	bool greeted;
	uint32_t id;
	uint32_t seq;			/* of the request in work */
	char client[VC_NAME];
	struct {
		bool active;
		uint32_t seq;
		uint64_t deadline_ns;
		struct vc_wait_req req;
	} wait;
	size_t out_len, out_done;
	uint64_t out_since_ns;
	struct deframer in;
	/* A reply is made behind room for its header, then encoded into out. */
	uint8_t reply[FRAME_MAX];
	uint8_t out[VC_STREAM_MAX(FRAME_MAX)];
};

/* The body of the reply under construction. */
struct reply {
	uint8_t *body;
	size_t len;
};

/* => room for n bytes at the end of the reply, zeroed; NULL when it is full */
void *reply_add(struct reply *r, size_t n);

void session_send(struct control_session *s, uint16_t type, uint32_t seq, size_t len);
/* => sends on; forgets a client that has not read for SEND_IDLE_NS */
void session_flush_stale(struct control_session *s);
void session_wait_check(struct control_session *s, uint64_t now_ns);
unsigned int wait_news(struct control *c, const struct vc_wait_req *w);

/* --- requests: request.c, see.c -------------------------------------------------------------------------------------- */

/* What a handler gets; it answers in `r` or refuses. */
struct request {
	struct control *c;
	struct control_session *s;
	uint16_t type;
	const void *body;
	size_t n;
	struct reply *r;
	struct control_error *err;
	uint32_t index;		/* for the error */
	bool later;		/* the reply comes by itself (WAIT) */
};

struct request_kind {
	uint16_t type;
	uint16_t fixed;		/* bytes of body at least */
	bool tail;		/* more may follow */
	const char *name;
	int (*fn)(struct request *rq);
};

const struct request_kind *request_find(uint16_t type);

int see_info(struct request *rq);
int see_stats(struct request *rq);
int see_drops(struct request *rq);
int see_log(struct request *rq);
int see_audit(struct request *rq);
int see_whois(struct request *rq);
int see_uplinks(struct request *rq);
int see_classes(struct request *rq);
/* => the head of a paged reply, without records yet */
struct vc_page_reply *page_start(struct request *rq, uint32_t record);
int see_scheds(struct request *rq);
int see_subs(struct request *rq);
int see_rules(struct request *rq);
int see_domains(struct request *rq);
int see_config(struct request *rq);
int see_history(struct request *rq);
int see_trace(struct request *rq);
int dom_request(struct request *rq);
int console_read(struct request *rq);
int console_write(struct request *rq);
int blob_begin(struct request *rq);
int blob_put(struct request *rq);
int blob_end(struct request *rq);
int blob_del(struct request *rq);
int blob_list(struct request *rq);
void blob_upload_drop(struct control *c);
int capture_start(struct request *rq);
int capture_read(struct request *rq);
int capture_stop(struct request *rq);
int txn_begin(struct request *rq);
int txn_commit(struct request *rq);
int txn_abort_request(struct request *rq);
int txn_confirm(struct request *rq);
int txn_rollback_request(struct request *rq);

/* --- small checks: check.c ------------------------------------------------------------------------------------------- */

/* => a name: 1..31 of a-z A-Z 0-9 . _ - (and, for modules, up to 63), zero-padded. `what` for the text. */
int check_name(const char *name, size_t size, const char *what, bool empty_ok, struct control_error *err);
int check_zero(const void *p, size_t n, struct control_error *err);
int refuse_enosys(struct control_error *err, const char *what);
void copy_name(char *to, size_t size, const char *from);

#endif
