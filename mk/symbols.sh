#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Print an assembly file with the functions of an ELF image, sorted by address: what a backtrace names addresses from
# (arch/x86/panic.c, struct symbol).
set -eu
nm -n "$1" | awk '
	$3 == "image_start" { base = $1 }
	$2 ~ /^[tT]$/ && $3 !~ /^\./ { addr[n] = $1; name[n] = $3; n++ }
	END {
		print "\t.section .symbols, \"a\"\n\t.balign 8\n\t.globl symbol_table, symbol_count, symbol_names"
		print "symbol_count: .long " n "\nsymbol_table:"
		for (i = 0; i < n; i++) printf "\t.long 0x%s - 0x%s, n%d - symbol_names\n", addr[i], base, i
		print "symbol_names:"
		for (i = 0; i < n; i++) printf "n%d: .asciz \"%s\"\n", i, name[i]
	}'
