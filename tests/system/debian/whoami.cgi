#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The client as this guest saw it: the shared address does not hide it.
name=$(sed -n 's/.*vfr\.name=\([^ ]*\).*/\1/p' /proc/cmdline)
printf 'Content-Type: text/plain\r\n\r\n'
echo "guest=$name client=$REMOTE_ADDR:$REMOTE_PORT"
