#include "callbacks.h"

#include "_cgo_export.h"

static int32_t progress(const alterrec_progress *now, void *handle) {
    return goProgress((alterrec_progress *)now, (uintptr_t)handle);
}

static int32_t fusion(const alterrec_fusion_tile *tile, void *handle) {
    return goFusion((alterrec_fusion_tile *)tile, (uintptr_t)handle);
}

static int32_t schedule(alterrec_plan *plan, const alterrec_epoch_report *last, void *handle) {
    return goSchedule(plan, (alterrec_epoch_report *)last, (uintptr_t)handle);
}

static int32_t negatives(int32_t *filled, const alterrec_examples *examples, int64_t per_example,
                         void *handle) {
    return goNegatives(filled, (alterrec_examples *)examples, per_example, (uintptr_t)handle);
}

static int32_t log_line(int32_t level, const char *message, void *handle) {
    return goLog(level, (char *)message, (uintptr_t)handle);
}

alterrec_status trainer_on_progress(alterrec_trainer *trainer, uintptr_t handle) {
    return alterrec_trainer_on_progress(trainer, handle != 0 ? progress : NULL, (void *)handle);
}

alterrec_status trainer_on_fusion(alterrec_trainer *trainer, uintptr_t handle) {
    return alterrec_trainer_on_fusion(trainer, handle != 0 ? fusion : NULL, (void *)handle);
}

alterrec_status trainer_on_schedule(alterrec_trainer *trainer, uintptr_t handle) {
    return alterrec_trainer_on_schedule(trainer, handle != 0 ? schedule : NULL, (void *)handle);
}

alterrec_status trainer_on_negatives(alterrec_trainer *trainer, uintptr_t handle) {
    return alterrec_trainer_on_negatives(trainer, handle != 0 ? negatives : NULL, (void *)handle);
}

alterrec_status trainer_on_log(alterrec_trainer *trainer, uintptr_t handle) {
    return alterrec_trainer_on_log(trainer, handle != 0 ? log_line : NULL, (void *)handle);
}

alterrec_status evaluator_on_progress(alterrec_evaluator *evaluator, uintptr_t handle) {
    return alterrec_evaluator_on_progress(evaluator, handle != 0 ? progress : NULL, (void *)handle);
}

alterrec_status evaluator_on_fusion(alterrec_evaluator *evaluator, uintptr_t handle) {
    return alterrec_evaluator_on_fusion(evaluator, handle != 0 ? fusion : NULL, (void *)handle);
}

void search_by_fusion(alterrec_search *search, uintptr_t handle) {
    search->fusion = fusion;
    search->user_data = (void *)handle;
}
