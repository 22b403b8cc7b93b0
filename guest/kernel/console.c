/* SPDX-License-Identifier: BSD-2-Clause */
/* The PV console: two byte rings in one shared page. Before it is there, text goes to the debug port 0xE9. */
#include "console.h"
#include <stdio.h>
#include <string.h>
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include <xen/hvm/params.h>

static struct xencons_interface *ring;
static evtchn_port_t port;

struct xencons_interface *console_ring(void)
{
	return ring;
}

uint32_t console_port(void)
{
	return port;
}

static void debug_write(const char *s, size_t n)
{
	while (n--)
		outb(0xe9, (uint8_t)*s++);
}

void console_init(void)
{
	uint64_t gfn, evtchn;

	if (hvm_param_get(HVM_PARAM_CONSOLE_PFN, &gfn) || hvm_param_get(HVM_PARAM_CONSOLE_EVTCHN, &evtchn) || !gfn)
		return;
	port = (evtchn_port_t)evtchn;
	event_bind(port, NULL, NULL);
	ring = (void *)(gfn << 12);
}

void console_write(const char *s, size_t n)
{
	if (!ring) {
		debug_write(s, n);
		return;
	}
	while (n) {
		XENCONS_RING_IDX cons = READ_ONCE(ring->out_cons), prod = ring->out_prod;

		mb();
		if (prod - cons >= sizeof(ring->out)) {
			hv_sched(SCHEDOP_yield, NULL);
			continue;
		}
		while (n && prod - cons < sizeof(ring->out)) {
			ring->out[MASK_XENCONS_IDX(prod++, ring->out)] = *s++;
			n--;
		}
		wmb();
		WRITE_ONCE(ring->out_prod, prod);
		hv_notify(port);
	}
}

int console_getc(void)
{
	XENCONS_RING_IDX cons;
	int c;

	if (!ring)
		return -1;
	cons = ring->in_cons;
	if (cons == READ_ONCE(ring->in_prod))
		return -1;
	mb();
	c = (unsigned char)ring->in[MASK_XENCONS_IDX(cons, ring->in)];
	mb();
	WRITE_ONCE(ring->in_cons, cons + 1);
	hv_notify(port);
	return c;
}

void console_flush(void)
{
	uint64_t end = clock_ns() + SEC;

	while (ring && READ_ONCE(ring->out_cons) != ring->out_prod && clock_ns() < end)
		hv_sched(SCHEDOP_yield, NULL);
}

/* The console's terminal wants a carriage return before a line feed. */
void vprintk(const char *fmt, va_list ap)
{
	char buf[512], *p = buf, *nl;

	vsnprintf(buf, sizeof(buf), fmt, ap);
	while ((nl = strchr(p, '\n'))) {
		console_write(p, (size_t)(nl - p));
		console_write("\r\n", 2);
		p = nl + 1;
	}
	console_write(p, strlen(p));
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}
