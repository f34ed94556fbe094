/* The recommender through alterrec.hpp, alone and shared by threads. */
#include "check.hpp"
#include "shop.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

namespace {

struct tantrum {
    std::int32_t first_item;
};

void fill(alterrec::batch &batch, std::int32_t start) {
    batch.clear();
    for (std::int32_t i = 0; i < 4; i++)
        batch.add({(start + i) % shop::items, (start + 2 * i) % shop::items});
}

void top_k_is_a_sort(const alterrec::model &model, const alterrec::recommender &recommender) {
    constexpr std::int64_t k = 7;
    alterrec::batch batch = alterrec::batch::create();
    fill(batch, 3);
    std::vector<float> scores(4 * shop::items);
    model.score(scores, alterrec::scorer::fused, batch);
    alterrec::recommendations best = recommender.top_k(batch, k);
    CHECK(best.k == k && best.sessions() == 4);
    for (std::int64_t s = 0; s < 4; s++) {
        const float *row = scores.data() + s * shop::items;
        std::vector<std::int32_t> order(shop::items);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(),
                         [row](std::int32_t a, std::int32_t b) { return row[a] > row[b]; });
        for (std::size_t i = 0; i < static_cast<std::size_t>(k); i++)
            CHECK(best.items_of(s)[i] == order[i]);
        CHECK(best.scores_of(s)[0] >= best.scores_of(s)[k - 1]);
    }

