"""Which files ADD would unpack.

Source: BuildKit `solver/llbsolver/file/unpack.go` (isArchivePath): a file whose contents, decompressed as their
first bytes say, begin with the header of a tar entry; the name does not count.
"""

from optimizer.context import Context

_COMPRESSED = (b"BZh", b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_SKIPPABLE = b"\x2a\x4d\x18"  # the end of a skippable zstd frame's magic number, whose first byte is 0x50 to 0x5f
_HEADER = 512
_CHECKSUM = slice(148, 156)
_TOO_LARGE = 16 * 1024 * 1024


def why_unpacked(path: str, context: Context) -> str | None:
    """Say why ADD might unpack a file of the build context, None where it certainly does not."""
    if context.size(path) > _TOO_LARGE:
        return f"{path} is too large to look into: ADD unpacks it if it is an archive"
    data = context.read_bytes(path)
    if data is None:
        return f"{path} cannot be read: ADD unpacks it if it is an archive"
    if data.startswith(_COMPRESSED) or (data[1:4] == _SKIPPABLE and data[0] & 0xF0 == 0x50):  # noqa: PLR2004 - see above
        return f"{path} is compressed: ADD unpacks it if it holds an archive"
    return f"{path} is an archive, which ADD unpacks" if _is_tar(data[:_HEADER]) else None


def _is_tar(header: bytes) -> bool:
    """Tell whether a block has the checksum of a tar header, which may be a sum of signed or of unsigned bytes."""
    if len(header) < _HEADER:
        return False
    field = header[_CHECKSUM].strip(b" \0")
    if not field or any(byte not in b"01234567" for byte in field):
        return False
    blanked = header[: _CHECKSUM.start] + b" " * 8 + header[_CHECKSUM.stop :]
    signed = sum(byte - 256 if byte > 127 else byte for byte in blanked)  # noqa: PLR2004 - the sign bit
    return int(field, 8) in {sum(blanked), signed}
