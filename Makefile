# Everything here needs only make and Python 3.11 or later; the rest comes from PyPI, pinned by hash.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PIN := uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate
LOCK := $(PIN) --python-version 3.11

.DEFAULT_GOAL := help

.PHONY: help
help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do \
	  printf '  make %-11s %s\n' "$$name" "$$text"; done

.PHONY: install
install: $(VENV)/installed ## Install Beagle and its command into .venv

$(VENV)/created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Beagle needs Python 3.11 or later: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/installed: $(VENV)/created shared/requirements.txt pyproject.toml
	$(PIP) install --require-hashes --only-binary :all: -r shared/requirements.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed tests/requirements.txt
	$(PIP) install --require-hashes --only-binary :all: -r tests/requirements.txt
	touch $@

.PHONY: demo
demo: install ## See Beagle at work on a local AWS, in your browser
	$(BIN)/beagle demo

.PHONY: up
up: install ## Run the same stack for your own files, until Ctrl-C
	$(BIN)/beagle up

# The functions' processors on AWS; x86_64 is the other one.
MACHINE ?= arm64
# Where they will run: aws, gcp or azure.
PROVIDER ?= aws
# The routes file, where the deployment has one; it then says Routes=file (or routes = "file").
ROUTES ?=
.PHONY: build
build: install ## Build what `sam deploy` or Terraform deploys
	rm -rf .aws-sam # `sam build` leaves a template there, which `sam deploy` would take for ever
	$(BIN)/python -m beagle.playground.build --provider $(PROVIDER) --machine $(MACHINE) $(if $(ROUTES),--routes "$(ROUTES)")

.PHONY: lint
lint: $(VENV)/tested ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: test
test: lint ## Check everything: lint, then all tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup

.PHONY: bench
bench: $(VENV)/tested ## Measure how fast it is
	$(BIN)/python tests/benchmarks/run.py

.PHONY: bench-media
bench-media: $(VENV)/tested ## Measure artifacts against darwin-py and mogrify
	$(BIN)/python tests/benchmarks/video.py --repeat 3
	$(BIN)/python tests/benchmarks/thumbnails.py

.PHONY: docs
docs: $(VENV)/tested ## Write the README's generated tables anew
	PYTHONPATH=tests $(BIN)/python tests/docs/readme.py

# What `pip install --no-build-isolation --editable` takes, as pyproject.toml's build-system asks.
BUILD := 'hatchling==1.27.0' editables
EXTRAS := --extra aws --extra cli --extra demo
TESTED := $(EXTRAS) --extra azure --extra gcp

# The functions' versions are the tests' versions: the widest set constrains the others.
AS_TESTED := -c tests/requirements.txt
# boto3 and what it needs are in Lambda's runtime.
IN_THE_RUNTIME := $(addprefix --no-emit-package ,botocore python-dateutil six)
DEPLOYED := $(PIN) --python-version 3.13 --upgrade $(AS_TESTED)
LAMBDA := $(DEPLOYED) $(IN_THE_RUNTIME)
.PHONY: lock
lock: ## Pin the newest allowed dependencies (needs uv)
	printf '%s\n' $(BUILD) | $(LOCK) --upgrade - pyproject.toml tests/requirements.in $(TESTED) -o tests/requirements.txt
	printf '%s\n' $(BUILD) | $(LOCK) --upgrade - pyproject.toml $(EXTRAS) $(AS_TESTED) -o shared/requirements.txt
	$(LAMBDA) pyproject.toml --extra aws -o functions/aws/requirements-register.txt
	$(LAMBDA) pyproject.toml --extra aws --extra stills -o functions/aws/requirements-prepare.txt
	$(LAMBDA) pyproject.toml --extra aws --extra video -o functions/aws/requirements-extract.txt
	printf 'imageio-ffmpeg\n' | $(LAMBDA) - -o layers/ffmpeg/requirements.txt
	$(DEPLOYED) pyproject.toml --extra azure -o functions/azure/requirements-register.txt
	$(DEPLOYED) pyproject.toml --extra azure --extra stills -o functions/azure/requirements-prepare.txt
	printf 'imageio-ffmpeg\n' | $(DEPLOYED) - pyproject.toml --extra azure --extra video -o functions/azure/requirements-extract.txt
	$(DEPLOYED) pyproject.toml --extra gcp -o functions/gcp/requirements-register.txt
	$(DEPLOYED) pyproject.toml --extra gcp --extra stills -o functions/gcp/requirements-prepare.txt
	printf 'imageio-ffmpeg\n' | $(DEPLOYED) - pyproject.toml --extra gcp --extra video -o functions/gcp/requirements-extract.txt
	$(PIN) --python-version 3.13 --upgrade $(AS_TESTED) tests/e2e/lambda-requirements.in -o tests/e2e/lambda-requirements.txt
	$(DEPLOYED) --no-deps tests/azure/runtime-requirements.in -o tests/azure/runtime-requirements.txt
	cd tests/azure && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
	$(LOCK) --upgrade tests/infra/schema-provider-requirements.in -o tests/infra/schema-provider-requirements.txt
	$(LOCK) --upgrade tests/emulator/darwin-py-requirements.in -o tests/emulator/darwin-py-requirements.txt
	$(LOCK) --upgrade tests/e2e/sam-requirements.in -o tests/e2e/sam-requirements.txt

.PHONY: clean
clean: ## Remove what was built, installed or cached
	rm -rf $(VENV) .build .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .aws-sam dist demo-run
