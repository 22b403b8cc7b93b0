/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit log: who did what when, and above all who held a port of a shared address at a given time.
 *
 * Records are numbered from 1, chained by SHA-256, and kept in a ring in memory; readers page through them by number.
 * Slice holdings are indexed apart from the ring: a holder of today is known however many records have passed since, and
 * what the bounded index had to forget is answered "not known", never "nobody".
 * Addresses and ports are in host byte order. Any CPU may call; one lock inside.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit;

enum audit_kind {
	AUDIT_LOG_STARTED = 1,
	AUDIT_SLICE_GRANTED,
	AUDIT_SLICE_FREED,
	AUDIT_DOMAIN_STARTED,
	AUDIT_DOMAIN_STOPPED,
	AUDIT_SOURCE_VIOLATION,
	AUDIT_ADDR_ADDED,
	AUDIT_ADDR_REMOVED,
	AUDIT_POLICY_CHANGED,
	AUDIT_SESSION_REFUSED,
	AUDIT_THING_GRANTED,
	AUDIT_THING_FREED,
	AUDIT_KINDS
};

#define AUDIT_TCP   1u
#define AUDIT_UDP   2u
#define AUDIT_ICMP  4u /* echo identifiers */
#define AUDIT_SCTP  8u
#define AUDIT_PROTOS 15u

#define AUDIT_NO_DOMAIN 0xffffu
#define AUDIT_NAME_MAX 32
#define AUDIT_TEXT_MAX 48
#define AUDIT_HASH_SIZE 32

/* A contiguous range (set false), or the port set of RFC 7597: offset bits a, length k and number of the set. */
struct audit_ports {
	bool set;
	uint8_t offset_bits, psid_bits;
	uint16_t psid;
	uint16_t first, last; /* of a set: its lowest and its highest port, filled in by audit_ports_set() */
};

static inline struct audit_ports audit_ports_range(uint16_t first, uint16_t last)
{
	return (struct audit_ports){ .first = first, .last = last };
}

/*
 * What is not split by ports: a whole address (prefix 32) or IPv6 prefix (64, 128), or another protocol of a shared address (prefix 0),
 * of ESP one SPI or (0) all.
 */
struct audit_thing {
	uint32_t addr;      /* IPv4; 0: addr6 */
	uint8_t addr6[16];
	uint8_t prefix;
	uint8_t ip_proto;
	uint32_t spi;
};
#define AUDIT_ESP 50

/* => a + k <= 16 and psid < 2^k. */
struct audit_ports audit_ports_set(uint8_t offset_bits, uint8_t psid_bits, uint16_t psid);

struct audit_record {
	uint64_t seq;
	uint64_t utc_ns;
	uint16_t kind;               /* enum audit_kind */
	uint16_t domid;              /* AUDIT_NO_DOMAIN: none */
	uint8_t protos;              /* AUDIT_TCP | ... */
	struct audit_ports ports;
	uint32_t addr;               /* IPv4; 0: none */
	struct audit_thing thing;    /* of AUDIT_THING_*; its IPv4 address is in addr too */
	uint64_t count;              /* of what the record sums up; 1 for a single event */
	char domain[AUDIT_NAME_MAX]; /* NUL-padded, always closed */
	char text[AUDIT_TEXT_MAX];   /* reason, policy name, peer; likewise */
	uint8_t hash[AUDIT_HASH_SIZE];
};

struct audit_config {
	uint32_t records;    /* ring size; 0: 4096 */
	uint32_t intervals;  /* past holdings kept for audit_whois(); 0: 8192 */
	uint32_t holders;    /* present holdings at most; 0: 4096 */
	uint32_t things;     /* present and past holdings of what has no ports; 0: 8192 */
	uint64_t rate_ns;    /* one violation record a domain and this long; 0: 1 s */
	uint64_t start_utc_ns;
};

struct audit *audit_create(const struct audit_config *config);
void audit_destroy(struct audit *audit);

struct audit_domain {
	uint16_t id;
	const char *name;
};

