/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the entry code to the program. Order matters: the start info is copied before the page allocator can hand out its memory;
 * the hypercall page comes before anything that asks the hypervisor; events before the console and the store, which wait on them.
 */
#include <string.h>
#include "console.h"
#include "event.h"
#include "grant.h"
#include "hypercall.h"
#include "kernel.h"
#include "page.h"
#include "store.h"
#include "trap.h"
#include <xen/arch-x86/cpuid.h>

struct hvm_start_info start_info;
struct hvm_memmap_table_entry boot_memmap[16];
unsigned int boot_memmap_entries;
char cmdline[1024];
static struct shared_info shared_info_page __page_aligned;
struct shared_info *shared_info = &shared_info_page;

void guest_start(void);

uint32_t xen_cpuid_base(void)
{
	uint32_t base;

	for (base = 0x40000000; base < 0x40010000; base += 0x100) {
		struct cpuid_regs r = cpuid(base, 0);

		if (r.ebx == XEN_CPUID_SIGNATURE_EBX && r.ecx == XEN_CPUID_SIGNATURE_ECX && r.edx == XEN_CPUID_SIGNATURE_EDX)
			return base;
	}
	return 0;
}

static void copy_start_info(void)
{
	const struct hvm_start_info *si = (void *)(uintptr_t)start_info_paddr;

	memcpy(&start_info, si, si->version ? sizeof(start_info) : offsetof(struct hvm_start_info, memmap_paddr));
	if (start_info.cmdline_paddr) {
		size_t n = strnlen((char *)start_info.cmdline_paddr, sizeof(cmdline) - 1);

		memcpy(cmdline, (char *)start_info.cmdline_paddr, n);
	}
	if (start_info.version && start_info.memmap_paddr) {
		boot_memmap_entries = start_info.memmap_entries;
		if (boot_memmap_entries > ARRAY_LEN(boot_memmap))
			boot_memmap_entries = ARRAY_LEN(boot_memmap);
		memcpy(boot_memmap, (void *)start_info.memmap_paddr, boot_memmap_entries * sizeof(boot_memmap[0]));
	}
}

bool cmdline_get(const char *name, char *buf, size_t size)
{
	size_t len = strlen(name), n;
	const char *p = cmdline;

	for (;;) {
		while (*p == ' ')
			p++;
		if (!*p)
			return false;
		for (n = 0; p[n] && p[n] != ' '; n++)
			;
		if (n > len && !memcmp(p, name, len) && p[len] == '=')
			break;
		p += n;
	}
	n -= len + 1;
	if (n >= size)
		n = size - 1;
	memcpy(buf, p + len + 1, n);
	buf[n] = 0;
	return true;
}

unsigned long parse_number(const char **s)
{
	unsigned long v = 0;

	for (; **s >= '0' && **s <= '9'; (*s)++)
		v = v * 10 + (unsigned long)(**s - '0');
	return v;
}

unsigned long cmdline_number(const char *name, unsigned long otherwise)
{
	char buf[24];
	const char *p = buf;

	return cmdline_get(name, buf, sizeof(buf)) ? parse_number(&p) : otherwise;
}

int hvm_param_get(unsigned int index, uint64_t *value)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index };
	int rc = hv_hvm(HVMOP_get_param, &p);

	*value = p.value;
	return rc;
}

int hvm_param_set(unsigned int index, uint64_t value)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index, .value = value };

	return hv_hvm(HVMOP_set_param, &p);
}

void shared_info_map(void)
{
	struct xen_add_to_physmap map = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = to_gfn(&shared_info_page) };

	if (hv_memory(XENMEM_add_to_physmap, &map))
		panic("shared info cannot be mapped");
}

void guest_start(void)
{
	uint32_t base;

	traps_init();
	copy_start_info();
	base = xen_cpuid_base();
	if (!base)
		panic("no hypervisor");
	wrmsr(cpuid(base + 2, 0).ebx, (uint64_t)hypercall_page);
	shared_info_map();
	page_init();
	events_init();
	console_init();
	grants_init();
	store_init();
	cpu_sti();
	shutdown(guest_main() ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}
