/* Model, trainer, callbacks and evaluation through alterrec.hpp. */
#include "check.hpp"
#include "shop.hpp"

#include <memory>
#include <stdexcept>

namespace {

/* What a callback throws: no exception of the library or of the standard. */
struct tantrum {
    int size;
};

std::vector<float> weights(const alterrec::model &model) {
    std::vector<float> all;
    for (std::int64_t i = 0; i < model.tensor_count(); i++) {
        alterrec::tensor tensor = model.describe_tensor(i);
        std::vector<float> values(static_cast<std::size_t>(tensor.count));
        model.get_tensor(values, tensor.name);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

void models(const shop &s) {
    alterrec::model model = s.model();
    CHECK(model.dim() == 8 && model.config().get("model.dim") == "8");
    CHECK(model.catalog().items() == shop::items);
    std::vector<float> vectors(shop::items * 8), gains(8, 0.5f);
    model.item_vectors(vectors, alterrec::scorer::text);
    CHECK_THROWS(alterrec::error, model.item_vectors(gains, alterrec::scorer::text),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    model.set_tensor("id.norm.weight", gains);
    CHECK_THROWS(alterrec::error, model.set_tensor("id.norm.weight", {1.0f}),
                 caught.status() == ALTERREC_ERROR_MISMATCH);
    std::vector<float> read(8);
    model.get_tensor(read, "id.norm.weight");
    CHECK(read == gains);
    CHECK_THROWS(alterrec::error, model.describe_tensor(model.tensor_count()),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);

    model.save("shop.safetensors");
    alterrec::model loaded = alterrec::model::load("shop.safetensors"), fresh = s.model();
    CHECK(weights(loaded) == weights(model) && weights(fresh) != weights(model));
    fresh.import_tensors("shop.safetensors");
    CHECK(weights(fresh) == weights(model));

    /* The score is the inner product of both vectors. */
    alterrec::batch batch = alterrec::batch::create();
    batch.add({3, 4});
    std::vector<float> session(8), scores(shop::items);
    model.item_vectors(vectors, alterrec::scorer::id);
    model.session_vectors(session, alterrec::scorer::id, batch);
    model.score(scores, alterrec::scorer::id, batch);
    for (std::size_t i = 0; i < scores.size(); i++) {
        double product = 0;
        for (std::size_t d = 0; d < 8; d++)
            product += static_cast<double>(session[d]) * static_cast<double>(vectors[i * 8 + d]);
        double off = product - static_cast<double>(scores[i]);
        CHECK(off < 1e-4 && off > -1e-4);
    }

    alterrec::catalog before = alterrec::catalog::hold(model.catalog());
    model.add_items({"new1", "new2"}, {"shelf1 place1", "shelf2 place9"});
    CHECK(before.items() == shop::items && before.handle() != model.catalog().handle());
    CHECK(model.catalog().items() == shop::items + 2);
    CHECK_THROWS(alterrec::error, model.add_items({"new3"}, {}, {1.0f}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
    CHECK_THROWS(alterrec::error, model.add_items({"new1"}, {"a"}),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
}

void training_by_callbacks(const shop &s) {
    alterrec::model model = s.model();
    alterrec::trainer trainer = alterrec::trainer::create(model, s.train, s.valid);
    /* A callback that can only be moved, and a trainer that moves after it was set. */
    auto asked = std::make_unique<int>(0);
    int *asked_count = asked.get(), steps = 0, filled = 0;
    trainer.on_schedule(
        [asked = std::move(asked)](alterrec_plan &plan, const alterrec_epoch_report *last) {
            CHECK((last == nullptr) == (*asked == 0));
            plan.tower = ALTERREC_TEXT;
            plan.negatives = ALTERREC_NEGATIVES_HOST;
            plan.negative_count = 3;
            return ++*asked == 4 ? alterrec::stop : alterrec::go_on;
        });
    trainer.on_progress([&steps](const alterrec_progress &progress) {
        steps += progress.stage == ALTERREC_STAGE_TRAIN;
    });
    trainer.on_negatives([&filled](alterrec::span<std::int32_t> negatives,
                                   const alterrec_examples &examples, std::int64_t per_example) {
        CHECK(negatives.count() == examples.count * per_example && per_example == 3);
        for (std::int32_t &negative : negatives)
            negative = 11;
        filled++;
    });
    trainer.on_fusion([](const alterrec_fusion_tile &tile) {
        for (std::int64_t i = 0; i < tile.sessions * tile.items; i++)
            tile.fused[i] = tile.text[i];
    });
    std::string told;
    trainer.on_log([&told](std::int32_t level, const char *message) {
        CHECK(level == ALTERREC_LOG_INFO || level == ALTERREC_LOG_WARNING);
        told += std::string(message) + "\n";
    });
    alterrec::trainer moved = std::move(trainer);
    CHECK(!trainer && moved);
    moved.run();
    CHECK(*asked_count == 4 && steps > 0 && filled > 0 && moved.epochs() == 3);
    CHECK(moved.report(2).tower == ALTERREC_TEXT);
    alterrec::epoch_report report = moved.report(0);
    CHECK(report.valid_metric[0] == report.valid_metric[2]);
    moved.on_schedule(nullptr);
    moved.on_progress(nullptr);
    moved.on_negatives(nullptr);
    moved.on_fusion(nullptr);
    CHECK(told.find("epoch 0: the text tower, the host's negatives") != std::string::npos);
    moved.on_log(nullptr);
    moved.run();
    CHECK(moved.epochs() == 4);
}

/* A schedule that hands over to another one, or is told that this is not the moment, goes on with
 * what it holds. */
void a_callback_may_replace_itself(const shop &s) {
    alterrec::model model = s.model();
    alterrec::trainer trainer = alterrec::trainer::create(model, s.train, s.valid);
    const std::string held(100, 'x');
    int first = 0;
    bool replaced = false;
    trainer.on_schedule(
        [&trainer, &first, &replaced, held](alterrec_plan &, const alterrec_epoch_report *) {
            alterrec::result<void> set = trainer.on_schedule(
                [](alterrec_plan &, const alterrec_epoch_report *) { return alterrec::stop; },
                alterrec::nothrow);
            CHECK(set.ok() || set.status() == ALTERREC_ERROR_BUSY);
            CHECK(held == std::string(100, 'x'));
            replaced = set.ok();
            return ++first == 3 ? alterrec::stop : alterrec::go_on;
        });
    trainer.run();
    CHECK(first == (replaced ? 1 : 3));
}

void what_callbacks_throw_comes_out(const shop &s) {
    alterrec::model model = s.model();
    alterrec::trainer trainer = alterrec::trainer::create(model, s.train, s.valid);
    trainer.on_progress([](const alterrec_progress &) { throw tantrum{7}; });
    CHECK_THROWS(tantrum, trainer.run(), caught.size == 7);
    CHECK_THROWS(tantrum, (void)trainer.epoch(alterrec::nothrow), caught.size == 7);
    trainer.on_progress(nullptr);
    trainer.on_schedule([](alterrec_plan &, const alterrec_epoch_report *) {
        throw std::runtime_error("no plan");
    });
    CHECK_THROWS(std::runtime_error, trainer.run(), std::string(caught.what()) == "no plan");
    trainer.on_schedule(nullptr);
    trainer.on_fusion([](const alterrec_fusion_tile &) -> std::int32_t { throw tantrum{8}; });
    CHECK_THROWS(tantrum, trainer.epoch(), caught.size == 8);
    trainer.on_fusion(nullptr);
    trainer.on_negatives([](alterrec::span<std::int32_t>, const alterrec_examples &, std::int64_t) {
        throw tantrum{9};
    });
    alterrec::plan plan = trainer.next_plan();
    plan.negatives = ALTERREC_NEGATIVES_HOST;
    plan.negative_count = 2;
    CHECK_THROWS(tantrum, trainer.epoch(plan), caught.size == 9);

    /* A callback that uses another handle, whose callback throws: it comes through both. */
    trainer.on_progress([&](const alterrec_progress &) {
        alterrec::evaluator inner = alterrec::evaluator::create(model);
        inner.on_progress([](const alterrec_progress &) { throw tantrum{10}; });
        inner.run(s.valid);
    });
    CHECK_THROWS(tantrum, trainer.epoch(), caught.size == 10);

    /* A number of the host's own is the error's status; its own handle is busy for a callback. */
    trainer.on_progress([](const alterrec_progress &) { return -5001; });
    CHECK_THROWS(alterrec::error, trainer.epoch(),
                 caught.status() == -5001 &&
                     std::string(caught.what()) == "the progress callback answered -5001");
    bool busy = false;
    trainer.on_progress([&](const alterrec_progress &) {
        busy = trainer.on_progress(nullptr, alterrec::nothrow).status() == ALTERREC_ERROR_BUSY;
    });
    trainer.epoch();
    CHECK(busy);
    trainer.on_progress(nullptr);
    /* So is it for a schedule, whose lambda lives on: what it captured is read afterwards. */
    std::string captured(100, 'x'), read;
    trainer.on_schedule(
        [&trainer, &read, captured](alterrec_plan &, const alterrec_epoch_report *) {
            CHECK_THROWS(alterrec::error, trainer.on_schedule(nullptr),
                         caught.status() == ALTERREC_ERROR_BUSY);
            CHECK_THROWS(alterrec::error,
                         trainer.on_schedule([](alterrec_plan &, const alterrec_epoch_report *) {}),
                         caught.status() == ALTERREC_ERROR_BUSY);
            read = captured;
            return alterrec::stop;
        });
    trainer.run();
    CHECK(read == captured);
    trainer.on_schedule(nullptr);
    trainer.on_progress([](const alterrec_progress &) { return alterrec::stop; });
    CHECK(trainer.epoch().stopped);
    trainer.on_progress(nullptr);
    CHECK(!trainer.epoch().stopped);
}

void training_by_hand(const shop &s) {
    alterrec::model by_epoch = s.model(), by_step = s.model();
    alterrec::trainer first = alterrec::trainer::create(by_epoch, s.train, s.valid);
    alterrec::trainer second = alterrec::trainer::create(by_step, s.train, s.valid);
    alterrec::batch batch = alterrec::batch::create();
    first.epoch();
    for (std::int64_t i = 0; i < second.batches(); i++) {
        second.get_batch(batch, i);
        CHECK(second.step(batch).examples == batch.examples());
    }
    CHECK(second.end_epoch().epoch == 0);
    CHECK(weights(by_epoch) == weights(by_step));
    CHECK_THROWS(alterrec::error, second.end_epoch(),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);

    first.save("training.safetensors");
    first.epoch();
    second.resume("training.safetensors");
    alterrec::plan plan = second.next_plan();
    second.epoch(plan);
    CHECK(weights(by_epoch) == weights(by_step) && second.epochs() == 2);
    batch.clear();
    batch.add_labelled({1, 2}, {-1, 3});
    plan.learning_rate = 0.01;
    CHECK(second.step(batch, plan).examples == 1);
    second.use_best();
    second.cancel();
    CHECK(second.epoch().stopped);
}

void evaluation(const shop &s) {
    alterrec::model model = s.model();
    alterrec::trainer::create(model, s.train, s.valid).run();
    alterrec::evaluation at_once = alterrec::evaluate(model, s.valid, s.train);
    alterrec::evaluator evaluator = alterrec::evaluator::create(model);
    int calls = 0;
    evaluator.on_progress([&](const alterrec_progress &) { calls++; });
    alterrec::evaluation evaluation = evaluator.run(s.valid, s.train);
    CHECK(calls > 0 && std::string(evaluation.json()) == at_once.json());
    CHECK(evaluation.examples() == s.valid.interactions() - s.valid.count());
    using alterrec::metric;
    using alterrec::scorer;
    double hits = evaluation.value(scorer::fused, metric::hits, 20);
    CHECK(hits > 0 && hits >= evaluation.value(scorer::fused, metric::ndcg, 20));
    CHECK(evaluation.value(scorer::popularity, metric::mrr, 10) <= 1);
    CHECK_THROWS(alterrec::error, evaluation.value(scorer::id, metric::hits, 21),
                 caught.status() == ALTERREC_ERROR_NOT_FOUND);
    CHECK(evaluation.groups() > 0 && evaluation.group(0).low == 0);
    for (std::int64_t g = 0; g < evaluation.groups(); g++)
        CHECK(evaluation.group(g).examples <= evaluation.examples());
    CHECK_THROWS(alterrec::error, evaluation.group(evaluation.groups()),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);

    evaluator.on_fusion([](const alterrec_fusion_tile &tile) {
        for (std::int64_t i = 0; i < tile.sessions * tile.items; i++)
            tile.fused[i] = tile.id[i];
    });
    alterrec::evaluation of_id = evaluator.run(s.valid);
    CHECK(of_id.value(scorer::fused, metric::mrr, 20) ==
          evaluation.value(scorer::id, metric::mrr, 20));
    evaluator.on_fusion([](const alterrec_fusion_tile &) { throw tantrum{3}; });
    CHECK_THROWS(tantrum, evaluator.run(s.valid), caught.size == 3);
    evaluator.on_fusion(nullptr);
    evaluator.on_progress(nullptr);
    CHECK(std::string(evaluator.run(s.valid, s.train).json()) == at_once.json());

    alterrec::alpha_choice choice = model.choose_alpha(s.valid, 5);
    CHECK(choice.curve.size() == 5 && choice.alpha >= 0 && choice.alpha <= 1);
    CHECK(choice.curve[static_cast<std::size_t>(choice.alpha * 4)] >= choice.curve[2]);
    CHECK_THROWS(alterrec::error, model.choose_alpha(s.valid, 1),
                 caught.status() == ALTERREC_ERROR_INVALID_ARGUMENT);
}

} // namespace

void test_training();
void test_training() {
    shop s;
    models(s);
    training_by_callbacks(s);
    a_callback_may_replace_itself(s);
    what_callbacks_throw_comes_out(s);
    training_by_hand(s);
    evaluation(s);
}
