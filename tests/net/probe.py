#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Small questions to a stack, one a run; exit 0 if the answer is the right one.
udp-ask ADDR PORT SIZE NS   an echo server in namespace NS answers a datagram of SIZE bytes
trace ADDR SPORT            UDP with TTL 1, 2 ...: each hop speaks up
refused ADDR PORT SPORT     a connected UDP socket hears that nobody is there
prohibited ADDR PORT SPORT  ... that it may not send from this port
denied ADDR PORT            a TCP connection is refused on the way"""
import errno
import select
import socket
import subprocess
import sys
import time

IP_RECVERR = 11


def udp(sport=0, dest=None):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if sport:
        s.bind(('', int(sport)))
    if dest:
        s.connect(dest)
    s.settimeout(3)
    return s


def heard(sport, dest):
    s = udp(sport, dest)
    try:
        for _ in range(3):
            s.send(b'?')
            time.sleep(0.3)
        s.recv(10)
    except OSError as e:
        return e.errno
    return 0


def udp_ask(addr, port, size, ns):
    code = f'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", {port})); d, a = s.recvfrom(70000); s.sendto(d, a)'
    server = subprocess.Popen(['ip', 'netns', 'exec', ns, '/usr/bin/python3', '-c', code])
    time.sleep(0.7)
    s = udp()
    data = bytes(i * 7 & 255 for i in range(int(size)))
    s.sendto(data, (addr, int(port)))
    try:
        return s.recv(70000) == data
    finally:
        server.kill()


def trace(addr, sport):
    hops = []
    for ttl in (1, 2, 3, 4):
        s = udp(int(sport) + ttl)
        s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        s.sendto(b'trace', (addr, 33434 + ttl))
        p = select.poll()
        p.register(s, select.POLLERR)
        if not p.poll(3000):
            hops.append(None)
            continue
        _, anc, _, _ = s.recvmsg(100, 200, socket.MSG_ERRQUEUE)
        err = anc[0][2]
        hops.append(socket.inet_ntoa(err[20:24]))
    print(hops)
    return hops == ['10.0.0.1', '198.51.100.1', '192.0.1.2', addr]


def denied(addr, port):
    s = socket.socket()
    s.settimeout(3)
    try:
        s.connect((addr, int(port)))
    except OSError as e:
        return e.errno in (errno.EHOSTUNREACH, errno.EACCES, errno.ENETUNREACH)
    return False


def main():
    what, args = sys.argv[1], sys.argv[2:]
    if what == 'udp-ask':
        return udp_ask(*args)
    if what == 'trace':
        return trace(*args)
    if what == 'refused':
        return heard(args[2], (args[0], int(args[1]))) == errno.ECONNREFUSED
    if what == 'prohibited':
        return heard(args[2], (args[0], int(args[1]))) in (errno.EHOSTUNREACH, errno.EACCES)
    return denied(*args)


sys.exit(not main())
