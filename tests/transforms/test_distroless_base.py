"""Which programs run without a distribution, and what keeps one."""

import pytest

from optimizer.context import Context
from optimizer.model import read
from optimizer.syntax import parse
from optimizer.transforms import Decline, Finding, Rewrite, Subject
from optimizer.transforms.distroless_base import distroless_base

GO = "FROM golang:1.22-bookworm AS build\nRUN CGO_ENABLED=0 go build -o /server /src\n"
LAST = "FROM debian:bookworm-slim\nCOPY --from=build /server /server\n"
START = 'CMD ["/server"]\n'
CARGO = "FROM rust:1.80-bookworm AS build\nWORKDIR /src\nRUN cargo build --release\n"
CRATE = 'FROM debian:bookworm-slim\nCOPY --from=build /src/target/release/a /a\nCMD ["/a"]\n'
LOCK = '[[package]]\nname = "a"\n'


def find(text: str, files: dict[str, str] | None = None) -> list[Finding]:
    return list(distroless_base.find(Subject(read(parse(text)), Context.of(files or {}))))


def image(text: str, files: dict[str, str] | None = None) -> str:
    (found,) = find(text, files)
    assert isinstance(found, Rewrite), found
    return found.added[0].split()[1]


def reason(text: str, files: dict[str, str] | None = None) -> str:
    (found,) = find(text, files)
    assert isinstance(found, Decline)
    return found.reason


@pytest.mark.parametrize(
    ("text", "files", "name"),
    [
        (GO + LAST + START, {}, "static-debian12"),
        (GO + LAST.replace("bookworm-slim", "trixie") + START, {}, "static-debian13"),
        (GO.replace("CGO_ENABLED=0 ", "") + LAST + START, {}, "cc-debian12"),
        (GO.replace("golang:1.22-bookworm", "golang:1.22-alpine") + LAST + START, {}, "static-debian12"),
        (CARGO + CRATE, {"Cargo.lock": LOCK}, "cc-debian12"),
        (
            CARGO + CRATE.replace("target/", "target/x86_64-unknown-linux-musl/"),
            {"Cargo.lock": LOCK + 'name = "libz-sys"\n'},
            "static-debian12",
        ),
        (GO + LAST + "USER nobody\nRUN apt-get update && apt-get install -y tzdata\n" + START, {}, "static-debian12"),
        (GO + LAST + 'HEALTHCHECK CMD ["/server", "-check"]\n' + START, {}, "static-debian12"),
    ],
)
def test_the_image_holds_what_the_program_needs(text: str, files: dict[str, str], name: str) -> None:
    assert image(text, files) == f"gcr.io/distroless/{name}"


@pytest.mark.parametrize(
    ("text", "because"),
    [
        (GO + LAST + "RUN mkdir /data\n" + START, "the RUN of line 5 needs a shell"),
        (GO + LAST + "RUN apt-get update && apt-get install -y curl\n" + START, "the RUN of line 5 needs a shell"),
        (GO + LAST + "RUN apt-get update || apt-get install tzdata\n" + START, "the RUN of line 5 needs a shell"),
        (GO + LAST + "USER app\n" + START, "the user of line 5 would not be there"),
        (GO + LAST + "USER nobody:nogroup\n" + START, "the user of line 5 would not be there"),
        (GO + LAST + "COPY --chown=app:app --from=build /x /x\n" + START, "the owner of line 5 would not be there"),
        (GO + LAST + "CMD /server\n", "is started by a shell"),
        (GO + LAST + "HEALTHCHECK CMD wget -q localhost\n" + START, "the HEALTHCHECK of line 5 is started by a shell"),
        (GO + LAST + 'HEALTHCHECK CMD ["curl", "localhost"]\n' + START, "curl of line 5 is not copied from a stage"),
        (GO + LAST + 'SHELL ["/bin/bash", "-c"]\n' + START, "SHELL names a shell"),
        (GO + LAST + 'ENTRYPOINT ["/entry.sh"]\n' + START, "/entry.sh of line 5 is not copied from a stage"),
        (GO + LAST, "no CMD or ENTRYPOINT names a program"),
        (GO + LAST.replace("bookworm-slim", "bullseye-slim") + START, "no distroless image of the same release"),
        (GO.replace("CGO_ENABLED=0 ", "").replace("bookworm", "trixie") + LAST + START, "not to those of bookworm"),
        (
            GO.replace("CGO_ENABLED=0 ", "").replace("RUN", "RUN apt-get install -y libpcap-dev && ") + LAST + START,
            "linked to the library of libpcap",
        ),
        (GO.replace("/server", "/other") + LAST + START, "which command makes /server is not known"),
        (GO + LAST + "COPY --from=alpine:3 /bin/busybox /bin/busybox\n" + START, "takes from alpine:3"),
        (GO + LAST + "COPY --from=build /tool /usr/local/bin\n" + START, "write /usr/local/bin/"),
        (GO + LAST + START + "FROM scratch\nCOPY --from=1 /server /\n", ""),
    ],
)
def test_what_keeps_the_distribution(text: str, because: str) -> None:
    found = find(text)
    if not because:
        assert found == []
    else:
        assert because in reason(text)


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        (CARGO + CRATE, {}, "without Cargo.lock"),
        (CARGO + CRATE, {"Cargo.lock": LOCK + 'name = "libz-sys"\n'}, "the crate libz-sys"),
        (GO + LAST + START, {"run.go": 'import "os/exec"\n'}, "run.go starts programs (os/exec)"),
        (
            GO.replace("CGO_ENABLED=0 ", "") + LAST + START,
            {"c.go": "// #cgo LDFLAGS: -lpcap\n"},
            "c.go links to a library",
        ),
    ],
)
def test_what_the_sources_say_against_it(text: str, files: dict[str, str], because: str) -> None:
    assert because in reason(text, files)


def test_a_test_of_go_may_start_programs() -> None:
    assert image(GO + LAST + START, {"run_test.go": 'import "os/exec"\n'}).endswith("static-debian12")


def test_the_needless_step_goes_and_its_commands_are_claimed() -> None:
    text = GO + LAST + "RUN apt-get update && apt-get install -y ca-certificates\n" + START
    (found,) = find(text)

    assert isinstance(found, Rewrite)
    assert found.removed[1:] == ("apt-get update", "apt-get install -y ca-certificates")
    assert found.gain.layers == 1


@pytest.mark.parametrize("text", ['FROM debian:12\nCMD ["/x"]\n', GO, GO + "FROM scratch\nCOPY --from=build /s /s\n"])
def test_other_last_stages_are_not_meant(text: str) -> None:
    assert find(text) == []
