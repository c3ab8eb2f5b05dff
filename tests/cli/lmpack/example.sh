# examples/read_shards.c reads what lmpack wrote (examples/library.sh compiles it with pkg-config).
case $LM_BUILD in */build) ;; *) echo "only the plain build makes a shared library" >&2; exit 77 ;; esac
${CC:-gcc} -Wall -Wextra -Werror -I"$LM_SRC/include" "$LM_SRC/examples/read_shards.c" \
    "$LM_BUILD/liblongmix.so.0" -Wl,-rpath,"$LM_BUILD"
for v in 1 2; do
    g=$LM_SRC/tests/golden/shard-v$v
    ./a.out "$g/best-fit" 2
done
status=0
./a.out "$g/best-fit" 4 2>> /dev/stdout || status=$?
[ $status = 1 ]
