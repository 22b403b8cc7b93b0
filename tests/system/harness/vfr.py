# SPDX-License-Identifier: BSD-2-Clause
"""Our hypervisor on a machine: a site file compiled, packed in an ISO behind GRUB, booted; vfrctl against its control port."""
import glob
import json
import os
import subprocess

from . import iso
from .machine import PATIENCE, Machine
from .progress import Trouble

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = f"{TOP}/build"
ELF = os.environ.get("VFR_ELF", f"{BUILD}/xen/vfr.elf")
VFRCTL = os.environ.get("VFRCTL", f"{BUILD}/vfrctl")
PLAN = "boot.plan"


def compile_site(site, out):
    """vfrctl compile: the boot plan and the kernels as plain ELF files. Returns the modules as (file, name)."""
    os.makedirs(out, exist_ok=True)
    for old in glob.glob(f"{out}/*"):
        os.unlink(old)
    done = subprocess.run([VFRCTL, "compile", site, "-o", out], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Trouble(done.stdout.strip())
    files = sorted(f for f in glob.glob(f"{out}/*") if not f.endswith(".cfg") and os.path.basename(f) != PLAN)
    return [(f"{out}/{PLAN}", PLAN)] + [(f, os.path.basename(f)) for f in files]


class Vfr(Machine):
    """modules as compile_site gives them; options go to the hypervisor's line in grub.cfg."""

    def __init__(self, workdir, modules, options="", extra=(), **machine):
        os.makedirs(workdir, exist_ok=True)
        image = f"{workdir}/vfr.iso"
        iso.build(image, ELF, options, modules, native=machine.get("machine", "q35") == "q35")
        super().__init__(workdir, ["-cdrom", image, *extra], control=True, **machine)

    def ctl(self, *words, timeout=20, stdin=""):
        """Run vfrctl: (exit status, standard output, standard error)."""
        try:
            done = subprocess.run([VFRCTL, "--socket", self.control, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  input=stdin, text=True, timeout=PATIENCE * timeout)
        except subprocess.TimeoutExpired:
            return 124, "", "vfrctl did not end"
        return done.returncode, done.stdout, done.stderr

    def json(self, *words):
        """The answer to a read with --json; None when refused."""
        status, out, _ = self.ctl(*words, "--json")
        try:
            return json.loads(out) if status == 0 else None
        except ValueError:
            return None


def boot(site, workdir, **options):
    """Compile, pack, start."""
    return Vfr(workdir, compile_site(site, f"{workdir}/modules"), **options).start()
