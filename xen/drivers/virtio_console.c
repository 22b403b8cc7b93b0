/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-console (virtio 1.1, 5.3) with several ports: byte streams by name.
 *
 * The device tells its ports over a pair of control queues: added, name, opened by the other end. The queues of the
 * first PORTS_MAX ports are made at the start, as the specification asks; buffers are given to a port's queue once it
 * has a name. Backpressure, both ways: input that the user does not take stays in its buffer, which the device does
 * not get back until then; output is taken as long as there are free buffers.
 */
#include <errno.h>
#include <string.h>

#include <env.h>
#include <hv/arch.h>
#include <hv/io.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <drivers/byte_port.h>
#include <drivers/virtio_console.h>
#include <drivers/virtio_pci.h>

#define F_MULTIPORT 1

#define PORTS_MAX  4
#define RING_SIZE  16
#define BUFFERS    8
#define CTRL_SLOTS 16

enum { VECTOR_CONFIG, VECTOR_QUEUES };
enum { CTRL_RX = 2, CTRL_TX = 3 };

enum ctrl_event {
	DEVICE_READY, DEVICE_ADD, DEVICE_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME,
};

struct ctrl_message {
	uint32_t id;
	uint16_t event;
	uint16_t value;
};
_Static_assert(sizeof(struct ctrl_message) == 8, "virtio 1.1, 5.3.6.2");

#define CTRL_ROOM 64 /* a message and the longest name that is kept */

struct vc_buffer {
	uint8_t *bytes; /* a page */
	uint32_t len, taken;
	struct vc_buffer *next;
};

struct vc_port {
	struct byte_port base;
	struct virtio_console *vc;
	uint32_t id;
	bool announced, open_changed;
	struct virtqueue rx, tx;
	struct vc_buffer rx_buf[BUFFERS], tx_buf[BUFFERS];
	struct vc_buffer *input, **input_tail; /* received, not taken */
	struct vc_buffer *tx_free;
};

struct virtio_console {
	struct virtio_dev dev;
	struct virtqueue ctrl_rx, ctrl_tx;
	uint8_t (*ctrl_in)[CTRL_ROOM];
	struct ctrl_message *ctrl_out;
	uint32_t ctrl_sent;
	uint32_t nr_ports;
	struct vc_port port[PORTS_MAX];
};

static struct virtio_console *the_console; /* one device serves; further ones are refused */

static struct vc_port *to_port(struct byte_port *base)
{
	return (struct vc_port *)((char *)base - offsetof(struct vc_port, base));
}

static uint16_t rx_queue(uint32_t id)
{
	return (uint16_t)(id ? 2 + 2 * id : 0);
}

/* --- control queues --------------------------------------------------------------------------------------------------- */

static void ctrl_send(struct virtio_console *vc, uint32_t id, enum ctrl_event event, uint16_t value)
{
	struct ctrl_message *m = &vc->ctrl_out[vc->ctrl_sent % CTRL_SLOTS];
	struct vq_seg seg = { virt_to_phys(m), sizeof(*m) };
	uint32_t written;

	while (virtqueue_pop(&vc->ctrl_tx, &written))
		;
	if (virtqueue_in_flight(&vc->ctrl_tx) >= CTRL_SLOTS) {
		log_warn("virtio-console: the device does not read its control queue");
		return;
	}
	*m = (struct ctrl_message){ .id = id, .event = (uint16_t)event, .value = value };
	if (virtqueue_add(&vc->ctrl_tx, &seg, 1, 0, m))
		return;
	vc->ctrl_sent++;
	virtqueue_kick(&vc->ctrl_tx);
}

static void post_ctrl(struct virtio_console *vc, void *room)
{
	struct vq_seg seg = { virt_to_phys(room), CTRL_ROOM };

	virtqueue_add(&vc->ctrl_rx, &seg, 0, 1, room);
}

static void post_input(struct vc_port *p, struct vc_buffer *b)
{
	struct vq_seg seg = { virt_to_phys(b->bytes), PAGE_SIZE };

	virtqueue_add(&p->rx, &seg, 0, 1, b);
}

static int port_buffers(struct vc_port *p)
{
	for (unsigned int i = 0; i < BUFFERS; i++) {
		p->rx_buf[i].bytes = page_alloc(0);
		p->tx_buf[i].bytes = page_alloc(0);
		if (!p->rx_buf[i].bytes || !p->tx_buf[i].bytes)
			return -ENOMEM;
		p->tx_buf[i].next = p->tx_free;
		p->tx_free = &p->tx_buf[i];
	}
	for (unsigned int i = 0; i < BUFFERS; i++)
		post_input(p, &p->rx_buf[i]);
	virtqueue_kick(&p->rx);
	return 0;
}

