# The one place that knows how Haldane is built and checked; CI calls nothing else.

# Without this tag grpc's tracing pulls in templates and switches off the linker's dead-code elimination: +6 MB.
TAGS    := -tags grpcnotrace
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X haldane/cli.version=$(VERSION)
FUZZTIME ?= 30s
# Tests of the whole product, which wait for it most of the time.
WHOLE   := ./app/... ./bench/... ./cli/...

SOAK    ?= 1h

.PHONY: build test lint bench bench-judge soak fuzz cover tidy vendor-web screenshots

build:
	CGO_ENABLED=0 $(GO) build $(TAGS) -trimpath -ldflags '$(LDFLAGS)' -o haldane .

# Two passes: the race detector, and the tests that count allocations, memory and time, which it would distort; those run one
# package after the other, so that they measure themselves alone. Tests of the whole product run two packages at a time, and
# are not cached: what they build is not known to the cache.
test:
	@command -v promtool >/dev/null || echo "SKIP: ===== no promtool: the check of the metrics by Prometheus' own tool is left out ====="
	@command -v slowhttptest >/dev/null || echo "SKIP: ===== no slowhttptest: the attacks of slow clients are left out ====="
	@command -v chromium-headless-shell >/dev/null && test -d bench/browser/node_modules || echo "SKIP: ===== no chromium-headless-shell, or no \"npm ci\" in bench/browser: the dashboard is not tried in a browser ====="
	$(GO) vet $(TAGS) ./...
	@test -z "$$(gofmt -l .)" || { echo "gofmt is needed on:"; gofmt -l .; exit 1; }
	@raced=; if command -v $${CC:-cc} >/dev/null || command -v gcc >/dev/null; then \
	  echo "$(GO) test $(TAGS) -race -timeout 10m ./..."; $(GO) test $(TAGS) -race -timeout 10m ./... || exit 1; raced=1; \
	elif [ -n "$$HALDANE_REQUIRE_TOOLS" ]; then \
	  echo "the race detector needs a C compiler"; exit 1; \
	else \
	  echo "SKIP: ===== no C compiler: the pass with the race detector is left out ====="; \
	fi; \
	export HALDANE_RACED=$$raced; \
	echo "$(GO) test $(TAGS) -p 1 ./... but $(WHOLE)"; \
	$(GO) test $(TAGS) -p 1 -timeout 10m $$($(GO) list $(TAGS) ./... | grep -Ev '^haldane/(app|bench|cli)(/|$$)') && \
	echo "$(GO) test $(TAGS) -p 2 -parallel 4 -count 1 $(WHOLE)"; \
	$(GO) test $(TAGS) -p 2 -parallel 4 -count 1 -timeout 10m $(WHOLE)

lint:
	golangci-lint run ./...
	$(GO) mod tidy -diff

bench:
	$(GO) test $(TAGS) -run '^$$' -bench . -benchmem ./...

# Haldane's judge and other tools' rules on the same simulated releases; at most an hour on two cores. It writes the tables of
# docs/JUDGE-BENCH.md and of the README. "go run ./bench/judge -quick" takes half a minute and writes nothing.
bench-judge:
	@mkdir -p build
	$(GO) run $(TAGS) ./bench/judge -markdown docs/JUDGE-BENCH.md -json build/judge.json -readme README.md

# Faults of all kinds under load for SOAK, and then whether the process holds what it held at the beginning. "make test" plays a few
# seconds of it.
soak:
	HALDANE_SOAK=$(SOAK) $(GO) test $(TAGS) -count 1 -timeout 24h -run '^TestSoak$$' -v ./bench/faults

# Every fuzz target in turn, FUZZTIME each. Inputs are made smaller a few times only: where goroutines meet, no two runs are
# the same, and all of the time would go there.
fuzz:
	@for pkg in $$($(GO) list $(TAGS) ./...); do \
	  for target in $$($(GO) test $(TAGS) -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; \
	    $(GO) test $(TAGS) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg || exit 1; \
	  done; \
	done

cover:
	@mkdir -p build
	$(GO) test $(TAGS) -coverprofile build/cover.out -coverpkg ./... ./...
	$(GO) tool cover -func build/cover.out | tail -1

# Pictures of the dashboard for the documents: docs/images/dashboard-*.png.
screenshots:
	HALDANE_SCREENSHOTS=$(CURDIR)/docs/images $(GO) test $(TAGS) -count 1 -run '^TestDashboard$$' -v ./bench/browser

# The modules of others that the dashboard is made of, from the npm registry, checked by their hashes.
vendor-web:
	admin/ui/vendor-web.sh

tidy:
	$(GO) mod tidy
