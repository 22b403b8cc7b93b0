/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's library: a connection to the control port, text and its meaning, the site file, the boot plan, kernels.
 * It knows <public/vfr_control.h> and nothing else of the hypervisor; vfrctl and a control domain's daemon link it.
 */
#ifndef VFRC_H
#define VFRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <public/vfr_control.h>

/* --- frames: frame.c ------------------------------------------------------------------------------------------------- */

uint32_t vfrc_crc(uint32_t crc, const void *bytes, size_t n);
/* => bytes written, with the closing zero: VC_STREAM_MAX(n) at most */
size_t vfrc_cobs(const uint8_t *in, size_t n, uint8_t *out);
/* => bytes of the decoded frame (without its closing zero), or -1 */
long vfrc_uncobs(const uint8_t *in, size_t n, uint8_t *out, size_t max);
/* => a whole plain message into out, which has room for sizeof(struct vc_msg) + n */
size_t vfrc_message(uint8_t *out, uint16_t type, uint32_t seq, uint32_t session, const void *body, size_t n);

/* --- connection: conn.c ---------------------------------------------------------------------------------------------- */

struct vfrc;

struct vfrc_reply {
	const uint8_t *body;	/* until the next call */
	size_t n;
	struct vc_error err;	/* of a refusal */
};

enum { VFRC_OK = 0, VFRC_REFUSED = 1, VFRC_LOST = 3 };

/* => NULL with the reason in why. Waits for a while when another client has the port, and says so on stderr after a second. */
struct vfrc *vfrc_open(const char *path, char *why, size_t size);
void vfrc_close(struct vfrc *c);
const char *vfrc_server(const struct vfrc *c);
uint64_t vfrc_generation(const struct vfrc *c);	/* at the time of HELLO */
int vfrc_call(struct vfrc *c, uint16_t type, const void *body, size_t n, struct vfrc_reply *r);
/* => the whole of a paged list: fn for each reply's records, until it returns non-zero or the list ends */
int vfrc_pages(struct vfrc *c, uint16_t type, struct vc_page *q, int (*fn)(void *ctx, const struct vc_page_reply *p, const uint8_t *rec,
	       const uint8_t *end), void *ctx, struct vfrc_reply *r);

/* --- text: text.c, ports.c -------------------------------------------------------------------------------------------- */

/* Parsers return 0, or -1 where the text is not one. */
int vfrc_parse_ip(const char *s, struct vc_ip *ip);
int vfrc_parse_prefix(const char *s, struct vc_ip *ip, uint8_t *len, bool *given);	/* len counted in the address's own bits */
void vfrc_format_ip(const struct vc_ip *ip, char *out, size_t n);
bool vfrc_ip_is_v4(const struct vc_ip *ip);
bool vfrc_ip_is_zero(const struct vc_ip *ip);
int vfrc_parse_size(const char *s, uint64_t *bytes);		/* 256M, 4MiB, 1G, 65536 */
int vfrc_parse_rate(const char *s, uint64_t *bps);		/* 50mbit, 1gbit, 9600bit */
int vfrc_parse_duration(const char *s, uint64_t *ms);		/* 5m, 30s, 500ms, 1h */
int vfrc_parse_count(const char *s, uint64_t max, uint64_t *n);	/* 200, 200/s */
int vfrc_parse_mac(const char *s, uint8_t mac[6]);
int vfrc_parse_time(const char *s, uint64_t *utc_ns);		/* 2026-11-21T12:00:03Z; as mails and web servers write it; @seconds */
void vfrc_format_time(uint64_t utc_ns, char *out, size_t n);
void vfrc_format_size(uint64_t bytes, char *out, size_t n);
void vfrc_format_rate(uint64_t bps, char *out, size_t n);
void vfrc_format_protos(unsigned int protos, char *out, size_t n);
/* => 20000-20999, 80/tcp, mape 6/8/52, 80/tcp+udp, split 20000-59999/1000/3 (23000-23999) */
int vfrc_parse_ports(const char *s, struct vc_slice_add *slice);
/* => gre, 41, protocol 41, esp spi 0x1000: what has no ports */
int vfrc_parse_protocol(const char *s, struct vc_slice_add *slice);
void vfrc_format_ports(const struct vc_slice_add *slice, char *out, size_t n);
/* => [ADDR:]PORTS; *addr_given tells whether there was an address */
int vfrc_parse_slice(const char *s, struct vc_slice_add *slice, bool *addr_given);
/* => fn for each run of ports of a range or MAP-E set, in rising order */
void vfrc_each_run(const struct vc_slice_add *slice, void (*fn)(void *ctx, unsigned int first, unsigned int last), void *ctx);
int vfrc_proto_number(const char *name);			/* IP protocol number, or -1 */
unsigned int vfrc_proto_bit(const char *name);			/* VC_PROTO_*, or 0 */
bool vfrc_name_ok(const char *s, size_t size);
/* dscp.c: ef,af41,10-12; bit n of the set is DSCP n */
int vfrc_parse_dscps(const char *s, uint64_t *set);
void vfrc_format_dscps(uint64_t set, char *out, size_t n);
/* => the candidate nearest to the word, NULL when none is near */
const char *vfrc_suggest(const char *word, const char *const *candidates, size_t n);

