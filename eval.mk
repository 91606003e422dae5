# Evaluations: figures that are too slow for every test run. Each prints its numbers.
EVAL_MUTANTS ?= 10000
EVAL_JOBS    ?= 2
EVAL_BIN     := $(patsubst tests/eval/%.c,$(BUILD)/eval/%,$(wildcard tests/eval/*.c))

EVAL_SCALES  ?= 1 20 600

eval: all $(EVAL_BIN) eval-detections ## detections over labelled scenes; decode against tshark; the accounting over every capture and 10,000 mutated ones
	@tests/eval/decode.sh $(BUILD)
	@tests/eval/accounting.sh $(BUILD) $(EVAL_MUTANTS) $(EVAL_JOBS)

eval-detections: all ## what is detected in the labelled scenes of tests/eval/scenes, on three time scales
	@rm -rf $(BUILD)/eval/scenes; mkdir -p $(BUILD)/eval/scenes
	@perl tests/eval/detections.pl $(BUILD) $(BUILD)/eval/scenes $(EVAL_SCALES)

eval-build: $(EVAL_BIN)

$(BUILD)/eval/%: tests/eval/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LHARD) -o $@ $< $(LIB) $(LIBS)

.PHONY: eval eval-detections eval-build

EVAL_TAMPERS ?= 1000
$(BUILD)/eval/tamper: $(wildcard tests/eval/tamper/*.c) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Itests/eval/tamper $(filter-out -MMD -MP,$(CFLAGS_ALL)) $(LHARD) -o $@ $(filter %.c,$^) $(LIB) $(LIBS)

eval-evidence: all $(BUILD)/eval/tamper ## 1,000 things done to a record, and how many garita verify names rightly; bundles opened by others
	@tests/eval/evidence.sh $(BUILD) $(EVAL_TAMPERS) $(or $(SEED),1)
	@tests/eval/bundle.sh $(BUILD)

.PHONY: eval-evidence
