/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion for shells, made from the table of commands: their words and options. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* fn for each option that the arguments' text names. */
static void each_option(const struct command *c, void (*fn)(const struct command *c, const char *opt, int n))
{
	for (const char *p = c->args; (p = strchr(p, '-')); ) {
		int n = strcspn(p, " |]");

		if (n > 1 && (p == c->args || strchr(" [|", p[-1])))
			fn(c, p, n);
		p += n ? n : 1;
	}
}

static bool first_of(size_t i)
{
	size_t n = strcspn(commands[i].name, " ");

	for (size_t k = 0; k < i; k++)
		if (strcspn(commands[k].name, " ") == n && !strncmp(commands[k].name, commands[i].name, n))
			return false;
	return true;
}

static void plain_option(const struct command *c, const char *opt, int n)
{
	printf(" %.*s", n, opt);
}

static void print_first_words(void)
{
	for (size_t i = 0; i < ncommands; i++)
		if (first_of(i))
			printf("%s%.*s", i ? " " : "", (int)strcspn(commands[i].name, " "), commands[i].name);
}

static void print_second_words(const char *first, size_t n)
{
	for (size_t i = 0; i < ncommands; i++)
		if (!strncmp(commands[i].name, first, n) && commands[i].name[n] == ' ')
			printf(" %s", commands[i].name + n + 1);
}

static void bash(void)
{
	printf("# bash completion for vfrctl\n_vfrctl() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
	       "\tcase \"$COMP_CWORD ${COMP_WORDS[1]}\" in\n\t\"1 \"*) words=\"");
	print_first_words();
	printf(" --socket --json\" ;;\n");
	for (size_t i = 0; i < ncommands; i++) {
		size_t n = strcspn(commands[i].name, " ");

		if (!first_of(i) || !commands[i].name[n])
			continue;
		printf("\t\"2 %.*s\") words=\"", (int)n, commands[i].name);
		print_second_words(commands[i].name, n);
		printf("\" ;;\n");
	}
	printf("\tesac\n\tcase \"${COMP_WORDS[*]:1}\" in\n");
	for (size_t i = 0; i < ncommands; i++) {
		printf("\t\"%s \"*) words+=\"", commands[i].name);
		each_option(&commands[i], plain_option);
		printf(" --json\" ;;\n");
	}
	printf("\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	       "\t[ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
	       "complete -o filenames -F _vfrctl vfrctl\n");
}

static void zsh(void)
{
	printf("#compdef vfrctl\n_vfrctl() {\n\tlocal -a list\n\tcase $CURRENT in\n\t2) list=(");
	print_first_words();
	printf(") ;;\n\t3) case $words[2] in\n");
	for (size_t i = 0; i < ncommands; i++) {
		size_t n = strcspn(commands[i].name, " ");

		if (!first_of(i) || !commands[i].name[n])
			continue;
		printf("\t\t%.*s) list=(", (int)n, commands[i].name);
		print_second_words(commands[i].name, n);
		printf(") ;;\n");
	}
	printf("\t\tesac ;;\n\tesac\n\tcase \"$words[2,-1]\" in\n");
	for (size_t i = 0; i < ncommands; i++) {
		printf("\t\"%s \"*) list+=(", commands[i].name);
		each_option(&commands[i], plain_option);
		printf(" --json) ;;\n");
	}
	printf("\tesac\n\tcompadd -a list\n\t_files\n}\n_vfrctl \"$@\"\n");
}

static void fish_option(const struct command *c, const char *opt, int n)
{
	size_t first = strcspn(c->name, " ");

	printf("complete -c vfrctl -n '__fish_seen_subcommand_from %.*s", (int)first, c->name);
	if (c->name[first])
		printf("; and __fish_seen_subcommand_from %s", c->name + first + 1);
	printf("' -%c %.*s\n", opt[1] == '-' ? 'l' : 's', opt[1] == '-' ? n - 2 : n - 1, opt[1] == '-' ? opt + 2 : opt + 1);
}

static void fish(void)
{
	printf("# fish completion for vfrctl\ncomplete -c vfrctl -l json\ncomplete -c vfrctl -l socket -r\n");
	for (size_t i = 0; i < ncommands; i++) {
		size_t n = strcspn(commands[i].name, " ");

		if (first_of(i))
			printf("complete -c vfrctl -n __fish_use_subcommand -a %.*s -d \"%s\"\n", (int)n, commands[i].name,
			       commands[i].name[n] ? "" : commands[i].help);
		if (commands[i].name[n])
			printf("complete -c vfrctl -n '__fish_seen_subcommand_from %.*s' -a %s -d \"%s\"\n", (int)n, commands[i].name,
			       commands[i].name + n + 1, commands[i].help);
		each_option(&commands[i], fish_option);
	}
}

int cmd_completion(struct cli *cli)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	int rc = cli_words(cli, 1, 1);

	for (size_t i = 0; !rc && i < sizeof(shells) / sizeof(*shells); i++) {
		if (strcmp(cli->argv[0], shells[i].name))
			continue;
		shells[i].fn();
		return EXIT_DONE;
	}
	return rc ? rc : cli_usage(cli, "'%s': bash, zsh and fish are known", cli->argv[0]);
}
