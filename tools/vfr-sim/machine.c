/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that is not there: domains are names with an echoing console and an attachment point in a real router; modules are names
 * and sizes. Everything above control_ops (control, router, audit log) is what runs in the hypervisor.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "sim.h"

static const uint8_t gateway_mac[6] = {0x02, 0, 0, 0, 0, 0xfe};
static const uint8_t uplink_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

const uint64_t *sim_clock;

uint64_t sim_now(void)
{
	struct timespec t;

	if (sim_clock)
		return *sim_clock;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void sim_log(struct sim *s, unsigned int level, const char *fmt, ...)
{
	uint64_t seq = s->log_next++;
	va_list ap;

	s->log[seq % SIM_LOG].seq = seq;
	s->log[seq % SIM_LOG].ns = sim_now();
	s->log[seq % SIM_LOG].level = level;
	va_start(ap, fmt);
	vsnprintf(s->log[seq % SIM_LOG].text, sizeof(s->log[0].text), fmt, ap);
	va_end(ap);
	if (s->control)
		control_event(s->control, VC_WAIT_LOG, 0, sim_now());
}

void sim_console(struct sim *s, uint16_t domid, const char *bytes, size_t n)
{
	struct sim_dom *d = &s->dom[domid];

	for (size_t i = 0; d->console && i < n; i++)
		d->console[d->console_end++ % SIM_CONSOLE] = bytes[i];
	if (s->control)
		control_event(s->control, VC_WAIT_CONSOLE, domid, sim_now());
}

static int dom_create(void *machine, uint16_t domid, const struct control_dom_spec *spec, struct control_error *err)
{
	struct sim *s = machine;
	struct sim_dom *d = &s->dom[domid];
	struct vfr_port_cfg port = {.kind = VFR_PORT_GUEST, .mtu = spec->mtu, .domid = domid};
	char hello[96];

	if (s->fail_create >= 0 && s->fail_create-- == 0)
		return control_refuse(err, EIO, "simulated", "%s is refused because the simulator was told so", spec->name);
	if (spec->mem_bytes > s->mem_free)
		return control_refuse(err, ENOMEM, "no-memory", "%s needs %llu MiB, %llu MiB are free", spec->name,
				      (unsigned long long)spec->mem_bytes >> 20, (unsigned long long)s->mem_free >> 20);
	memcpy(port.mac, spec->mac, 6);
	if (!(spec->flags & VC_DOM_NO_NET) && vfr_port_attach(s->vfr, domid, &port))
		return control_refuse(err, ENOSPC, "router", "no port for %s", spec->name);
	d->used = true;
	d->running = false;
	d->net = !(spec->flags & VC_DOM_NO_NET);
	d->console_end = 0;
	memcpy(d->mac, spec->mac, 6);
	snprintf(d->name, sizeof(d->name), "%s", spec->name);
	if (!d->console)
		d->console = calloc(1, SIM_CONSOLE);
	s->mem_free -= spec->mem_bytes;
	s->mem_of[domid] = spec->mem_bytes;
	snprintf(hello, sizeof(hello), "%s: %u vcpus, %s\r\n", spec->name, spec->vcpus, spec->kernel);
	sim_console(s, domid, hello, strlen(hello));
	return 0;
}

static void dom_destroy(void *machine, uint16_t domid)
{
	struct sim *s = machine;

	if (s->dom[domid].net)
		vfr_port_detach(s->vfr, domid, sim_now());
	s->dom[domid].used = s->dom[domid].running = s->dom[domid].net = false;
	s->mem_free += s->mem_of[domid];
	s->mem_of[domid] = 0;
}

static int dom_pause(void *machine, uint16_t domid)
{
	((struct sim *)machine)->dom[domid].running = false;
	return 0;
}

static int dom_unpause(void *machine, uint16_t domid)
{
	((struct sim *)machine)->dom[domid].running = true;
	return 0;
}

static int dom_info(void *machine, uint16_t domid, struct control_dom_info *out)
{
	const struct sim_dom *d = &((struct sim *)machine)->dom[domid];

	memset(out, 0, sizeof(*out));
	out->state = d->running ? VC_DOM_RUNNING : VC_DOM_PAUSED;
	out->console_end = d->console_end;
	return 0;
}

static size_t console_read(void *machine, uint16_t domid, uint64_t offset, void *buf, size_t max, uint64_t *start)
{
	const struct sim_dom *d = &((struct sim *)machine)->dom[domid];
	uint64_t oldest = d->console_end > SIM_CONSOLE ? d->console_end - SIM_CONSOLE : 0;
	size_t n = 0;

	if (offset == UINT64_MAX || offset < oldest)
		offset = oldest;
	if (offset > d->console_end)
		offset = d->console_end;
	*start = offset;
	while (d->console && n < max && offset < d->console_end)
		((char *)buf)[n++] = d->console[offset++ % SIM_CONSOLE];
	return n;
}

/* The guest echoes, and answers "ping" with "pong". */
static size_t console_write(void *machine, uint16_t domid, const void *bytes, size_t n)
{
	sim_console(machine, domid, bytes, n);
	if (n >= 4 && !memcmp(bytes, "ping", 4))
		sim_console(machine, domid, "pong\r\n", 6);
	return n;
}

static struct sim_blob *blob_by_name(struct sim *s, const char *name)
{
	for (unsigned int i = 0; i < SIM_BLOBS; i++)
		if (s->blob[i].used && !strcmp(s->blob[i].name, name))
			return &s->blob[i];
	return NULL;
}

static int blob_find(void *machine, const char *name, uint64_t *size)
{
	struct sim *s = machine;
	const struct sim_blob *b = blob_by_name(s, name);

	if (s->any_module) {
		*size = 1;
		return 0;
	}
	if (!b || !b->complete)
		return -ENOENT;
	*size = b->size;
	return 0;
}

static int blob_info(void *machine, unsigned int index, struct control_blob_info *out)
{
	struct sim *s = machine;

	for (unsigned int i = 0; i < SIM_BLOBS; i++) {
		if (!s->blob[i].used || index--)
			continue;
		memcpy(out->name, s->blob[i].name, sizeof(out->name));
		out->size = s->blob[i].size;
		out->boot = s->blob[i].boot;
		out->complete = s->blob[i].complete;
		return 0;
	}
	return -ENOENT;
}

static int blob_begin(void *machine, const char *name, uint64_t size, struct control_error *err)
{
	struct sim *s = machine;

	if (size > s->mem_free)
		return control_refuse(err, ENOMEM, "no-memory", "no memory for %s", name);
	for (unsigned int i = 0; i < SIM_BLOBS; i++) {
		if (s->blob[i].used)
			continue;
		s->blob[i] = (struct sim_blob){.size = size, .used = true};
		snprintf(s->blob[i].name, VC_MODULE, "%s", name);
		return 0;
	}
	return -ENOSPC;
}

static int blob_put(void *machine, const char *name, uint64_t offset, const void *bytes, size_t n)
{
	return blob_by_name(machine, name) ? 0 : -ENOENT;
}

static int blob_end(void *machine, const char *name, struct control_error *err)
{
	blob_by_name(machine, name)->complete = true;
	return 0;
}

static void blob_drop(void *machine, const char *name)
{
	blob_by_name(machine, name)->used = false;
}

static uint64_t mem_room(void *machine)
{
	return ((struct sim *)machine)->mem_free;
}

static void machine_info(void *machine, struct control_machine_info *out)
{
	const struct sim *s = machine;

	snprintf(out->cpu, sizeof(out->cpu), "none: simulated");
	out->cpus = out->cpus_online = 2;
	out->mem_total = s->mem_total;
	out->mem_free = s->mem_free;
}

static int uplink_info(void *machine, unsigned int index, struct control_uplink_info *out)
{
	if (index)
		return -ENOENT;
	memset(out, 0, sizeof(*out));
	strcpy(out->name, SIM_UPLINK);
	strcpy(out->driver, "simulated");
	memcpy(out->mac, uplink_mac, 6);
	out->mtu = 1500;
	out->up = true;
	out->port = ((const struct sim *)machine)->domains - 1;
	out->rate_bps = 1000000000;
	return 0;
}

static int dom_port(void *machine, uint16_t domid, uint32_t *port, uint8_t mac[6], uint8_t gw[6])
{
	const struct sim_dom *d = &((struct sim *)machine)->dom[domid];

	if (!d->net)
		return -ENOENT;
	*port = domid;
	memcpy(mac, d->mac, 6);
	memcpy(gw, gateway_mac, 6);
	return 0;
}

static uint64_t utc_ns(void *machine)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static bool log_read(void *machine, uint64_t seq, struct control_log_entry *out)
{
	const struct sim *s = machine;
	uint64_t oldest = s->log_next > SIM_LOG ? s->log_next - SIM_LOG : 1;

	if (seq < oldest)
		seq = oldest;
	if (seq >= s->log_next)
		return false;
	out->seq = seq;
	out->ns = s->log[seq % SIM_LOG].ns;
	out->level = s->log[seq % SIM_LOG].level;
	out->length = strlen(s->log[seq % SIM_LOG].text);
	memcpy(out->text, s->log[seq % SIM_LOG].text, out->length);
	return true;
}

static size_t sim_send(void *machine, void *transport, const void *bytes, size_t n)
{
	ssize_t k = send(*(int *)transport, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	return k > 0 ? k : 0;
}

static int sched_set(void *machine, const struct vc_sched_set *set, struct control_error *err)
{
	struct sim *s = machine;
	const char *other = set->kind == VC_SCHED_NET ? "hfq" : "share";

	if (set->kind == VC_SCHED_NET && strcmp(set->target, SIM_UPLINK))
		return control_refuse(err, ENODEV, "no-uplink", "there is no uplink %s", set->target);
	if (strcmp(set->policy, "rr") && strcmp(set->policy, other))
		return control_refuse(err, EINVAL, "no-policy", "there is no policy %s: rr, %s", set->policy, other);
	if (set->kind == VC_SCHED_NET) {
		memcpy(s->policy, set->policy, sizeof(s->policy));
		s->rate_bps = set->rate_bps;
	} else {
		memcpy(s->cpu_policy, set->policy, sizeof(s->cpu_policy));
	}
	return 0;
}

static int sched_info(void *machine, unsigned int index, struct vc_sched_rec *out)
{
	const struct sim *s = machine;
	const char *policy = index ? s->policy : s->cpu_policy;

	if (index > 1)
		return -ENOENT;
	out->kind = index ? VC_SCHED_NET : VC_SCHED_CPU;
	snprintf(out->target, sizeof(out->target), "%s", index ? SIM_UPLINK : "");
	snprintf(out->policy, sizeof(out->policy), "%s", policy[0] ? policy : "rr");
	out->flags = index && s->rate_bps ? VC_SCHED_PACED : 0;
	out->rate_bps = index ? s->rate_bps ? s->rate_bps : 1000000000 : 0;
	snprintf(out->choices, sizeof(out->choices), index ? "rr hfq" : "rr share");
	return 0;
}

static int dom_shutdown(void *machine, uint16_t domid, bool reboot)
{
	struct sim *s = machine;

	control_dom_exited(s->control, domid, reboot ? VC_DOM_RUNNING : VC_DOM_STOPPED, reboot ? "reboot" : "poweroff", sim_now());
	return 0;
}

static int capture_start(void *machine, int domid, unsigned int flags, unsigned int snaplen, const struct vc_bpf_insn *prog,
			 unsigned int insns, uint32_t *id)
{
	return tap_start(&((struct sim *)machine)->tap, domid, flags, snaplen, prog, insns, id);
}

static size_t capture_read(void *machine, uint32_t id, void *buf, size_t max, uint32_t *count, uint32_t *lost)
{
	return tap_read(&((struct sim *)machine)->tap, id, buf, max, count, lost);
}

static void capture_stop(void *machine, uint32_t id)
{
	tap_stop(&((struct sim *)machine)->tap, id);
}

const struct control_ops sim_ops = {
	.server = "vfr-sim",
	.dom_create = dom_create, .dom_destroy = dom_destroy, .dom_pause = dom_pause, .dom_unpause = dom_unpause, .dom_info = dom_info,
	.dom_shutdown = dom_shutdown, .console_read = console_read, .console_write = console_write, .blob_find = blob_find,
	.blob_info = blob_info, .blob_begin = blob_begin, .blob_put = blob_put, .blob_end = blob_end, .blob_drop = blob_drop,
	.machine_info = machine_info, .mem_room = mem_room,
	.uplink_info = uplink_info, .dom_port = dom_port, .utc_ns = utc_ns, .log_read = log_read,
	.send = sim_send, .rate_set = sim_rate_set, .class_info = sim_class_info, .sub_set = sim_sub_set, .sub_info = sim_sub_info,
	.sched_set = sched_set, .sched_info = sched_info,
	.capture_start = capture_start, .capture_read = capture_read, .capture_stop = capture_stop,
};

static void no_emit(void *host, uint16_t out_port, const uint8_t *frame, uint32_t len)
{
}

static void no_release(void *host, struct vfr_pkt *pkt)
{
}

void sim_packet(struct sim *s, uint32_t dst, uint16_t dport)
{
	uint8_t f[256] = {0};
	struct vfr_pkt p = {.head = f, .len = 54, .head_len = 54};
	struct vfr_pkt *v[1] = {&p};
	uint32_t sum = 0;

	memcpy(f, uplink_mac, 6);
	f[6] = 2;
	f[12] = 8;
	f[14] = 0x45;
	f[17] = 40;
	f[22] = 64;
	f[23] = 6;
	env_put32(f + 26, 0xc6336405);
	env_put32(f + 30, dst);
	for (unsigned int i = 14; i < 34; i += 2)
		sum += env_get16(f + i);
	sum = (sum & 0xffff) + (sum >> 16);
	env_put16(f + 24, ~((sum & 0xffff) + (sum >> 16)));
	env_put16(f + 34, 5555);
	env_put16(f + 36, dport);
	f[46] = 0x50;
	f[47] = 2;
	vfr_input(s->vfr, 0, sim_now(), s->domains - 1, v, 1);
	if (v[0] && tap_on(&s->tap))
		tap_packet(&s->tap, &(struct tap_packet){utc_ns(s), f, p.len, p.len, p.src_dom, p.dst_dom, p.drop, p.verdict == VFR_DROP});
}

int sim_init(struct sim *s, uint32_t hold_down_s, const struct control_ops *control_ops)
{
	static const struct vfr_ops ops = {.emit = no_emit, .release = no_release};
	unsigned int doms = s->domains ? s->domains : SIM_DOMAINS;
	struct vfr_params vp = {.cpus = 1, .max_ports = doms, .max_domains = doms, .hold_down_s = hold_down_s, .max_conns = 16 * doms,
				.max_frags = 64, .max_nat = 256, .seed = {1}};
	struct vfr_port_cfg up = {.kind = VFR_PORT_UPLINK, .mtu = 1500, .domid = VFR_NODOM};
	struct audit_config ac = {.start_utc_ns = utc_ns(s), .holders = 16 * doms, .intervals = 16 * doms, .records = 4 * doms};
	struct control_params cp = {.ops = control_ops, .machine = s, .domains_max = doms - 2};

	s->domains = doms;
	s->mem_total = s->mem_free = 1ull << 42;
	s->fail_create = -1;
	s->log_next = 1;
	memcpy(vp.gateway_mac, gateway_mac, 6);
	memcpy(up.mac, uplink_mac, 6);
	s->vfr = vfr_create(&vp, &ops, s);
	s->audit = audit_create(&ac);
	if (!s->vfr || !s->audit || vfr_port_attach(s->vfr, doms - 1, &up))
		return -1;
	cp.vfr = s->vfr;
	cp.audit = s->audit;
	s->control = control_create(&cp);
	return s->control ? 0 : -1;
}

void sim_free(struct sim *s)
{
	struct control *c = s->control;

	s->control = NULL;
	if (c)
		control_free(c);
	tap_stop(&s->tap, s->tap.id);
	if (s->vfr)
		vfr_destroy(s->vfr);
	if (s->audit)
		audit_destroy(s->audit);
	for (unsigned int i = 0; i < SIM_DOMAINS; i++)
		free(s->dom[i].console);
}
