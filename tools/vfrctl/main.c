/* SPDX-License-Identifier: BSD-2-Clause */
/* vfrctl: the table of commands, and the way from a command line to one of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

const struct command commands[] = {
	{"info", "", "the machine: processors, memory, time, generation", cmd_info, false},
	{"check", "FILE", "read a site file and say what is wrong with it", cmd_check, true},
	{"diff", "FILE", "what applying a site file would change", cmd_diff, false},
	{"apply", "FILE [--dry-run] [--confirm TIME] [--force]", "make the machine as the site file says, all or nothing", cmd_apply,
	 false},
	{"confirm", "", "keep a change that awaits confirmation", cmd_confirm, false},
	{"rollback", "[GENERATION] [--confirm TIME]", "go back to a generation, by default the one before", cmd_rollback, false},
	{"history", "", "the generations that are kept", cmd_history, false},
	{"show", "[GENERATION]", "the objects of the configuration", cmd_show, false},
	{"compile", "FILE -o DIR", "make the boot plan and the kernels of a site file", cmd_compile, true},
	{"slice ls", "[DOM]", "who owns which ports", cmd_slice_ls, false},
	{"slice add", "DOM [ADDRESS:]PORTS [--force]", "give a domain ports: 80/tcp, 20000-20999, mape 6/8/52", cmd_slice_edit, false},
	{"slice del", "DOM [ADDRESS:]PORTS", "take ports back", cmd_slice_edit, false},
	{"listen add", "DOM [ADDRESS:]PORT[/PROTO]", "give a domain a single port", cmd_listen, false},
	{"listen del", "DOM [ADDRESS:]PORT[/PROTO]", "take a single port back", cmd_listen, false},
	{"rule ls", "[DOM]", "the rules of a domain, or of all", cmd_rule_ls, false},
	{"rule add", "DOM|all [--at N] RULE", "add a rule, at the end or at a place", cmd_rule_edit, false},
	{"rule del", "DOM|all N", "remove the rule at a place", cmd_rule_edit, false},
	{"rate ls", "[DOM]", "rates and limits", cmd_rate_ls, false},
	{"rate set", "DOM [KEY=VALUE]...", "set rates: out=50mbit guarantee=10mbit in=100mbit new-flows=200/s", cmd_rate_set, false},
	{"sub-class ls", "[DOM]", "shares within a domain", cmd_sub_ls, false},
	{"sub-class set", "DOM N [weight=W] [dscp=SET]", "give traffic a share within its domain: 1 weight=9 dscp=ef,cs5", cmd_sub_set,
	 false},
	{"sub-class del", "DOM N", "take the share away", cmd_sub_del, false},
	{"dom ls", "", "the domains and their state", cmd_dom_ls, false},
	{"dom destroy", "DOM", "remove a domain with all it has", cmd_dom_destroy, false},
	{"dom pause", "DOM", "stop a domain's processors", cmd_dom_op, false},
	{"dom resume", "DOM", "let them run again", cmd_dom_op, false},
	{"dom reboot", "DOM", "stop a domain at once and start it anew", cmd_dom_op, false},
	{"dom start", "DOM", "start a domain that is down", cmd_dom_op, false},
	{"dom shutdown", "DOM", "ask a domain to power off", cmd_dom_op, false},
	{"dom stop", "DOM", "stop a domain at once; it keeps its place", cmd_dom_op, false},
	{"dom console", "DOM", "the console of a domain; Ctrl-] leaves", cmd_console, false},
	{"dom create", "FILE.xml", "create a domain from libvirt's XML", cmd_dom_create, false},
	{"console", "DOM", "the console of a domain; Ctrl-] leaves", cmd_console, false},
	{"stats", "[DOM] [--prom]", "packets, bytes and drops by domain", cmd_stats, false},
	{"drops", "[DOM]", "drops by reason", cmd_drops, false},
	{"log", "[-f] [-l LEVEL]", "the hypervisor's log", cmd_log, false},
	{"audit", "[-f] [--from SEQ]", "the audit log", cmd_audit, false},
	{"whois", "ADDRESS:PORT/PROTO [--at TIME]", "who holds or held a port", cmd_whois, false},
	{"trace", "'PROTO SRC:PORT > DST:PORT' [--from DOM]", "what would happen to a packet", cmd_trace, false},
	{"watch", "--drops|--packets [FILTER] [-c COUNT]", "packets as they go, or as they are dropped", cmd_watch, false},
	{"pcap", "DOM|all -w FILE|- [-c COUNT] [FILTER]", "capture packets into a pcapng file", cmd_pcap, false},
	{"top", "[--once]", "rates, drops and shares by domain, live", cmd_top, false},
	{"guest-config", "DOM [--sh|--cloud-init|--networkd]", "what a guest must set to use its slice", cmd_guest_config, false},
	{"map", "ADDRESS [--svg FILE]", "the port space of an address as a picture", cmd_map, false},
	{"blob ls", "", "kernels and ramdisks that the machine holds", cmd_blob_ls, false},
	{"blob del", "NAME", "drop one that no domain uses", cmd_blob_del, false},
	{"uplink ls", "", "the uplinks", cmd_uplink_ls, false},
	{"sched ls", "", "the schedulers and their choices", cmd_sched_ls, false},
	{"sched set", "cpu|net TARGET POLICY [--rate RATE|none]", "choose a scheduler, live", cmd_sched_set, false},
	{"completion", "bash|zsh|fish", "completion for a shell", cmd_completion, true},
	{"help", "[COMMAND]", "this list, or one command of it", cmd_help, true},
};
const size_t ncommands = sizeof(commands) / sizeof(*commands);

static void take(struct cli *cli, int i, int n)
{
	memmove(cli->argv + i, cli->argv + i + n, (cli->argc - i - n) * sizeof(*cli->argv));
	cli->argc -= n;
}

bool cli_flag(struct cli *cli, const char *name)
{
	for (int i = 0; i < cli->argc && strcmp(cli->argv[i], "--"); i++) {
		if (strcmp(cli->argv[i], name))
			continue;
		take(cli, i, 1);
		return true;
	}
	return false;
}

const char *cli_value(struct cli *cli, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < cli->argc && strcmp(cli->argv[i], "--"); i++) {
		const char *v = NULL;

		if (!strncmp(cli->argv[i], name, n) && cli->argv[i][n] == '=') {
			v = cli->argv[i] + n + 1;
			take(cli, i, 1);
		} else if (!strcmp(cli->argv[i], name)) {
			if (i + 1 == cli->argc)
				exit(cli_usage(cli, "%s needs a value", name));
			v = cli->argv[i + 1];
			take(cli, i, 2);
		}
		if (v)
			return v;
	}
	return NULL;
}

int cli_usage(struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "vfrctl: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (cli->command)
		fprintf(stderr, "\nusage: vfrctl %s %s\n", cli->command->name, cli->command->args);
	else
		fprintf(stderr, "\nusage: vfrctl [--socket PATH] [--json] COMMAND ...   (vfrctl help lists the commands)\n");
	return EXIT_USAGE;
}

int cli_words(struct cli *cli, int min, int max)
{
	if (cli->argc && !strcmp(cli->argv[0], "--"))
		take(cli, 0, 1);
	for (int i = 0; i < cli->argc; i++)
		if (cli->argv[i][0] == '-' && cli->argv[i][1] && strcmp(cli->argv[i], "--"))
			return cli_usage(cli, "unknown option '%s'", cli->argv[i]);
	if (cli->argc < min)
		return cli_usage(cli, "too few words");
	if (cli->argc > max)
		return cli_usage(cli, "too many words: '%s'", cli->argv[max]);
	return 0;
}

int cli_result(struct cli *cli, int rc, const struct vfrc_reply *r)
{
	if (rc == VFRC_OK)
		return EXIT_DONE;
	if (cli->json)
		cli_json(json_pack("{s:{s:s, s:i, s:s, s:s}}", "error", "name", r->err.name, "code", (int)r->err.code, "text", r->err.text,
				   "owner",
				   r->err.owner));
	else
		fprintf(stderr, "vfrctl: %s (%s)\n", r->err.text, r->err.name);
	return rc == VFRC_LOST ? EXIT_UNREACHABLE : EXIT_REFUSED;
}

int cli_call(struct cli *cli, uint16_t type, const void *body, size_t n, struct vfrc_reply *r)
{
	return cli_result(cli, vfrc_call(cli->c, type, body, n, r), r);
}

int cli_json(json_t *v)
{
	json_dumpf(v, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(v);
	return EXIT_DONE;
}

int cli_domain(struct cli *cli, const char *name, char out[VC_NAME])
{
	memset(out, 0, VC_NAME);
	if (!vfrc_name_ok(name, VC_NAME))
		return cli_usage(cli, "'%s' is not the name of a domain", name);
	strcpy(out, name);
	return 0;
}

static const char *default_socket(void)
{
	const char *env = getenv("VFR_SOCKET");

	if (env && *env)
		return env;
	return access("build/run/vfr.sock", F_OK) ? "/run/vfr.sock" : "build/run/vfr.sock";
}

int cli_connect(struct cli *cli)
{
	char why[256];

	cli->c = vfrc_open(cli->socket, why, sizeof(why));
	if (cli->c)
		return 0;
	if (cli->json)
		cli_json(json_pack("{s:{s:s, s:s, s:s}}", "error", "name", "unreachable", "text", why, "socket", cli->socket));
	else
		fprintf(stderr, "vfrctl: the hypervisor is not reachable at %s: %s\n", cli->socket, why);
	return EXIT_UNREACHABLE;
}

int cli_yield(struct cli *cli)
{
	vfrc_close(cli->c);
	cli->c = NULL;
	usleep(20000);
	return cli_connect(cli);
}

/* Two words are looked for first: "dom ls" before "dom". */
static const struct command *find_command(struct cli *cli)
{
	char two[64];

	if (cli->argc > 1) {
		snprintf(two, sizeof(two), "%s %s", cli->argv[0], cli->argv[1]);
		for (size_t i = 0; i < ncommands; i++) {
			if (strcmp(commands[i].name, two))
				continue;
			take(cli, 0, 2);
			return &commands[i];
		}
	}
	for (size_t i = 0; i < ncommands; i++) {
		if (strcmp(commands[i].name, cli->argv[0]))
			continue;
		take(cli, 0, 1);
		return &commands[i];
	}
	return NULL;
}

