/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the common part's own files; policies have no use for it. */
#ifndef SCHED_NET_INTERNAL_H
#define SCHED_NET_INTERNAL_H

#include <sched/net/fair.h>

/* c has packets and is neither runnable nor capped: make it one of them. (netsched.c) */
void netsched_start(struct netsched *ns, struct netsched_class *c);
/* The policy and the wheel forget c, which keeps its packets. (netsched.c) */
void netsched_halt(struct netsched *ns, struct netsched_class *c);

/* Fill in the link's defaults, or say what is wrong. => 0 or -EINVAL (admit.c) */
int netsched_admit_link(struct netsched_link *link, struct netsched_refusal *why);
/* Fill in p's defaults and check it as class `id` (c: what is there now, or NULL). => 0, -EINVAL or -EDQUOT (admit.c) */
int netsched_admit(const struct netsched *ns, uint32_t id, const struct netsched_class *c, struct netsched_params *p,
		   struct netsched_refusal *why);
/* What guarantees may take in all on a link of this rate. (admit.c) */
uint64_t netsched_room(const struct netsched *ns, uint64_t rate_bps);
/* Words for `why`, which may be NULL; => err (admit.c) */
int netsched_refuse(struct netsched_refusal *why, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The class's buckets follow its parameters and the policy in force. (class.c) */
void netsched_set_buckets(struct netsched *ns, struct netsched_class *c);
/* c's queue becomes *fair, which is copied (NULL: a FIFO), with all packets that it holds. c is neither runnable nor capped. (class.c) */
void netsched_requeue(struct netsched_class *c, const struct fair *fair);
/* c's packets, wherever they are, as one chain; its backlog counts stay. (class.c) */
struct netsched_queue netsched_gather(struct netsched_class *c);
/* Put such a chain back, into flow queues if c has them. A lone packet stays outside. (class.c) */
void netsched_spread(struct netsched_class *c, struct netsched_queue q);
/* From one class's private block to the next. (class.c) */
size_t netsched_stride(const struct netsched_ops *ops);

#endif
