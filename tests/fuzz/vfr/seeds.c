/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the fuzzer's first corpus: each line of seeds.txt ("PORT PACKET", see tests/unit/vfr/craft.h) as one record, and all as one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit/vfr/craft.h"

static void record(FILE *f, int port, const struct crafted *c)
{
	uint8_t head[4] = { 0, (uint8_t)(0xc0 | ((port + 5 - 0xc0 % 5) % 5)), (uint8_t)(c->len >> 8), (uint8_t)c->len };

	fwrite(head, 1, sizeof(head), f);
	fwrite(c->b, 1, c->len, f);
}

int main(int argc, char **argv)
{
	static struct crafted c;
	char line[1024], path[512];
	int n = 0;

	if (argc != 3)
		return 2;
	FILE *in = fopen(argv[1], "r");
	snprintf(path, sizeof(path), "%s/all", argv[2]);
	FILE *all = fopen(path, "wb");
	if (!in || !all)
		return 2;
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = 0;
		if (!craft(&c, line + 2, atoi(line))) {
			fprintf(stderr, "seeds: cannot read \"%s\"\n", line);
			return 1;
		}
		snprintf(path, sizeof(path), "%s/%02d", argv[2], n++);
		FILE *f = fopen(path, "wb");
		if (!f)
			return 2;
		record(f, atoi(line), &c);
		record(all, atoi(line), &c);
		fclose(f);
	}
	fclose(all);
	fclose(in);
	return 0;
}
