"""What a run is asked to do."""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from optimizer.transforms import Level, Transform, all_transforms

# The base image comes first, for much hangs on what it holds. Steps settle before they are merged, installs are joined
# before their caches are cleaned, and the ignore file comes last, when it is known what the build reads. What a cache
# mount holds needs no cleaning any more, so the mounts come before that. A transform not named here runs behind these.
_ORDER = (
    "replace-retired-base", "use-slim-base", "distroless-base", "copy-over-add", "copy-with-owner", "join-apt-update",
    "frozen-installs", "omit-dev-dependencies", "hoist-independent-steps", "split-manifest-copy", "merge-run",
    "cache-mounts", "clean-package-caches", "remove-downloads", "write-dockerignore", "skip-recommends", "exec-form",
)  # fmt: skip


class Plan(Struct, frozen=True):
    """Which transforms run, and how far each may go.

    `select` None means all; `levels` overrides `level` by transform id; `options` are each transform's own.
    """

    level: Level = Level.EQUIVALENT
    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    levels: Mapping[str, Level] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)

    def transforms(self) -> Iterator[Transform]:
        """Go through the transforms that may change something at their level, in order."""
        rank = {name: number for number, name in enumerate(_ORDER)}
        bound = max([self.level, *self.levels.values()])
        for transform in sorted(all_transforms(bound), key=lambda t: (rank.get(t.id, len(rank)), t.id)):
            chosen = self.select is None or transform.id in self.select
            if chosen and transform.id not in self.ignore and self.allows(transform, transform.level):
                yield transform

    def allows(self, transform: Transform, level: Level) -> bool:
        """Tell whether a rewrite of this level may be applied for the transform."""
        return level <= self.levels.get(transform.id, self.level)
