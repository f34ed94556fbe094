#!/usr/bin/env python3
"""Makes the text features of an item file with a sentence encoder.

    text_features.py items.tsv features.npy --model NAME [--batch-size 256]

The rows are those of the item file, in its order, as data.features wants them. It takes the package
sentence-transformers and one of its models; the library itself needs neither.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Callable, List, Optional

import numpy

from alterrec import Catalog, Config


Encoder = Callable[[List[str]], Any]


def load_encoder(name: str) -> Encoder:
    """The function from a list of texts to an array [texts, dim]."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        sys.exit("text_features.py: the package sentence-transformers is not installed "
                 "(pip install sentence-transformers); without it, text.source: hash makes "
                 "features of another kind")
    return SentenceTransformer(name).encode


def main(arguments: Optional[List[str]] = None,
         load: Callable[[str], Encoder] = load_encoder) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("items")
    parser.add_argument("features")
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE",
                        help="such as data.item_text_column=title,brand")
    chosen = parser.parse_args(arguments)
    catalog = Catalog.read(chosen.items, Config(dict(rule.split("=", 1) for rule in chosen.set)))
    encode = load(chosen.model)
    texts = [catalog.text(item) for item in range(len(catalog))]
    parts = [numpy.asarray(encode(texts[first:first + chosen.batch_size]), numpy.float32)
             for first in range(0, len(texts), chosen.batch_size)]
    features = numpy.concatenate(parts)
    catalog.set_features(features)  # the library looks at every value
    numpy.save(chosen.features, features)
    print(f"{chosen.features}: {features.shape[0]} items, {features.shape[1]} features")


if __name__ == "__main__":
    main()
