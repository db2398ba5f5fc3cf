# tlswitness: `make demo` shows the main job, `make check` passes the tests. `make help` lists
# the rest. Only `setup` installs anything; whatever needs it calls it.

VERSION := 0.1.0
CC      := gcc
BUILD   := build
PREFIX  := /usr/local

# The user's, beside the project's own below. WERROR=-Werror is what CI asks.
CFLAGS   ?= -O2 -g
CPPFLAGS ?=
LDFLAGS  ?=
WERROR   ?=

WARNINGS     := -Wall -Wextra -Wpedantic $(WERROR)
ALL_CPPFLAGS := -I. -D_GNU_SOURCE -DTLSWITNESS_VERSION='"$(VERSION)"' $(CPPFLAGS)
ALL_CFLAGS   := -std=gnu11 $(WARNINGS) -fvisibility=hidden $(CFLAGS)
ifeq ($(notdir $(CC)),musl-gcc)
BUILD        := build/musl
ALL_CPPFLAGS += -isystem $(BUILD)/headers
endif
SHIM_CFLAGS  := $(ALL_CFLAGS) -fPIC -ftls-model=initial-exec -foptimize-sibling-calls
# Parts of libc since glibc 2.34, libraries of their own before.
SYSTEM_LIBS  := -ldl -lpthread
TOOL_LIBS    := -lssl -lcrypto -lcurl -lpsl -lcares -lunbound -lelf -ljansson -lz -lzstd -llzma -lbz2 \
		$(SYSTEM_LIBS)

