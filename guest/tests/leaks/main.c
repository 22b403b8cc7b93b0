/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing of the host or of another guest comes to us: fresh pages and shared pages are clean where nothing was written, answers
 * end where their structures end, registers hold only what the ABI puts there.
 */
#include "test.h"
#include <string.h>
#include "console.h"
#include "event.h"
#include "hypercall.h"
#include "store.h"

const char test_title[] = "leaks";
static uint8_t buf[8192] __page_aligned;

/* Everything behind the first SIZE bytes must still be what we put there. */
static void tail_untouched(const char *what, size_t size)
{
	size_t i;

	for (i = size; i < sizeof(buf); i++)
		if (buf[i] != 0x5a) {
			test_failure("%s wrote byte %lu", what, i);
			break;
		}
	test_count(1);
	memset(buf, 0x5a, sizeof(buf));
}

static void answers(void)
{
	struct xen_hvm_param *p = (struct xen_hvm_param *)buf;
	struct evtchn_status *s = (struct evtchn_status *)buf;

	memset(buf, 0x5a, sizeof(buf));
	hv_version(XENVER_extraversion, buf);
	tail_untouched("extraversion", sizeof(xen_extraversion_t));
	hv_version(XENVER_capabilities, buf);
	tail_untouched("capabilities", sizeof(xen_capabilities_info_t));
	hv_version(XENVER_changeset, buf);
	tail_untouched("changeset", sizeof(xen_changeset_info_t));
	hv_version(XENVER_compile_info, buf);
	tail_untouched("compile info", sizeof(xen_compile_info_t));
	hv_version(XENVER_guest_handle, buf);
	tail_untouched("handle", sizeof(xen_domain_handle_t));
	hv_version(XENVER_platform_parameters, buf);
	tail_untouched("platform parameters", sizeof(xen_platform_parameters_t));
	p->domid = DOMID_SELF;
	p->index = HVM_PARAM_STORE_PFN;
	hv_hvm(HVMOP_get_param, buf);
	tail_untouched("parameter", sizeof(*p));
	s->dom = DOMID_SELF;
	s->port = store_port();
	hv_event(EVTCHNOP_status, buf);
	tail_untouched("event status", sizeof(*s));
}

/* The strings of the version calls are padded with zeros, not with what lay there. */
static void padding(void)
{
	static const struct {
		unsigned int op, size;
	} strings[] = { { XENVER_extraversion, 16 }, { XENVER_capabilities, 1024 }, { XENVER_changeset, 64 } };
	unsigned int i, j;

	for (i = 0; i < ARRAY_LEN(strings); i++) {
		memset(buf, 0, sizeof(buf));
		if (hv_version(strings[i].op, buf))
			continue;
		for (j = (unsigned int)strnlen((char *)buf, strings[i].size); j < strings[i].size; j++)
			CHECK(buf[j] == 0, "byte %u behind string %u is %x", j, strings[i].op, buf[j]);
	}
}

static void registers(void)
{
	uint64_t rcx = 0x1111, r11 = 0x2222, rdx = 0, r10 = 0;

	__asm__ volatile("movq $0, %%rdi; movq $0, %%rsi; movq $0x77, %%rdx; movq $0x88, %%r10; movq %[c], %%rcx; movq %[b], %%r11;"
			 "movq $%c[nr], %%rax; vmmcall; movq %%rcx, %[c]; movq %%r11, %[b]; movq %%rdx, %[d]; movq %%r10, %[a]"
			 : [c] "+m"(rcx), [b] "+m"(r11), [d] "=m"(rdx), [a] "=m"(r10) : [nr] "i"(__HYPERVISOR_xen_version)
			 : "rax", "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "memory");
	CHECK(rcx == 0x1111 && r11 == 0x2222, "rcx %lx, r11 %lx", rcx, r11);
	CHECK(rdx == 0x77 && r10 == 0x88, "rdx %lx, r10 %lx", rdx, r10);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void pages(void)
{
	const uint8_t *shared = (const uint8_t *)shared_info;
	const uint8_t *console = (const uint8_t *)console_ring(), *store = (const uint8_t *)store_ring();
	unsigned int n = 0;
	void *p;

	CHECK(all_zero(shared + sizeof(*shared_info), PAGE_SIZE - sizeof(*shared_info)), "behind the shared info");
	CHECK(all_zero(console + sizeof(*console_ring()), PAGE_SIZE - sizeof(*console_ring())), "behind the console's rings");
	CHECK(all_zero(store + sizeof(*store_ring()), PAGE_SIZE - sizeof(*store_ring())), "behind the store's rings");
	while ((p = page_alloc_fresh())) {
		if (to_gfn(p) != start_info_paddr >> 12)
			CHECK(all_zero(p, PAGE_SIZE), "page %p", p);
		n++;
	}
	CHECK(n > 100, "%u fresh pages", n);
}

void test_main(void)
{
	answers();
	padding();
	registers();
	pages();
}
