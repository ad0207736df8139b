# SPDX-License-Identifier: GPL-2.0-only
# iommutop: make | demo | test | matrix | soak | bench | lint | install | clean | help. V=1 shows commands.
# One Makefile for everything but the kernel modules of tools/refiommu, which the kernel's own build system makes.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CLANG ?= clang
BPFTOOL ?= bpftool
ARCH := $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/' -e 's/s390x/s390/')

# the command with sanitizers can't be linked statically: no guest takes it, so it has a place of its own
B := $(if $(SANITIZE),build/sanitize,build)
comma := ,
SAN := $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
V ?= 0
Q := $(if $(filter 0,$(V)),@)
say = $(if $(filter 0,$(V)),@printf '  %-8s %s\n' $(1) $(2))

DATADIR := $(PREFIX)/share/iommutop

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 $(if $(CI),-Werror)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN) -Isrc -Itools -Ibpf -I$(B) \
	-DIOMMUTOP_VERSION='"$(VERSION)"' -DIOMMUTOP_DATADIR='"$(DATADIR)"' -MMD -MP $(CFLAGS) $(SAN)
LIBS := -lbpf -lelf -lz -lzstd -ljson-c -lyaml -lpthread -lm
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Wall -Werror -Ivmlinux/$(ARCH) -Isrc -Ibpf -MMD -MP

LIB_SRC := $(wildcard src/*/*.c)
BOOT_SRC := $(wildcard tools/boot/*.c)
CMD_SRC := $(wildcard tools/iommutop/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o) $(B)/assets.o
# style, then scripts in the order in which they run
ASSETS := $(addprefix src/report/assets/,report.css base.js tables.js chart.js incidents.js)
BOOT_OBJ := $(BOOT_SRC:%.c=$(B)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(B)/%.o)
# flush.bpf.c and driver.bpf.c are templates that are opened once for a function of each kind, hang.bpf.c once per program;
# symbols.bpf.c is asked before the others are loaded: skeletons of their own
BPF_PARTS := $(filter-out flush driver hang symbols,$(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c)))
SKEL := $(B)/iommutop.skel.h $(B)/template.skel.h $(B)/hang.skel.h $(B)/symbols.skel.h

UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
UNIT_TOOLS := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/gen_*.c))
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))
GUEST := $(patsubst tests/guest/%.c,$(B)/guest/%,$(wildcard tests/guest/*.c))
MAN := $(wildcard docs/man/*.[1-8])

.PHONY: all demo test test-unit matrix matrix-real matrix-chains soak fuzz fuzz-programs bench lint format install uninstall clean help packages test-programs
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/iommutop

help:
	@echo "make            build $(B)/iommutop (no root, no network)"
	@echo "make demo       install what is missing, build, boot a test kernel, catch and explain a DMA bug"
	@echo "make test       install what is missing, build, run every test"
	@echo "make test-unit  what needs no VM: unit and command-line tests; SANITIZE=1: with sanitizers"
	@echo "make fuzz       feed random sessions and logs to the parsers, FUZZ_RUNS=$(FUZZ_RUNS) times each"
	@echo "make matrix     every bug of the reference driver against every invariant, and too small rings, on three kernels (half an hour)"
	@echo "make matrix-real  real drivers behind each IOMMU, on four kernels (half an hour or more); MATRIX=docs/compatibility.md writes it down"
	@echo "make matrix-chains  hangs of real drivers, with and without a fault before, on all kernels and QEMUs that can (half an hour)"
	@echo "make soak       20 million maps and unmaps that break no rule, on three kernels, every invariant on (an hour or more)"
	@echo "make bench      measure cost per map+unmap pair, analysis speed and what a verdict adds to a boot of Debian"
	@echo "make lint       format, warnings as errors, static analysis, man pages"
	@echo "make format     rewrite the C files as .clang-format says"
	@echo "make install    DESTDIR= PREFIX=$(PREFIX)"
	@echo "make clean      remove $(B)/ (kernels stay in the cache)"
	@echo "V=1 shows commands; CI=1 makes warnings errors; SANITIZE=1 builds all but what guests run with address and UB sanitizers, in build/sanitize"

packages:
	$(Q)tools/packages.sh

demo: packages
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tools/demo.sh

test: packages
	$(Q)$(MAKE) --no-print-directory all test-programs
	$(Q)tests/run

test-programs: $(UNIT) $(UNIT_TOOLS) $(BENCH) $(GUEST)

test-unit: $(UNIT) $(UNIT_TOOLS) all
	$(Q)BUILD=$(CURDIR)/$(B) tests/run unit cli

matrix: packages
	$(Q)$(MAKE) --no-print-directory all
	$(Q)KERNELS="debian:6.1 debian:6.12 source:7.2" tests/run assert_matrix assert_loss

matrix-real: packages
	$(Q)$(MAKE) --no-print-directory all
	$(Q)TEST_TIMEOUT=7200 tests/run real_matrix

soak: packages
	$(Q)$(MAKE) --no-print-directory all
	$(Q)OPS=20000000 KERNELS="debian:6.1 debian:6.12 source:7.2" TEST_TIMEOUT=14400 tests/run assert_clean

matrix-chains: packages
	$(Q)$(MAKE) --no-print-directory all test-programs
	$(Q)TEST_TIMEOUT=7200 tests/run chain_matrix

bench: packages
	$(Q)$(MAKE) --no-print-directory all test-programs
	$(Q)tests/bench/run
	$(Q)tests/bench/distro_boot.sh debian:6.1 debian:6.12

# --- the command -------------------------------------------------------------------------------------------------

$(B)/iommutop: $(CMD_OBJ) $(BOOT_OBJ) $(B)/libiommutop.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(or $(SAN),-static) -o $@ $(CMD_OBJ) $(BOOT_OBJ) $(B)/libiommutop.a $(LIBS)

$(B)/libiommutop.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

$(B)/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/assets.c: src/report/assets/embed.sh $(ASSETS)
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$^ > $@

$(B)/assets.o: $(B)/assets.c Makefile
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

# skeletons must exist before the collector is compiled the first time; later -MMD knows
$(patsubst %.c,$(B)/%.o,$(wildcard src/collect/*.c)): | $(SKEL)

# --- BPF ---------------------------------------------------------------------------------------------------------

$(B)/bpf/%.o: bpf/%.bpf.c vmlinux/$(ARCH)/vmlinux.h Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MF $(@:.o=.d) -c $< -o $@

$(B)/bpf/iommutop.linked: $(BPF_PARTS:%=$(B)/bpf/%.o)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/bpf/template.linked: $(B)/bpf/flush.o $(B)/bpf/driver.o
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/bpf/hang.linked $(B)/bpf/symbols.linked: $(B)/bpf/%.linked: $(B)/bpf/%.o
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/%.skel.h: $(B)/bpf/%.linked
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# --- tests -------------------------------------------------------------------------------------------------------

$(B)/tests/%: tests/unit/%.c $(B)/libiommutop.a $(BOOT_OBJ)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(BOOT_OBJ) $(B)/libiommutop.a -lcmocka $(LIBS)

$(B)/bench/%: tests/bench/%.c $(B)/libiommutop.a
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(B)/libiommutop.a $(LIBS)

# Fuzzing: `make fuzz FUZZ_RUNS=1000000` runs each target that often, and the invariants, which take a hundred times as
# long, a hundredth of that; inputs that find something new are kept in
# $(B)/fuzz/NAME.corpus, what breaks in $(B)/fuzz. `make test` replays tests/fuzz/corpus (tests/cli/fuzz_corpus.sh).
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_RUNS ?= 100000
FUZZ_OBJ := $(patsubst %.c,$(B)/fuzz/%.o,$(foreach d,util session klog model filter analyze assert,$(wildcard src/$(d)/*.c)))
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_FLAGS = -std=gnu11 -D_GNU_SOURCE -Wno-gnu-variable-sized-type-not-at-end -Isrc -DIOMMUTOP_VERSION='"$(VERSION)"' \
	-MMD -MP -gline-tables-only -O1 $(FUZZ_SAN)

$(B)/fuzz/%.o: %.c Makefile
	$(call say,FUZZ-CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

# the checksum is the same loop for whatever goes in: watching it would take most of the time
$(B)/fuzz/src/session/crc32c.o: src/session/crc32c.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(filter-out $(FUZZ_SAN),$(FUZZ_FLAGS)) -c -o $@ $<

$(B)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_OBJ)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_OBJ) -lzstd -lyaml -lpthread -lm

fuzz-programs: $(FUZZ)

fuzz: packages
	$(Q)$(MAKE) --no-print-directory fuzz-programs
	$(Q)for f in $(FUZZ); do name=$${f##*/fuzz_}; mkdir -p $$f.corpus; runs=$(FUZZ_RUNS); \
		[ $$name != checks ] || runs=$$((runs / 100)); echo "fuzz_$$name: $$runs runs"; \
		$$f -runs=$$runs -max_len=8192 -print_final_stats=1 -artifact_prefix=$(B)/fuzz/$$name- \
		$$f.corpus tests/fuzz/corpus/$$name >$$f.log 2>&1 || { tail -n 40 $$f.log; exit 1; }; \
		grep -E 'stat::(number_of_executed|average|peak)' $$f.log; done

