/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP includes this header; what it would take from it is configured away. */
#ifndef GUEST_STDLIB_H
#define GUEST_STDLIB_H
#include <stddef.h>
#endif
