"""Structs and integers of C that refuse what they cannot hold: ctypes would cut an integer to its
bits, and make an attribute of a misspelt field."""

from __future__ import annotations

import ctypes
import operator
from typing import Any, Dict, Tuple

LIMITS: Dict[Any, Tuple[int, int]] = {
    ctypes.c_int32: (-2 ** 31, 2 ** 31 - 1), ctypes.c_int64: (-2 ** 63, 2 ** 63 - 1),
    ctypes.c_uint32: (0, 2 ** 32 - 1), ctypes.c_size_t: (0, ctypes.c_size_t(-1).value),
}


def within(low: int, high: int, limits: Tuple[int, int]) -> None:
    """Raises OverflowError if one of two numbers is outside the limits."""
    for number in (low, high):
        if not limits[0] <= number <= limits[1]:
            raise OverflowError(f"{number} is outside {limits[0]}..{limits[1]}")


def fitting(value: Any, kind: Any) -> Any:
    """The value, if it is of another kind than integers; an integer that fits; or an error."""
    if kind not in LIMITS:
        return value
    number = operator.index(value)
    within(number, number, LIMITS[kind])
    return number


class Record(ctypes.Structure):
    """A struct of C, which has its fields and nothing else."""

    def __setattr__(self, name: str, value: Any) -> None:
        kinds = {field[0]: field[1] for field in self._fields_}
        if name not in kinds:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        super().__setattr__(name, fitting(value, kinds[name]))
