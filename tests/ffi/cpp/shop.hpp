/* A small shop: who looks at an item of a shelf looks next at the one to its right. */
#pragma once

#include <alterrec/alterrec.hpp>

#include <string>
#include <vector>

struct shop {
    static constexpr std::int32_t shelves = 6, places = 5, items = shelves * places;

    alterrec::config config;
    alterrec::catalog catalog;
    alterrec::sessions train, valid;

    shop() {
        config = alterrec::config::create();
        config.read_text("model: {dim: 8, blocks: 1, max_len: 6, init: usual}\n"
                         "train: {epochs: 4, batch_size: 32}\n"
                         "schedule: {gap: 1, random_epochs: 1}\n"
                         "negatives: {k1: 2, k2: 20}\n"
                         "compute: {threads: 1}\n");
        std::vector<std::string> keys, texts;
        for (std::int32_t i = 0; i < items; i++) {
            keys.push_back("item" + std::to_string(i));
            texts.push_back("shelf" + std::to_string(i / places) + " place" +
                            std::to_string(i % places));
        }
        catalog = alterrec::catalog::create(keys, texts);
        catalog.hash_features(config);
        train = visits(120, 1);
        valid = visits(30, 2);
    }

    alterrec::sessions visits(int count, std::uint64_t dice) const {
        std::vector<std::int32_t> seen;
        std::vector<std::int64_t> offsets{0};
        for (int s = 0; s < count; s++) {
            dice = dice * 6364136223846793005U + 1442695040888963407U;
            std::int32_t item = static_cast<std::int32_t>((dice >> 33) % items);
            for (int t = 0; t < 3 + s % 3; t++, item = item / places * places + (item + 1) % places)
                seen.push_back(item);
            offsets.push_back(static_cast<std::int64_t>(seen.size()));
        }
        return alterrec::sessions::create(catalog, seen, offsets);
    }

    alterrec::model model() const {
        return alterrec::model::create(catalog, config);
    }
};
