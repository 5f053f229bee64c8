"""Files that a RUN fetches, and those that it unpacks or installs from."""

import posixpath
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from optimizer.ecosystems import apk, apt, dnf, zypper
from optimizer.ecosystems._system import invocation
from optimizer.model import BASE_WORKDIR
from optimizer.shell import Call, Word, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

_VARIABLE = lazy_pattern(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_EXPANSION = lazy_pattern(r"\$\{[A-Za-z_]\w*[^{}`$]*\}")
_LITERAL = lazy_pattern(r"[\w./:=+,@%~-]*", re.ASCII)
_UNNAMED = frozenset({
    "-r", "--recursive", "-m", "--mirror", "-p", "--page-requisites", "-i", "--input-file", "--content-disposition",
    "--trust-server-names", "-J", "--remote-header-name", "-K", "--config", "-x", "--force-directories",
})  # fmt: skip


class File(Struct, frozen=True):
    """A file that a call names: how to write it, and its path as far as it can be told (variables as `${NAME}`)."""

    call: Call
    word: Word
    path: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return posixpath.basename(self.path)

    @property
    def folder(self) -> str:
        """The path without the name."""
        return posixpath.dirname(self.path)


class _Program(Struct, frozen=True):
    """The options of a program that take a value."""

    short: str
    long: frozenset[str]


_WGET = _Program(
    "oaeiBtOTwQPUlARDIX",
    frozenset(
        "--output-document --directory-prefix --user-agent --header --tries --timeout --post-data --user --password"
        " --referer --input-file --ca-certificate --certificate --wait --waitretry --limit-rate --load-cookies"
        " --output-file --append-output --execute --read-timeout --connect-timeout --dns-timeout --method --body-data"
        " --http-user --http-password --private-key --secure-protocol --max-redirect --save-cookies".split()
    ),
)
_CURL = _Program(
    "AbcCdDeEFHKmoPQrtTuUwxXyYz",
    frozenset(
        "--output --header --user --user-agent --data --request --retry --retry-delay --retry-max-time --cacert --cert"
        " --connect-timeout --max-time --proxy --key --cookie --cookie-jar --form --referer --output-dir --write-out"
        " --ciphers --limit-rate --continue-at --url --tls-max --resolve --interface --proto --proto-redir --range"
        " --speed-limit --speed-time --data-binary --data-raw --data-urlencode --upload-file --netrc-file --max-redirs"
        " --dump-header --config --capath --tlsv --doh-url --dns-servers".split()
    ),
)
_TAR = _Program("fCTXbgIKNVLHF", frozenset({"--file", "--directory", "--exclude", "--transform", "--owner", "--group"}))
_ZIP = _Program("dPx", frozenset())
_NONE = _Program("", frozenset())
_MANAGERS = {
    **dict.fromkeys(apt.ECOSYSTEM.programs, (apt.GRAMMAR, "install", ".deb")),
    **dict.fromkeys(dnf.ECOSYSTEM.programs, (dnf.GRAMMAR, "install localinstall", ".rpm")),
    "apk": (apk.GRAMMAR, "add", ".apk"),
    "zypper": (zypper.GRAMMAR, "install in", ".rpm"),
}


def fetched(call: Call, env: Mapping[str, str | None]) -> list[File] | None:
    """Return the files that a wget or curl writes, None where their names cannot be told."""
    if call.program not in {"wget", "curl"}:
        return []
    program = _WGET if call.program == "wget" else _CURL
    options, operands = _read(call, program)
    written = [word for name, word in options if name in _TO_FILE[call.program]]
    written += (
        [r.target for r in call.command.redirects if r.operator in {">", ">|"} and r.target] if not written else []
    )
    if any(name in _UNNAMED for name, _ in options if not (call.program == "curl" and name in _NOT_CURLS)):
        return None
    if not written and (
        call.program == "wget" or any(name in {"-O", "--remote-name", "--remote-name-all"} for name, _ in options)
    ):
        folder = next((w.value for n, w in options if n in {"-P", "--directory-prefix", "--output-dir"}), "")
        written = [_named(url, folder) for url in operands]
    files = [_file(call, word, env) for word in written if word.text != "-" and not word.text.startswith("/dev/")]
    return None if None in files else [file for file in files if file]


def unpacked(call: Call, env: Mapping[str, str | None]) -> list[File]:
    """Return the archives and packages whose contents a call puts in place."""
    files = (_file(call, word, env) for word in _archives(call))
    return [file for file in files if file]


def path_of(call: Call, word: Word, env: Mapping[str, str | None]) -> str | None:
    """Return the path that a word names: below `?` where the directory is not known, None where nothing is told."""
    key = _key(word, {**env, **call.variables})
    return _below(call, key) if key else None


def pattern_of(call: Call, word: Word, env: Mapping[str, str | None]) -> str | None:
    """Return the path as `path_of` does, with wildcards; None where a command substitution takes part in it."""
    text = word.text.replace('"', "").replace("'", "")
    if re.search(r"`|\$\(", text):
        return None
    variables = {**env, **call.variables}
    filled = _VARIABLE.sub(lambda m: variables.get(m[1] or m[2]) or m[0], _braced(text))
    return _below(call, filled)


def _below(call: Call, path: str) -> str:
    """Return a path from the root, `?` where what it starts from is not known."""
    if path.startswith(("$", "~")):
        return f"?/{path}"
    directory = (call.directory or "?").replace(f"/{BASE_WORKDIR}", BASE_WORKDIR, 1)
    if path.startswith("/") or directory.startswith("/"):
        return posixpath.normpath(posixpath.join(directory, path))
    return f"{directory}/{path.removeprefix('./')}"


_TO_FILE = {"wget": ("-O", "--output-document"), "curl": ("-o", "--output")}
_NOT_CURLS = frozenset({"-r", "-m", "-p", "-i", "-x"})


def _file(call: Call, word: Word, env: Mapping[str, str | None]) -> File | None:
    path = path_of(call, word, env)
    return File(call, word, path) if path else None


def _named(url: Word, folder: str | None) -> Word:
    """Return the word for the file that is called as the end of its address; empty where that is not clear."""
    text = url.text.strip("\"'")
    name = text.partition("://")[2].rpartition("/")[2]
    if folder is None or re.search(r"[?#&]", name):
        name = ""
    return replace(url, text=posixpath.join(folder or "", name) if name else "", value=None)


def _archives(call: Call) -> Iterator[Word]:
    if call.program in {"tar", "bsdtar", "gtar"}:
        options, _ = _read(_dashed(call), _TAR)
        if any(name in {"-x", "--extract", "--get"} for name, _ in options):
            yield from (word for name, word in options if name in {"-f", "--file"} and word.text != "-")
    elif call.program == "unzip":
        options, operands = _read(call, _ZIP)
        if not any(name in {"-l", "-t", "-p", "-Z", "-v"} for name, _ in options):
            yield from operands[:1]
    elif call.program in {"dpkg", "rpm", "gdebi"}:
        options, operands = _read(call, _NONE)
        if call.program == "gdebi" or any(n in {"-i", "--install", "-U", "--upgrade"} for n, _ in options):
            yield from operands
    elif call.program in _MANAGERS:
        grammar, verbs, suffix = _MANAGERS[call.program]
        given = invocation(call, grammar)
        if given.action in verbs.split():
            yield from (w for w in given.operands if w.text.strip("\"'").endswith(suffix) and "://" not in w.text)


def _dashed(call: Call) -> Call:
    """Return a call of tar with a dash in front of its old-style letters."""
    first = call.arguments[0] if call.arguments else None
    if first is None or first.value is None or not re.fullmatch(r"[A-Za-z]+", first.value):
        return call
    return replace(
        call, words=(call.words[0], replace(first, text=f"-{first.value}", value=f"-{first.value}"), *call.words[2:])
    )


def _read(call: Call, program: _Program) -> tuple[list[tuple[str, Word]], list[Word]]:
    """Return the options of a call with their values (the option itself where it has none), and the operands."""
    options: list[tuple[str, Word]] = []
    operands: list[Word] = []
    words = iter(call.arguments)
    for word in words:
        text = word.text
        if text.startswith("--"):
            name, equals, _ = text.partition("=")
            value = _tail(word, len(name) + 1) if equals else next(words, word) if name in program.long else word
            options.append((name, value))
        elif text.startswith("-") and len(text) > 1:
            options += _cluster(word, program, words)
        else:
            operands.append(word)
    return options, operands


def _cluster(word: Word, program: _Program, words: Iterator[Word]) -> Iterator[tuple[str, Word]]:
    for at, letter in enumerate(word.text[1:], 1):
        if letter == "n" and program is _WGET:  # wget's -nv, -nc, -nd and -np are one option each
            return
        if letter in program.short:
            yield f"-{letter}", _tail(word, at + 1) if at + 1 < len(word.text) else next(words, word)
            return
        yield f"-{letter}", word


def _tail(word: Word, start: int) -> Word:
    value = word.value[start:] if word.value is not None and word.value == word.text else None
    return replace(word, text=word.text[start:], value=value)


def _key(word: Word, variables: Mapping[str, str | None]) -> str | None:
    """Return what a word stands for with unknown variables as `${NAME}`, None where it may be anything."""
    known = resolve(word, variables)
    if known is not None:
        return known
    text = word.text.replace('"', "")
    if not text or "'" in text or text.startswith("~") or not _LITERAL.fullmatch(_EXPANSION.sub("", _braced(text))):
        return None
    return _VARIABLE.sub(lambda m: variables.get(m[1] or m[2]) or m[0], _braced(text))


def _braced(text: str) -> str:
    return _VARIABLE.sub(lambda m: "${" + (m[1] or m[2]) + "}", text)
