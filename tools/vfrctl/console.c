/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console of a domain. On a terminal it is raw until Ctrl-]; from a pipe the input is sent and what the guest prints is
 * copied until it has been quiet for a while. Between polls the port is given up, so that other commands get their turn.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

#define LEAVE 0x1d	/* Ctrl-] */
#define QUIET_MS 1500	/* the guest of a pipe has said all */
#define TURN_MS 300	/* how long one connection is kept */

static struct termios saved;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static void restore(void)
{
	tcsetattr(0, TCSANOW, &saved);
}

static bool go_raw(void)
{
	struct termios t;

	if (!isatty(0) || tcgetattr(0, &saved))
		return false;
	t = saved;
	cfmakeraw(&t);
	atexit(restore);
	return !tcsetattr(0, TCSANOW, &t);
}

struct console {
	struct cli *cli;
	char name[VC_NAME];
	uint64_t offset;
	char input[4096];
	size_t held;		/* bytes read that the guest has not taken */
	bool tty, ended;	/* no more input comes */
	int64_t last_ms;	/* of output or input */
};

/* => bytes shown, -1 on failure with *rc */
static long show_output(struct console *t, int *rc)
{
	struct vc_console_read q = {.offset = t->offset};
	struct vc_console_read_reply a;
	struct vfrc_reply r;
	size_t n;

	memcpy(q.name, t->name, VC_NAME);
	*rc = cli_call(t->cli, VC_CONSOLE_READ, &q, sizeof(q), &r);
	if (*rc)
		return -1;
	memcpy(&a, r.body, sizeof(a));
	n = r.n - sizeof(a);
	fwrite(r.body + sizeof(a), 1, n, stdout);
	fflush(stdout);
	t->offset = a.offset + n;
	return n;
}

static int send_input(struct console *t)
{
	struct {
		struct vc_console_write head;
		char bytes[sizeof(t->input)];
	} q = {{{0}}, {0}};
	struct vc_console_write_reply a;
	struct vfrc_reply r;
	int rc;

	memcpy(q.head.name, t->name, VC_NAME);
	memcpy(q.bytes, t->input, t->held);
	rc = cli_call(t->cli, VC_CONSOLE_WRITE, &q, sizeof(q.head) + t->held, &r);
	if (rc)
		return rc;
	memcpy(&a, r.body, sizeof(a));
	t->held -= a.taken;
	memmove(t->input, t->input + a.taken, t->held);
	return 0;
}

/* Takes what stands on standard input; true: the operator leaves. */
static bool take_input(struct console *t, int wait_ms)
{
	struct pollfd p = {.fd = 0, .events = POLLIN};
	ssize_t n;
	char *leave;

	if (t->ended || t->held == sizeof(t->input)) {
		poll(NULL, 0, wait_ms);
		return false;
	}
	if (poll(&p, 1, wait_ms) <= 0)
		return false;
	n = read(0, t->input + t->held, sizeof(t->input) - t->held);
	if (n <= 0) {
		t->ended = true;
		return t->tty;
	}
	leave = t->tty ? memchr(t->input + t->held, LEAVE, n) : NULL;
	t->held += leave ? leave - (t->input + t->held) : n;
	t->last_ms = now_ms();
	return leave != NULL;
}

static int turn(struct console *t, bool *leave)
{
	int64_t until = now_ms() + TURN_MS;
	int rc = 0;

	while (!rc && !*leave && now_ms() < until) {
		long n = show_output(t, &rc);

		if (n > 0)
			t->last_ms = now_ms();
		if (!rc && t->held)
			rc = send_input(t);
		if (!rc)
			*leave = take_input(t, n > 0 || t->held ? 5 : 30);
		if (t->ended && !t->held && now_ms() - t->last_ms > QUIET_MS)
			*leave = true;
	}
	if (!rc && *leave && t->held)
		rc = send_input(t);
	return rc;
}

/* A pipe wants what comes after its input; a terminal the last screen too. */
static int start_offset(struct console *t)
{
	struct vc_console_read q = {.offset = UINT64_MAX - 1, .max = 1};
	struct vc_console_read_reply a;
	struct vfrc_reply r;
	int rc;

	memcpy(q.name, t->name, VC_NAME);
	rc = cli_call(t->cli, VC_CONSOLE_READ, &q, sizeof(q), &r);
	if (rc)
		return rc;
	memcpy(&a, r.body, sizeof(a));
	t->offset = a.end > 2000 ? a.end - 2000 : 0;
	return 0;
}

int cmd_console(struct cli *cli)
{
	struct console t = {.cli = cli, .last_ms = now_ms()};
	const char *state;
	bool leave = false;
	int rc = cli_words(cli, 1, 1);

	if (!rc)
		rc = cli_domain(cli, cli->argv[0], t.name);
	if (!rc)
		rc = start_offset(&t);
	if (rc)
		return rc;
	t.tty = isatty(0);
	if (t.tty)
		rc = dom_state(cli, t.name, &state);
	if (t.tty && !rc)
		fprintf(stderr, "console of %s%s%s; Ctrl-] leaves\n", t.name, strcmp(state, "running") ? ", which is " : "",
			strcmp(state, "running") ? state : "");
	go_raw();
	while (!rc && !leave) {
		rc = turn(&t, &leave);
		if (!rc && !leave)
			rc = cli_yield(cli);
	}
	if (t.tty)
		fprintf(stderr, "\r\n");
	return rc;
}
