"""Which ADDs become COPY."""

import bz2
import gzip
import io
import lzma
import tarfile

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PLAN = Plan(select=frozenset({"copy-over-add"}))


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return buffer.getvalue()


FILES: dict[str, str | bytes] = {
    "a.txt": "a",
    "b.txt": "b",
    "dir/inner.tar": tar(),
    "plain.tar": b"not an archive at all",
    "zeros.tar": bytes(2048),
    "empty": b"",
    "hidden": tar(),
    "x.tgz": gzip.compress(tar()),
    "x.bz2": bz2.compress(tar()),
    "x.xz": lzma.compress(tar()),
    "x.zst": b"\x28\xb5\x2f\xfd....",
    "skip.zst": b"\x53\x2a\x4d\x18....",
    "app.jar": b"PK\x03\x04" + bytes(1000),
    "mixed/a.txt": "a",
    "mixed/b.tar": tar(),
}


def run(text: str, files: dict[str, str | bytes] | None = None) -> Result:
    return optimize(text, Context.of(FILES if files is None else files), PLAN)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ADD a.txt /", "COPY a.txt /"),
        ("add a.txt /", "copy a.txt /"),
        ("Add a.txt /", "Copy a.txt /"),
        ("  ADD\ta.txt \\\n # c\n b.txt /x/", "  COPY\ta.txt \\\n # c\n b.txt /x/"),
        ('ADD ["a.txt", "/"]', 'COPY ["a.txt", "/"]'),
        ("ADD . /app", "COPY . /app"),
        ("ADD dir /app", "COPY dir /app"),
        ("ADD *.txt /app/", "COPY *.txt /app/"),
        ("ADD plain.tar zeros.tar empty app.jar /x/", "COPY plain.tar zeros.tar empty app.jar /x/"),
        ("ADD --chown=a:b --chmod=755 --link a.txt /", "COPY --chown=a:b --chmod=755 --link a.txt /"),
        ("ADD <<EOF /x\nADD a b\nEOF", "COPY <<EOF /x\nADD a b\nEOF"),
        ("ADD a.txt ADD", "COPY a.txt ADD"),
        ("ENV F=a.txt\nADD $F /", "ENV F=a.txt\nCOPY $F /"),
        ("ARG D\nADD a.txt $D", "ARG D\nCOPY a.txt $D"),
        ("# c\nADD a.txt /", "# c\nCOPY a.txt /"),
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_changes(before: str, after: str, end: str) -> None:
    assert run(f"FROM x\n{before}{end}").after == f"FROM x\n{after}{end}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ADD http://x/y /", "only ADD fetches http://x/y"),
        ("ADD ftp://x/y /", "only ADD fetches"),
        ("ADD git@github.com:a/b.git /", "only ADD fetches"),
        ("ADD https://github.com/a/b.git#main /", "only ADD fetches"),
        ("ADD --keep-git-dir=true a.txt /", "only ADD has the flag --keep-git-dir"),
        ("ADD --checksum=sha256:x a.txt /", "only ADD has the flag --checksum"),
        ("ADD --unpack=false a.txt /", "only ADD has the flag --unpack"),
        ("ADD hidden /", "hidden is an archive"),
        ("ADD x.tgz /", "x.tgz is compressed"),
        ("ADD x.bz2 /", "x.bz2 is compressed"),
        ("ADD x.xz /", "x.xz is compressed"),
        ("ADD x.zst /", "x.zst is compressed"),
        ("ADD skip.zst /", "skip.zst is compressed"),
        ("ADD a.txt x.tgz /", "x.tgz is compressed"),
        ("ADD mixed/* /", "mixed/b.tar is an archive"),
        ("ADD missing /", "missing is not in the build context"),
        ("ADD *.jsx /", "*.jsx is not in the build context"),
        ("ARG F=a.txt\nADD $F /", "may be changed by a build argument"),
        ("ARG F\nENV G=$F\nADD $G /", "may be changed by a build argument"),
        ("ONBUILD ADD . /app", "ONBUILD"),
    ],
)
def test_stays(text: str, reason: str) -> None:
    result = run(f"FROM x\n{text}\n")

    assert result.after == result.before
    assert [d.reason for d in result.declined if reason in d.reason]


def test_what_the_ignore_file_hides_is_not_there() -> None:
    result = run("FROM x\nADD a.txt /\n", {"a.txt": "", ".dockerignore": "a.txt\n"})

    assert "not in the build context" in result.declined[0].reason


def test_a_large_file_is_not_read() -> None:
    def read(path: str) -> bytes | None:
        raise AssertionError(path)

    context = Context({"big": 2**30}, Context.of({}).ignore, read)

    assert "too large" in optimize("FROM x\nADD big /\n", context, PLAN).declined[0].reason


@pytest.mark.parametrize("kind", ["ustar", "gnu", "pax", "v7"])
def test_every_kind_of_tar_is_seen(kind: str) -> None:
    formats = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=formats.get(kind, tarfile.USTAR_FORMAT)) as archive:
        archive.addfile(tarfile.TarInfo("é" * 60 if kind == "pax" else "a"))
    data = buffer.getvalue()
    if kind == "v7":
        blank = bytearray(data[:512])
        blank[257:265] = bytes(8)
        blank[148:156] = b" " * 8
        blank[148:155] = b"%06o\0" % sum(blank)
        data = bytes(blank) + data[512:]

    result = run("FROM x\nADD f /\n", {"f": data})

    assert "is an archive" in result.declined[0].reason
