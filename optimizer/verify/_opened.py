"""The names of what programs open by themselves while they run: dlopen(3), ctypes, cffi, Ruby's ffi, root certificates.

They stand in the data of an ELF file as they are, and in the calls of a Python or Ruby source.
"""

import re

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # as Go's crypto/x509 and Rust's openssl-probe name it

_ROOTS = CERTIFICATES.encode()
_SUFFIX = re.compile(rb"\.so(?:\.\d+)*(?=\0)")
_NAME = re.compile(rb"(?<![\w.+/-])lib[\w.+-]+\Z")
_LONGEST = 80
_CALLS = re.compile(
    rb"""(?:\b(?:(?:C|Py)DLL|dlopen|LoadLibrary|find_library)\(|\bffi_lib(?:\(|[ \t]))\s*["']([\w.+-]+)["']"""
)
_LOADS = (b"DLL(", b"LoadLibrary(", b"dlopen(", b"find_library(", b"ffi_lib")
SOURCES = (".py", ".rb")


def by_program(block: bytes) -> set[str]:
    """Return the libraries that a piece of an ELF file names, and the bundle of certificates."""
    found = set()
    for match in _SUFFIX.finditer(block):
        if name := _NAME.search(block, max(0, match.start() - _LONGEST), match.start()):
            found.add((name[0] + match[0]).decode())
    if _ROOTS in block:
        found.add(CERTIFICATES)
    return found


def by_source(source: bytes) -> frozenset[str]:
    """Return the libraries that a source names where it loads them; `magic` stands for any libmagic.so."""
    if not any(word in source for word in _LOADS):
        return frozenset()
    return frozenset(name.decode() for name in _CALLS.findall(source))
