/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of bytes to the machine outside: how the control protocol travels.
 *
 * Everything here runs in SOFTIRQ_CONTROL on one CPU at a time; the callbacks run inside byte_ports_service().
 */
#ifndef DRIVERS_BYTE_PORT_H
#define DRIVERS_BYTE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_port;

struct byte_port_user {
	/* => take bytes in order; returns how many. The rest is offered again after byte_port_resume(). */
	size_t (*input)(void *ctx, const uint8_t *bytes, size_t n);
	/* => there is room again after a write that was cut short. */
	void (*room)(void *ctx);
	/* => the other end has come or gone. */
	void (*open)(void *ctx, bool open);
};

struct byte_port_ops {
	size_t (*write)(struct byte_port *port, const void *bytes, size_t n);
	void (*resume)(struct byte_port *port);
};

struct byte_port {
	const struct byte_port_ops *ops;
	const struct byte_port_user *user; /* NULL: nobody; input waits in the device */
	void *ctx;
	char name[32];
	bool open;
	bool want_room;                    /* a write was cut short */
	struct byte_port *next;
};

/* => the port of that name, once the device has told it (some time after boot); NULL before. */
struct byte_port *byte_port_find(const char *name);
/* => called for each port as it gets its name. One listener. */
void byte_port_listen(void (*found)(struct byte_port *port));
void byte_port_attach(struct byte_port *port, const struct byte_port_user *user, void *ctx);
/* => how many of the n bytes were taken. */
size_t byte_port_write(struct byte_port *port, const void *bytes, size_t n);
/* => the user can take input again. */
void byte_port_resume(struct byte_port *port);

/* The softirq's work: input, room, opening. Raises SOFTIRQ_CONTROL again when more is left. */
void byte_ports_service(void);

/* For drivers. */
void byte_port_register(struct byte_port *port);
void byte_port_poller(void (*service)(void));

#endif
