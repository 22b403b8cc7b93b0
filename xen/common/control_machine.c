/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine behind the control protocol. Everything here runs on CPU 0 in SOFTIRQ_CONTROL (and once at boot), so control
 * needs no lock of its own: the softirq is the lock.
 *
 * A domain that stopped by itself is reported from here, not from its vcpu: control then destroys it and may build it anew.
 */
#include "control_machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <audit/audit.h>
#include <control/control.h>
#include <vfr/vfr.h>
#include <xenstore/xenstore.h>

#include <drivers/byte_port.h>
#include <hv/arch.h>
#include <hv/boot.h>
#include <hv/domain.h>
#include <hv/log.h>
#include <hv/subsys.h>
#include <net/net.h>

#include "blob.h"
#include "control_net.h"
#include "sched.h"

#define CONTROL_PORT "vfr.control"
#define PLAN_MODULE "boot.plan"
#define AUDIT_TICK_NS 1000000000UL

static struct control *control;
static struct audit *audit;
static struct control_session *session;
static struct timer control_wakeup;
static uint64_t utc_floor_offset;

static uint64_t utc_now(void)
{
	return time_utc_ns() + utc_floor_offset;
}

/* --- domains ---------------------------------------------------------------------------------------------------------- */

static int build(struct domain *d, const struct control_dom_spec *spec, struct control_error *err)
{
	struct domain_build b = { .cmdline = spec->cmdline, .mtu = spec->mtu };
	const char *why = "it cannot be built";
	int ret;

	b.kernel = blob_bytes(spec->kernel, &b.kernel_size);
	if (!b.kernel)
		return control_refuse(err, ENOENT, "no-module", "'%s': there is no kernel module '%s'", spec->name, spec->kernel);
	if (spec->ramdisk[0]) {
		b.ramdisk = blob_bytes(spec->ramdisk, &b.ramdisk_size);
		if (!b.ramdisk)
			return control_refuse(err, ENOENT, "no-module", "'%s': there is no ramdisk module '%s'", spec->name, spec->ramdisk);
	}
	if (!(spec->flags & VC_DOM_NO_NET))
		b.mac = spec->mac;
	ret = domain_build(d, &b, &why);
	if (ret)
		return control_refuse(err, -ret, "bad-kernel", "'%s': %s (%s)", spec->name, why, spec->kernel);
	return 0;
}

static int create(uint16_t domid, const struct control_dom_spec *spec, struct domain **out)
{
	int ret = domain_create(domid, spec->name, spec->mem_bytes, spec->vcpus, out);

	if (ret == -ENOMEM) {
		domain_reclaim_all();
		ret = domain_create(domid, spec->name, spec->mem_bytes, spec->vcpus, out);
	}
	return ret;
}

/* Weight and cap are the domain's: its vcpus have equal parts. */
static void set_cpu_share(struct domain *d, const struct control_dom_spec *spec)
{
	uint32_t weight = spec->cpu_weight ? spec->cpu_weight : CPUSCHED_WEIGHT_DEFAULT;
	uint32_t n = d->nr_vcpus, cap = (spec->cpu_cap + n - 1) / n;
	int kick;

	weight = weight > n ? weight / n : 1;
	for (uint32_t i = 0; i < n; i++)
		cpusched_item_set(the_cpusched, &d->vcpus[i]->sched, CPUSCHED_ANY_CPU, weight, cap, time_now_ns(), &kick);
}

static int op_dom_create(void *machine, uint16_t domid, const struct control_dom_spec *spec, struct control_error *err)
{
	struct domain *d;
	int ret;

	if (!hvm_usable())
		return control_refuse(err, ENODEV, "no-svm", "'%s': the CPU has no virtualisation extension that VFRv2 knows", spec->name);
	if (spec->vcpus > MAX_VCPUS)
		return control_refuse(err, EINVAL, "too-many-vcpus", "'%s': %u vcpus; a domain has at most %u", spec->name,
				      spec->vcpus, MAX_VCPUS);
	/* RAM of destroyed domains counts as free once it is back. */
	if (mm_free_bytes() < spec->mem_bytes)
		domain_reclaim_all();
	if (mm_free_bytes() < spec->mem_bytes)
		return control_refuse(err, ENOMEM, "no-memory", "'%s': %lu MiB wanted, %lu MiB free", spec->name,
				      spec->mem_bytes >> 20, mm_free_bytes() >> 20);
	ret = create(domid, spec, &d);
	if (ret)
		return control_refuse(err, -ret, "no-memory", "'%s': cannot be created (error %d)", spec->name, -ret);
	set_cpu_share(d, spec);
	d->control = spec->flags & VC_DOM_CONTROL;
	ret = build(d, spec, err);
	if (ret) {
		domain_destroy(d);
		return ret;
	}
	log_info("dom%u '%s' built: %lu MiB, %u vcpu%s, kernel %s", domid, spec->name, spec->mem_bytes >> 20, spec->vcpus,
		 spec->vcpus > 1 ? "s" : "", spec->kernel);
	return 0;
}

