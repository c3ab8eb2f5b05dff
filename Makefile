# longmix. `make list` shows the targets; CONTRIBUTING.md says how the pieces fit.
#
# Switches: SAN=asan|ubsan|tsan builds with that sanitizer, SAN=fuzz with the first two and libFuzzer
#           (clang), SAN=coverage with gcov; each into build/$(SAN)/.
#           BUILD=DIR builds into DIR, for another compiler or other flags.
#           MPI=1 builds lmtrain with MPI (mpirun, srun), compiled by MPICC. With CUDA=1, collectives
#           between GPUs use NCCL.
#           CUDA=1 builds with the CUDA backend, into build/cuda/. CUDA_HOME (the toolkit),
#           CUDA_ARCHS (80 90: compute capabilities; PTX of the last is added).
#           V=1 shows the commands. CC, CXX, CFLAGS, PREFIX as usual.

CC ?= gcc
CXX ?= g++
PREFIX ?= /usr/local
SAN ?=
MPI ?=
MPICC ?= mpicc
CUDA ?=
BUILD := build$(if $(SAN),/$(SAN))$(if $(CUDA),/cuda)
OBJ := $(BUILD)/obj
BIN := $(BUILD)/bin

WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wwrite-strings -Wno-missing-field-initializers -Wno-pass-failed
WARNXX := -Wall -Wextra
CFLAGS ?= -O3 -g
CXXFLAGS ?= -O3 -g
override CPPFLAGS += -D_GNU_SOURCE -Iinclude -I.
LIB_LIBS := -lsimdjson -lsentencepiece -ljansson -lzstd -lz -lbz2 -llzma -lxxhash -lpcre2-8 -lm -lpthread
override LDLIBS += $(LIB_LIBS) -lcairo
OPENMP := -fopenmp

# Sanitizers. Thread Sanitizer does not see into the OpenMP runtime, so that build uses the
# POSIX threads of lib/base/threads.c.
ifeq ($(SAN),asan)
SANFLAGS := -fsanitize=address -fno-omit-frame-pointer -O1
else ifeq ($(SAN),ubsan)
SANFLAGS := -fsanitize=undefined -fno-sanitize-recover=all -O1
else ifeq ($(SAN),tsan)
SANFLAGS := -fsanitize=thread -O1
OPENMP := -Wno-unknown-pragmas -Wno-unused-parameter -Wno-unused-function
else ifeq ($(SAN),fuzz)
CC := clang
CXX := clang++
SANFLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
OPENMP := -Wno-unknown-pragmas -Wno-unused-parameter -Wno-unused-function
else ifeq ($(SAN),coverage)
SANFLAGS := --coverage -fprofile-update=atomic -O1
else ifneq ($(SAN),)
$(error SAN=$(SAN): not one of asan, ubsan, tsan, fuzz, coverage)
endif

HAVE_MPI := $(shell command -v $(MPICC))
ifneq ($(MPI),)
ifeq ($(HAVE_MPI),)
$(error MPI=1: there is no $(MPICC) (Debian: libopenmpi-dev and openmpi-bin))
endif
endif

ALL_CFLAGS = -std=c11 $(WARN) $(CFLAGS) $(SANFLAGS) $(OPENMP)
ALL_CXXFLAGS = -std=c++17 $(WARNXX) $(CXXFLAGS) $(SANFLAGS)

# For lib/: the same objects are linked into programs, archive and shared library. The programs are
# not slower for it, as their linker makes calls and variables direct again.
PIC := -fPIC -fno-semantic-interposition

# Third-party libraries of the trainer alone.
TRAIN_LIBS := -lopenblas

