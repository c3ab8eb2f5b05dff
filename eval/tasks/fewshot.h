/* fewshot.h -- the parts of the few-shot evaluation that need no model. */
#ifndef EVAL_TASKS_FEWSHOT_H
#define EVAL_TASKS_FEWSHOT_H

/* What ChunkLlama's script keeps of an answer: the first of the pieces between "Question:" that has
 * more than one character besides line feeds; all of it where none has. Cuts `answer` and returns
 * the piece. */
char *fewshot_piece(char *answer);

#endif
