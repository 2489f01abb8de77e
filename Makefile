# The two commands: `make run` and `make test`. Everything else is listed by `make help`.
#
# Nothing here needs more than Rust (by rustup) and Go; what else is needed is built or installed from the package
# registries, once, outside target/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# A clean clone reuses what this machine has compiled, unless told otherwise.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/portcullis
DENY_VERSION := 0.20.2

N ?= 20000
SEED ?= 1

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: rust ## Build Portcullis and serve on https://127.0.0.1:8443 with embedded defaults
	@echo "Building Portcullis (release; a few minutes when nothing is compiled yet) …"
	cargo build --release --bin portcullis
	@printf '%s\n' 'Starting on https://127.0.0.1:8443; Ctrl-C ends it. In another shell:' \
	  "  curl --cacert portcullis-ca.crt -H 'Content-Type: application/json' --data @docs/examples/review.json 'https://localhost:8443/validate?timeout=5s'" \
	  '  curl http://127.0.0.1:8444/metrics' \
	  '  target/release/portcullis check docs/examples/privileged.yaml' \
	  '  target/release/portcullis inject docs/examples/shop.yaml --policies policies/log-shipper --diff'
	exec target/release/portcullis serve --policies policies/log-shipper

.PHONY: test
test: lint go ## Run every test: lint, unit tests, pages, oracle, the real binary over TLS and behind a real API server
	@e2e/control-plane/build >/dev/null
	@e2e/helm/build >/dev/null
	@echo "Running the tests (the first run also builds the oracle, with Go) …"
	cargo test
	@.ci/compiled keep

.PHONY: cluster
cluster: rust go ## Start a real API server with Portcullis in front, on loopback, until Ctrl-C
	@e2e/control-plane/build >/dev/null
	@exec e2e/control-plane/up

.PHONY: control-plane
control-plane: go ## Build etcd and Kubernetes from Go modules, once (16 CPU-minutes; make test does it too)
	@e2e/control-plane/build

.PHONY: lint
lint: rust deny ## rustfmt, clippy, the tidy test, cargo-deny (bans, licences, sources)
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo test --quiet --test tidy
	cargo deny --log-level error check bans licenses sources

.PHONY: bench
bench: rust ## Measure against a null server of the same stack; writes target/bench/report.json
	cargo bench --bench webhook

.PHONY: bench-cluster
bench-cluster: rust go ## Measure behind a real API server, against a null webhook in our place
	@e2e/control-plane/build >/dev/null
	cargo bench --bench cluster -- compare

.PHONY: soak
soak: rust go ## Time to ready and memory with 10,000 namespaces and 100,000 pods, against their goals
	@e2e/control-plane/build >/dev/null
	cargo bench --bench cluster -- soak

.PHONY: faults
faults: rust go ## Break everything while there is traffic: make faults HOLD=60 DRAIN=10 ROUNDS=3 (docs/faults.md)
	@e2e/control-plane/build >/dev/null
	HOLD=$(or $(HOLD),60) DRAIN=$(or $(DRAIN),10) ROUNDS=$(or $(ROUNDS),3) \
	  cargo test --test cluster_faults -- --nocapture --test-threads=1

.PHONY: oracle
oracle: rust go ## Compare with upstream on random input: make oracle N=200000 SEED=7
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; status=0; \
	N=$(N) SEED=$(SEED) cargo test --test oracle -- --nocapture 2>&1 | tee "$$log" || status=$$?; \
	grep -E '^[0-9]+ reviews, ' "$$log"; grep -E '^[0-9]+ pods, ' "$$log" | tail -n 1; \
	exit "$$status"

.PHONY: oracle-cluster
oracle-cluster: rust go ## The same behind two real API servers: make oracle-cluster N=20000 SEED=7
	@e2e/control-plane/build >/dev/null
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; status=0; \
	N=$(N) SEED=$(SEED) cargo test --test cluster_agreement -- --nocapture 2>&1 | tee "$$log" || status=$$?; \
	grep -E '^[0-9]+ requests, ' "$$log" | tail -n 1; \
	exit "$$status"

.PHONY: oracle-defaulting
oracle-defaulting: rust go ## Compare what webhooks are shown with what we expect: make oracle-defaulting N=20000 SEED=7
	@e2e/control-plane/build >/dev/null
	N=$(N) SEED=$(SEED) cargo test --test cluster_defaulting -- --nocapture

TARGET = $(shell rustc -vV | sed -n 's/^host: //p')

.PHONY: image
image: rust ## Build a static program and an OCI image of it, from scratch, into target/image
	@echo "Building Portcullis, statically linked (release; a few minutes when nothing is compiled yet) …"
	RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --bin portcullis --target $(TARGET)
	manifests/image/build target/$(TARGET)/release/portcullis target/image

.PHONY: image-test
image-test: image go ## Run that image's root file system against a real API server (root, or user namespaces)
	@e2e/control-plane/build >/dev/null
	cargo test --test cluster_image

.PHONY: fuzz
fuzz: rust ## Fuzz every target for a minute (nightly Rust and cargo-fuzz): make fuzz SECONDS_EACH=600
	fuzz/run $(or $(SECONDS_EACH),60)

.PHONY: advisories
advisories: deny ## Ask the RustSec advisory database about our dependencies (needs to download it)
	cargo deny check advisories

.PHONY: rust
rust:
	@command -v cargo >/dev/null || { echo "Rust is missing: install it from https://rustup.rs, then run this again." >&2; exit 1; }
	@.ci/compiled take

.PHONY: go
go:
	@command -v go >/dev/null || { echo "Go 1.26 is missing: install it from https://go.dev/dl, then run this again." >&2; exit 1; }

.PHONY: deny
deny: rust
	@cargo deny --version 2>/dev/null | grep -q . || { \
	  echo "Installing cargo-deny $(DENY_VERSION) (about four minutes, once) …"; \
	  cargo install --locked cargo-deny@$(DENY_VERSION); }
