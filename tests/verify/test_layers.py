"""What layers make together, read from archives as `docker save` and `podman save` write them."""

import io
import json
import tarfile
from collections.abc import Mapping

import pytest

from optimizer.verify._store import Store
from optimizer.verify.image import Image, Kind
from tests.verify.images import File, archive, link
from tests.verify.saved import digest, ids, plain, saved

Files = Mapping[str, File | str | bytes]


def made(*layers: Files, packed: bool = False) -> Image:
    store, data = Store(), [archive(layer) for layer in layers]
    store.read(io.BytesIO(saved(data, packed=packed)))
    return store.image(ids(data), {})


def contents(image: Image) -> set[str]:
    return {path for path, entry in image.entries.items() if entry.kind is not Kind.FOLDER}


BELOW: Files = {"/app/a.py": "a = 1", "/app/lib/b": "b", "/etc/c": "c"}


@pytest.mark.parametrize(
    ("above", "left"),
    [
        ({"/app/d": ""}, {"/app/a.py", "/app/lib/b", "/etc/c", "/app/d"}),
        ({"/app/.wh.a.py": ""}, {"/app/lib/b", "/etc/c"}),
        ({"/.wh.app": ""}, {"/etc/c"}),
        ({"/app/.wh..wh..opq": "", "/app/lib/e": ""}, {"/app/lib/e", "/etc/c"}),
        ({"/.wh.app": "", "/app/a.py": "new"}, {"/app/a.py", "/etc/c"}),
        ({"/app": "a file now"}, {"/app", "/etc/c"}),
        ({"/app": link("srv")}, {"/app", "/etc/c"}),
        ({"/app/.wh..wh.plnk": ""}, {"/app/a.py", "/app/lib/b", "/etc/c"}),
        ({"/app/.wh.nothing": ""}, {"/app/a.py", "/app/lib/b", "/etc/c"}),
        ({"/.wh..wh..opq": "", "/f": ""}, {"/f"}),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_layer_brings_and_takes_away(above: Files, left: set[str], packed: bool) -> None:  # noqa: FBT001
    assert contents(made(BELOW, above, packed=packed)) == left


def test_a_folder_that_is_there_again_keeps_what_is_in_it_and_takes_the_newer_mode() -> None:
    found = made(BELOW, {"/app": File(folder=True, mode=0o700)})

    assert contents(found) == {"/app/a.py", "/app/lib/b", "/etc/c"}
    assert found.entries["/app"].mode == 0o700


def test_folders_that_a_layer_does_not_name_are_there() -> None:
    layer = plain({"opt/shop/run": b"#!/bin/sh\n"})
    store = Store()
    store.read(io.BytesIO(saved([layer])))
    found = store.image(ids([layer]), {})

    assert found.entries["/opt/shop"].kind is Kind.FOLDER
    assert (found.entries["/opt"].mode, found.entries["/opt"].owner) == (0o755, (0, 0))


def test_texts_go_with_their_files() -> None:
    assert made(BELOW, {"/app/.wh.a.py": ""}).texts == {}
    assert made(BELOW, {"/app/a.py": "#" * (1 << 20) + "#"}).texts == {}
    assert made(BELOW, {"/app/a.py": "a = 2"}).texts == {"/app/a.py": "a = 2"}


def test_another_name_of_a_file_below() -> None:
    found = made(BELOW, {"/app/again.py": File(hard="/app/a.py")})

    assert found.entries["/app/again.py"] == found.entries["/app/a.py"]
    assert found.texts["/app/again.py"] == "a = 1"
    with pytest.raises(tarfile.TarError, match="/a is another name of /b"):
        made(BELOW, {"/a": File(hard="/b")})


def test_layers_that_are_known_are_not_read_again() -> None:
    base, one, two = archive(BELOW), archive({"/one": ""}), archive({"/two": ""})
    store = Store()
    store.read(io.BytesIO(saved([base, one])))
    names = json.dumps([{"Config": "c.json", "Layers": [f"{digest(base)}.tar", f"{digest(two)}.tar"]}])
    config = json.dumps({"rootfs": {"diff_ids": ids([base, two])}})
    damaged = {f"{digest(base)}.tar": b"damaged", f"{digest(two)}.tar": two}
    store.read(io.BytesIO(plain({**damaged, "c.json": config.encode(), "manifest.json": names.encode()})))

    assert contents(store.image(ids([base, two]), {})) == contents(made(BELOW, {"/two": ""}))


def test_a_layer_that_is_there_as_a_link_to_its_twin() -> None:
    base = archive(BELOW)
    twin = tarfile.TarInfo()
    twin.type, twin.linkname = tarfile.SYMTYPE, f"../{digest(base)}.tar"
    names = json.dumps([{"Config": "c.json", "Layers": [f"{digest(base)}.tar", "9/layer.tar"]}])
    config = json.dumps({"rootfs": {"diff_ids": ids([base, base])}})
    store = Store()
    members = {f"{digest(base)}.tar": base, "9/layer.tar": twin}
    store.read(io.BytesIO(plain({**members, "c.json": config.encode(), "manifest.json": names.encode()})))

    assert contents(store.image(ids([base, base]), {})) == contents(made(BELOW))


def test_what_cannot_be_unpacked_is_left_out() -> None:
    store, layer = Store(), b"\x28\xb5\x2f\xfd" + bytes(2000)  # Zstandard
    store.read(io.BytesIO(saved([layer])))

    assert not store.has(ids([layer]))


@pytest.mark.parametrize("data", [plain({}), plain({"manifest.json": b"{}"}), plain({"manifest.json": b'[{"a": 1}]'})])
def test_an_archive_without_images_is_an_error(data: bytes) -> None:
    with pytest.raises(tarfile.TarError, match="has no manifest"):
        Store().read(io.BytesIO(data))


def test_the_layers_that_were_used_last_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [archive({f"/{number}/{name}": "" for name in "abcdefghi"}) for number in range(3)]
    store = Store()
    for layer in layers:
        store.read(io.BytesIO(saved([layer])))
    store.image(ids(layers[:1]), {})
    monkeypatch.setattr("optimizer.verify._store._MOST_ENTRIES", 20)
    store.forget()

    assert [store.has(ids([layer])) for layer in layers] == [True, False, True]
