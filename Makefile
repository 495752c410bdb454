# Every command of this house. `make` alone prints them.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && exit; \
	done; echo python3)
PY := .venv/bin/python
SEEDS ?= 200
# Dozens of processes start in a run of the tests: without bytecode each would compile the whole house again.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check style programme-check rules simulate launch issue walk chat bench api lock clean test-races python tools-run tools-dev

help:  ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: tools-run  ## Start everything on this machine with demo data; Ctrl-C ends it all
	@$(PY) -m tools.run

test: style  ## The whole verdict: install, start real servers, run every check and test
	@# Types take one processor most of a minute: meanwhile the others look at programmes and the protocol.
	@mkdir -p var; $(PY) -m mypy > var/types.txt 2>&1 & types=$$!; failed=0; \
	{ $(PY) -m server.programme.check && $(PY) -m tests.simulation --seeds $(SEEDS); } || failed=1; \
	wait $$types || failed=1; cat var/types.txt; exit $$failed
	@$(PY) -m pytest -n 2 --dist worksteal -p tools.rules.plugin --rules-to=var/rules/whole.json
	@$(PY) -m tools.rules --evidence var/rules/whole.json

check: style  ## Style, types, architecture and the pages of the rule map, in seconds
	@$(PY) -m mypy
	@$(PY) -m pytest tests/test_architecture.py

style: tools-dev  ## Style and the pages of the rule map, in seconds
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check --quiet
	@$(PY) -m tools.rules --foreseen

test-races: tools-dev  ## Only the races, on real PostgreSQL and Redis
	@$(PY) -m pytest tests/races

programme-check: tools-dev  ## Print every programme for review, or PROGRAMME=file.toml
	@$(PY) -m server.programme.check $(PROGRAMME)

rules: tools-dev  ## Print the rule map; CHECK=40 changes 40 tested rules, and their tests must fail
	@$(PY) -m tools.rules $(if $(CHECK),--check $(CHECK))

simulate: tools-dev  ## The grab protocol under a seeded scheduler with faults; SEEDS=5000
	@$(PY) -m tests.simulation --seeds $(SEEDS)

launch: tools-dev  ## 5,000 phones against two real server processes, killed and cut off
	@$(PY) -m bench.launch

issue: tools-dev  ## Every programme from an empty database to vouchers in wallets, through the public API
	@$(PY) -m walks.issue

walk: tools-dev  ## Every programme from registration to the bank and the archive; PROGRAMME=file.toml for one of your own
	@$(PY) -m walks.walk $(if $(PROGRAMME),--programme $(PROGRAMME))

chat: tools-dev  ## Every path of the chat, disturbed and interrupted, by a WeChat of its own
	@$(PY) -m walks.chat

bench: tools-dev  ## How fast, as ratios measured in one run; PART=launch for one part
	@$(PY) -m bench $(if $(PART),--part $(PART))

api: tools-dev  ## Write the API document and the permission table from the routes
	@$(PY) -m tools.api
	@$(PY) -m tools.permissions --write

lock: python  ## Write both lock files from pyproject.toml; UPGRADE=1 takes the newest versions
	@UPGRADE=$(UPGRADE) $(PYTHON) tools/lock.py

clean:  ## Remove everything that was installed, built or stored here
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@command -v $(PYTHON) > /dev/null || { echo "Qiquan needs Python 3.11 or newer; there is no python3 here." >&2; exit 1; }

tools-run: python
	@$(PYTHON) tools/install.py run

tools-dev: python
	@$(PYTHON) tools/install.py dev