/* 0, -EINVAL (ports), -ENOSPC (holders), -ENOMEM: then there is no record, and the caller must not grant. */
int audit_slice_granted(struct audit *audit, uint64_t utc_ns, const struct audit_domain *dom, uint32_t addr, uint8_t protos,
			const struct audit_ports *ports);
/* -ENOENT when that domain holds no such slice. Needs no memory. */
int audit_slice_freed(struct audit *audit, uint64_t utc_ns, const struct audit_domain *dom, uint32_t addr, uint8_t protos,
		      const struct audit_ports *ports);
/* The same for what has no ports. */
int audit_thing_granted(struct audit *audit, uint64_t utc_ns, const struct audit_domain *dom, const struct audit_thing *thing);
int audit_thing_freed(struct audit *audit, uint64_t utc_ns, const struct audit_domain *dom, const struct audit_thing *thing);
void audit_domain_started(struct audit *audit, uint64_t utc_ns, const struct audit_domain *dom);
void audit_domain_stopped(struct audit *audit, uint64_t utc_ns, const struct audit_domain *dom, const char *reason);
void audit_addr_added(struct audit *audit, uint64_t utc_ns, uint32_t addr);
void audit_addr_removed(struct audit *audit, uint64_t utc_ns, uint32_t addr);
void audit_policy_changed(struct audit *audit, uint64_t utc_ns, const char *what);
void audit_session_refused(struct audit *audit, uint64_t utc_ns, const char *peer_and_reason);
/* `count` packets with a source port that is not the domain's. The first is recorded at once, later ones of the same period
 * are summed up in one record, written when the period is over: by the next call or by audit_tick(). */
void audit_source_violation(struct audit *audit, uint64_t utc_ns, const struct audit_domain *dom, uint32_t addr, uint8_t proto,
			    uint16_t port, uint64_t count);
/* Write the sums that are due; about once a second. */
void audit_tick(struct audit *audit, uint64_t utc_ns);

/* --- reading --- */

struct audit_page {
	uint32_t n;     /* records copied */
	uint64_t lost;  /* records from `seq` on that the ring has already dropped */
	uint64_t next;  /* where the next page begins */
};

struct audit_page audit_read(struct audit *audit, uint64_t seq, struct audit_record *out, uint32_t max);
/* Number of the newest record. */
uint64_t audit_last_seq(struct audit *audit);

/* Called with each new record under the log's lock: brief, and without a call back into the log. At most 4. */
struct audit_sink {
	void (*record)(void *ctx, const struct audit_record *rec);
	void *ctx;
};
int audit_sink_add(struct audit *audit, const struct audit_sink *sink);

enum audit_answer {
	AUDIT_HELD,    /* by the domain named */
	AUDIT_NOBODY,  /* nobody held it then */
	AUDIT_BEFORE,  /* not known: before the log starts */
	AUDIT_EVICTED, /* not known: the index no longer reaches back that far */
};

struct audit_holder {
	enum audit_answer answer;
	uint16_t domid;
	char domain[AUDIT_NAME_MAX];
	uint64_t from_ns, to_ns; /* to_ns 0: still held */
	uint64_t seq;            /* of the grant's record */
	uint64_t known_from_ns;  /* the answers are complete from here on */
};

/* Who held port `port` of `addr` for one protocol (AUDIT_TCP, ...) at that time? From `from` on, up to but not at `to`. */
struct audit_holder audit_whois(struct audit *audit, uint32_t addr, uint8_t proto, uint16_t port, uint64_t utc_ns);
/* The same for an address as a whole (all but an address 0), or another protocol (ip_proto, and spi of ESP) of a shared one. */
struct audit_holder audit_whois_thing(struct audit *audit, const struct audit_thing *asked, uint64_t utc_ns);

const char *audit_kind_name(uint16_t kind);
/* What the chain hashes, after the previous record's hash: the record without its own hash, little-endian, fields in order. */
#define AUDIT_ENCODED_SIZE 144
void audit_encode(const struct audit_record *rec, uint8_t out[AUDIT_ENCODED_SIZE]);
/* Does `rec` follow a record whose hash is `prev`? For the record number 1 `prev` is all zero. */
bool audit_verify(const struct audit_record *rec, const uint8_t prev[AUDIT_HASH_SIZE]);

#endif
