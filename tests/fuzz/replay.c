/* replay.c -- feed files to a fuzz target: the corpus is replayed by `make check`, without
 * libFuzzer. Exits 1 if a file cannot be read; the target aborts if it finds a fault. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) return perror(argv[i]), 1;
        uint8_t *data = NULL;
        size_t size = 0, cap = 0, n;
        do {
            if (size == cap && !(data = realloc(data, cap = cap * 2 + 4096)))
                return perror("realloc"), 1;
            n = fread(data + size, 1, cap - size, f);
            size += n;
        } while (n);
        fclose(f);
        /* A block of exactly `size` bytes, so that a sanitizer sees a read past the end. */
        uint8_t *exact = malloc(size ? size : 1);
        if (!exact) return perror("malloc"), 1;
        for (size_t k = 0; k < size; k++) exact[k] = data[k];
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        free(data);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
