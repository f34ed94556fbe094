// Trains by a schedule of its own, then serves visitors from threads.
//
//   c++ -std=c++17 -pthread train_and_serve.cpp $(pkg-config --cflags --libs alterrec)
//
// The catalog and its visits are made up: who looks at an item of a shelf looks next at the one to
// its right.
#include <alterrec/alterrec.hpp>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

constexpr std::int32_t shelves = 12, places = 10, item_count = shelves * places;

static alterrec::sessions make_visits(const alterrec::catalog &catalog, int count, int start) {
    std::vector<std::int32_t> items;
    std::vector<std::int64_t> offsets{0};
    for (int s = 0; s < count; s++) {
        std::int32_t item = (start + s * 7) % item_count;
        for (int t = 0; t < 4; t++) {
            items.push_back(item);
            item = item / places * places + (item + 1) % places;
        }
        offsets.push_back(static_cast<std::int64_t>(items.size()));
    }
    return alterrec::sessions::create(catalog, items, offsets);
}

static alterrec::recommender train() {
    alterrec::config config = alterrec::config::create();
    config.read_text("model: {dim: 32, blocks: 1, dropout: 0}\n"
                     "train: {epochs: 6, batch_size: 64, valid_k: 1}\n"
                     "optimizer: {learning_rate: 0.01, decay: none}\n"
                     "compute: {threads: 1}\n");
    std::vector<std::string> keys, texts;
    for (std::int32_t i = 0; i < item_count; i++) {
        keys.push_back("item" + std::to_string(i));
        texts.push_back("shelf" + std::to_string(i / places) + " place" +
                        std::to_string(i % places));
    }
    alterrec::catalog catalog = alterrec::catalog::create(keys, texts);
    catalog.hash_features(config);
    alterrec::sessions visits = make_visits(catalog, 600, 0);
    alterrec::sessions later_visits = make_visits(catalog, 100, 3);
    alterrec::model model = alterrec::model::create(catalog, config);

    alterrec::trainer trainer = alterrec::trainer::create(model, visits, later_visits);
    // The tower that is behind has its turn, against all other items.
    trainer.on_schedule([](alterrec_plan &plan, const alterrec_epoch_report *last) {
        bool text =
            last != nullptr && last->valid_metric[ALTERREC_TEXT] < last->valid_metric[ALTERREC_ID];
        plan.tower = text ? ALTERREC_TEXT : ALTERREC_ID;
        plan.negatives = ALTERREC_NEGATIVES_FULL;
    });
    trainer.on_progress([](const alterrec_progress &progress) {
        if (const alterrec_epoch_report *report = progress.report)
            std::printf("epoch %2d  %-4s  loss %5.2f  Hits@1: ID %.2f, text %.2f\n",
                        report->epoch + 1, report->tower == ALTERREC_ID ? "ID" : "text",
                        report->loss, report->valid_metric[ALTERREC_ID],
                        report->valid_metric[ALTERREC_TEXT]);
    });
    trainer.run();
    return alterrec::recommender::create(model);
}

// A visitor who goes three times to what is recommended, but never back.
static void follow(alterrec::live_session &visitor) {
    visitor.exclude_own();
    for (int step = 0; step < 3; step++)
        visitor.push(visitor.top_k(1).items[0]);
}

int main() try {
    // All that serving needs; the handles of the training are gone.
    const alterrec::recommender recommender = train();
    std::vector<alterrec::live_session> visitors;
    for (int v = 0; v < 4; v++)
        visitors.push_back(alterrec::live_session::create(recommender));
    alterrec::live_session::push_many(visitors, {3, 23, 43, 63}); // they come in together

    std::vector<std::thread> workers;
    for (alterrec::live_session &visitor : visitors)
        workers.emplace_back([&visitor] { follow(visitor); }); // each on a thread of its own
    for (std::thread &worker : workers)
        worker.join();

    // Their next lists, in one search.
    alterrec::recommendations next = alterrec::live_session::top_k_many(visitors, 1);
    for (std::size_t v = 0; v < visitors.size(); v++) {
        for (std::int32_t item : visitors[v].items())
            std::printf("%s  ", recommender.catalog().key(item));
        std::printf("and then %s\n", recommender.catalog().key(next.items[v]));
    }
    return 0;
} catch (const alterrec::error &error) {
    std::fprintf(stderr, "%s: %s\n", error.status_name(), error.what());
    return 1;
}
