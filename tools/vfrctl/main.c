/* SPDX-License-Identifier: BSD-2-Clause */
/* vfrctl: the table of commands, and the way from a command line to one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fit.h"

const struct command commands[] = {
	{"check", "FILE", "read a site file and say what is wrong with it", cmd_check, true},
	{"diff", "FILE", "what applying a site file would change", cmd_diff, false},
	{"apply", "FILE [--dry-run] [--confirm TIME] [--force]", "make the machine as the site file says, all or nothing",
	 cmd_apply, false},
	{"confirm", "", "keep a change that awaits confirmation", cmd_confirm, false},
	{"rollback", "[GENERATION] [--confirm TIME]", "go back to a generation, by default the one before", cmd_rollback, false},
	{"history", "", "the generations that are kept", cmd_history, false},
	{"show", "[GENERATION]", "the objects of the configuration", cmd_show, false},
	{"compile", "FILE -o DIR", "make the boot plan and the kernels of a site file", cmd_compile, true},
	{"slice ls", "[DOM]", "who owns which ports", cmd_slice_ls, false},
	{"slice add", "DOM [ADDRESS:]PORTS [--force]",
	 "give a domain ports: 80/tcp, 20000-20999, mape 6/8/52, split 20000-59999/1000/3", cmd_slice_edit, false},
	{"slice del", "DOM [ADDRESS:]PORTS", "take ports back", cmd_slice_edit, false},
	{"listen add", "DOM [ADDRESS:]PORT[/PROTO]", "give a domain a single port", cmd_listen, false},
	{"listen del", "DOM [ADDRESS:]PORT[/PROTO]", "take a single port back", cmd_listen, false},
	{"whois", "ADDRESS:PORT/PROTO|ADDRESS[/PROTO[:SPI]] [--at TIME]", "who holds or held a port or address", cmd_whois, false},
	{"map", "ADDRESS [--svg FILE]", "the port space of an address as a picture", cmd_map, false},
	{"guest-config", "DOM [--sh|--cloud-init|--networkd]", "what a guest must set to use its slice", cmd_guest_config, false},
	{"rule ls", "[DOM]", "the rules of a domain, or of all", cmd_rule_ls, false},
	{"rule add", "DOM|all [--at N] RULE", "add a rule, at the end or at a place", cmd_rule_edit, false},
	{"rule del", "DOM|all N", "remove the rule at a place", cmd_rule_edit, false},
	{"rate ls", "[DOM]", "rates and limits", cmd_rate_ls, false},
	{"rate set", "DOM KEY=VALUE...", "set rates: out=50mbit guarantee=10mbit new-flows=200/s", cmd_rate_set, false},
	{"sub-class ls", "[DOM]", "shares within a domain", cmd_sub_ls, false},
	{"sub-class set", "DOM N weight=W|dscp=SET...", "give traffic a share of its domain: 1 weight=9 dscp=ef,cs5",
	 cmd_sub_set, false},
	{"sub-class del", "DOM N", "take the share away", cmd_sub_del, false},
	{"sched ls", "", "the schedulers and their choices", cmd_sched_ls, false},
	{"sched set", "cpu|net TARGET POLICY [--rate RATE|none]", "choose a scheduler, live", cmd_sched_set, false},
	{"dom ls", "[DOM]", "the domains and their state", cmd_dom_ls, false},
	{"dom create", "FILE.xml", "create a domain from libvirt's XML", cmd_dom_create, false},
	{"dom destroy", "DOM", "remove a domain with all it has", cmd_dom_destroy, false},
	{"dom start", "DOM", "start a domain that is down", cmd_dom_op, false},
	{"dom stop", "DOM", "stop a domain at once; it keeps its place", cmd_dom_op, false},
	{"dom shutdown", "DOM", "ask a domain to power off", cmd_dom_op, false},
	{"dom reboot", "DOM", "stop a domain at once and start it anew", cmd_dom_op, false},
	{"dom pause", "DOM", "stop a domain's processors", cmd_dom_op, false},
	{"dom resume", "DOM", "let them run again", cmd_dom_op, false},
	{"dom console", "DOM", "the console of a domain; Ctrl-] leaves", cmd_console, false},
	{"console", "DOM", "the console of a domain; Ctrl-] leaves", cmd_console, false},
	{"blob ls", "", "kernels and ramdisks that the machine holds", cmd_blob_ls, false},
	{"blob del", "NAME", "drop one that no domain uses", cmd_blob_del, false},
	{"info", "", "the machine: processors, memory, time, generation", cmd_info, false},
	{"stats", "[DOM] [--prom]", "packets, bytes and drops by domain", cmd_stats, false},
	{"drops", "[DOM]", "drops by reason", cmd_drops, false},
	{"trace", "'PROTO SRC:PORT > DST:PORT' [--from DOM]", "what would happen to a packet", cmd_trace, false},
	{"watch", "--drops|--packets [FILTER] [-c COUNT]", "packets as they go, or as they are dropped", cmd_watch, false},
	{"pcap", "DOM|all -w FILE|- [-c COUNT] [FILTER]", "capture packets into a pcapng file", cmd_pcap, false},
	{"top", "[--once]", "rates, drops and shares by domain, live", cmd_top, false},
	{"log", "[-f] [-l LEVEL]", "the hypervisor's log", cmd_log, false},
	{"audit", "[-f] [--from SEQ]", "the audit log", cmd_audit, false},
	{"uplink ls", "", "the uplinks", cmd_uplink_ls, false},
	{"completion", "bash|zsh|fish", "completion for a shell", cmd_completion, true},
	{"version", "", "what this program speaks", cmd_version, true},
	{"help", "[COMMAND]", "this list, or one command of it", cmd_help, true},
};
const size_t ncommands = sizeof(commands) / sizeof(*commands);

/* Two words are looked for first: "dom ls" before "dom". */
static const struct command *find_command(struct cli *cli)
{
	char two[64];

	if (cli->argc > 1) {
		snprintf(two, sizeof(two), "%s %s", cli->argv[0], cli->argv[1]);
		for (size_t i = 0; i < ncommands; i++) {
			if (strcmp(commands[i].name, two))
				continue;
			cli_take(cli, 0, 2);
			return &commands[i];
		}
	}
	for (size_t i = 0; i < ncommands; i++) {
		if (strcmp(commands[i].name, cli->argv[0]))
			continue;
		cli_take(cli, 0, 1);
		return &commands[i];
	}
	return NULL;
}