static void port_named(struct vc_port *p, const uint8_t *name, size_t len)
{
	if (p->announced)
		return;
	if (len >= sizeof(p->base.name))
		len = sizeof(p->base.name) - 1;
	memcpy(p->base.name, name, len);
	p->base.name[len] = '\0';
	if (port_buffers(p)) {
		log_error("virtio-console: no memory for port %s", p->base.name);
		return;
	}
	p->announced = true;
	byte_port_register(&p->base);
	ctrl_send(p->vc, p->id, PORT_OPEN, 1);
}

static void ctrl_message(struct virtio_console *vc, const uint8_t *bytes, uint32_t len)
{
	struct ctrl_message m;
	struct vc_port *p;

	if (len < sizeof(m))
		return;
	memcpy(&m, bytes, sizeof(m));
	if (m.id >= vc->nr_ports) {
		if (m.event == DEVICE_ADD)
			log_warn("virtio-console: port %u is beyond the %u that are served", m.id, vc->nr_ports);
		return;
	}
	p = &vc->port[m.id];
	switch (m.event) {
	case DEVICE_ADD:
		ctrl_send(vc, m.id, PORT_READY, 1);
		break;
	case PORT_NAME:
		port_named(p, bytes + sizeof(m), strnlen((const char *)bytes + sizeof(m), len - sizeof(m)));
		break;
	case PORT_OPEN:
		p->base.open = m.value != 0;
		p->open_changed = true;
		break;
	default: /* removal and resizing: the streams stay as they are */
		break;
	}
}

static void service_ctrl(struct virtio_console *vc)
{
	uint8_t *room;
	uint32_t len;

	for (unsigned int i = 0; i < CTRL_SLOTS && (room = virtqueue_pop(&vc->ctrl_rx, &len)); i++) {
		ctrl_message(vc, room, len < CTRL_ROOM ? len : CTRL_ROOM);
		post_ctrl(vc, room);
	}
	virtqueue_kick(&vc->ctrl_rx);
}

/* --- the streams ------------------------------------------------------------------------------------------------------ */

static void collect_input(struct vc_port *p)
{
	struct vc_buffer *b;
	uint32_t len;

	while ((b = virtqueue_pop(&p->rx, &len))) {
		b->len = len <= PAGE_SIZE ? len : PAGE_SIZE;
		b->taken = 0;
		b->next = NULL;
		*p->input_tail = b;
		p->input_tail = &b->next;
	}
}

static void deliver_input(struct vc_port *p)
{
	struct vc_buffer *b;

	while (p->base.user && (b = p->input)) {
		b->taken += (uint32_t)p->base.user->input(p->base.ctx, b->bytes + b->taken, b->len - b->taken);
		if (b->taken < b->len)
			break;
		p->input = b->next;
		if (!p->input)
			p->input_tail = &p->input;
		post_input(p, b);
		arch_irq_window(); /* a request in it may have been long work */
	}
	virtqueue_kick(&p->rx);
}

static void reclaim_output(struct vc_port *p)
{
	struct vc_buffer *b;
	uint32_t written;

	while ((b = virtqueue_pop(&p->tx, &written))) {
		b->next = p->tx_free;
		p->tx_free = b;
	}
}

/* Fill buffers one after the other, and ring the doorbell once. */
static size_t port_write(struct byte_port *base, const void *bytes, size_t n)
{
	struct vc_port *p = to_port(base);
	size_t done = 0;

	if (!p->tx_free)
		reclaim_output(p);
	while (done < n && p->tx_free) {
		struct vc_buffer *b = p->tx_free;
		size_t chunk = n - done < PAGE_SIZE ? n - done : PAGE_SIZE;
		struct vq_seg seg = { virt_to_phys(b->bytes), (uint32_t)chunk };

		memcpy(b->bytes, (const uint8_t *)bytes + done, chunk);
		if (virtqueue_add(&p->tx, &seg, 1, 0, b))
			break;
		p->tx_free = b->next;
		done += chunk;
	}
	virtqueue_kick(&p->tx);
	/* Somebody waits for room: interrupt with the next buffer that is sent. */
	if (done < n && virtqueue_irq_on(&p->tx, 1))
		softirq_raise(SOFTIRQ_CONTROL);
	return done;
}

static void port_resume(struct byte_port *base)
{
	softirq_raise(SOFTIRQ_CONTROL);
}

static const struct byte_port_ops port_ops = { .write = port_write, .resume = port_resume };

static void service_port(struct vc_port *p)
{
	const struct byte_port_user *user = p->base.user;

	if (user && p->open_changed) {
		p->open_changed = false;
		user->open(p->base.ctx, p->base.open);
	}
	deliver_input(p);
	reclaim_output(p);
	if (user && p->base.want_room && p->tx_free) {
		p->base.want_room = false;
		user->room(p->base.ctx);
	}
}

