#!/bin/bash
# usage: gpu-bundle.sh BUILD
# Create BUILD/bundle, which runs on a GPU machine without a compiler. It contains the programs and
# their shared libraries, except those of the system, CUDA and the driver. `bundle/run PROGRAM ...`
# finds these in LD_LIBRARY_PATH, the standard directories, or the PyTorch installation.
set -eu
build=${1:?the build folder}
to=$build/bundle
rm -rf "$to"
mkdir -p "$to/bin" "$to/lib"
cp "$build"/gpu/check_gpu "$build"/bench/bench_gpu "$build"/bin/lm{train,gen,eval,import} "$to/bin"
cp "$(dirname "$0")"/../bench/gpu{.sh,_peer.py} "$to"
for program in "$to"/bin/*; do
    strip --strip-debug "$program" 2>/dev/null || true
    ldd "$program" 2>/dev/null | awk '$3 ~ /^\// { print $3 }'
done | sort -u | while read -r lib; do
    case ${lib##*/} in
        libc.so.*|libm.so.*|libdl.so.*|librt.so.*|libpthread.so.*|ld-linux*|libresolv.so.*) ;;
        libstdc++*|libgcc_s*) ;;
        libcu*|libnv*|libnccl*) ;;
        *) cp -L "$lib" "$to/lib" ;;
    esac
done
cat > "$to/run" <<'RUN'
#!/bin/bash
# usage: run PROGRAM [ARGUMENT...]    run a program of this bundle
here=$(cd "$(dirname "$0")" && pwd)
path=${LD_LIBRARY_PATH:-}
for python in python3 python; do
    more=$("$python" - 2>/dev/null <<'PY'
import glob, os, site, sys
roots = site.getsitepackages() + [p for p in sys.path if p.endswith("-packages")]
names = ("libcudnn.so.9", "libcublasLt.so.*")
print(":".join(sorted({os.path.dirname(f) for r in roots for n in names
                       for f in glob.glob(os.path.join(r, "nvidia", "*", "lib", n))})))
PY
    ) && path=${path:+$path:}$more && break
done
export LD_LIBRARY_PATH=${path:+$path:}/usr/local/cuda/lib64:/usr/local/nvidia/lib64:$here/lib
exec "$here/bin/$1" "${@:2}"
RUN
chmod +x "$to/run"
du -sh "$to" | awk '{ print $2 ": " $1 }'
