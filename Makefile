PYTHON ?= python3

.PHONY: demo
demo:
	@$(PYTHON) examples/demo.py
