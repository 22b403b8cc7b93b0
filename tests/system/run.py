#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""`make run`: the demonstration system, or a site file of one's own, for a person to try. Ctrl-C stops it all.

    run.py [SITE [HOSTPORT-ADDRESS:PORT...]]
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import demo_site
from harness import plan, vfr
from harness.progress import Trouble, die, say

CTL = os.path.relpath(vfr.VFRCTL, os.getcwd())


def invite_demo():
    print(f"\nThree guests share the address {demo_site.ADDRESS}, split by ports. Nothing is\ntranslated between them and the wire.")
    print("Try, in another terminal:\n")
    tries = [(f"curl http://127.0.0.1:{port}/", f"{name}: {what.partition(',')[0]}") for name, port, what in demo_site.GUESTS]
    tries += [("curl http://127.0.0.1:20080/cgi-bin/whoami", "the client as web1 saw it")]
    tries += [(f"{CTL} {words}", what) for words, what in
              [("info", "the machine"), ("dom ls", "the guests"), ("slice ls", "who owns which ports"),
               ("slice add web2 10.0.2.15:20500/tcp", "refused: it is web1's"),
               ("whois 10.0.2.15:20080/tcp", "from the audit log"),
               ("console web1", "its console; Ctrl-] leaves"), ("stats", "counters"), ("drops", "what was dropped, and why"),
               ("top", "rates, live; q leaves"), ("log -f", "the hypervisor's log"), ("help", "all commands")]]
    for line, what in tries:
        print(f"  {line:49} # {what}")


def start_own(site, forwards):
    """The operator's own file. QEMU plays the router that the file names as the gateway."""
    workdir = f"{demo_site.RUN}/site"
    say(f"compiling {site} into a boot plan, packing the ISO")
    modules = vfr.compile_site(os.path.abspath(site), f"{workdir}/modules")
    with open(modules[0][0], "rb") as f:
        found = plan.first_network(f.read())
    if not found or found[1] not in found[0]:
        raise Trouble(f"{site}: QEMU's network needs an IPv4 address with its prefix and a gateway within, as 10.0.2.15/24 and 10.0.2.2")
    m = vfr.Vfr(workdir, modules, memory=os.environ.get("MEMORY", "1024"), cpus=2, net="user", user_net="net=%s,host=%s" % found,
                forwards=[tuple(f.split("-", 1)) for f in forwards]).start()
    say("machine on (QEMU, 2 CPUs); GRUB reads the modules")
    demo_site.offer_socket(m)
    if not m.wait_text("control: serving port", 60):
        demo_site.fail(m, "the hypervisor did not come up")
    say("the hypervisor is up\n")
    subprocess.run([vfr.VFRCTL, "--socket", m.control, "dom", "ls"])
    return m


def invite_own(m):
    print("\nIn another terminal:\n")
    for guest, host in m.ports.items():
        print(f"  127.0.0.1:{host} leads to port {guest}, as soon as its guest serves it")
    print(f"  {CTL} help")


def main():
    try:
        if len(sys.argv) > 1:
            m = start_own(sys.argv[1], sys.argv[2:])
            invite_own(m)
        else:
            m = demo_site.start(f"{demo_site.RUN}/demo")
            invite_demo()
        print("\nCtrl-C stops everything.", flush=True)
        m.child.wait()
        say("the machine ended by itself; its log ends:")
        print(m.text()[-2000:])
        return 1
    except KeyboardInterrupt:
        print()
        say("stopping")
        return 0
    except Trouble as trouble:
        die(str(trouble))
    finally:
        demo_site.stop()


sys.exit(main())
