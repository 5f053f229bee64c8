"""Prove rewrites of one Dockerfile: build the original once, build each rewrite, and tell what differs.

with proving(builder, Subject(path, folder, context), Settings(), told) as proof:
    evidence = proof.prove(result, level)  # for as many plans of this Dockerfile as there are
"""

import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import time_ns

from msgspec import Struct, field
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.engine import Result, Status
from optimizer.report import Check, Difference, Evidence, Measured, Rebuild, Verdict
from optimizer.transforms import Level
from optimizer.verify import comparison, smoke
from optimizer.verify.builder import Build, Builder, BuilderError, BuildFailed, BuildRequest
from optimizer.verify.process import end_all
from optimizer.verify.rebuild import edited, source_to_edit
from optimizer.verify.smoke import Baseline
from optimizer.verify.trials import Checks
from optimizer.verify.workspace import Copy, Workspace, workspace

Told = Callable[[str], None]
_STORE = comparison.Store()  # base images are the same in most proofs of a run


class Subject(Struct, frozen=True):
    """The Dockerfile to prove rewrites of: as the user named it, with its build context on disk and as a value."""

    path: str
    folder: Path
    context: Context
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)


class Settings(Struct, frozen=True):
    """How to prove. `limit` is of one build, in seconds.

    `fresh` makes the first builds without the builder's cache: an original that was cached weeks ago holds other
    packages than a rewrite that is built today, and its time would say nothing.
    """

    checks: Checks = field(default_factory=Checks)
    limit: float | None = None
    rebuild: bool = True
    fresh: bool = True
    side_by_side: bool = False
    keep: bool = False


class _Original(Struct, frozen=True):
    """The original's image and what was learnt of it."""

    build: Build
    image: comparison.Image
    baselines: tuple[Baseline, ...]
    measured: Measured


@contextmanager
def proving(builder: Builder, subject: Subject, settings: Settings, told: Told) -> Iterator["Proof"]:
    """Open a proof; images and copies are removed at its end, unless they are to be kept."""
    with workspace(subject.folder, subject.context, keep=settings.keep) as room:
        proof = Proof(builder, subject, settings, told, room)
        try:
            yield proof
        finally:
            proof.close()