/* A group of commands was named without the second word. */
static int which_of(struct cli *cli)
{
	size_t n = strlen(cli->argv[0]);
	char all[200] = "";

	for (size_t i = 0; i < ncommands; i++)
		if (!strncmp(commands[i].name, cli->argv[0], n) && commands[i].name[n] == ' ')
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", *all ? ", " : "", commands[i].name + n + 1);
	return *all ? cli_usage(cli, "%s what? %s", cli->argv[0], all) : 0;
}

static int unknown_command(struct cli *cli)
{
	const char *names[sizeof(commands) / sizeof(*commands)], *near;
	char two[128];
	int rc = cli->argc == 1 ? which_of(cli) : 0;

	if (rc)
		return rc;
	if (cli->argv[0][0] == '-')
		return cli_usage(cli, "unknown option '%s'", cli->argv[0]);
	for (size_t i = 0; i < ncommands; i++)
		names[i] = commands[i].name;
	snprintf(two, sizeof(two), "%s%s%s", cli->argv[0], cli->argc > 1 ? " " : "", cli->argc > 1 ? cli->argv[1] : "");
	near = vfrc_suggest(two, names, ncommands);
	if (!near)
		near = vfrc_suggest(cli->argv[0], names, ncommands);
	if (near)
		return cli_usage(cli, "unknown command '%s': did you mean '%s'?", two, near);
	return cli_usage(cli, "unknown command '%s'", cli->argv[0]);
}

