#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Captures of others: those that tcpdump's authors test with, hundreds of protocols and many broken packets, run through vfr-replay.
For each capture one of its hosts becomes a guest that owns its address, and the rest of it is outside. Nothing may
crash, and every packet must be accounted for: in = forwarded + dropped by name + consumed + held. The captures come from Debian's
source archive and are never part of this tree. public.py BUILD-DIR VFR-REPLAY
"""
import collections
import os
import re
import struct
import subprocess
import sys
import tarfile

PACKAGE = 'tcpdump'
UPLINK, PEER = '02:00:00:00:01:00', '02:00:00:00:ee:01'


def fetch(where):
    """The package's archive, by apt with lists of its own; None if it cannot be had."""
    os.makedirs(f'{where}/lists/partial', exist_ok=True)
    os.makedirs(f'{where}/cache/archives/partial', exist_ok=True)
    found = [f for f in os.listdir(where) if f.endswith('.orig.tar.gz')]
    if found:
        return f'{where}/{found[0]}'
    with open(f'{where}/src.list', 'w') as f:
        f.write('deb-src http://deb.debian.org/debian bookworm main\n')
    apt = ['apt-get', '-q', '-o', f'Dir::Etc::SourceList={where}/src.list', '-o', 'Dir::Etc::SourceParts=/dev/null',
           '-o', f'Dir::State::Lists={where}/lists', '-o', f'Dir::Cache={where}/cache', '-o', 'Acquire::http::Timeout=20',
           '-o', 'Acquire::Retries=1', '-o', 'APT::Sandbox::User=root']
    for args in (['update'], ['source', '--download-only', PACKAGE]):
        try:
            if subprocess.run(apt + args, cwd=where, capture_output=True, timeout=300).returncode:
                return None
        except (OSError, subprocess.TimeoutExpired):
            return None
    found = [f for f in os.listdir(where) if f.endswith('.orig.tar.gz')]
    return f'{where}/{found[0]}' if found else None


def frames(data):
    """Ethernet frames of a classic pcap file; nothing of other files, which are left to libpcap."""
    order = {b'\xd4\xc3\xb2\xa1': '<', b'\xa1\xb2\xc3\xd4': '>'}.get(data[:4])
    if not order or len(data) < 24 or struct.unpack(order + 'I', data[20:24])[0] & 0xffff != 1:
        return
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack(order + 'I', data[at + 8:at + 12])[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def host(data):
    """=> (MAC, IPv4 or IPv6 address) of the host that is heard of most; its neighbours are outside."""
    said = collections.Counter()
    for f in frames(data):
        if f[12:14] == b'\x08\x00' and len(f) >= 34 and not f[6] & 1 and 0 < f[26] < 224 and f[26] != 127:
            said[f[6:12], '.'.join(map(str, f[26:30]))] += 1
        elif f[12:14] == b'\x86\xdd' and len(f) >= 54 and f[22] >> 5 == 1:
            a = f[22:38].hex()
            said[f[6:12], ':'.join(a[i:i + 4] for i in range(0, 32, 4))] += 1
    return said.most_common(1)[0][0] if said else (b'\2\0\0\0\1\1', '203.0.113.7')


def world(data):
    mac, addr = host(data)
    v4 = '.' in addr
    lines = [f'port 0 uplink {UPLINK}', f'port 1 guest {mac.hex(":")} 1', 'self 10.255.255.1']
    lines += [f'shared {addr}', f'slice {addr} all 1-65535 1'] if v4 else [f'prefix6 {addr}/128 1']
    lines += ['route 0.0.0.0/0 0 198.51.100.1', 'route ::/0 0 fe80::1', f'neigh 0 198.51.100.1 {PEER}', f'neigh 0 fe80::1 {PEER}']
    return '\n'.join(lines) + '\n'


def trouble(out):
    """=> None, or what is wrong with a replay's summary; and its numbers."""
    total = re.match(r'(\d+) in: (\d+) forwarded, (\d+) dropped, (\d+) consumed, (\d+) held', out)
    if not total:
        return 'no summary', None
    n_in, forwarded, dropped, consumed, held = numbers = tuple(map(int, total.groups()))
    named = sum(int(n) for n in re.findall(r'^  domain .* (\d+)$', out, re.M))
    if n_in != forwarded + dropped + consumed + held or dropped != named:
        return f'does not add up: {out}', numbers
    return None, numbers


def main():
    build, replay = sys.argv[1:]
    where = os.path.abspath(f'{build}/captures')
    archive = fetch(where)
    if not archive:
        print(f'skipped: the sources of {PACKAGE} cannot be had from the Debian archive here')
        return 0
    passed = failed = 0
    sums = collections.Counter()
    with tarfile.open(archive) as tar:
        for member in tar:
            if not re.search(r'/tests/[^/]*\.(pcap|pcapng|out\.pcap|cap)$', member.name) or not member.isfile():
                continue
            data = tar.extractfile(member).read()
            with open(f'{where}/one.pcap', 'wb') as f:
                f.write(data)
            with open(f'{where}/one.conf', 'w') as f:
                f.write(world(data))
            p = subprocess.run([replay, '-l', f'{where}/one.conf', f'{where}/one.pcap'], capture_output=True, text=True, errors='replace',
                               timeout=300)
            # Captures of other links, and some that only tcpdump's own reader takes.
            if p.returncode == 1 and 'ERROR' not in p.stderr and 'vfr-replay: ' in p.stderr:
                sums['refused'] += 1
                continue
            bad, numbers = trouble(p.stdout)
            if p.returncode or bad:
                print(f'FAIL {os.path.basename(member.name)}: exit {p.returncode}: {bad}\n{p.stderr[-2000:]}')
                failed += 1
                continue
            passed += 1
            sums.update(dict(zip(('in', 'forwarded', 'dropped', 'consumed', 'held'), numbers)))
    print(', '.join(f'{n} {k}' for k, n in sums.items()))
    if sums['forwarded'] < 500 or passed < 200:
        print('FAIL: these captures show nothing any more')
        failed += 1
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


sys.exit(main())
