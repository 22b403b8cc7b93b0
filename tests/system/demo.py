#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""`make demo`: the demonstration system, probed as a user would, unattended. The transcript is for people; exit 0 when all held."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import demo_site
from harness import vfr
from harness.progress import Trouble, Verdicts, die, say


INDENT = 6
WIDTH = shutil.get_terminal_size((80, 24)).columns


def chapter(title, *lines):
    """What comes next, and why it is worth a look."""
    print(f"\n=== {title}")
    for line in lines:
        print(f"    {line}")


def curl(m, path):
    url = f"127.0.0.1:{path}"
    body = m.http(url) or ""
    print(f"    $ curl http://{url}")
    show(body)
    return body


def ctl(m, *words, status=0):
    """Run vfrctl and show it; its output, None when it did not end with the status expected."""
    got, out, err = m.ctl(*words)
    print(f"    $ vfrctl {shlex.join(words)}" + (f"      [exit {got}]" if got else ""))
    show(out + err)
    return out + err if got == status else None


def show(text, most=16):
    lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).rstrip().splitlines()
    for line in lines[:most]:
        print(" " * INDENT + line[:WIDTH - INDENT])
    if len(lines) > most:
        print(" " * INDENT + f"... {len(lines) - most} more lines")


def expect(out, *patterns):
    """None when every pattern is found in out, otherwise what is missing."""
    if out is None:
        return "unexpected exit status"
    for pattern in patterns:
        if not re.search(pattern, out, re.M | re.S):
            return f"'{pattern}' is not in the answer"
    return None


def probe_http(m, v):
    chapter("Reachable from outside, each by its ports of one address",
            "QEMU forwards these ports of 127.0.0.1 to the address inside.")
    for name, port, _ in demo_site.GUESTS:
        v.add(f"{name} answers on its port of the shared address", expect(curl(m, f"{port}/"), name))
    chapter("The guest sees its true client: nothing is translated")
    v.add("client address and port arrive as they were sent", expect(curl(m, "20080/cgi-bin/whoami"), r"client=10\.0\.2\.2:\d+"))
    chapter("Guests reach each other by the address they share (hairpin)")
    v.add("web1 reaches web2", expect(curl(m, f"20080/cgi-bin/fetch?{demo_site.ADDRESS}:21080/"), "vfr guest web2"))
    v.add("web2 reaches the small guest", expect(curl(m, f"21080/cgi-bin/fetch?{demo_site.ADDRESS}:22080/"), "small"))


def probe_control(m, v):
    chapter("The machine and its guests")
    v.add("the machine answers", expect(ctl(m, "info"), "cpus"))
    v.add("three domains run", expect(ctl(m, "dom", "ls"), "web1.*running", "web2.*running", "small.*running"))
    chapter("Ports are granted, once each")
    v.add("each owns its slice", expect(ctl(m, "slice", "ls"), "20000-20999.*web1|web1.*20000-20999", "22000-22999|small"))
    v.add("a port of another is refused, and its owner named",
          expect(ctl(m, "slice", "add", "web2", "10.0.2.15:20500/tcp", status=1), "web1"))
    v.add("a free port is granted", expect(ctl(m, "slice", "add", "web2", "10.0.2.15:30000/tcp"), ""))


def probe_audit(m, v):
    now = m.json("info")["utc"][:19].replace("T", " ") + " UTC"
    chapter("An abuse mail: who was it?", "No log of connections is needed: who held a port at a time is on record.")
    v.add("the record names the owner of a port at a time",
          expect(ctl(m, "whois", "10.0.2.15:20417/tcp", "--at", now), "web1"))
    v.add("and of one that was granted just now", expect(ctl(m, "whois", "10.0.2.15:30000/tcp"), "web2"))
    v.add("which is taken back", expect(ctl(m, "slice", "del", "web2", "10.0.2.15:30000/tcp"), ""))


def probe_source(m, v):
    chapter("Nobody sends from a port that is not his own", "What would happen to such a packet of web1:")
    v.add("it is dropped, by name", expect(
        ctl(m, "trace", "tcp 10.0.2.15:21500 > 10.0.2.2:80", "--from", "web1"), "src-port"))


def probe_counters(m, v):
    chapter("What passed, and what did not, with the reason")
    v.add("counters", expect(ctl(m, "stats"), "web1"))
    v.add("drops have names", expect(ctl(m, "drops"), ""))


def compare_plain(v):
    """The three failures of a plain port router, shown on it and on ours, with Linux stacks around both."""
    chapter("What a plain port router gets wrong", "The same Linux stacks around one (policy routing by port), then around ours:")
    done = subprocess.run([f"{vfr.TOP}/tests/net/before_after.py", vfr.BUILD], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    show(done.stdout)
    v.add("what a plain port router loses is not lost here", None if done.returncode == 0 else f"exit {done.returncode}")


def probe_console(m, v):
    """Type a command on a Debian guest's console and read what it prints."""
    chapter("The console of a guest")
    got, out, err = m.ctl("console", "web1", stdin="echo typed-$((6*7))\n", timeout=8)
    print("    $ echo 'echo typed-$((6*7))' | vfrctl console web1")
    show("\n".join((out + err).strip().splitlines()[-3:]))
    v.add("a guest's console can be read and written", expect(out, "typed-42"))


def main():
    v = Verdicts()
    os.environ["COLUMNS"] = str(WIDTH - INDENT)         # of what vfrctl prints
    m = demo_site.start(f"{vfr.BUILD}/run/demo")
    v.add(f"three guests serve on one address, {m.age():.1f} s after power-on", None)
    try:
        probe_http(m, v)
        probe_control(m, v)
        probe_audit(m, v)
        probe_source(m, v)
        probe_counters(m, v)
        probe_console(m, v)
        time.sleep(0.1)
        v.add("the machine is alive at the end", None if m.alive() else "it ended")
    finally:
        demo_site.stop()
    say("the machine is stopped")
    compare_plain(v)
    return v.close()


try:
    sys.exit(main())
except Trouble as trouble:
    die(str(trouble))
