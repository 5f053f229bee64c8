import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from optimizer.verify import _elf
from optimizer.verify._reading import read_image
from optimizer.verify.image import Kind
from tests.verify.images import File, archive, image, link


def test_what_stands_under_each_path() -> None:
    found = image(
        {
            "/app/run": File("#!/usr/bin/env -S sh -e\n", mode=0o755, owner=(1000, 50)),
            "/app/again": File(hard="/app/run"),
            "/app/link": link("run"),
            "/srv": File(folder=True, mode=0o1777),
        }
    ).entries

    assert found["/app/run"].shebang == ("/usr/bin/env", "-S", "sh", "-e")
    assert found["/app/run"] == found["/app/again"]
    assert (found["/app/run"].mode, found["/app/run"].owner) == (0o755, (1000, 50))
    assert (found["/app/link"].kind, found["/app/link"].content) == (Kind.LINK, "run")
    assert (found["/srv"].kind, found["/srv"].mode) == (Kind.FOLDER, 0o1777)


def test_the_kind_of_a_file_is_no_part_of_its_mode() -> None:
    found = image({"/a": File(mode=0o104755), "/srv": File(folder=True, mode=0o040755)}).entries

    assert (found["/a"].mode, found["/srv"].mode) == (0o4755, 0o755)


def test_names_that_are_no_text_can_be_told() -> None:
    name = b"/srv/\xff\xc3\xa4".decode("utf-8", "surrogateescape")
    found = image({name: "", "/srv/l": link(name)}).entries

    assert "/srv/\\xffä" in found
    assert found["/srv/l"].content == "/srv/\\xffä"
    assert "/srv/\\x1b[1m\\n" in image({"/srv/\x1b[1m\n": ""}).entries


def test_another_name_of_nothing_is_an_error() -> None:
    with pytest.raises(tarfile.TarError):
        image({"/a": File(hard="/b")})


def test_capabilities_are_read() -> None:
    found = image({"/app/run": File(pax={"SCHILY.xattr.security.capability": "\x01\x00"})})

    assert found.entries["/app/run"].attributes == (("security.capability", "\x01\x00"),)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/app/main.py", True),
        ("/app/lib/watch.js", True),
        ("/app/package.json", True),
        ("/app/data.json", False),
        ("/app/node_modules/a/index.js", False),
        ("/opt/venv/lib/python3.11/site-packages/flask/app.py", False),
        ("/opt/venv/lib/python3.11/site-packages/shop.pth", True),
        ("/usr/lib/python3/os.py", False),
        ("/etc/ld.so.conf.d/x.conf", True),
    ],
)
def test_texts_that_are_kept(path: str, kept: bool) -> None:  # noqa: FBT001
    assert (path in image({path: "text"}).texts) is kept


def test_scripts_are_kept_whatever_their_name() -> None:
    assert image({"/usr/local/bin/docker-entrypoint.sh": "#!/bin/sh\n"}).texts == {
        "/usr/local/bin/docker-entrypoint.sh": "#!/bin/sh\n"
    }


def test_large_sources_are_not_kept() -> None:
    assert not image({"/app/main.py": "#" * (1 << 20) + "#"}).texts


def zipped(name: str, text: str, year: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), text)
    return stream.getvalue()


def test_times_in_archives_do_not_count() -> None:
    one, two, other = (
        image({"/a.jar": zipped("A", text, year), "/a.gz": gzip.compress(text.encode(), mtime=year)}).entries
        for text, year in (("a", 2001), ("a", 2002), ("b", 2001))
    )

    assert one == two
    assert one["/a.jar"].content != other["/a.jar"].content
    assert one["/a.gz"].content != other["/a.gz"].content


def test_what_only_looks_like_an_archive_counts_by_its_bytes() -> None:
    assert image({"/a.jar": b"one"}).entries != image({"/a.jar": b"two"}).entries


def test_large_files_are_told_apart_by_their_ends() -> None:
    large = bytes(3 << 20)
    assert image({"/a": large + b"a"}).entries["/a"].content != image({"/a": large + b"b"}).entries["/a"].content


def test_a_stream_that_ends_too_early_is_an_error() -> None:
    whole = archive({"/a": "text" * 1000})

    with pytest.raises(tarfile.TarError):
        read_image(io.BytesIO(whole[:1200]), {})


def test_what_a_program_asks_of_the_linker() -> None:
    with Path("/bin/ls").open("rb") as file:
        found = _elf.linkage(file)

    assert found
    assert found.interpreter and "ld-linux" in found.interpreter  # noqa: PT018
    assert "libc.so.6" in found.needed
    assert found.machine.endswith("/64")


@pytest.mark.parametrize("data", [b"\x7fELF", b"\x7fELF" + bytes(60), b"\x7fELF\x02\x01\x01" + b"\xff" * 200])
def test_damaged_programs_ask_for_nothing(data: bytes) -> None:
    assert _elf.linkage(io.BytesIO(data)) is None