# programs that run inside a test kernel: static, nothing of ours linked in
$(B)/guest/%: tests/guest/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out $(SAN),$(ALL_CFLAGS)) -static -o $@ $<

# --- the rest ----------------------------------------------------------------------------------------------------

FORMATTED := $(shell git ls-files 'src/*.[ch]' 'bpf/*.[ch]' 'tools/*.[ch]' 'tests/*.[ch]' 2>/dev/null)

lint: packages
	$(Q)tests/lint

format:
	$(Q)clang-format -i $(FORMATTED)

install: all
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 \
		$(DESTDIR)$(DATADIR)/boot $(DESTDIR)$(DATADIR)/refiommu
	$(Q)install -m 755 -s $(B)/iommutop $(DESTDIR)$(PREFIX)/bin/iommutop
	$(Q)install -m 644 $(filter %.1,$(MAN)) $(DESTDIR)$(PREFIX)/share/man/man1
	$(Q)install -m 644 $(filter %.5,$(MAN)) $(DESTDIR)$(PREFIX)/share/man/man5
	$(Q)install -m 755 $(wildcard tools/boot/*.sh) $(DESTDIR)$(DATADIR)/boot
	$(Q)install -m 644 $(wildcard tools/boot/*.config) $(DESTDIR)$(DATADIR)/boot
	$(Q)install -m 644 $(wildcard tools/refiommu/*) $(DESTDIR)$(DATADIR)/refiommu

uninstall:
	$(Q)rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(PREFIX)/bin/iommutop
	$(Q)rm -f $(foreach m,$(MAN),$(DESTDIR)$(PREFIX)/share/man/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m)))

clean:
	$(Q)rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
