/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the site reader share: sitenode.c's YAML nodes with their places, and the readers of the parts. */
#ifndef SITE_H
#define SITE_H

#include <yaml.h>

#include "vfrc.h"

/* One key of a mapping: what it is called and who reads its value. */
struct key {
	const char *name;
	void (*fn)(struct site *s, yaml_node_t *value, void *ctx);
};

yaml_node_t *node_at(struct site *s, int index);
/* => the text of a scalar; "" and an error where it is none */
const char *node_text(struct site *s, yaml_node_t *n, const char *what);
/* => calls the reader of each key; unknown and repeated keys are errors, with a suggestion. `what` names the mapping. */
void read_mapping(struct site *s, yaml_node_t *n, const struct key *keys, size_t nkeys, const char *what, void *ctx);
/* => fn with the number of each key's name; what the other builds upon */
void read_names(struct site *s, yaml_node_t *n, const char *const *names, size_t count, const char *what,
		void (*fn)(struct site *s, size_t which, yaml_node_t *value, void *ctx), void *ctx);
/* => fn for each item of a list; a scalar stands for a list of one */
void read_list(struct site *s, yaml_node_t *n, void (*fn)(struct site *s, yaml_node_t *item, void *ctx), const char *what, void *ctx);
void node_error(struct site *s, yaml_node_t *n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int node_line(const yaml_node_t *n);
int node_col(const yaml_node_t *n);
bool read_bool(struct site *s, yaml_node_t *n, const char *what);
/* => a name copied into a padded field */
void read_name(struct site *s, yaml_node_t *n, const char *what, char *out, size_t size);
void set_name(char *out, size_t size, const char *name);

/* => an error where it is no mapping of names */
bool mapping_only(struct site *s, yaml_node_t *n, const char *what);

/* siteaddr.c */
void read_addresses(struct site *s, yaml_node_t *n, void *ctx);
void read_uplinks(struct site *s, yaml_node_t *n, void *ctx);
void read_cpu_sched(struct site *s, yaml_node_t *n, void *ctx);
/* sitedom.c */
void read_domain(struct site *s, const char *name, yaml_node_t *key, yaml_node_t *value);
/* sitesub.c: => a SUB_SET for each sub-class of a domain */
void read_subs(struct site *s, const char *dom, yaml_node_t *subs);
/* siterules.c: => one RULE_SET for a domain, or for all where dom is "" */
void read_rules(struct site *s, const char *dom, yaml_node_t *rules, yaml_node_t *rest);

#endif
