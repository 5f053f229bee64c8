"""The files of two images, compared path by path."""

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from optimizer.report.evidence import Check, Difference
from optimizer.verify._claims import STAGES, Claims, in_image, path_pattern
from optimizer.verify._noise import comes_and_goes, may_be_rewritten
from optimizer.verify._packages import (
    files_of_lost_packages,
    is_state_of_packages,
    scripts_of_lost_distributions,
)
from optimizer.verify.image import Entry, Image, Kind, ancestors

_MOST_TOLD = 20  # differences of one kind; more are summed up by folder
_ENTIRE = frozenset({"missing", "new"})
_USUAL_MODE, _GROUP_WRITES = 0o755, 0o020


class _Found(Struct, frozen=True):
    """A path that differs: `how` sorts it, `claimed` is the transform that announces it."""

    path: str
    how: str
    before: str | None
    after: str | None
    claimed: str | None


def file_differences(
    before: Image, after: Image, claims: Claims, is_news: Callable[[str, Entry | None], bool]
) -> Iterator[Difference]:
    """Go through the paths that differ, with those of one kind summed up where they are many.

    `is_news` is asked whether a path differs from what any build of the original gives.
    """
    announced = _Announced.of(before, after, claims)
    found: list[_Found] = []
    quiet: list[str] = []
    for path in sorted(before.entries.keys() | after.entries.keys(), key=lambda path: path.split("/")):
        was, now = before.entries.get(path), after.entries.get(path)
        if was == now:
            continue
        if not is_news(path, now) or _is_nothing(path, before, after, claims):
            quiet.append(path)
        else:
            found += _judged(path, was, now, announced)
    return _summed_up(_with_folders(found, quiet, before, after))


class _Announced(Struct, frozen=True):
    """The claims in the light of the two images."""

    claims: Claims
    before: Image
    after: Image
    paths: dict[str, str]
    pattern: re.Pattern[str]
    authors: tuple[str, ...]
    lost: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, before: Image, after: Image, claims: Claims) -> "_Announced":
        workdir = before.workdir
        paths = {in_image(path, workdir): transform for path, transform in claims.paths.items()}
        patterns = [f"({path_pattern(in_image(pattern, workdir))})" for _, pattern in claims.patterns]
        leaves_packages = any("packages" in pattern for _, pattern in claims.patterns)
        return cls(
            claims,
            before,
            after,
            paths,
            re.compile("|".join(patterns) or r"(?!)"),
            tuple(transform for transform, _ in claims.patterns),
            files_of_lost_packages(before, after) if claims.packages else frozenset(),
            scripts_of_lost_distributions(before, after) if leaves_packages else frozenset(),
        )

    def by(self, path: str, how: str) -> str | None:
        """Return the transform that announces a difference."""
        exchange = self.claims.exchange
        if path in self.paths:
            return self.paths[path]
        if exchange and exchange.brings(path):
            return exchange.transform
        if how == "mode" and self._is_made_anew(path):
            return self.claims.slimmer
        if how == "missing":
            return self._left_out(path)
        if how in {"mode", "owner"} and self.before.entries[path].kind is Kind.FOLDER:
            return self._by_pattern(path)  # made anew for what lies in it still
        if self.claims.packages and self.lost and is_state_of_packages(path, self.before):
            return self.claims.packages
        return None

    def _is_made_anew(self, path: str) -> bool:
        """Tell whether a folder of root's lost no more than its group's right to write, by a copy between stages.

        COPY makes the folder at its end anew, with mode 0755; that bit is there or not as the umask of whoever has
        the context wants it.
        """
        was, now = self.before.entries[path], self.after.entries[path]
        usual = was.kind is Kind.FOLDER and (was.owner, now.owner) == ((0, 0), (0, 0)) and now.mode == _USUAL_MODE
        return usual and self.claims.slimmer == STAGES and was.mode == now.mode | _GROUP_WRITES

    def _by_pattern(self, path: str) -> str | None:
        match = self.pattern.fullmatch(path)
        groups = match.groups() if match else ()
        return next((self.authors[at] for at, group in enumerate(groups) if group is not None), None)

    def _left_out(self, path: str) -> str | None:
        if author := self._by_pattern(path):
            return author
        if path in self.lost or (self.lost and is_state_of_packages(path, self.before)):
            return self.claims.packages
        folder = path.rpartition("/")[0]
        if folder in self.lost and folder.startswith(("/etc/", "/var/lib/")):
            return self.claims.packages  # settings that the package's script writes beside those that it brings
        if path in self.scripts:
            return next(t for t, pattern in self.claims.patterns if "packages" in pattern)
        if folder == "/etc/alternatives" and (entry := self.before.entries[path]).kind is Kind.LINK:
            return self._left_out(entry.content)  # update-alternatives makes links only to what is there
        return None


