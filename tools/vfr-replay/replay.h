/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture run through the router: what the two files of the tool share. */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include <vfr/vfr.h>

#define REPLAY_PORTS 64
#define REPLAY_GATEWAY { 0x02, 0, 0, 0, 0xff, 0x01 }

struct replay {
	struct vfr *v;
	uint8_t mac[REPLAY_PORTS][6];
	bool used[REPLAY_PORTS], guest[REPLAY_PORTS];
};

/* => false with the line in trouble printed. */
bool replay_config(struct replay *r, const char *path);

#endif
