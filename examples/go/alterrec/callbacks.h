/* C's side of the callbacks: the functions that the library calls, which call Go with the handle of
 * a callback. A handle of 0 stands for no callback. */
#ifndef CALLBACKS_H
#define CALLBACKS_H

#include <alterrec/alterrec.h>
#include <stdlib.h>

alterrec_status trainer_on_progress(alterrec_trainer *trainer, uintptr_t handle);
alterrec_status trainer_on_fusion(alterrec_trainer *trainer, uintptr_t handle);
alterrec_status trainer_on_schedule(alterrec_trainer *trainer, uintptr_t handle);
alterrec_status trainer_on_negatives(alterrec_trainer *trainer, uintptr_t handle);
alterrec_status trainer_on_log(alterrec_trainer *trainer, uintptr_t handle);
alterrec_status evaluator_on_progress(alterrec_evaluator *evaluator, uintptr_t handle);
alterrec_status evaluator_on_fusion(alterrec_evaluator *evaluator, uintptr_t handle);
void search_by_fusion(alterrec_search *search, uintptr_t handle);

#endif
