"""What a Dockerfile is made of: every character of the source belongs to exactly one node."""

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from optimizer.syntax.lazy_pattern import lazy_pattern


class Span(NamedTuple):
    """Character offsets into a text, `end` exclusive."""

    start: int
    end: int

    def moved(self, by: int) -> "Span":
        """Return the span that is so many characters further down."""
        return Span(self.start + by, self.end + by)


class Joined(Struct, frozen=True):
    """Text as the builder sees it after joining continued lines, with the way back to the source.

    `pieces` are (offset in `text`, offset in the source, length), in order, without gaps in `text`.
    """

    text: str
    pieces: tuple[tuple[int, int, int], ...]

    def __str__(self) -> str:
        """Give the joined text."""
        return self.text

    def at(self, offset: int) -> int:
        """Return the source offset of the character at `offset`."""
        start, source, length = self.pieces[self._piece(offset)]
        return source + min(offset - start, length)

    def end_at(self, offset: int) -> int:
        """Return the source offset just behind the character before `offset`."""
        return self.at(offset - 1) + 1 if offset else self.at(0)

    def span(self, start: int, end: int) -> Span:
        """Return the source span from the first to the last character of `text[start:end]`."""
        return Span(self.at(start), self.end_at(end)) if end > start else Span(self.at(start), self.at(start))

    def slice(self, start: int, end: int) -> "Joined":
        """Return `text[start:end]` with its own way back."""
        pieces = []
        for offset, source, length in self.pieces[self._piece(start) : self._piece(end) + 1]:
            low, high = max(start, offset), min(end, offset + length)
            if low < high:
                pieces.append((low - start, source + low - offset, high - low))
        if not pieces:
            pieces.append((0, self.at(start), 0))
        return Joined(self.text[start:end], tuple(pieces))

    def moved(self, by: int) -> "Joined":
        """Return the same text found so many characters further down the source."""
        return Joined(self.text, tuple([(offset, source + by, length) for offset, source, length in self.pieces]))

    def _piece(self, offset: int) -> int:
        """Return the index of the piece that holds the character at `offset`."""
        return max(bisect_right(self.pieces, offset, key=_offset) - 1, 0)


_offset = itemgetter(0)
_BLANKS = lazy_pattern(r"[\t\v\f\r ]+")


class Directive(Struct, frozen=True):
    """A parser directive (`# escape=...`) at the top of the file."""

    name: str
    value: str
    span: Span


class Flag(Struct, frozen=True):
    """A `--name=value` (or bare `--name`, value None) before the arguments of an instruction."""

    name: str
    value: str | None
    span: Span


class Heredoc(Struct, frozen=True):
    """A here-document of a RUN, COPY or ADD.

    `body` is what the builder passes on (tabs already stripped for `<<-`); `span` covers the body lines
    in the source without the terminator line. `expand` is False when the name was quoted.
    """

    name: str
    body: str
    expand: bool
    strip_tabs: bool
    descriptor: int
    span: Span


class Instruction(Struct, frozen=True):
    """One instruction as written, with the blank lines and comments above it.

    `text` runs from the start of its first line (indentation included) to the end of its last line,
    newline, inner comment lines and here-document bodies included; `start` is its offset in the source.
    """

    leading: str
    text: str
    start: int
    keyword: str
    name: str  # the keyword in upper case, for Dockerfile keywords ignore case
    body: Joined  # all behind the keyword, continued lines joined, comment lines dropped, flags included
    value: Joined  # `body` without the flags
    flags: tuple[Flag, ...]
    json: tuple[str, ...] | None  # the words of the JSON form (of HEALTHCHECK: of its command), None in shell form
    heredocs: tuple[Heredoc, ...]
    trigger: "Instruction | None"  # what ONBUILD registers; its offsets are those of the same source
    comments: tuple[Span, ...]  # comment lines inside the instruction
    line: int  # 1-based
    end_line: int
    problem: str | None  # why the builder would refuse or dfopt does not understand it
    escape: str = "\\"  # the escape character of the document

    def __str__(self) -> str:
        """Give back the source."""
        return self.leading + self.text

    @property
    def span(self) -> Span:
        """The offsets of `text` in the source."""
        return Span(self.start, self.start + len(self.text))

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words of the JSON form, or the value split at white space as COPY, ADD and FROM do."""
        if self.json is not None:
            return self.json
        return tuple(_BLANKS.split(self.value.text)) if self.value.text else ()

    def moved(self, by: int, lines: int, *, leading: str) -> "Instruction":
        """Return the instruction, which has no here-document, so many characters and lines further down."""
        body = self.body.moved(by)
        return replace(
            self,
            leading=leading,
            start=self.start + by,
            body=body,
            value=body if self.value is self.body else self.value.moved(by),
            flags=tuple([replace(flag, span=flag.span.moved(by)) for flag in self.flags]),
            trigger=self.trigger.moved(by, lines, leading="") if self.trigger else None,
            comments=tuple([comment.moved(by) for comment in self.comments]),
            line=self.line + lines,
            end_line=self.end_line + lines,
        )

    def flag(self, name: str) -> str | None:
        """Return the value of a flag ('' for a bare one), None where it is not given."""
        for flag in self.flags:
            if flag.name == name:
                return flag.value or ""
        return None


class Document(Struct, frozen=True):
    """A whole Dockerfile; `str()` gives back the source exactly."""

    source: str
    bom: str
    directives: tuple[Directive, ...]
    instructions: tuple[Instruction, ...]
    trailing: str  # blank lines and comments below the last instruction

    def __str__(self) -> str:
        """Give back the source."""
        return self.bom + "".join(map(str, self.instructions)) + self.trailing

    def __iter__(self) -> Iterator[Instruction]:
        """Go through the instructions in order."""
        return iter(self.instructions)

    @property
    def escape(self) -> str:
        """The escape character, a backslash unless the directive says back-tick."""
        for directive in self.directives:
            if directive.name == "escape":
                return directive.value
        return "\\"

    @property
    def newline(self) -> str:
        """The line ending that most lines have."""
        crlf = self.source.count("\r\n")
        return "\r\n" if crlf * 2 > self.source.count("\n") else "\n"
