/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drivers' entry point.
 */
#ifndef DRIVERS_DRIVERS_H
#define DRIVERS_DRIVERS_H

/* => find the devices and start what needs no one else. Before net_init(), on the boot CPU. */
void drivers_init(void);

#endif
