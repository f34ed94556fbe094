/* Live sessions through alterrec.hpp: alone, many at once, and moved between threads. */
#include "check.hpp"
#include "shop.hpp"

#include <atomic>
#include <thread>

namespace {

using alterrec::live_session;

struct tantrum {
    int size;
};

/* What a batch of the one session gives. */
alterrec::recommendations of_batch(const alterrec::recommender &recommender,
                                   alterrec::span<const std::int32_t> items, std::int64_t k) {
    alterrec::batch batch = alterrec::batch::create();
    batch.add(items);
    return recommender.top_k(batch, k);
}

bool same(const alterrec::recommendations &a, const alterrec::recommendations &b) {
    return a.k == b.k && a.items == b.items && a.scores == b.scores;
}

void items_come_one_by_one(const alterrec::recommender &recommender) {
    live_session live = live_session::create(recommender);
    CHECK(live.length() == 0 && live.items().empty());
    CHECK_THROWS(alterrec::error, live.top_k(3),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT &&
                     std::string(caught.what()).find("has no item") != std::string::npos);
    std::vector<std::int32_t> seen;
    for (std::int32_t item = 0; item < 10; item++) { /* past max_len, too */
        live.push(item * 7 % shop::items);
        seen.push_back(item * 7 % shop::items);
        CHECK(same(live.top_k(5), of_batch(recommender, seen, 5)));
    }
    CHECK(live.length() == 10 && live.items().size() == 10 && live.items()[3] == 21);
    CHECK_THROWS(alterrec::error, live.push(shop::items),
                 std::string(caught.what()).find("item 30 is outside 0..29") != std::string::npos);
    CHECK(!live.push(-1, alterrec::nothrow).ok() && live.length() == 10);

    alterrec::recommendations best = live.top_k(5);
    std::vector<std::int32_t> items(5);
    std::vector<float> scores(5), fused(5), id(5), text(5);
    live.top_k(items, scores);
    CHECK(items == best.items && scores == best.scores);
    live.top_k(items, {});
    live.score(fused, id, text, best.items);
    CHECK(fused == best.scores && id != text);
    CHECK_THROWS(alterrec::error, live.score(fused, {}, {}, {1, 2}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, live.top_k(items, alterrec::span<float>(scores.data(), 4)),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK(!live.top_k(0, alterrec::nothrow).ok());
    CHECK(!live.top_k(shop::items + 1, alterrec::nothrow).ok());
    CHECK(live.top_k(shop::items).items.size() == shop::items);
}

void what_is_left_out(const alterrec::recommender &recommender) {
    live_session live = live_session::create(recommender);
    live.push(3);
    alterrec::recommendations whole = live.top_k(4);
    live.exclude_own();
    alterrec::recommendations before = live.top_k(4);
    live.exclude({before.items[0]});
    live.exclude({before.items[2]});
    live.exclude({});
    CHECK_THROWS(alterrec::error, live.exclude({-1}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK(live.top_k(2).items == std::vector<std::int32_t>({before.items[1], before.items[3]}));
    std::vector<std::int32_t> all = live.top_k(shop::items).items;
    CHECK(all[shop::items - 3] == -1 && all[shop::items - 4] >= 0);
    for (std::int32_t item : all)
        CHECK(item != 3);

    alterrec::filter filter = alterrec::filter::create(shop::items);
    filter.allow_only({5, 6});
    alterrec::search how;
    how.filter = filter.handle();
    alterrec::recommendations few = live.top_k(3, how);
    CHECK(few.items[2] == -1 && few.met.guaranteed == 1);
    std::vector<std::int32_t> items(3);
    alterrec::search_report met;
    live.top_k(items, {}, how, &met);
    CHECK(items == few.items && met.guaranteed == 1);

    live.reset();
    CHECK(live.length() == 0);
    live.push(3);
    CHECK(live.top_k(shop::items).items_of(0)[shop::items - 1] == -1); /* its own stays away */
    live.exclude_own(false);
    CHECK(same(live.top_k(4), whole));
}

void many_at_once(const alterrec::model &model, const alterrec::recommender &recommender) {
    std::vector<live_session> visitors;
    std::vector<live_session *> named;
    for (int s = 0; s < 6; s++)
        visitors.push_back(live_session::create(recommender));
    for (live_session &visitor : visitors)
        named.push_back(&visitor);
    live_session::push_many(visitors, {0, 1, 2, 3, 4, 5});
    live_session::push_many(named, {10, 11, 12, 13, 14, 15}, 2);
    live_session::push_many({named[0], named[5]}, {20, 25}, 1);
    alterrec::recommendations best = live_session::top_k_many(visitors, 4);
    CHECK(best.sessions() == 6);
    for (std::size_t s = 0; s < 6; s++) {
        alterrec::recommendations alone = of_batch(recommender, visitors[s].items(), 4);
        CHECK(visitors[s].length() == (s % 5 == 0 ? 3 : 2));
        CHECK(std::equal(alone.items.begin(), alone.items.end(),
                         best.items_of(static_cast<std::int64_t>(s)).begin()));
    }
    alterrec::search how;
    how.threads = 1;
    CHECK(same(live_session::top_k_many(named, 4, &how), best) && best.met.guaranteed == 6);

    /* All are added or none. */
    CHECK_THROWS(alterrec::error, live_session::push_many(visitors, {0, 1, 2, 3, 4, -5}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, live_session::push_many(visitors, {0, 1}),
                 std::string(caught.what()).find("not as many items") != std::string::npos);
    CHECK_THROWS(alterrec::error, live_session::push_many({named[1], named[1]}, {0, 1}),
                 std::string(caught.what()).find("comes twice") != std::string::npos);
    CHECK(same(live_session::top_k_many(visitors, 4), best));
    alterrec::recommender other = alterrec::recommender::create(model);
    live_session stranger = live_session::create(other);
    stranger.push(1);
    CHECK_THROWS(alterrec::error, live_session::top_k_many({named[0], &stranger}, 4),
                 caught.status() == ALTERREC_ERROR_MISMATCH);
    CHECK(!live_session::top_k_many({named[0], nullptr}, 4, nullptr, alterrec::nothrow).ok());
    CHECK(!live_session::top_k_many(alterrec::span<live_session>(), 4, nullptr, alterrec::nothrow)
               .ok());
}

void bytes_and_back(const alterrec::recommender &recommender) {
    live_session first = live_session::create(recommender);
    for (std::int32_t item : {4, 9, 1})
        first.push(item);
    first.exclude({17});
    first.exclude_own();
    std::vector<std::uint8_t> bytes = first.serialize();
    CHECK(bytes.size() == 48 + 4 * 4);
    live_session second = live_session::create(recommender);
    second.push(29);
    second.restore(bytes);
    CHECK(second.length() == 3 && same(second.top_k(6), first.top_k(6)));
    bytes[50] ^= 1;
    CHECK_THROWS(alterrec::error, second.restore(bytes), caught.status() == ALTERREC_ERROR_PARSE);
    CHECK(!second.restore({}, alterrec::nothrow).ok());
    CHECK(same(second.top_k(6), first.top_k(6))); /* as it was */
}

void handles(const alterrec::model &model) {
    CHECK(!std::is_copy_constructible_v<live_session>);
    CHECK(std::is_nothrow_move_constructible_v<live_session>);
    CHECK(std::is_nothrow_move_assignable_v<live_session>);
    live_session empty;
    CHECK(!empty && empty.length() == 0 && empty.items().empty());
    empty.reset();
    CHECK_THROWS(alterrec::error, empty.push(1),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK(!empty.top_k(1, alterrec::nothrow).ok() && !empty.serialize(alterrec::nothrow).ok());
    CHECK_THROWS(alterrec::error, live_session::create(alterrec::recommender()),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);

    /* It keeps its recommender; a fusion comes with a call. */
    live_session live = live_session::create(alterrec::recommender::create(model));
    live.push(3);
    int calls = 0;
    const auto fuses = [&calls](const alterrec_fusion_tile &) {
        if (++calls == 2)
            throw tantrum{5};
        return alterrec::stop; /* the weighted sum */
    };
    alterrec::search how;
    how.fuse_by(fuses);
    CHECK(same(live.top_k(2, how), live.top_k(2)) && calls == 1);
    CHECK_THROWS(tantrum, live.top_k(2, how), caught.size == 5);
    calls = 1;
    alterrec::span<live_session> all(&live, 1);
    CHECK_THROWS(tantrum, (void)live_session::top_k_many(all, 2, &how, alterrec::nothrow),
                 caught.size == 5);
    live_session moved = std::move(live);
    CHECK(!live && moved.length() == 1);
}

/* Each visitor has a thread, then another one; the recommender is everybody's. */
void visitors_on_threads(const alterrec::recommender &recommender) {
    std::atomic<int> different{0};
    std::vector<live_session> visitors(4);
    for (std::int32_t round = 0; round < 2; round++) {
        std::vector<std::thread> workers;
        for (std::int32_t w = 0; w < 4; w++)
            workers.emplace_back([&, w, round] {
                live_session &live = visitors[static_cast<std::size_t>(w)];
                if (round == 0)
                    live = live_session::create(recommender);
                for (std::int32_t item = 0; item < shop::items; item++) {
                    live.push((item * 11 + w) % shop::items);
                    different += !same(live.top_k(5), of_batch(recommender, live.items(), 5));
                }
            });
        for (std::thread &worker : workers)
            worker.join();
    }
    CHECK(different == 0);
}

} // namespace

void test_live_sessions();
void test_live_sessions() {
    shop s;
    alterrec::model model = s.model();
    alterrec::recommender recommender = alterrec::recommender::create(model);
    items_come_one_by_one(recommender);
    what_is_left_out(recommender);
    many_at_once(model, recommender);
    bytes_and_back(recommender);
    handles(model);
    visitors_on_threads(recommender);
}