    std::vector<std::int32_t> items(4 * k);
    std::vector<float> own(4 * k);
    recommender.top_k(items, own, batch, k);
    CHECK(items == best.items && own == best.scores);
    std::fill(items.begin(), items.end(), -2);
    recommender.top_k(items, {}, batch, k);
    CHECK(items == best.items);
    items.pop_back();
    CHECK_THROWS(alterrec::error, recommender.top_k(items, {}, batch, k),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK(!recommender.top_k(batch, 0, alterrec::nothrow).ok());
    CHECK(recommender.top_k(batch, k).items == best.items);
    CHECK(recommender.catalog().items() == shop::items);
}

void threads_share_it(const alterrec::recommender &recommender) {
    std::vector<std::vector<std::int32_t>> alone;
    alterrec::batch batch = alterrec::batch::create();
    for (std::int32_t start = 0; start < shop::items; start++) {
        fill(batch, start);
        alone.push_back(recommender.top_k(batch, 5).items);
    }
    std::atomic<int> different{0};
    std::vector<std::thread> workers;
    for (int w = 0; w < 4; w++)
        workers.emplace_back([&] {
            alterrec::batch own = alterrec::batch::create();
            for (std::int32_t start = 0; start < shop::items; start++) {
                fill(own, start);
                different +=
                    recommender.top_k(own, 5).items != alone[static_cast<std::size_t>(start)];
            }
        });
    for (std::thread &worker : workers)
        worker.join();
    CHECK(different == 0);
}

/* Each thread gets what the callback threw on it, and no other's. */
void threads_and_a_callback_that_throws(const alterrec::model &model) {
    alterrec::recommender recommender = alterrec::recommender::create(model);
    thread_local std::int32_t mine = -1;
    const auto throws = [](const alterrec_fusion_tile &) { throw tantrum{mine}; };
    std::atomic<int> right{0};
    std::vector<std::thread> workers;
    for (std::int32_t w = 0; w < 4; w++)
        workers.emplace_back([&, w] {
            mine = w;
            alterrec::batch own = alterrec::batch::create();
            alterrec::search how;
            how.fuse_by(throws);
            for (int i = 0; i < 20; i++) {
                fill(own, w);
                try {
                    (void)recommender.top_k(own, 3, how);
                } catch (const tantrum &caught) {
                    right += caught.first_item == w;
                }
            }
        });
    for (std::thread &worker : workers)
        worker.join();
    CHECK(right == 80);
    alterrec::batch batch = alterrec::batch::create();
    fill(batch, 1);
    CHECK(recommender.top_k(batch, 3).sessions() == 4);
}

void filters_and_scores(const alterrec::recommender &recommender) {
    alterrec::batch batch = alterrec::batch::create();
    fill(batch, 3);
    alterrec::filter filter = alterrec::filter::create(shop::items);
    filter.exclude({0, 1});
    filter.allow_only({0, 1, 2, 3, 4, 10, 11, 12, 13, 14});
    const std::vector<std::uint8_t> bits(shop::items / 8 + 1, 0x7f);
    filter.allow_bitmap(bits, shop::items);
    std::vector<std::int32_t> shelf(shop::items);
    for (std::size_t i = 0; i < shelf.size(); i++)
        shelf[i] = static_cast<std::int32_t>(i) / shop::places;
    filter.cap(shelf, 2);
    CHECK_THROWS(alterrec::error, filter.cap({1, 2}, 2),
                 caught.status() == ALTERREC_ERROR_MISMATCH);
    CHECK_THROWS(alterrec::error, filter.allow_bitmap({0xff}, shop::items),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);

    alterrec::search how;
    how.filter = filter.handle();
    how.threads = 1;
    alterrec::recommendations best = recommender.top_k(batch, 5, how);
    CHECK(best.met.guaranteed == 4);
    for (std::int64_t s = 0; s < 4; s++) {
        int of_shelf[shop::shelves] = {0};
        for (std::int32_t item : best.items_of(s)) {
            if (item < 0)
                continue;
            CHECK(item > 1 && item < 15 && item % 8 != 7);
            CHECK(++of_shelf[item / shop::places] <= 2);
        }
        CHECK(of_shelf[0] == 2 && of_shelf[2] == 2 && best.items_of(s)[4] == -1);
    }

    best = recommender.top_k(batch, 5);
    std::vector<float> fused(20), id(20), text(20);
    recommender.score(fused, id, text, batch, best.items);
    CHECK(fused == best.scores);
    recommender.score({}, {}, text, batch, best.items, &how);
    CHECK_THROWS(alterrec::error, recommender.score(fused, {}, {}, batch, {1, 2, 3}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);

    /* The inner product of both vectors is the fused score. */
    std::size_t width = static_cast<std::size_t>(recommender.width());
    std::vector<float> items(shop::items * width), sessions(4 * width);
    recommender.item_vectors(items, 0, shop::items);
    recommender.session_vectors(sessions, batch);
    double product = 0;
    for (std::size_t d = 0; d < width; d++)
        product += static_cast<double>(sessions[d]) *
                   static_cast<double>(items[static_cast<std::size_t>(best.items[0]) * width + d]);
    CHECK(product - static_cast<double>(best.scores[0]) < 1e-3 &&
          product - static_cast<double>(best.scores[0]) > -1e-3);
    CHECK_THROWS(alterrec::error, recommender.item_vectors(items, 0, 2),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
}

void holders(const alterrec::model &model) {
    alterrec::batch batch = alterrec::batch::create();
    fill(batch, 3);
    alterrec::recommender other;
    {
        alterrec::recommender first = alterrec::recommender::create(model);
        other = first.share();
        CHECK(other.handle() == first.handle());
    }
    int calls = 0;
    auto declines = [&calls](const alterrec_fusion_tile &) {
        calls++;
        return alterrec::stop; /* the weighted sum */
    };
    alterrec::search how;
    how.fuse_by(declines);
    CHECK(other.top_k(batch, 3, how).sessions() == 4 && calls > 0);
}

} // namespace

void test_serving();
void test_serving() {
    shop s;
    alterrec::model model = s.model();
    alterrec::recommender recommender = alterrec::recommender::create(model);
    top_k_is_a_sort(model, recommender);
    threads_share_it(recommender);
    filters_and_scores(recommender);
    holders(model);
    threads_and_a_callback_that_throws(model);
}
