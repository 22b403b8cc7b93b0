#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Captures made by scapy, run through vfr-replay; what comes out is compared, checksums rebuilt by scapy. replay.py BUILD-DIR"""
import subprocess
import sys
import tempfile

from scapy.all import (ICMP, IP, TCP, UDP, Ether, GRE, IPv6, ICMPv6EchoRequest, ICMPv6PacketTooBig, Raw, SCTP, fragment, fragment6,
                       IPv6ExtHdrFragment, rdpcap, wrpcap)

UP, GW, PEER = '02:00:00:00:01:00', '02:00:00:00:ff:01', '02:00:00:00:ee:01'
S, X = '203.0.113.7', '192.0.2.9'


def guest(n):
    return f'02:00:00:00:01:{n:02x}'


def inward(p):
    return Ether(src=PEER, dst=UP) / p


def outward(n, p):
    return Ether(src=guest(n), dst=GW) / p


def to_guest(n, p):
    return Ether(src=GW, dst=guest(n)) / p


def to_peer(p):
    return Ether(src=UP, dst=PEER) / p


def frags(p, size=480):
    return fragment(p, fragsize=size)


def aged(p):
    """p as it is one router later."""
    p = p.copy()
    if IP in p:
        p[IP].ttl -= 1
        del p[IP].chksum
    else:
        p[IPv6].hlim -= 1
    return p


big = IP(src=X, dst=S, id=7) / UDP(sport=9, dport=1000) / Raw(b'x' * 4000)
inner = IP(src=S, dst=X) / UDP(sport=1000, dport=9) / Raw(b'y' * 32)
v6 = IPv6(src='2001:db8:99::9', dst='2001:db8:1::a')
cases = [
    ('tcp to its owner', [inward(IP(src=X, dst=S) / TCP(sport=9, dport=1000, flags='S'))], 1,
     [to_guest(1, IP(src=X, dst=S, ttl=63) / TCP(sport=9, dport=1000, flags='S'))]),
    ('MAP-E port', [inward(IP(src=X, dst=S) / UDP(sport=9, dport=0x1501) / b'hi')], 2,
     [to_guest(2, IP(src=X, dst=S, ttl=63) / UDP(sport=9, dport=0x1501) / b'hi')]),
    ('sctp', [inward(IP(src=X, dst=S) / SCTP(sport=9, dport=1001))], 1, [to_guest(1, IP(src=X, dst=S, ttl=63) / SCTP(sport=9, dport=1001))]),
    ('out of the slice', [outward(1, IP(src=S, dst=X) / TCP(sport=1000, dport=80))], 0, [to_peer(IP(src=S, dst=X, ttl=63) / TCP(sport=1000, dport=80))]),
    ('foreign port stays inside', [outward(1, IP(src=S, dst=X) / TCP(sport=3000, dport=80))], 0, []),
    ('echo is answered', [inward(IP(src=X, dst=S) / ICMP(id=5, seq=1) / b'ping')], 0, [to_peer(IP(src=S, dst=X) / ICMP(type=0, id=5, seq=1) / b'ping')]),
    ('4000 bytes of UDP in order', [inward(f) for f in frags(big)], 1, [to_guest(1, aged(f)) for f in frags(big)]),
    ('4000 bytes of UDP in reverse', [inward(f) for f in reversed(frags(big))], 1,
     [to_guest(1, aged(f)) for f in reversed(frags(big))]),
    ('ICMP error to the quoted sender', [inward(IP(src='192.0.2.1', dst=S) / ICMP(type=11) / inner)], 1,
     [to_guest(1, IP(src='192.0.2.1', dst=S, ttl=63) / ICMP(type=11) / inner)]),
    ('hairpin', [outward(1, IP(src=S, dst=S) / TCP(sport=1000, dport=0x1500))], 2, [to_guest(2, IP(src=S, dst=S, ttl=63) / TCP(sport=1000, dport=0x1500))]),
    ('NAT out and back', [outward(3, IP(src='10.0.0.3', dst=X) / UDP(sport=3001, dport=53) / b'q'), inward(IP(src=X, dst=S) / UDP(sport=53, dport=3001) / b'a')], 3,
     [to_guest(3, IP(src=X, dst='10.0.0.3', ttl=63) / UDP(sport=53, dport=3001) / b'a')]),
    ('NAT leaves by the slice', [outward(3, IP(src='10.0.0.3', dst=X) / TCP(sport=3002, dport=80, flags='S'))], 0,
     [to_peer(IP(src=S, dst=X, ttl=63) / TCP(sport=3002, dport=80, flags='S'))]),
    ('NAT error inside', [outward(3, IP(src='10.0.0.3', dst=X) / UDP(sport=3003, dport=53) / b'q'),
                          inward(IP(src=X, dst=S) / ICMP(type=3, code=3) / IP(src=S, dst=X) / UDP(sport=3003, dport=53) / b'q')], 3,
     [to_guest(3, IP(src=X, dst='10.0.0.3', ttl=63) / ICMP(type=3, code=3) / IP(src='10.0.0.3', dst=X) / UDP(sport=3003, dport=53) / b'q')]),
    ('GRE to a dedicated address', [inward(IP(src=X, dst='203.0.113.30') / GRE() / IP())], 2, [to_guest(2, IP(src=X, dst='203.0.113.30', ttl=63) / GRE() / IP())]),
    ('IPv6', [inward(v6 / TCP(sport=9, dport=80))], 1, [to_guest(1, aged(v6 / TCP(sport=9, dport=80)))]),
    ('IPv6 echo', [inward(v6 / ICMPv6EchoRequest(id=1, data=b'p'))], 1, [to_guest(1, aged(v6 / ICMPv6EchoRequest(id=1, data=b'p')))]),
    ('IPv6 too big', [inward(v6 / ICMPv6PacketTooBig(mtu=1280) / IPv6(src='2001:db8:1::a', dst='2001:db8:99::9') / UDP(sport=1, dport=2) / b'zz')], 1,
     [to_guest(1, aged(v6 / ICMPv6PacketTooBig(mtu=1280) / IPv6(src='2001:db8:1::a', dst='2001:db8:99::9') / UDP(sport=1, dport=2) / b'zz'))]),
    ('IPv6 fragments', [inward(f) for f in fragment6(v6 / IPv6ExtHdrFragment(id=9) / UDP(sport=1, dport=2) / Raw(b'f' * 3000), 1280)], 1,
     [to_guest(1, aged(f)) for f in fragment6(v6 / IPv6ExtHdrFragment(id=9) / UDP(sport=1, dport=2) / Raw(b'f' * 3000), 1280)]),
]


def main():
    build = sys.argv[1]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        for title, packets, port, want in cases:
            wrpcap(f'{tmp}/in.pcap', packets)
            subprocess.run([f'{build}/vfr-replay', 'tests/net/replay.conf', f'{tmp}/in.pcap', '-w', f'{tmp}/out.pcap', '-p', str(port)],
                           check=True, stdout=subprocess.DEVNULL)
            try:
                got = [bytes(p) for p in rdpcap(f'{tmp}/out.pcap')]
            except Exception:
                got = []
            ok = got == [bytes(p) for p in want]
            print(f'{"ok  " if ok else "FAIL"} {title}')
            if not ok:
                for p in got:
                    print('     got ', Ether(p).summary())
                for p in want:
                    print('     want', p.summary())
            passed += ok
            failed += not ok
    print(f'{passed} passed, {failed} failed')
    return failed != 0


sys.exit(main())
