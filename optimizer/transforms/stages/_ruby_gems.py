"""Where gems go, and what those of a project need beside Ruby when they run."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from optimizer.images import packages
from optimizer.images.gems import packages_to_run
from optimizer.images.packages import lost_commands
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms.stages.nodes import Build
from optimizer.transforms.stages.packages import code

HOME = "/usr/local/bundle"  # GEM_HOME of the official images, and where Bundler keeps its settings in them
_LOCKED = lazy_pattern(r"(?m)^    ([\w.-]+) \(")
_ASKED = lazy_pattern(r"(?m)^\s*(?:gem|\w+\.add_(?:runtime_)?dependency)[ (]+['\"]([\w.-]+)['\"]")
_STARTED = lazy_pattern(
    r"(?:\b(?:system|exec|spawn|popen\d?e?|capture\d?e?|pipeline\w*|find_executable|which|Cocaine::CommandLine\.new"
    r"|Terrapin::CommandLine\.new)[ (]+(?:\{[^}]*\}, *)?\[?[\"']|`|%x[\[{(|!])(?:/usr)?(?:/s?bin/)?([\w.+-]+)"
)
_MAGICK = lazy_pattern(r"libmagickcore-[\w.-]+-extra")
_SYSTEM_NOKOGIRI = lazy_pattern(r"NOKOGIRI_USE_SYSTEM_LIBRARIES|nokogiri\W+--use-system-libraries")
_LIBXML = ("libxml2", "libxslt1.1")


def gem_home(variables: Mapping[str, str | None]) -> str | None:
    """Return the folder that gems go to, None where a variable hides it."""
    for name in ("BUNDLE_PATH", "GEM_HOME"):
        if name in variables:
            return variables[name]
    return HOME


def names(build: Build) -> frozenset[str]:
    """Return the gems of a project: of its lock files, without one those that it asks for, and of `gem install`."""
    texts = {path: build.subject.context.text(source) or "" for path, source in build.copied.items()}
    locked = [name for path, text in texts.items() if path.endswith("Gemfile.lock") for name in _LOCKED.findall(text)]
    asked = [
        name
        for path, text in texts.items()
        if posixpath.basename(path) in {"Gemfile", "gems.rb"} or path.endswith(".gemspec")
        for name in _ASKED.findall(text)
    ]
    calls = (call for work in build.works for call, _ in work.effects if call is not None and call.program == "gem")
    return frozenset((*(locked or asked), *(name for call in calls for name in _installed(call))))


def libraries(build: Build) -> frozenset[str]:
    """Return the packages of the full image that the gems are linked to, or start."""
    there = packages(build.full) or frozenset()
    found = frozenset[str]().union(*(packages_to_run(name, there) for name in names(build)))
    if _SYSTEM_NOKOGIRI.search(build.subject.dockerfile.document.source):
        found = found.union(_LIBXML)
    return found | {name for name in there if "imagemagick" in found and _MAGICK.fullmatch(name)}


def programs(build: Build, small: tuple[str, str]) -> Iterator[str | None]:
    """Go through the packages of the programs that sources start and the small image lacks; None where two bring it."""
    lost = lost_commands((build.full.image, build.full.tag), small) or {}
    for name in sorted(_in_sources(code(build)) & lost.keys()):
        yield min(lost[name]) if len(lost[name]) == 1 else None


def _in_sources(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(name for text in texts for name in _STARTED.findall(text))


def _installed(call: Call) -> Iterator[str]:
    """Go through the names of `gem install`."""
    words = [word.value or "" for word in call.arguments]
    if words[:1] == ["install"]:
        yield from (word.partition(":")[0] for word in words[1:] if word and not word.startswith("-"))
