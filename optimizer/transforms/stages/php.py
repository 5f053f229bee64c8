"""PHP: extensions are compiled with development packages, of which a container needs the libraries alone.

The image stays the same, for it has no smaller variant; a second stage is made where what only the build needs is
large beside that. Sources: https://github.com/docker-library/php (docker-php-ext-*), https://getcomposer.org/doc/03-cli.md.
"""

import posixpath

from msgspec import Struct

from optimizer.images import packages
from optimizer.images.apt import cost
from optimizer.model import Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._slim_packages import ARCHIVED
from optimizer.transforms.stages._floating import why_moved_away
from optimizer.transforms.stages.interpreted import absolute, folder_of, home_of, in_folder
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect, Runtime
from optimizer.transforms.stages.packages import sort_packages

_LIBRARY = "/usr/local/lib/php/"
_SETTINGS = "/usr/local/etc/php/conf.d/"
_SOURCES = ("/usr/src/php", "/usr/local/include/php", "/root/.pearrc", "/tmp/pear")  # noqa: S108 - of the image
_COMPOSER = frozenset(
    """install update dump-autoload dumpautoload dump require run-script run post-install-cmd remove
    create-project""".split()
)
_LOOKING = frozenset(
    "about audit check-platform-reqs clear-cache clearcache diagnose show validate self-update".split()
)
_TASKS = lazy_pattern(
    r"(?:(?:config|route|view|event|optimize|cache|key|storage|package|vendor|assets?|l5-swagger|passport|jwt)(?::[\w:-]+)?"
    r"|--?[\w=-]+)"
)
_CONSOLES = frozenset({"artisan", "console"})
_PECL = frozenset({"channel-update", "clear-cache", "config-set", "install", "update-channels"})
_LEAST = 25_000_000  # bytes on the disk, from which a stage of its own is worth its lines
_ENTRY = frozenset({"composer", "docker-php-ext-install", "pecl", "phpize"})


class _Place(Struct, frozen=True):
    """Where a call runs, and its words."""

    call: Call
    step: Step
    folder: str | None
    words: tuple[str, ...]


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say where extensions, packages of Composer and the tasks of frameworks go."""
    words = tuple(resolve(word, call.variables) or word.text for word in call.arguments)
    place = _Place(call, step, folder_of(call), words)
    name = posixpath.basename(call.program)
    if name in {"docker-php-ext-install", "docker-php-ext-enable"}:
        return Effect((_LIBRARY, _SETTINGS), _SOURCES)
    if name in {"docker-php-ext-configure", "docker-php-source"}:
        return Effect(leaves=_SOURCES)
    if name in {"pecl", "pear"}:
        known = words[:1] in {
            ("install",),
            ("channel-update",),
            ("update-channels",),
            ("config-set",),
            ("clear-cache",),
        }
        return Effect((_LIBRARY,), _SOURCES) if known else _unknown(place)
    if name in {"composer", "composer.phar"}:
        return _composed(place, build)
    if name in _CONSOLES:
        return _task(place, words)
    return _interpreted(place, build) if name == "php" else None


def _unknown(place: _Place) -> Effect:
    program = " ".join((place.call.program, *place.words[:1]))
    return Effect(unknown=f"what {program} of line {place.step.line} makes is not known")


def _composed(place: _Place, build: Build) -> Effect:
    verb = next((word for word in place.words if not word.startswith("-")), "")
    home = home_of(place.call, place.step, build)
    caches = tuple(posixpath.join(home, name) for name in (".composer", ".cache/composer", ".config/composer"))
    if verb in _LOOKING or "--version" in place.words or verb == "config":
        return Effect(leaves=caches) if verb != "config" else in_folder(place.folder, "composer config")
    if verb not in _COMPOSER:
        return _unknown(place)
    named = next((b for a, b in zip(place.words, place.words[1:], strict=False) if a in {"-d", "--working-dir"}), None)
    glued = next((w.partition("=")[2] for w in place.words if w.startswith("--working-dir=")), None)
    folder = absolute(named or glued or ".", place.folder) if place.folder else None
    made = in_folder(folder, "composer")
    return made if made.unknown else Effect(made.makes, caches)


def _interpreted(place: _Place, build: Build) -> Effect:
    """Return what `php` makes: the installer of Composer, a console of a framework, or it is not known."""
    words = list(place.words)
    if words[:1] == ["-r"] or words[:1] in (["-v"], ["-m"], ["-i"], ["--version"]):
        made = [word for word in ("composer-setup.php",) if word in " ".join(words) and "copy(" in " ".join(words)]
        harmless = "unlink(" in " ".join(words) or "hash_file(" in " ".join(words) or words[0] != "-r"
        if made and place.folder:
            return Effect(leaves=(posixpath.join(place.folder, made[0]),))
        return NOTHING if harmless else _unknown(place)
    folder = _after(words, "--install-dir")
    is_installer = any("composer-setup" in word or word == "--" for word in words[:1])
    if is_installer and place.folder:
        into = absolute(folder or ".", place.folder)
        return Effect((posixpath.join(into, _after(words, "--filename") or "composer.phar"),), ("/root/.composer",))
    script = posixpath.basename(words[0]) if words else ""
    if script in _CONSOLES:
        return _task(place, tuple(words[1:]))
    return (
        _composed(_Place(place.call, place.step, place.folder, tuple(words[1:])), build)
        if (script in {"composer", "composer.phar"})
        else _unknown(place)
    )


def _task(place: _Place, words: tuple[str, ...]) -> Effect:
    known = words and all(map(_TASKS.fullmatch, words))
    return in_folder(place.folder, "the console") if known else _unknown(place)


def _after(words: list[str], name: str) -> str | None:
    for at, word in enumerate(words):
        if word == name and len(words) > at + 1:
            return words[at + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def runtime(build: Build) -> Runtime | str | None:
    """Take extensions and project to an image of the same tag, where the packages of the build are worth it."""
    if build.release in ARCHIVED:
        return f"packages can no longer be installed on {build.release}"
    if need := next((need for need in build.needs if need.name in _ENTRY), None):
        return f"{need.place} starts {need.name}, which needs what the build installs"
    why = "To run, the extensions need the libraries of the development packages alone."
    same = Runtime(build.full, (), why, leaves_out=("/usr/local/include/php", "/usr/src/php"))
    sorted_ = sort_packages(build, same, ())
    if isinstance(sorted_, str):
        return sorted_
    if reason := why_moved_away(build, sorted_.words):
        return reason
    there = packages(build.full) or frozenset()
    before = cost((*sorted_.dropped, *sorted_.words), build.release, there, recommends=False)
    after = cost(sorted_.words, build.release, there, recommends=False)
    if before is None or after is None:
        return f"what the packages take on {build.release} is not known"
    if before.bytes - after.bytes < _LEAST:
        less = (before.bytes - after.bytes) // 1_000_000
        return f"a stage of its own would leave {less} MB of packages behind, too little beside the image"
    return same