class Proof:
    """Rewrites of one Dockerfile against its original, which is built and examined once. `builds` counts builds."""

    def __init__(self, builder: Builder, subject: Subject, settings: Settings, told: Told, room: Workspace) -> None:
        self.builds = 0
        self._builder = builder
        self._subject = subject
        self._settings = settings
        self._told = told
        self._room = room
        self._images: list[str] = []
        self._kept: list[str] = []
        self._read: dict[str, comparison.Image] = {}
        self._built: Build | BuildFailed | None = None
        self._original: _Original | None = None
        self._again: comparison.Image | None = None
        self._rebuilt: Rebuild | None = None

    def prove(self, result: Result, level: Level, *, measured: bool = True) -> Evidence:
        """Return the evidence for a result of this Dockerfile; `level` is that of its plan.

        A plan that is only tried on the way to another need not be `measured`: it is built with what the builder's
        cache has of the plans before it, so its time says nothing, and no rebuild follows.
        Never raises for what a builder or a Dockerfile does: that is the evidence's verdict.
        """
        evidence = Evidence(self._subject.path, level, Verdict.HOLDS, self._builder.name)
        if result.status is not Status.CHANGED:
            return evidence
        before = self.builds
        try:
            copies = self._room.original(result.before), self._room.rewritten(result)
            found = self._proved(evidence, result, copies, measured=measured)
            if measured and self._settings.rebuild and found.verdict is Verdict.HOLDS:
                found = self._with_rebuilds(found, result, copies)
        except BuildFailed as error:
            found = _not_judged(evidence, f"what was built once does not build again: {error}", error.output)
        except BuilderError as error:
            found = _not_judged(evidence, f"the builder failed: {error}", error.output)
        except tarfile.TarError as error:
            found = _not_judged(evidence, f"the builder gave a damaged image: {error}", "")
        except OSError as error:
            found = _not_judged(evidence, f"a file cannot be read or written: {error}", "")
        finally:
            self._remove(but=self._built.image if isinstance(self._built, Build) else None)
        return replace(found, builds=self.builds - before)

    @property
    def kept(self) -> tuple[str, ...]:
        """The images and the folder with the copies, for a user who wants to look into them."""
        return (str(self._room.place), *dict.fromkeys((*self._images, *self._kept)))

    def close(self) -> None:
        """Remove the images that are left."""
        self._remove()

    def _proved(self, evidence: Evidence, result: Result, copies: tuple[Copy, Copy], *, measured: bool) -> Evidence:
        built, after = self._both(copies, measured=measured)
        if isinstance(built, BuildFailed):
            what = "was not built in time" if built.timed_out else "does not build"
            return _not_judged(evidence, f"the original {what}, so nothing is judged: {built}", built.output)
        original = self._examined(built, after)
        evidence = replace(evidence, before=original.measured)
        if isinstance(after, BuildFailed) and after.timed_out:
            return _not_judged(evidence, f"the rewritten Dockerfile was not built in time: {after}", after.output)
        if isinstance(after, BuildFailed):
            fails = Difference(Check.BUILD, "the rewritten Dockerfile", "builds", str(after))
            log = _kept(after.output)
            return replace(evidence, verdict=Verdict.FAILS, differences=(fails,), log=log)
        return self._compared(evidence, result, original, after, copies)

    def _compared(
        self, evidence: Evidence, result: Result, original: _Original, after: Build, copies: tuple[Copy, Copy]
    ) -> Evidence:
        differences = self._differences(original, after, result, copies[0])
        self._told("comparing what the containers do")
        images, checks = (original.build.image, after.image), self._settings.checks
        seen, notes = smoke.compare(self._builder, images, original.baselines, checks)
        measured = self._measured(after)
        evidence = replace(evidence, differences=(*differences, *seen), smoke=notes, after=measured)
        return replace(evidence, verdict=Verdict.FAILS) if evidence.unclaimed else evidence

    def _differences(self, original: _Original, after: Build, result: Result, copy: Copy) -> tuple[Difference, ...]:
        """Compare the images; where files differ that nobody claims, see whether two originals differ in them."""
        self._told("comparing the images")
        subject = self._subject
        claims = comparison.claims_of(result, subject.context, target=subject.target, build_args=subject.build_args)
        (image,) = self._survey(after)
        differences = comparison.compare(original.image, image, claims)
        if comparison.is_doubtful(differences):
            if self._again is None:
                (self._again,) = self._survey(self._build(copy, "the original again", fresh=True))
            differences = comparison.compare(original.image, image, claims, again=self._again)
        return differences

    def _with_rebuilds(self, evidence: Evidence, result: Result, copies: tuple[Copy, Copy]) -> Evidence:
        """Edit a source file in both copies and build again: what is run, and what the cache has.

        What was proven stays proven where that cannot be measured.
        """
        subject = self._subject
        source = source_to_edit(result.before, subject.context, target=subject.target, build_args=subject.build_args)
        if source is None or not (copies[1].folder / source).is_file():
            return evidence
        try:
            self._rebuilt = self._rebuilt or self._rebuild(copies[0], "the original", source)
            after = self._rebuild(copies[1], "the rewrite", source)
        except BuilderError as error:
            self._told(f"no rebuild was measured: {error}")
            return evidence
        except BuildFailed as failed:
            if self._rebuilt is None or failed.timed_out:  # the edit is one that this build does not take
                self._told(f"no rebuild was measured: {failed}")
                return evidence
            fails = Difference(Check.BUILD, f"the rewrite with {source} edited", "builds", str(failed))
            differences, log = (*evidence.differences, fails), _kept(failed.output)
            return replace(evidence, verdict=Verdict.FAILS, differences=differences, log=log)
        assert evidence.before is not None and evidence.after is not None  # noqa: S101, PT018 (for the types)
        return replace(
            evidence,
            before=replace(evidence.before, rebuild=self._rebuilt),
            after=replace(evidence.after, rebuild=after),
        )

    def _rebuild(self, copy: Copy, what: str, source: str) -> Rebuild:
        with copy.changed(source, edited(source, f"edited {time_ns()}")):
            build = self._build(copy, f"{what} with {source} edited", fresh=False)
        executed, cached = (tuple(s.name for s in build.steps if s.cached is which) for which in (False, True))
        return Rebuild(source, build.seconds, executed, cached)

    def _both(self, copies: tuple[Copy, Copy], *, measured: bool) -> tuple[Build | BuildFailed, Build | BuildFailed]:
        """Build the rewrite, and before it (or beside it) the original where that was not built yet."""
        if self._built is None and self._settings.side_by_side:
            return self._side_by_side(copies)
        if self._built is None:
            self._built = self._tried(copies[0], "the original", fresh=self._settings.fresh)
        if isinstance(self._built, BuildFailed):
            return self._built, self._built
        fresh = self._settings.fresh and (measured or self._original is None)
        return self._built, self._tried(copies[1], "the rewrite", fresh=fresh)

    def _side_by_side(self, copies: tuple[Copy, Copy]) -> tuple[Build | BuildFailed, Build | BuildFailed]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            try:
                todo = [
                    pool.submit(self._tried, copy, what, fresh=self._settings.fresh)
                    for copy, what in zip(copies, ("the original", "the rewrite"), strict=True)
                ]
                self._built, after = (one.result() for one in todo)
            except BaseException:
                end_all()  # threads hear of no interruption
                raise
        return self._built, after

    def _tried(self, copy: Copy, what: str, *, fresh: bool) -> Build | BuildFailed:
        try:
            return self._build(copy, what, fresh=fresh)
        except BuildFailed as failure:
            return failure

    def _build(self, copy: Copy, what: str, *, fresh: bool) -> Build:
        self._told(f"building {what}")
        self.builds += 1
        subject = self._subject
        request = BuildRequest(
            copy.folder, copy.dockerfile, subject.target, subject.build_args, self._settings.limit, fresh
        )
        build = self._builder.build(request, lambda step: self._told(f"building {what}: {step}"))
        self._images.append(build.image)
        return build

    def _examined(self, build: Build, after: Build | BuildFailed) -> _Original:
        if self._original is None:
            self._told("examining the original")
            others = (after,) if isinstance(after, Build) else ()  # to read together what they share
            image, *_ = self._survey(build, *others)
            baselines = smoke.examine(self._builder, build.image, self._settings.checks)
            self._original = _Original(build, image, baselines, self._measured(build))
        return self._original

    def _survey(self, *builds: Build) -> tuple[comparison.Image, ...]:
        new = tuple({build.image for build in builds} - self._read.keys())
        self._read.update(zip(new, comparison.survey(self._builder, new, _STORE), strict=True))
        return tuple(self._read[build.image] for build in builds)

    def _measured(self, build: Build) -> Measured:
        layers = self._builder.history(build.image)
        return Measured(sum(layer.size for layer in layers), layers, build.seconds)

    def _remove(self, but: str | None = None) -> None:
        """Remove what was built, one of the images `but` excepted."""
        left = [but] if but in self._images else []
        for image in left:
            self._images.remove(image)
        while self._images:
            image = self._images.pop()
            if self._settings.keep:
                self._kept.append(image)
            else:
                self._builder.remove(image)
        self._images = left


def _not_judged(evidence: Evidence, problem: str, output: str) -> Evidence:
    return replace(evidence, verdict=Verdict.NOT_JUDGED, problem=problem, log=_kept(output))


def _kept(output: str) -> str | None:
    """Keep what a failed build printed in a file of its own; return its path."""
    if not output:
        return None
    try:
        handle, path = tempfile.mkstemp(prefix="dfopt-build-", suffix=".log")
        with os.fdopen(handle, "w", errors="backslashreplace") as file:
            file.write(f"{output}\n")
    except OSError:
        return None
    return path
