import pytest

from optimizer.verify import _opened
from optimizer.verify._opened import CERTIFICATES
from optimizer.verify.comparison import Claims, compare
from optimizer.verify.image import Image, Linkage
from tests.verify.images import File, image, linked

LIBRARY = "/usr/lib/x86_64-linux-gnu/libmagic.so.1"
SOURCE = "/usr/local/lib/python3.12/site-packages/magic/loader.py"
CLAIMS = Claims(packages="multi-stage", patterns=(("multi-stage", "/**"),))


def told(before: Image, after: Image, claims: Claims = CLAIMS) -> list[str]:
    """Return what is unclaimed though every file may be lost."""
    return [one.subject for one in compare(before, after, claims) if one.claimed_by is None]


@pytest.mark.parametrize(
    "source",
    [
        'lib = ctypes.CDLL("libmagic.so.1")',
        "lib = ctypes.cdll.LoadLibrary('libmagic.so.1')",
        'path = ctypes.util.find_library("magic")',
        'lib = ffi.dlopen( "libmagic.so.1")',
        "ffi_lib 'libmagic.so.1'",
    ],
)
def test_a_library_that_a_source_loads(source: str) -> None:
    name = "magic" if "find" in source else "libmagic.so.1"
    before, after = image({SOURCE: source, LIBRARY: ""}), image({SOURCE: source})

    assert told(before, after) == [f"{name} of {SOURCE}"]
    assert told(before, before) == []
    assert told(after, after) == []


@pytest.mark.parametrize("source", ['"libmagic.so.1"', 'CDLL(name)  # not "libmagic.so.1"', 'open("libmagic.so.1")'])
def test_a_name_that_no_call_takes_loads_nothing(source: str) -> None:
    assert told(image({SOURCE: source, LIBRARY: ""}), image({SOURCE: source})) == []


@pytest.mark.parametrize("module", ["ctypes/util.py", "platform.py"])
def test_the_search_of_python_itself_asks_for_nothing(module: str) -> None:
    source = {f"/usr/local/lib/python3.13/{module}": 'CDLL("libmagic.so.1")'}

    assert told(image({**source, LIBRARY: ""}), image(source)) == []


def program(data: bytes, others: dict[str, File | str | bytes]) -> Image:
    """Return an image with a program of this data, which is linked to nothing."""
    return image({"/app/server": File(b"\x7fELF" + data, mode=0o755), **others})


def test_names_in_the_data_of_a_program() -> None:
    assert _opened.by_program(b"\0libmagic.so.1\0x/libz.so\0liba.so.1.2\0 libb.sound\0mylibc.so\0") == {
        "libmagic.so.1",
        "liba.so.1.2",
    }
    assert _opened.by_program(b"\0" + CERTIFICATES.encode() + b"\0") == {CERTIFICATES}


def test_what_a_program_opens_by_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.verify._elf.linkage", lambda _: Linkage("EM_X86_64/64"))
    data = b"\0libmagic.so.1\0" + CERTIFICATES.encode() + b"\0"
    before = program(data, {LIBRARY: "", CERTIFICATES: ""})

    assert told(before, program(data, {})) == [
        "root certificates of /app/server",
        "libmagic.so.1 of /app/server",
    ]
    assert told(before, program(data, {CERTIFICATES: "", LIBRARY: ""})) == []


def test_what_packages_bring_may_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.verify._elf.linkage", lambda _: Linkage("EM_X86_64/64"))
    listed = {"/var/lib/dpkg/info/shop.list": "/app/server\n"}
    before = program(b"\0libmagic.so.1\0", {LIBRARY: "", **listed})

    assert told(before, program(b"\0libmagic.so.1\0", listed)) == []


@pytest.mark.parametrize(
    ("path", "claimed_by"),
    [
        ("/usr/lib/python3/site-packages/PIL/_imaging.cpython-311.so", "multi-stage"),
        ("/app/node_modules/sharp/build/sharp.node", "multi-stage"),
        ("/app/node_modules/.bin/server", None),
        ("/app/lib/own.so", None),
    ],
)
def test_modules_that_are_published_do_without_what_they_try(
    monkeypatch: pytest.MonkeyPatch, path: str, claimed_by: str | None
) -> None:
    monkeypatch.setattr("optimizer.verify._elf.linkage", lambda _: Linkage("EM_X86_64/64"))
    files = {path: File(b"\x7fELF\0libmagic.so.1\0", mode=0o755)}

    found = compare(image({**files, LIBRARY: ""}), image(files), CLAIMS)

    assert [one.claimed_by for one in found if one.subject == f"libmagic.so.1 of {path}"] == [claimed_by]


def test_certificates_that_nothing_is_seen_to_open_go_under_a_name() -> None:
    found = compare(image({CERTIFICATES: "", "/usr/share/zoneinfo/UTC": ""}), image({}), CLAIMS)

    assert {
        "root certificates in /etc/ssl/certs/ca-certificates.crt",
        "time zones in /usr/share/zoneinfo",
    } <= {one.subject for one in found if one.claimed_by == "multi-stage"}


@pytest.mark.parametrize(
    ("variable", "place", "expected"),
    [
        ("TZ=Europe/Paris", "/usr/share/zoneinfo/Europe/Paris", "time zone of Env TZ"),
        ("TZ=:Europe/Paris", "/usr/share/zoneinfo/Europe/Paris", "time zone of Env TZ"),
        ("LANG=de_DE.UTF-8", "/usr/lib/locale/de_DE.utf8/LC_TIME", "locale de_DE.UTF-8 of Env LANG"),
        ("LC_ALL=en_US.UTF-8", "/usr/lib/locale/locale-archive", "locale en_US.UTF-8 of Env LC_ALL"),
        ("SSL_CERT_FILE=/etc/ssl/own.pem", "/etc/ssl/own.pem", "path of Env SSL_CERT_FILE"),
        ("PYTHONPATH=/app:/opt/shared", "/opt/shared/a.py", "path of Env PYTHONPATH"),
        ("JAVA_HOME=/opt/java", "/opt/java/release", "path of Env JAVA_HOME"),
        ("LANG=C.UTF-8", "/usr/lib/locale/C.utf8/LC_TIME", None),
        ("GOPATH=/go", "/go/src/a.go", None),
    ],
)
def test_what_a_variable_names_is_there(variable: str, place: str, expected: str | None) -> None:
    before, after = image({place: ""}, Env=[variable]), image({}, Env=[variable])

    assert told(before, after) == ([expected] if expected else [])
    assert told(before, before) == []
    assert told(after, after) == []


def test_the_linker_has_its_own_say() -> None:
    """A library that the header names is not told twice."""
    needs = {"/app/server": Linkage("EM_X86_64/64", needed=("libmagic.so.1",)), LIBRARY: Linkage("EM_X86_64/64")}
    before = linked(needs)
    after = linked({"/app/server": needs["/app/server"]})

    assert told(before, after) == ["libmagic.so.1 of /app/server"]
