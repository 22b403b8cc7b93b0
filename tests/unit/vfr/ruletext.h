/* SPDX-License-Identifier: BSD-2-Clause */
/* A rule for tests as text: in|out accept|drop|reject|count|limit [state] [log] [proto] [src=A/n] [dst=A/n] [sport=a-b] [dport=a-b]
 * [flags=MASK/VALUE] [type=n] [st=ner i] [rate=n] [id=n] [class=n] */
#ifndef RULETEXT_H
#define RULETEXT_H
#include <stdbool.h>
#include <vfr/vfr.h>
bool rule_from_text(struct vfr_rule *r, const char *text);
#endif
