"""Suggestions on the lines of an existing request: what its reviewer can take over with a click."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from optimizer.bot.body import Render
from optimizer.bot.checkout import fetched
from optimizer.bot.forge import ForgeError, Review, Suggestion
from optimizer.bot.git import Git
from optimizer.bot.maintain import Did, Step
from optimizer.bot.secret import Secret
from optimizer.bot.state import digest
from optimizer.bot.target import Target
from optimizer.bot.visit import Visit, Wishes, connected
from optimizer.engine import Applied
from optimizer.report import Change, Entry
from optimizer.report.diff import Hunk, hunks
from optimizer.report.markup import code, escaped
from optimizer.report.sizes import count

Optimize = Callable[[Path], Sequence[Entry]]


class Block(Struct, frozen=True):
    """Lines `line`..`end_line` of the file as the request has it, and the text to have in their place."""

    line: int
    end_line: int
    text: str


def suggest(
    target: Target, token: Secret | None, number: int, wishes: Wishes, optimize: Optimize, render: Render
) -> Visit:
    """Review a request: suggest at lines that it changes, and tell of the others. Raises ForgeError, GitError."""
    forge = connected(target, token, wishes)
    if forge is None:
        raise ForgeError("to see the request a token is needed")
    repository, review = forge.repository(), forge.review(number)
    git = Git(Path.cwd(), forge.user, token, repository.clone_url)
    url = repository.clone_url
    # The forges keep the heads of requests below these names, whatever repository they come from.
    name = f"refs/merge-requests/{number}/head" if forge.kind == "GitLab" else f"refs/pull/{number}/head"
    with fetched(git, url, name) as checkout:
        entries = [entry for entry in optimize(checkout.folder) if entry.patch_path in review.lines and entry.changed]
    made = [one for entry in entries for one in suggestions(entry, review)]
    new = [one for one in made if not any(_mark(one) in said for said in review.comments)]
    where = f"request {number}"
    if not new:
        return Visit(target.text, (Step(Did.UNCHANGED, where, "nothing new to suggest"),))
    text = render(
        "pr/review.md.j2", number=len(new), others=[code(entry.patch_path) for entry in _others(entries, made)]
    )
    step = Step(Did.OPENED, where, count(len(new), "suggestion"), dry=wishes.dry, body="\n\n".join(o.body for o in new))
    if not wishes.dry:
        marked = [Suggestion(one.path, one.line, one.end_line, f"{one.body}\n\n{_mark(one)}") for one in new]
        forge.suggest(number, review, marked, text)
    return Visit(target.text, (step,))


def suggestions(entry: Entry, review: Review) -> Iterator[Suggestion]:
    """Go through the changes of a Dockerfile whose lines the request shows."""
    assert entry.result is not None  # noqa: S101 (for the types: it changed)
    shown = review.lines.get(entry.patch_path, ())
    own = Change(entry.path, entry.result.before, entry.result.after, entry.patch_path)
    for hunk in hunks(own.before or "", own.after):
        block = replaced(hunk)
        if any(first <= block.line and block.end_line <= last for first, last in shown):
            reasons = _reasons(hunk, entry.result.applied)
            fence = "`" * max(3, _longest_run(block.text) + 1)
            body = f"{reasons}\n\n{fence}suggestion\n{block.text}{fence}"
            yield Suggestion(entry.patch_path, block.line, block.end_line, body)


def replaced(hunk: Hunk) -> Block:
    """Return the lines of a hunk from its first change to its last; a pure insertion takes a neighbour with it."""
    lines = hunk.lines
    marks = [at for at, line in enumerate(lines) if not line.startswith(" ")]
    first, last = marks[0], marks[-1]
    if all(line.startswith("+") for line in lines[first : last + 1]):
        first, last = (first - 1, last) if first else (first, min(last + 1, len(lines) - 1))
    before = sum(not line.startswith("+") for line in lines[:first])
    length = sum(not line.startswith("+") for line in lines[first : last + 1])
    text = "".join(line[1:] for line in lines[first : last + 1] if not line.startswith("-"))
    text = text if not text or text.endswith("\n") else f"{text}\n"
    start = hunk.start + before
    return Block(start, start + length - 1, text)


def _reasons(hunk: Hunk, applied: Sequence[Applied]) -> str:
    """Say why the lines of a hunk change."""
    last = hunk.new_start + max(hunk.new_length, 1) - 1
    mine = [one for one in applied if one.line <= last and one.end_line >= hunk.new_start] or list(applied)
    said = dict.fromkeys(
        f"**{escaped(one.rewrite.title)}** ({code(one.transform)}, {one.level}). {escaped(one.rewrite.why)}"
        + (f" Assumes: {escaped(one.rewrite.assumption)}" if one.rewrite.assumption else "")
        for one in mine
    )
    return "\n\n".join(said)


def _longest_run(text: str) -> int:
    run = longest = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest


def _mark(one: Suggestion) -> str:
    """Return a comment that people do not see, by which a later run knows the suggestion."""
    return f"<!-- dfopt {digest(f'{one.path}{one.line}{one.body}')} -->"


def _others(entries: Sequence[Entry], made: Sequence[Suggestion]) -> list[Entry]:
    """Return the Dockerfiles with changes at lines that no comment can stand at."""
    counted = {path: sum(one.path == path for one in made) for path in {one.path for one in made}}
    return [
        entry
        for entry in entries
        if entry.result and len(hunks(entry.result.before, entry.result.after)) > counted.get(entry.patch_path, 0)
    ]
