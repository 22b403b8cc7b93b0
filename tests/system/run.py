#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""`make run`: the demonstration system for a person to try. Ctrl-C stops it all."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import demo_site
from harness import vfr
from harness.progress import say


def invite():
    print(f"\nThree guests share the address {demo_site.ADDRESS}, split by ports; nothing is translated between them and the wire.")
    print("Try, in another terminal:\n")
    for name, port, what in demo_site.GUESTS:
        print(f"  curl http://127.0.0.1:{port}/            # {name}: {what}")
    print("  curl http://127.0.0.1:20080/cgi-bin/whoami  # the client as the guest saw it")
    ctl = os.path.relpath(vfr.VFRCTL, os.getcwd())
    for words, what in [("info", "the machine"), ("dom ls", "the guests"), ("slice ls", "who owns which ports"),
                        ("whois 10.0.2.15:20080/tcp", "from the audit log"),
                        ("slice add web2 10.0.2.15:20500/tcp", "refused: web1 owns it"),
                        ("console web1", "its console; Ctrl-] leaves"), ("stats", "counters"), ("drops", "what was dropped, and why"),
                        ("log -f", "the hypervisor's log")]:
        print(f"  {ctl} {words:36} # {what}")
    print("\nCtrl-C stops everything.", flush=True)


def main():
    m = None
    try:
        m = demo_site.start(f"{vfr.BUILD}/run/demo")
        invite()
        m.child.wait()
        say("the machine ended by itself")
        print(m.text()[-2000:])
        return 1
    except KeyboardInterrupt:
        print()
        say("stopping")
        return 0
    finally:
        if m is not None:
            m.stop()
        demo_site.withdraw_socket()


sys.exit(main())
