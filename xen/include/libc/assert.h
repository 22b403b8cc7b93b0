/* SPDX-License-Identifier: BSD-2-Clause */
/* static_assert only; run-time checks are ENV_ASSERT (env.h) and ASSERT (hv/log.h). */
#ifndef LIBC_ASSERT_H
#define LIBC_ASSERT_H
#define static_assert _Static_assert
#endif
