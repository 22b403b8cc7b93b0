/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant table, version 1: pages of ours that another domain may use. */
#ifndef GUEST_GRANT_H
#define GUEST_GRANT_H
#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/grant_table.h>

#define GRANT_FRAMES 2
#define GRANT_REFS (GRANT_FRAMES * 512)
#define GRANT_NONE 0

void grants_init(void);
/* Put the table's frames over its pages; a test that moved them away calls this again. */
void grants_map(void);
/* => a reference, or GRANT_NONE when the table is full. */
grant_ref_t grant_page(domid_t to, const void *page, bool readonly);
/* => false when the other domain still uses it; the reference then stays. */
bool grant_end(grant_ref_t ref);
struct grant_entry_v1 *grant_entry(grant_ref_t ref);
#endif
