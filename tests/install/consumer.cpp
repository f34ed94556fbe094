// The same from C++: the header compiles as C++11 and the names link as C.
#include <alterrec/alterrec.h>

#include <string>

int main() {
    alterrec_config *config = nullptr;
    if (alterrec_config_create(&config) != ALTERREC_OK)
        return 1;
    const char *value = nullptr;
    bool good = alterrec_config_set(config, "model.dim", "64") == ALTERREC_OK &&
                alterrec_config_get(&value, config, "model.dim") == ALTERREC_OK &&
                std::string(value) == "64";
    alterrec_config_free(config);
    return good ? 0 : 2;
}