/*
 * The device tells that the other end has come before it hands out that end's first bytes, but on another queue. So input is
 * collected first, and what the control queue says then is older: read the other way round, a new client's first request would be
 * answered and then forgotten with the session that its coming ends.
 * Interrupts stay asked for: this is no fast path, and each event is handled in the next softirq.
 */
static void service(void)
{
	struct virtio_console *vc = the_console;
	bool more;

	for (unsigned int i = 0; i < vc->nr_ports; i++)
		if (vc->port[i].announced)
			collect_input(&vc->port[i]);
	service_ctrl(vc);
	more = virtqueue_irq_on(&vc->ctrl_rx, 1);
	for (unsigned int i = 0; i < vc->nr_ports; i++) {
		struct vc_port *p = &vc->port[i];

		if (!p->announced)
			continue;
		service_port(p);
		more |= virtqueue_irq_on(&p->rx, 1);
	}
	if (more)
		softirq_raise(SOFTIRQ_CONTROL);
}

static void interrupt(void *arg)
{
	softirq_raise(SOFTIRQ_CONTROL);
}

/* --- start ------------------------------------------------------------------------------------------------------------ */

static int set_up_port(struct virtio_console *vc, uint32_t id)
{
	struct vc_port *p = &vc->port[id];
	int rc;

	p->vc = vc;
	p->id = id;
	p->base.ops = &port_ops;
	p->input_tail = &p->input;
	rc = virtio_queue(&vc->dev, &p->rx, rx_queue(id), RING_SIZE, VECTOR_QUEUES);
	return rc ? rc : virtio_queue(&vc->dev, &p->tx, (uint16_t)(rx_queue(id) + 1), RING_SIZE, VECTOR_QUEUES);
}

static int set_up(struct virtio_console *vc, struct pci_dev *pci)
{
	int rc = virtio_begin(&vc->dev, pci, "virtio-console");

	if (!rc)
		rc = virtio_agree(&vc->dev, VIRTIO_BIT(VIRTIO_F_EVENT_IDX), VIRTIO_BIT(F_MULTIPORT));
	if (rc)
		return rc;
	vc->nr_ports = vc->dev.queues > 2 ? (vc->dev.queues - 2u) / 2 : 0;
	if (vc->nr_ports > PORTS_MAX)
		vc->nr_ports = PORTS_MAX;
	rc = virtio_queue(&vc->dev, &vc->ctrl_rx, CTRL_RX, RING_SIZE, VECTOR_QUEUES);
	if (!rc)
		rc = virtio_queue(&vc->dev, &vc->ctrl_tx, CTRL_TX, RING_SIZE, VECTOR_QUEUES);
	for (uint32_t id = 0; !rc && id < vc->nr_ports; id++)
		rc = set_up_port(vc, id);
	if (!rc)
		rc = msix_route(pci, VECTOR_QUEUES, 0, interrupt, vc, "virtio-console");
	vc->ctrl_in = page_alloc(0);
	vc->ctrl_out = page_alloc(0);
	if (!vc->ctrl_in || !vc->ctrl_out)
		return -ENOMEM;
	return rc;
}

static int start(struct virtio_console *vc)
{
	int rc;

	rc = virtio_ready(&vc->dev);
	if (rc)
		return rc;
	for (unsigned int i = 0; i < CTRL_SLOTS; i++)
		post_ctrl(vc, vc->ctrl_in[i]);
	virtqueue_kick(&vc->ctrl_rx);
	byte_port_poller(service);
	ctrl_send(vc, 0, DEVICE_READY, 1);
	softirq_raise(SOFTIRQ_CONTROL);
	return 0;
}

static int probe(struct pci_dev *pci)
{
	struct virtio_console *vc;
	int rc;

	if (the_console) {
		log_warn("virtio-console %s: there is one already, this one is not used", pci->name);
		return -EBUSY;
	}
	vc = env_alloc(sizeof(*vc));
	if (!vc)
		return -ENOMEM;
	the_console = vc;
	rc = set_up(vc, pci);
	if (!rc)
		rc = start(vc);
	if (rc) {
		/* The rings stay allocated: a device that misbehaves may still know their addresses. */
		log_error("virtio-console %s: not used (error %d)", pci->name, rc);
		virtio_fail(&vc->dev);
		return rc;
	}
	log_info("virtio-console at %s: %u ports", pci->name, vc->nr_ports);
	return 0;
}

const struct pci_driver virtio_console_driver = {
	.vendor = VIRTIO_PCI_VENDOR, .device = 0x1043, .name = "virtio-console", .probe = probe,
};
const struct pci_driver virtio_console_transitional_driver = {
	.vendor = VIRTIO_PCI_VENDOR, .device = 0x1003, .name = "virtio-console", .probe = probe,
};
