/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network layer uses of a domain, in the place of xen/include/hv/domain.h. */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H
#include <stdbool.h>
#include <stdint.h>
#include <hv/cpu.h>
#define MAX_DOMAINS 512
struct domain {
	uint16_t id;
	const char *name;
	int refs;
	bool busy; /* a vcpu of it runs */
};
static inline bool domain_is_idle(const struct domain *d)
{
	return !d->busy;
}
static inline struct domain *domain_ref(struct domain *d)
{
	d->refs++;
	return d;
}
static inline void domain_put(struct domain *d)
{
	d->refs--;
}
#endif