/* The commands stand in groups; each begins with this one. */
static const struct {
	const char *first, *title;
} groups[] = {
	{"check", "The site file"}, {"slice ls", "Ports"}, {"rule ls", "Rules and rates"}, {"dom ls", "Domains"}, {"info", "Looking"},
	{"completion", "This program"},
};

static void list_commands(void)
{
	printf("usage: vfrctl [--socket PATH] [--json] COMMAND ...\n");
	for (size_t i = 0; i < ncommands; i++) {
		for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
			if (!strcmp(groups[g].first, commands[i].name))
				printf("\n%s\n", groups[g].title);
		fit_line(stdout, 17, "  %-14s %s", commands[i].name, commands[i].help);
	}
	printf("\n'vfrctl help COMMAND' and 'vfrctl COMMAND --help' show the words of one.\n");
	printf("Every read takes --json. Exit: 0 done, 1 refused, 2 usage, 3 unreachable.\n");
	printf("Manual: vfrctl(1), vfr-site(5); in a clone 'man -l build/man/vfrctl.1'.\n");
}

static void help_one(const struct command *c)
{
	fit_line(stdout, 8, "usage: vfrctl %s%s%s", c->name, *c->args ? " " : "", c->args);
	fit_line(stdout, 8, "        %s", c->help);
}

int cmd_help(struct cli *cli)
{
	char name[64] = "";
	bool found = false;

	for (int i = 0; i < cli->argc; i++)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%s", i ? " " : "", cli->argv[i]);
	if (!*name) {
		list_commands();
		return EXIT_DONE;
	}
	for (size_t i = 0; i < ncommands; i++) {
		size_t n = strlen(name);

		if (strncmp(commands[i].name, name, n) || (commands[i].name[n] && commands[i].name[n] != ' '))
			continue;
		help_one(&commands[i]);
		found = true;
	}
	if (!found)
		return unknown_command(cli);
	printf("\nWhat each word means: vfrctl(1); in a clone 'man -l build/man/vfrctl.1'.\n");
	return EXIT_DONE;
}

/* vfrctl slice add web1 --help: the command's words alone count. */
static int help_of(struct cli *cli)
{
	if (cli->argc && (cli->command = find_command(cli))) {
		help_one(cli->command);
		return EXIT_DONE;
	}
	return cmd_help(cli);
}

int cmd_version(struct cli *cli)
{
	int rc = cli_words(cli, 0, 0);

	if (!rc && cli->json)
		return cli_json(json_pack("{s:i}", "protocol", VC_VERSION));
	if (!rc)
		printf("vfrctl of VFRv2, control protocol version %u\n", VC_VERSION);
	return rc;
}

int main(int argc, char **argv)
{
	static char version[] = "version";
	struct cli cli = {.argc = argc - 1, .argv = argv + 1};
	int rc;

	setvbuf(stdout, NULL, isatty(1) ? _IOLBF : _IOFBF, 65536);
	cli.json = cli_flag(&cli, "--json");
	cli.socket = cli_value(&cli, "--socket");
	if (!cli.socket)
		cli.socket = cli_default_socket();
	if (cli_flag(&cli, "--help") || cli_flag(&cli, "-h"))
		return help_of(&cli);
	if (cli.argc && (!strcmp(cli.argv[0], "--version") || !strcmp(cli.argv[0], "-V")))
		cli.argv[0] = version;
	if (!cli.argc)
		return cli_usage(&cli, "what shall be done?");
	cli.command = find_command(&cli);
	if (!cli.command)
		return unknown_command(&cli);
	rc = cli.command->offline ? 0 : cli_connect(&cli);
	if (!rc)
		rc = cli.command->fn(&cli);
	vfrc_close(cli.c);
	if (fflush(stdout) || ferror(stdout))
		return rc ? rc : EXIT_REFUSED;
	return rc;
}
