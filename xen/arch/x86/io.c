/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports of a guest: a const table of the few that answer; all others read as ones and swallow writes. None reaches the
 * machine's own.
 */
#include <hv/domain.h>
#include <hv/subsys.h>

#include "vcpu.h"

#define PORT_PIT_2 0x42
#define PORT_DEBUG 0xe9

static uint32_t debug_in(struct vcpu *v, unsigned size)
{
	return PORT_DEBUG; /* tells that there is something at the port */
}

static void debug_out(struct vcpu *v, unsigned size, uint32_t val)
{
	char c = (char)val;

	console_emit(v->domain, &c, 1);
}

static void sleep_out(struct vcpu *v, unsigned size, uint32_t val)
{
	acpi_sleep_write(v->domain, (uint8_t)val);
}

/* There is no such timer. Linux looks whether it counts before it takes the clock that we tell: at ones it looks 100,000
 * times, which is 3 s of exits, at a zero it gives up. */
static uint32_t pit_in(struct vcpu *v, unsigned size)
{
	return 0;
}

static uint32_t sleep_status_in(struct vcpu *v, unsigned size)
{
	return 0;
}

static const struct port {
	uint16_t port;
	uint32_t (*in)(struct vcpu *v, unsigned size);
	void (*out)(struct vcpu *v, unsigned size, uint32_t val);
} ports[] = {
	{ PORT_PIT_2, pit_in, NULL },
	{ PORT_DEBUG, debug_in, debug_out },
	{ ACPI_SLEEP_CONTROL_PORT, NULL, sleep_out },
	{ ACPI_SLEEP_STATUS_PORT, sleep_status_in, NULL },
};

static const struct port *find_port(uint16_t port)
{
	for (unsigned i = 0; i < ENV_ARRAY_SIZE(ports); i++)
		if (ports[i].port == port)
			return &ports[i];
	return NULL;
}

uint32_t guest_io_in(struct vcpu *v, uint16_t port, unsigned size)
{
	const struct port *p = find_port(port);

	return p && p->in ? p->in(v, size) : ~0u;
}

void guest_io_out(struct vcpu *v, uint16_t port, unsigned size, uint32_t val)
{
	const struct port *p = find_port(port);

	if (p && p->out)
		p->out(v, size, val);
}
