# Two commands do all the set-up: `make demo` and `make test`. The rest is for those who work on Dalel.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVERS := nginx-light unbound postgresql curl bind9-dnsutils openssl iproute2

.PHONY: demo test check-code unit servers bench mutants fuzz lab replay soak clean

demo: $(VENV)/.ready
	@$(BIN)/dalel demo

test: $(VENV)/.ready-dev servers check-code unit

check-code: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.ready-dev servers
	$(BIN)/pytest

# The lab and the storage tests run against real servers. Root installs them; anyone else is told what to install.
servers:
	@tests/servers.sh $(SERVERS)

bench: $(VENV)/.ready-dev servers
	$(BIN)/python -m tests.bench

mutants: $(VENV)/.ready-dev
	$(BIN)/python -m tests.mutants.run

# Every reader of bytes from the network, fed with real messages made wrong; a report under tests/bench/reports/. Minutes.
#   make fuzz MINUTES=30 SEED=7     make fuzz ONLY=dns
fuzz: $(VENV)/.ready-dev
	$(BIN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)')

# Every scenario, beside what others would say; a report under tests/lab/reports/. Tens of minutes: never in CI.
#   make lab SEED=7 SEEDS=3     make lab ONLY=sni_reset
lab: $(VENV)/.ready-dev servers
	$(BIN)/python -m tests.lab.run $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(ONLY),--only '$(ONLY)')

# Ten years of events, with the clock jumping over idle hours; a report under tests/lab/reports/. An hour or two.
#   make replay ONLY=january_2022_part_1
replay: $(VENV)/.ready-dev servers
	$(BIN)/python -m tests.lab.replay $(if $(ONLY),--only '$(ONLY)')

# What watching costs: a day of skipped time and a real hour, side by side; a report under tests/bench/reports/. An hour.
soak: $(VENV)/.ready-dev servers
	$(BIN)/python -m tests.lab.soak $(if $(ONLY),--only '$(ONLY)')

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up (once) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up for development (once) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.ready

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build dist
