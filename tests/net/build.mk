# SPDX-License-Identifier: BSD-2-Clause
# The router and real packets: captures made by scapy.

CHECKS += vfr-replay
check-vfr-replay = tests/net/replay.py $(B)
check-vfr-replay-deps = $(B)/vfr-replay
