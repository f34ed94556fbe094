"""The loaded library, its errors, and what C needs of Python's values."""

from __future__ import annotations

import ctypes
import subprocess
import threading
import weakref
from typing import Any, Callable, Dict, Optional, Sequence, Tuple, Type, TypeVar

import numpy
from numpy.typing import ArrayLike, NDArray

from . import _c
from ._record import LIMITS, fitting, within

STATUS_NAMES: Dict[int, str] = {
    value: name[len("ALTERREC_ERROR_"):]
    for name, value in vars(_c).items() if name.startswith("ALTERREC_ERROR_")
}


class AlterrecError(Exception):
    """A failed call: `status`, its name `status_name`, and the library's text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.status_name = STATUS_NAMES.get(status, "UNKNOWN")


def _load() -> ctypes.CDLL:
    """By the system's loader, or where pkg-config says that it is installed."""
    name = f"libalterrec.so.{_c.ALTERREC_VERSION_MAJOR}"
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        try:
            folder = subprocess.run(
                ["pkg-config", "--variable=libdir", "alterrec"], check=True,
                capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            raise ImportError(f"{error}; and pkg-config knows no alterrec") from None
        return ctypes.CDLL(f"{folder}/{name}")


def _checked(function: Any, kinds: Sequence[Any]) -> Any:
    """A function of C's that is not called with integers which it cannot hold."""
    places = [place for place, kind in enumerate(kinds) if kind in LIMITS]

    def call(*arguments: Any) -> Any:
        given = list(arguments)
        for place in places:
            given[place] = fitting(given[place], kinds[place])
        return function(*given)
    return call if places else function


c = _load()
for _name, (_result, _arguments) in _c.FUNCTIONS.items():
    _function = getattr(c, _name)
    _function.restype, _function.argtypes = _result, _arguments
    setattr(c, _name, _checked(_function, _arguments))

# What a callback raised on this thread, on its way around the C functions.
_raised = threading.local()
RAISED = -(1 << 30)


def check(status: int) -> None:
    """Raises the error of a status, or what a callback raised."""
    if status == _c.ALTERREC_OK:
        return
    if status == RAISED and getattr(_raised, "error", None) is not None:
        error, _raised.error = _raised.error, None
        raise error
    text = ctypes.create_string_buffer(c.alterrec_last_error_copy(None, 0) + 1)
    c.alterrec_last_error_copy(ctypes.addressof(text), len(text))
    raise AlterrecError(status, text.value.decode("utf-8", "replace"))


def callback(kind: Any, function: Callable[..., Optional[int]]) -> Any:
    """`function` as C calls it: what it raises is kept, None is to go on, True to stop."""
    def call(*arguments: Any) -> int:
        try:
            answer = function(*arguments)
            if answer is None or isinstance(answer, (bool, numpy.bool_)):
                return int(answer or 0)
            return fitting(answer, ctypes.c_int32)
        except BaseException as error:  # also what Ctrl-C raises
            _raised.error = error
            return RAISED
    return kind(call)


H = TypeVar("H", bound="Handle")


class Handle:
    """Owns a handle of the library's, or asks its lender for one each time it is used: `lend`."""

    def __init__(self, pointer: Optional[int] = None,
                 free: Optional[Callable[[Optional[int]], None]] = None,
                 lend: Optional[Callable[[], Optional[int]]] = None) -> None:
        self._p, self._lend = pointer, lend
        self._end = weakref.finalize(self, free, pointer) if free is not None else None
        if self._end is not None:
            # At the end of the process a daemon thread may be inside a call.
            self._end.atexit = False

    @classmethod
    def _of(cls: Type[H], pointer: Optional[int] = None,
            free: Optional[Callable[[Optional[int]], None]] = None,
            lend: Optional[Callable[[], Optional[int]]] = None) -> H:
        """What was made or lent elsewhere."""
        handle = cls.__new__(cls)
        Handle.__init__(handle, pointer, free, lend)
        return handle

    @property
    def p(self) -> Optional[int]:
        """The C handle; None of what is closed, which the library refuses."""
        return self._p if self._lend is None else self._lend()

    def close(self) -> None:
        """Frees it at once. The garbage collector does otherwise."""
        if self._end is not None:
            self._end()
        self._p, self._lend = None, None

    def __enter__(self: H) -> H:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def make(function: Callable[..., int], *arguments: Any) -> Optional[int]:
    """The handle that a function of the library makes."""
    pointer = ctypes.c_void_p()
    check(function(ctypes.byref(pointer), *arguments))
    return pointer.value


def of(kind: Type[Handle], handle: Handle) -> Optional[int]:
    """The C handle of an argument that must be of the kind: C would take any for it."""
    if not isinstance(handle, kind):
        raise TypeError(f"a {kind.__name__} is expected, not {type(handle).__name__}")
    return handle.p


def pointer(kind: Type[Handle], handle: Optional[Handle]) -> Optional[int]:
    """The same of one that may be None."""
    return None if handle is None else of(kind, handle)


def text(value: object) -> bytes:
    """As C takes it. One with a 0 in it would lose what stands behind it."""
    if value is None or isinstance(value, bytes):
        raise TypeError(f"text is expected, not {type(value).__name__}")
    encoded = str(value).encode("utf-8")
    if b"\0" in encoded:
        raise ValueError(f"{encoded!r} holds a 0")
    return encoded


def c_strings(values: Optional[Sequence[object]]) -> Any:
    if values is None:
        return None
    return (ctypes.c_char_p * len(values))(*[text(value) for value in values])


# What is taken for integers, floats and truths; nothing is rounded or cut to its last bits.
_TAKEN = {"i": "iu", "f": "iuf", "b": "iub"}


def array(values: ArrayLike, kind: Any) -> NDArray[Any]:
    """A C-contiguous array of the kind, the caller's own if it is one already."""
    given, wanted = numpy.asarray(values), numpy.dtype(kind)
    if given.size > 0 and given.dtype != wanted:
        if given.dtype.kind not in _TAKEN[wanted.kind]:
            raise TypeError(f"{given.dtype} in the place of {wanted}")
        if wanted.kind == "i":
            limits = numpy.iinfo(wanted)
            within(int(given.min()), int(given.max()), (int(limits.min), int(limits.max)))
    return numpy.ascontiguousarray(given, dtype=wanted)


def row(values: ArrayLike) -> NDArray[numpy.int32]:
    """Items, one behind the other."""
    items = array(values, numpy.int32)
    if items.ndim != 1:
        raise ValueError(f"the items are {items.shape}, not one row")
    return items


def address(values: Optional[NDArray[Any]]) -> Optional[int]:
    return None if values is None else values.ctypes.data


def lent(values: Optional[int], kind: Any, shape: Tuple[int, ...]) -> NDArray[Any]:
    """The library's own memory as an array: copy what is to stay."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    if count == 0 or values is None:
        return numpy.zeros(shape, kind)
    memory = (ctypes.c_byte * (count * numpy.dtype(kind).itemsize)).from_address(values)
    return numpy.frombuffer(memory, kind).reshape(shape)


def struct(kind: Any) -> Any:
    made = kind()
    made.struct_size = ctypes.sizeof(kind)
    return made


def fields(record: ctypes.Structure) -> Dict[str, Any]:
    """A struct's numbers as a dict."""
    found = {}
    for name, kind in ((field[0], field[1]) for field in record._fields_):
        value = getattr(record, name)
        if name in ("struct_size", "reserved") or issubclass(kind, ctypes._Pointer):
            continue
        found[name] = list(value) if isinstance(value, ctypes.Array) else value
    return found
