"""Each promise of the gate, broken by a transform made for it."""

import re
from collections.abc import Iterator

import pytest

import optimizer.engine.plan
from optimizer.context import Context
from optimizer.engine import GateError, InputError, Plan, optimize
from optimizer.syntax import Span
from optimizer.transforms import Artifact, Decline, Edit, Finding, Level, Rewrite, Subject, Touches, Transform

FILE = "# syntax=x\n# note\nFROM a\nENV A=1\nRUN make a\nRUN make b || true\nCMD go\n"


def replacing(old: str, new: str, *, touches: Touches = Touches.NOTHING, **claims: tuple[str, ...]) -> Transform:
    def find(subject: Subject) -> Iterator[Finding]:
        at = subject.dockerfile.document.source.find(old)
        if at >= 0:
            yield Rewrite(1, "A test", "", (Edit(Span(at, at + len(old)), new),), **claims)

    return Transform("bad", "Doc.", Level.EXACT, frozenset({touches}), "", (), (), find)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> object:
    def install(transform: Transform) -> None:
        monkeypatch.setattr(optimizer.engine.plan, "all_transforms", lambda _bound: (transform,))

    return install


@pytest.mark.parametrize(
    ("old", "new", "promise"),
    [
        ("make a", "make c", "a command was lost: make a"),
        ("RUN make a\n", "", "a command was lost: make a"),
        ("make a\n", "make a && make x\n", "a command appeared: make x"),
        (" || true", " && true", "a command was lost: ||"),
        ("# note\n", "", "a comment was lost"),
        ("# syntax=x\n", "# syntax=y\n", "a parser directive changed"),
        ("CMD go\n", "CMD go", "the final newline changed"),
        ("CMD go", "CMD stop", "the runtime contract changed: CMD"),
        ("FROM a", "FROM b", "the runtime contract changed: FROM"),
        ("ENV A=1", "ENV A=2", "the runtime contract changed"),
        ("FROM a\n", "FROM a\r\n", "the line endings changed"),
        ("make a\n", "make a 'x\n", "not understood"),
        ("RUN make a\nRUN make b || true\n", "RUN make b || true\nRUN make a\n", "the order of the commands changed"),
    ],
)
def test_a_broken_promise_stops_the_result(use: object, old: str, new: str, promise: str) -> None:
    use(replacing(old, new))  # type: ignore[operator]

    with pytest.raises(GateError, match="A test") as caught:
        optimize(FILE, Context.of({}))
    assert promise in str(caught.value)


@pytest.mark.parametrize(
    ("new", "ignored", "lost"),
    [
        ("COPY x /x\nCOPY a b* /a/", "", "x is copied"),
        ("COPY a b* /a/", "b", "b* is copied"),
        ("COPY a b* /a/", "**", "a is copied"),
    ],
)
def test_a_copy_that_finds_nothing_any_more_stops_the_result(use: object, new: str, ignored: str, lost: str) -> None:
    def find(subject: Subject) -> Iterator[Finding]:
        source = subject.dockerfile.document.source
        if subject.context.read_bytes(".dockerignore") is None:
            added = ("COPY x /x",) if "x" in new else ()
            edit = Edit(Span(source.find("COPY"), len(source) - 1), new)
            yield Rewrite(1, "A test", "", (edit,), added=added, artifacts=(Artifact(".dockerignore", ignored),))

    use(Transform("bad", "Doc.", Level.EXACT, frozenset({Touches.ORDER}), "", (), (), find))  # type: ignore[operator]

    with pytest.raises(GateError, match=re.escape(lost)):
        optimize("FROM y\nCOPY a b* /a/\n", Context.of({"a": "", "b": ""}))


def test_a_copy_that_never_found_anything_is_no_failure(use: object) -> None:
    use(replacing("CMD a", "CMD  a"))  # type: ignore[operator]

    assert optimize("FROM y\nCOPY gone /a/\nCMD a\n", Context.of({})).after == "FROM y\nCOPY gone /a/\nCMD  a\n"


def test_what_is_claimed_passes(use: object) -> None:
    use(replacing("make a", "make c", removed=("make a",), added=("make c",)))  # type: ignore[operator]

    assert "RUN make c\n" in optimize(FILE, Context.of({})).after


def test_order_may_change_where_a_transform_says_so(use: object) -> None:
    old, new = "RUN make a\nRUN make b || true\n", "RUN make b || true\nRUN make a\n"
    use(replacing(old, new, touches=Touches.ORDER))  # type: ignore[operator]

    assert new in optimize(FILE, Context.of({})).after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CMD go", 'CMD ["go"]'),
        ("CMD go -x 'a;  b' --y=\"c d\"", 'CMD ["go", "-x", "a;  b", "--y=c d"]'),
        ("CMD exec go x", 'CMD ["go", "x"]'),
        ("ENTRYPOINT go", 'ENTRYPOINT ["go"]'),
    ],
)
def test_the_form_of_a_start_may_change_where_a_transform_says_so(use: object, old: str, new: str) -> None:
    use(replacing(old, new, touches=Touches.START, removed=(old.replace("  ", " "),), added=(new.replace("  ", " "),)))  # type: ignore[operator]

    assert optimize(f"FROM a\n{old}\n", Context.of({})).after == f"FROM a\n{new}\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CMD go", 'CMD ["stop"]'),
        ("CMD go x", 'CMD ["go"]'),
        ("CMD go $X", 'CMD ["go", "$X"]'),
        ("CMD go *", 'CMD ["go", "*"]'),
        ("CMD go && x", 'CMD ["go", "&&", "x"]'),
        ("CMD A=b go", 'CMD ["A=b", "go"]'),
        ("CMD go", "CMD exec go"),
        ('CMD ["go"]', "CMD go"),
        ("CMD go", "CMD []"),
        ("CMD exec", "CMD []"),
        ("USER go", 'USER ["go"]'),
    ],
)
def test_the_program_and_its_arguments_may_not(use: object, old: str, new: str) -> None:
    use(replacing(old, new, touches=Touches.START, removed=(old,), added=(new,)))  # type: ignore[operator]

    with pytest.raises(GateError, match="the runtime contract changed"):
        optimize(f"FROM a\n{old}\n", Context.of({}))


