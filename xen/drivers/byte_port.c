/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of byte ports, and the pollers of their drivers.
 */
#include <string.h>

#include <env.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <drivers/byte_port.h>

#define POLLERS_MAX 4

static struct byte_port *ports;
static void (*listener)(struct byte_port *port);
static void (*pollers[POLLERS_MAX])(void);
static unsigned int nr_pollers;

struct byte_port *byte_port_find(const char *name)
{
	for (struct byte_port *p = ports; p; p = p->next)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

void byte_port_listen(void (*found)(struct byte_port *port))
{
	listener = found;
	for (struct byte_port *p = ports; p; p = p->next)
		found(p);
}

void byte_port_attach(struct byte_port *port, const struct byte_port_user *user, void *ctx)
{
	port->user = user;
	port->ctx = ctx;
	softirq_raise(SOFTIRQ_CONTROL);
}

size_t byte_port_write(struct byte_port *port, const void *bytes, size_t n)
{
	size_t taken = port->ops->write(port, bytes, n);

	if (taken < n)
		port->want_room = true;
	return taken;
}

void byte_port_resume(struct byte_port *port)
{
	port->ops->resume(port);
}

void byte_ports_service(void)
{
	for (unsigned int i = 0; i < nr_pollers; i++)
		pollers[i]();
}

void byte_port_register(struct byte_port *port)
{
	port->next = ports;
	ports = port;
	log_info("byte port %s: there", port->name);
	if (listener)
		listener(port);
}

void byte_port_poller(void (*service)(void))
{
	ENV_ASSERT(nr_pollers < POLLERS_MAX);
	pollers[nr_pollers++] = service;
}
