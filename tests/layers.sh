#!/bin/bash
# The include law of docs/architecture.md, read from the #include lines: who may include whom, and
# which one file opens each library. Exits 1 and names each breach.
cd "$(dirname "$0")/.." || exit 1
python=$(command -v python3) || { echo "skipped: python3 is absent"; exit 77; }
exec "$python" - <<'PY'
import glob, os, re, sys

LAYERS = {}                     # module -> layer, as docs/architecture.md states it
for line in open("docs/architecture.md", encoding="utf-8"):
    m = re.match(r"\| `(base|io|data|plan)` \| ([a-z_ ]+) \|", line)
    if m:
        for name in m.group(2).split():
            LAYERS[name] = m.group(1)
ORDER = ["base", "io", "data", "plan"]
DOORS = {                       # foreign header -> the one file that may include it
    r"zstd\.h|zlib\.h": "lib/zio.c", r"jansson\.h": "lib/json.c", r"simdjson\.h": "lib/docs_json.cc",
    r"sentencepiece_.*\.h": "lib/tokenizer_spm.cc", r"xxhash\.h": "lib/hash.c",
    r"cairo.*\.h": "lib/plot_canvas.c", r"omp\.h": "lib/threads.c",
}
bad = []
seen_doors = set()

def module(path):               # lib/store_writer.c -> store: the longest module its name begins with
    base = os.path.basename(path).rsplit(".", 1)[0]
    if base in LAYERS:
        return base
    names = [m for m in LAYERS if base.startswith(m + "_")]
    return max(names, key=len) if names else None

for path in sorted(glob.glob("lib/*.[ch]") + glob.glob("lib/*.cc") + glob.glob("include/longmix/*.h")
                   + glob.glob("tools/*.[ch]") + glob.glob("examples/*.c")):
    mine = module(path)
    in_library = path.startswith(("lib/", "include/"))
    if in_library and mine is None:
        bad.append(f"{path}: its module is in no layer of docs/architecture.md")
        continue
    text = open(path, encoding="utf-8").read()
    if in_library and re.search(r"\b(exit|abort|perror|printf|puts)\s*\(", re.sub(r'/\*.*?\*/|//[^\n]*|"(\\.|[^"\\])*"', "", text, flags=re.S)):
        bad.append(f"{path}: the library neither prints nor exits")
    if "#pragma omp" in text and path != "lib/threads.c":
        bad.append(f"{path}: OpenMP is used in lib/threads.c alone")
    for inc in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, flags=re.M):
        for pattern, door in DOORS.items():
            if re.fullmatch(pattern, inc):
                seen_doors.add(door)
                if path != door:
                    bad.append(f"{path}: includes <{inc}>, which only {door} may")
        if inc.startswith("longmix/"):
            name = inc[len("longmix/"):-2]
            if name not in LAYERS:
                bad.append(f"{path}: includes {inc}, which is in no layer")
            elif in_library and ORDER.index(LAYERS[name]) > ORDER.index(LAYERS[mine]):
                bad.append(f"{path} ({LAYERS[mine]}): includes {inc} ({LAYERS[name]}), a layer above its own")
        elif inc.endswith("_internal.h"):
            if not in_library or module("lib/" + inc) != mine:
                bad.append(f"{path}: includes {inc}, which is private to another module")
        elif path.startswith("tools/") and inc in ("cli.h", "model_options.h"):
            pass
        elif os.path.exists("lib/" + inc) or os.path.exists("tools/" + inc):
            bad.append(f"{path}: includes \"{inc}\"")

# The trainer: its model knows backends by their table alone, and a backend knows the model not at all.
TRAIN = set("err buf rng hash endian threads progress json shard tokenizer zio".split())
BACKEND = set("err endian hash rng".split())
GPU = {r"cudnn.*\.h": "train/cuda/sdpa.c", r"cublas.*\.h": "train/cuda/products.c"}
for path in sorted(glob.glob("train/*.[ch]") + glob.glob("train/*/*.[ch]") + glob.glob("train/*/*.cu*")):
    room = path.split("/")[1] if path.count("/") > 1 else None
    text = open(path, encoding="utf-8").read()
    if "#pragma omp" in text and room != "cpu":
        bad.append(f"{path}: OpenMP is used in train/cpu alone")
    for inc in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, flags=re.M):
        if inc.startswith("longmix/") and inc[len("longmix/"):-2] not in (BACKEND if room else TRAIN):
            bad.append(f"{path}: includes {inc}, which is closed to it")
        elif inc.startswith("train/") and room and inc not in ("train/backend.h", "train/comm.h") and not inc.startswith(f"train/{room}/"):
            bad.append(f"{path}: includes {inc}; a backend knows train/backend.h and train/comm.h alone")
        elif inc.startswith("train/") and not room and inc.count("/") > 1:
            bad.append(f"{path}: includes {inc}, which is private to a backend")
        elif inc == "nccl.h" and path != "train/cuda/comm_nccl.c":
            bad.append(f"{path}: includes <nccl.h>, which only train/cuda/comm_nccl.c may")
        elif inc == "mpi.h" and path != "train/comm_mpi.c":
            bad.append(f"{path}: includes <mpi.h>, which only train/comm_mpi.c may")
        elif inc.startswith("cuda") and room != "cuda":
            bad.append(f"{path}: includes <{inc}>, which only train/cuda may")
        elif any(re.fullmatch(pattern, inc) and path != door for pattern, door in GPU.items()):
            bad.append(f"{path}: includes <{inc}>, which has a file of its own in train/cuda")
        elif inc == "cblas.h" and path != "train/cpu/cpu.h":
            bad.append(f"{path}: includes <cblas.h>, which only train/cpu/cpu.h may")
        elif any(re.fullmatch(pattern, inc) for pattern in DOORS):
            bad.append(f"{path}: includes <{inc}>, which the trainer may not")

