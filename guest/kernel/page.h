/* SPDX-License-Identifier: BSD-2-Clause */
/* The page allocator's set-up; its services are in kernel.h. */
#ifndef GUEST_PAGE_H
#define GUEST_PAGE_H
/* Uses the boot memory map, or asks the hypervisor for one. */
void page_init(void);
#endif
