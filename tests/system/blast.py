#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The clients of net_shares.py, which run where the machine's wire ends. Each prints one JSON value.

    blast.py shares ADDRESS WARM WINDOW PORT...      ask guests to blast; bytes that came of each within the window
    blast.py latency ADDRESS PORT COUNT              round trips of a UDP echo in milliseconds: p50, p99, lost, and the
                                                     least p99 of any hundred in a row: what a busy host spoils least
    blast.py streams ADDRESS SECONDS PORT...         one TCP stream each, checked byte by byte: bytes, or what went wrong
    blast.py receive ADDRESS PORT SECONDS BITS       UDP at so many bit/s toward a guest's echo; bit/s that came back
"""
import json
import select
import socket
import sys
import time

WINDOW = 100
CYCLE = bytes(i % 251 for i in range(251 * 600))


def drain(sockets, until, count):
    while (left := until - time.monotonic()) > 0:
        for s in select.select(sockets, [], [], left)[0]:
            try:
                while True:
                    count[s] += len(s.recv(2048, socket.MSG_DONTWAIT)) + 42
            except BlockingIOError:
                pass


def udp(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.connect((address, port))
    return s


def shares(address, warm, window, *ports):
    sockets = {udp(address, int(port)): int(port) for port in ports}
    count = dict.fromkeys(sockets, 0)
    for s in sockets:
        s.send(str(int((float(warm) + float(window)) * 1000) + 300).encode())
    drain(list(sockets), time.monotonic() + float(warm), count)
    before, start = dict(count), time.monotonic()
    drain(list(sockets), start + float(window), count)
    spent = time.monotonic() - start
    for s in sockets:
        s.send(b"0")
    return {"seconds": spent, "bytes": {port: count[s] - before[s] for s, port in sockets.items()}}


def latency(address, port, count):
    s = udp(address, int(port))
    s.settimeout(0.5)
    trips, lost = [], 0
    for i in range(int(count)):
        question = b"%-64d" % i
        start = time.monotonic()
        try:
            s.send(question)
            while s.recv(2048) != question:
                pass
            trips.append((time.monotonic() - start) * 1000)
        except OSError:
            lost += 1
        time.sleep(0.003)
    calm = min((sorted(trips[i:i + WINDOW])[-2] for i in range(0, len(trips) - WINDOW + 1, WINDOW)), default=1e9)
    trips.sort()
    return {"p50": trips[len(trips) // 2], "p99": trips[int(len(trips) * 0.99)], "calm p99": calm, "max": trips[-1],
            "lost": lost} if trips else {"lost": lost}


def streams(address, seconds, *ports):
    sockets, result = {}, {}
    for port in ports:
        sockets[socket.create_connection((address, int(port)), 10)] = port
        result[port] = 0
    end = time.monotonic() + float(seconds)
    while sockets and time.monotonic() < end:
        for s in select.select(list(sockets), [], [], 5)[0] or list(sockets):
            port = sockets[s]
            try:
                piece = s.recv(65536, socket.MSG_DONTWAIT)
                problem = None if piece else "closed"
                if piece != CYCLE[result[port] % 251:][:len(piece)]:
                    problem = f"wrong bytes behind {result[port]}"
            except OSError as e:
                problem = f"nothing for 5 s behind {result[port]}" if isinstance(e, BlockingIOError) else str(e)
            if problem:
                result[port] = problem
                del sockets[s]
            else:
                result[port] += len(piece)
    return result


def receive(address, port, seconds, bits):
    s = udp(address, int(port))
    count, gap = {s: 0}, 1442 * 8 / float(bits)
    start = due = time.monotonic()
    while time.monotonic() < start + float(seconds):
        s.send(bytes(1400))
        due += gap
        drain([s], due, count)
    return {"bps": count[s] * 8 / (time.monotonic() - start)}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
