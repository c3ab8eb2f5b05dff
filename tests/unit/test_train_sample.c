/* Tokens sampled from logits: argmax, frequencies of the softmax, top-k and top-p. */
#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/infer/sample.h"

enum { VOCAB = 50, DRAWS = 40000 };

static float logits[VOCAB];
static tr_candidate scratch[VOCAB];
static size_t drawn[VOCAB];

static void draw(tr_sampling how)
{
    memset(drawn, 0, sizeof drawn);
    for (uint64_t i = 0; i < DRAWS; i++) {
        int id = tr_sample(&how, logits, VOCAB, i, scratch);
        NEED(id >= 0 && id < VOCAB);
        drawn[id]++;
    }
}

/* Frequencies match the softmax of the tokens not cut, within 5 standard deviations. */
static void check_shares(double temperature, const int *cut)
{
    double all = 0;
    for (size_t i = 0; i < VOCAB; i++)
        if (!cut[i]) all += exp((double)logits[i] / temperature);
    for (size_t i = 0; i < VOCAB; i++) {
        double p = cut[i] ? 0 : exp((double)logits[i] / temperature) / all;
        double off = fabs((double)drawn[i] / DRAWS - p);
        CHECK(off <= 5 * sqrt(p * (1 - p) / DRAWS));
    }
}

/* Tokens after `rank` more probable ones, or after a probability mass of `share`, are cut. */
static void cuts(int *cut, size_t rank, double share, double temperature)
{
    double p[VOCAB], all = 0;
    for (size_t i = 0; i < VOCAB; i++) {
        size_t before = 0;
        for (size_t k = 0; k < VOCAB; k++)
            before += logits[k] > logits[i] || (logits[k] == logits[i] && k < i);
        cut[i] = before >= rank;
        p[i] = cut[i] ? 0 : exp((double)logits[i] / temperature);
        all += p[i];
    }
    for (size_t i = 0; i < VOCAB; i++) {
        double likelier = 0;
        for (size_t k = 0; k < VOCAB; k++)
            if (logits[k] > logits[i] || (logits[k] == logits[i] && k < i)) likelier += p[k];
        cut[i] |= likelier > 0 && likelier >= share * all;
    }
}

int main(void)
{
    int cut[VOCAB] = { 0 };
    for (size_t i = 0; i < VOCAB; i++) logits[i] = (float)(4 * lm_unit(lm_hash4(1, i, 0, 0)));
    logits[17] = logits[30] = 4.5f;

    draw((tr_sampling){ .temperature = 0, .top_p = 1 });
    CHECK_EQ(drawn[17], DRAWS); /* the first of the two */
    draw((tr_sampling){ .temperature = 1, .top_p = 1, .seed = 3 });
    check_shares(1, cut);
    draw((tr_sampling){ .temperature = 0.4, .top_p = 1, .seed = 4 });
    check_shares(0.4, cut);
    cuts(cut, 5, 1, 1);
    draw((tr_sampling){ .temperature = 1, .top_k = 5, .top_p = 1 });
    check_shares(1, cut);
    cuts(cut, VOCAB, 0.6, 1.5);
    draw((tr_sampling){ .temperature = 1.5, .top_p = 0.6 });
    check_shares(1.5, cut);
    cuts(cut, 12, 0.5, 1);
    draw((tr_sampling){ .temperature = 1, .top_k = 12, .top_p = 0.5 });
    check_shares(1, cut);
    draw((tr_sampling){ .temperature = 2, .top_p = 0 });
    CHECK_EQ(drawn[17], DRAWS);
    draw((tr_sampling){ .temperature = 2, .top_k = 1, .top_p = 1 });
    CHECK_EQ(drawn[17], DRAWS);
    draw((tr_sampling){ .temperature = 1e-6, .top_p = 1 });
    CHECK_EQ(drawn[17] + drawn[30], DRAWS);

    /* A function of seed and step. */
    tr_sampling how = { .temperature = 1, .top_p = 0.9, .seed = 8 }, other = how;
    other.seed = 9;
    size_t same = 0, alike = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        int id = tr_sample(&how, logits, VOCAB, i, scratch);
        same += id == tr_sample(&how, logits, VOCAB, i, scratch);
        alike += id == tr_sample(&other, logits, VOCAB, i, scratch);
    }
    CHECK(same == 1000 && alike < 500);

    /* Log-probabilities are those of the softmax, also where exp() of a logit overflows. */
    double total = 0;
    for (int32_t i = 0; i < VOCAB; i++) total += exp(tr_logprob(logits, VOCAB, i));
    CHECK(fabs(total - 1) < 1e-12);
    CHECK(fabs(tr_logprob((const float[]){ 3000, 3001 }, 2, 0) + 1.3132616875182228) < 1e-12);

    logits[9] = NAN;
    CHECK(tr_sample(&how, logits, VOCAB, 0, scratch) == LM_EDATA && strstr(lm_err(), "9"));
    logits[9] = INFINITY;
    CHECK(tr_sample(&how, logits, VOCAB, 0, scratch) == LM_EDATA);
    CHECK_END();
}
