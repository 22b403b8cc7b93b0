/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames with numbers, from the card to guests: none may overtake another. */
#ifndef TESTS_UNIT_NET_NUMBERED_H
#define TESTS_UNIT_NET_NUMBERED_H

#include <stdint.h>

#include "world.h"

/* => numbers begin again at 1. */
void numbered_start(void);
/* => the next number, for a frame that comes by another way; how many have been given. */
uint32_t numbered_next(void);
uint32_t numbered_sent(void);
/* => the card receives `n` more, of `len` bytes, one by one. */
void numbered_come(unsigned int n, uint32_t len);
/* => how many the guest finds in its ring, in order; it gives as many buffers anew. */
unsigned int numbered_take(struct guest *to);

#endif
