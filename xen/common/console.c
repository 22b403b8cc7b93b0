/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paravirtual console: the ring page of <xen/io/console.h>, a history of what the guest said, typing to it.
 *
 * Output goes from the ring into a history buffer that starts at one page and grows to 64 KiB as text comes; what is
 * older is lost. Readers name a position in the domain's whole output, so several may read and none is waited for.
 * The ring's indices that are ours (out_cons, in_prod) live in our memory; the guest's are read once. While they make no
 * sense the ring is not served; the log says so once, and it goes on when they do again.
 *
 * One lock for all consoles: what runs under it is a copy of at most a ring. Order: console_lock, then d->lock (events).
 * The handler of the event channel takes console_lock, so nothing waits for that handler under it.
 */
#include <string.h>

#include <hv/evtchn.h>
#include <hv/hypercall.h>
#include <hv/irq.h>
#include <hv/subsys.h>

#include "abi.h"
#include "layout.h"

#include <xen/hvm/params.h>
#include <xen/io/console.h>

#define HISTORY_MIN PAGE_SIZE
#define HISTORY_MAX (64 * 1024UL)
#define EMIT_CHUNK 256u
#define EMIT_PASS 4096u
#define WRITE_MAX (64u * 1024)
#define MIRROR_LINE 160

struct domain_console {
	struct xencons_interface *ring; /* referenced */
	uint32_t port;
	uint32_t out_cons, in_prod;
	bool complained;
	bool queued;                    /* on the list of rings to look at */
	struct domain *next;
	char *history;
	size_t size;                    /* of history, a power of two */
	uint64_t end;                   /* bytes of output so far */
	uint16_t domid;
	uint8_t line_len;               /* of the line being put together for the log */
	char line[MIRROR_LINE];
};

static struct env_lock console_lock;
static bool mirror;
static struct domain *kicked; /* domains whose ring moved; each holds a reference */

/* --- history --- */

/* Twice the buffer, with what it holds in the places of the larger one. Without memory it stays as it is. */
static void history_grow(struct domain_console *c)
{
	char *new = env_alloc(c->size * 2);

	if (!new)
		return;
	for (uint64_t pos = c->end > c->size ? c->end - c->size : 0; pos < c->end; pos++)
		new[pos & (c->size * 2 - 1)] = c->history[pos & (c->size - 1)];
	env_free(c->history, c->size);
	c->history = new;
	c->size *= 2;
}

void guest_console_mirror(bool on)
{
	mirror = on;
}

/* Whole lines of the guest as lines of the log; long ones are cut into several, control characters left out. */
static void mirror_add(struct domain_console *c, const char *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (buf[i] == '\n' || c->line_len == MIRROR_LINE) {
			log_info("dom%u| %.*s", c->domid, c->line_len, c->line);
			c->line_len = 0;
		}
		if (buf[i] >= ' ')
			c->line[c->line_len++] = buf[i];
	}
}

static void history_add(struct domain_console *c, const char *buf, size_t n)
{
	ASSERT(lock_is_held(&console_lock));
	while (c->end + n > c->size && c->size < HISTORY_MAX) {
		size_t before = c->size;
		history_grow(c);
		if (c->size == before)
			break;
	}
	for (size_t i = 0; i < n; i++)
		c->history[(c->end + i) & (c->size - 1)] = buf[i];
	c->end += n;
	if (mirror)
		mirror_add(c, buf, n);
}

size_t guest_console_read(struct domain *d, uint64_t *offset, void *buf, size_t max)
{
	size_t n = 0;

	env_lock(&console_lock);
	struct domain_console *c = d->console;
	if (c) {
		uint64_t first = c->end > c->size ? c->end - c->size : 0;
		if (*offset < first)
			*offset = first;
		while (n < max && *offset + n < c->end) {
			((char *)buf)[n] = c->history[(*offset + n) & (c->size - 1)];
			n++;
		}
	}
	env_unlock(&console_lock);
	return n;
}

uint64_t console_end(struct domain *d)
{
	env_lock(&console_lock);
	uint64_t end = d->console ? d->console->end : 0;
	env_unlock(&console_lock);
	return end;
}

void console_emit(struct domain *d, const char *buf, size_t n)
{
	env_lock(&console_lock);
	if (d->console)
		history_add(d->console, buf, n);
	env_unlock(&console_lock);
	softirq_raise_on(0, SOFTIRQ_CONTROL);
}

/* --- the ring --- */

static void ring_nonsense(struct domain *d, struct domain_console *c, const char *why)
{
	if (!c->complained)
		log_warn("dom%u '%s': console ring not served: %s", d->id, d->name, why);
	c->complained = true;
}

/* Take what the guest wrote. True: it may wait for the room. */
static bool ring_drain(struct domain *d, struct domain_console *c)
{
	struct xencons_interface *ring = c->ring;
	uint32_t prod = __atomic_load_n(&ring->out_prod, __ATOMIC_ACQUIRE);
	uint32_t n = prod - c->out_cons;

	if (n > sizeof(ring->out)) {
		ring_nonsense(d, c, "more output than the ring holds");
		return false;
	}
	if (!n)
		return false;
	uint32_t at = MASK_XENCONS_IDX(c->out_cons, ring->out);
	uint32_t first = n < sizeof(ring->out) - at ? n : (uint32_t)sizeof(ring->out) - at;
	history_add(c, ring->out + at, first);
	history_add(c, ring->out, n - first);
	c->out_cons = prod;
	__atomic_store_n(&ring->out_cons, prod, __ATOMIC_RELEASE);
	return true;
}

