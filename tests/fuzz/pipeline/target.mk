# Whole flights of frames; nDPI's own leaks are known (its functions are suppressed by name).
FUZZ_FLAGS_pipeline := -max_len=8192 -timeout=10
FUZZ_LDFLAGS_pipeline := -Wl,--wrap=sqlite3_open_v2,--wrap=ndpi_init_detection_module \
	-Wl,--wrap=ndpi_exit_detection_module,--wrap=ndpi_set_protocol_detection_bitmask2 \
	-Wl,--wrap=ndpi_finalize_initialization
