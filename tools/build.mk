# SPDX-License-Identifier: BSD-2-Clause
# Programs for the machine that runs QEMU, and for a control domain: vfrctl and its library; vfr-sim, the control port without a machine.

DEB_PKGS += libyaml-dev libjansson-dev libxml2-dev liblzma-dev liblz4-dev zlib1g-dev libzstd-dev libpcap-dev libncurses-dev scdoc pkg-config

TOOL_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -Ixen/include $(WARN) -Wno-missing-prototypes -Wno-pointer-sign
TOOL_LIBS := -lyaml -ljansson -lxml2 -llzma -llz4 -lz -lzstd -lpcap -lncurses -ltinfo
TOOL_XML := $(shell pkg-config --cflags libxml-2.0 2>/dev/null || echo -I/usr/include/libxml2)

VFRC_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tools/lib/*.c))
VFRCTL_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tools/vfrctl/*.c))
VFRSIM_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tools/vfr-sim/*.c))

$(VFRC_OBJ) $(VFRCTL_OBJ): CFLAGS_HV = $(TOOL_CFLAGS) $(TOOL_XML)
$(VFRSIM_OBJ): CFLAGS_HV = $(CFLAGS_HOST)

$(B)/libvfrc.a: $(VFRC_OBJ)
	@rm -f $@ && ar rcs $@ $^
# By a temporary name: who runs it meanwhile has the old one or the new one.
$(B)/vfrctl: $(VFRCTL_OBJ) $(B)/libvfrc.a
	@echo "  LD   $@"
	@$(CC_HOST) -o $@.new $^ $(TOOL_LIBS)
	@mv $@.new $@
tools: $(B)/vfrctl

-include $(wildcard $(VFRC_OBJ:.o=.d) $(VFRCTL_OBJ:.o=.d) $(VFRSIM_OBJ:.o=.d))

$(B)/vfr-sim: $(VFRSIM_OBJ) $(B)/libcore.a $(B)/libenvhost.a
	@echo "  LD   $@"
	@$(CC_HOST) -o $@.new $^
	@mv $@.new $@
tools: $(B)/vfr-sim

MAN := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))
$(B)/man/%: docs/man/%.scd | $(B)/.deps
	@mkdir -p $(@D)
	@scdoc <$< >$@
tools: $(MAN)

# make install PREFIX=/usr DESTDIR=...
PREFIX ?= /usr/local
DESTDIR ?=
SHARE := $(DESTDIR)$(PREFIX)/share
.PHONY: install
install: $(B)/vfrctl $(MAN) ## vfrctl, its manual pages and completions into PREFIX (/usr/local)
	@install -D -m 755 $(B)/vfrctl $(DESTDIR)$(PREFIX)/bin/vfrctl
	@for page in $(MAN); do install -D -m 644 $$page $(SHARE)/man/man$${page##*.}/$${page##*/}; done
	@install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	@$(B)/vfrctl completion bash >$(SHARE)/bash-completion/completions/vfrctl
	@$(B)/vfrctl completion zsh >$(SHARE)/zsh/site-functions/_vfrctl
	@$(B)/vfrctl completion fish >$(SHARE)/fish/vendor_completions.d/vfrctl.fish
	@echo "installed in $(DESTDIR)$(PREFIX)"
