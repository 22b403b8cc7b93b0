/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit log's own structures; shared by the files of this folder only. Guarded by audit.lock. */
#ifndef AUDIT_AUDIT_PRIVATE_H
#define AUDIT_AUDIT_PRIVATE_H

#include <env.h>
#include <errno.h>
#include <assert.h>
#include <string.h>

#include <audit/audit.h>

#define AUDIT_SINKS 4
#define AUDIT_RATE_SLOTS 256
#define AUDIT_PARTS_MAX 30 /* aligned blocks that any range falls into */

struct audit_sha256 {
	uint32_t h[8];
	uint64_t len;
	uint8_t block[64];
};

void audit_sha256_begin(struct audit_sha256 *s);
void audit_sha256_add(struct audit_sha256 *s, const void *data, size_t n);
void audit_sha256_end(struct audit_sha256 *s, uint8_t out[AUDIT_HASH_SIZE]);

/* --- audit_hold.c --- */

struct audit_hold;

/* One block of a present holding, in the table by key. */
struct audit_part {
	struct audit_part *next;
	struct audit_hold *hold;
	uint64_t key;
};

struct audit_hold {
	uint64_t from_ns, seq;
	uint32_t addr;
	struct audit_ports ports;
	uint16_t domid;
	uint8_t protos;
	uint32_t n_parts;
	char domain[AUDIT_NAME_MAX];
	struct audit_part part[];
};

/* Past holdings, numbered from 1 and kept in rings; a number too old for its ring is void. */
struct audit_past_hold {
	uint64_t seq;
	uint16_t domid;
	char domain[AUDIT_NAME_MAX];
};

struct audit_past_part {
	uint64_t key, hold;
	uint64_t from_ns, to_ns;
	uint64_t prev, jump;   /* earlier ones of the same key */
	uint64_t depth, jump_depth;
	uint32_t next;         /* slot + 1, of the bucket; only the newest of a key is in it */
};

struct audit_holdings {
	struct audit_part **open;
	uint32_t n_open, max_open, open_buckets;
	struct audit_past_hold *holds;
	struct audit_past_part *parts;
	uint32_t *newest;      /* buckets: slot + 1 */
	uint32_t cap, buckets;
	uint64_t last_hold, last_part;
	uint64_t floor_ns;     /* nothing forgotten reaches beyond */
	uint32_t used[17];     /* bit k of [a]: blocks of that shape exist or existed */
	uint16_t protos_used;  /* bit n: protocol mask n does */
};

int audit_holdings_init(struct audit_holdings *h, uint32_t past, uint32_t present);
void audit_holdings_destroy(struct audit_holdings *h);
bool audit_ports_valid(const struct audit_ports *ports, uint8_t protos);
int audit_hold_open(struct audit_holdings *h, uint64_t now, const struct audit_domain *dom, uint32_t addr, uint8_t protos,
		    const struct audit_ports *ports, struct audit_hold **out);
struct audit_hold *audit_hold_find(struct audit_holdings *h, uint16_t domid, uint32_t addr, uint8_t protos,
				   const struct audit_ports *ports);
void audit_hold_close(struct audit_holdings *h, uint64_t now, struct audit_hold *hold);
bool audit_hold_lookup(const struct audit_holdings *h, uint32_t addr, uint8_t proto, uint16_t port, uint64_t t, struct audit_holder *out);

/* --- audit_thing.c --- */

struct audit_thing_hold {
	uint64_t seq;          /* 0: a free place */
	uint64_t from_ns, to_ns; /* to_ns 0: present */
	struct audit_thing thing;
	uint16_t domid;
	char domain[AUDIT_NAME_MAX];
};

struct audit_things {
	struct audit_thing_hold *v;
	uint32_t cap;
	uint64_t floor_ns;     /* nothing forgotten reaches beyond */
};

int audit_things_init(struct audit_things *t, uint32_t cap);
void audit_things_destroy(struct audit_things *t);
bool audit_thing_valid(const struct audit_thing *x);
/* -ENOSPC. The record's number is the caller's to set. */
int audit_thing_open(struct audit_things *t, uint64_t now, const struct audit_domain *dom, const struct audit_thing *x,
		     struct audit_thing_hold **out);
struct audit_thing_hold *audit_thing_find(struct audit_things *t, uint16_t domid, const struct audit_thing *x);
bool audit_thing_lookup(const struct audit_things *t, const struct audit_thing *x, uint64_t at, struct audit_holder *out);

/* --- audit.c --- */

struct audit_rate {
	bool used;
	uint16_t domid;
	uint8_t protos;
	uint16_t first, last;
	uint32_t addr;
	uint64_t since_ns, count;
	char domain[AUDIT_NAME_MAX];
};

struct audit {
	struct env_lock lock;
	struct audit_record *ring;
	uint32_t size;
	uint64_t last_seq;
	uint64_t start_ns, last_ns;
	uint64_t rate_ns;
	uint8_t chain[AUDIT_HASH_SIZE];
	struct audit_sink sink[AUDIT_SINKS];
	uint32_t n_sinks;
	struct audit_holdings holdings;
	struct audit_things things;
	struct audit_rate rate[AUDIT_RATE_SLOTS];
};

/* => under the lock. Fills in seq and hash; returns the number. */
uint64_t audit_append(struct audit *a, struct audit_record *rec);
void audit_set_domain(struct audit_record *rec, uint16_t domid, const char *name);
uint64_t audit_clock(struct audit *a, uint64_t utc_ns);
void audit_copy_text(char *to, size_t size, const char *from);

#endif
