# SPDX-License-Identifier: BSD-2-Clause
"""The figures: how each is taken from a running machine, and what we want of it.

A taker gets a machine that serves 192.0.2.7 and returns a number, None when the measurement failed.
"""
import json
import time

SHARED = "192.0.2.7"


def rtt(m, build):
    words = m.run(["ping", "-c", "60", "-i", "0.03", "-q", SHARED]).split("/")
    return float(words[4]) if len(words) > 5 else None


def http(m, build):
    for line in m.run(["wrk", "-t1", "-c4", "-d5s", f"http://{SHARED}:8001/hello"]).splitlines():
        if line.startswith("Requests/sec:"):
            return float(line.split()[1])
    return None


def iperf(m, *options):
    """The server serves one client and starts anew, so a first try may come too early."""
    for _ in range(6):
        try:
            end = json.loads(m.run(["iperf3", "-J", "-c", SHARED, *options]))["end"]
        except (ValueError, KeyError):
            end = None
        if end:
            return end
        time.sleep(0.5)
    return None


def tcp(m, *options):
    end = iperf(m, "-t", "4", *options)
    return end["sum_received"]["bits_per_second"] / 1e6 if end else None


def tcp_in(m, build):
    return tcp(m)


def tcp_out(m, build):
    return tcp(m, "-R")


def udp64_in(m, build):
    end = iperf(m, "-u", "-b", "60M", "-l", "64", "-t", "4")
    if not end:
        return None
    return (end["sum"]["packets"] - end["sum"]["lost_packets"]) / end["sum"]["seconds"]


def udp64_echo(m, build):
    out = m.run([f"{build}/bench/udpload", SHARED, "7007", "4", "256"])
    return float(out) if out.strip() else None


# Taken from every machine, in every round.
TAKEN = {
    "rtt_ms": rtt,
    "http_req_s": http,
    "tcp_in_mbit_s": tcp_in,
    "tcp_out_mbit_s": tcp_out,
    "udp64_in_pps": udp64_in,
    "udp64_echo_pps": udp64_echo,
}

# name, figure of ours, the peer, the peer's figure, relation of ours / peer's to the goal, the goal (None: printed only)
GOALS = [
    ("tcp_in_mbit_s/xen", "tcp_in_mbit_s", "xen", "tcp_in_mbit_s", ">=", 2.0),
    ("tcp_in_mbit_s/native", "tcp_in_mbit_s", "native", "tcp_in_mbit_s", ">=", 0.80),
    ("tcp_out_mbit_s/xen", "tcp_out_mbit_s", "xen", "tcp_out_mbit_s", ">=", 2.0),
    ("tcp_out_mbit_s/native", "tcp_out_mbit_s", "native", "tcp_out_mbit_s", ">=", 0.80),
    ("udp64_in_pps/xen", "udp64_in_pps", "xen", "udp64_in_pps", ">=", 3.0),
    ("udp64_in_pps/native", "udp64_in_pps", "native", "udp64_in_pps", ">=", 0.75),
    ("rtt_ms/xen", "rtt_ms", "xen", "rtt_ms", "<=", 0.8),
    ("rtt_ms/native", "rtt_ms", "native", "rtt_ms", "<=", 1.25),
    ("http_req_s/xen", "http_req_s", "xen", "http_req_s", ">=", 1.35),
    ("http_req_s/native", "http_req_s", "native", "http_req_s", ">=", 0.85),
    ("udp64_echo_small_pps/xen_debian", "udp64_echo_small_pps", "xen", "udp64_echo_pps", ">=", 10.0),
    ("udp64_echo_debian_pps/xen", "udp64_echo_pps", "xen", "udp64_echo_pps", ">=", None),
    ("power_on_to_http_s/xen", "power_on_to_http_s", "xen", "power_on_to_http_s", "<=", 1.0),
    ("power_on_to_http_s/native", "power_on_to_http_s", "native", "power_on_to_http_s", "<=", None),
    ("handover_to_guest_s/xen", "handover_to_guest_s", "xen", "handover_to_guest_s", "<=", 1 / 3),
    ("null_hypercall_instructions/xen", "null_hypercall_instructions", "xen", "null_hypercall_instructions", "<", 1.0),
    ("event_send_instructions/xen", "event_send_instructions", "xen", "event_send_instructions", "<", 1.0),
    ("packet_wire_to_guest_instructions/xen", "packet_wire_to_guest_instructions", "xen", "packet_wire_to_guest_instructions", "<=", None),
]

# name, figure of ours, relation, the goal: ours alone
ALONE = [
    ("handover_to_guest_s", "handover_to_guest_s", "<=", 0.3),
    ("memory_per_small_guest_kib", "memory_per_small_guest_kib", "<=", 128),
    ("many_guests_answering", "many_guests_answering", ">=", 116),
    ("many_guests_all_answer_s", "many_guests_all_answer_s", "<=", None),
    ("packet_wire_to_ring_instructions", "packet_wire_to_ring_instructions", "<=", None),
    *((f"packet_{stage}_instructions", f"packet_{stage}_instructions", "<=", None)
      for stage in ("interrupt", "driver", "parse", "verdict", "netif", "event", "entry")),
    ("batch_packets", "batch_packets", ">=", None),
    ("batch_wire_to_ring_instructions", "batch_wire_to_ring_instructions", "<=", None),
    *((f"batch_{stage}_instructions", f"batch_{stage}_instructions", "<=", None)
      for stage in ("interrupt", "driver", "parse", "verdict", "netif", "event", "entry")),
]
