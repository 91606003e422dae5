bench: ## figures beside ndpiReader, softflowd and a bare libpcap loop
	@tools/install/deps.sh build bench
	@$(MAKE) --no-print-directory all
	@tests/bench/run.sh $(BUILD) $(PACKETS)

.PHONY: bench

# The worker alone on a capture in memory, and nDPI alone on the same packets.
WRAP_NDPI := -Wl,--wrap=ndpi_detection_process_packet,--wrap=ndpi_detection_giveup,--wrap=ndpi_free_flow_data,--wrap=dpi_memo_recall

$(BUILD)/bench/worker_loop: tests/bench/worker_loop.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(filter-out -MMD -MP,$(CFLAGS_ALL)) $(LHARD) $(WRAP_NDPI) -o $@ $< $(LIB) $(LIBS)

bench-worker: $(BUILD)/bench/worker_loop ## the worker alone beside nDPI alone (CAPTURE=file, SITE=file)
	@$(BUILD)/bench/worker_loop $(or $(SITE),tests/replay/demo/site.yaml) $(CAPTURE)

.PHONY: bench-worker

# garitad with calls that a variable of the environment turns off: what they cost.
PARTS := echo_see judge_question judge_icmp judge_detect_station judge_detect_begun judge_detect_look judge_detect_ended \
	judge_detect_counted carrier_overhear carrier_new judge_sign_content judge_channel judge_channel_judged \
	judge_channel_over judge_channel_counted recognise_frp recognise_socks recognise_http_head
comma := ,

$(BUILD)/bench/garitad-parts: tests/bench/parts.c $(BUILD)/monitor/main.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(filter-out -MMD -MP,$(CFLAGS_ALL)) $(LHARD) $(PARTS:%=-Wl$(comma)--wrap=%) -o $@ $^ $(LIBS)

bench-parts: $(BUILD)/bench/garitad-parts ## what detections, contents and channels add to the processor time (RUNS=9)
	@tools/install/deps.sh build bench
	@tests/bench/parts.sh $(BUILD) $(PACKETS)

.PHONY: bench-parts

# The record alone: the judge process fed with facts, its commits looked at.
ROWS_WRAP := store_sink store_commit store_seal_row store_seal_cells store_seal_finding store_seal_write store_tell_finding store_tell_gaps \
	store_ledger_add

$(BUILD)/bench/rows: tests/bench/rows.c tests/bench/rows_without.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(filter-out -MMD -MP,$(CFLAGS_ALL)) $(LHARD) $(ROWS_WRAP:%=-Wl$(comma)--wrap=%) -o $@ $^ $(LIBS)

bench-rows: $(BUILD)/bench/rows ## transfers a second into SQLite, from fact to commit, what the ledger adds (ROWS=2800000)
	@tests/bench/rows.sh $(BUILD) $(ROWS)

.PHONY: bench-rows

bench-show: all ## what garita show takes for a finding of a million transfers, and garita findings for 20,000 findings
	@tests/bench/show.sh $(BUILD) $(TRANSFERS)

.PHONY: bench-show

bench-report: ## a week of 5 million transfers as a report: seconds, memory (ROWS=5000000)
	@tools/install/deps.sh build bench
	@$(MAKE) --no-print-directory all $(BUILD)/bench/rows
	@tests/bench/report.sh $(BUILD) $(ROWS)

.PHONY: bench-report

bench-live: ## as root: the rate without loss beside tcpdump, softflowd and ndpiReader; from packet to row
	@tools/install/deps.sh build bench
	@$(MAKE) --no-print-directory all
	@tests/bench/live.sh $(BUILD)

.PHONY: bench-live

# DAYS=40 for a short look, AN_HOUR=200 for a smaller site, DETAIL=30 days of rows.
$(BUILD)/bench/year: tests/bench/year.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(filter-out -MMD -MP,$(CFLAGS_ALL)) $(LHARD) -o $@ $< $(LIB) $(LIBS)

year: $(BUILD)/bench/year ## a year of 2,000 transfers an hour: the database's size, what retention costs
	@d=$$(mktemp -d $(BUILD)/bench/year.XXXXXX); $(BUILD)/bench/year $$d $(or $(DAYS),365) $(or $(AN_HOUR),2000) $(or $(DETAIL),90); rc=$$?; rm -rf $$d; exit $$rc

.PHONY: year

# The ledger checked: garita verify over so many entries.
$(BUILD)/bench/ledger: tests/bench/ledger.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(filter-out -MMD -MP,$(CFLAGS_ALL)) $(LHARD) -o $@ $< $(LIB) $(LIBS)

bench-verify: all $(BUILD)/bench/ledger ## garita verify over a million entries of the ledger (ENTRIES=)
	@tests/bench/verify.sh $(BUILD) $(or $(ENTRIES),1000000)

.PHONY: bench-verify

$(BUILD)/bench/sha256: tests/bench/sha256.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(filter-out -MMD -MP,$(CFLAGS_ALL)) $(LHARD) -o $@ $< $(LIB) $(LIBS)

bench-sha256: $(BUILD)/bench/sha256 ## SHA-256 of long and short messages, three ways
	@$(BUILD)/bench/sha256

.PHONY: bench-sha256
