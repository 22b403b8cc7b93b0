#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""`make demo`: the demonstration system, probed as a user would, unattended. The transcript is for people; exit 0 when all held."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import demo_site
from harness import vfr
from harness.progress import Trouble, Verdicts, die, say


def curl(m, path):
    url = f"127.0.0.1:{path}"
    body = m.http(url) or ""
    print(f"    $ curl http://{url}")
    show(body)
    return body


def ctl(m, *words, status=0):
    """Run vfrctl and show it; its output, None when it did not end with the status expected."""
    got, out, err = m.ctl(*words)
    print(f"    $ vfrctl {' '.join(words)}" + (f"      [exit {got}]" if got else ""))
    show(out + err)
    return out + err if got == status else None


def show(text, most=14):
    lines = text.rstrip().splitlines()
    for line in lines[:most]:
        print(f"      {line[:140]}")
    if len(lines) > most:
        print(f"      ... {len(lines) - most} more lines")


def expect(out, *patterns):
    """None when every pattern is found in out, otherwise what is missing."""
    if out is None:
        return "unexpected exit status"
    for pattern in patterns:
        if not re.search(pattern, out, re.M | re.S):
            return f"'{pattern}' is not in the answer"
    return None


def probe_http(m, v):
    for name, port, _ in demo_site.GUESTS:
        v.add(f"{name} answers on its port of the shared address", expect(curl(m, f"{port}/"), name))
    v.add("the guest sees its true client", expect(curl(m, "20080/cgi-bin/whoami"), r"client=10\.0\.2\.2:\d+"))
    v.add("web1 reaches web2 through the address they share (hairpin)",
          expect(curl(m, f"20080/cgi-bin/fetch?{demo_site.ADDRESS}:21080/"), "vfr guest web2"))
    v.add("web2 reaches the small guest the same way",
          expect(curl(m, f"21080/cgi-bin/fetch?{demo_site.ADDRESS}:22080/"), "small"))


def probe_control(m, v):
    v.add("vfrctl info", expect(ctl(m, "info"), "cpus"))
    v.add("three domains run", expect(ctl(m, "dom", "ls"), "web1.*running", "web2.*running", "small.*running"))
    v.add("each owns its slice", expect(ctl(m, "slice", "ls"), "20000-20999.*web1|web1.*20000-20999", "22000-22999|small"))
    v.add("a conflicting slice is refused and names the owner",
          expect(ctl(m, "slice", "add", "web2", "10.0.2.15:20500/tcp", status=1), "web1"))
    v.add("a free port is granted", expect(ctl(m, "slice", "add", "web2", "10.0.2.15:30000/tcp"), ""))
    v.add("the audit log knows who owns a port", expect(ctl(m, "whois", "10.0.2.15:20080/tcp"), "web1"))
    v.add("it knows the new one", expect(ctl(m, "whois", "10.0.2.15:30000/tcp"), "web2"))
    v.add("and can be taken back", expect(ctl(m, "slice", "del", "web2", "10.0.2.15:30000/tcp"), ""))
    v.add("counters", expect(ctl(m, "stats"), "web1"))
    v.add("drops have names", expect(ctl(m, "drops"), ""))


def probe_source(m, v):
    v.add("a guest that sends from a port of its neighbour is stopped", expect(
        ctl(m, "trace", "tcp 10.0.2.15:21500 > 10.0.2.2:80", "--from", "web1"), "src-port"))


def compare_plain(v):
    """The three failures of a plain port router, shown on it and on ours, with Linux stacks around both."""
    say("the same stacks around a plain port router, and around ours")
    done = subprocess.run([f"{vfr.TOP}/tests/net/before_after.py", vfr.BUILD], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    show(done.stdout)
    v.add("what a plain port router loses is not lost here", None if done.returncode == 0 else f"exit {done.returncode}")


def probe_console(m, v):
    """Type a command on a Debian guest's console and read what it prints."""
    got, out, err = m.ctl("console", "web1", stdin="echo typed-$((6*7))\n", timeout=8)
    print("    $ echo 'echo typed-$((6*7))' | vfrctl console web1")
    show("\n".join((out + err).strip().splitlines()[-3:]))
    v.add("a guest's console can be read and written", expect(out, "typed-42"))


def main():
    v = Verdicts()
    m = demo_site.start(f"{vfr.BUILD}/run/demo")
    v.add(f"three guests serve on one address, {m.age():.1f} s after power-on", None)
    try:
        probe_http(m, v)
        probe_control(m, v)
        probe_source(m, v)
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
