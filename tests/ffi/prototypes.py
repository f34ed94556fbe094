#!/usr/bin/env python3
"""Writes alterrec.h again in the words of Rust and of Python's ctypes.

    prototypes.py           writes both files
    prototypes.py --check   fails if one of them says otherwise

The header's own style is what is parsed: one declaration at a time, no bit fields, no unions.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "include/alterrec/alterrec.h"
RUST = ROOT / "examples/rust/alterrec-sys/src/generated.rs"
PYTHON = ROOT / "examples/python/alterrec/_c.py"

RUST_TYPES = {
    "void": "c_void", "char": "c_char", "float": "f32", "double": "f64", "size_t": "usize",
    "int32_t": "i32", "uint32_t": "u32", "int64_t": "i64", "uint8_t": "u8", "uint64_t": "u64",
    "alterrec_status": "alterrec_status",
}
PYTHON_TYPES = {
    "float": "c_float", "double": "c_double", "size_t": "c_size_t", "int32_t": "c_int32",
    "uint32_t": "c_uint32", "int64_t": "c_int64", "uint8_t": "c_uint8", "uint64_t": "c_uint64",
    "alterrec_status": "c_int32",
}


class Declaration:
    """A C type and a name: `const int32_t **items`, `double loss[2]`."""

    def __init__(self, text):
        match = re.fullmatch(r"(.*?)(\w+)(?:\[(\d+)\])?", text.strip(), re.S)
        before, self.name, self.length = match.groups()
        if not before.strip():  # a type without a name: `void`
            before, self.name = self.name, ""
        tokens = re.findall(r"\w+|\*", before)
        self.base = next(t for t in tokens if t not in ("const", "*", "struct"))
        # What each star points to: constant or not.
        self.stars, constant = [], False
        for token in tokens:
            if token == "const":
                constant = True
            elif token == "*":
                self.stars.append(constant)
                constant = False


class Header:
    def __init__(self, text):
        text = re.sub(r"/\*.*?\*/", "", text.replace("\\\n", " "), flags=re.S)
        self.constants = [
            (name, int(value.strip("()")))
            for name, value in re.findall(r"^#define (ALTERREC_\w+) +(\(?-?\d+\)?) *$", text, re.M)
        ]
        text = re.sub(r"^#.*?(?<!\\)$", "", text, flags=re.M | re.S)
        self.structs = [
            (name, [Declaration(field) for field in body.split(";") if field.strip()])
            for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", text, re.S)
        ]
        self.opaque = re.findall(r"typedef struct (\w+) \1;", text)
        self.callbacks = [
            (name, Declaration(result), self.arguments(arguments))
            for result, name, arguments in re.findall(
                r"typedef (\w+) \(\*(\w+)\)\((.*?)\);", text, re.S)
        ]
        self.functions = [
            (Declaration(declaration), self.arguments(arguments))
            for declaration, arguments in re.findall(
                r"ALTERREC_API ([\w\s*]+?)\(([^;]*?)\);", text, re.S)
        ]

    @staticmethod
    def arguments(text):
        return [] if text.strip() == "void" else [Declaration(a) for a in text.split(",")]


def rust(header):
    callbacks = {name for name, _, _ in header.callbacks}

    def spell(d):
        text = RUST_TYPES.get(d.base, d.base)
        for constant in d.stars:
            text = ("*const " if constant else "*mut ") + text
        return f"[{text}; {d.length}]" if d.length else text

    def keyword(name):
        return "r#" + name if name in ("type", "match", "ref", "in", "use", "where") else name

    def result(d):
        return "" if d.base == "void" and not d.stars else " -> " + spell(d)

    out = [
        "// Written by tests/ffi/prototypes.py from alterrec.h, where every comment stands.",
        "use core::ffi::{c_char, c_void};", "use core::marker::{PhantomData, PhantomPinned};", "",
        "pub type alterrec_status = i32;", "",
    ]
    out += [f"pub const {name}: i32 = {value};" for name, value in header.constants] + [""]
    for name in header.opaque:
        out += ["#[repr(C)]", f"pub struct {name} {{", "    _opaque: [u8; 0],",
                "    _pinned: PhantomData<(*mut u8, PhantomPinned)>,", "}", ""]
    for name, fields in header.structs:
        out += ["#[repr(C)]", "#[derive(Clone, Copy, Debug)]", f"pub struct {name} {{"]
        out += [f"    pub {keyword(d.name)}: {spell(d)}," for d in fields] + ["}", ""]
    for name, answer, arguments in header.callbacks:
        spelt = ", ".join(f"{keyword(d.name)}: {spell(d)}" for d in arguments)
        out += [f"pub type {name} = Option<unsafe extern \"C\" fn({spelt}){result(answer)}>;"]
    out += ["", "unsafe extern \"C\" {"]
    for d, arguments in header.functions:
        spelt = ", ".join(f"{keyword(a.name)}: {spell(a)}" for a in arguments)
        out += [f"    pub fn {d.name}({spelt}){result(d)};"]
    assert not callbacks & {name for name, _ in header.structs}
    return "\n".join(out + ["}", ""])


def python(header):
    structs = {name for name, _ in header.structs}
    callbacks = {name for name, _, _ in header.callbacks}

    def spell(d):
        if not d.stars:
            text = d.base if d.base in callbacks else PYTHON_TYPES.get(d.base, "None")
            return f"{text} * {d.length}" if d.length else text
        if d.base == "char" and len(d.stars) == 1 and d.stars[0]:
            return "c_char_p"
        if d.base == "char" and len(d.stars) == 2:
            return "POINTER(c_char_p)"
        if d.base in structs:
            return f"POINTER({d.base})"
        # A handle, or an array; a second star is where one is put.
        return "c_void_p" if len(d.stars) == 1 else "POINTER(c_void_p)"

    def hint(d):
        if d.stars or d.length or d.base in callbacks:
            return "bytes" if spell(d) == "c_char_p" else "Any"
        return "float" if d.base in ("float", "double") else "int"

    out = [
        "# Written by tests/ffi/prototypes.py from alterrec.h, where every comment stands.",
        "from ctypes import (", "    CFUNCTYPE, POINTER, c_char_p, c_double, c_float, c_int32,"
        " c_int64, c_size_t, c_uint8,", "    c_uint32, c_void_p)",
        "from typing import Any, Dict, List, Tuple", "", "from ._record import Record", "",
    ]
    out += [f"{name} = {value}" for name, value in header.constants] + [""]
    for name, fields in header.structs:
        out += ["", f"class {name}(Record):", "    _fields_ = ["]
        # A callback in a struct is an address: its type may name structs that stand further down.
        out += [f'        ("{d.name}", {"c_void_p" if d.base in callbacks else spell(d)}),'
                for d in fields] + ["    ]"]
        out += [f"    {d.name}: {hint(d)}" for d in fields] + [""]
    out += [""]
    for name, answer, arguments in header.callbacks:
        out += [f"{name} = CFUNCTYPE({', '.join([spell(answer)] + [spell(a) for a in arguments])})"]
    out += ["", "FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {"]
    for d, arguments in header.functions:
        spelt = ", ".join(spell(a) for a in arguments)
        out += [f'    "{d.name}": ({spell(d)}, [{spelt}]),']
    return "\n".join(out + ["}", ""])


def main():
    header = Header(HEADER.read_text())
    behind = []
    for path, text in ((RUST, rust(header)), (PYTHON, python(header))):
        if sys.argv[1:] == ["--check"]:
            if not path.exists() or path.read_text() != text:
                behind.append(str(path.relative_to(ROOT)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if behind:
        sys.exit("behind alterrec.h: " + ", ".join(behind) + ": run tests/ffi/prototypes.py")
    print(f"{len(header.functions)} functions, {len(header.structs)} structs, "
          f"{len(header.constants)} constants")


main()