/* --- rules: rule.c --------------------------------------------------------------------------------------------------- */

/* => 0, or -1 with why filled and *at the offset of the word at fault */
int vfrc_parse_rule(const char *s, struct vc_rule *rule, char *why, size_t size, size_t *at);
void vfrc_format_rule(const struct vc_rule *rule, char *out, size_t n);
const char *vfrc_action_name(unsigned int action);

/* --- rates and limits: rate.c ------------------------------------------------------------------------------------------ */

#define VFRC_RATE_KEYS 16
/* => the words of the keys, in the order of their numbers */
size_t vfrc_rate_names(const char *names[VFRC_RATE_KEYS]);
/* => the key of that number set; -1 and why */
int vfrc_rate_key(struct vc_rate_set *r, size_t key, const char *value, char *why, size_t size);
/* => what is set, as one line: out 50mbit, weight 3 */
void vfrc_format_rates(const struct vc_rate_set *r, char *out, size_t n);

/* --- a set of objects: objects.c ------------------------------------------------------------------------------------- */

struct object {
	uint16_t type;
	uint16_t length;
	int line, col;		/* in the site file; 0: from elsewhere */
	uint8_t body[];
};

struct objects {
	struct object **v;
	size_t n, room;
};

void objects_free(struct objects *o);
struct object *objects_add(struct objects *o, uint16_t type, const void *body, size_t n, int line, int col);
void objects_remove(struct objects *o, size_t i);
int object_cmp(const struct object *a, const struct object *b);
bool object_same(const struct object *a, const struct object *b);
void objects_sort(struct objects *o);
/* => the object of that key, or NULL; the set must be sorted */
struct object *objects_find(const struct objects *o, const struct object *key);
/* => the configuration of a generation (0: current) */
int objects_read(struct vfrc *c, uint64_t generation, uint16_t type, struct objects *out, struct vfrc_reply *r);
/* => one line for people; and the domain it belongs to, or "" */
void object_describe(const struct object *o, char *out, size_t n);
const char *object_domain(const struct object *o);
const char *object_kind_name(uint16_t type);

/* --- site file: site*.c ---------------------------------------------------------------------------------------------- */

/* A kernel or ramdisk that the file names, and the module it becomes: its name tells its content. */
struct module {
	char *path;
	char name[VC_MODULE];
	uint8_t *bytes;		/* the file as it is */
	size_t size;
	bool kernel;
	int line, col;
};

struct site_error {
	int line, col;
	char *text;
};

struct site {
	const char *file;
	bool quiet;		/* errors are kept below, not told on stderr */
	struct site_error *error;
	struct objects objects;
	struct module **modules;
	size_t nmodules;
	int errors;		/* all are told as FILE:LINE:COL: TEXT */
	void *yaml;
	const void *told;	/* the node of the last complaint */
};

/* => reads and checks a file and sorts its objects; the number of errors. The rest of site is zero but for `quiet`. */
int site_read(const char *file, struct site *site);
void site_free(struct site *site);
void site_error(struct site *s, int line, int col, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* => no port twice, all names known */
void site_check(struct site *s);
/* => the module for a file, NULL when it cannot be read (an error is told) */
struct module *site_module(struct site *s, const char *path, bool kernel, int line, int col);

/* --- kernels: kernel.c, unpack.c -------------------------------------------------------------------------------------- */

/* => an ELF with a PVH entry in *out (malloc), from an ELF or a bzImage; or -1 and why */
int kernel_load(const uint8_t *file, size_t n, uint8_t **out, size_t *size, char *why, size_t whysize);
/* => what a kernel image carries, by the compressor's magic; or -1 and why */
int unpack_payload(const uint8_t *in, size_t n, uint8_t **out, size_t *size, char *why, size_t whysize);
int file_read(const char *path, uint8_t **out, size_t *size, char *why, size_t whysize);
int file_write(const char *path, const void *bytes, size_t n, char *why, size_t whysize);

/* --- boot plan: plan.c ------------------------------------------------------------------------------------------------ */

/* => the file's bytes (malloc) */
uint8_t *plan_make(const struct objects *o, const char *note, uint64_t utc_ns, size_t *size);

#endif
