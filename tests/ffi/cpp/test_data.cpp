/* Spans, errors, handles, options and data through alterrec.hpp. */
#include "check.hpp"
#include "shop.hpp"

#include <array>
#include <clocale>
#include <cstdio>
#include <fstream>

namespace {

using alterrec::span;

std::int64_t sum(span<const std::int32_t> values) {
    std::int64_t total = 0;
    for (std::int32_t value : values)
        total += value;
    return total;
}

void spans_take_what_the_caller_has() {
    std::vector<std::int32_t> vector{1, 2, 3};
    const std::vector<std::int32_t> constant{1, 2};
    std::array<std::int32_t, 2> array{{4, 5}};
    std::int32_t plain[] = {6, 7, 8};
    CHECK(sum(vector) == 6);
    CHECK(sum(constant) == 3);
    CHECK(sum(array) == 9);
    CHECK(sum(plain) == 21);
    CHECK(sum({9, 10}) == 19);
    CHECK(sum({plain + 1, 2}) == 15);
    CHECK(sum({}) == 0);

    span<std::int32_t> written(vector);
    written[1] = 20;
    CHECK(vector[1] == 20 && written.back() == 3 && written.count() == 3 && !written.empty());
    CHECK(!std::is_convertible_v<std::vector<std::int64_t> &, span<std::int32_t>>);
    CHECK(!std::is_convertible_v<const std::vector<std::int32_t> &, span<std::int32_t>>);
}

void errors_have_status_and_text() {
    alterrec::config config = alterrec::config::create();
    CHECK_THROWS(alterrec::error, config.set("model.dimm", 3),
                 caught.status() == ALTERREC_ERROR_NOT_FOUND &&
                     std::string(caught.what()).find("model.dim") != std::string::npos &&
                     std::string(caught.status_name()) == "NOT_FOUND");
    CHECK_THROWS(std::runtime_error, config.set("model.dim", -3), caught.what()[0] != 0);

    alterrec::result<void> set = config.set("model.dim", "many", alterrec::nothrow);
    CHECK(!set && set.status() == ALTERREC_ERROR_INVALID_ARGUMENT && !set.text().empty());
    CHECK_THROWS(alterrec::error, std::move(set).value(),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK(config.set("model.dim", 48, alterrec::nothrow).ok());
    CHECK(config.get("model.dim") == "48");

    alterrec::result<alterrec::model> none =
        alterrec::model::load("no such file", alterrec::nothrow);
    CHECK(!none.ok() && none.status() == ALTERREC_ERROR_IO);
    CHECK_THROWS(alterrec::error, std::move(none).value(), caught.status() == ALTERREC_ERROR_IO);
    alterrec::result<std::string> some = config.get("model.dim", alterrec::nothrow);
    CHECK(some && *some == "48" && some->size() == 2 && some.text().empty());

    alterrec::batch empty;
    CHECK(!empty && empty.count() == 0);
    CHECK_THROWS(alterrec::error, empty.add({1}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
}

/* C would take the part before it for the whole. */
void a_string_with_a_0_is_refused() {
    const std::string key("model.dim\0x", 11), path("x\0y", 3);
    auto wrong = [](const alterrec::error &caught) {
        return caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT &&
               std::string(caught.what()).find("holds a 0") != std::string::npos;
    };
    alterrec::config config = alterrec::config::create();
    alterrec::catalog catalog = alterrec::catalog::create(3);
    alterrec::model model = alterrec::model::create(catalog);
    CHECK_THROWS(alterrec::error, config.set(key, 3), wrong(caught));
    CHECK_THROWS(alterrec::error, config.set("model.dim", std::string("4\0", 3)), wrong(caught));
    CHECK_THROWS(alterrec::error, (void)config.get(key), wrong(caught));
    CHECK_THROWS(alterrec::error, config.write(path), wrong(caught));
    CHECK_THROWS(alterrec::error, config.read(path), wrong(caught));
    CHECK(alterrec::catalog::read(path, {}, alterrec::nothrow).status() ==
          ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, catalog.read_features(path), wrong(caught));
    CHECK_THROWS(alterrec::error, (void)alterrec::sessions::read(catalog, path), wrong(caught));
    CHECK_THROWS(alterrec::error, model.save(path), wrong(caught));
    CHECK_THROWS(alterrec::error, (void)alterrec::model::load(path), wrong(caught));
    CHECK_THROWS(alterrec::error, (void)model.find_tensor(path), wrong(caught));
    CHECK_THROWS(alterrec::error, (void)alterrec::recommender::open(path), wrong(caught));
    CHECK(catalog.find("1") == 1 && !catalog.find(std::string("1\0", 2)));
    CHECK(config.get("model.dim") == "300");
}

/* Sizes whose product is too large to be compared with. */
void sizes_do_not_wrap() {
    alterrec::catalog catalog = alterrec::catalog::create(4);
    std::vector<float> values(4, 1.0f);
    const std::int64_t huge = std::int64_t{1} << 62;
    for (std::int64_t dim : {huge, huge + 1, std::int64_t{2}, std::int64_t{0}, std::int64_t{-1}})
        CHECK_THROWS(alterrec::error, catalog.set_features(values, dim),
                     std::string(caught.what()).find("[items, dim]") != std::string::npos);
    CHECK_THROWS(alterrec::error, catalog.set_features({}, huge),
                 std::string(caught.what()).find("[items, dim]") != std::string::npos);
    catalog.set_features(values, 1);
}

void handles_move() {
    alterrec::catalog first = alterrec::catalog::create(3);
    alterrec_catalog *handle = first.handle();
    alterrec::catalog second = std::move(first);
    CHECK(!first && second.handle() == handle);
    first = std::move(second);
    CHECK(first.handle() == handle && first.items() == 3);
    alterrec_catalog *mine = first.release();
    CHECK(!first && alterrec_catalog_items(mine) == 3);
    alterrec::catalog again(mine);
    CHECK(again.items() == 3);
    CHECK(!std::is_copy_constructible_v<alterrec::catalog>);
    CHECK(!std::is_copy_constructible_v<alterrec::trainer>);
    CHECK(std::is_nothrow_move_constructible_v<alterrec::trainer>);
}

void options_are_set_and_read() {
    alterrec::config config = alterrec::config::create();
    config.set("optimizer.learning_rate", 0.0125);
    config.set("text.tfidf", false);
    config.set("fusion.alpha", "auto");
    CHECK(config.get("optimizer.learning_rate") == "0.0125");
    CHECK(config.get("text.tfidf") == "false");

    /* A program's locale may write 0,0125. */
    std::locale before;
    struct comma : std::numpunct<char> {
        char do_decimal_point() const override {
            return ',';
        }
    };
    std::locale::global(std::locale(before, new comma));
    config.set("optimizer.learning_rate", 0.25);
    std::locale::global(before);
    CHECK(config.get("optimizer.learning_rate") == "0.25");

    alterrec::config copy = alterrec::config::clone(config);
    copy.read_text("model: {dim: 12}\n");
    CHECK(copy.get("model.dim") == "12" && config.get("model.dim") == "300");
    copy.write("options.yaml");
    alterrec::config read = alterrec::config::create();
    read.read("options.yaml");
    CHECK(read.get("model.dim") == "12" && read.get("fusion.alpha") == "auto");
    CHECK_THROWS(alterrec::error, read.read_text("model: {dim: x}\n"),
                 std::string(caught.what()).find("model.dim") != std::string::npos);
    CHECK_THROWS(alterrec::error, read.get("model"), caught.status() == ALTERREC_ERROR_NOT_FOUND);

    std::vector<alterrec::option> rows = alterrec::options();
    CHECK(static_cast<std::int64_t>(rows.size()) == alterrec_option_count());
    bool found = false;
    for (const alterrec::option &row : rows)
        found = found || (std::string(row.key) == "model.dim" && std::string(row.type) == "int");
    CHECK(found);
    CHECK(alterrec::version() / 1000000 == ALTERREC_VERSION_MAJOR);
    CHECK(alterrec::build_info()[0] != 0);
}

void catalogs() {
    const std::vector<std::string> keys{"cup", "pot", "rake"}, texts{"a cup", "", "garden rake"};
    alterrec::catalog catalog = alterrec::catalog::create(keys, texts);
    CHECK(catalog.items() == 3 && std::string(catalog.key(1)) == "pot");
    CHECK(std::string(catalog.text(2)) == "garden rake" && catalog.key(3) == nullptr);
    CHECK(catalog.find("rake") == 2 && !catalog.find("spade"));
    CHECK(catalog.features().empty());
    catalog.set_features({1, 2, 3, 4, 5, 6}, 2);
    CHECK(catalog.feature_dim() == 2 && catalog.features().size() == 6);
    CHECK(catalog.features()[5] == 6.0f);
    CHECK_THROWS(alterrec::error, catalog.set_features({1, 2, 3}, 2),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, catalog.read_features("no such file"),
                 caught.status() == ALTERREC_ERROR_IO);
    CHECK_THROWS(alterrec::error, alterrec::catalog::create(keys, {"one"}),
                 std::string(caught.what()).find("texts") != std::string::npos);
    CHECK_THROWS(alterrec::error, alterrec::catalog::create({"cup", "cup"}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, alterrec::catalog::create({std::string("a\0b", 3)}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);

    std::ofstream("items.tsv") << "item\ttext\ncup\ta cup\npot\ta pot\n";
    alterrec::catalog read = alterrec::catalog::read("items.tsv");
    CHECK(read.items() == 2);
    read.hash_features();
    CHECK(read.feature_dim() > 0);
}

void sessions_and_datasets() {
    alterrec::catalog catalog = alterrec::catalog::create({"cup", "pot", "rake"});
    alterrec::sessions sessions = alterrec::sessions::create(catalog, {0, 1, 2, 1, 0}, {0, 2, 5});
    CHECK(sessions.count() == 2 && sessions.interactions() == 5);
    span<const std::int32_t> second = sessions.get(1);
    CHECK(second.size() == 3 && second[0] == 2 && second.back() == 0);
    CHECK_THROWS(alterrec::error, sessions.get(2),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, alterrec::sessions::create(catalog, {0, 1}, {0, 3}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK(!alterrec::sessions::create(catalog, {0, 1}, {0, 2, 1}, alterrec::nothrow).ok());
    CHECK(!alterrec::sessions::create(catalog, {}, {}, alterrec::nothrow).ok());

    std::ofstream("visits.csv") << "session,item\na,cup\na,pot\nb,rake\nb,cup\nc,pot\nc,rake\n";
    alterrec::config config = alterrec::config::create();
    config.read_text("data: {session_column: session, item_column: item, min_item_count: 1, "
                     "min_session_length: 1, split: none}\n");
    CHECK(alterrec::sessions::read(catalog, "visits.csv", config).count() == 3);
    config.set("data.interactions", "visits.csv");
    alterrec::dataset dataset = alterrec::dataset::read(config);
    CHECK(dataset.catalog().items() == 3);
    CHECK(dataset.sessions(alterrec::split::train).count() == 3);
    CHECK(!dataset.sessions(alterrec::split::test));
    CHECK(dataset.report().rows_read == 6);
    CHECK_THROWS(alterrec::error, alterrec::dataset::read({}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
}

void batches() {
    alterrec::batch batch = alterrec::batch::create();
    batch.add({1, 2, 3});
    batch.add(std::vector<std::int32_t>{4});
    batch.exclude({7, 8});
    batch.exclude(1, {9});
    batch.exclude_own();
    CHECK(batch.count() == 2 && batch.examples() == 0);
    CHECK_THROWS(alterrec::error, batch.add({}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, batch.exclude(2, {1}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK(batch.count() == 2);
    batch.clear();
    batch.add_labelled({1, 2, 3}, {-1, 3, 4});
    CHECK(batch.count() == 1 && batch.examples() == 2);
    batch.set_negatives({5, 6, 7, 8}, 2);
    CHECK_THROWS(alterrec::error, batch.set_negatives({5, 6, 7}, 2),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, batch.add_labelled({1, 2}, {3}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
}

} // namespace

void test_data();
void test_data() {
    spans_take_what_the_caller_has();
    errors_have_status_and_text();
    a_string_with_a_0_is_refused();
    sizes_do_not_wrap();
    handles_move();
    options_are_set_and_read();
    catalogs();
    sessions_and_datasets();
    batches();
}
