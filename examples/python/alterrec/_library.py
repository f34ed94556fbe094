"""The loaded library, its errors, and what C needs of Python's values."""

import ctypes
import subprocess
import threading
import weakref

import numpy

from . import _c

STATUS_NAMES = {
    value: name[len("ALTERREC_ERROR_"):]
    for name, value in vars(_c).items() if name.startswith("ALTERREC_ERROR_")
}


class AlterrecError(Exception):
    """A failed call: `status`, its name `status_name`, and the library's text."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        self.status_name = STATUS_NAMES.get(status, "UNKNOWN")


def _load():
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


c = _load()
for _name, (_result, _arguments) in _c.FUNCTIONS.items():
    _function = getattr(c, _name)
    _function.restype, _function.argtypes = _result, _arguments

# What a callback raised on this thread, on its way around the C functions.
_raised = threading.local()
RAISED = -(1 << 30)


def check(status):
    """Raises the error of a status, or what a callback raised."""
    if status == _c.ALTERREC_OK:
        return
    if status == RAISED and getattr(_raised, "error", None) is not None:
        error, _raised.error = _raised.error, None
        raise error
    text = ctypes.create_string_buffer(c.alterrec_last_error_copy(None, 0) + 1)
    c.alterrec_last_error_copy(ctypes.addressof(text), len(text))
    raise AlterrecError(status, text.value.decode("utf-8", "replace"))


def callback(kind, function):
    """`function` as C calls it: what it raises is kept, None is to go on, True to stop."""
    def call(*arguments):
        try:
            answer = function(*arguments)
            return 0 if answer is None else int(answer)
        except BaseException as error:  # also what Ctrl-C raises
            _raised.error = error
            return RAISED
    return kind(call)


class Handle:
    """Owns a handle of the library's, or asks its lender for one each time it is used: `lend`."""

    def __init__(self, pointer=None, free=None, lend=None):
        self._p, self._lend = pointer, lend
        self._end = weakref.finalize(self, free, pointer) if free is not None else None

    @property
    def p(self):
        """The C handle; None of what is closed, which the library refuses."""
        return self._p if self._lend is None else self._lend()

    def close(self):
        """Frees it at once. The garbage collector does otherwise."""
        if self._end is not None:
            self._end()
        self._p, self._lend = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def make(function, *arguments):
    """The handle that a function of the library makes."""
    pointer = ctypes.c_void_p()
    check(function(ctypes.byref(pointer), *arguments))
    return pointer.value


def pointer(handle):
    return None if handle is None else handle.p


def text(value):
    """As C takes it. One with a 0 in it would lose what stands behind it."""
    value = str(value).encode("utf-8")
    if b"\0" in value:
        raise ValueError(f"{value!r} holds a 0")
    return value


def texts(values):
    if values is None:
        return None
    return (ctypes.c_char_p * len(values))(*[text(value) for value in values])


def array(values, kind):
    """A C-contiguous array of the kind, the caller's own if it is one already."""
    return numpy.ascontiguousarray(values, dtype=kind)


def address(values):
    return None if values is None else values.ctypes.data


def struct(kind):
    made = kind()
    made.struct_size = ctypes.sizeof(kind)
    return made


def fields(record):
    """A struct's fields as a dict."""
    found = {}
    for name, _ in record._fields_:
        value = getattr(record, name)
        if name not in ("struct_size", "reserved"):
            found[name] = list(value) if isinstance(value, ctypes.Array) else value
    return found