static void op_dom_destroy(void *machine, uint16_t domid)
{
	struct domain *d = domain_get(domid);

	if (!d)
		return;
	domain_destroy(d);
	domain_put(d);
	arch_irq_window(); /* the router's part of the same request comes next */
}

static int with_domain(uint16_t domid, void (*fn)(struct domain *d))
{
	struct domain *d = domain_get(domid);

	if (!d)
		return -ESRCH;
	fn(d);
	domain_put(d);
	return 0;
}

static int op_dom_pause(void *machine, uint16_t domid)
{
	return with_domain(domid, domain_pause);
}

static int op_dom_unpause(void *machine, uint16_t domid)
{
	return with_domain(domid, domain_unpause);
}

/* The guest's own shutdown: it watches control/shutdown (xenstore-paths of the Xen ABI). */
static int op_dom_shutdown(void *machine, uint16_t domid, bool reboot)
{
	char dir[48];
	int rc;

	snprintf(dir, sizeof(dir), "/local/domain/%u/control", domid);
	rc = xs_printf(the_xenstore, dir, "shutdown", "%s", reboot ? "reboot" : "poweroff");
	/* The store tells its watchers in its softirq, which nothing else raises here. */
	softirq_raise(SOFTIRQ_XENSTORE);
	return rc;
}

static int op_dom_info(void *machine, uint16_t domid, struct control_dom_info *out)
{
	struct domain *d = domain_get(domid);

	if (!d)
		return -ESRCH;
	*out = (struct control_dom_info){
		.state = atomic_load(&d->state) == DOM_RUNNING ? VC_DOM_RUNNING : VC_DOM_PAUSED,
		.console_end = console_end(d),
	};
	for (uint32_t i = 0; i < d->nr_vcpus; i++)
		out->cpu_ns += d->vcpus[i]->sched.run_ns;
	struct net_vif_info vif;
	if (!net_vif_read(domid, &vif))
		out->backlog_bytes = vif.queued_bytes;
	domain_put(d);
	return 0;
}

static size_t op_console_read(void *machine, uint16_t domid, uint64_t offset, void *buf, size_t max, uint64_t *start)
{
	struct domain *d = domain_get(domid);
	size_t n = 0;

	*start = offset;
	if (d) {
		if (offset == ~0UL)
			*start = 0;
		n = guest_console_read(d, start, buf, max);
		domain_put(d);
	}
	return n;
}

static size_t op_console_write(void *machine, uint16_t domid, const void *bytes, size_t n)
{
	struct domain *d = domain_get(domid);
	size_t taken = 0;

	if (d) {
		taken = guest_console_write(d, bytes, n);
		domain_put(d);
	}
	return taken;
}

/* --- the machine ------------------------------------------------------------------------------------------------------ */

static void op_machine_info(void *machine, struct control_machine_info *out)
{
	*out = (struct control_machine_info){
		.cpus = nr_cpus, .cpus_online = nr_cpus, .mem_total = mm_total_bytes(), .mem_free = mm_free_bytes() + heap_idle_bytes(),
		.boot_ns = boot_info.first_entry_ns,
	};
	arch_cpu_brand(out->cpu, sizeof(out->cpu));
}

static uint64_t op_mem_room(void *machine)
{
	domain_reclaim_all();
	return mm_free_bytes();
}

static uint64_t op_utc_ns(void *machine)
{
	return utc_now();
}

uint64_t control_machine_utc_ns(void)
{
	return utc_now();
}

static void op_utc_at_least(void *machine, uint64_t utc_ns)
{
	if (utc_now() < utc_ns)
		utc_floor_offset += utc_ns - utc_now();
}

static bool op_log_read(void *machine, uint64_t seq, struct control_log_entry *out)
{
	struct log_entry e;

	if (log_read(seq, &e))
		return false;
	out->seq = e.seq;
	out->ns = e.time_ns;
	out->level = (uint8_t)e.level;
	out->length = (uint16_t)e.len;
	memcpy(out->text, e.text, e.len);
	return true;
}

static size_t op_send(void *machine, void *transport, const void *bytes, size_t n)
{
	return byte_port_write(transport, bytes, n);
}

static const struct control_ops ops = {
	.server = "vfr",
	.dom_create = op_dom_create,
	.dom_destroy = op_dom_destroy,
	.dom_pause = op_dom_pause,
	.dom_unpause = op_dom_unpause,
	.dom_shutdown = op_dom_shutdown,
	.dom_info = op_dom_info,
	.console_read = op_console_read,
	.console_write = op_console_write,
	.blob_find = machine_blob_find,
	.blob_info = machine_blob_info,
	.blob_begin = machine_blob_begin,
	.blob_put = machine_blob_put,
	.blob_end = machine_blob_end,
	.blob_drop = machine_blob_drop,
	.machine_info = op_machine_info,
	.mem_room = op_mem_room,
	.uplink_info = machine_uplink_info,
	.utc_ns = op_utc_ns,
	.utc_at_least = op_utc_at_least,
	.log_read = op_log_read,
	.send = op_send,
	.sched_set = machine_sched_set,
	.sched_info = machine_sched_info,
	.rate_set = machine_rate_set,
	.class_info = machine_class_info,
	.sub_set = machine_sub_set,
	.sub_info = machine_sub_info,
	.drops = machine_drops,
	.dom_port = machine_dom_port,
	.capture_start = machine_capture_start,
	.capture_read = machine_capture_read,
	.capture_stop = machine_capture_stop,
};

