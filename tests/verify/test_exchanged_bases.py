"""What is expected where a rewrite took a base image of another family, and what is not."""

import pytest
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.model import read
from optimizer.report.evidence import Check, Difference
from optimizer.syntax import parse
from optimizer.transforms import Level
from optimizer.verify._bases import Exchange, exchange_of, sorted_out
from optimizer.verify.comparison import Claims, compare
from tests.verify.images import image

GO = (
    "FROM golang:1.22-bookworm AS build\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /out/app .\n"
    "FROM debian:bookworm-slim\nENV MODE=fast\nWORKDIR /data\nCOPY --from=build /out/app /usr/local/bin/\n"
    'COPY go.mod /etc/app/go.mod\nENTRYPOINT ["app"]\n'
)
JAVA = 'FROM openjdk:11\nWORKDIR /app\nCOPY app.jar .\nCMD ["java", "-jar", "app.jar"]\n'


def exchanged(text: str, transform: str) -> Exchange:
    context = Context.of({"go.mod": "module app\n", "app.jar": "-"})
    result = optimize(text, context, Plan(Level.ASSUMED, frozenset({transform})))
    found = exchange_of(result, read(parse(result.after)), context)
    assert found
    return found


def judged(difference: Difference, exchange: Exchange | None) -> str | None:
    (found,) = sorted_out([difference], exchange)
    assert found == replace(difference, claimed_by=found.claimed_by)
    return found.claimed_by


FILES = [
    ("/etc/nsswitch.conf", True),
    ("/usr/bin/apt", True),
    ("/media", True),
    ("/usr/local/bin/app", False),
    ("/usr/local/bin", False),  # with all below it
    ("/etc/app/go.mod", False),
    ("/data/x", False),
    ("/tmp/x", False),
    ("interpreter /bin/sh of /etc/update-motd.d/10-uname", True),
]


@pytest.mark.parametrize(("subject", "announced"), FILES)
def test_files_of_the_distribution_may_go_and_those_of_the_steps_not(subject: str, *, announced: bool) -> None:
    found = judged(Difference(Check.FILES, subject, "file", None), exchanged(GO, "distroless-base"))

    assert found == ("distroless-base" if announced else None)


@pytest.mark.parametrize(
    ("subject", "other", "announced"),
    [
        ("group 65534 of USER", "nobody", True),
        ("user 1000 of USER", None, False),
        ("user app of USER", "number 1001", False),
    ],
)
def test_each_family_has_its_own_names_for_numbers(subject: str, other: str | None, *, announced: bool) -> None:
    found = judged(Difference(Check.FILES, subject, "nogroup", other), exchanged(GO, "distroless-base"))

    assert found == ("distroless-base" if announced else None)


def test_folders_of_the_base_may_go_beside_what_the_steps_put_there() -> None:
    was = image({"/usr/local/bin/app": "a", "/usr/local/share/man/x": "x", "/usr/local/lib/y": "y"})
    claims = Claims(exchange=exchanged(GO, "distroless-base"))

    found = compare(was, image({"/usr/local/bin/app": "a"}), claims)
    assert {one.claimed_by for one in found} == {"distroless-base"}

    lost = compare(was, image({"/usr/local/bin/sh": "s"}), claims)
    assert [one.subject for one in lost if one.claimed_by is None] == ["/usr/local/bin/app"]


@pytest.mark.parametrize(
    ("subject", "announced"),
    [
        ("/usr/local/openjdk-11/bin/java", True),
        ("/etc/os-release", True),
        ("/app/app.jar", False),
        ("/usr/local/bin/tool", False),
        ("/root/.m2", False),
    ],
)
def test_files_beside_the_old_java_stay(subject: str, *, announced: bool) -> None:
    found = judged(Difference(Check.FILES, subject, "file", None), exchanged(JAVA, "replace-retired-base"))

    assert found == ("replace-retired-base" if announced else None)


@pytest.mark.parametrize(
    ("subject", "before", "after", "announced"),
    [
        ("Env SSL_CERT_FILE", None, "/etc/ssl/certs/ca-certificates.crt", True),
        ("Env MODE", "fast", None, False),
        ("User", None, "65532", False),
        ("Entrypoint", None, '["/__cacert_entrypoint.sh"]', True),
        ("Entrypoint", '["app"]', '["/__cacert_entrypoint.sh"]', False),
    ],
)
def test_settings_of_the_base_image(subject: str, before: str | None, after: str | None, *, announced: bool) -> None:
    found = judged(Difference(Check.CONFIG, subject, before, after), exchanged(GO, "distroless-base"))

    assert (found is not None) is announced


@pytest.mark.parametrize(
    ("subject", "after", "announced"),
    [
        ("libc.so.6 of /usr/local/bin/app", "/usr/lib/libc.so.6", True),
        ("libpq.so.5 of /usr/local/bin/app", None, False),
        ("libpq.so.5 of /usr/lib/libecpg.so.6", None, True),
    ],
)
def test_a_library_that_a_program_misses_is_told(subject: str, after: str | None, *, announced: bool) -> None:
    difference = Difference(Check.LIBRARIES, subject, "/lib/x", after)

    assert (judged(difference, exchanged(GO, "distroless-base")) is not None) is announced


def test_imports_and_runs_without_an_exchange_are_not_touched() -> None:
    assert judged(Difference(Check.IMPORTS, "x", "x", None), exchanged(GO, "distroless-base")) is None
    assert judged(Difference(Check.FILES, "/etc/x", "x", None), None) is None
    assert exchange_of(Result(GO, GO), read(parse(GO)), Context.of({})) is None
