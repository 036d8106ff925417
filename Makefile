# demo      a refund, a void and a bag, from the quote to the money, in C and in Python; two hosts, if PostgreSQL is there
# build     everything, for development
# test      the suites of every language; SUITES="c cpp" for some
# test-long the suites that build a second time or take minutes each: sanitizers and valgrind, panic=abort, the archive,
#           wheels, PostgreSQL, the short form of the torture, processes without threads or descriptors
# torture   the promises on cases under kills, lost replies, crowds, false clocks and, on a PostgreSQL server, with several
#           hosts that are killed, stopped and cut off; with common client loops beside it;
#           TORTURE="--seed 42" for a seed, "kills lost" for some; about 20 minutes on 2 cores
# model     every state that two or three hosts can bring cases into, within bounds; prints how many; MODEL="ancillary" for
#           one of them; some minutes on 2 cores
# upgrade   a store file that an earlier release and this one meet on; builds the earlier one, about six minutes
# mutants   rules of cases taken out of the core, one at a time: the rule's test must fail; about 25 minutes on 2 cores
# fuzz      decoders, C ABI and store against inputs that libFuzzer makes; FUZZ="600" for seconds for each target (an hour
#           by default), "smoke" for some, "planted" to show that each target finds a fault; TARGETS="reply http" for some
# bench     side by side with what users would take instead; writes docs/performance.md
# lint      formatting, lints, documentation
# dist      archives of the release for C and C++ in dist/, with checksums and Debian packages; TARGETS="x86_64-gnu" for
#           one of x86_64-gnu and aarch64-gnu; minutes for each
# wheels    the Python package and the simulator as wheels, and sdists, in dist/wheels; TARGETS as for dist, also x86_64-musl
#           and aarch64-musl; minutes for each
# package   the Rust crates as a registry would have them, built from there with the oldest Rust that is promised
# audit     known faults of the crates in Cargo.lock; cargo-audit, and the network for its database
# install   headers, libraries, a pkg-config file and a CMake package under PREFIX; LIBDIR for another folder than
#           PREFIX/lib; uninstall takes them away
PYTHON ?= python3
CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib
PROFILE ?= release
SUITES ?=
TARGETS ?= x86_64-gnu aarch64-gnu
TORTURE ?=
MODEL ?=
FUZZ ?= 3600

TARGET := $(or $(CARGO_TARGET_DIR),target)
OUT := $(TARGET)/$(PROFILE)
ROOT := $(DESTDIR)$(PREFIX)
# TARGETS, unless they are those of `dist` above.
CHOSEN_TARGETS = $(if $(filter command line environment,$(origin TARGETS)),$(TARGETS))
# From a folder below LIBDIR to the headers.
back_to_include = $(shell realpath -m --relative-to="$(LIBDIR)/$(1)" "$(PREFIX)/include")
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

.PHONY: audit dist fuzz package wheels demo build test test-long torture model upgrade mutants lint install uninstall bench
.DEFAULT_GOAL := build

demo:
	@$(PYTHON) examples/demo.py

build:
	$(CARGO) build --workspace

test:
	@$(PYTHON) tests/run.py $(SUITES)

test-long:
	@$(PYTHON) tests/run.py --long

# The long form; beside it common client loops, and what 50,000 open cases cost.
torture:
	$(CARGO) build --quiet -p atlas-torture
	"$(TARGET)/debug/atlas-torture" --long $(TORTURE)
	$(PYTHON) tests/baseline/run.py --submits 10000
	$(CARGO) run --quiet --release -p atlas-bench --bin many

model:
	@$(CARGO) run --quiet -p atlas-model -- $(if $(MODEL),"$(MODEL)")

upgrade:
	@$(PYTHON) tests/support/upgrade.py

mutants:
	@$(PYTHON) tests/mutants/run.py

fuzz:
	@$(PYTHON) fuzz/run.py $(FUZZ) $(CHOSEN_TARGETS)

lint:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check licenses bans sources; \
	else echo "SKIPPED: licences, bans and sources are not checked without cargo-deny"; [ "$$APB_REQUIRE_ALL" != 1 ]; fi

# "dev" is what cargo calls the profile whose directory is "debug".
install:
	$(CARGO) build -p atlas-postbooking-c --profile $(if $(filter debug,$(PROFILE)),dev,$(PROFILE))
	install -d "$(ROOT)/include" "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(LIBDIR)/cmake/atlas_postbooking"
	install -m 644 include/atlas_postbooking.h include/atlas_postbooking.hpp include/atlas_postbooking.ffi.h "$(ROOT)/include"
	install -d "$(ROOT)/share/atlas_postbooking"
	install -m 644 include/abi.json "$(ROOT)/share/atlas_postbooking"
	install -m 755 "$(OUT)/libatlas_postbooking.so" "$(DESTDIR)$(LIBDIR)/libatlas_postbooking.so.1"
	ln -sf libatlas_postbooking.so.1 "$(DESTDIR)$(LIBDIR)/libatlas_postbooking.so"
	install -m 644 "$(OUT)/libatlas_postbooking.a" "$(DESTDIR)$(LIBDIR)"
	@# Both describe the folder by where they stand in it, so that it may be moved.
	sed -e 's|@INCLUDE@|$(call back_to_include,pkgconfig)|' -e 's|@VERSION@|$(VERSION)|' ffi-c/atlas_postbooking.pc.in \
		> "$(DESTDIR)$(LIBDIR)/pkgconfig/atlas_postbooking.pc"
	sed -e 's|@INCLUDE@|$(call back_to_include,cmake/atlas_postbooking)|' ffi-c/cmake/atlas_postbookingConfig.cmake.in \
		> "$(DESTDIR)$(LIBDIR)/cmake/atlas_postbooking/atlas_postbookingConfig.cmake"
	sed -e 's|@VERSION@|$(VERSION)|' ffi-c/cmake/atlas_postbookingConfigVersion.cmake.in \
		> "$(DESTDIR)$(LIBDIR)/cmake/atlas_postbooking/atlas_postbookingConfigVersion.cmake"

uninstall:
	rm -f "$(ROOT)/include/atlas_postbooking.h" "$(ROOT)/include/atlas_postbooking.hpp" "$(ROOT)/include/atlas_postbooking.ffi.h"
	rm -rf "$(ROOT)/share/atlas_postbooking"
	rm -f "$(DESTDIR)$(LIBDIR)/libatlas_postbooking".so "$(DESTDIR)$(LIBDIR)/libatlas_postbooking".so.1
	rm -f "$(DESTDIR)$(LIBDIR)/libatlas_postbooking.a" "$(DESTDIR)$(LIBDIR)/pkgconfig/atlas_postbooking.pc"
	rm -rf "$(DESTDIR)$(LIBDIR)/cmake/atlas_postbooking"

audit:
	$(CARGO) audit

dist:
	$(PYTHON) packaging/dist.py $(TARGETS)
	@for archive in dist/*.tar.gz; do $(PYTHON) tests/support/archive.py "$$archive" || exit 1; done

wheels:
	$(PYTHON) packaging/wheels.py --vendored $(CHOSEN_TARGETS)
	$(PYTHON) tests/support/wheels.py dist/wheels

package:
	@$(PYTHON) packaging/crate.py

# Minutes, on a machine that has nothing else to do.
bench:
	@$(PYTHON) tests/bench/run.py --write
