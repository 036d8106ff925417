PYTHON ?= python3

.PHONY: demo
demo:
	@$(PYTHON) examples/demo.py

# Minutes, on a machine that has nothing else to do.
.PHONY: bench
bench:
	@$(PYTHON) tests/bench/run.py --write
