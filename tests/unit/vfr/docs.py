#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/vfr.md says what the code says: every drop name with its meaning, and every row that the requirement map names exists."""
import glob
import re
import sys

doc = open('docs/vfr.md').read()
drops = dict(re.findall(r'X\(\w+, "([^"]+)", "([^"]+)"\)', open('xen/net/vfr/drops.h').read()))
drops.pop('none')
told = dict(re.findall(r'^\| `([a-z0-9-]+)` \| ([^|]+) \|', doc, re.M))
source = {}
for path in glob.glob('tests/unit/vfr/rows_*.c'):
    text = open(path).read()
    name = re.search(r'TABLE\("([^"]+)"', text).group(1)
    source[name] = set(re.findall(r'\{ "((?:[^"\\]|\\.)*)",', text))
passed = failed = 0


def check(ok, what):
    global passed, failed
    passed += ok
    failed += not ok
    if not ok:
        print('FAIL', what)


for name, text in drops.items():
    check(told.get(name) == text, f'drop {name}: the manual says {told.get(name)!r}, drops.h {text!r}')
for table, title in re.findall(r'\b([a-z0-9]+): "([^"]+)"', doc[doc.index('## Requirements'):]):
    check(title in source.get(table, ()), f'row {table}: "{title}" does not exist')
print(f'{passed} passed, {failed} failed')
sys.exit(failed != 0)
