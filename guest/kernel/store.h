/* SPDX-License-Identifier: BSD-2-Clause */
/* The xenstore client. One request at a time; watch events that arrive meanwhile are kept. Errors are -errno. */
#ifndef GUEST_STORE_H
#define GUEST_STORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* xs_wire.h has its error table only once the numbers are known. */
#include <errno.h>
#include <xen/io/xs_wire.h>

void store_init(void);
/* The raw request: LEN bytes of payload; the reply's payload, cut to SIZE - 1 and terminated, goes to REPLY. => its length or -errno. */
int store_request(unsigned int type, uint32_t tx, const void *payload, size_t len, char *reply, size_t size);
int store_read(const char *path, char *buf, size_t size);
/* => OTHERWISE when there is no such node. */
unsigned long store_read_number(const char *dir, const char *name, unsigned long otherwise);
int store_write(const char *path, const char *value);
int store_printf(const char *dir, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int store_remove(const char *path);
int store_watch(const char *path, const char *token);
int store_unwatch(const char *path, const char *token);
/* Wait for a watch event of TOKEN; => whether one came in time. */
bool store_wait_event(const char *token, uint64_t timeout_ns);
/* Wait until the number at DIR/NAME is WANT (a device's state, mostly). */
bool store_wait_number(const char *dir, const char *name, unsigned long want, uint64_t timeout_ns);
unsigned int store_own_domid(void);
struct xenstore_domain_interface *store_ring(void);
uint32_t store_port(void);
#endif
