/* SPDX-License-Identifier: BSD-2-Clause */
/* The classifier: the first of many boxes that has a point. It knows nothing of packets. */
#ifndef VFR_CLASSIFY_H
#define VFR_CLASSIFY_H

#include <stdbool.h>
#include <stdint.h>

struct classifier;
#define CLASS_DIMS 11
struct class_key {
	uint32_t w[CLASS_DIMS];		/* IPv4: src dst sport dport proto; IPv6: src x4 dst x4 sport dport proto */
};
/* One rule as a box in the same dimensions. */
struct class_box {
	uint32_t lo[CLASS_DIMS], hi[CLASS_DIMS];
	uint32_t index;
	bool final;			/* nobody asks for a box behind this one where this one matches */
};
/* => NULL without memory. `boxes` in order of precedence. */
struct classifier *vfr_classifier_make(const struct class_box *boxes, uint32_t n, unsigned int dims);
void vfr_classifier_free(struct classifier *cl);
/* => 5 or 11, as it was made. */
unsigned int vfr_classifier_dims(const struct classifier *cl);

/* A question and its answer. */
struct class_query {
	struct class_key key;
	uint32_t from;
	const struct classifier *cl;
	uint32_t best;		/* => the lowest index of at least `from` whose box has the key, or UINT32_MAX */
};
/* Answers them, each from its own classifier. No box with the key and an index below `from` may be final. */
void vfr_classify_batch(struct class_query *q, uint32_t n);
uint32_t vfr_classify(const struct classifier *cl, const struct class_key *key, uint32_t from);

#endif
