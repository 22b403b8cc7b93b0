/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of a vif share: a connected guest, slots in its transmit ring, random numbers. */
#ifndef TESTS_UNIT_NET_VIF_CASE_H
#define TESTS_UNIT_NET_VIF_CASE_H

#include "world.h"

#define FULL "feature-sg feature-gso-tcpv4 feature-gso-tcpv6 feature-ipv6-csum-offload"

static struct guest *const g = &guests[0];

uint32_t rnd(void);
/* => the next slot of the transmit ring, filled in. */
netif_tx_request_t *put_slot(uint16_t id, uint32_t gref, uint16_t off, uint16_t size, uint16_t flags);
void put_gso_extra(uint8_t type, uint16_t size, uint8_t flags);
int set_up(void **state);
int tear_down(void **state);
void read_vif(struct net_vif_info *info);
/* => the heads of a TCP frame of `len` bytes in all; the checksum that its TCP should have; a segment sent for cutting. */
void tcp_head(uint8_t *h, uint32_t len);
uint16_t tcp_check(const uint8_t *f, uint32_t len);
void send_gso(uint32_t payload, uint16_t gso_size);

#endif
