# examples/read_shards.c compiles as its head says and reads what lmpack wrote.
case $LM_BUILD in */asan | */ubsan | */tsan) echo "a sanitizer's library needs its flags" >&2; exit 77 ;; esac
g=$LM_SRC/tests/golden/shard-v1
${CC:-gcc} -Wall -Wextra -Werror -I"$LM_SRC/include" "$LM_SRC/examples/read_shards.c" "$LM_BUILD/liblongmix.a" \
    -ljansson -lzstd -lz -lxxhash -lm -fopenmp
./a.out "$g/best-fit" 2
status=0
./a.out "$g/best-fit" 4 2>> /dev/stdout || status=$?
[ $status = 1 ]
