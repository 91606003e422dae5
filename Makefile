# garita - see README.md; `make help` lists the targets.
VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
OPT     ?= -O2 -g
WERROR  ?= $(if $(CI),-Werror)

PKGS    := libpcap libmaxminddb sqlite3 libsodium libcrypto libseccomp libcap-ng yaml-0.1 libxxhash zlib libzstd libpsl yara
# What garita alone needs: less for the sensor to load.
TOOL_PKGS := libzip
# nDPI may stand elsewhere: make NDPI_CFLAGS=-I… NDPI_LIBS=…
NDPI_CFLAGS ?= $(shell pkg-config --cflags libndpi 2>/dev/null)
NDPI_LIBS   ?= $(shell pkg-config --libs libndpi 2>/dev/null)
# Third-party headers are system headers: their warnings are not ours.
SYS_CFLAGS  := $(subst -I,-isystem ,$(NDPI_CFLAGS) $(shell pkg-config --cflags $(PKGS) $(TOOL_PKGS) 2>/dev/null))
LIBS        := $(NDPI_LIBS) $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -lpthread
TOOL_LIBS   := $(shell pkg-config --libs $(TOOL_PKGS) 2>/dev/null)

WARN  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wconversion -Wformat=2 $(WERROR)
HARD  := -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
LHARD := -pie -Wl,-z,relro,-z,now
ifneq ($(SAN),)
HARD  := -fPIE -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
LHARD := -pie -fsanitize=$(SAN)
endif
CPPFLAGS_ALL := -D_GNU_SOURCE -DGARITA_VERSION='"$(VERSION)"' -DGARITA_PREFIX='"$(PREFIX)"' -Imonitor -Itools $(SYS_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL   := -std=c17 $(OPT) $(WARN) $(HARD) -MMD -MP $(CFLAGS)

MAINS    := monitor/main.c
LIB_SRC  := $(filter-out $(MAINS),$(wildcard monitor/*.c monitor/*/*.c))
TOOL_SRC := $(filter-out tools/probe/%,$(wildcard tools/*.c tools/*/*.c))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
# What garita says in other languages is part of the program: tools/po, tools/translate.
PO       := es
TOOL_OBJ := $(TOOL_SRC:%.c=$(BUILD)/%.o) $(PO:%=$(BUILD)/tools/po/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
LIB      := $(BUILD)/libgarita.a
TOOL_LIB := $(BUILD)/libtools.a

all: $(BUILD)/garitad $(BUILD)/garita $(BUILD)/garita-probe ## build garitad and garita

deps: ## install what building takes (apt)
	@tools/install/deps.sh build

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

# msgfmt --check: a format whose values are not those of the English one would be read wrong.
$(BUILD)/tools/po/%.mo: tools/po/%.po
	@mkdir -p $(@D)
	msgfmt --check --no-hash --endianness=little -o $@ $<

$(BUILD)/tools/po/%.c: $(BUILD)/tools/po/%.mo
	@{ echo '#include <stddef.h>'; echo '#include <stdint.h>'; \
	echo 'extern const uint8_t translate_$*[];'; echo 'extern const size_t translate_$*_size;'; \
	echo 'const uint8_t translate_$*[] = {'; od -An -v -tx1 $< | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'; echo '};'; \
	echo 'const size_t translate_$*_size = sizeof translate_$*;'; } >$@

.SECONDARY: $(PO:%=$(BUILD)/tools/po/%.mo) $(PO:%=$(BUILD)/tools/po/%.c)
$(BUILD)/tools/po/%.o: $(BUILD)/tools/po/%.c
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/garitad: $(BUILD)/monitor/main.o $(LIB)
	$(CC) $(LHARD) $(LDFLAGS) -o $@ $^ $(LIBS)

# Carried to other machines: static, and without the libraries of the sensor.
$(BUILD)/garita-probe: $(BUILD)/tools/probe/garita-probe.o
	$(CC) $(if $(SAN),$(LHARD),-static) $(LDFLAGS) -o $@ $<

# All of garita but its main, for the unit tests.
$(TOOL_LIB): $(filter-out $(BUILD)/tools/main.o,$(TOOL_OBJ))
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/garita: $(TOOL_OBJ) $(LIB)
	$(CC) $(LHARD) $(LDFLAGS) -o $@ $^ $(LIBS) $(TOOL_LIBS)

# Each unit test links the library, and beside it test_<x>_*.c never.
$(BUILD)/unit/%: tests/unit/%.c $(TOOL_LIB) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Itests/unit $(CFLAGS_ALL) $(LHARD) -o $@ $< $(TOOL_LIB) $(LIB) $(LIBS) $(TOOL_LIBS) -lcmocka

unit-build: $(UNIT_BIN)
unit: $(UNIT_BIN) ## build and run the unit tests
	@tests/run-unit.sh $(UNIT_BIN)

test: ## install what is missing, build, run every test that needs no rights
	@tools/install/deps.sh build test
	@$(MAKE) --no-print-directory all unit-build model-build report-build
	@tests/run.sh $(BUILD)

demo: ## install what is missing, build, replay a recorded day and show what left (DEMO_LANG=es)
	@tools/install/deps.sh build
	@$(MAKE) --no-print-directory all
	@tools/install/demo.sh $(BUILD) $(DEMO_LANG)

lab: ## as root: real programs behind a real SPAN port
	@tools/install/deps.sh build lab
	@$(MAKE) --no-print-directory all
	@GARITAD=$(BUILD)/garitad GARITA=$(BUILD)/garita tests/lab/run.sh

asan: ## the tests under AddressSanitizer
	@tools/install/deps.sh build test
	@$(MAKE) --no-print-directory BUILD=$(BUILD)-asan SAN=address OPT="-O1 -g" all unit-build
	@tests/run.sh $(BUILD)-asan

ubsan: ## the tests under UndefinedBehaviorSanitizer
	@tools/install/deps.sh build test
	@$(MAKE) --no-print-directory BUILD=$(BUILD)-ubsan SAN=undefined OPT="-O1 -g" all unit-build
	@tests/run.sh $(BUILD)-ubsan

golden: all ## rewrite the expected records of one case: make golden CASE=name
	@tests/replay.sh --rewrite $(BUILD) $(CASE)

lint: check-deps ## clang-tidy, cppcheck, shellcheck, manual pages
	@tools/install/deps.sh build test lint
	@tests/lint.sh $(CPPFLAGS_ALL)

po: ## tools/po from the sources: the texts that are new, without those that are gone
	@tools/install/deps.sh build
	@tools/po/update.sh

po-check: ## is every text in both languages?
	@tools/po/update.sh --check

check-deps: ## module includes point upwards only, one file per library
	@tests/check-deps.sh

install: all ## install below DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/garita/geoip \
		$(DESTDIR)$(PREFIX)/share/garita/channels $(DESTDIR)$(PREFIX)/share/garita/content $(DESTDIR)$(PREFIX)/share/garita/frameworks \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/share/doc/garita $(DESTDIR)/lib/systemd/system $(DESTDIR)/etc/garita
	install -m 755 $(BUILD)/garitad $(DESTDIR)$(PREFIX)/sbin/garitad
	install -m 755 $(BUILD)/garita $(BUILD)/garita-probe $(DESTDIR)$(PREFIX)/bin/
	install -m 755 tools/geoip/build-country.pl $(DESTDIR)$(PREFIX)/share/garita/geoip/
	install -m 644 signatures/content/*.yar $(DESTDIR)$(PREFIX)/share/garita/content/
	install -m 644 signatures/channels/*.yaml $(DESTDIR)$(PREFIX)/share/garita/channels/
	install -m 644 tools/report/frameworks/*.yaml $(DESTDIR)$(PREFIX)/share/garita/frameworks/
	install -m 644 tools/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 tools/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 tools/man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -m 644 tools/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 tools/install/site.yaml.example README.md CHANGELOG.md LICENSE NOTICE $(DESTDIR)$(PREFIX)/share/doc/garita/
	sed 's|@PREFIX@|$(PREFIX)|g' tools/install/garitad.service > $(DESTDIR)/lib/systemd/system/garitad.service
	sed 's|@PREFIX@|$(PREFIX)|g' tools/install/garita-report.service > $(DESTDIR)/lib/systemd/system/garita-report.service
	install -m 644 tools/install/garita-report.timer $(DESTDIR)/lib/systemd/system/
	install -d $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	install -m 644 tools/install/garita.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/garita.conf
	install -m 644 tools/install/garita.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/garita.conf

clean: ## remove what was built
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-ubsan $(BUILD)-tsan

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | expand -t 16

-include $(wildcard *.mk)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all deps unit unit-build test demo lab asan ubsan golden po po-check lint check-deps install clean help
