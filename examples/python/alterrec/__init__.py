"""libalterrec for Python: session-based recommendation from item IDs and item text.

ctypes on the installed library, NumPy arrays in and out: enough to train, evaluate and recommend from
a notebook. What each function does stands in the comments of alterrec.h.

A failing call raises AlterrecError. What a callback raises comes out of the call that called it;
one that returns True stops the work. Calls release Python's lock, so threads may share a
Recommender, each with a Batch of its own.
"""

from ._c import (
    ALTERREC_FUSED as FUSED, ALTERREC_HITS as HITS, ALTERREC_ID as ID, ALTERREC_MRR as MRR,
    ALTERREC_NDCG as NDCG, ALTERREC_NEGATIVES_BATCH as NEGATIVES_BATCH,
    ALTERREC_NEGATIVES_FULL as NEGATIVES_FULL, ALTERREC_NEGATIVES_HARD as NEGATIVES_HARD,
    ALTERREC_NEGATIVES_RANDOM as NEGATIVES_RANDOM, ALTERREC_POPULARITY as POPULARITY,
    ALTERREC_TEXT as TEXT)
from ._library import AlterrecError
from .data import Batch, Catalog, Config, Dataset, Sessions
from .model import Model, Trainer, evaluate
from .serving import Filter, Recommender

__all__ = [
    "AlterrecError", "Batch", "Catalog", "Config", "Dataset", "Filter", "Model", "Recommender",
    "Sessions", "Trainer", "evaluate", "FUSED", "HITS", "ID", "MRR", "NDCG", "NEGATIVES_BATCH",
    "NEGATIVES_FULL", "NEGATIVES_HARD", "NEGATIVES_RANDOM", "POPULARITY", "TEXT",
]
