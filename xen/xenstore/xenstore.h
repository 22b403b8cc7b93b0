/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xenstore: the tree of small values through which guests and backends find each other. The public header.
 *
 * All functions may be called on any CPU; one lock inside guards the tree. No callback ever runs under that lock:
 * watches of the hypervisor's own backends and "this connection has output" calls are delivered by xs_run_pending(),
 * which the caller runs wherever it may take its own locks.
 * Errors are -errno; those a guest can see are the ones of <xen/io/xs_wire.h>.
 */
#ifndef XENSTORE_XENSTORE_H
#define XENSTORE_XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xenstore;
struct xs_conn;
struct xs_watch;
struct xenstore_domain_interface;

/* What one domain may hold in the store. Domain 0, the hypervisor itself, has no quota. */
struct xs_quota {
	uint32_t nodes;        /* nodes owned */
	uint32_t bytes;        /* of nodes, watches and open transactions together */
	uint32_t value_bytes;  /* of one node */
	uint32_t depth;        /* components of a path */
	uint32_t watches;
	uint32_t transactions; /* open at once */
	uint32_t tx_nodes;     /* nodes read or written by one transaction */
};

extern const struct xs_quota xs_quota_default;

struct xs_usage {
	uint32_t nodes, bytes, watches, transactions;
};

/* --- the store and its domains --- */

/* `seed`: a random number, so that no guest can aim at one hash bucket. NULL without memory. */
struct xenstore *xs_create(uint64_t seed);
/* => every connection is closed. */
void xs_destroy(struct xenstore *xs);

/* Make a domain known: permissions that name it count from now on. quota NULL: the default. -EEXIST, -ENOMEM. */
int xs_domain_add(struct xenstore *xs, uint16_t domid, const struct xs_quota *quota);
/* Forget it: its home, its backends' nodes, all it owns; permissions that name it are void, for a successor too.
 * => its connection is closed. */
void xs_domain_remove(struct xenstore *xs, uint16_t domid);
bool xs_domain_known(struct xenstore *xs, uint16_t domid);
int xs_domain_usage(struct xenstore *xs, uint16_t domid, struct xs_usage *out);

/* What a new domain finds in its home, /local/domain/<domid>. */
struct xs_home {
	uint16_t domid;
	const char *name;
	uint8_t uuid[16];
	uint64_t memory_kib;
	uint32_t vcpus;
	uint64_t store_gfn;
	uint32_t store_port;
	uint64_t console_gfn;
	uint32_t console_port;
};

/* => xs_domain_add() was done. On an error nothing stays behind. */
int xs_home_add(struct xenstore *xs, const struct xs_home *home);

/* The two ends of a virtual interface, both in state Initialising: /local/domain/<domid>/device/vif/<n> and
 * /local/domain/0/backend/vif/<domid>/<n>. Features and the backend's state are the backend's to write. */
int xs_vif_add(struct xenstore *xs, uint16_t domid, uint32_t n, const uint8_t mac[6], uint32_t mtu);
void xs_vif_remove(struct xenstore *xs, uint16_t domid, uint32_t n);

/* --- the hypervisor's own use, with domain 0's rights, outside of transactions --- */

int xs_write(struct xenstore *xs, const char *path, const void *value, size_t len);
/* The node `name` of directory `dir`, formatted. Longer than 255 bytes: -E2BIG. */
int xs_printf(struct xenstore *xs, const char *dir, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The value, cut to size - 1 bytes and closed with a NUL; returns its full length, or -ENOENT. */
int xs_read(struct xenstore *xs, const char *path, char *buf, size_t size);
/* The node `name` of `dir` as a decimal number: 0, -ENOENT, or -EINVAL when it is none. */
int xs_read_u32(struct xenstore *xs, const char *dir, const char *name, uint32_t *value);
/* Names of the children, each closed with a NUL; the length of them all, or -errno; -E2BIG when `size` is too small. */
int xs_directory(struct xenstore *xs, const char *path, char *buf, size_t size);
int xs_mkdir(struct xenstore *xs, const char *path);
/* The node and all below it. -ENOENT when it is not there. */
int xs_rm(struct xenstore *xs, const char *path);
/* "n0 r5": owner and everybody's right first, then further domains; letters n, r, w, b. */
int xs_set_perms(struct xenstore *xs, const char *path, const char *perms);

/* Watch a path: `fn` is called by xs_run_pending() once soon and then after each change at or below it. The path given is
 * the one that changed, or the watched one when many did. */
typedef void xs_watch_fn(void *ctx, const char *path);
int xs_watch(struct xenstore *xs, const char *path, xs_watch_fn *fn, void *ctx, struct xs_watch **out);
/* On return `fn` is neither running nor will run. => not called from within `fn`, no lock held that `fn` takes. */
void xs_unwatch(struct xenstore *xs, struct xs_watch *watch);

/* Is there anything for xs_run_pending() to do? Cheap, without the lock. */
bool xs_pending(struct xenstore *xs);
/* Call watches and output_ready callbacks that are due, at most 256 of them. True when more are left.
 * A second CPU that enters meanwhile returns true at once. */
bool xs_run_pending(struct xenstore *xs);

/* --- connections of guests --- */

struct xs_conn_ops {
	/* There is output that was not there before; called by xs_run_pending(). */
	void (*output_ready)(void *ctx);
};

/* One a domain; -> NULL when the domain is unknown, connected already, or memory is out. */
struct xs_conn *xs_conn_open(struct xenstore *xs, uint16_t domid, const struct xs_conn_ops *ops, void *ctx);
/* Drops its watches and transactions. On return output_ready is neither running nor will run; same rule as xs_unwatch(). */
void xs_conn_close(struct xs_conn *conn);

/* Take request bytes, cut anywhere. Returns how many were taken: fewer than n while a reply waits to be read. */
size_t xs_conn_input(struct xs_conn *conn, const void *bytes, size_t n);
/* Pull up to max bytes of replies and watch events. */
size_t xs_conn_output(struct xs_conn *conn, void *buf, size_t max);
/* NULL, or why the connection is served no more. */
const char *xs_conn_fault(struct xs_conn *conn);

#define XS_RING_NOTIFY 1 /* send the guest an event */
#define XS_RING_MORE   2 /* the work bound was reached: call again */

/* Begin to serve a ring page: sets its indices and features. */
void xs_ring_attach(struct xs_conn *conn, struct xenstore_domain_interface *ring);
/* Move bytes both ways, at most 8 requests. Returns XS_RING_ flags, or -EPROTO once the ring is broken (xs_conn_fault() names it). */
int xs_ring_service(struct xs_conn *conn, struct xenstore_domain_interface *ring);

#endif