def _is_nothing(path: str, before: Image, after: Image, claims: Claims) -> bool:
    """Tell whether a path differs as it does between two builds of the same file."""
    was, now = before.entries.get(path), after.entries.get(path)
    if was is None or now is None:
        there = was or now
        is_own = was is None and now is not None and claims.written.get(now.content, "") is None
        is_fetched = was is None and _is_in(path, claims.caches)
        return is_own or is_fetched or (there is not None and comes_and_goes(path, there))
    if (was.kind, was.mode, was.owner, was.attributes) != (now.kind, now.mode, now.owner, now.attributes):
        return False
    is_own = now.content in claims.written and claims.written[now.content] == was.content
    return is_own or _is_in(path, claims.caches) or may_be_rewritten(path, before, after)


def _is_in(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _judged(path: str, was: Entry | None, now: Entry | None, announced: _Announced) -> Iterator[_Found]:
    """Go through the ways in which what stands under a path differs."""
    if was is None or now is None:
        how = "new" if was is None else "missing"
        yield _Found(path, how, _described(was), _described(now), announced.by(path, how))
        return
    for how, tell in _ASPECTS.items():
        if (one := tell(was)) != (other := tell(now)):
            yield _Found(path, how, one, other, announced.by(path, how))
            if how == "kind":
                return


def _described(entry: Entry | None) -> str | None:
    if entry is None:
        return None
    size = (
        f" of {entry.size} bytes"
        if entry.kind is Kind.FILE
        else f" to {entry.content}"
        if entry.kind is Kind.LINK
        else ""
    )
    return f"{entry.kind}{size}"


def _content(entry: Entry) -> str:
    if entry.kind is Kind.FILE:
        return f"{entry.size} bytes, {entry.content[:12]}"
    return entry.content


_ASPECTS: dict[str, Callable[[Entry], str]] = {
    "kind": lambda entry: str(entry.kind),
    "mode": lambda entry: f"mode {entry.mode:04o}",
    "owner": lambda entry: f"owner {entry.owner[0]}:{entry.owner[1]}",
    "attributes": lambda entry: (
        ", ".join(f"{n}={v.encode('utf-8', 'surrogateescape').hex()}" for n, v in entry.attributes)
        or "no extended attributes"
    ),
    "content": _content,
}


def _with_folders(found: list[_Found], quiet: list[str], before: Image, after: Image) -> list[_Found]:
    """Let a folder that is there for what lies in it alone share the claim, or the silence, of all that."""
    blamed: set[str] = set()
    claimed: dict[str, str] = {}
    silent = {folder for path in quiet for folder in ancestors(path)}
    kept: list[_Found] = []
    for one in reversed(found):  # what lies in a folder comes before it
        path, judged = one.path, one
        if one.claimed is None and one.how in _ENTIRE and _is_folder(one, before, after) and path not in blamed:
            if path in claimed:
                judged = replace(one, claimed=claimed[path])
            elif path in silent:
                continue
        if judged.claimed is None:
            blamed.update(ancestors(path))
        else:
            claimed.update(dict.fromkeys(ancestors(path), judged.claimed))
        kept.append(judged)
    return kept[::-1]


def _is_folder(one: _Found, before: Image, after: Image) -> bool:
    return (before if one.how == "missing" else after).entries[one.path].kind is Kind.FOLDER


def _summed_up(found: list[_Found]) -> Iterator[Difference]:
    """Sum up what a lost or new folder holds in one difference, and the rest by folder where there is much of it."""
    kinds: dict[tuple[str, str | None], list[_Found]] = {}
    for one in found:
        kinds.setdefault((one.how, one.claimed), []).append(one)
    for (how, _), alike in kinds.items():
        groups = _by_topmost(alike) if how in _ENTIRE else {one.path: [one] for one in alike}
        depth = max(path.count("/") for path in groups)
        while len(groups) > _MOST_TOLD and depth > 1:
            depth -= 1
            groups = _by_folder(groups, depth)
        yield from (_sum(folder, how, group) for folder, group in groups.items())


def _sum(folder: str, how: str, group: list[_Found]) -> Difference:
    """Tell what is alike in a folder, which may itself be lost or new, in one difference."""
    first = group[0]
    if first.path == folder:
        return Difference(Check.FILES, first.path, first.before, first.after, first.claimed, len(group) - 1)
    example = f"{first.path.removeprefix(folder).lstrip('/')}{' and others' if len(group) > 1 else ''}"
    before, after = {"missing": (example, None), "new": (None, example)}.get(how, (example, f"another {how}"))
    return Difference(Check.FILES, folder, before, after, first.claimed, len(group) - 1)


def _by_topmost(alike: list[_Found]) -> dict[str, list[_Found]]:
    groups: dict[str, list[_Found]] = {}
    top = None
    for one in alike:
        if top is None or not one.path.startswith(f"{top}/"):
            top = one.path
        groups.setdefault(top, []).append(one)
    return groups


def _by_folder(groups: dict[str, list[_Found]], depth: int) -> dict[str, list[_Found]]:
    """Join the groups whose paths begin with the same folders, so many levels deep."""
    joined: dict[str, list[_Found]] = {}
    for path, group in groups.items():
        joined.setdefault("/".join(path.split("/")[: depth + 1]), []).extend(group)
    return joined
