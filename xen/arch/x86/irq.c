/* SPDX-License-Identifier: BSD-2-Clause */
/* Device interrupts: a table from vector to handler; every device interrupt is message-signalled, the legacy PIC is off. */
#include <errno.h>

#include <hv/irq.h>
#include <hv/log.h>

#include "irq_init.h"
#include "traps.h"
#include "x86.h"

struct handler {
	void (*fn)(void *arg);
	void *arg;
	const char *name;
	uint64_t count;
};

static struct handler handlers[VECTOR_MSI_LAST + 1];
static uint32_t next_vector = VECTOR_MSI_FIRST;
static struct env_lock alloc_lock;

void irq_init(void)
{
	/* Move the PIC's vectors out of the exceptions' way, then mask all of its lines. */
	outb(0x20, 0x11);
	outb(0xa0, 0x11);
	outb(0x21, 0x20);
	outb(0xa1, 0x28);
	outb(0x21, 4);
	outb(0xa1, 2);
	outb(0x21, 1);
	outb(0xa1, 1);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

int irq_alloc_msi(uint32_t cpu, void (*fn)(void *arg), void *arg, const char *name, struct msi_message *out)
{
	env_lock(&alloc_lock);
	uint32_t vector = next_vector <= VECTOR_MSI_LAST ? next_vector++ : 0;
	env_unlock(&alloc_lock);
	if (!vector)
		return -ENOSPC;
	handlers[vector] = (struct handler){ fn, arg, name, 0 };
	out->address = 0xfee00000UL | (uint64_t)(cpus[cpu].apic_id & 0xff) << 12;
	out->data = vector;
	log_debug("irq: vector %#x on cpu %u for %s", vector, cpu, name);
	return 0;
}

void irq_dispatch(uint32_t vector)
{
	struct handler *h = &handlers[vector];

	if (!h->fn)
		return;
	h->count++;
	h->fn(h->arg);
}
