"""Trains by a schedule of its own, then serves visitors from threads.

    python3 train_and_serve.py

The catalog and its visits are made up: who looks at an item of a shelf looks next at the one to its
right.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator, Optional

import alterrec

SHELVES, PLACES = 12, 10
ITEMS = SHELVES * PLACES


def make_visits(catalog: alterrec.Catalog, count: int, start: int) -> alterrec.Sessions:
    def visit(item: int) -> Iterator[int]:
        for _ in range(4):
            yield item
            item = item // PLACES * PLACES + (item + 1) % PLACES
    return alterrec.Sessions(catalog, [list(visit((start + s * 7) % ITEMS)) for s in range(count)])


# The tower that is behind has its turn, against all other items.
def schedule(plan: alterrec.Plan, last: Optional[Dict[str, Any]]) -> None:
    _, id_hits, text_hits = last["valid_metric"] if last else (0, 0, 0)
    plan.tower = alterrec.TEXT if text_hits < id_hits else alterrec.ID
    plan.negatives = alterrec.NEGATIVES_FULL


def show(report: Dict[str, Any]) -> None:
    tower = "ID" if report["tower"] == alterrec.ID else "text"
    _, id_hits, text_hits = report["valid_metric"]
    print(f"epoch {report['epoch'] + 1:2}  {tower:4}  loss {report['loss']:5.2f}  "
          f"Hits@1: ID {id_hits:.2f}, text {text_hits:.2f}")


def train() -> alterrec.Recommender:
    config = alterrec.Config(yaml="""
        model: {dim: 32, blocks: 1, dropout: 0}
        train: {epochs: 6, batch_size: 64, valid_k: 1}
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


def follow(visitor: alterrec.LiveSession) -> None:
    """A visitor who goes three times to what is recommended, but never back."""
    visitor.exclude_own()
    for _ in range(3):
        items, _ = visitor.top_k(1)
        visitor.push(items[0])


def main() -> None:
    # All that serving needs; the handles of the training are gone.
    recommender = train()
    visitors = [alterrec.LiveSession(recommender) for _ in range(4)]
    alterrec.LiveSession.push_many(visitors, [3, 23, 43, 63])  # they come in together

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(follow, visitors))  # each on a thread of its own

    # Their next lists, in one search.
    items, _ = alterrec.LiveSession.top_k_many(visitors, 1)
    key = recommender.catalog.key
    for visitor, best in zip(visitors, items[:, 0]):
        print("  ".join(key(item) for item in visitor.items), " and then", key(best))


if __name__ == "__main__":
    main()
