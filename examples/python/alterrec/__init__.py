"""libalterrec for Python: session-based recommendation from item IDs and item text.

ctypes on the installed library, NumPy arrays in and out: enough to train, evaluate and serve from a
notebook or a server. What each function does stands in the comments of alterrec.h.

A failing call raises AlterrecError. What a callback raises comes out of the call that called it;
one that returns True stops the work. Calls release Python's lock, so threads may share a
Recommender, each with a Batch or LiveSessions of its own.
"""

from ._c import (
    ALTERREC_FUSED as FUSED, ALTERREC_HITS as HITS, ALTERREC_ID as ID,
    ALTERREC_LOG_INFO as LOG_INFO, ALTERREC_LOG_WARNING as LOG_WARNING, ALTERREC_MRR as MRR,
    ALTERREC_NDCG as NDCG, ALTERREC_NEGATIVES_BATCH as NEGATIVES_BATCH,
    ALTERREC_NEGATIVES_FULL as NEGATIVES_FULL, ALTERREC_NEGATIVES_HARD as NEGATIVES_HARD,
    ALTERREC_NEGATIVES_HOST as NEGATIVES_HOST, ALTERREC_NEGATIVES_RANDOM as NEGATIVES_RANDOM,
    ALTERREC_POPULARITY as POPULARITY, ALTERREC_TEXT as TEXT)
from ._library import AlterrecError, c
from .callbacks import Examples, Plan
from .data import Batch, Catalog, Config, Dataset, Option, Sessions, options
from .evaluation import Evaluation, Evaluator, Group, evaluate
from .model import Model
from .serving import Filter, Lists, LiveSession, Recommender
from .trainer import Trainer

__all__ = [
    "AlterrecError", "Batch", "Catalog", "Config", "Dataset", "Evaluation", "Evaluator", "Examples",
    "Filter", "Group", "Lists", "LiveSession", "Model", "Option", "Plan", "Recommender", "Sessions",
    "Trainer", "build_info", "evaluate", "options", "version", "FUSED", "HITS", "ID", "LOG_INFO",
    "LOG_WARNING", "MRR", "NDCG", "NEGATIVES_BATCH", "NEGATIVES_FULL", "NEGATIVES_HARD",
    "NEGATIVES_HOST", "NEGATIVES_RANDOM", "POPULARITY", "TEXT",
]


def version() -> int:
    """Of the library that is running: major * 1000000 + minor * 1000 + patch."""
    return c.alterrec_version()


def build_info() -> str:
    """Version, compiler, oneDNN version and instruction set, in one line."""
    return c.alterrec_build_info().decode("utf-8")
