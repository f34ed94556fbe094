/* The layout of every public struct, and the value of every constant, as they were when layout.inc
 * was written: what is in a host's binary already. A struct may have grown since, at its end. What
 * is changed on purpose (docs/abi-policy.md): cmake --build FOLDER --target abi_update. */
#include <alterrec/alterrec.h>

#define CONSTANT(name, value)                                                                      \
    _Static_assert(name == (value), #name " is another number");                                   \
    _Static_assert(name >= -1000, #name " is where hosts have their own numbers");
#define STRUCT(type, size)                                                                         \
    _Static_assert(sizeof(type) >= (size), #type " has shrunk");                                   \
    _Static_assert(offsetof(type, struct_size) == 0, #type " does not begin with its size");
#define FIELD(type, field_type, field, offset, size)                                               \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved");              \
    _Static_assert(sizeof(((type *)0)->field) == (size), #type "." #field " has another size");    \
    _Static_assert(_Generic(((type *)0)->field, field_type : 1, default : 0),                      \
                   #type "." #field " is no " #field_type);

#include "layout.inc"
