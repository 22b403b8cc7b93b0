/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's own structures; shared by the files of this folder only. Everything here is guarded by xenstore.lock. */
#ifndef XENSTORE_XS_PRIVATE_H
#define XENSTORE_XS_PRIVATE_H

#include <env.h>
#include <errno.h>
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#include <xenstore/xenstore.h>

#define XS_DOM0 0
#define XS_PERMS_MAX 5
#define XS_DOM_BUCKETS 64
#define XS_TX_BUCKETS 16
#define XS_EVENTS_MAX 128         /* pending on one connection, with a path of their own */
#define XS_EVENT_BYTES_MAX 16384
#define XS_NODE_MIN_BUCKETS 256
#define XS_WATCH_BUCKETS 1024
#define XS_TOKEN_MAX 1000
#define XS_PRINTF_MAX 256
#define XS_RING_REQUESTS 8         /* answered in one call: bounds how long the lock is held */

enum xs_mode { XS_MODE_NONE = 0, XS_MODE_READ = 1, XS_MODE_WRITE = 2, XS_MODE_OWNER = 4 };

/* `epoch` is the domain's incarnation: a permission for a domain that is gone says nothing about the next of that number. */
struct xs_perm {
	uint16_t domid;
	uint8_t mode;
	uint32_t epoch;
};

struct xs_perms {
	uint32_t n; /* at least 1; the first names the owner, its mode is everybody's */
	struct xs_perm p[XS_PERMS_MAX];
};

/* An absolute path that has been checked. */
struct xs_path {
	uint32_t len;
	uint32_t shown; /* first character that the asking domain is shown: its home is cut off a relative path */
	char s[XENSTORE_ABS_PATH_MAX + 1];
};

struct xs_node {
	struct xs_node *next;            /* of the bucket */
	struct xs_node *onext, **oprev;  /* of the owner's nodes; unused in a transaction's copy */
	uint64_t gen;                    /* changes with value, permissions and children */
	uint64_t hash;
	uint32_t path_len, value_len;
	uint32_t kids_len, kids_cap;
	struct xs_perms perms;
	char *kids;                      /* names of the children, each closed with a NUL */
	uint8_t *value;
	char path[];
};

struct xs_dom {
	struct xs_dom *next;
	struct xs_node *owned;
	struct xs_conn *conn;
	struct xs_quota quota;
	struct xs_usage used;
	int64_t d_nodes, d_bytes; /* what the transaction being checked would add; zero otherwise */
	uint32_t epoch;
	uint16_t domid;
};

/* What a transaction knows of one path. */
struct xs_tnode {
	struct xs_tnode *next;    /* of the bucket */
	uint64_t base_gen;        /* generation at the first access; 0: it was not there */
	struct xs_node *node;     /* changed: what it is now, NULL for removed */
	uint64_t hash;
	uint32_t path_len;
	uint32_t charged;
	bool changed;
	bool fire;                /* changed itself, not only in its children */
	bool linked;              /* the commit moved `node` into the table */
	char path[];
};

struct xs_tx {
	struct xs_tx *next;
	struct xs_dom *dom;
	uint32_t id;
	uint32_t n;
	int failed;               /* a removal stopped half-way: the end must be refused */
	struct xs_tnode *bucket[XS_TX_BUCKETS];
};

/* Whose eyes look at the store: a domain, and perhaps from within a transaction. */
struct xs_view {
	struct xenstore *xs;
	struct xs_dom *dom;
	struct xs_tx *tx;
};

struct xs_event {
	struct xs_event *next, *prev;
	struct xs_watch *watch;
	char *path;               /* NULL: the watch's own, and the event is the one embedded in it */
	uint64_t hash;
	uint32_t len;
	bool pending;
};

struct xs_watch {
	struct xs_watch *next;           /* of the bucket */
	struct xs_watch *cnext, **cprev; /* of the connection */
	struct xs_conn *conn;
	xs_watch_fn *fn;                 /* of the hypervisor's own */
	void *ctx;
	struct xs_event self;
	uint64_t hash;
	uint32_t path_len, token_len, shown;
	char text[];                     /* path, NUL, token, NUL */
};