# The evaluations: above the trainer, which they know by four headers.
EVAL = set("err buf rng hash json progress tokenizer shard store threads zio unicode endian version".split())
EVAL_TRAIN = set("infer config backend attn_map".split())
for path in sorted(glob.glob("eval/*.[ch]")):
    text = open(path, encoding="utf-8").read()
    if "#pragma omp" in text:
        bad.append(f"{path}: OpenMP is used below it")
    for inc in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, flags=re.M):
        if inc.startswith("longmix/") and inc[len("longmix/"):-2] not in EVAL:
            bad.append(f"{path}: includes {inc}, which is closed to it")
        elif inc.startswith("train/") and inc[len("train/"):-2] not in EVAL_TRAIN:
            bad.append(f"{path}: includes {inc}, which is closed to it")
        elif any(re.fullmatch(pattern, inc) for pattern in DOORS) or inc == "cblas.h":
            bad.append(f"{path}: includes <{inc}>, which the evaluations may not")
for path in sorted(glob.glob("lib/*") + glob.glob("include/longmix/*.h") + glob.glob("train/*.[ch]") + glob.glob("train/*/*.[ch]")):
    if re.search(r'^\s*#\s*include\s*"eval/', open(path, encoding="utf-8").read(), flags=re.M):
        bad.append(f"{path}: includes eval/, which is above it")
RUN_MODELS = [f"tools/{name}" for name in ("lmtrain.c", "lmimport.c", "lmgen.c", "lmeval.c", "model_options.c", "model_options.h")]
for path in sorted(glob.glob("lib/*") + glob.glob("include/longmix/*.h") + glob.glob("tools/*.[ch]")):
    text = open(path, encoding="utf-8").read()
    used = re.findall(r'^\s*#\s*include\s*"(train/[^"]+)"', text, flags=re.M)
    if used and path not in RUN_MODELS:
        bad.append(f"{path}: includes {used[0]}: the trainer is above it")
    used = re.findall(r'^\s*#\s*include\s*"(eval/[^"]+)"', text, flags=re.M)
    if used and path != "tools/lmeval.c":
        bad.append(f"{path}: includes {used[0]}: the evaluations are above it")

# Figures know the format of results, not the programs that write them.
FIGURES = set("err buf hash json plot zio".split())
for path in sorted(glob.glob("figures/*.[ch]")):
    for inc in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', open(path, encoding="utf-8").read(), flags=re.M):
        if inc.startswith("longmix/") and inc[len("longmix/"):-2] not in FIGURES:
            bad.append(f"{path}: includes {inc}, which is closed to it")
        elif "/" in inc and not inc.startswith(("longmix/", "figures/")) or any(re.fullmatch(p, inc) for p in DOORS):
            bad.append(f"{path}: includes {inc}, which is closed to it")
for path in sorted(glob.glob("lib/*") + glob.glob("include/longmix/*.h") + glob.glob("train/*.[ch]") + glob.glob("tools/*.[ch]")):
    used = re.findall(r'^\s*#\s*include\s*"(figures/[^"]+)"', open(path, encoding="utf-8").read(), flags=re.M)
    if used and (path, used) != ("tools/lmplot.c", ["figures/figures.h"]):
        bad.append(f"{path}: includes {used[0]}, which only lmplot may")

if len(LAYERS) < 20:
    bad.append(f"docs/architecture.md: only {len(LAYERS)} modules found in its table of layers")
for line in bad:
    print(line)
print(f"{len(LAYERS)} modules in {len(ORDER)} layers, {len(seen_doors)} doors, {len(bad)} breaches")
sys.exit(1 if bad else 0)
PY
