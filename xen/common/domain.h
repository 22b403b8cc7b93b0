/* SPDX-License-Identifier: BSD-2-Clause */
/* For the softirq table: free dead domains piece by piece. */
#ifndef COMMON_DOMAIN_H
#define COMMON_DOMAIN_H
void domain_reclaim_softirq(void);
#endif
