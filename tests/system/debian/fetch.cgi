#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fetch http://QUERY from inside this guest, so that a test can look from here: outbound and hairpin connections.
# The limit is timeout's: this wget's own -T crashes.
printf 'Content-Type: text/plain\r\n\r\n'
timeout 5 wget -q -O - "http://$QUERY_STRING" 2>&1 || echo "fetch failed"