static int unknown_command(struct cli *cli)
{
	const char *names[sizeof(commands) / sizeof(*commands)], *near;
	char two[128];

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

int cmd_help(struct cli *cli)
{
	char name[64] = "";

	for (int i = 0; i < cli->argc; i++)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%s", i ? " " : "", cli->argv[i]);
	printf("usage: vfrctl [--socket PATH] [--json] COMMAND ...\n\n");
	for (size_t i = 0; i < ncommands; i++)
		if (!strncmp(commands[i].name, name, strlen(name)))
			printf("  %-13s %-48s %s\n", commands[i].name, commands[i].args, commands[i].help);
	printf("\nEvery read takes --json. Exit: 0 done, 1 refused, 2 usage, 3 unreachable. Manual: vfrctl(1), vfr-site(5).\n");
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	static char help[] = "help";
	struct cli cli = {.argc = argc - 1, .argv = argv + 1};
	int rc;

	setvbuf(stdout, NULL, isatty(1) ? _IOLBF : _IOFBF, 65536);
	cli.json = cli_flag(&cli, "--json");
	cli.socket = cli_value(&cli, "--socket");
	if (!cli.socket)
		cli.socket = default_socket();
	if (cli.argc && (!strcmp(cli.argv[0], "--help") || !strcmp(cli.argv[0], "-h")))
		cli.argv[0] = help;
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
