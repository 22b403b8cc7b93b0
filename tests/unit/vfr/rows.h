/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of rows, one a subject. */
#ifndef ROWS_H
#define ROWS_H
#include "world.h"
#define TABLE(what, r) { .name = what, .rows = r, .n = sizeof(r) / sizeof((r)[0]) }
extern const struct table admit_table, icmp_table, frag_table, neigh_table, slice_table, rule_table, nat_table, v6_table;
#define TABLES &admit_table, &icmp_table, &frag_table, &neigh_table, &slice_table, &rule_table, &nat_table, &v6_table
#endif
