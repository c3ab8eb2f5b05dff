#include "check.h"
#include "longmix/version.h"

int main(void)
{
    CHECK_STR(lm_version(), LM_VERSION);
    CHECK(lm_commit()[0] != '\0');
    /* Part of a JSON line and of a command's output: no quote, space or control character. */
    CHECK(lm_commit()[strcspn(lm_commit(), "\"\\ \t\n")] == '\0');
    CHECK_END();
}
