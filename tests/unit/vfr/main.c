/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs every table; `vfr-rows SUBSTRING` only the rows whose title has it. */
#include <stdio.h>
#include <string.h>

#include "rows.h"

static const struct table *const tables[] = { TABLES };

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0;

	for (unsigned int i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		unsigned int bad = 0, ran = 0;

		for (unsigned int r = 0; r < tables[i]->n; r++) {
			if (argc > 1 && !strstr(tables[i]->rows[r].title, argv[1]))
				continue;
			ran++;
			bad += (unsigned int)run_row(tables[i], &tables[i]->rows[r]);
		}
		printf("%-12s %3u rows%s\n", tables[i]->name, ran, bad ? "  FAILED" : "");
		passed += ran - bad;
		failed += bad;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
