# tlswitness: `make demo` shows the main job, `make check` passes the tests.
# Both install what is missing (Debian packages), build, and run.

VERSION  := 0.1.0
CC       := gcc
BUILD    := build
PREFIX   := /usr/local

WARNINGS := -Wall -Wextra -Wpedantic -Werror
CFLAGS   := -std=gnu11 -O2 -g $(WARNINGS) -fvisibility=hidden -D_GNU_SOURCE \
	    -DTLSWITNESS_VERSION='"$(VERSION)"' -Ishim -Itools
SHIM_CFLAGS := $(CFLAGS) -fPIC -ftls-model=initial-exec -foptimize-sibling-calls
TOOL_LIBS   := -lssl -lcrypto -lelf -ljansson -lz -lzstd -llzma -lpthread

SHIM_SOURCES := $(wildcard shim/*.c)
TOOL_SOURCES := $(wildcard tools/*.c)
# The parts that know no socket, clock or library: linked into the unit tests too.
PURE_SOURCES := $(addprefix shim/,tls_wire.c smtp_dialogue.c policy.c record.c certificate_name.c \
		looked_up.c origin.c origin_process.c)
# `run` takes and refuses what the recorder does, by the recorder's own reader.
SHARED_SOURCES := $(addprefix shim/,config.c config_load.c tls_names.c)
TEST_SOURCES := $(wildcard tests/unit/*.c tests/integration/*.c)
# racing.c is built apart: it has the recorder in it.
PROGRAM_SOURCES := $(filter-out tests/programs/racing.c,$(wildcard tests/programs/*.c))

SHIM_OBJECTS := $(SHIM_SOURCES:%.c=$(BUILD)/%.o)
TOOL_OBJECTS := $(TOOL_SOURCES:%.c=$(BUILD)/%.o)
PURE_OBJECTS := $(PURE_SOURCES:%.c=$(BUILD)/%.o)
SHARED_OBJECTS := $(SHARED_SOURCES:%.c=$(BUILD)/%.o)
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(BUILD)/%.o)
PROGRAMS     := $(PROGRAM_SOURCES:tests/programs/%.c=$(BUILD)/programs/%)

.PHONY: all
all: $(BUILD)/libtlswitness.so $(BUILD)/tlswitness

$(BUILD)/shim/%.o: shim/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tools/%.o: tools/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# libc alone: -z defs proves that nothing else is needed.
$(BUILD)/libtlswitness.so: $(SHIM_OBJECTS)
	$(CC) -shared -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,--as-needed -o $@ $^

$(BUILD)/tlswitness: $(TOOL_OBJECTS) $(SHARED_OBJECTS)
	$(CC) -o $@ $^ $(TOOL_LIBS)

$(BUILD)/programs/%: tests/programs/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -o $@ $< -Wl,--as-needed -lssl -lcrypto -lpthread

# The recorder within the program, so that ThreadSanitizer sees every access of it. Its
# doors of the loader are left out: the sanitizer itself starts through them.
TSAN_SOURCES := $(filter-out shim/hook_loader.c,$(SHIM_SOURCES))
TSAN_OBJECTS := $(TSAN_SOURCES:%.c=$(BUILD)/tsan/%.o) $(BUILD)/tsan/tests/programs/racing.o

$(BUILD)/tsan/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(SHIM_CFLAGS) -fsanitize=thread -Wno-tsan -MMD -MP -c -o $@ $<

$(BUILD)/tsan/racing: $(TSAN_OBJECTS)
	$(CC) -fsanitize=thread -o $@ $^

$(BUILD)/tlswitness-tests: $(TEST_OBJECTS) $(PURE_OBJECTS) $(SHARED_OBJECTS) \
		$(BUILD)/shim/connection_record.o \
		$(filter-out $(BUILD)/tools/tlswitness.o,$(TOOL_OBJECTS))
	$(CC) -o $@ $^ -lcriterion $(TOOL_LIBS)

# ---- what the machine must have ----

BUILD_PACKAGES := gcc libc6-dev libcriterion-dev libssl-dev libjansson-dev libelf-dev \
		  zlib1g-dev libzstd-dev liblzma-dev
DEMO_PACKAGES  := python3 php-cli libphp-phpmailer swaks perl libio-socket-ssl-perl \
		  libnet-smtp-ssl-perl curl openssl
TEST_PACKAGES  := libauthen-sasl-perl gnutls-bin iproute2 libnsl2 libsasl2-2 libdb5.3 php-curl msmtp neomutt python3-pycurl python3-aiosmtplib openjdk-17-jdk-headless \
		  libgnutls-dane0 libicu72 libuv1 libc-ares2 libnghttp2-14 libbrotli1 \
		  node-acorn node-cjs-module-lexer node-undici libnss-wrapper \
		  ruby python3-django python3-gevent python3-uvloop gunicorn curl php-cgi php-fpm \
		  php-symfony-mailer libfcgi-bin libxml2-utils chromium
# Not to be installed beside postfix, or beside another vendor's Node, or since it starts a
# daemon: unpacked only.
UNPACKED_PACKAGES := exim4-daemon-light nodejs libnode108 prometheus
LINT_PACKAGES  := clang-format clang-tidy cppcheck

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

# Installs those of the packages $(1) that are missing; asks no mirror if none is.
define install_packages
	@missing=; \
	for package in $(1); do \
		dpkg-query -W -f '$${db:Status-Status}\n' $$package 2>/dev/null | \
			grep -qx installed || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "installing:$$missing"; \
		$(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
endef

.PHONY: build-packages demo-packages test-packages lint-packages
build-packages:
	$(call install_packages,$(BUILD_PACKAGES))
demo-packages: build-packages
	$(call install_packages,$(DEMO_PACKAGES))
test-packages: demo-packages
	$(call install_packages,$(TEST_PACKAGES))
lint-packages:
	$(call install_packages,$(LINT_PACKAGES))

.PHONY: debian-programs
debian-programs: build-packages
	@SUDO="$(SUDO)" tests/fetch-debian $(BUILD)/debian $(UNPACKED_PACKAGES)
	@SUDO="$(SUDO)" tests/fetch-debian $(BUILD)/postfix postfix

# Debian's npm only where there is none: another vendor's Node brings its own.
.PHONY: node-modules
node-modules: tests/node/node_modules/.package-lock.json
tests/node/node_modules/.package-lock.json: tests/node/package-lock.json
	@command -v npm >/dev/null || $(MAKE) --no-print-directory npm-package
	cd tests/node && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: npm-package
npm-package:
	$(call install_packages,npm)

# ---- what a person calls ----

.PHONY: demo
demo: demo-packages
	@$(MAKE) --no-print-directory -s all
	@examples/demo/run

.PHONY: check
check: test-packages debian-programs node-modules
	@$(MAKE) --no-print-directory -s all programs $(BUILD)/tlswitness-tests
	@tests/run

# Ten gigabytes and another seed each time it is asked for: SEED=7 make soak
SEED ?= 1
.PHONY: soak
soak: all programs
	$(BUILD)/programs/transparency $(SEED) 10240 >$(BUILD)/soak.bare & \
	$(BUILD)/tlswitness run --log $(BUILD)/soak.jsonl -- \
		$(BUILD)/programs/transparency $(SEED) 10240 >$(BUILD)/soak.watched; wait $$!
	cmp $(BUILD)/soak.bare $(BUILD)/soak.watched && tail -n 2 $(BUILD)/soak.bare

.PHONY: programs
programs: $(PROGRAMS) $(BUILD)/tsan/racing

# Figures, no test: every executable tests/bench/run-* in order.
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

$(BUILD)/bench/%: tests/bench/%.c $(PURE_OBJECTS) $(SHARED_OBJECTS) Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -o $@ $< $(PURE_OBJECTS) $(SHARED_OBJECTS) -Wl,--as-needed -lssl -lcrypto -lpthread

.PHONY: bench
bench: demo-packages
	@$(MAKE) --no-print-directory -s all $(BENCH_PROGRAMS)
	@for run in tests/bench/run-*; do [ ! -x "$$run" ] || "$$run" || exit 1; done

SOURCES := $(wildcard shim/*.[ch] tools/*.[ch] tests/unit/*.[ch] tests/integration/*.[ch] \
	     tests/programs/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch])

.PHONY: lint
lint: build-packages lint-packages
	clang-format --dry-run -Werror $(SOURCES)
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem -D_GNU_SOURCE '-DElfW(type)=Elf64_\#\#type' \
		-DTLSWITNESS_VERSION='"$(VERSION)"' -Ishim -Itools shim tools
	printf '%s\n' $(SHIM_SOURCES) $(TOOL_SOURCES) | xargs -P 2 -I{} \
		clang-tidy --quiet {} -- $(filter-out -Werror,$(CFLAGS))

.PHONY: install
install: all
	install -D -m 755 $(BUILD)/tlswitness $(DESTDIR)$(PREFIX)/bin/tlswitness
	install -D -m 755 $(BUILD)/libtlswitness.so $(DESTDIR)$(PREFIX)/lib/libtlswitness.so

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(SHIM_OBJECTS:.o=.d) $(TOOL_OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(TSAN_OBJECTS:.o=.d) $(PROGRAMS:=.d)
