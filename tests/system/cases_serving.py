# SPDX-License-Identifier: BSD-2-Clause
"""The main scene: the demonstration system, asked everything a user asks."""
import re
import socket
import time

import demo_site
from expect import alive, answers, ctl, domain_state, never
from harness import vfr
from harness.machine import deadline


PORTS = [port for _, port, _ in demo_site.GUESTS] + [20999, 25000]


def start(workdir):
    m = vfr.boot(demo_site.SITE, workdir, memory=1024, cpus=2, net="user",
                 forwards=[(0, f"{demo_site.ADDRESS}:{port}") for port in PORTS])
    return m


def fetch(port, target, contains):
    return answers(port, contains, path=f"/cgi-bin/fetch?{target}")


def true_client(m):
    body = m.http(m.at(20080) + "/cgi-bin/whoami") or ""
    return None if re.search(r"client=10\.0\.2\.2:\d+", body) else f"guest said '{body.strip()}'"


def big_transfer(m):
    body = m.http(m.at(20080) + "/1m", 90)
    return None if body is not None and len(body) == 1 << 20 else f"{len(body or '')} of 1048576 bytes came"


def refused(port):
    """Nobody owns the port, or nobody listens: no connection comes about."""
    def case(m):
        with socket.socket() as s:
            s.settimeout(2)
            try:
                s.connect(("127.0.0.1", m.ports[port]))
                return "connected to a page" if s.recv(10) else None
            except OSError:
                return None
    return case


def console(m):
    _, out, err = m.ctl("console", "web1", stdin="echo typed-$((6*7))\n", timeout=8)
    return None if "typed-42" in out else f"console said '{(out + err)[-200:]}'"


def foreign_source(m):
    """A guest that sends from ports outside its slice: dropped by name, and the audit log says who it was."""
    files = "/proc/sys/net/ipv4/ip_local_port_range"
    m.ctl("console", "web1", stdin=f"echo 29990 29999 >{files}; nc -w 1 10.0.2.2 9 </dev/null; echo 20000 20999 >{files}\n", timeout=10)
    end = deadline(5)
    while time.monotonic() < end:
        _, drops, _ = m.ctl("drops", "web1")
        _, audit, _ = m.ctl("audit")
        if "src-port" in drops and re.search(r"source-violation +web1\b.*:299\d\d/tcp", audit):
            return None
        time.sleep(0.3)
    return f"drops: {drops.strip()}; audit: {audit.strip()[-200:]}"


def powers_off(m):
    m.ctl("console", "web2", stdin="poweroff -f\n", timeout=8)
    return domain_state("web2", "stopped.*poweroff")(m)


def second_client_waits(m):
    """QEMU's socket serves one client at a time; one after the other must work without delay."""
    start_time = time.monotonic()
    for _ in range(5):
        status, _, err = m.ctl("info")
        if status != 0:
            return err
    spent = time.monotonic() - start_time
    return None if spent < 60 else f"five commands took {spent:.1f} s"


def dead_client(m):
    """Half a message and a closed connection cost the next client nothing."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(m.control)
        s.sendall(b"\x05\x00\x32\x52\x46\x00\xff\xff\xff garbage without an end")
    return alive(m)


CASES = [
    ("web1 answers", answers(20080, "web1", timeout=60)),
    ("web2 answers", answers(21080, "web2")),
    ("the small guest answers", answers(22080, "small")),
    ("the guest sees its true client", true_client),
    ("a megabyte arrives whole", big_transfer),
    ("hairpin between Debian guests", fetch(20080, "10.0.2.15:21080/", "vfr guest web2")),
    ("hairpin to the small guest", fetch(21080, "10.0.2.15:22080/", "small")),
    ("a guest reaches its own port", fetch(20080, "10.0.2.15:20080/hello", "hello")),
    ("a port of nobody is refused", refused(25000)),
    ("a port nobody listens on is refused", refused(20999)),
    ("info", ctl("info", says="cpus")),
    ("info as JSON", ctl("info --json", says=r"^\s*\{")),
    ("dom ls", ctl("dom ls", says=["web1", "web2", "small"])),
    ("dom ls as JSON", ctl("dom ls --json", says='"web1"')),
    ("slice ls", ctl("slice ls", says=["20000-20999", "21000-21999", "22000-22999"])),
    ("a conflicting slice is refused, its owner named", ctl("slice add web2 10.0.2.15:20500/tcp", status=1, says="web1")),
    ("a slice of an unknown domain is refused", ctl("slice add nobody 10.0.2.15:30000/tcp", status=1, says="nobody")),
    ("a free port is granted", ctl("slice add web2 10.0.2.15:30000/tcp")),
    ("whois knows the new owner", ctl("whois 10.0.2.15:30000/tcp", says="web2")),
    ("the port is taken back", ctl("slice del web2 10.0.2.15:30000/tcp")),
    ("whois knows a boot-time owner", ctl("whois 10.0.2.15:20080/tcp", says="web1")),
    ("stats", ctl("stats", says="web1")),
    ("drops", ctl("drops")),
    ("log", ctl("log", says="web1")),
    ("usage errors exit 2", ctl("slice add", status=2)),
    ("an unknown verb exits 2", ctl("frobnicate", status=2)),
    ("the console is read and written", console),
    ("a foreign source port is dropped by name", foreign_source),
    ("clients one after the other", second_client_waits),
    ("a client that dies in a message", dead_client),
    ("web2 is paused", ctl("dom pause web2")),
    ("web1 serves meanwhile", answers(20080, "web1", timeout=5)),
    ("web2 is resumed", ctl("dom resume web2")),
    ("web2 answers again", answers(21080, "web2", timeout=10)),
    ("web2 powers itself off, the reason is told", powers_off),
    ("web2 is started again", ctl("dom start web2")),
    ("web1 is rebooted", ctl("dom reboot web1")),
    ("the small guest is rebooted", ctl("dom reboot small")),
    ("the small guest answers again", answers(22080, "small", timeout=15)),
    ("web1 answers after its reboot", answers(20080, "web1")),
    ("web2 answers after its start", answers(21080, "web2")),
    ("no panic", never(r"(?i)\bpanic\b")),
    ("still alive", alive),
]

SCENES = [("serving", start, CASES)]
