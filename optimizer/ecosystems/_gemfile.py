"""What a Gemfile reads and asks for, as far as it can be told without running it.

A Gemfile is a Ruby program: every word of it has to be one of a few that are known to read no file.

Sources: gemfile(5) (https://bundler.io/man/gemfile.5.html) and Bundler's `bundler/lib/bundler/dsl.rb`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from posixpath import dirname

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems._files import Refused, beside, need
from optimizer.syntax.lazy_pattern import lazy_pattern

_TOKEN = lazy_pattern(
    r"""(?P<space>(?:\s|\\\n|\#[^\n]*)+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<list>%[wi][\[({][\w\s-]*[\])}])
    |(?P<regex>(?<=~\ )/[\w|.^$-]+/i?)
    |(?P<symbol>(?<!:):\w+[?!]?)
    |(?P<key>[A-Za-z_]\w*:(?!:))
    |(?P<word>[A-Za-z_]\w*[?!]?)
    |(?P<number>\d[\d._]*)
    |(?P<sign>::|=>|->|==|=~|&&|\|\||<(?!<)=?|>=?|![~=]?|[,()\[\]{}|=.;?:])""",
    re.VERBOSE,
)
# The two usual ways to say that gems of GitHub are fetched by https.
_GITHUB = lazy_pattern(
    r"""^git_source\(:\w+\)\s*(?:\{\s*\|\s*(\w+)\s*\|\s*"https://[\w./-]+\#\{\1\}[\w.]*"\s*\}
    |do\s*\|(\w+)\|\s*\2\s*=\s*"\#\{\2\}/\#\{\2\}"\ unless\ \2\.include\?\(["']/["']\)\s*"https://[\w./-]+\#\{\2\}\.git"\s*end)""",
    re.VERBOSE | re.MULTILINE,
)
_RUBY_FILE = lazy_pattern(r"""^(ruby[ (]+)File\.read\((["'][\w./-]+["'])\)(?:\.(?:strip|chomp|chop))?""", re.MULTILINE)
_VALUE = lazy_pattern(r"\#\{(?:\w+|ENV\[[\"']\w+[\"']\]|ENV\.fetch\([\"']\w+[\"']\))\}")
_WORDS = frozenset(
    """source gem group do end git github gitlab gist bitbucket platforms platform ruby install_if env if unless else
    elsif and or not then nil true false ENV fetch key? include? start_with? match? to_s to_i RUBY_VERSION
    RUBY_PLATFORM RUBY_ENGINE Gem Version new""".split()
)
_DECIDING = frozenset("if unless else elsif ? ENV env install_if RUBY_VERSION RUBY_PLATFORM RUBY_ENGINE".split())
_LOCAL = lazy_pattern(r"\.{0,2}/|~[\w/]|file:")
_REASONS = {
    "gemspec": "the gemspec of the project reads its sources",
    "plugin": "the Gemfile asks for a plugin of Bundler",
    "path": "a gem of the Gemfile is a folder of the project",
}


class Gemfile(Struct, frozen=True):
    """The files that a Gemfile reads, the gems with their versions (None where conditions decide), and its sources."""

    files: tuple[str, ...]
    gems: Mapping[str, frozenset[str]] | None
    sources: frozenset[str]
    names_ruby: bool


def read_gemfile(context: Context, path: str) -> Gemfile:
    """Read a Gemfile of the context; raise `Refused` where it may read more than can be told."""
    tokens = _tokens(context.text(need(context, path)) or "")
    files = []
    for (kind, text), (_, following) in pairwise(tokens):
        if kind == "key" and text == "file:":
            inside = beside(dirname(path), _literal(following))
            files.append(need(context, inside or following))
    words = {text for kind, text in tokens if kind in {"word", "sign"}}
    sources = frozenset(_literal(b[1]).rstrip("/") for a, b in _pairs(tokens) if a[1] == "source" and b[0] == "string")
    gems = None if words & _DECIDING else _gems(tokens)
    return Gemfile(tuple(files), gems, sources, "ruby" in words)


@lru_cache(maxsize=32)
def _tokens(source: str) -> tuple[tuple[str, str], ...]:
    """Return the words of a Gemfile; raise `Refused` at the first that may read a file."""
    text = _RUBY_FILE.sub(r"\1file: \2", _GITHUB.sub("", source))
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Refused(
                f"the Gemfile is a program that is not understood at {text[at : at + 20].split(chr(10))[0]!r}"
            )
        at = match.end()
        if match.lastgroup and match.lastgroup != "space":
            found.append((match.lastgroup, match[0]))
    _check(found)
    return tuple(found)


def _check(tokens: Sequence[tuple[str, str]]) -> None:
    names = {a[1] for a, b in _pairs(tokens) if a[0] == "word" and b[1] == "="}
    for kind, text in tokens:
        bare = _literal(text) if kind == "string" else text.strip(":")
        if bare in _REASONS and kind != "list":
            raise Refused(_REASONS[bare])
        if kind == "word" and text not in _WORDS and text not in names:
            raise Refused(f"the Gemfile is a program, and what {text} reads is not known")
        if kind == "symbol" and bare == "file":
            raise Refused("the Gemfile is a program that reads a file")
        if kind == "string" and text[0] == '"' and "#{" in _VALUE.sub("", text):
            raise Refused("the Gemfile is a program with a text that is put together")
        if kind == "string" and _LOCAL.match(bare):
            raise Refused(f"the Gemfile names {bare}, which may be a place in the project")


def _pairs(tokens: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    return pairwise(tokens)


def _gems(tokens: Sequence[tuple[str, str]]) -> dict[str, frozenset[str]] | None:
    """Return the wanted versions by gem, None where one is not written out."""
    found = {}
    for at, (kind, text) in enumerate(tokens):
        if kind != "word" or text != "gem":
            continue
        rest = [t for t in tokens[at + 1 : at + 12] if t[1] not in {"(", ")"}]
        strings = []
        while rest and rest[0][0] == "string":
            strings.append(_literal(rest[0][1]))
            more = rest[1:2] == [("sign", ",")] and rest[2:3] and rest[2][0] in {"string", "sign", "word"}
            rest = rest[2:] if more else []
        # An array of versions, or a variable: what it holds is not looked for.
        if not strings or rest or any("#{" in s for s in strings):
            return None
        found[strings[0]] = versions(strings[1:])
    return found


def versions(wanted: Sequence[str]) -> frozenset[str]:
    """Return requirements in the form of the lock file, without the one that any version meets."""
    pairs = (re.fullmatch(r"([<>=!~]*)\s*(.*)", one.strip()) for one in wanted)
    return frozenset(f"{pair[1] or '='} {pair[2]}" for pair in pairs if pair) - {">= 0"}


def _literal(text: str) -> str:
    return text[1:-1] if text[:1] in {'"', "'"} else text
