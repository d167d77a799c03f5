# The one place that knows how Haldane is built and checked; CI calls nothing else.

# Without this tag grpc's tracing pulls in templates and switches off the linker's dead-code elimination: +6 MB.
TAGS    := -tags grpcnotrace
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X haldane/cli.version=$(VERSION)
FUZZTIME ?= 30s
# Tests of the whole product, which wait for it most of the time.
WHOLE   := ./app/... ./bench/... ./cli/...
# The names of the tests that the race detector leaves out, as a pattern.
UNRACED := grep -rl --include='*_test.go' '^//go:build .*!race' . | xargs sed -n 's/^func \(Test[A-Za-z0-9_]*\)(.*/^\1$$/p' | paste -sd'|'

SOAK    ?= 1h

.PHONY: build test lint pgo bench bench-tools bench-functions bench-judge soak fuzz cover tidy vendor-web screenshots

build:
	CGO_ENABLED=0 $(GO) build $(TAGS) -trimpath -ldflags '$(LDFLAGS)' -o haldane .

# What the compiler is told of where the time goes: "go build" takes default.pgo by itself. To be made again when the data path has
# changed much, on two cores that nothing else uses; a minute and a half.
pgo:
	$(GO) run $(TAGS) ./bench -profile default.pgo -time 5s

# Two passes: the race detector, and the tests that count allocations, memory and time, which it would distort; those run one
# package after the other, so that they measure themselves alone. All of proxy/ and analysis/ runs again there: without the race
# detector the one has another way to the sockets, and the other simulates more. Tests of the whole product run two packages at a
# time, and are not cached: what they build is not known to the cache. The binary is built without the profile, which takes a
# minute more.
test: export GOFLAGS += -pgo=off
test:
	@command -v promtool >/dev/null || echo "SKIP: ===== no promtool: the check of the metrics by Prometheus' own tool is left out ====="
	@command -v systemd-analyze >/dev/null || echo "SKIP: ===== no systemd-analyze: the check of the units is left out ====="
	@command -v slowhttptest >/dev/null || echo "SKIP: ===== no slowhttptest: the attacks of slow clients are left out ====="
	@command -v valgrind >/dev/null || echo "SKIP: ===== no valgrind: instructions are not counted ====="
	@command -v zsh >/dev/null && command -v fish >/dev/null || echo "SKIP: ===== no zsh or no fish: completion is not tried there ====="
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
	echo "$(GO) test $(TAGS) -p 1 ./proxy/... ./analysis/..."; \
	$(GO) test $(TAGS) -p 1 -timeout 10m ./proxy/... ./analysis/... && \
	echo "$(GO) test $(TAGS) -p 1 of the others but $(WHOLE)$${raced:+, what has not run}"; \
	$(GO) test $(TAGS) -p 1 -timeout 10m $${raced:+-run "$$($(UNRACED))"} $$($(GO) list $(TAGS) ./... | grep -Ev '^haldane/(app|bench|cli|proxy|analysis)(/|$$)') && \
	echo "$(GO) test $(TAGS) -p 2 -parallel 4 -count 1 $(WHOLE)"; \
	$(GO) test $(TAGS) -p 2 -parallel 4 -count 1 -timeout 10m $(WHOLE)
	$(GO) -C deploy/lint test ./...

lint:
	golangci-lint run ./...
	$(GO) mod tidy -diff

# Haldane beside other proxies, on two cores that nothing else uses: about 25 minutes. It writes the tables and pictures of
# docs/PERFORMANCE.md and of the README. "go run -tags grpcnotrace ./bench -quick" takes a minute and writes nothing;
# -from build/bench.json writes everything again from what was measured.
bench:
	@mkdir -p build
	$(GO) run $(TAGS) ./bench -json build/bench.json -markdown docs/PERFORMANCE.md -readme README.md -pictures docs/images

# The other proxies, unpacked from Debian's packages so that no service starts.
bench-tools:
	mkdir -p build/tools
	cd build/tools && apt-get download -qq haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 nginx caddy && \
	for package in *.deb; do dpkg -x $$package . || exit 1; done && rm -f ./*.deb

# The benchmarks that stand next to the functions.
bench-functions:
	$(GO) test $(TAGS) -run '^$$' -bench . -benchmem ./...

# Haldane's judge and other tools' rules on the same simulated releases; at most an hour on two cores. It writes the tables of
# docs/JUDGE-BENCH.md and of the README. "go run ./bench/judge -quick" takes half a minute and writes nothing.
bench-judge:
	@mkdir -p build
	$(GO) run $(TAGS) ./bench/judge -markdown docs/JUDGE-BENCH.md -json build/judge.json -readme README.md

# Faults of all kinds under load for SOAK, and then whether the process holds what it held when it had seen all of them: in the second
# tenth of the time. Each minute says what it holds. HALDANE_SOAK_RATE makes the load another one than 150 requests a second. "make test"
# plays a few seconds of it.
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
