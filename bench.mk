bench: ## figures beside ndpiReader, softflowd and a bare libpcap loop
	@tools/install/deps.sh build bench
	@$(MAKE) --no-print-directory all
	@tests/bench/run.sh $(BUILD) $(PACKETS)

.PHONY: bench
