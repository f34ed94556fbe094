"""Named arrays in files: .safetensors (read and written here), .npz, and PyTorch's .pt."""

from __future__ import annotations

import json
import pathlib
import struct
from typing import Any, Dict, Mapping

import numpy
from numpy.typing import NDArray

from .data import Path

Arrays = Dict[str, NDArray[Any]]

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
         "I8": "|i1", "U8": "|u1", "BOOL": "|b1"}


def read_safetensors(path: Path) -> Arrays:
    """The arrays by name."""
    data = pathlib.Path(path).read_bytes()
    if len(data) < 8 or (size := struct.unpack("<Q", data[:8])[0]) > len(data) - 8:
        raise ValueError(f"{path}: the header does not fit into the file")
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    arrays: Arrays = {}
    for name, entry in header.items():
        if entry["dtype"] not in TYPES:
            raise ValueError(f"{path}: {name} is of type {entry['dtype']}")
        kind = numpy.dtype(TYPES[entry["dtype"]])
        begin, end = entry["data_offsets"]
        count = int(numpy.prod(entry["shape"], dtype=numpy.int64))
        if not 0 <= begin <= end <= len(data) - 8 - size or end - begin != count * kind.itemsize:
            raise ValueError(f"{path}: {name} does not fit its place in the file")
        arrays[name] = numpy.frombuffer(data, kind, count, 8 + size + begin).reshape(entry["shape"])
    return arrays


def write_safetensors(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Wide types first, so that every tensor is aligned."""
    spelt = {numpy.dtype(kind): name for name, kind in TYPES.items()}
    header: Dict[str, Any] = {}
    parts, end = [], 0
    for name, values in sorted(arrays.items(), key=lambda entry: -entry[1].dtype.itemsize):
        values = numpy.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        header[name] = {"dtype": spelt[values.dtype], "shape": list(values.shape),
                        "data_offsets": [end, end + values.nbytes]}
        parts.append(values.tobytes())
        end += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def _torch(path: Path) -> Any:
    try:
        import torch
    except ImportError:
        raise SystemExit(f"{path}: to read or write it takes the package torch; "
                         "or use .safetensors or .npz") from None
    return torch


def read(path: Path) -> Arrays:
    """By the name's ending. A PyTorch file holds a state_dict."""
    ending = pathlib.Path(path).suffix
    if ending == ".safetensors":
        return read_safetensors(path)
    if ending == ".npz":
        with numpy.load(path, allow_pickle=False) as file:
            return dict(file)
    state = _torch(path).load(path, map_location="cpu", weights_only=True)
    return {name: values.numpy() for name, values in state.items()}


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """By the name's ending, too."""
    ending = pathlib.Path(path).suffix
    if ending == ".safetensors":
        write_safetensors(path, arrays)
    elif ending == ".npz":
        named: Any = dict(arrays)
        numpy.savez(path, **named)
    else:
        torch = _torch(path)
        torch.save({name: torch.from_numpy(values.copy()) for name, values in arrays.items()}, path)
