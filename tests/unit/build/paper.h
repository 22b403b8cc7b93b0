/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine of paper that a domain is built on: frames with counts, a map as an array, vcpus without a CPU behind them. */
#ifndef TESTS_BUILD_PAPER_H
#define TESTS_BUILD_PAPER_H

#include <stdbool.h>
#include <stdint.h>

#define PAPER_RAM 1024 /* frames from 0 on that a map knows, and three special ones */

void paper_start(void);
unsigned paper_frames(void); /* that are there */
unsigned paper_vifs(void);
extern uint64_t paper_free_frames; /* that may still be had */

#endif
