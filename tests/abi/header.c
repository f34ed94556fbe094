/* The public header as the first and only one, in whatever language and standard; by -Wpadded no
 * struct in it has a hole. What is in the structs: layout.c. */
#include <alterrec/alterrec.h>

int every_handle_is_declared(const alterrec_config *config, const alterrec_model *model);
int every_handle_is_declared(const alterrec_config *config, const alterrec_model *model) {
    return config != NULL && model != NULL;
}
