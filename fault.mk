fault: ## as root: kill -9, full disk, locked database, clock, interface, limits, floods (FULL=1: the long forms)
	@tools/install/deps.sh build lab
	@$(MAKE) --no-print-directory all
	@GARITAD=$(BUILD)/garitad GARITA=$(BUILD)/garita FULL=$(FULL) tests/fault/run.sh $(CASE)

.PHONY: fault
