"""Trains by a schedule of its own, then serves from threads.

    python3 train_and_serve.py

The catalog and its visits are made up: who looks at an item of a shelf looks next at the one to its
right.
"""

from concurrent.futures import ThreadPoolExecutor

import alterrec

SHELVES, PLACES = 12, 10
ITEMS = SHELVES * PLACES


def make_visits(catalog, count, start):
    def visit(item):
        for _ in range(4):
            yield item
            item = item // PLACES * PLACES + (item + 1) % PLACES
    return alterrec.Sessions(catalog, [list(visit((start + s * 7) % ITEMS)) for s in range(count)])


# The tower that is behind has its turn, against all other items.
def schedule(plan, last):
    _, id_hits, text_hits = last["valid_metric"] if last else (0, 0, 0)
    plan.tower = alterrec.TEXT if text_hits < id_hits else alterrec.ID
    plan.negatives = alterrec.NEGATIVES_FULL


def show(report):
    tower = "ID" if report["tower"] == alterrec.ID else "text"
    _, id_hits, text_hits = report["valid_metric"]
    print(f"epoch {report['epoch'] + 1:2}  {tower:4}  loss {report['loss']:5.2f}  "
          f"Hits@1: ID {id_hits:.2f}, text {text_hits:.2f}")


def train():
    config = alterrec.Config(yaml="""
        model: {dim: 32, blocks: 1, dropout: 0}
        train: {epochs: 8, batch_size: 64, valid_k: 1}
        optimizer: {learning_rate: 0.01, decay: none}
        compute: {threads: 1}
        """)
    catalog = alterrec.Catalog(
        [f"item{i}" for i in range(ITEMS)],
        texts=[f"shelf{i // PLACES} place{i % PLACES}" for i in range(ITEMS)])
    catalog.hash_features(config)
    model = alterrec.Model(catalog, config)
    trainer = alterrec.Trainer(model, make_visits(catalog, 600, 0), make_visits(catalog, 100, 3),
                               progress=show, schedule=schedule)
    trainer.run()
    return alterrec.Recommender(model)


def serve(recommender, worker):
    first, second = worker * 20 + 3, worker * 20 + 4
    batch = alterrec.Batch([[first, second]], exclude_own=True)  # each thread has its own
    items, _ = recommender.top_k(batch, 3)
    keys = "  ".join(recommender.catalog.key(int(item)) for item in items[0])
    return f"after item{first}, item{second}:  {keys}"


if __name__ == "__main__":
    recommender = train()
    with ThreadPoolExecutor(4) as threads:
        for line in threads.map(lambda worker: serve(recommender, worker), range(4)):
            print(line)
