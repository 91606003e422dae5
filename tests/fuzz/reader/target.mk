# Records longer than the room they are read into.
FUZZ_FLAGS_reader := -max_len=12288
