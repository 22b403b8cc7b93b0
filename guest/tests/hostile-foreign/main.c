/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other domains: their events, grants, frames, parameters, store nodes and lives are out of reach. Every number that a
 * neighbour may have is tried.
 */
#include "test.h"
#include <errno.h>
#include <stdio.h>
#include "hypercall.h"
#include "store.h"
#include "event.h"

const char test_title[] = "hostile-foreign";
#define DOMAINS 48
static uint8_t buf[4096] __page_aligned;
static unsigned int self;

static void events(domid_t dom)
{
	struct evtchn_alloc_unbound a = { .dom = dom, .remote_dom = DOMID_SELF };
	struct evtchn_reset r = { .dom = dom };
	unsigned int port;
	int rc;

	for (port = 1; port < 40; port++) {
		rc = event_bind_interdomain(dom, port);
		CHECK(rc < 0, "bound to port %u of domain %u", port, dom);
	}
	CHECK(hv_event(EVTCHNOP_alloc_unbound, &a) < 0, "made a port in domain %u", dom);
	CHECK(hv_event(EVTCHNOP_reset, &r) < 0, "reset domain %u", dom);
}

static void copy(domid_t dom, unsigned int ref, bool in)
{
	struct gnttab_copy c = { .len = 64, .flags = in ? GNTCOPY_source_gref : GNTCOPY_dest_gref };
	struct gnttab_copy frame = { .len = 64 };

	c.source.domid = in ? dom : DOMID_SELF;
	c.dest.domid = in ? DOMID_SELF : dom;
	if (in) {
		c.source.u.ref = ref;
		c.dest.u.gmfn = to_gfn(buf);
	} else {
		c.source.u.gmfn = to_gfn(buf);
		c.dest.u.ref = ref;
	}
	CHECK(hv_grant(GNTTABOP_copy, &c, 1) < 0 || c.status < 0, "copied by grant %u of domain %u", ref, dom);
	frame.source.domid = in ? dom : DOMID_SELF;
	frame.dest.domid = in ? DOMID_SELF : dom;
	frame.source.u.gmfn = in ? ref : to_gfn(buf);
	frame.dest.u.gmfn = in ? to_gfn(buf) : ref;
	CHECK(hv_grant(GNTTABOP_copy, &frame, 1) < 0 || frame.status < 0, "copied frame %u of domain %u", ref, dom);
}

static void grants(domid_t dom)
{
	unsigned int ref;

	for (ref = 0; ref < 24; ref++) {
		struct gnttab_map_grant_ref m = { .host_addr = 0xf0000000, .flags = GNTMAP_host_map, .ref = ref, .dom = dom };

		copy(dom, ref, true);
		copy(dom, ref, false);
		CHECK(hv_grant(GNTTABOP_map_grant_ref, &m, 1) < 0 || m.status < 0, "mapped grant %u of domain %u", ref, dom);
	}
}

static void memory(domid_t dom)
{
	static xen_pfn_t gfn = 0xf0000;
	static xen_ulong_t idx = 0x100;
	static int err;
	struct xen_add_to_physmap one = { .domid = dom, .space = XENMAPSPACE_shared_info, .gpfn = 0xf0000 };
	struct xen_add_to_physmap_batch batch = { .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 1,
						  .u = { .foreign_domid = dom } };
	struct xen_remove_from_physmap remove = { .domid = dom, .gpfn = 0x100 };
	struct xen_memory_reservation res = { .nr_extents = 1, .domid = dom };

	set_xen_guest_handle(batch.idxs, &idx);
	set_xen_guest_handle(batch.gpfns, &gfn);
	set_xen_guest_handle(batch.errs, &err);
	set_xen_guest_handle(res.extent_start, &gfn);
	err = 0;
	CHECK(hv_memory(XENMEM_add_to_physmap, &one) < 0, "domain %u", dom);
	CHECK(hv_memory(XENMEM_add_to_physmap_batch, &batch) < 0 || err < 0, "mapped a frame of domain %u", dom);
	CHECK(hv_memory(XENMEM_remove_from_physmap, &remove) < 0, "domain %u", dom);
	CHECK(hv_memory(XENMEM_decrease_reservation, &res) <= 0, "domain %u", dom);
	CHECK(hv_memory(XENMEM_populate_physmap, &res) <= 0, "domain %u", dom);
}

static void lives(domid_t dom)
{
	struct sched_remote_shutdown s = { .domain_id = dom, .reason = SHUTDOWN_crash };
	struct xen_hvm_param p = { .domid = dom, .index = HVM_PARAM_CONSOLE_PFN };

	CHECK(hv_sched(SCHEDOP_remote_shutdown, &s) < 0, "shut down domain %u", dom);
	CHECK(hv_hvm(HVMOP_get_param, &p) < 0, "read a parameter of domain %u", dom);
	CHECK(hv_hvm(HVMOP_set_param, &p) < 0, "set a parameter of domain %u", dom);
}

static void store(domid_t dom)
{
	static const char *const below[] = { "console/ring-ref", "data/x", "device/vif/0/state", "memory/target" };
	char path[64], text[64];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(below); i++) {
		snprintf(path, sizeof(path), "/local/domain/%u/%s", dom, below[i]);
		CHECK(store_read(path, text, sizeof(text)) < 0, "read %s: '%s'", path, text);
		CHECK(store_write(path, "x") < 0, "wrote %s", path);
		CHECK(store_remove(path) < 0, "removed %s", path);
	}
}

/* The hypercalls of control domains: all shut, whatever the arguments say. */
static void control(void)
{
	static const unsigned int calls[] = { __HYPERVISOR_domctl, __HYPERVISOR_sysctl, __HYPERVISOR_platform_op, __HYPERVISOR_kexec_op,
					      __HYPERVISOR_tmem_op, __HYPERVISOR_xsm_op };
	static uint32_t request[64];
	unsigned int i, op;

	for (i = 0; i < ARRAY_LEN(calls); i++)
		for (op = 0; op < 90; op++) {
			request[0] = op;
			request[1] = 0x15;
			request[2] = 0;
			CHECK(hypercall(calls[i], (uint64_t)request, (uint64_t)request, 0, 0, 0) < 0, "hypercall %u, operation %u",
			      calls[i], op);
		}
}

void test_main(void)
{
	domid_t dom;

	self = store_own_domid();
	for (dom = 0; dom < DOMAINS; dom++) {
		if (dom == self)
			continue;
		events(dom);
		grants(dom);
		memory(dom);
		lives(dom);
		store(dom);
	}
	control();
}