struct xs_conn {
	struct xenstore *xs;
	struct xs_dom *dom;
	const struct xs_conn_ops *ops;
	void *ctx;
	const char *fault;               /* NULL, or why it is served no more */
	uint32_t fault_code;             /* XENSTORE_ERROR_* */
	uint32_t breaks;
	struct xs_watch *watches;
	struct xs_tx *txs;
	struct xs_event events;          /* list head */
	uint32_t n_events, event_bytes;
	uint32_t next_tx;
	uint64_t served;                 /* requests answered */
	struct xs_conn *dirty_next;
	bool dirty;
	bool event_turn;                 /* a request was answered last */
	uint32_t req_cons, rsp_prod;     /* of the ring: ours, never read back */
	uint32_t in_len, out_len, out_off;
	char in[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX + 1];
	char out[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
};

struct xenstore {
	struct env_lock lock;
	atomic_flag delivering;          /* xs_run_pending() is at work on some CPU */
	_Atomic bool pending;
	void *_Atomic running;           /* the watch or connection whose callback runs */
	uint64_t seed;
	uint32_t next_epoch;
	uint64_t gen;
	struct xs_node **nodes;
	uint32_t n_nodes, n_buckets;
	struct xs_watch *watches[XS_WATCH_BUCKETS];
	struct xs_dom *doms[XS_DOM_BUCKETS];
	struct xs_dom *dom0;
	struct xs_conn *self;            /* carries the hypervisor's own watches */
	struct xs_conn *dirty, **dirty_tail;
	struct xs_path path, walk;       /* too big for a stack */
};

/* xs_path.c */
int xs_path_parse(const struct xs_dom *dom, const char *s, size_t len, struct xs_path *out);
uint64_t xs_hash(const struct xenstore *xs, const char *s, size_t len);
uint64_t xs_hash_next(uint64_t hash, const char *name, size_t len);
size_t xs_parent_len(const char *path, size_t len);
const char *xs_name(const char *path, size_t len, size_t *name_len);

/* xs_perm.c */
unsigned int xs_perm_mode(const struct xs_perms *perms, const struct xs_dom *dom);
int xs_perm_parse(struct xenstore *xs, const char *s, size_t len, struct xs_perm *out);
size_t xs_perm_format(struct xenstore *xs, const struct xs_perms *perms, char *out, size_t max);
bool xs_perm_live(struct xenstore *xs, const struct xs_perm *p);

/* xs_node.c */
struct xs_node *xs_node_new(struct xenstore *xs, const char *path, size_t len);
void xs_node_free(struct xs_node *node);
struct xs_node *xs_node_copy(const struct xs_node *node);
void xs_node_swap(struct xs_node *a, struct xs_node *b);
struct xs_node *xs_node_find(const struct xenstore *xs, const char *path, size_t len, uint64_t hash);
uint32_t xs_node_bytes(const struct xs_node *node);
int xs_node_set_value(struct xs_node *node, const void *value, size_t len);
int xs_kids_reserve(struct xs_node *node, size_t name_len);
void xs_kids_add(struct xs_node *node, const char *name, size_t len);
void xs_kids_remove(struct xs_node *node, const char *name, size_t len);
const char *xs_kids_last(const struct xs_node *node);
void xs_kids_drop_last(struct xs_node *node);
void xs_node_link(struct xenstore *xs, struct xs_node *node);
void xs_node_unlink(struct xenstore *xs, struct xs_node *node);
struct xs_dom *xs_node_owner(struct xenstore *xs, const struct xs_node *node);

/* xs_domain.c */
struct xs_dom *xs_dom_find(const struct xenstore *xs, uint16_t domid);
struct xs_dom *xs_dom_new(struct xenstore *xs, uint16_t domid, const struct xs_quota *quota);
void xs_dom_free(struct xenstore *xs, struct xs_dom *dom);
bool xs_dom_room(const struct xs_dom *dom, uint32_t nodes, uint32_t bytes);

/* xs_view.c: the operations, on the store or on a transaction's view of it */
int xs_view_get(struct xs_view *view, const struct xs_path *path, unsigned int need, const struct xs_node **out);
int xs_view_write(struct xs_view *view, const struct xs_path *path, const void *value, size_t len);
int xs_view_mkdir(struct xs_view *view, const struct xs_path *path);
int xs_view_rm(struct xs_view *view, const struct xs_path *path);
int xs_view_set_perms(struct xs_view *view, const struct xs_path *path, const struct xs_perms *perms);

/* xs_tx.c */
int xs_tx_start(struct xs_conn *conn, uint32_t *id);
int xs_tx_end(struct xs_conn *conn, struct xs_tx *tx, bool commit);
struct xs_tx *xs_tx_find(struct xs_conn *conn, uint32_t id);
void xs_tx_drop_all(struct xs_conn *conn);
struct xs_tnode *xs_tx_peek(struct xs_tx *tx, const char *path, size_t len, uint64_t hash);
int xs_tx_touch(struct xenstore *xs, struct xs_tx *tx, const char *path, size_t len, struct xs_tnode **out);
int xs_tx_room(const struct xs_tx *tx, uint32_t bytes);
void xs_tx_recharge(struct xs_tx *tx, struct xs_tnode *t);

/* xs_watch.c */
int xs_watch_add(struct xs_conn *conn, const struct xs_path *path, const char *token, size_t token_len, struct xs_watch **out);
int xs_watch_find(struct xs_conn *conn, const struct xs_path *path, const char *token, size_t token_len, struct xs_watch **out);
void xs_watch_remove(struct xs_watch *watch);
void xs_watch_remove_all(struct xs_conn *conn);
void xs_watch_fire(struct xenstore *xs, const struct xs_node *node, const struct xs_perms *before, bool below);
void xs_event_post(struct xs_watch *watch, const char *path, size_t len, uint64_t hash);
void xs_event_unlink(struct xs_event *ev);
void xs_event_free(struct xs_event *ev);

/* xs_conn.c */
struct xs_conn *xs_conn_new(struct xenstore *xs, struct xs_dom *dom);
void xs_conn_free(struct xs_conn *conn);
void xs_conn_reset(struct xs_conn *conn);
bool xs_conn_has_output(const struct xs_conn *conn);
void xs_conn_break(struct xs_conn *conn, uint32_t code, const char *why);
void xs_conn_mark(struct xs_conn *conn);
size_t xs_conn_take(struct xs_conn *conn, const char *bytes, size_t n);
size_t xs_conn_give(struct xs_conn *conn, char *buf, size_t max);

/* xs_wire.c */
void xs_request(struct xs_conn *conn);

/* xenstore.c */
void xs_wait_idle(struct xenstore *xs, const void *what);
void xs_update_pending(struct xenstore *xs);

#endif