/* --- transport -------------------------------------------------------------------------------------------------------- */

static size_t port_input(void *ctx, const uint8_t *bytes, size_t n)
{
	return control_input(session, bytes, n, time_now_ns());
}

static void port_room(void *ctx)
{
	if (control_output(session, time_now_ns()))
		byte_port_resume(ctx);
}

static void port_open(void *ctx, bool open)
{
	control_session_reset(session, time_now_ns());
	byte_port_resume(ctx);
}

static const struct byte_port_user port_user = { port_input, port_room, port_open };

static void port_found(struct byte_port *port)
{
	if (strcmp(port->name, CONTROL_PORT) || session)
		return;
	session = control_session_open(control, port);
	if (!session) {
		log_error("control: no memory for a session; the port '%s' is not served", port->name);
		return;
	}
	byte_port_attach(port, &port_user, port);
	log_info("control: serving port '%s'", port->name);
}

static void report_stopped(void)
{
	static const enum vc_dom_state how[] = {
		[STOP_POWEROFF] = VC_DOM_STOPPED, [STOP_REBOOT] = VC_DOM_RUNNING, [STOP_SUSPEND] = VC_DOM_STOPPED,
		[STOP_CRASH] = VC_DOM_CRASHED, [STOP_WATCHDOG] = VC_DOM_CRASHED, [STOP_SOFT_RESET] = VC_DOM_CRASHED,
		[STOP_DESTROYED] = VC_DOM_STOPPED,
	};
	struct domain *d;

	while ((d = domain_next_stopped())) {
		uint16_t id = d->id;
		enum domain_stop reason = d->stop_reason;

		for (uint32_t i = 0; i < d->nr_vcpus; i++)
			vcpu_wait_off(d->vcpus[i]);
		domain_put(d);
		control_dom_exited(control, id, how[reason], domain_stop_name(reason), time_now_ns());
	}
}

static void wakeup(struct timer *t)
{
	softirq_raise(SOFTIRQ_CONTROL);
}

void control_softirq(void)
{
	uint64_t next;

	if (!control)
		return;
	byte_ports_service();
	report_stopped();
	next = control_timer(control, time_now_ns());
	/* Sums of the audit log are written about once a second. */
	audit_tick(audit, utc_now());
	arch_report(time_now_ns());
	if (next > time_now_ns() + AUDIT_TICK_NS)
		next = time_now_ns() + AUDIT_TICK_NS;
	timer_set(&control_wakeup, next);
}

/* --- start ------------------------------------------------------------------------------------------------------------ */

/* On any CPU, so the name comes from the domain and not from control, which belongs to CPU 0. */
static void router_event(const struct vfr_event *ev)
{
	struct domain *d = domain_get(ev->domid);
	struct audit_domain dom = { ev->domid, d ? d->name : "" };
	uint8_t proto = ev->proto == 6 ? AUDIT_TCP : ev->proto == 17 ? AUDIT_UDP : AUDIT_ICMP;

	if (ev->type == VFR_EV_SRC_PORT || ev->type == VFR_EV_SRC_ADDR)
		audit_source_violation(audit, utc_now(), &dom, ev->src, proto, ev->sport, ev->count);
	domain_put(d);
}

static void apply_plan(void)
{
	const struct boot_module *m = boot_module_find(PLAN_MODULE);
	int refused;

	if (!m) {
		log_warn("boot: no module '%s': no domain is started (vfrctl compile makes one)", PLAN_MODULE);
		return;
	}
	refused = control_boot_plan(control, phys_to_virt(m->start), m->size, time_now_ns());
	if (refused < 0)
		log_error("boot: module '%s' is no boot plan (error %d); no domain is started", PLAN_MODULE, -refused);
	else if (refused)
		log_warn("boot: %d object%s of the boot plan refused, see above", refused, refused > 1 ? "s were" : " was");
}

void control_machine_init(void)
{
	struct audit_config config = { .start_utc_ns = utc_now() };

	audit = audit_create(&config);
	if (!audit)
		panic("no memory for the audit log");
	control = control_create(&(struct control_params){
		.ops = &ops, .vfr = net_router(), .audit = audit, .domains_max = MAX_DOMAINS });
	if (!control)
		panic("no memory for control");
	timer_init(&control_wakeup, wakeup);
	net_audit_to(router_event);
	byte_port_listen(port_found);
	apply_plan();
	softirq_raise(SOFTIRQ_CONTROL);
}
