#include "check.h"
#include "lib/base/rng.h"

/* The same function written out: the finaliser step by step. */
static uint64_t slow_mix1(uint64_t z)
{
    z ^= z >> 30;
    z *= 0xbf58476d1ce4e5b9ull;
    z ^= z >> 27;
    z *= 0x94d049bb133111ebull;
    z ^= z >> 31;
    return z;
}

static void known_values(void)
{
    /* SplitMix64's published first outputs for seed 1234567: mix1 of the seed plus multiples of
     * the golden ratio. */
    const uint64_t g = 0x9e3779b97f4a7c15ull, seed = 1234567;
    CHECK_EQ(lm_mix64(seed + g), 6457827717110365317ull);
    CHECK_EQ(lm_mix64(seed + 2 * g), 3203168211198807973ull);
    CHECK_EQ(lm_mix64(seed + 3 * g), 9817491932198370423ull);
    uint64_t z = 1;
    for (int i = 0; i < 1000; i++, z = z * 6364136223846793005ull + 1)
        CHECK_EQ(lm_mix64(z), slow_mix1(z));
}

static void scaling(void)
{
    CHECK_EQ(lm_scale(0, 7), 0);
    CHECK_EQ(lm_scale(UINT64_MAX, 7), 6);
    CHECK_EQ(lm_scale(UINT64_C(1) << 63, 7), 3);
    CHECK_EQ(lm_scale(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    CHECK_EQ(lm_scale(UINT64_MAX, 0), 0);
}

static void every_argument_counts(void)
{
    uint64_t v = lm_hash4(1, 2, 3, 4);
    CHECK(v != lm_hash4(2, 2, 3, 4) && v != lm_hash4(1, 3, 3, 4) && v != lm_hash4(1, 2, 4, 4) &&
          v != lm_hash4(1, 2, 3, 5));
    CHECK(v != lm_hash4(1, 3, 2, 4) && v != lm_hash4(2, 1, 3, 4) && v != lm_hash4(1, 2, 4, 3));
    CHECK_EQ(v, lm_hash4(1, 2, 3, 4));
}

/* 2^18 values in 256 bins, for each argument: chi-square with 255 degrees of freedom stays
 * between its 1e-6 quantiles (165 and 372). */
static void uniform(void)
{
    for (int arg = 0; arg < 4; arg++) {
        double boxes[256] = { 0 }, chi = 0, mean = 0;
        const int n = 1 << 18;
        for (int i = 0; i < n; i++) {
            uint64_t a[4] = { 9, 9, 9, 9 };
            a[arg] = (uint64_t)i;
            double u = lm_unit(lm_hash4(a[0], a[1], a[2], a[3]));
            CHECK(u >= 0 && u < 1);
            boxes[(int)(u * 256)]++;
            mean += u / n;
        }
        for (int b = 0; b < 256; b++)
            chi += (boxes[b] - n / 256.0) * (boxes[b] - n / 256.0) / (n / 256.0);
        CHECK(chi > 165 && chi < 372);
        CHECK(mean > 0.497 && mean < 0.503);
    }
    CHECK(lm_unit(0) == 0 && lm_unit(UINT64_MAX) < 1);
}

int main(void)
{
    known_values();
    scaling();
    every_argument_counts();
    uniform();
    CHECK_END();
}
