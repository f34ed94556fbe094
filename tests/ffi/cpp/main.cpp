#include "check.hpp"

void test_data();
void test_training();
void test_serving();
void test_live_sessions();

int main() {
    test_data();
    test_training();
    test_serving();
    test_live_sessions();
    std::printf("alterrec.hpp: %d checks, %d failed\n", check::done, check::failures);
    return check::failures != 0;
}
