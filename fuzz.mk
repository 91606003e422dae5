# Fuzz targets: every tests/fuzz/<target>/fuzz_*.c, with its corpus beside it.
FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 60
# Inputs longer than this teach little. FUZZ_FLAGS_<target> and FUZZ_LDFLAGS_<target> in that folder's target.mk
# come after these.
FUZZ_FLAGS   ?= -max_len=2048 -timeout=5 -rss_limit_mb=2048
FUZZ_SRC     := $(wildcard tests/fuzz/*/fuzz_*.c)
FUZZ_BIN     := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)
FUZZ_OBJ     := $(LIB_SRC:%.c=$(BUILD)/fuzz/obj/%.o)
FUZZ_SAN     := address,undefined
FUZZ_CFLAGS   = -std=c17 -O1 -g -fno-sanitize-recover=all -fno-omit-frame-pointer -MMD -MP
REPLAY_BIN   := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz-replay/%)
-include $(wildcard tests/fuzz/*/target.mk)

FUZZ_TARGETS := $(sort $(notdir $(patsubst %/,%,$(dir $(FUZZ_SRC)))))
bin_of        = $(filter $(BUILD)/fuzz/$(1)/%,$(FUZZ_BIN))

fuzz: $(FUZZ_TARGETS:%=fuzz-run-%) ## run each fuzz target for FUZZ_SECONDS (60); fuzz-run-NAME: one; needs clang

define fuzz_run
fuzz-run-$(1): $(call bin_of,$(1))
	@mkdir -p tests/fuzz/$(1)/corpus $$(BUILD)/fuzz/new/$(1) $$(BUILD)/fuzz/findings/$(1)
	@echo "== tests/fuzz/$(1)"; \
	$(call bin_of,$(1)) -max_total_time=$$(FUZZ_SECONDS) -print_final_stats=1 \
		-artifact_prefix=$$(BUILD)/fuzz/findings/$(1)/ $$(FUZZ_FLAGS) $$(FUZZ_FLAGS_$(1)) \
		$$(BUILD)/fuzz/new/$(1) tests/fuzz/$(1)/corpus 2>&1 \
		| grep -E '^stat::|DONE|ERROR|SUMMARY|runtime error|broken|Test unit|Assertion' ; \
	ls $$(BUILD)/fuzz/findings/$(1) | sed 's|^|finding: $$(BUILD)/fuzz/findings/$(1)/|'; \
	test -z "$$$$(ls $$(BUILD)/fuzz/findings/$(1))"
.PHONY: fuzz-run-$(1)
# The linker puts a target's own functions in front of a library's.
$(BUILD)/fuzz/$(1)/%: TARGET_LDFLAGS = $$(FUZZ_LDFLAGS_$(1))
$(BUILD)/fuzz-replay/$(1)/%: TARGET_LDFLAGS = $$(FUZZ_LDFLAGS_$(1))
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_run,$(t))))

# nDPI's own code seen by the fuzzer and by AddressSanitizer.
fuzz-ndpi: ## the pipeline for FUZZ_SECONDS with nDPI instrumented, where its source can be had by apt
	@tests/fuzz/ndpi.sh $(BUILD)-ndpi $(FUZZ_CC); code=$$?; \
	[ $$code != 77 ] || exit 0; [ $$code = 0 ] || exit $$code; \
	$(MAKE) --no-print-directory BUILD=$(BUILD)-ndpi NDPI_LIBS="$(BUILD)-ndpi/libndpi.a -lm -lgcrypt" \
		CPPFLAGS="$(CPPFLAGS) -DDPI_NO_STAND_IN" fuzz-run-pipeline

# Everything that takes hours; what fails does not keep the rest from running.
NIGHTLY_SECONDS ?= 3600
nightly: ## every fuzz target for an hour each, the evaluations, the soak
	@tools/install/deps.sh build test fuzz
	@failed=; \
	for step in $(FUZZ_TARGETS:%=fuzz-run-%) fuzz-ndpi eval soak; do \
		$(MAKE) -n $$step >/dev/null 2>&1 || { echo "SKIPPED: $$step is not there"; continue; }; \
		$(MAKE) --no-print-directory FUZZ_SECONDS=$(NIGHTLY_SECONDS) $$step || failed="$$failed $$step"; \
	done; \
	echo "nightly:$${failed:- all good}"; test -z "$$failed"

# What was found in addition goes into the corpus, what it makes superfluous goes.
fuzz-merge: $(FUZZ_BIN) ## take over what `make fuzz` found into the corpora, minimised
	@set -e; for t in $(FUZZ_BIN); do \
		d=tests/fuzz/$$(basename $$(dirname $$t)); m=$(BUILD)/fuzz/merged; \
		rm -rf $$m; mkdir -p $$m $$d/corpus $(BUILD)/fuzz/new/$$(basename $$d); \
		$$t -merge=1 $(FUZZ_FLAGS) $$m $$d/corpus $(BUILD)/fuzz/new/$$(basename $$d) 2>/dev/null; \
		rm -rf $$d/corpus; mv $$m $$d/corpus; \
		echo "$$d/corpus: $$(ls $$d/corpus | wc -l) inputs, $$(cat $$d/corpus/* | wc -c) bytes"; \
	done

$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS_ALL) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SAN) -c -o $@ $<

$(BUILD)/fuzz/libgarita.a: $(FUZZ_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(FUZZ_BIN): $(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/fuzz/libgarita.a
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS_ALL) $(FUZZ_CFLAGS) -fsanitize=fuzzer,$(FUZZ_SAN) -o $@ $< $(TARGET_LDFLAGS) $(BUILD)/fuzz/libgarita.a $(LIBS)

# The same targets without libFuzzer: the corpora as a plain regression test.
fuzz-replay: ## replay the corpora of the fuzz targets, with sanitizers where the compiler has them
	@if echo 'int main(void){return 0;}' | $(CC) -fsanitize=$(FUZZ_SAN) -x c -o /dev/null - 2>/dev/null; \
	then $(MAKE) --no-print-directory SAN=$(FUZZ_SAN) BUILD=$(BUILD)-san fuzz-replay-run; \
	else echo "fuzz-replay: $(CC) has no sanitizers here, without"; $(MAKE) --no-print-directory fuzz-replay-run; fi

fuzz-replay-run: $(REPLAY_BIN)
	@set -e; for t in $(REPLAY_BIN); do \
		d=tests/fuzz/$$(basename $$(dirname $$t))/corpus; \
		if [ -d $$d ]; then $$t $$d; else echo "$$d: not there yet (make fuzz-merge)"; fi; \
	done

$(REPLAY_BIN): $(BUILD)/fuzz-replay/%: tests/fuzz/%.c tests/fuzz/replay_main.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LHARD) -o $@ $< tests/fuzz/replay_main.c $(TARGET_LDFLAGS) $(LIB) $(LIBS)

.PHONY: fuzz fuzz-ndpi nightly fuzz-merge fuzz-replay fuzz-replay-run
