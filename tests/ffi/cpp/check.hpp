/* A test that goes on after a failed check, and counts. */
#pragma once

#include <cstdio>

namespace check {

inline int failures = 0;
inline int done = 0;

inline void that(bool holds, const char *text, const char *file, int line) {
    done++;
    if (holds)
        return;
    failures++;
    std::fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

} // namespace check

#define CHECK(...) check::that((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

/* The statement throws an Exception for which the condition, of `caught`, holds. */
#define CHECK_THROWS(Exception, statement, condition)                                              \
    do {                                                                                           \
        bool holds = false;                                                                        \
        try {                                                                                      \
            statement;                                                                             \
        } catch (const Exception &caught) {                                                        \
            holds = (condition);                                                                   \
        }                                                                                          \
        CHECK(holds &&#statement);                                                                 \
    } while (0)
