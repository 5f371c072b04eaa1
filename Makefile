# Builds the C module for one Lua and runs the checks; README.md has the two commands for users. Warnings stop no
# build but CI's, which sets WERROR=-Werror: a newer compiler knows new ones.
#
#   make                      build/5.4/llm_gateway/core.so
#   make LUA=5.1 (5.2, 5.3, jit, and 5.5, which `make lua5.5` builds first)
#   make LUA=5.4 EPOLL=no     the loop on curl_multi_poll, in build/5.4-poll
#   make OS=Windows_NT ...    build/5.4/llm_gateway/core.dll: see doc/install.md
#   make sweep                every call with every allocation failing
#   make valgrind             the specs under valgrind; SPEC=spec/sse_spec.lua for one
#   make soak SOAK_SECONDS=600 SOAK_CALLS=300
#   make bench                the benchmark: ten minutes; QUESTION="chat chunk" for some of it (bench/README.md)
#   make mutants              breaks the code in many places and lists what no spec saw; MUTANTS=clocks for some
#   make walks                how far five calls walk through the library
#   make instructions         fails when a chat or a chunk takes 5 % more instructions than recorded; RECORD=yes records
#   make check                lint, the build and the fast specs under 5.4, for every day
#   make test                 everything, as CI does
#   make spec SPEC=spec/sse_spec.lua, make lint, make format
#   make fuzz                 every fuzz target for a minute; FUZZ=sse FUZZ_SECONDS=3600 for one, longer

LUA    ?= 5.4
EPOLL  ?= yes
CC     ?= gcc
CFLAGS ?= -O2 -g

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wundef $(WERROR)
LUA_NAME = $(if $(filter jit,$(LUA)),luajit,lua$(LUA))
LUA_CFLAGS = $(shell PKG_CONFIG_PATH='$(CURDIR)/build/lua5.5' pkg-config --cflags $(LUA_NAME))
CURL_CFLAGS = $(shell pkg-config --cflags libcurl)
CURL_LIBS = $(shell pkg-config --libs libcurl)
SHARED = $(if $(filter Darwin,$(shell uname -s)),-bundle -undefined dynamic_lookup,-shared)

# Windows sets OS. There a module is linked with its Lua, which LUA_LIBS names.
WINDOWS = $(filter Windows_NT,$(OS))
LUA_LIBS ?=

VARIANT = $(if $(filter no,$(EPOLL)),-poll)$(SUFFIX)
OUT  = build/$(LUA)$(VARIANT)
MODULE = $(OUT)/llm_gateway/core.$(if $(WINDOWS),dll,so)
ALL_CFLAGS = -std=c11 $(WARNINGS) $(CFLAGS) -fPIC $(if $(filter no,$(EPOLL)),-DLLMG_NO_DESCRIPTOR) $(CURL_CFLAGS)

