#!/usr/bin/env python3
"""Turns the weights of an AlterRec that was trained in PyTorch into a model file, and back.

    convert_weights.py to-model WEIGHTS MODEL.safetensors --items items.tsv --features f.npy \\
        --names published_names.json --set model.heads=2
    convert_weights.py from-model MODEL.safetensors WEIGHTS --names published_names.json

WEIGHTS is a state_dict: .safetensors, .npz, or .pt. Every program names its tensors as it likes, so
names.json says how theirs and ours go together, by whole names or by patterns in which {b} is a
block's number; ours are in docs/formats.md, and what is not named goes by the same name. Those of
the program that was published with the paper are in published_names.json, of which this is a part:

    {"id_module.emb.weight": "id.embedding.weight",
     "text_module.linearlayer1.weight": "text.projection.weight"}

Linear weights are [out, in] on both sides. --drop-rows leaves out the first rows of a tensor, as of
an embedding whose row 0 is padding. The sizes (model.dim, blocks, max_len) are taken from the tensors;
the number of heads cannot be, and is 2 if nothing is said. The file is made by the library, which
checks every shape.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional

import numpy

from alterrec import Catalog, Config, Model, tensors
from alterrec.data import Path


def renamer(path: Optional[Path], backwards: bool) -> Callable[[str], str]:
    """A function from their names to ours, or backwards."""
    pairs = json.loads(pathlib.Path(path).read_text(encoding="utf-8")) if path else {}
    rules = []
    for theirs, ours in pairs.items():
        source, target = (ours, theirs) if backwards else (theirs, ours)
        pattern = re.escape(source).replace(re.escape("{b}"), r"(?P<b>\d+)")
        rules.append((re.compile(pattern), target))

    def rename(name: str) -> str:
        for pattern, target in rules:
            match = pattern.fullmatch(name)
            if match:
                return target.replace("{b}", match.groupdict().get("b", ""))
        return name
    return rename


def sizes(weights: Mapping[str, Any]) -> Dict[str, object]:
    """The options that the tensors' shapes tell."""
    dim = weights["id.embedding.weight"].shape[1]
    blocks = {int(m[1]) for name in weights
              if (m := re.match(r"id\.encoder\.blocks\.(\d+)\.", name))}
    return {"model.dim": dim, "model.blocks": max(blocks) + 1,
            "model.max_len": weights["id.encoder.position.weight"].shape[0]}


def to_model(arguments: argparse.Namespace) -> None:
    rename = renamer(arguments.names, backwards=False)
    weights = {rename(name): values for name, values in tensors.read(arguments.weights).items()}
    for rule in arguments.drop_rows:
        name, rows = rule.rsplit("=", 1)
        if name not in weights:
            sys.exit(f"--drop-rows {rule}: there is no {name}")
        weights[name] = weights[name][int(rows):]
    if "id.embedding.weight" not in weights:
        sys.exit(f"{arguments.weights}: no tensor is id.embedding.weight; is it in --names? There "
                 f"are: {', '.join(sorted(weights))}")
    config = Config(sizes(weights))
    for rule in arguments.set:
        key, value = rule.split("=", 1)
        config[key] = value
    catalog = (Catalog.read(arguments.items, config) if arguments.items
               else Catalog(len(weights["id.embedding.weight"])))
    if arguments.features:
        catalog.read_features(arguments.features)
    model = Model(catalog, config)
    missing = [name for name in model.shapes if name not in weights]
    if missing:
        sys.exit(f"{arguments.weights}: there is no {', '.join(missing)}")
    for name in model.shapes:
        model[name] = weights.pop(name).astype(numpy.float32)
    for name in weights:
        print(f"left out: {name}", file=sys.stderr)
    model.save(arguments.model)
    print(f"{arguments.model}: {len(model.shapes)} tensors, {len(catalog)} items")


def from_model(arguments: argparse.Namespace) -> None:
    rename = renamer(arguments.names, backwards=True)
    model = Model.load(arguments.model)
    tensors.write(arguments.weights, {rename(name): model[name] for name in model.shapes})
    print(f"{arguments.weights}: {len(model.shapes)} tensors")


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("to-model")
    command.add_argument("weights")
    command.add_argument("model")
    command.add_argument("--items", help="item file; without it the keys are 0, 1, ...")
    command.add_argument("--features", help=".npy, the text features; without it: ID tower only")
    command.add_argument("--names")
    command.add_argument("--drop-rows", action="append", default=[], metavar="TENSOR=ROWS")
    command.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    command.set_defaults(run=to_model)
    command = commands.add_parser("from-model")
    command.add_argument("model")
    command.add_argument("weights")
    command.add_argument("--names")
    command.set_defaults(run=from_model)
    chosen = parser.parse_args(arguments)
    chosen.run(chosen)


if __name__ == "__main__":
    main()
