/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands share. */
#ifndef CLI_H
#define CLI_H

#include <jansson.h>

#include "../lib/vfrc.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

struct cli {
	const char *socket;
	bool json;
	struct vfrc *c;
	const struct command *command;
	int argc;		/* words behind the command's own */
	char **argv;
};

struct command {
	const char *name;	/* one or two words */
	const char *args;
	const char *help;
	int (*fn)(struct cli *cli);
	bool offline;		/* needs no connection */
};

extern const struct command commands[];
extern const size_t ncommands;

/* => n words taken out from the i-th on */
void cli_take(struct cli *cli, int i, int n);
/* => takes an option out of the words; false where it does not stand there */
bool cli_flag(struct cli *cli, const char *name);
/* => the word behind an option; NULL where it does not stand there. Without that word the program ends with a usage error. */
const char *cli_value(struct cli *cli, const char *name);
/* => exactly so many words are left, and no option; else a usage error is printed and EXIT_USAGE comes back */
int cli_words(struct cli *cli, int min, int max);
/* => the i-th word, NULL where there are not so many */
static inline const char *cli_word(const struct cli *cli, int i)
{
	return i < cli->argc ? cli->argv[i] : NULL;
}

int cli_usage(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* => prints why the hypervisor refused and gives the exit code of vfrc_call()'s result */
int cli_result(struct cli *cli, int rc, const struct vfrc_reply *r);
/* => what to do about a refusal of that name, on stderr, where there is something to say */
void cli_hint(const char *name);
/* => EXIT_REFUSED, told as the hypervisor's own refusals are */
int cli_refuse(struct cli *cli, const char *name, int code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* => refused, with the name that was meant, where there is no such domain; NULL is no name */
int cli_known(struct cli *cli, const char *name);
int cli_call(struct cli *cli, uint16_t type, const void *body, size_t n, struct vfrc_reply *r);
/* => one printed JSON value; takes the reference */
int cli_json(json_t *v);
/* => a domain's name into a padded field, or EXIT_USAGE */
int cli_domain(struct cli *cli, const char *name, char out[VC_NAME]);
/* => closes the connection and makes a new one, so that other clients have a turn */
int cli_yield(struct cli *cli);
int cli_connect(struct cli *cli);
/* => where the control port is looked for when nobody says: VFR_SOCKET, below the working directory, /run */
const char *cli_default_socket(void);
json_t *json_name(const char *s, size_t size);
json_t *json_ip(const struct vc_ip *ip);
json_t *json_time(uint64_t utc_ns);
json_t *json_protos(unsigned int set);
/* => the machine's only shared address; else EXIT_USAGE with how many there are, EXIT_REFUSED or EXIT_UNREACHABLE */
int shared_address(struct cli *cli, struct vc_ip *out, unsigned int *found);
/* => objects compared: slices by address and port, others by kind alone */
int slice_order(const void *x, const void *y);
/* => EXIT_REFUSED for a site file with mistakes, which in JSON are told here */
int site_refused(struct cli *cli, const struct site *s);
/* => the name table that DROPS gives; *n entries, malloc'ed */
struct vc_drop_rec *drop_table(struct cli *cli, size_t *n);

/* => all records of a paged list as one array for the caller to free: v is the address of its pointer */
int cli_records(struct cli *cli, uint16_t type, size_t size, void *v, size_t *n);
/* => all domains, freed by the caller; or an exit code */
struct domains {
	struct vc_dom_rec *v;
	size_t n;
};
int domains_read(struct cli *cli, struct domains *out);
/* => running, paused, stopped or crashed */
int dom_state(struct cli *cli, const char *name, const char **state);

/* class.c: => what CLASS_LIST gives, malloc'ed, or an exit code; those of one domain in three forms. */
struct classes {
	struct vc_class_rec *v;
	size_t n;
};
int classes_read(struct cli *cli, struct classes *out);
void classes_text(const struct classes *all, const char *only);
json_t *classes_json(const struct classes *all, uint16_t domid);
void classes_prom(const struct classes *all, uint16_t domid);

/* sub.c: the same for SUB_LIST; freed by the caller */
struct subs {
	struct vc_sub_rec *v;
	size_t n;
};
int subs_read(struct cli *cli, struct subs *out);
void subs_text(const struct subs *all, const char *only);
json_t *subs_json(const struct subs *all, uint16_t domid);
void subs_prom(const struct subs *all, uint16_t domid);

int cmd_info(struct cli *cli);
int cmd_dom_ls(struct cli *cli);
int cmd_dom_op(struct cli *cli);
/* apply.c: => brings the modules that the machine does not have */
int send_modules(struct cli *cli, struct site *s);

/* diff.c: => what makes the machine as the file says, printed */
int show_diff(struct cli *cli, const struct site *s);

int cmd_dom_create(struct cli *cli);
int cmd_dom_destroy(struct cli *cli);
int cmd_console(struct cli *cli);
int cmd_slice_ls(struct cli *cli);
int cmd_slice_edit(struct cli *cli);
int cmd_listen(struct cli *cli);
int cmd_rule_ls(struct cli *cli);
int cmd_rule_edit(struct cli *cli);
int cmd_rate_ls(struct cli *cli);
int cmd_rate_set(struct cli *cli);
int cmd_sub_ls(struct cli *cli);
int cmd_sub_set(struct cli *cli);
int cmd_sub_del(struct cli *cli);
int cmd_stats(struct cli *cli);
int cmd_drops(struct cli *cli);
int cmd_log(struct cli *cli);
int cmd_audit(struct cli *cli);
int cmd_whois(struct cli *cli);
int cmd_trace(struct cli *cli);
int cmd_watch(struct cli *cli);
int cmd_pcap(struct cli *cli);
int cmd_top(struct cli *cli);
int cmd_check(struct cli *cli);
int cmd_diff(struct cli *cli);
int cmd_apply(struct cli *cli);
int cmd_confirm(struct cli *cli);
int cmd_rollback(struct cli *cli);
int cmd_history(struct cli *cli);
int cmd_show(struct cli *cli);
int cmd_compile(struct cli *cli);
int cmd_guest_config(struct cli *cli);
int cmd_map(struct cli *cli);
int cmd_blob_ls(struct cli *cli);
int cmd_blob_del(struct cli *cli);
int cmd_uplink_ls(struct cli *cli);
int cmd_sched_ls(struct cli *cli);
int cmd_sched_set(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_version(struct cli *cli);
int cmd_help(struct cli *cli);

#endif