def test_rewrites_that_do_not_settle_are_named(use: object) -> None:
    use(replacing("make ", "make  "))  # type: ignore[operator]

    with pytest.raises(GateError, match="do not settle: bad"):
        optimize(FILE, Context.of({}))


def test_rewrites_that_wait_for_each_other_are_all_made(use: object) -> None:
    def find(subject: Subject) -> Iterator[Finding]:
        source = subject.dockerfile.document.source
        at = source.find("RUN  ")
        if at >= 0:
            yield Rewrite(1, "A test", "", (Edit(Span(at, at + 5), "RUN "),))

    use(Transform("slow", "Doc.", Level.EXACT, frozenset(), "", (), (), find))  # type: ignore[operator]

    assert optimize("FROM a\n" + "RUN  make\n" * 30, Context.of({})).after == "FROM a\n" + "RUN make\n" * 30


def test_lines_of_declines_are_those_of_the_original(use: object) -> None:
    def find(subject: Subject) -> Iterator[Finding]:
        document = subject.dockerfile.document
        if "RUN one" not in document.source:
            yield Rewrite(2, "A test", "", (Edit(Span(7, 7), "RUN one\nRUN two\n"),), added=("one", "two"))
        yield Decline(document.instructions[-1].line, "left alone")

    use(Transform("odd", "Doc.", Level.EXACT, frozenset(), "", (), (), find))  # type: ignore[operator]
    result = optimize("FROM a\nCMD go\n", Context.of({}))

    assert result.after == "FROM a\nRUN one\nRUN two\nCMD go\n"
    assert [(d.line, d.reason) for d in result.declined] == [(2, "left alone")]
    assert [(a.line, a.end_line, a.origin) for a in result.applied] == [(2, 3, 2)]


def test_levels_bound_what_is_applied(use: object) -> None:
    def find(subject: Subject) -> Iterator[Finding]:
        if "#x" not in subject.dockerfile.document.source:
            yield Rewrite(1, "A test", "", (Edit(Span(0, 0), "#x\n"),), level=Level.ASSUMED)

    use(Transform("bold", "Doc.", Level.EXACT, frozenset(), "", (), (), find))  # type: ignore[operator]
    context = Context.of({})

    bounded = optimize("FROM a\n", context, Plan(level=Level.EQUIVALENT))
    assert not bounded.applied
    assert [d.reason for d in bounded.declined] == ["this place needs level assumed"]
    assert optimize("FROM a\n", context, Plan(level=Level.ASSUMED)).applied
    assert optimize("FROM a\n", context, Plan(levels={"bold": Level.ASSUMED})).applied


@pytest.mark.parametrize(
    ("text", "what"),
    [("", "no instruction"), ("# only a comment\n", "no instruction"), ("RUN x\n", "no FROM"), ("ARG A\n", "no FROM")],
)
def test_a_file_without_stages_is_refused(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        optimize(text, Context.of({}))


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(InputError, match="no stage 'x'"):
        optimize("FROM a\n", Context.of({}), Plan(target="x"))


def test_a_file_longer_than_an_image_can_be_is_refused() -> None:
    optimize("FROM a\n" + "RUN b\n" * 999, Context.of({}))
    with pytest.raises(InputError, match=r"holds 1,001 instructions, more than the 1,000 that dfopt reads"):
        optimize("FROM a\n" + "RUN b\n" * 1000, Context.of({}))


@pytest.mark.parametrize(
    ("claims", "holds"),
    [
        ({"removed": ("FROM a",), "added": ("FROM b",)}, True),
        ({"removed": ("FROM a",), "added": ("FROM c",)}, False),
        ({"removed": (), "added": ()}, False),
    ],
)
def test_a_base_image_changes_to_the_claimed_one_alone(
    use: object, claims: dict[str, tuple[str, ...]], *, holds: bool
) -> None:
    use(replacing("FROM a", "FROM b", touches=Touches.BASE, **claims))  # type: ignore[operator]

    if holds:
        assert "FROM b" in optimize(FILE, Context.of({})).after
        return
    with pytest.raises(GateError, match="FROM"):
        optimize(FILE, Context.of({}))


def test_a_claimed_base_image_needs_a_transform_that_may_change_it(use: object) -> None:
    claims = {"removed": ("FROM a",), "added": ("FROM b",)}
    use(replacing("FROM a", "FROM b", **claims))  # type: ignore[operator]

    with pytest.raises(GateError, match="the runtime contract changed: FROM"):
        optimize(FILE, Context.of({}))
