#!/usr/bin/env python3
"""Random weights with the names and shapes that the public PyTorch AlterRec's state_dict has, and an
item file and text features that go with them: what docs/coming_from.md converts.

    public_weights.py WEIGHTS.npz FEATURES.npy ITEMS.tsv
"""

import sys

import numpy

ITEMS, DIM, FEATURES, LENGTH, BLOCKS = 30, 12, 7, 6, 2


def encoder(place):
    shapes = {"position_embedding.weight": (LENGTH, DIM), "layer_norm.weight": (DIM,),
              "layer_norm.bias": (DIM,)}
    for b in range(BLOCKS):
        block = f"transformer_blocks.{b}."
        for name in ("w_Q", "w_K", "w_V", "fc"):
            shapes[f"{block}multi_head_attention.{name}.weight"] = (DIM, DIM)
        shapes[f"{block}feed_forward.w_1.weight"] = (4 * DIM, DIM)
        shapes[f"{block}feed_forward.w_1.bias"] = (4 * DIM,)
        shapes[f"{block}feed_forward.w_2.weight"] = (DIM, 4 * DIM)
        shapes[f"{block}feed_forward.w_2.bias"] = (DIM,)
        for part in ("multi_head_attention", "feed_forward"):
            shapes[f"{block}{part}.layer_norm.weight"] = (DIM,)
            shapes[f"{block}{part}.layer_norm.bias"] = (DIM,)
    return {f"{place}.transformer_encoder.{name}": shape for name, shape in shapes.items()}


shapes = {
    "id_module.emb.weight": (ITEMS, DIM),
    "id_module.layernorm1.weight": (DIM,), "id_module.layernorm1.bias": (DIM,),
    **encoder("id_module.session_encoder_id"),
    "text_module.linearlayer1.weight": (DIM, FEATURES), "text_module.linearlayer1.bias": (DIM,),
    "text_module.layernorm2.weight": (DIM,), "text_module.layernorm2.bias": (DIM,),
    **encoder("text_module.session_encoder"),
    "linearlayer.weight": (1, 2), "linearlayer.bias": (1,),
}
random = numpy.random.default_rng(1)
weights, features, items = sys.argv[1:]
numpy.savez(weights, **{name: random.uniform(-1, 1, shape).astype(numpy.float32)
                        for name, shape in shapes.items()})
numpy.save(features, random.standard_normal((ITEMS, FEATURES)).astype(numpy.float32))
with open(items, "w", encoding="utf-8") as file:
    file.write("item\ttext\n" + "".join(f"{item}\t\n" for item in range(ITEMS)))
