/* The program's charts: ticks that people would choose, text that is escaped, gaps, labels apart.
 */
#include "report_svg.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *drawn;
static size_t drawn_size;
static FILE *stream;

static void set_up(void) {
    stream = open_memstream(&drawn, &drawn_size);
    ck_assert_ptr_nonnull(stream);
}

static void tear_down(void) {
    if (stream != NULL)
        fclose(stream);
    stream = NULL;
    free(drawn);
    drawn = NULL;
}

static const char *finish(void) {
    ck_assert_int_eq(fclose(stream), 0);
    stream = NULL;
    return drawn;
}

static void check_axis(svg_axis axis, double low, double high, double step, int decimals) {
    ck_assert_double_eq_tol(axis.low, low, 1e-9 * fmax(1, fabs(low)));
    ck_assert_double_eq_tol(axis.high, high, 1e-9 * fmax(1, fabs(high)));
    ck_assert_double_eq_tol(axis.step, step, 1e-12 * fmax(1, step));
    ck_assert_int_eq(axis.decimals, decimals);
}

START_TEST(test_ticks_are_round) {
    check_axis(svg_axis_round(0, 0.6541, 5), 0, 0.7, 0.1, 1);
    check_axis(svg_axis_round(3.25, 6.8, 5), 3, 7, 0.5, 1);
    check_axis(svg_axis_round(0.5059, 0.6575, 5), 0.50, 0.66, 0.02, 2);
    check_axis(svg_axis_round(-120, 480, 5), -200, 500, 100, 0);
    check_axis(svg_axis_round(0, 1, 5), 0, 1, 0.2, 1);
    check_axis(svg_axis_round(0.00012, 0.00031, 5), 0.0001, 0.00035, 0.00005, 5);
}
END_TEST

START_TEST(test_one_value_has_room) {
    svg_axis axis = svg_axis_round(2, 2, 5);
    ck_assert(axis.low < 2 && axis.high > 2 && axis.step > 0);
    axis = svg_axis_round(0, 0, 5);
    ck_assert(axis.low < 0 && axis.high > 0 && axis.step > 0);
}
END_TEST

START_TEST(test_places_are_whole) {
    svg_axis axis = svg_axis_places(1, 1, 8);
    check_axis(axis, 0.5, 1.5, 1, 0);
    check_axis(svg_axis_places(1, 8, 8), 0.5, 8.5, 1, 0);
    check_axis(svg_axis_places(1, 30, 8), 0.5, 30.5, 5, 0);
}
END_TEST

START_TEST(test_text_is_escaped) {
    svg_text(stream, "<a href=\"x\">&\x01\x7F\xEF\xBF\xBF\xC3\xA4\t</a>");
    ck_assert_str_eq(finish(), "&lt;a href=&quot;x&quot;&gt;&amp;\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF"
                               "\xBD\xC3\xA4\t&lt;/a&gt;");
}
END_TEST

static svg_chart open_chart(void) {
    svg_chart chart;
    const svg_margins margins = {.left = 40, .right = 40, .top = 10, .bottom = 10};
    svg_open(&chart, stream, "c", "T & t", "about", margins, 100);
    chart.x = (svg_axis){.low = 0, .high = 4, .step = 1};
    chart.y = (svg_axis){.low = 0, .high = 1, .step = 0.5, .decimals = 1};
    return chart;
}

START_TEST(test_line_has_gaps) {
    const double x[] = {0, 1, 2, 3, 4};
    const double y[] = {0, 1, (double)NAN, 0.5, 0};
    svg_chart chart = open_chart();
    svg_line(&chart, x, y, 5, "fused", 0);
    svg_close(&chart);
    const char *text = finish();
    ck_assert_ptr_nonnull(strstr(text, "<title id=\"c-title\">T &amp; t</title>"));
    ck_assert_ptr_nonnull(strstr(text, "d=\"M40.0,110.0L140.0,10.0M340.0,60.0L440.0,110.0\""));
    int dots = 0;
    for (const char *at = text; (at = strstr(at, "class=\"dot fused\"")) != NULL; at++)
        dots++;
    ck_assert_int_eq(dots, 4);
    ck_assert_ptr_null(strstr(text, "nan"));
}
END_TEST

START_TEST(test_labels_stand_apart) {
    svg_label labels[] = {{.text = "low", .class_name = "label", .y = 0},
                          {.text = "none", .class_name = "label", .y = (double)NAN},
                          {.text = "high", .class_name = "label", .y = 0.02},
                          {.text = "mid", .class_name = "label", .y = 0.01}};
    svg_chart chart = open_chart();
    svg_labels(&chart, labels, 4);
    const char *text = finish();
    ck_assert_ptr_null(strstr(text, "none"));
    const char *high = strstr(text, "y=\"84.0\"");
    const char *mid = strstr(text, "y=\"99.0\"");
    const char *low = strstr(text, "y=\"114.0\"");
    ck_assert(high != NULL && mid != NULL && low != NULL);
    ck_assert(strncmp(strchr(high, '>'), ">high<", 6) == 0);
    ck_assert(strncmp(strchr(mid, '>'), ">mid<", 5) == 0);
    ck_assert(strncmp(strchr(low, '>'), ">low<", 5) == 0);
}
END_TEST

START_TEST(test_axes_name_their_ticks) {
    svg_chart chart = open_chart();
    svg_axes(&chart, "epoch", "loss");
    const char *text = finish();
    static const char *const ticks[] = {">0.0<", ">0.5<",   ">1.0<", ">0<",
                                        ">4<",   ">epoch<", ">loss<"};
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++)
        ck_assert_msg(strstr(text, ticks[i]) != NULL, "no %s", ticks[i]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("report_svg");
    TCase *cases = tcase_create("report_svg");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_ticks_are_round);
    tcase_add_test(cases, test_one_value_has_room);
    tcase_add_test(cases, test_places_are_whole);
    tcase_add_test(cases, test_text_is_escaped);
    tcase_add_test(cases, test_line_has_gaps);
    tcase_add_test(cases, test_labels_stand_apart);
    tcase_add_test(cases, test_axes_name_their_ticks);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
