/* Ranks in a build without MPI: one process trains alone; several under a launcher are refused. */
#include "check.h"
#include "train/comm/comm.h"

int main(void)
{
    comm *c = NULL;
    backend *b = NULL;
    double x = 3;
    NEED(bk_cpu_open(&b, 1) == 0);
    unsetenv("OMPI_COMM_WORLD_SIZE");
    unsetenv("PMI_SIZE");
    unsetenv("SLURM_STEP_NUM_TASKS");
    CHECK_OK(comm_open(&c, COMM_AUTO));
    CHECK(c == comm_alone() && c->size == 1 && c->rank == 0);
    CHECK_OK(comm_attach(&c, b, COMM_AUTO));
    CHECK(c->sum(c, &x, 1) == 0 && x == 3);
    CHECK_OK(comm_agree(c, LM_OK));
    lm_err_set("kept");
    CHECK(comm_agree(c, LM_EDATA) == LM_EDATA && !strcmp(lm_err(), "kept"));
    c->close(c);

    CHECK(comm_open(&c, COMM_MPI) == LM_EUSAGE && strstr(lm_err(), "--comm mpi"));
    CHECK(comm_open(&c, COMM_NCCL) == LM_EUSAGE && strstr(lm_err(), "make MPI=1"));
    setenv("PMI_SIZE", "1", 1);
    CHECK_OK(comm_open(&c, COMM_AUTO));
    setenv("SLURM_STEP_NUM_TASKS", "8", 1);
    CHECK(comm_open(&c, COMM_AUTO) == LM_EUSAGE && strstr(lm_err(), "8 processes"));
    CHECK_OK(comm_open(&c, COMM_NONE)); /* independent processes */
    CHECK(comm_attach(&c, b, COMM_NCCL) == LM_EUSAGE && strstr(lm_err(), "for GPUs"));
    b->unified = false;
    CHECK(comm_attach(&c, b, COMM_MPI) == LM_EUSAGE && strstr(lm_err(), "needs nccl"));
    b->close(b);
    CHECK_END();
}
