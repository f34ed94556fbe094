/* The public header as the first and only one, in whatever language and standard. */
#include <alterrec/alterrec.h>

#define BEGINS_WITH_ITS_SIZE(type)                                                                 \
    typedef char type##_begins_with_its_size[offsetof(type, struct_size) == 0 ? 1 : -1]
BEGINS_WITH_ITS_SIZE(alterrec_option);
BEGINS_WITH_ITS_SIZE(alterrec_data_report);
BEGINS_WITH_ITS_SIZE(alterrec_tensor);
BEGINS_WITH_ITS_SIZE(alterrec_plan);
BEGINS_WITH_ITS_SIZE(alterrec_epoch_report);
BEGINS_WITH_ITS_SIZE(alterrec_progress);

/* Each struct is complete and, by -Wpadded, without a hole. */
struct every_public_struct {
    alterrec_option option;
    alterrec_data_report data_report;
    alterrec_tensor tensor;
    alterrec_plan plan;
    alterrec_epoch_report epoch_report;
    alterrec_progress progress;
};

int every_public_struct_is_complete(const struct every_public_struct *all);
int every_public_struct_is_complete(const struct every_public_struct *all) {
    return all->option.struct_size == sizeof all->option &&
           all->data_report.struct_size == sizeof all->data_report &&
           all->tensor.struct_size == sizeof all->tensor &&
           all->plan.struct_size == sizeof all->plan &&
           all->epoch_report.struct_size == sizeof all->epoch_report &&
           all->progress.struct_size == sizeof all->progress;
}
