"""What the calls of a RUN leave behind in caches."""

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.ecosystems import Cache, Ecosystem, ecosystems_for
from optimizer.ecosystems._system import SystemManager
from optimizer.model import Dockerfile, Step
from optimizer.shell import Call
from optimizer.transforms._programs import PROGRAMS

# Releases whose tool refuses an option, by option: a pattern for the images that have them.
# pip 6.0 brought --no-cache-dir (pip's documentation, "Caching"); Debian 8 and Ubuntu 14.04 have 1.5, and so have the
# old images on top of them. apk-tools 2.6.6 brought --no-cache ("db: add support for --no-cache"), and Alpine 3.3 has
# it. conda 4.6 brought `clean -f` (its CHANGELOG.md). `npm cache clean --force` needs no entry: npm 5 asks for the
# option, and older ones take it with any command.
_REFUSING = {
    "--no-cache-dir": re.compile(
        r"squeeze|wheezy|jessie|lucid|precise|trusty|\b1[0-4]\.(?:04|10)\b|debian:[678]\b|(?:^|/)(?:django|iojs|java|rails):"
        r"|\bnode:[0-5]\b|\bgolang:1\.[0-7]\b|\bruby:(?:1|2\.[0-2]\b)|\bphp:5\.[3-5]\b|\bperl:5\.(?:1\d|2[0-2])\b"
        r"|phusion/[\w-]+:0\.9\.(?:\d|1[0-8])\b|nvidia/cuda:(?:6\.5|7\.[05])|\b(?:elasticsearch|logstash):[12]\b"
    ),
    "-afy": re.compile(r"conda[23]?:(?:[1-3]|4\.[0-5]|5\.[0-3]|2018)\."),
    "--no-cache": re.compile(r"alpine:?-?(?:2\.|3\.[0-2](?!\d))"),
}
# What in a RUN shows such a release, by option: an installer or a version, or options that were dropped early.
_OLD = {
    "--no-cache-dir": re.compile(
        r"\bpip==?(?:0|1)\.|--(?:allow-(?:all-)?external|allow-unverified|use-mirrors|download-cache)\b"
    ),
    "-afy": re.compile(
        r"Miniconda[23]?-(?:[1-3]\.|4\.[0-5]\.|\$)|Anaconda[23]?-(?:[1-5]\.|2018|\$)|\bconda==?[\"']?(?:[1-3]|4\.[0-5])\b"
    ),
}
# Options with which the tools make do with what they have: npm and Yarn, dnf, zypper, apk.
OFFLINE = frozenset({"--offline", "--cacheonly", "--no-refresh", "--no-network"})
# Options with which an install leaves out the project itself, so that a second one has next to nothing to fetch.
_WITHOUT_PROJECT = frozenset(
    "--no-root --no-install-project --no-self --no-install-workspace --no-scripts --no-autoloader".split()
)
_NO_INSTALLERS = frozenset(name for name, program in PROGRAMS.items() if not program.sets_up)


class Left(Struct, frozen=True):
    """A cache that a call leaves behind."""

    ecosystem: Ecosystem
    call: Call
    cache: Cache

    @property
    def folders(self) -> tuple[str, ...]:
        """What is empty, or not there at all, once the cache is gone."""
        return self.ecosystem.folders if isinstance(self.ecosystem, SystemManager) else self.cache.targets


def caches_left(dockerfile: Dockerfile, context: Context, step: Step) -> list[list[Left]]:
    """Return what a RUN leaves behind by cache; where one has to be removed, no flag is needed for it.

    What the RUN removes itself is not among it, nor what a call adds that only installs the project.
    """
    groups: dict[str, list[Left]] = {}
    for left in _left(dockerfile, context, step):
        groups.setdefault(left.cache.name, []).append(left)
    cleaned = {name: [left for left in group if left.cache.cleanup] for name, group in groups.items()}
    return [cleaned[name] or group for name, group in groups.items()]


def why_refused(dockerfile: Dockerfile, step: Step, word: str) -> str | None:
    """Say which image may have a release of the tool that does not know an option, None where none is known to."""
    if word not in _REFUSING:
        return None
    lineage = dockerfile.lineage(step.stage)
    for stage in lineage:
        base = dockerfile.stages[stage].base or ""
        if _REFUSING[word].search(base) and not base.startswith("python:"):  # these images bring a pip of their own
            return f"{base} may come with a release that does not know {word}"
    texts = ((other.line, other.instruction.value.text) for other in dockerfile if other.run and other.stage in lineage)
    line = next((line for line, text in texts if word in _OLD and _OLD[word].search(text)), None)
    return f"line {line} shows that the release may not know {word}" if line else None


def _left(dockerfile: Dockerfile, context: Context, step: Step) -> Iterator[Left]:
    calls = step.run.calls if step.run else ()
    for at, call in enumerate(calls):
        left = None if call.program in _NO_INSTALLERS else _cache_of(step, call)
        if left is None or any(map(left.ecosystem.cleans, calls[at + 1 :])):
            continue
        cache = left.cache.decide(context) if left.cache.decide else left.cache
        if not _does_without(call, cache.flag or "") and not _installs_project_only(dockerfile, step, call):
            yield replace(left, cache=cache)


def _does_without(call: Call, flag: str) -> bool:
    """Tell whether a call has the flag, maybe shortened as pip lets it be, or fetches nothing."""
    given = {word.value for word in call.arguments if word.value}
    return bool(OFFLINE & given) or any(word.startswith("--no-ca") and flag.startswith(word) for word in given)


def _cache_of(step: Step, call: Call) -> Left | None:
    env = {**step.state.sure, **call.variables}
    found = (Left(e, call, cache) for e in ecosystems_for(call.program) if (cache := e.cache(call, env)))
    return next(found, None)


def _installs_project_only(dockerfile: Dockerfile, step: Step, call: Call) -> bool:
    """Tell whether the same install without the project itself has run before."""
    words = _words(call)
    steps = dockerfile.stages[step.stage].steps
    above = (one for other in steps[: steps.index(step)] if other.run for one in other.run.calls)
    return any(
        one.program == call.program and words < _words(one) and _words(one) - words <= _WITHOUT_PROJECT for one in above
    )


def _words(call: Call) -> frozenset[str]:
    return frozenset(word.text for word in call.words) - {"--no-cache", "-n"}
