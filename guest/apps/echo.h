/* SPDX-License-Identifier: BSD-2-Clause */
/* A UDP echo: every datagram to the port goes back to its sender. */
#ifndef GUEST_ECHO_H
#define GUEST_ECHO_H
#include <stdint.h>
#include "ethif.h"
/* => 0 or -errno. echo_hot is the ethif_hot_fn that goes with it. */
int echo_start(const struct ethif *e, uint16_t port);
bool echo_hot(struct netfront *nf, const struct net_packet *p, enum net_verdict *verdict);
unsigned long echo_packets(void);
#endif
