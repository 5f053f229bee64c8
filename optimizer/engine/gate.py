"""What must hold of every result, checked on every run; a failure leaves the file untouched."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct

from optimizer.context import Context
from optimizer.engine.result import GateError
from optimizer.model import Dockerfile
from optimizer.model.contract import Contract, read_contract
from optimizer.model.inventory import inventory
from optimizer.syntax import Document, expand
from optimizer.transforms import Rewrite, Touches

_REBASING = frozenset({Touches.BASE, Touches.STAGES})


class Built(Struct, frozen=True):
    """A Dockerfile and what its build sees."""

    dockerfile: Dockerfile
    context: Context


def check(before: Built, after: Built, rewrites: Iterable[tuple[frozenset[Touches], Rewrite]]) -> None:
    """Raise GateError, naming the promise, unless `after` keeps every promise made of `before`."""
    done = list(rewrites)
    for failure in chain(_failures(before.dockerfile, after.dockerfile, done), _sources(before, after)):
        titles = "; ".join(dict.fromkeys(rewrite.title for _, rewrite in done))
        raise GateError(f"{failure} (rewrites: {titles})")


def _failures(
    before: Dockerfile, after: Dockerfile, done: Sequence[tuple[frozenset[Touches], Rewrite]]
) -> Iterator[str]:
    yield from _form(before.document, after.document)
    yield from _comments(before.document, after.document)
    yield from _problems(before, after)
    yield from _contract(before, after, done)
    yield from _commands(before, after, done)


def _sources(before: Built, after: Built) -> Iterator[str]:
    """Go through what the COPYs bring from the build context and the build no longer finds there."""
    found_before = dict(_named(before))
    for word, found in _named(after):
        if not found and found_before.get(word, True):
            yield f"{word} is copied, and the build does not see it"


def _named(built: Built) -> Iterator[tuple[str, bool]]:
    for step in built.dockerfile:
        if step.name in {"COPY", "ADD"} and step.instruction.flag("from") is None and not step.instruction.heredocs:
            known = {**step.state.args, **step.state.env}
            words = (expand(word, known) for word in step.instruction.arguments[:-1])
            yield from ((word, _is_there(word, built.context)) for word in words if word and "://" not in word)


def _is_there(word: str, context: Context) -> bool:
    """Tell whether the build finds it; the root is there even where nothing of it is left."""
    return word in {".", "./", "/"} or bool(context.match(word))


def _contract(
    before: Dockerfile, after: Dockerfile, done: Sequence[tuple[frozenset[Touches], Rewrite]]
) -> Iterator[str]:
    old, new = read_contract(before.document.source), read_contract(after.document.source)
    if any(Touches.STAGES in touches for touches, _ in done):
        yield from _base_images(old, new, [one for touches, one in done if touches & _REBASING])
        old, new = old.of_image(before.lineage(before.target)), new.of_image(after.lineage(after.target))
        old = old.with_variables(new, frozenset(text for _, rewrite in done for text in rewrite.added))
    if any(Touches.START in touches for touches, _ in done):
        old = old.in_exec_form(new)
    given = _defaults(before)
    if bases := _chained(pair for touches, one in done if Touches.BASE in touches for pair in _bases(one, given)):
        old = old.based_on(new, Counter(bases))
    if difference := old.difference(new):
        yield f"the runtime contract changed: {difference}"


def _base_images(old: Contract, new: Contract, rewrites: Iterable[Rewrite]) -> Iterator[str]:
    """Name a base image that came or went without a claim, where stages were added."""
    expected = Counter(old.base_images)
    for rewrite in rewrites:
        expected.update(_images(rewrite.added))
        expected.subtract(_images(rewrite.removed))
    if +expected != Counter(new.base_images):
        yield "the runtime contract changed: FROM"


def _images(claims: Iterable[str]) -> Iterator[str]:
    return (_image(text) for text in claims if text.startswith("FROM "))


def _bases(rewrite: Rewrite, given: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """Go through the base images that a rewrite claims to exchange: the old and the new one, arguments resolved."""
    for pair in zip(_images(rewrite.removed), _images(rewrite.added), strict=False):
        old, new = (expand(image, given) or image for image in pair)
        yield old, new


def _chained(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the exchanges from the first image to the last, where one is exchanged again."""
    found: list[tuple[str, str]] = []
    for old, new in pairs:
        first = next((at for at in range(len(found) - 1, -1, -1) if found[at][1] == old), None)
        if first is None:
            found.append((old, new))
        else:
            found[first] = (found[first][0], new)
    return found


