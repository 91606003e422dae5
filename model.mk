# Ring and feed through every outcome of its atomics: the real code, its atomics replaced (tests/model).
# No FORTIFY and no sanitizer: the threads of the model are stacks that jump.
MODEL_CFLAGS := -std=c17 -O2 -g $(WARN) -U_FORTIFY_SOURCE -D_GNU_SOURCE -Imonitor
RING_C       ?= monitor/base/ring.c
FEED_C       ?= monitor/base/feed.c
TSAN_TESTS   ?= test_ring_threads test_hold_threads test_ring test_feed test_worker test_worker_mixed test_recorder

model: model-build ## ring and feed through every outcome of their atomics, sleep and wake-up by spin; broken, and seen
	@tools/install/deps.sh build model
	@$(BUILD)/model/ring_check
	@$(BUILD)/model/feed_check
	@tests/model/mutants.sh $(BUILD)
	@tests/model/spin.sh $(BUILD)

model-build: $(BUILD)/model/ring_check $(BUILD)/model/feed_check

$(BUILD)/model/ring_check: $(RING_C) $(wildcard tests/model/*.[ch]) monitor/base/ring.h
	@mkdir -p $(@D)
	$(CC) $(MODEL_CFLAGS) -include tests/model/shim.h -DRING_MIN_BYTES=64u -c -o $(@D)/ring.o $(RING_C)
	$(CC) $(MODEL_CFLAGS) -o $@ tests/model/ring_check.c tests/model/memory.c $(@D)/ring.o

$(BUILD)/model/feed_check: $(FEED_C) $(wildcard tests/model/*.[ch]) monitor/base/feed.h
	@mkdir -p $(@D)
	$(CC) $(MODEL_CFLAGS) -include tests/model/shim.h -DFEED_PAGE=512u -c -o $(@D)/feed.o $(FEED_C)
	$(CC) $(MODEL_CFLAGS) -DFEED_PAGE=512u -o $@ tests/model/feed_check.c tests/model/memory.c $(@D)/feed.o

# ThreadSanitizer takes no notice of fences (gcc says so with -Wtsan): what they order is atomic.
tsan: ## rings and what uses them, both ends in one process, under ThreadSanitizer
	@tools/install/deps.sh build test
	@$(MAKE) --no-print-directory BUILD=$(BUILD)-tsan SAN=thread OPT="-O1 -g" CFLAGS=-Wno-tsan \
		$(TSAN_TESTS:%=$(BUILD)-tsan/unit/%)
	@tests/run-unit.sh $(TSAN_TESTS:%=$(BUILD)-tsan/unit/%)

.PHONY: model model-build tsan
