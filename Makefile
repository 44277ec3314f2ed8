# Meldstroom from its checkout. `make demo` is all a newcomer needs; `make test` is what CI runs.

MAKEFLAGS += --no-print-directory --no-builtin-rules
BIN := .venv/bin
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.PHONY: help env check-tools demo lint fast test screens simulate bench storm tools clean

# The first Python of at least 3.11 that really runs (a shim or a stub on PATH may not); else nothing.
FIND_PYTHON = for python in python3.11 python3.12 python3.13 python3.14 python3; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; python=; \
	done

help:
	@echo 'make demo [ARGS=...]   the demo, on a Kafka of its own'
	@echo 'make test              all checks and tests, as CI runs them'
	@echo 'make fast              the tests that need no Kafka'
	@echo 'make lint              style, types and boundaries'
	@echo 'make simulate [ARGS=...]  seeded schedules of crashes and clocks, without Kafka; ARGS=--help says how many'
	@echo 'make bench [ARGS=...]  the benchmarks, on brokers of their own; ARGS=--help says which'
	@echo 'make storm [ARGS=...]  everything goes wrong for minutes (ARGS=--reports=300000: an hour), and one checker counts'
	@echo 'make env               the environment in .venv, and in it the command meldstroom'
	@echo 'make check-tools       what this machine lacks, and what mends it'
	@echo 'make clean             remove the environment and all caches'

# Names everything that is missing at once; needs nothing but a shell itself.
check-tools:
	@missing=0; \
	lacks() { missing=2; echo "$$1"; echo "    Debian: sudo apt-get install $$2"; echo "    macOS:  brew install $$3"; } >&2; \
	$(FIND_PYTHON); \
	if [ -z "$$python" ]; then lacks 'Python 3.11 or newer is missing.' 'python3 python3-venv' python@3.12; \
	elif ! command -v uv >/dev/null 2>&1 && ! $$python -c 'import ensurepip, venv' >/dev/null 2>&1; then \
		lacks 'Python cannot make environments (venv).' python3-venv python@3.12; fi; \
	if [ -n "$$JAVA_HOME" ]; then java="$$JAVA_HOME/bin/java"; else java=java; fi; \
	version=$$("$$java" -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1); \
	if [ -z "$$version" ]; then lacks 'Java 17 or newer is missing.' openjdk-17-jre-headless openjdk@17; \
	elif [ "$$version" -lt 17 ]; then lacks "Java is too old: version $$version, needed is 17 or newer." openjdk-17-jre-headless openjdk@17; fi; \
	command -v mvn >/dev/null 2>&1 || lacks 'Maven (mvn) is missing.' maven maven; \
	exit $$missing

env: .venv/.synced

# Python runs the packages from the checkout: a .pth file shows it the way, a script is the command.
# That script starts as sh does, because a #! line cannot hold a folder whose name has a space.
.venv/.synced: requirements.lock Makefile
	@$(MAKE) check-tools
	@set -e; $(FIND_PYTHON); \
	uv=$$(command -v uv || true); \
	if [ -z "$$uv" ]; then \
		uv=.venv-uv/bin/uv; \
		if ! [ -x "$$uv" ]; then \
			$$python -m venv --clear .venv-uv; \
			echo '*' > .venv-uv/.gitignore; \
			.venv-uv/bin/python -m pip install --quiet 'uv==$(UV_VERSION)'; \
		fi; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		rm -rf .venv; \
		"$$uv" venv --quiet --python "$$(command -v $$python)" .venv; \
	fi; \
	VIRTUAL_ENV="$$PWD/.venv" "$$uv" pip sync --compile-bytecode --require-hashes requirements.lock; \
	echo "$$PWD" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/meldstroom-checkout.pth"; \
	printf '%s\n' '#!/bin/sh' "'''exec' '$$PWD/$(BIN)/python' \"\$$0\" \"\$$@\"" "' '''" \
		'import sys' 'from pipeline.cli import main' 'sys.exit(main())' > $(BIN)/meldstroom; \
	chmod +x $(BIN)/meldstroom; \
	touch .venv/.synced

# exec: Ctrl-C and SIGTERM reach the program itself, with no shell in between.
demo: env
	@exec $(BIN)/meldstroom demo $(ARGS)

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: env
	exec $(BIN)/pytest -m 'not broker' $(ARGS)

# What only the tests need: kcat and jq for the example that publishes with them, faketime for wrong clocks, a browser.
tools:
	@missing=; for tool in kcat jq faketime; do command -v $$tool >/dev/null 2>&1 || missing=$$tool; done; \
	command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing=chromium; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then root=; else root='sudo -n'; fi; \
	if command -v apt-get >/dev/null 2>&1; then \
		$$root apt-get update -qq >/dev/null && $$root apt-get install -y -qq kcat jq faketime chromium >/dev/null; \
	elif command -v brew >/dev/null 2>&1; then brew install --quiet kcat jq libfaketime && brew install --quiet --cask chromium; fi; \
	command -v kcat >/dev/null 2>&1 && command -v jq >/dev/null 2>&1 || { \
		echo 'The tests need kcat and jq. Debian: sudo apt-get install kcat jq; macOS: brew install kcat jq' >&2; exit 2; }

test: lint tools
	exec $(BIN)/pytest $(ARGS)

# The pictures in docs/board.md.
screens: env tools
	@exec $(BIN)/python -m tests.pipeline.board.screens docs/screens

simulate: env
	@exec $(BIN)/python -m tests.simulation $(ARGS)

# What only the benchmarks need (the rival, a profiler) lies in a folder that neither the product nor its tests look into.
bench: env
	@if ! cmp -s tests/bench/requirements.txt .venv-bench/requirements.txt; then \
		rm -rf .venv-bench; mkdir .venv-bench; echo '*' > .venv-bench/.gitignore; \
		uv=$$(command -v uv || echo .venv-uv/bin/uv); \
		VIRTUAL_ENV="$$PWD/.venv" "$$uv" pip install --quiet --no-deps --require-hashes --target .venv-bench \
			-r tests/bench/requirements.txt && cp tests/bench/requirements.txt .venv-bench; \
	fi; \
	exec $(BIN)/python -m tests.bench.run $(ARGS)

# In a mount namespace of its own: some of its disks get full. Without root, one in which we are root.
storm: env tools
	@if [ "$$(id -u)" = 0 ]; then own=--mount; else own='--user --map-root-user --mount'; fi; \
	exec unshare $$own $(BIN)/python -m tests.storm.run $(ARGS)

clean:
	rm -rf .venv .venv-uv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find agents pipeline topics tests -name __pycache__ -type d -prune -exec rm -rf {} +
