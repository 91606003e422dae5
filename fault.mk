# garitad with a wall clock that a test may set, its frames' too.
$(BUILD)/garitad-clock: tests/fault/clock.c $(BUILD)/monitor/main.o $(LIB)
	$(CC) $(CPPFLAGS_ALL) $(filter-out -Wmissing-prototypes,$(CFLAGS_ALL)) $(LHARD) $(LDFLAGS) -o $@ $^ $(LIBS) \
		-Wl,--wrap=clock_gettime -Wl,--wrap=time -Wl,--wrap=capture_next_batch

# garitad with an nDPI that dies over some packets; the library's own function stands behind it.
$(BUILD)/garitad-crash: tests/fault/crash.c $(BUILD)/monitor/main.o $(LIB)
	$(CC) $(CPPFLAGS_ALL) $(filter-out -Wmissing-prototypes,$(CFLAGS_ALL)) $(LHARD) $(LDFLAGS) -o $@ $^ $(LIBS) \
		-Wl,--wrap=ndpi_detection_process_packet

fault: ## as root: kill -9, full disk, locked database, clock, interface, limits, floods (FULL=1: the long forms)
	@tools/install/deps.sh build lab
	@$(MAKE) --no-print-directory all $(BUILD)/garitad-clock $(BUILD)/garitad-crash
	@GARITAD=$(BUILD)/garitad GARITA=$(BUILD)/garita FULL=$(FULL) tests/fault/run.sh $(CASE)

soak: ## as root: the lab's day again and again for SOAK_MINUTES=30, a million flows an hour; is memory flat?
	@tools/install/deps.sh build lab
	@$(MAKE) --no-print-directory all
	@GARITAD=$(BUILD)/garitad GARITA=$(BUILD)/garita tests/fault/soak.sh

.PHONY: fault soak
