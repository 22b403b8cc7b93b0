# SPDX-License-Identifier: BSD-2-Clause
# The audit log's tests: under ASan and UBSan; the one with millions of records runs the shipped objects.
DEB_PKGS += clang libcmocka-dev

AUDIT_SRC := $(wildcard xen/audit/*.c)
$(addprefix $(B)/tests/unit/audit/,test_audit test_whois): $(B)/tests/unit/audit/%: tests/unit/audit/%.c tests/unit/audit/log.h $(AUDIT_SRC:%.c=$(B)/asan/%.o) \
		$(B)/asan/libenvhost.a
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $(filter %.c %.o %.a,$^) -lcmocka

$(B)/tests/unit/audit/test_millions: tests/unit/audit/test_millions.c $(AUDIT_SRC:%.c=$(B)/%.o) $(B)/libenvhost.a
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_HOST) $(CFLAGS_HOST) -o $@ $(filter %.c %.o %.a,$^) -lcmocka

CHECKS += audit audit-whois audit-millions
check-audit-whois-deps := $(B)/tests/unit/audit/test_whois
check-audit-whois := $(B)/tests/unit/audit/test_whois
check-audit-deps := $(B)/tests/unit/audit/test_audit
check-audit := $(B)/tests/unit/audit/test_audit
check-audit-millions-deps := $(B)/tests/unit/audit/test_millions
check-audit-millions := $(B)/tests/unit/audit/test_millions
