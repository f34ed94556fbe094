/* A host that knows the installed library alone: C99, built by pkg-config and by find_package. */
#include <alterrec/alterrec.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    if (alterrec_version() / 1000000 != ALTERREC_VERSION_MAJOR)
        return 1;
    const char *info = alterrec_build_info();
    if (info == NULL || strlen(info) == 0)
        return 2;
    if (strcmp(alterrec_status_name(ALTERREC_ERROR_IO), "IO") != 0)
        return 3;

    alterrec_catalog *catalog = NULL;
    const char *keys[] = {"cup", "saucer", "spoon"};
    if (alterrec_catalog_create(&catalog, keys, NULL, 3) != ALTERREC_OK)
        return 4;
    int32_t found = alterrec_catalog_find(catalog, "saucer");
    alterrec_catalog_free(catalog);
    if (found != 1)
        return 5;
    printf("%s\n", info);
    return 0;
}
