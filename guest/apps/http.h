/* SPDX-License-Identifier: BSD-2-Clause */
/* A web server of one page, which tells who served it and whom it saw. */
#ifndef GUEST_HTTP_H
#define GUEST_HTTP_H
#include <stdint.h>
/* => 0 or -errno. */
int http_start(uint16_t port);
unsigned long http_requests(void);
#endif