def _defaults(dockerfile: Dockerfile) -> Mapping[str, str | None]:
    """Return the defaults of the arguments that FROM may name."""
    steps = (step for step in dockerfile if step.name == "ARG" and step.stage < 0)
    words = (word.partition("=") for step in steps for word in step.instruction.arguments)
    return {name: value.strip("\"'") for name, sign, value in words if sign}


def _image(text: str) -> str:
    return next(word for word in text.split()[1:] if not word.startswith("--"))


def _form(before: Document, after: Document) -> Iterator[str]:
    if str(after) != after.source:
        yield "the result does not survive a round trip"
    if before.bom != after.bom:
        yield "the byte order mark changed"
    if [(d.name, d.value) for d in before.directives] != [(d.name, d.value) for d in after.directives]:
        yield "a parser directive changed"
    if before.source.endswith("\n") != after.source.endswith("\n"):
        yield "the final newline changed"
    if _endings(before.source) != _endings(after.source) and len(_endings(before.source)) == 1:
        yield "the line endings changed"


def _endings(source: str) -> frozenset[str]:
    crlf, newlines = source.count("\r\n"), source.count("\n")
    return frozenset([*["\r\n"] * bool(crlf), *["\n"] * (newlines > crlf)])


def _comments(before: Document, after: Document) -> Iterator[str]:
    lost = Counter(_comment_lines(before)) - Counter(_comment_lines(after))
    if lost:
        yield f"a comment was lost: {next(iter(lost))}"


def _comment_lines(document: Document) -> Iterator[str]:
    for instruction in document:
        yield from _comments_of(instruction.leading)
        yield from (document.source[span.start : span.end].strip() for span in instruction.comments)
    yield from _comments_of(document.trailing)


def _comments_of(text: str) -> Iterator[str]:
    return (line.strip() for line in text.split("\n") if line.strip().startswith("#"))


def _problems(before: Dockerfile, after: Dockerfile) -> Iterator[str]:
    old, new = list(_problem_texts(before)), list(_problem_texts(after))
    if len(new) > len(old):
        yield f"the result is not understood where the source was: {next(iter(Counter(new) - Counter(old)), '')}"


def _problem_texts(dockerfile: Dockerfile) -> Iterator[str]:
    for step in dockerfile:
        if step.instruction.problem:
            yield step.instruction.problem
        if step.run is not None and step.run.script.problem:
            yield step.run.script.problem


def _commands(
    before: Dockerfile, after: Dockerfile, done: Sequence[tuple[frozenset[Touches], Rewrite]]
) -> Iterator[str]:
    old, new = inventory(before), inventory(after)
    added = Counter(text for _, rewrite in done for text in rewrite.added)
    removed = Counter(text for _, rewrite in done for text in rewrite.removed)
    expected, found = Counter(old) + added, Counter(new) + removed
    yield from (f"a command was lost: {text[:200]}" for text in _missing(expected, found))
    yield from (f"a command appeared: {text[:200]}" for text in _missing(found, expected))
    if not any(Touches.ORDER in touches for touches, _ in done):
        changed = added + removed
        if _kept(old, changed) != _kept(new, changed):
            yield "the order of the commands changed"


def _missing(wanted: Counter[str], there: Counter[str]) -> Iterator[str]:
    for text, count in wanted.items():
        # A flag of two RUNs stands once in the merged one, so flags are compared by presence.
        if there[text] < (1 if text.startswith("RUN --") else count):
            yield text


def _kept(entries: Iterable[str], changed: Counter[str]) -> list[str]:
    return [entry for entry in entries if entry not in changed and not entry.startswith("RUN --")]