# What the programs link: every module of lib/, every symbol.
LIB := $(BUILD)/libinternal.a
# What is installed: the modules with public headers, and only the symbols that these declare.
STATIC := $(BUILD)/liblongmix.a
SONAME := liblongmix.so.0
SHARED := $(BUILD)/$(SONAME)
VERSION := $(shell sed -n 's/^.define LM_VERSION "\([^"]*\)".*/\1/p' include/longmix/version.h)
TRAIN := $(BUILD)/libtrain.a
TRAIN_SRC := $(filter-out train/comm/mpi.c train/cuda/%,$(wildcard train/*.c train/*/*.c))
TRAIN_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(TRAIN_SRC))
CUDA_SRC := $(filter-out $(if $(MPI),,train/cuda/comm_nccl.c),$(wildcard train/cuda/*.c train/cuda/*.cu))
CUDA_OBJ := $(patsubst %,$(OBJ)/%.o,$(basename $(CUDA_SRC)))

ifneq ($(CUDA),)
NVCC := $(if $(CUDA_HOME),$(CUDA_HOME)/bin/nvcc,$(shell command -v nvcc))
ifeq ($(wildcard $(NVCC)),)
$(error CUDA=$(CUDA): no nvcc$(if $(CUDA_HOME), in $(CUDA_HOME)/bin, on the PATH; set CUDA_HOME to the toolkit))
endif
CUDA_HOME ?= $(patsubst %/bin/,%,$(dir $(realpath $(NVCC))))
CUDA_LIB := $(firstword $(wildcard $(CUDA_HOME)/lib64 $(CUDA_HOME)/lib))
define need
ifeq ($(wildcard $(CUDA_HOME)/include/$(1)),)
$$(error CUDA=$(CUDA): $(CUDA_HOME)/include/$(1) is missing: install $(2))
endif
endef
$(eval $(call need,cuda_runtime_api.h,the CUDA toolkit))
$(eval $(call need,cublasLt.h,cuBLAS with its headers))
$(eval $(call need,cudnn.h,cuDNN 9.6 or later with its headers))
ifneq ($(MPI),)
$(eval $(call need,nccl.h,NCCL with its headers))
endif
CUDA_ARCHS ?= 80 90
CUDA_CODE := $(foreach a,$(CUDA_ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
    -gencode arch=compute_$(lastword $(CUDA_ARCHS)),code=compute_$(lastword $(CUDA_ARCHS))
NVCCFLAGS ?= -O3 -g
TRAIN_OBJ += $(CUDA_OBJ)
TRAIN_LIBS += -L$(CUDA_LIB) -Wl,-rpath,$(CUDA_LIB) -lcudnn -lcublasLt -lcudart_static -ldl -lrt
override LDFLAGS += -Wl,--as-needed
$(OBJ)/train/backend_open.o: override CPPFLAGS += -DLM_CUDA
$(CUDA_OBJ): override CPPFLAGS += -isystem $(CUDA_HOME)/include
endif

# The same sources in float64, for the gradient tests.
TRAIN64 := $(BUILD)/libtrain64.a
TRAIN64_OBJ := $(patsubst %.c,$(OBJ)/f64/%.o,$(TRAIN_SRC))
# The MPI part of the trainer, compiled and linked by MPICC.
MPI_OBJ := $(OBJ)/mpi/train/comm/mpi.o $(OBJ)/mpi/train/comm/open.o
MPI_CC = OMPI_CC=$(CC) MPICH_CC=$(CC) $(MPICC)
MPI_LINKER = OMPI_CC=$(CXX) MPICH_CC=$(CXX) $(MPICC)
EVAL := $(BUILD)/libeval.a
EVAL_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(wildcard eval/*/*.c eval/*/*/*.c))
FIGURES := $(BUILD)/libfigures.a
FIGURES_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(wildcard figures/*.c))
LIB_OBJ := $(patsubst %,$(OBJ)/%.o,$(basename $(wildcard lib/*/*.c lib/*/*.cc lib/*/*/*.c lib/*/*/*.cc)) lib/domain/presets)
PUBLIC_OBJ := $(filter-out $(OBJ)/lib/plot/% $(OBJ)/lib/synth/%,$(LIB_OBJ))
CLI_OBJ := $(OBJ)/tools/cli.o $(OBJ)/tools/cli_help.o $(OBJ)/tools/cli_out.o
TOOLS := $(patsubst tools/%.c,%,$(wildcard tools/lm*.c))
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
BENCHES := $(patsubst bench/%.c,%,$(wildcard bench/bench_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

## all: libraries (build/) and programs (build/bin/)
all: $(LIB) $(if $(SAN),,$(STATIC) $(SHARED)) $(addprefix $(BIN)/,$(TOOLS))

# A change of flags rebuilds everything.
FLAGS_NOW := $(CC) $(CXX) $(ALL_CFLAGS) $(ALL_CXXFLAGS) $(PIC) $(CPPFLAGS) $(if $(CUDA),$(NVCC) $(CUDA_CODE) $(NVCCFLAGS))
$(OBJ)/flags: FORCE
	@mkdir -p $(@D); echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@

# A new commit compiles version.c again, and nothing else.
$(OBJ)/commit: FORCE
	@mkdir -p $(@D); scripts/commit.sh >$@.tmp; if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi
$(OBJ)/lib/base/version.o: $(OBJ)/commit
$(OBJ)/lib/base/version.o: override CPPFLAGS += -DLM_COMMIT='"$(shell cat $(OBJ)/commit)"'

$(OBJ)/%.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(if $(filter tools/% tests/%,$<),-Itools -Itests/unit) $(ALL_CFLAGS) $(if $(filter lib/%,$<),$(PIC)) -MMD -MP -c $< -o $@

# A product and a sum are rounded one by one, as the reference that this must equal rounds them.
$(OBJ)/train/import/ggml_types.o $(OBJ)/f64/train/import/ggml_types.o: override CFLAGS += -ffp-contract=off

# The tables of domains/, compiled in.
$(OBJ)/lib/domain/presets.c: FORCE
	@mkdir -p $(@D); scripts/presets.sh domains/*.json >$@.tmp; if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi
$(OBJ)/lib/domain/presets.o: $(OBJ)/lib/domain/presets.c $(OBJ)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(PIC) -MMD -MP -c $< -o $@

$(OBJ)/f64/%.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,CC64,$<)
	$(Q)$(CC) $(CPPFLAGS) -DTRAIN_FLOAT64 -Itests/unit $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(OBJ)/mpi/%.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,MPICC,$<)
	$(Q)$(MPI_CC) $(CPPFLAGS) -DLM_MPI $(if $(CUDA),-DLM_CUDA) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(OBJ)/%.o: %.cu $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,NVCC,$<)
	$(Q)$(NVCC) -std=c++17 $(CPPFLAGS) $(NVCCFLAGS) $(CUDA_CODE) -Xcompiler -Wall,-Wextra -MMD -MP -c $< -o $@

$(OBJ)/%.o: %.cc $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) $(PIC) -MMD -MP -c $< -o $@

$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar qcs $@ $^

$(BUILD)/exports: $(PUBLIC_OBJ) $(wildcard include/longmix/*.h) scripts/exports.sh
	$(Q)CC='$(CC)' scripts/exports.sh $(PUBLIC_OBJ) >$@

# One object whose other symbols are local.
$(STATIC): $(PUBLIC_OBJ) $(BUILD)/exports
	$(call say,AR,$@)
	$(Q)$(LD) -r --force-group-allocation -o $(OBJ)/longmix.o $(PUBLIC_OBJ)
	$(Q)objcopy --keep-global-symbols=$(BUILD)/exports $(OBJ)/longmix.o
	$(Q)rm -f $@ && ar qcs $@ $(OBJ)/longmix.o

$(SHARED): $(PUBLIC_OBJ) $(BUILD)/exports
	$(call say,LINK,$@)
	$(Q){ echo '{ global:'; sed 's/$$/;/' $(BUILD)/exports; echo 'local: *; };'; } >$(OBJ)/longmix.map
	$(Q)$(CXX) -shared $(OPENMP) $(LDFLAGS) -Wl,-soname,$(SONAME) -Wl,-z,defs \
	    -Wl,--version-script=$(OBJ)/longmix.map -o $@ $(PUBLIC_OBJ) $(LIB_LIBS)

$(TRAIN): $(TRAIN_OBJ)
$(TRAIN64): $(TRAIN64_OBJ)
$(EVAL): $(EVAL_OBJ)
$(FIGURES): $(FIGURES_OBJ)
$(TRAIN) $(TRAIN64) $(EVAL) $(FIGURES):
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar qcs $@ $^

train_of = $(filter $(TRAIN) $(TRAIN64),$^)
LINKER = $(CXX)
link = $(LINKER) $(SANFLAGS) $(OPENMP) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter $(EVAL) $(FIGURES),$^) $(train_of) \
    $(filter $(LIB),$^) $(if $(train_of),$(TRAIN_LIBS)) $(LDLIBS)

# Programs and tests of the trainer.
$(BIN)/lmtag $(BIN)/lmtok $(BIN)/lmhist: $(OBJ)/tools/cli_inputs.o
$(BIN)/lmtrain $(BIN)/lmimport $(BIN)/lmcheck $(BUILD)/bench/bench_train $(BUILD)/bench/bench_attention $(BUILD)/bench/bench_gpu $(BUILD)/bench/bench_read: $(TRAIN)
$(BIN)/lmgen $(BIN)/lmeval: $(OBJ)/tools/model_options.o $(TRAIN)
$(patsubst %,$(BUILD)/tests/%,fuzz_model fuzz_gguf $(filter test_train_%,$(UNITS))) $(addprefix $(BUILD)/,fuzz_model fuzz_gguf): $(TRAIN)

# lmtrain with MPI: in build/bin/ with MPI=1, and always in build/mpi/ for the tests.
ifneq ($(MPI),)
$(BIN)/lmtrain: $(MPI_OBJ)
$(BIN)/lmtrain: LINKER = $(MPI_LINKER)
TRAIN_LIBS += $(if $(CUDA),-lnccl)
endif
$(BIN)/lmtrain: $(OBJ)/features
$(OBJ)/features: FORCE
	@mkdir -p $(@D); echo 'MPI=$(MPI)' | cmp -s - $@ || echo 'MPI=$(MPI)' > $@
MPI_TESTS := $(addprefix $(BUILD)/mpi/,lmtrain ranks)
$(MPI_TESTS): LINKER = $(MPI_LINKER)
$(BUILD)/mpi/lmtrain: $(OBJ)/tools/lmtrain.o $(CLI_OBJ)
$(BUILD)/mpi/ranks: $(OBJ)/tests/mpi/ranks.o
$(MPI_TESTS): $(MPI_OBJ) $(TRAIN) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(link)

# Figures and tables.
$(BIN)/lmplot $(BUILD)/tests/test_figures: $(FIGURES)

# The evaluations, and their tests.
$(BIN)/lmeval: $(EVAL)
$(patsubst %,$(BUILD)/tests/%,fuzz_results fuzz_csv fuzz_score $(filter test_eval_%,$(UNITS))) \
    $(addprefix $(BUILD)/,fuzz_results fuzz_csv fuzz_score): $(EVAL) $(TRAIN)

$(BUILD)/tests/test_train64_%: $(OBJ)/f64/tests/unit/test_train64_%.o $(TRAIN64) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(link)

$(BIN)/lm%: $(OBJ)/tools/lm%.o $(CLI_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(link)

$(BUILD)/tests/test_%: $(OBJ)/tests/unit/test_%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(link)

$(BUILD)/bench/bench_%: $(OBJ)/bench/bench_%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(link)

# What the comparisons of `make parity` call.
$(BUILD)/parity/%: $(OBJ)/tests/parity/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(link)

# GPU tests.
$(BUILD)/gpu/check_gpu: $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/gpu/*.c)) $(TRAIN) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(link)

# Fuzz targets define LLVMFuzzerTestOneInput; here the driver feeds them files.
$(BUILD)/tests/fuzz_%: $(OBJ)/tests/fuzz/fuzz_%.o $(OBJ)/tests/fuzz/replay.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(link)

$(BUILD)/fuzz_%: $(OBJ)/tests/fuzz/fuzz_%.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(link) -fsanitize=fuzzer

## setup: install what the build and the tests need (Debian packages; sudo where not root)
setup:
	@scripts/setup.sh

# What is missing is installed by `make setup`, which says so first.
have:
	@scripts/setup.sh --check || { echo "make: running make setup, which installs them" >&2; $(MAKE) --no-print-directory setup; }

## test: setup where something is missing, then every test
test: have
	@$(MAKE) --no-print-directory check

## check: every test, without setup
check: all $(addprefix $(BUILD)/tests/,$(UNITS) $(FUZZERS)) $(if $(filter-out coverage,$(SAN))$(CUDA),,$(if $(HAVE_MPI),$(MPI_TESTS)))
	@tests/run.sh $(BUILD)

## check-unit: unit tests, and the fuzz targets over their corpora
check-unit: $(addprefix $(BUILD)/tests/,$(UNITS) $(FUZZERS))
	@tests/run.sh $(BUILD) unit/ fuzz/

## check-asan check-ubsan check-tsan: the tests under a sanitizer
check-asan check-ubsan check-tsan:
	@$(MAKE) --no-print-directory SAN=$(@:check-%=%) check

## coverage: run the tests in a gcov build and print the line coverage of each module
coverage:
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	@status=0; $(MAKE) --no-print-directory SAN=coverage check || status=$$?; \
	    scripts/coverage.sh build/coverage && exit $$status

## check-faults: every system call of every program fails, is short, or is the moment of a SIGKILL
check-faults: all
	@tests/faults/run.sh $(BUILD)

## fuzz: fuzz from the committed corpora with libFuzzer (clang), FUZZ_SECONDS (60) per target, on all cores
fuzz:
	@$(MAKE) --no-print-directory SAN=fuzz $(addprefix build/fuzz/,$(FUZZERS))
	@scripts/fuzz.sh build/fuzz $(FUZZERS)

## demo: setup where something is missing, build, then from a synthetic corpus to verified shards
demo: have
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh

## bench: throughput, as ratios to other tools measured side by side
bench: all $(addprefix $(BUILD)/bench/,$(BENCHES))
	@bench/run.sh
	@bench/train.sh
	@bench/attention.sh
	@bench/read.sh

## check-gpu: compare the CUDA backend with the CPU backend on a GPU (skipped without one)
check-gpu:
	@$(MAKE) --no-print-directory CUDA=1 build/cuda/gpu/check_gpu
	@build/cuda/gpu/check_gpu || [ $$? = 77 ]

## bench-gpu: training steps and prompt processing of a 7B model on a GPU (skipped without one)
bench-gpu:
	@$(MAKE) --no-print-directory CUDA=1 build/cuda/bench/bench_gpu
	@bench/gpu.sh build/cuda/bench/bench_gpu || [ $$? = 77 ]

## gpu-bundle: check-gpu, bench-gpu and the programs, for a GPU machine without a compiler
gpu-bundle:
	@$(MAKE) --no-print-directory CUDA=1 all $(addprefix build/cuda/,gpu/check_gpu bench/bench_gpu)
	@scripts/gpu-bundle.sh build/cuda

## parity: compare the trainer with PyTorch and transformers, which it installs into build/
parity: all $(BUILD)/parity/parts $(BUILD)/parity/ids
	@tests/parity/run.sh

## man: write docs/man/*.1 from the option tables
man: all
	@mkdir -p docs/man; for t in $(TOOLS); do $(BIN)/$$t --man > docs/man/$$t.1 || exit 1; done

## format: format the sources with clang-format 14, as tests/format.sh checks
format:
	@git ls-files '*.[ch]' '*.cc' '*.cu' '*.cuh' | xargs clang-format -i

## install: programs, libraries, headers, man pages, recipes and domain tables into PREFIX
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	    $(DESTDIR)$(PREFIX)/include/longmix $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/longmix/recipes $(DESTDIR)$(PREFIX)/share/longmix/domains
	install $(addprefix $(BIN)/,$(TOOLS)) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(STATIC) $(DESTDIR)$(PREFIX)/lib
	install $(SHARED) $(DESTDIR)$(PREFIX)/lib
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/liblongmix.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIB_LIBS) -lstdc++ $(OPENMP)|' \
	    scripts/longmix.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/longmix.pc
	install -m 644 include/longmix/*.h $(DESTDIR)$(PREFIX)/include/longmix
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 recipes/*.json $(DESTDIR)$(PREFIX)/share/longmix/recipes
	install -m 644 domains/*.json $(DESTDIR)$(PREFIX)/share/longmix/domains

## uninstall: remove what install put into PREFIX
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(TOOLS)) \
	    $(addprefix $(DESTDIR)$(PREFIX)/share/man/man1/,$(addsuffix .1,$(TOOLS))) \
	    $(addprefix $(DESTDIR)$(PREFIX)/lib/,liblongmix.a liblongmix.so $(SONAME) pkgconfig/longmix.pc)
	rm -rf $(DESTDIR)$(PREFIX)/include/longmix $(DESTDIR)$(PREFIX)/share/longmix

## clean: remove build/
clean:
	rm -rf build

## list: this list
list:
	@sed -n 's/^## //p' Makefile

-include $(wildcard $(OBJ)/*/*.d $(OBJ)/*/*/*.d $(OBJ)/*/*/*/*.d $(OBJ)/*/*/*/*/*.d)

FORCE:
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all setup have test check check-unit check-faults check-asan check-ubsan check-tsan coverage fuzz demo bench check-gpu bench-gpu gpu-bundle parity man format install uninstall clean list FORCE
