"""Files as text."""

import stat
from pathlib import Path

from optimizer.engine import InputError


def read_text(path: Path) -> str:
    """Read a Dockerfile; raises InputError where it is no text, OSError where it cannot be read."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise InputError("not a file")
    return decoded(path.read_bytes(), None)


def decoded(data: bytes, name: str | None) -> str:
    """Decode UTF-8, byte order mark kept; raises InputError for anything else."""
    prefix = f"{name} is " if name else ""
    if b"\0" in data:
        raise InputError(f"{prefix}binary, not a Dockerfile" if not name else f"{prefix}binary")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{prefix}not UTF-8 text (byte 0x{data[error.start]:02x})", None if name else line) from None
