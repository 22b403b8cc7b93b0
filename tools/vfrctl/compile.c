/* SPDX-License-Identifier: BSD-2-Clause */
/* check and compile: a site file by itself, and the boot plan with the modules that it names. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli.h"

static int site_summary(struct cli *cli, const struct site *s)
{
	unsigned int count[VC_OBJECT_END - VC_SCHED_SET] = {0};

	for (size_t i = 0; i < s->objects.n; i++)
		count[s->objects.v[i]->type - VC_SCHED_SET]++;
	if (cli->json)
		return cli_json(json_pack("{s:b, s:i, s:i, s:i, s:i}", "valid", 1, "addresses", count[1], "domains", count[2], "slices",
					  count[3], "modules", (int)s->nmodules));
	printf("%s: %u address%s, %u domain%s, %u slice%s, %zu module%s: nothing wrong\n", s->file, count[1], count[1] == 1 ? "" : "es",
	       count[2], count[2] == 1 ? "" : "s", count[3], count[3] == 1 ? "" : "s", s->nmodules, s->nmodules == 1 ? "" : "s");
	return EXIT_DONE;
}

/* Is each kernel one that a guest can start from? Done once a file; packed ones are unpacked for it. */
static void check_kernels(struct site *s)
{
	for (size_t i = 0; i < s->nmodules; i++) {
		struct module *m = s->modules[i];
		uint8_t *elf;
		size_t size;
		char why[256];

		if (!m->kernel || !m->size)
			continue;
		if (kernel_load(m->bytes, m->size, &elf, &size, why, sizeof(why)))
			site_error(s, m->line, m->col, "the kernel '%s' cannot be used: %s", m->path, why);
		else
			free(elf);
	}
}

int site_refused(struct cli *cli, const struct site *s)
{
	json_t *all;

	if (!cli->json)
		return EXIT_REFUSED;
	all = json_array();
	for (int i = 0; i < s->errors; i++)
		json_array_append_new(all, json_pack("{s:i, s:i, s:o}", "line", s->error[i].line, "column", s->error[i].col, "text",
						     json_name(s->error[i].text, strlen(s->error[i].text))));
	cli_json(json_pack("{s:{s:s, s:i, s:s, s:s, s:s, s:o}}", "error", "name", "bad-file", "code", EINVAL, "text",
			   s->errors ? s->error[0].text : "", "owner", "", "file", s->file, "errors", all));
	return EXIT_REFUSED;
}

int cmd_check(struct cli *cli)
{
	bool kernels = !cli_flag(cli, "--no-kernels");
	struct site s = {.quiet = cli->json};
	int rc = cli_words(cli, 1, 1);

	if (rc)
		return rc;
	site_read(cli->argv[0], &s);
	if (!s.errors && kernels)
		check_kernels(&s);
	if (s.errors && !s.quiet)
		fprintf(stderr, "%d error%s\n", s.errors, s.errors == 1 ? "" : "s");
	rc = s.errors ? site_refused(cli, &s) : site_summary(cli, &s);
	site_free(&s);
	return rc;
}

static int write_module(struct site *s, const struct module *m, const char *dir)
{
	const uint8_t *bytes = m->bytes;
	uint8_t *elf = NULL;
	size_t size = m->size;
	char path[4096], why[256];
	int rc;

	if (m->kernel && kernel_load(m->bytes, m->size, &elf, &size, why, sizeof(why))) {
		site_error(s, m->line, m->col, "the kernel '%s' cannot be used: %s", m->path, why);
		return -1;
	}
	snprintf(path, sizeof(path), "%s/%s", dir, m->name);
	rc = file_write(path, m->kernel ? elf : bytes, size, why, sizeof(why));
	if (rc)
		fprintf(stderr, "vfrctl: %s: %s\n", path, why);
	else
		printf("%-64s %11zu bytes\n", m->name, size);
	free(elf);
	return rc;
}

static int write_plan(const struct site *s, const char *dir)
{
	char path[4096], why[256], note[64];
	struct timespec now;
	uint8_t *plan;
	size_t size;
	int rc;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(note, sizeof(note), "boot plan of %.50s", strrchr(s->file, '/') ? strrchr(s->file, '/') + 1 : s->file);
	plan = plan_make(&s->objects, note, now.tv_sec * 1000000000ull + now.tv_nsec, &size);
	snprintf(path, sizeof(path), "%s/boot.plan", dir);
	rc = plan ? file_write(path, plan, size, why, sizeof(why)) : (strcpy(why, "no memory"), -1);
	if (rc)
		fprintf(stderr, "vfrctl: %s: %s\n", path, why);
	else
		printf("%-64s %11zu bytes, %zu messages\n", "boot.plan", size, s->objects.n);
	free(plan);
	return rc;
}

int cmd_compile(struct cli *cli)
{
	const char *dir = cli_value(cli, "-o");
	struct site s = {0};
	int rc = cli_words(cli, 1, 1);

	if (rc)
		return rc;
	if (!dir)
		return cli_usage(cli, "where to? -o DIR is missing");
	if (mkdir(dir, 0755) && errno != EEXIST) {
		fprintf(stderr, "vfrctl: %s: %m\n", dir);
		return EXIT_REFUSED;
	}
	site_read(cli->argv[0], &s);
	for (size_t i = 0; i < s.nmodules && !rc && !s.errors; i++)
		rc = write_module(&s, s.modules[i], dir);
	if (!rc && !s.errors)
		rc = write_plan(&s, dir);
	rc = rc || s.errors ? EXIT_REFUSED : EXIT_DONE;
	site_free(&s);
	return rc;
}
