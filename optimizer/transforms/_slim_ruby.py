"""Why a stage on the full image of Ruby cannot do with the slim one: gems that compile, sources that start programs."""

from collections.abc import Iterator

from optimizer.context import Context
from optimizer.model import Dockerfile
from optimizer.syntax.lazy_pattern import lazy_pattern

_INSTALLERS = frozenset({"bundle", "bundler", "gem"})
_SOURCE = lazy_pattern(r".*\.(?:rb|rake|ru|erb|gemspec)|(?:.*/)?(?:Rakefile|Gemfile|bin/[\w-]+)")
_BESIDE = lazy_pattern(r"(?:.*/)?(?:spec|test|tests|features|vendor|\.git)/.*")
_STARTING = lazy_pattern(
    r"`[^`\n]+`|%x[\W_]|\b(?:system|exec|spawn|fork|popen\w*|capture\w*|sh)[ (]+[\"'\[{*]|\bOpen3\b|\bIO\.popen\b"
    r"|\bFiddle\b|\bFFI\b"
)
_LARGE = 1_000_000


def why_ruby(dockerfile: Dockerfile, context: Context, stages: frozenset[int]) -> Iterator[str]:
    """Go through the reasons; what any image lacks is judged elsewhere."""
    for step in dockerfile:
        for call in step.run.calls if step.run and step.stage in stages else ():
            if call.program in _INSTALLERS:
                yield f"gems may be compiled when line {step.line} installs them"
    for path in sorted(context.files):
        if _SOURCE.fullmatch(path) and not _BESIDE.fullmatch(path) and context.files[path] < _LARGE:
            text = (context.read_bytes(path) or b"").decode("utf-8", "replace")
            if found := _STARTING.search(text):
                yield f"{path} may start a program or load a library ({found[0][:30].strip()})"
