/* Reads a file of options and says whether the library takes it. */
#include <alterrec/alterrec.h>
#include <stdio.h>

int main(int argc, char **argv) {
    alterrec_config *config = NULL;
    alterrec_status status = alterrec_config_create(&config);
    if (status == ALTERREC_OK && argc == 2)
        status = alterrec_config_read(config, argv[1]);
    alterrec_config_free(config);
    if (status != ALTERREC_OK)
        fprintf(stderr, "%s\n", alterrec_last_error());
    return status != ALTERREC_OK;
}