size_t guest_console_write(struct domain *d, const void *buf, size_t n)
{
	size_t done = 0;

	env_lock(&console_lock);
	struct domain_console *c = d->console;
	if (c) {
		struct xencons_interface *ring = c->ring;
		uint32_t used = c->in_prod - __atomic_load_n(&ring->in_cons, __ATOMIC_ACQUIRE);
		if (used > sizeof(ring->in)) {
			ring_nonsense(d, c, "it has read more input than was typed");
		} else {
			for (; done < n && used + done < sizeof(ring->in); done++)
				ring->in[MASK_XENCONS_IDX(c->in_prod + done, ring->in)] = ((const char *)buf)[done];
			c->in_prod += (uint32_t)done;
			__atomic_store_n(&ring->in_prod, c->in_prod, __ATOMIC_RELEASE);
		}
		if (done)
			evtchn_notify(d, c->port);
	}
	env_unlock(&console_lock);
	return done;
}

/* The guest's event: it wrote, or read. */
static void console_kick(void *arg)
{
	struct domain *d = arg;

	env_lock(&console_lock);
	struct domain_console *c = d->console;
	if (c && !c->queued) {
		c->queued = true;
		c->next = kicked;
		kicked = domain_ref(d);
		softirq_raise(SOFTIRQ_CONSOLE);
	}
	env_unlock(&console_lock);
}

static void serve(struct domain *d)
{
	struct domain_console *c = d->console;

	c->queued = false;
	if (ring_drain(d, c))
		evtchn_notify(d, c->port);
}

void console_softirq(void)
{
	bool any = false;

	env_lock(&console_lock);
	while (kicked) {
		struct domain *d = kicked;
		kicked = d->console->next;
		serve(d);
		any = true;
		/* The last reference frees a domain, which must not happen under our lock. */
		env_unlock(&console_lock);
		domain_put(d);
		env_lock(&console_lock);
	}
	env_unlock(&console_lock);
	if (any)
		softirq_raise_on(0, SOFTIRQ_CONTROL);
}

/* --- life --- */

static void console_free(struct domain_console *c)
{
	if (c->ring)
		put_page(c->ring);
	env_free(c->history, c->size);
	env_free(c, sizeof(*c));
}

int console_init(struct domain *d)
{
	struct domain_console *c = env_alloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->domid = d->id;
	c->size = HISTORY_MIN;
	c->history = env_alloc(c->size);
	c->ring = shared_page_alloc();
	int rc = c->history && c->ring ? 0 : -ENOMEM;
	if (!rc)
		rc = p2m_map_frame(d, GUEST_CONSOLE_GFN, page_mfn(c->ring), P2M_SPECIAL);
	int port = rc ? rc : evtchn_alloc_hv(d, console_kick, d);
	if (port < 0) {
		console_free(c);
		return port;
	}
	c->port = (uint32_t)port;
	d->hvm_params[HVM_PARAM_CONSOLE_PFN] = GUEST_CONSOLE_GFN;
	d->hvm_params[HVM_PARAM_CONSOLE_EVTCHN] = c->port;
	env_lock(&console_lock);
	d->console = c;
	env_unlock(&console_lock);
	return 0;
}

void console_destroy(struct domain *d)
{
	struct domain_console *c = d->console;

	if (!c)
		return;
	evtchn_unbind_hv(d, c->port);
	env_lock(&console_lock);
	bool queued = c->queued;
	for (struct domain **p = &kicked; queued && *p; p = &(*p)->console->next) {
		if (*p == d) {
			*p = c->next;
			break;
		}
	}
	d->console = NULL;
	env_unlock(&console_lock);
	if (queued)
		domain_put(d);
	console_free(c);
}

/* --- CONSOLEIO_*: text without a ring --- */

static int64_t write_text(struct vcpu *v, struct hypercall_args *args, uint32_t count)
{
	char buf[EMIT_CHUNK];

	for (uint32_t pass = 0; count; pass += EMIT_CHUNK) {
		uint32_t n = count < EMIT_CHUNK ? count : EMIT_CHUNK;
		args->a[1] = count;
		if (pass == EMIT_PASS)
			return HYPERCALL_AGAIN;
		if (gva_read(v, buf, gva(args->a[2]), n))
			return -EFAULT;
		console_emit(v->domain, buf, n);
		args->a[2] += n;
		count -= n;
	}
	return 0;
}

int64_t do_console_io(struct vcpu *v, struct hypercall_args *args)
{
	uint32_t count = (uint32_t)args->a[1];

	switch ((uint32_t)args->a[0]) {
	case CONSOLEIO_write:
		return count > WRITE_MAX ? -EINVAL : write_text(v, args, count);
	case CONSOLEIO_read:
		return -EPERM;
	default:
		return -ENOSYS;
	}
}
