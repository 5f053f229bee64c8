"""What the gate asks where stages are added: the target image promises the same, and no base image comes unclaimed."""

from collections.abc import Iterator

import pytest

import optimizer.engine.plan
from optimizer.context import Context
from optimizer.engine import GateError, Plan, optimize
from optimizer.syntax import Span
from optimizer.transforms import Edit, Finding, Level, Rewrite, Subject, Touches, Transform

FILE = 'FROM a\nENV A=1\nLABEL b=c\nWORKDIR /x\nRUN make\nUSER app\nEXPOSE 80\nCMD ["go"]\n'
GOOD = (
    "FROM a AS build\nENV A=1\nWORKDIR /x\nRUN make\n\n"
    'FROM b\nENV A=1\nWORKDIR /x\nLABEL b=c\nCOPY --from=build /x /x\nUSER app\nEXPOSE 80\nCMD ["go"]\n'
)
ADDED = (
    "FROM a AS build",
    "FROM b",
    "ENV A=1",
    "WORKDIR /x",
    "LABEL b=c",
    "COPY --from=build /x /x",
)
REMOVED = ("FROM a", "LABEL b=c")


def run(after: str, monkeypatch: pytest.MonkeyPatch, added: tuple[str, ...] = ADDED) -> str:
    def find(subject: Subject) -> Iterator[Finding]:
        if subject.dockerfile.document.source == FILE:
            yield Rewrite(1, "A test", "", (Edit(Span(0, len(FILE)), after),), added=added, removed=REMOVED)

    split = Transform("split", "Doc.", Level.EQUIVALENT, frozenset({Touches.STAGES}), "", (), (), find)
    monkeypatch.setattr(optimizer.engine.plan, "all_transforms", lambda _bound: (split,))
    return optimize(FILE, Context.of({}), Plan()).after


def test_the_same_promise_in_two_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(GOOD, monkeypatch) == GOOD


@pytest.mark.parametrize("word", ["/x", "/x/", "/y/../x"])
def test_one_directory_in_several_spellings(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    after = GOOD.replace("FROM b\nENV A=1\nWORKDIR /x", f"FROM b\nENV A=1\nWORKDIR {word}")

    claims = (*(text for text in ADDED if text != "WORKDIR /x"), f"WORKDIR {word}")
    assert run(after, monkeypatch, claims) == after


def test_a_variable_of_the_former_base(monkeypatch: pytest.MonkeyPatch) -> None:
    after = GOOD.replace("FROM b\n", "FROM b\nENV PATH=/x:$PATH\n")

    assert run(after, monkeypatch, (*ADDED, "ENV PATH=/x:$PATH")) == after


@pytest.mark.parametrize(
    ("old", "new", "promise"),
    [
        ("FROM b\nENV A=1\n", "FROM b\n", "ENV"),
        ("FROM b\nENV A=1\n", "FROM b\nENV A=2\n", "ENV"),
        ("FROM b\nENV A=1\n", "FROM b\nENV A=1\nENV A=2\n", "ENV"),
        ("FROM b\nENV A=1\nWORKDIR /x", "FROM b\nENV A=1\nWORKDIR /y", "WORKDIR"),
        ("LABEL b=c\n", "", "LABEL"),
        ("USER app\n", "", "USER"),
        ("USER app\n", "USER root\n", "USER"),
        ("EXPOSE 80\n", "", "EXPOSE"),
        ("EXPOSE 80\n", "EXPOSE 81\n", "EXPOSE"),
        ('CMD ["go"]\n', 'CMD ["stop"]\n', "CMD"),
        ("EXPOSE 80\n", "EXPOSE 80\nVOLUME /x\n", "VOLUME"),
        ("FROM b\n", "FROM c\n", "FROM"),
        ("FROM a AS build\n", "FROM c AS build\n", "FROM"),
    ],
)
def test_a_broken_promise_stops_it(monkeypatch: pytest.MonkeyPatch, old: str, new: str, promise: str) -> None:
    assert old in GOOD
    claims = tuple(line for line in new.splitlines() if not line.startswith("FROM"))

    with pytest.raises(GateError, match=f"the runtime contract changed: {promise}"):
        run(GOOD.replace(old, new), monkeypatch, (*ADDED, *claims))


def test_a_command_that_is_not_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GateError, match="a command appeared: rm"):
        run(GOOD.replace("COPY --from", "RUN rm a\nCOPY --from"), monkeypatch)
