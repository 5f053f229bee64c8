"""The names of what programs open by themselves while they run: dlopen(3), ctypes, cffi, and the root certificates.

They stand in the data of an ELF file as they are, and in the calls of a Python source.
"""

import re

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # as Go's crypto/x509 and Rust's openssl-probe name it

_ROOTS = CERTIFICATES.encode()
_SUFFIX = re.compile(rb"\.so(?:\.\d+)*(?=\0)")
_NAME = re.compile(rb"(?<![\w.+/-])lib[\w.+-]+\Z")
_LONGEST = 80
_CALLS = re.compile(
    rb"""(?:\b[CP]?y?(?:DLL|dll\.LoadLibrary)|\bdlopen|\bLoadLibrary|\bfind_library)\(\s*["']([\w.+-]+)["']"""
)
_LOADS = (b"CDLL", b"PyDLL", b"LoadLibrary", b"dlopen", b"find_library")


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
    """Return the libraries that a Python source names where it loads them; `magic` stands for any libmagic.so."""
    if not any(word in source for word in _LOADS):
        return frozenset()
    return frozenset(name.decode() for name in _CALLS.findall(source))
