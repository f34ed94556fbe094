/* Adam: steps that can be done by hand, and many against a naive one in double. */
#include "core/memory.h"
#include "core/threads.h"
#include "nn/adam.h"
#include "support/numbers.h"

#include <math.h>
#include <string.h>

/* With lr 1 and betas 0 a step is gradient / (|gradient| + epsilon). */
START_TEST(step_by_hand) {
    float parameters[] = {10.0f, 10.0f, 10.0f, 10.0f, 10.0f};
    const float diff[] = {4.0f, -0.5f, 0.0f, 1.0f, -3.0f};
    const double expected[] = {10.0 - 4.0 / 5.0, 10.0 + 0.5 / 1.5, 10.0, 9.5, 10.75};
    ar_adam adam;
    ar_adam_options options = {.learning_rate = 1.0, .epsilon = 1.0};
    MUST(ar_adam_create(&adam, 5));
    ar_adam_step(&adam, parameters, diff, &options);
    check_near("parameters", parameters, expected, 5, 1e-7);
    ck_assert_int_eq(adam.steps, 1);
    ar_adam_free(&adam);
}
END_TEST

/* The first step's bias correction makes it lr * sign(gradient), whatever the gradient's size. */
START_TEST(first_step_is_the_learning_rate) {
    float parameters[] = {0.0f, 0.0f, 0.0f};
    const float diff[] = {1e-3f, -1e3f, 7.0f};
    const double expected[] = {-0.01, 0.01, -0.01};
    ar_adam adam;
    ar_adam_options options = {0.01, 0.9, 0.999, 1e-8, 0.0};
    MUST(ar_adam_create(&adam, 3));
    ar_adam_step(&adam, parameters, diff, &options);
    check_near("parameters", parameters, expected, 3, 2e-5);
    ar_adam_free(&adam);
}
END_TEST

/* Counts on both sides of the ranges that threads take. */
START_TEST(many_steps_are_naive_steps) {
    enum { STEPS = 40, RANGE = 1 << 14 };
    static const int64_t counts[] = {1, 31, RANGE - 1, RANGE, RANGE + 1, 2 * RANGE + 17};
    static const double decays[] = {0.0, 0.01};
    int64_t count = counts[_i / 2];
    ar_adam_options o = {1e-2, 0.9, 0.999, 1e-8, decays[_i % 2]};
    ar_random random;
    ar_random_seed(&random, 8);
    ar_adam adam, alone;
    MUST(ar_adam_create(&adam, count));
    MUST(ar_adam_create(&alone, count));
    float *parameters = random_floats(count, &random), *copy = ar_new(count, sizeof *copy);
    memcpy(copy, parameters, (size_t)count * sizeof *copy);
    double *p = to_doubles(parameters, count);
    double *first = ar_new(count, sizeof *first), *second = ar_new(count, sizeof *second);
    for (int step = 1; step <= STEPS; step++) {
        float *diff = random_floats(count, &random);
        for (int64_t i = 0; i < count; i++) {
            double gradient = (double)diff[i] + o.weight_decay * p[i];
            first[i] = o.beta1 * first[i] + (1.0 - o.beta1) * gradient;
            second[i] = o.beta2 * second[i] + (1.0 - o.beta2) * gradient * gradient;
            p[i] -= o.learning_rate * first[i] / (1.0 - pow(o.beta1, step)) /
                    (sqrt(second[i] / (1.0 - pow(o.beta2, step))) + o.epsilon);
        }
        int before = ar_threads_enter(3);
        ar_adam_step(&adam, parameters, diff, &o);
        (void)ar_threads_enter(1);
        ar_adam_step(&alone, copy, diff, &o);
        ar_threads_leave(before);
        ar_free(diff);
    }
    check_near("parameters", parameters, p, count, 2e-6);
    check_near("first moments", adam.first, first, count, 2e-6);
    check_near("second moments", adam.second, second, count, 2e-6);
    ck_assert(same_bits(parameters, copy, count)); /* any number of threads */
    ar_free(parameters);
    ar_free(copy);
    ar_free(p);
    ar_free(first);
    ar_free(second);
    ar_adam_free(&adam);
    ar_adam_free(&alone);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("adam");
    tcase_add_test(group, step_by_hand);
    tcase_add_test(group, first_step_is_the_learning_rate);
    tcase_add_loop_test(group, many_steps_are_naive_steps, 0, 12);
    return run_tests(group, "adam");
}
