# Operations of few bytes each; offline a full ring is waited for with tell_pause, which is the target's own.
FUZZ_FLAGS_hold := -max_len=1024
FUZZ_LDFLAGS_hold := -Wl,--wrap=tell_pause
