/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the pieces of common/ give to each other and to arch/: one line each, the contract at the body.
 */
#ifndef HV_SUBSYS_H
#define HV_SUBSYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct domain;
struct vcpu;
struct xenstore;

/* common/evtchn.c */
int evtchn_init(struct domain *d);
void evtchn_destroy(struct domain *d);            /* closes every port, bounded by the table's size */
void evtchn_send_virq(struct vcpu *v, uint32_t virq);
bool vcpu_event_pending(const struct vcpu *v);    /* evtchn_upcall_pending and not masked */

/* common/grant.c */
int grant_init(struct domain *d);
void grant_destroy(struct domain *d);             /* => no borrow is left and no foreign map of it exists, or they keep only frames */

/* common/vcpu_op.c */
void vcpu_info_init(struct vcpu *v);              /* points at the slot in shared_info, or a dummy for id >= 32 */
void vcpu_info_destroy(struct vcpu *v);
/* pvclock: writes the vcpu_time_info. It never changes, so this is needed where v->info moves, and is done there. */
void vcpu_time_update(struct vcpu *v);
void wallclock_update(struct domain *d);
/* Account the state that ends. RUNSTATE_running also writes the guest's area: on the CPU about to enter v, no lock held. */
void vcpu_runstate_change(struct vcpu *v, int new_state, uint64_t now_ns);

/* common/sched_op.c */
void watchdog_destroy(struct domain *d);

/* common/console.c: each output raises SOFTIRQ_CONTROL, so that waiting readers hear of it */
int console_init(struct domain *d);               /* ring page at its gfn, event channel, history buffer */
void console_destroy(struct domain *d);
void console_softirq(void);
/* What guests say goes to the log as well (boot option guestlog). */
void guest_console_mirror(bool on);
/* Copy at most max bytes of the history from *offset on; text that is lost moves *offset on to the first byte kept.
 * Number of bytes copied (*offset does not move by it), 0: nothing new. */
size_t guest_console_read(struct domain *d, uint64_t *offset, void *buf, size_t max);
/* Type to the guest. Number of bytes taken (0: its ring is full). */
size_t guest_console_write(struct domain *d, const void *buf, size_t n);
uint64_t console_end(struct domain *d);           /* bytes of output in its life */
/* Text that did not come by the ring (CONSOLEIO_write, port 0xe9). */
void console_emit(struct domain *d, const char *buf, size_t n);

/* common/store.c: the xenstore instance and the guests' rings */
extern struct xenstore *the_xenstore;
void store_init(void);
int store_domain_init(struct domain *d);          /* ring page, event channel, the domain's home */
void store_domain_destroy(struct domain *d);
void store_softirq(void);

/* common/domain_build.c: from a kernel image to a vcpu ready to enter (Xen PVH boot ABI) */
struct domain_build {
	const void *kernel;   /* ELF image with the note XEN_ELFNOTE_PHYS32_ENTRY */
	size_t kernel_size;
	const void *ramdisk;  /* may be NULL */
	size_t ramdisk_size;
	const char *cmdline;
	const uint8_t *mac;   /* of its network interface, NULL: none */
	uint32_t mtu;         /* of that, 0: the backend's choice */
};
/* Load and lay out; 0 or -errno with a named reason in *why ("kernel is not an ELF file", …). => d is BUILDING. */
int domain_build(struct domain *d, const struct domain_build *b, const char **why);

/* common/acpi.c: RSDP, XSDT, FADT, MADT, DSDT at a fixed guest place; returns the RSDP's guest address or 0 */
uint64_t acpi_build(struct domain *d);
/* The hardware-reduced sleep control and status registers, one I/O port each: arch/ hands a byte written to the first over. */
#define ACPI_SLEEP_CONTROL_PORT 0x604
#define ACPI_SLEEP_STATUS_PORT  0x605
void acpi_sleep_write(struct domain *d, uint8_t value);
/* Local APIC id of a vcpu, as the MADT, CPUID and the APIC itself tell it. */
static inline uint32_t vcpu_apic_id(uint32_t vcpu)
{
	return vcpu * 2;
}

/* arch/x86: */
int vcpu_arch_init(struct vcpu *v);
void vcpu_arch_destroy(struct vcpu *v);
/* PVH entry state: 32-bit flat protected mode without paging at `entry`, rbx = start_info (docs of the Xen PVH ABI). */
void vcpu_arch_boot_state(struct vcpu *v, uint32_t entry, uint32_t start_info);
/* VCPUOP_initialise: 32-bit or 64-bit register sets of <xen/hvm/hvm_vcpu.h>. */
struct vcpu_hvm_context;
int vcpu_arch_set_context(struct vcpu *v, const struct vcpu_hvm_context *ctx);
/* A non-maskable interrupt for it, from any CPU; several that come before it is delivered are one. */
void vcpu_arch_nmi(struct vcpu *v);
/* True if an interrupt or event could be delivered to the vcpu now, so a block ends at once. */
bool vcpu_arch_interruptible(const struct vcpu *v);
/* Write the hypercall page into guest memory (32 bytes an entry). */
void arch_hypercall_page(void *page);
extern uint64_t boot_tsc; /* the TSC at time_now_ns() 0 */
uint64_t time_ns_to_tsc_mul(uint32_t *mul, int8_t *shift); /* pvclock scale; returns the TSC frequency in Hz */

#endif