# What lies below the binding knows no Lua: it is compiled once for all of them. Where OUT is told, all of it goes there.
CORE = $(if $(filter command%,$(origin OUT)),$(OUT),build/core$(VARIANT))
SOURCES = $(wildcard src/*.c)
CORE_SOURCES = $(filter-out src/l%,$(SOURCES)) $(wildcard src/loop*.c)
CORE_OBJECTS = $(CORE_SOURCES:src/%.c=$(CORE)/%.o)
BINDING_OBJECTS = $(patsubst src/%.c,$(OUT)/%.o,$(filter-out $(CORE_SOURCES),$(SOURCES)))
OBJECTS = $(CORE_OBJECTS) $(BINDING_OBJECTS)

export PATH := $(PATH):$(CURDIR)/build/lua5.5
export PKG_CONFIG_PATH := $(CURDIR)/build/lua5.5:$(PKG_CONFIG_PATH)
LUA_BINARY = $(LUA_NAME)
SPEC ?= spec

FUZZ ?= sse json transfer decode
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_CFLAGS = -std=c11 $(WARNINGS) -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_FLOOR0 = $(wildcard src/sse*.c) src/buffer.c src/mem.c

.PHONY: all
all: $(MODULE)

$(MODULE): $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(SHARED) $(CFLAGS) $(LDFLAGS) -o $@ $(OBJECTS) $(CURL_LIBS) $(LUA_LIBS) $(if $(WINDOWS),-lws2_32)

$(CORE_OBJECTS): $(CORE)/%.o: src/%.c $(wildcard src/*.h)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BINDING_OBJECTS): $(OUT)/%.o: src/%.c $(wildcard src/*.h)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LUA_CFLAGS) -c -o $@ $<

.PHONY: core
core: $(CORE_OBJECTS)

# What LuaRocks builds, for the Lua and with the flags that it says. Anew, since the last may have been for another Lua.
.PHONY: rock
rock:
	rm -rf build/rock
	$(MAKE) OUT=build/rock

# Lua 5.5, where the system has none
.PHONY: lua5.5
lua5.5:
	sh spec/lua55/build.sh

.PHONY: test
test:
	sh spec/run.sh

.PHONY: check
check:
	QUICK=yes sh spec/run.sh

.PHONY: spec
spec: all
	LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;$(CURDIR)/?.lua;;" LUA_CPATH="$(CURDIR)/$(OUT)/?.so;;" \
	LUA_INIT="@$(CURDIR)/spec/luajit.lua" SPEC_LUA=$(LUA_BINARY) SPEC_BUILD=$(OUT) busted --lua=$(LUA_BINARY) $(SPEC)

.PHONY: valgrind
valgrind:
	$(MAKE) -s spec LUA=5.4 LUA_BINARY=spec/valgrind.sh SPEC="--exclude-tags=timed,apart,long $(SPEC)"

# The build with the sanitizers, and the Lua that runs it: SUFFIX=-asan LUA_BINARY=build/lua5.4-asan
.PHONY: asan
asan:
	$(MAKE) -s LUA=5.4 SUFFIX=-asan CFLAGS="-O1 -g -fsanitize=address,undefined"
	$(CC) -shared -fPIC -o build/alone.so spec/native/alone.c
	printf '#!/bin/sh\nLD_PRELOAD="%s %s build/alone.so" exec lua5.4 "$$@"\n' \
	  "$$($(CC) -print-file-name=libasan.so)" "$$($(CC) -print-file-name=libubsan.so)" >build/lua5.4-asan
	chmod +x build/lua5.4-asan

.PHONY: sweep
sweep:
	SWEEP=all $(MAKE) -s spec SPEC=spec/sweep_spec.lua

SOAK_SECONDS ?= 60
SOAK_CALLS ?= 300
.PHONY: soak
soak:
	sh bench/soak.sh $(SOAK_SECONDS) $(SOAK_CALLS)

.PHONY: mutants
mutants:
	lua5.4 spec/mutants/run.lua $(if $(MUTANTS),"$(MUTANTS)")

.PHONY: walks
walks:
	sh bench/walks.sh $(if $(RECORD),record)

.PHONY: bench
bench:
	BENCH_RECORD=$(RECORD) sh bench/bench.sh $(QUESTION)

.PHONY: instructions
instructions:
	sh bench/instructions.sh $(if $(RECORD),record)

build/fuzz/bin/sse: spec/fuzz/sse.c $(FUZZ_FLOOR0) $(wildcard src/*.h) spec/fuzz/fuzz.h
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -DSSE_LARGE_BYTES=9 -o $@ $(filter %.c,$^)

build/fuzz/bin/transfer: $(addprefix spec/fuzz/,transfer.c answer.c wire.c) $(CORE_SOURCES) \
                         $(wildcard src/*.h spec/fuzz/*.h)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(CURL_CFLAGS) -Wl,--wrap=socket,--wrap=clock_now -o $@ $(filter %.c,$^) $(CURL_LIBS)

build/fuzz/bin/json: $(addprefix spec/fuzz/,json.c alike.c) $(wildcard src/json*.c src/lencode*.c) \
                     $(addprefix src/,lclass.c ljson.c ljson_scratch.c lfloats.c lnumbers.c lpartial.c buffer.c mem.c) $(wildcard src/*.h spec/fuzz/*.h)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(CURL_CFLAGS) $(shell pkg-config --cflags lua5.4) -o $@ $(filter %.c,$^) \
	  $(shell pkg-config --libs lua5.4)

build/fuzz/bin/decode: spec/fuzz/decode.c $(wildcard spec/fuzz/*.h)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(shell pkg-config --cflags lua5.4) -o $@ $< $(shell pkg-config --libs lua5.4)

# decode runs the Lua files, which want the core
.PHONY: fuzz-targets
fuzz-targets: $(FUZZ:%=build/fuzz/bin/%)
	$(MAKE) -s LUA=5.4

.PHONY: fuzz
fuzz: fuzz-targets
	sh spec/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ)

.PHONY: lint
lint:
	luacheck --quiet --no-color lua spec examples bench

.PHONY: format
format:
	clang-format -i src/*.c src/*.h spec/fuzz/*.c spec/fuzz/*.h

# The module as a Neovim plugin: the C module goes beside the Lua files, where 'runtimepath' finds it.
.PHONY: nvim
nvim:
	$(MAKE) -s LUA=jit
	cp build/jit/llm_gateway/core.so lua/llm_gateway/core.so

# The documentation as HTML; cmark-gfm reads the Markdown.
.PHONY: doc
doc:
	$(LUA_BINARY) doc/build.lua build/doc

# The README's picture, from a real run.
.PHONY: picture
picture: all
	$(LUA_BINARY) doc/record.lua doc/terminal.svg

# What is uploaded for VERSION: a rockspec whose source is that version's tag, and the sources of HEAD as a rock, which
# is installed for every Lua here (ROCK_LUAS) and tried.
VERSION ?= 0.1.0
ROCK_LUAS ?= 5.5 5.4 5.3 5.2 5.1 jit
RELEASED = llm-gateway-$(VERSION)-1
.PHONY: release
release:
	rm -rf build/release
	mkdir -p build/release
	sed -e 's/^version = .*/version = "$(VERSION)-1"/' -e 's/^  branch = .*/  tag = "v$(VERSION)",/' \
	  llm-gateway-scm-1.rockspec >build/release/$(RELEASED).rockspec
	luarocks lint build/release/$(RELEASED).rockspec
	git archive --prefix=llm-gateway-lua/ HEAD | tar x -C build/release
	cd build/release && zip -qr $(RELEASED).src.rock $(RELEASED).rockspec llm-gateway-lua
	rm -r build/release/llm-gateway-lua
	ROCK='$(CURDIR)/build/release/$(RELEASED).src.rock' ROCK_LUAS='$(ROCK_LUAS)' $(MAKE) -s spec SPEC=spec/rock_spec.lua

.PHONY: clean
clean:
	rm -rf build lua/llm_gateway/core.so