# What every process runs as it starts comes first: it is read by 64 KiB at once.
SHIM_SOURCES := $(wildcard shim/base/*.c shim/config/*.c) shim/hooks/real_libc.c \
	$(addprefix shim/origin/,origin_caller.c origin_process.c) shim/record/tls_names.c \
	$(addprefix shim/core/,lifecycle.c enforcement.c recorder.c slab.c connection_pool.c \
	connection.c connection_record.c)
SHIM_SOURCES += $(filter-out $(SHIM_SOURCES),$(wildcard shim/*/*.c))
TOOL_SOURCES := $(wildcard tools/*.c tools/*/*.c tools/*/*/*.c)
# What `tools/` shares with the recorder: the values of settings, and the names of TLS.
SHARED_SOURCES := $(wildcard shim/config/*.c shim/record/*.c)
# What of the probe reads and writes bytes, and knows no socket and no library.
PROBE_PURE := $(addprefix tools/probe/,probe_hello.c probe_answer.c probe_reply.c probe_policy.c \
		probe_words.c)
# Unit tests need nothing but the compiler, Criterion and OpenSSL's headers; those that read
# JSON back by the JSON library are linked with the integration tests. In place of what of the
# core asks the kernel and writes the log stands tests/unit/core_ground.c.
UNIT_SOURCES := $(wildcard tests/unit/*.c)
UNIT_SUBJECTS := $(wildcard shim/wire/*.c shim/record/*.c shim/config/*.c) \
		 $(filter-out $(addprefix shim/core/,lifecycle.c recorder.c output.c sandbox.c \
		   setting.c),$(wildcard shim/core/*.c)) shim/base/thread.c \
		 $(addprefix shim/origin/,origin.c origin_process.c) shim/base/error_text.c \
		 $(filter-out tools/base/digest.c,$(wildcard tools/base/*.c)) \
		 tools/report/timeline.c tools/report/tally.c tools/log/values.c tools/log/doubles.c \
		 tools/report/render/html.c tools/sink/sink_session.c \
		 $(PROBE_PURE)
UNIT_SUBJECTS += $(addprefix tools/check/,script.c group_names.c)
INTEGRATION_SOURCES := $(wildcard tests/unit/json/*.c tests/integration/*.c)
PROGRAM_SOURCES := $(filter-out tests/programs/racing.c,$(wildcard tests/programs/*.c))

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
SHIM_OBJECTS := $(call objects,$(SHIM_SOURCES))
TOOL_OBJECTS := $(call objects,$(TOOL_SOURCES))
SHARED_OBJECTS := $(call objects,$(SHARED_SOURCES))
PROGRAMS := $(patsubst tests/programs/%.c,$(BUILD)/programs/%,$(PROGRAM_SOURCES))

.PHONY: all
ifneq ($(notdir $(CC)),musl-gcc)
all: $(BUILD)/libtlswitness.so $(BUILD)/tlswitness ## build the recorder and the command
else
# For programs that are linked with musl, beside a command that was built by gcc. musl-gcc sees
# musl's headers alone; OpenSSL's are shown to it by links.
all: $(BUILD)/libtlswitness.so

$(SHIM_OBJECTS): | $(BUILD)/headers/openssl

$(BUILD)/headers/openssl:
	@mkdir -p $@
	ln -sf /usr/include/openssl/*.h /usr/include/$(shell gcc -print-multiarch)/openssl/*.h $@
endif

$(BUILD)/shim/%.o: shim/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# libc alone: -z defs proves that nothing else is needed. The tables of hooks hold our own functions,
# which are not looked for among everybody's in each process; nor are the four names of the compiler's
# start files, which nothing here needs.
$(BUILD)/libtlswitness.so: $(SHIM_OBJECTS)
	$(CC) $(CFLAGS) -shared -nostartfiles -Wl,-z,defs -Wl,-z,noseparate-code -Wl,-z,now -Wl,-z,relro \
		-Wl,-Bsymbolic-functions -Wl,--as-needed $(LDFLAGS) -o $@ $^ $(SYSTEM_LIBS)

$(BUILD)/tlswitness: $(TOOL_OBJECTS) $(SHARED_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TOOL_LIBS)

$(BUILD)/programs/%: tests/programs/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< -Wl,--as-needed \
		-lssl -lcrypto -lgnutls-dane -lgnutls $(SYSTEM_LIBS)

$(BUILD)/unit-tests: $(call objects,$(UNIT_SOURCES) $(UNIT_SUBJECTS))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcriterion -lssl -lcrypto $(SYSTEM_LIBS)

$(BUILD)/integration-tests: $(call objects,$(INTEGRATION_SOURCES)) $(SHARED_OBJECTS) \
		$(filter-out $(BUILD)/tools/tlswitness.o,$(TOOL_OBJECTS))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcriterion $(TOOL_LIBS)

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- what the machine must have ----

FOR ?= check
.PHONY: setup
setup: ## install what FOR=build, demo, check (default), lint or bench needs
	@tests/setup $(FOR) $(BUILD)

# ---- what a person calls ----

.PHONY: demo
demo: ## show the main job: who sends with which TLS version, and which line is to blame
	@$(MAKE) --no-print-directory setup FOR=demo
	@$(MAKE) --no-print-directory -s all
	@examples/demo/run

# TEST=suite/name runs one test, TEST='floor*/*' several.
TEST ?=
.PHONY: check
check: ## all tests; TEST=suite/name for one
	@$(MAKE) --no-print-directory setup FOR=check
	@$(MAKE) --no-print-directory -s all programs $(BUILD)/unit-tests $(BUILD)/integration-tests
	@tests/run $(BUILD) tests/floors tests/promises tests/senders/check unit-tests integration-tests -- $(if $(TEST),--filter '$(TEST)')

.PHONY: check-unit
check-unit: $(BUILD)/unit-tests ## the unit tests alone: seconds, installs nothing; TEST= as above
	@tests/run $(BUILD) tests/floors tests/promises unit-tests -- $(if $(TEST),--filter '$(TEST)')

.PHONY: faults
faults: ## each system call of the recorder fails, one by one, in every interpreter: an hour
	@$(MAKE) --no-print-directory setup FOR=check
	@$(MAKE) --no-print-directory -s all programs $(BUILD)/integration-tests
	@TLSWITNESS_FAULTS=all tests/run $(BUILD) integration-tests -- --filter 'faults/*'

.PHONY: check-senders
check-senders: ## 60 and more of the senders that Debian carries, one line for each: minutes
	@$(MAKE) --no-print-directory setup FOR=senders
	@$(MAKE) --no-print-directory -s all
	@tests/senders/check $(BUILD) --least=60

.PHONY: check-protocols
check-protocols: ## ten protocols that are no mail, through enforce: as bare
	@$(MAKE) --no-print-directory setup FOR=protocols
	@$(MAKE) --no-print-directory -s all
	@tests/protocols/check $(BUILD)

.PHONY: check-kernel
check-kernel: ## TLS by the kernel and Multipath TCP, by Debian's kernel in an emulated machine
	@$(MAKE) --no-print-directory setup FOR=kernel
	@$(MAKE) --no-print-directory -s all
	@tests/kernel/run $(BUILD)

.PHONY: check-probe
check-probe: ## the probe beside sslscan, testssl.sh and nmap on real servers: minutes; FAST=1
	@$(MAKE) --no-print-directory setup FOR=probe
	@$(MAKE) --no-print-directory -s all
	@tests/scripts/probe/beside_scanners $(BUILD)

.PHONY: programs
programs: $(PROGRAMS) $(BUILD)/tsan/racing

# The unit tests, the recorder within a program (a sanitizer must come first, and so can't be
# preloaded with it), and the tests of the command: a tree in which it alone has the sanitizers.
ASAN       := $(BUILD)/asan
ASAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover
ASAN_TESTS := @(sink|senders|report*|formats|watch*|probe*|run)/*
.PHONY: asan
asan: ## unit tests, recorder and command under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory setup FOR=check
	@$(MAKE) --no-print-directory -s BUILD=$(ASAN) CFLAGS='$(ASAN_FLAGS)' check-unit \
		$(ASAN)/racing $(ASAN)/tlswitness
	$(ASAN)/racing 20000
	@$(MAKE) --no-print-directory -s all programs $(BUILD)/integration-tests
	@mkdir -p $(ASAN)/tree
	@cp $(ASAN)/tlswitness $(BUILD)/libtlswitness.so $(ASAN)/tree/
	@for part in programs debian postfix probe; do \
		ln -sfn $(abspath $(BUILD))/$$part $(ASAN)/tree/$$part; done
	@ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 TLSWITNESS_BUILD=$(ASAN)/tree \
		tests/run $(BUILD) integration-tests -- --filter '$(ASAN_TESTS)'

$(BUILD)/racing: $(call objects,$(filter-out shim/hooks/hook_loader.c,$(SHIM_SOURCES)) \
		tests/programs/racing.c)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(SYSTEM_LIBS)

# The recorder within the program, so that ThreadSanitizer sees every access of it. Its
# hooks of the loader are left out: the sanitizer itself starts through them.
TSAN_SOURCES := $(filter-out shim/hooks/hook_loader.c,$(SHIM_SOURCES))
TSAN_OBJECTS := $(TSAN_SOURCES:%.c=$(BUILD)/tsan/%.o) $(BUILD)/tsan/tests/programs/racing.o

$(BUILD)/tsan/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(SHIM_CFLAGS) -fsanitize=thread -Wno-tsan -MMD -MP -c -o $@ $<

$(BUILD)/tsan/racing: $(TSAN_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=thread -o $@ $^ $(SYSTEM_LIBS)

# The program closes descriptors that its other threads use, and is meant to: what is reported of
# those is its own.
TSAN_ROUNDS ?= 100000
.PHONY: tsan
tsan: $(BUILD)/tsan/racing ## races over descriptors and connections under ThreadSanitizer
	@TLSWITNESS_LOG=$(BUILD)/tsan/log.jsonl $(BUILD)/tsan/racing $(TSAN_ROUNDS) \
		2>$(BUILD)/tsan/report || [ $$? -eq 66 ] || { cat $(BUILD)/tsan/report; exit 1; }
	@[ $$(grep -c 'WARNING: ThreadSanitizer' $(BUILD)/tsan/report) -eq \
		$$(grep -c 'Location is file descriptor' $(BUILD)/tsan/report) ] || \
		{ cat $(BUILD)/tsan/report; exit 1; }

# Each target is one file of tests/fuzz; what it parses is linked from the tree. FUZZ_SECONDS
# for each, FUZZ=tls_wire for one alone. Corpora lie in tests/fuzz/corpus/NAME, by make-corpus there.
FUZZ_SECONDS ?= 60
FUZZ ?= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_SUBJECTS := $(wildcard shim/wire/*.c shim/record/*.c) tools/base/utf8.c \
		 $(addprefix tools/log/,scanner.c scanner_index.c json_line.c) $(PROBE_PURE)
FUZZ_FLAGS := -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover

FUZZ_OBJECTS := $(FUZZ_SUBJECTS:%.c=$(BUILD)/fuzz/%.o)
.SECONDARY: $(FUZZ_OBJECTS)

$(BUILD)/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	clang $(ALL_CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%: tests/fuzz/%.c $(FUZZ_OBJECTS) Makefile
	@mkdir -p $(@D)
	clang $(ALL_CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(FUZZ_OBJECTS) -ljansson \
		-Wl,--as-needed -lssl -lcrypto -lgnutls

.PHONY: fuzz
fuzz: ## fuzz whatever parses; FUZZ_SECONDS=60 each, FUZZ=name for one
	@$(MAKE) --no-print-directory setup FOR=fuzz
	@$(MAKE) --no-print-directory -s $(FUZZ:%=$(BUILD)/fuzz/%)
	@for name in $(FUZZ); do mkdir -p $(BUILD)/fuzz/corpus/$$name; \
		$(BUILD)/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -max_len=4200 \
			-print_final_stats=1 -verbosity=0 $(BUILD)/fuzz/corpus/$$name \
			$$(ls -d tests/fuzz/corpus/$$name 2>/dev/null) || exit 1; done

# A process writes its counts as it ends. So does one with the recorder built like that, which confined
# hosts, odd ways of loading and tests that hold it against bytes do not bear: it is tried by the
# suites named here, the command by all. TEST='names/*' for some.
COVERAGE := $(BUILD)/coverage
COVERAGE_SUITES := recording|places|senders|gnutls|floor|names|settings|wire|certificates|outputs|confined
COVERAGE_SUITES := $(COVERAGE_SUITES)|children|caller|unseen|opportunistic|hops|floor_openssl|handed_on
COVERAGE_SUITES := $(COVERAGE_SUITES)|exceptions|relays|limits|middle_boxes|origin|load
.PHONY: coverage
coverage: ## line coverage of shim/ and tools/ by unit and integration tests, in build/coverage/report.txt
	@$(MAKE) --no-print-directory setup FOR=coverage
	@$(MAKE) --no-print-directory setup FOR=check
	@$(MAKE) --no-print-directory -s all programs $(BUILD)/integration-tests
	@CCACHE_DISABLE=1 $(MAKE) --no-print-directory -s BUILD=$(COVERAGE) \
		CFLAGS='-O0 -g --coverage -fprofile-update=atomic' all $(COVERAGE)/unit-tests
	@mkdir -p $(COVERAGE)/of-recorder $(COVERAGE)/of-command
	@for part in debian bullseye postfix probe programs; do \
		ln -sfn ../../$$part $(COVERAGE)/of-recorder/; ln -sfn ../../$$part $(COVERAGE)/of-command/; done
	@ln -sfn ../tlswitness $(COVERAGE)/of-recorder/; ln -sfn ../libtlswitness.so $(COVERAGE)/of-recorder/
	@ln -sfn ../tlswitness $(COVERAGE)/of-command/; ln -sfn ../../libtlswitness.so $(COVERAGE)/of-command/
	-@tests/run $(COVERAGE) unit-tests --
	-@TLSWITNESS_BUILD=$(COVERAGE)/of-recorder tests/run $(BUILD) integration-tests -- \
		--filter '$(if $(TEST),$(TEST),@($(COVERAGE_SUITES))/*)'
	-@TLSWITNESS_BUILD=$(COVERAGE)/of-command tests/run $(BUILD) integration-tests -- \
		$(if $(TEST),--filter '$(TEST)')
	@gcovr --fail-under-line 0.1 --root . --filter 'shim/' --filter 'tools/' \
		--output $(COVERAGE)/report.txt $(COVERAGE)
	@cat $(COVERAGE)/report.txt

# Ten gigabytes and another seed each time it is asked for: SEED=7 make soak-bytes
SEED ?= 1
.PHONY: soak-bytes
soak-bytes: all programs ## ten gigabytes of every call in every form, bare and recorded; SEED=1
	$(BUILD)/programs/transparency $(SEED) 10240 >$(BUILD)/soak.bare & \
	$(BUILD)/tlswitness run --log $(BUILD)/soak.jsonl -- \
		$(BUILD)/programs/transparency $(SEED) 10240 >$(BUILD)/soak.watched; wait $$!
	cmp $(BUILD)/soak.bare $(BUILD)/soak.watched && tail -n 2 $(BUILD)/soak.bare

# SOAK='Python Postfix' for some of them; as many sessions as fit into SECONDS, where it is given;
# AT_ONCE=4 for handshakes without mail, four at a time.
SOAK ?=
SESSIONS ?= 1000000
AT_ONCE ?=
.PHONY: soak
soak: ## a million connections through one process of each interpreter and of Postfix; SOAK=Perl SESSIONS=
	@$(MAKE) --no-print-directory setup FOR=check
	@$(MAKE) --no-print-directory -s all
	@SESSIONS=$(SESSIONS) AT_ONCE=$(AT_ONCE) tests/soak/run $(BUILD) $(SOAK)

# SUITE='CPython Ruby' for some of them; MODULES='test_ssl' for some of CPython's. Hours of other
# people's tests: not part of `check`.
SUITE ?=
.PHONY: transparency
transparency: ## suites that others wrote, bare and recorded: no test may differ; SUITE=CPython
	@$(MAKE) --no-print-directory setup FOR=transparency
	@$(MAKE) --no-print-directory -s all
	@tests/transparency/run $(BUILD) $(SUITE)

# MUTANTS of them, chosen by SEED, from the FIRST on; each is built and tested, so a hundred take hours.
MUTANTS ?= 100
FIRST   ?= 1
.PHONY: mutants
mutants: ## break the recorder in 100 small ways: which did no test notice? MUTANTS=, SEED=, FIRST=
	@$(MAKE) --no-print-directory setup FOR=check
	@tests/mutants/run $(BUILD) $(MUTANTS) $(SEED) $(FIRST)

.PHONY: check-fleet
check-fleet: ## reports made by real engines against those of the files; kills, cuts, forgeries
	@$(MAKE) --no-print-directory setup FOR=fleet
	@$(MAKE) --no-print-directory -s all $(BUILD)/bench/generate
	@status=0; for part in run example link relp; do \
		tests/fleet/$$part $(BUILD) || { echo "tests/fleet/$$part: failed"; status=1; }; \
	done; exit $$status

# As root, for namespaces: so it is not part of check-fleet.
.PHONY: check-fleet-hosts
check-fleet-hosts: ## three hosts in namespaces: kills, cuts, a full buffer, strangers, forgeries
	@$(MAKE) --no-print-directory setup FOR=fleet
	@$(MAKE) --no-print-directory -s all $(BUILD)/bench/generate
	@tests/fleet/hosts $(BUILD)

# RECORDS='1000000 10000000' for less than a hundred million.
RECORDS ?=
.PHONY: bench-fleet
bench-fleet: ## figures: a report by the records that an engine has; RECORDS=
	@$(MAKE) --no-print-directory setup FOR=fleet
	@$(MAKE) --no-print-directory -s all $(BUILD)/bench/generate
	@tests/fleet/bench $(BUILD) $(RECORDS)

# Figures, no test: every executable tests/bench/run-* in order.
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
BENCH_OBJECTS := $(SHARED_OBJECTS) $(call objects,$(wildcard shim/wire/*.c))

$(BUILD)/bench/%: tests/bench/%.c $(BENCH_OBJECTS) Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(BENCH_OBJECTS) \
		-Wl,--as-needed -lssl -lcrypto -lgnutls $(SYSTEM_LIBS)

.PHONY: bench
bench: ## figures: what the recorder costs, how fast the report is, beside other tools
	@$(MAKE) --no-print-directory setup FOR=bench
	@$(MAKE) --no-print-directory -s all $(BENCH_PROGRAMS)
	@for run in tests/bench/run-*; do [ ! -x "$$run" ] || "$$run" || exit 1; done

# Other releases of Debian, other processors and other libcs. Roots and what is built for them
# lie in ~/.cache/tlswitness (TLSWITNESS_CACHE), and are made where they are missing.
SUITES ?= bullseye trixie sid
.PHONY: check-releases
check-releases: ## the recorder built here, and one built there, on Debian 11, 13 and sid; SUITES=
	@$(MAKE) --no-print-directory setup FOR=releases
	@$(MAKE) --no-print-directory -s all
	@tests/releases/run $(BUILD) $(SUITES)

# The recorder cross-built for a processor, in that one's programs, unpacked, under qemu-user.
# ARCHITECTURE,COMPILER'S PREFIX,FOLDER OF ITS LIBRARIES,EMULATOR
define check_foreign
	@tests/releases/prepare $(1) $(BUILD) >/dev/null
	@$(MAKE) --no-print-directory -s all $(BUILD)/releases/foreign-tests
	@root=$$(tests/releases/prepare $(1) $(BUILD)) && \
	$(MAKE) --no-print-directory -s BUILD=$(BUILD)/$(1) CC=$(2)-gcc WERROR='-Wno-psabi $(WERROR)' \
		CPPFLAGS="-isystem $$root/usr/include -isystem $$root/usr/include/$(3)" \
		$(BUILD)/$(1)/libtlswitness.so && \
	TLSWITNESS_BUILD=$(BUILD) TLSWITNESS_FOREIGN_ROOT=$$root TLSWITNESS_FOREIGN_EMULATOR=$(4) \
	TLSWITNESS_FOREIGN_RECORDER=$$(realpath $(BUILD)/$(1)/libtlswitness.so) \
		tests/releases/tally $(1) tests/run $(BUILD)/releases foreign-tests -- --filter 'foreign/*'
endef

.PHONY: check-arm64
check-arm64: ## the recorder cross-built for arm64, in programs of arm64 under qemu-user
	$(call check_foreign,arm64,aarch64-linux-gnu,aarch64-linux-gnu,qemu-aarch64-static)

.PHONY: check-i386
check-i386: ## the recorder cross-built for i386, in its programs, and one `run` for both word sizes
	$(call check_foreign,i386,i686-linux-gnu,i386-linux-gnu,qemu-i386-static)

MUSL := $(BUILD)/musl
.PHONY: check-musl
check-musl: ## the recorder built by musl-gcc, in programs built by it, with an OpenSSL built by it
	@tests/releases/prepare musl $(BUILD) >/dev/null
	@$(MAKE) --no-print-directory -s all $(BUILD)/releases/musl-tests
	@$(MAKE) --no-print-directory -s CC=musl-gcc BUILD=$(MUSL)
	@openssl=$$(tests/releases/musl-openssl) && mkdir -p $(MUSL)/programs && \
	compile="musl-gcc $(ALL_CPPFLAGS) -std=gnu11 -O2 -I$$openssl/include" && \
	$$compile -o $(MUSL)/programs/clear_client tests/programs/clear_client.c && \
	$$compile -o $(MUSL)/programs/floor_client tests/programs/floor_client.c \
		-L$$openssl/lib -Wl,-rpath,$$openssl/lib -lssl -lcrypto && \
	$$compile -o $(MUSL)/programs/floor_client_static tests/programs/floor_client.c \
		$$openssl/lib/libssl.a $$openssl/lib/libcrypto.a
	@cp $(BUILD)/tlswitness $(MUSL)/tlswitness
	@TLSWITNESS_BUILD=$(MUSL) tests/releases/tally musl tests/run $(BUILD)/releases musl-tests -- \
		--filter '@(musl/*|opportunistic/no_way*|opportunistic/loopback*|floor_openssl/no_way*)'

SYSTEMS ?=
.PHONY: check-systems
check-systems: ## Debian 11 and 13, arm64, i386 and musl, one after the other; SYSTEMS='musl trixie'
	@SYSTEMS='$(SYSTEMS)' tests/releases/all

# Those of the integration tests that the tests of other machines stand on.
RELEASE_SUPPORT := $(call objects,$(addprefix tests/integration/,harness.c records.c senders.c \
		trial.c mailers.c opportunistic.c floor_openssl.c))

$(BUILD)/releases/%-tests: $(BUILD)/tests/releases/%.o $(RELEASE_SUPPORT)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcriterion -ljansson $(SYSTEM_LIBS)

C_SOURCES := $(SHIM_SOURCES) $(TOOL_SOURCES) $(wildcard tests/*/*.c tests/*/*/*.c)
C_HEADERS := $(wildcard shim/*/*.h tools/*.h tools/*/*.h tools/*/*/*.h tests/*/*.h tests/*/*/*.h)

.PHONY: lint
lint: ## clang-format, clang-tidy, cppcheck and shellcheck over the whole tree; what changed alone
	@$(MAKE) --no-print-directory setup FOR=lint
	@$(MAKE) --no-print-directory -s -k -j $(LINT_JOBS) $(BUILD)/lint/format $(BUILD)/lint/cppcheck \
		$(BUILD)/lint/shellcheck $(C_SOURCES:%=$(BUILD)/lint/%.tidy)

# A stamp for each file: a second run looks again at what changed, and at what includes that.
LINT_JOBS := $(shell nproc)
SCRIPTS := .ci/run $(shell grep -rlE '^\#!(/usr/bin/env bash|/bin/(ba)?sh)' tests examples tools/share \
		--exclude-dir=node_modules)

$(BUILD)/lint/format: $(C_SOURCES) $(C_HEADERS) .clang-format
	@mkdir -p $(@D)
	clang-format --dry-run -Werror $(C_SOURCES) $(C_HEADERS)
	@touch $@

$(BUILD)/lint/%.tidy: % .clang-tidy Makefile
	@mkdir -p $(@D)
	@$(CC) $(ALL_CPPFLAGS) -MM -MP -MT $@ -MF $(@:.tidy=.d) $<
	clang-tidy --quiet $< -- $(ALL_CPPFLAGS) -std=gnu11 $(filter-out -Werror,$(WARNINGS)) >$@.log 2>&1 || \
		{ cat $@.log; exit 1; }
	@touch $@

# Of what is shipped. It loses sight of who owns what is kept in a table that grows, or in one of
# uthash's.
.PHONY: analyze
analyze: ## gcc's analyzer over recorder and command: two minutes; clang's is within lint
	@$(MAKE) --no-print-directory -s -k -j $(LINT_JOBS) \
		$(patsubst %,$(BUILD)/lint/%.analyzed,$(SHIM_SOURCES) $(TOOL_SOURCES))

$(patsubst %,$(BUILD)/lint/tools/%.c.analyzed,check/tls_libraries log/follow report/causes report/names \
		rollup/groups): \
	ANALYZER_FLAGS := -Wno-analyzer-malloc-leak

$(BUILD)/lint/%.analyzed: % Makefile
	@mkdir -p $(@D)
	gcc $(ALL_CPPFLAGS) -std=gnu11 -O2 -fPIC -Wall -Wextra -Werror -fanalyzer $(ANALYZER_FLAGS) \
		-MMD -MP -MT $@ -MF $@.d -c -o /dev/null $<
	@touch $@

# Knows by itself what changed. ctuuninitvar takes a parameter in which a result is returned for a
# value that is read, where it is kept in a struct first; the compilers see through that.
$(BUILD)/lint/cppcheck: $(C_SOURCES) $(C_HEADERS) .cppcheck.h .cppcheck.cfg Makefile
	@mkdir -p $(@D)/cppcheck.files
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--cppcheck-build-dir=$(@D)/cppcheck.files --inline-suppr \
		--suppress=missingIncludeSystem --suppress=ctuuninitvar --include=.cppcheck.h --library=.cppcheck.cfg \
		$(ALL_CPPFLAGS) $(C_SOURCES)
	@touch $@

$(BUILD)/lint/shellcheck: $(SCRIPTS)
	@mkdir -p $(@D)
	shellcheck $(SCRIPTS)
	@touch $@

# The library is no library to link with: it has a directory of its own. What is replaced is
# replaced by rename, so that processes which have it mapped live on and none starts without.
LIBDIR     ?= $(PREFIX)/lib
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
SHAREDIR   ?= $(PREFIX)/share
ZSHDIR     ?= $(SHAREDIR)/zsh/site-functions
STRIP      ?= strip
put         = install -D -m $(1) $(2) $(DESTDIR)$(3).new && mv -f $(DESTDIR)$(3).new $(DESTDIR)$(3)

# FILE:PLACE, all of mode 644.
INSTALLED := $(foreach page,$(wildcard man/*.[158]),$(page):$(SHAREDIR)/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	     tools/share/completions/tlswitness.bash:$(SHAREDIR)/bash-completion/completions/tlswitness \
	     tools/share/completions/_tlswitness:$(ZSHDIR)/_tlswitness \
	     tools/share/completions/tlswitness.fish:$(SHAREDIR)/fish/vendor_completions.d/tlswitness.fish \
	     tools/share/logrotate:$(SYSCONFDIR)/logrotate.d/tlswitness \
	     tools/share/tmpfiles.conf:$(PREFIX)/lib/tmpfiles.d/tlswitness.conf \
	     tools/share/prometheus-alerts.yml:$(SHAREDIR)/tlswitness/prometheus-alerts.yml \
	     tools/share/lnav-tlswitness.json:$(SHAREDIR)/tlswitness/lnav-tlswitness.json \
	     tools/share/record.schema.json:$(SHAREDIR)/tlswitness/record.schema.json \
	     tools/share/report.schema.json:$(SHAREDIR)/tlswitness/report.schema.json

.PHONY: install
install: all ## into PREFIX (/usr/local), the library into LIBDIR (PREFIX/lib), below DESTDIR
	@mkdir -p $(BUILD)/stripped
	@for file in tlswitness libtlswitness.so; do \
		cp $(BUILD)/$$file $(BUILD)/stripped/$$file && $(STRIP) $(BUILD)/stripped/$$file || exit 1; done
	@$(if $(filter true,$(STRIP)),:,tools/share/headers-last $(BUILD)/stripped/libtlswitness.so)
	$(call put,755,$(BUILD)/stripped/tlswitness,$(PREFIX)/bin/tlswitness)
	$(call put,644,$(BUILD)/stripped/libtlswitness.so,$(LIBDIR)/tlswitness/libtlswitness.so)
	@for pair in $(INSTALLED); do \
		install -D -m 644 "$${pair%%:*}" "$(DESTDIR)$${pair#*:}" || exit 1; done

.PHONY: uninstall
uninstall: ## what install put there; disable what is enabled first
	@! grep -qs $(LIBDIR)/tlswitness/ $(DESTDIR)/etc/ld.so.preload || \
		{ echo "tlswitness is enabled: run 'tlswitness disable --all' first" >&2; exit 1; }
	rm -f $(DESTDIR)$(PREFIX)/bin/tlswitness $(DESTDIR)$(LIBDIR)/tlswitness/libtlswitness.so
	-rmdir $(DESTDIR)$(LIBDIR)/tlswitness
	@for pair in $(INSTALLED); do rm -f "$(DESTDIR)$${pair#*:}"; done

# Takes a mirror and minutes: a root by debootstrap, and in a copy of it for each daemon the package,
# the daemon's mail, and back. DAEMON='postfix cron' for some of them.
DAEMON ?=
.PHONY: check-host
check-host: all deb ## the package in roots of their own: enable, each daemon's records, purge; DAEMON=
	@$(MAKE) --no-print-directory setup FOR=host
	@tests/check-host $(BUILD) $(DAEMON)

.PHONY: deb
deb: ## the Debian package, into build/deb, checked by lintian
	@$(MAKE) --no-print-directory setup FOR=deb
	rm -rf $(BUILD)/deb && mkdir -p $(BUILD)/deb/tlswitness
	git ls-files -z -- . ':!tests/node' | xargs -0 cp --parents -t $(BUILD)/deb/tlswitness
	cd $(BUILD)/deb/tlswitness && MAKEFLAGS= dpkg-buildpackage -us -uc -b
	lintian --allow-root --fail-on error,warning $(BUILD)/deb/*.changes

# The rules of one release's lintian are not the next one's.
RELEASE ?= trixie
.PHONY: check-deb
check-deb: ## the package built and checked by lintian in a root of RELEASE (trixie)
	@$(MAKE) --no-print-directory setup FOR=releases
	root=$$(tests/releases/root deb-$(RELEASE) $(RELEASE) build-essential debhelper lintian \
		$$(sed -n '/^Build-Depends/,/^[A-Z].*-Version/s/^ \([a-z0-9.+-]*\).*/\1/p' debian/control | grep -v debhelper)) && \
	rm -rf "$$root/build" && mkdir -p "$$root/build/tlswitness" && \
	git ls-files -z -- . ':!tests/node' | xargs -0 cp --parents -t "$$root/build/tlswitness" && \
	unshare -mpf --mount-proc="$$root/proc" chroot "$$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		sh -c 'cd /build/tlswitness && dpkg-buildpackage -us -uc -b && \
			lintian --version && lintian --allow-root --fail-on error,warning ../*.changes'

.PHONY: clean
clean: ## remove the build
	rm -rf $(BUILD)

# Not of what is unpacked below $(BUILD): Debian has directories of that name.
OBJECT_FOLDERS := $(wildcard $(addprefix $(BUILD)/,shim tools tests programs bench tsan fuzz lint))
-include $(if $(OBJECT_FOLDERS),$(shell find $(OBJECT_FOLDERS) -type f -name '*.d'))
