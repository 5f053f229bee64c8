"""Which installs can do without what their packages recommend."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.transforms import Level

PLAN = Plan(level=Level.ASSUMED, select=frozenset({"skip-recommends"}))
FLAG = "--no-install-recommends"


def run(text: str) -> Result:
    return optimize(text, Context.of({}), PLAN)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RUN apt-get install -y tzdata", f"RUN apt-get install -y {FLAG} tzdata"),
        ("RUN apt-get install -yqq tzdata", f"RUN apt-get install -yqq {FLAG} tzdata"),
        ("RUN apt-get -y install tzdata", f"RUN apt-get -y install {FLAG} tzdata"),
        ("RUN apt install tzdata -y", f"RUN apt install {FLAG} tzdata -y"),
        ("RUN apt-get install \\\n  -y tzdata", f"RUN apt-get install {FLAG} \\\n  -y tzdata"),
        ("RUN apt-get install -y \\\n  tzdata", f"RUN apt-get install -y {FLAG} \\\n  tzdata"),
        ("RUN apt-get install -y -t stable tzdata", f"RUN apt-get install -y {FLAG} -t stable tzdata"),
        ("RUN sudo -E apt-get install -y tzdata", f"RUN sudo -E apt-get install -y {FLAG} tzdata"),
        ("RUN D=n apt-get install -y tzdata=2024*", None),
        ("RUN D=n apt-get install -y tzdata=2024", f"RUN D=n apt-get install -y {FLAG} tzdata=2024"),
        ("RUN apt-get install -y gcc libc6-dev", f"RUN apt-get install -y {FLAG} gcc libc6-dev"),
        ("RUN apt-get install -y g++ && g++ x.cc", f"RUN apt-get install -y {FLAG} g++ && g++ x.cc"),
        (
            "RUN apt-get install -y ca-certificates\nRUN apt-get install -y wget",
            f"RUN apt-get install -y {FLAG} ca-certificates\nRUN apt-get install -y {FLAG} wget",
        ),
        (
            "RUN apt-get install -y tzdata && apt-get install -y jq",
            f"RUN apt-get install -y {FLAG} tzdata && apt-get install -y {FLAG} jq",
        ),
        (
            "RUN apt-get install -y tzdata\nRUN apt-get install -y unzip && unzip x",
            f"RUN apt-get install -y {FLAG} tzdata\nRUN apt-get install -y {FLAG} unzip && unzip x",
        ),
        ("RUN unzip x\nRUN apt-get install -y tzdata", f"RUN unzip x\nRUN apt-get install -y {FLAG} tzdata"),
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_changes(before: str, after: str | None, end: str) -> None:
    after = before if after is None else after

    assert run(f"FROM debian:12\n{before}{end}").after == f"FROM debian:12\n{after}{end}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("RUN apt-get install -y curl", "curl needs ca-certificates"),
        ("RUN apt-get install -y git openssh-client", "git needs ca-certificates"),
        ("RUN apt-get install -y gcc", "gcc needs libc6-dev"),
        ("RUN apt-get install -y cmake make", "cmake needs gcc"),
        ("RUN apt-get install -y python3-pip", "python3-pip needs gcc"),
        ("RUN apt-get install -y python3-pip ca-certificates gcc", "python3-pip needs python3-dev"),
        ("RUN apt-get install -y xvfb", "xvfb needs xauth"),
        ("RUN apt-get install -y libreoffice", "libreoffice is made of what it recommends"),
        ("RUN apt-get install -y ubuntu-desktop", "ubuntu-desktop is made of"),
        ("RUN apt-get install -y vim-full", "vim-full is made of"),
        ("RUN apt-get install -y tzdata\nRUN make", "the make of line 3 may need make"),
        ("RUN apt-get install -y tzdata && ssh-keyscan x", "the ssh-keyscan of line 2 may need openssh-client"),
        (
            "RUN apt-get install -y git ca-certificates\nRUN git clone git@x:y",
            "the git of line 3 may need openssh-client",
        ),
        ("RUN apt-get install -y gnupg\nRUN gpg --recv-keys 1", "the gpg of line 3 may need dirmngr"),
        ("RUN apt-get install -y $P", "which packages it installs is not known"),
        ("RUN apt-get install -y ./a.deb", "which packages it installs is not known"),
        ("RUN apt-get install -y php8*", "which packages it installs is not known"),
        ("RUN apt-get install -y tzdata vim-", "which packages it installs is not known"),
        ("RUN echo jq | xargs apt-get install -y tzdata", "under a condition only"),
        ("RUN test -f x || apt-get install -y tzdata", "under a condition only"),
        ("RUN if true; then apt-get install -y tzdata; fi", "under a condition only"),
        ("RUN bash -c 'apt-get install -y tzdata'", "in a script within the script"),
        ("RUN aptitude install -y tzdata", "aptitude has rules of its own"),
        ("RUN apt-get install -y --install-recommends tzdata", "the call says what to do"),
        ("RUN apt-get install -y -o APT::Install-Recommends=1 tzdata", "the call says what to do"),
        ('RUN ["apt-get", "install", "-y", "tzdata"]', "the RUN is in exec form"),
        ("RUN <<EOF\napt-get install -y tzdata\nEOF", "here-document"),
        (
            "RUN echo 'APT::Install-Recommends 0;' > /etc/apt/apt.conf.d/x\nRUN apt-get install -y tzdata",
            "line 2 sets up apt",
        ),
        ("COPY 99x /etc/apt/apt.conf.d/\nRUN apt-get install -y tzdata", "line 2 sets up apt"),
    ],
)
def test_stays(text: str, reason: str) -> None:
    result = run(f"FROM debian:12\n{text}\n")

    assert not result.applied
    assert any(reason in declined.reason for declined in result.declined), result.declined


@pytest.mark.parametrize(
    "text",
    [
        f"RUN apt-get install -y {FLAG} curl",
        "RUN apt-get install -y -o APT::Install-Recommends=false curl",
        "RUN aptitude install -R curl",
        "RUN apt-get update && apt-get upgrade -y",
        "RUN apt-get install -f -y",
        "RUN apk add curl",
    ],
)
def test_nothing_is_said_of(text: str) -> None:
    result = run(f"FROM debian:12\n{text}\n")

    assert not result.applied
    assert not result.declined


@pytest.mark.parametrize(
    ("base", "packages", "applied"),
    [
        ("python:3.12", "git", 1),
        ("python:3.12-slim", "curl", 1),
        ("python:3.12-slim", "gcc", 0),
        ("node:20", "cmake", 1),
        ("node:20", "python3-pip", 0),
        ("node:20-slim", "curl", 0),
        ("eclipse-temurin:21-jre", "curl", 1),
        ("example.com/x", "curl", 0),
    ],
)
def test_the_base_may_have_what_is_recommended(base: str, packages: str, applied: int) -> None:
    assert len(run(f"FROM {base}\nRUN apt-get install -y {packages}\n").applied) == applied


def test_a_stage_that_is_not_shipped_keeps_its_tools() -> None:
    result = run("FROM debian AS b\nRUN apt-get install -y tzdata\nFROM debian\nCOPY --from=b /x /x\n")

    assert not result.applied
    assert not result.declined
