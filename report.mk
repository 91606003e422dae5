# Records whose every byte is known beforehand, and the programs that make and read them (tests/report).
STILL := -Wl,--wrap=clock_gettime,--wrap=time,--wrap=randombytes_buf,--wrap=vendors_new,--wrap=store_open,--wrap=review_who
STILL_CC = $(CC) $(CPPFLAGS_ALL) -Itests/report $(filter-out -MMD -MP -Wmissing-prototypes,$(CFLAGS_ALL)) $(LHARD) $(LDFLAGS)

$(BUILD)/report/garitad: tests/report/still.c $(BUILD)/monitor/main.o $(LIB)
	@mkdir -p $(@D)
	$(STILL_CC) $(STILL) -o $@ $^ $(LIBS)

$(BUILD)/report/garita: tests/report/still.c $(TOOL_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(STILL_CC) $(STILL) -o $@ $^ $(LIBS) $(TOOL_LIBS)

$(BUILD)/report/make_week: tests/report/make_week.c tests/report/still.c $(TOOL_LIB) $(LIB)
	@mkdir -p $(@D)
	$(STILL_CC) $(STILL) -o $@ $^ $(LIBS) $(TOOL_LIBS)

report-build: $(BUILD)/report/garitad $(BUILD)/report/garita $(BUILD)/report/make_week

.PHONY: report-build golden-report

golden-report: report-build ## rewrite the expected reports (tests/report): read the diff before you commit it
	@sh tests/report/golden.sh --rewrite $(BUILD)
