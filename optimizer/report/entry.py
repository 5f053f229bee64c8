"""What is reported of one Dockerfile."""

from collections.abc import Iterable

from msgspec import Struct

from optimizer.engine import Result, Status
from optimizer.report.evidence import Evidence
from optimizer.transforms import Gain, Level


class Change(Struct, frozen=True):
    """A file before (None: it is new) and after.

    `path` is how the user reaches it; `patch_path` is relative to the root of its repository, where there is one.
    """

    path: str
    before: str | None
    after: str
    patch_path: str

    @property
    def action(self) -> str:
        """What becomes of the file: `create` or `update`."""
        return "create" if self.before is None else "update"


class AfterEdit(Struct, frozen=True):
    """How many RUNs run again after an edit of a file, and of how many: before and after the rewrite."""

    file: str
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def words(self) -> str:
        """A clause: `an edit of src/app.js makes 1 of 4 RUNs run again instead of 2 of 3`."""
        (again, steps), (was, of) = self.after, self.before
        return f"an edit of {self.file} makes {again} of {steps} RUNs run again instead of {was} of {of}"


class Entry(Struct, frozen=True):
    """One Dockerfile: its result, or the error that stood in the way (`bug`: an error of dfopt, not of the input).

    `evidence` is what builds showed of the result, None where there was no proof; `after_edit` what the rewrite gains
    for the build after an edit, where it is made for that.
    """

    path: str
    context: str
    level: Level
    result: Result | None = None
    artifacts: tuple[Change, ...] = ()
    patch_path: str = ""
    error: str | None = None
    bug: bool = False
    line: int | None = None  # where the error is
    details: str = ""  # the traceback of an unexpected error
    evidence: Evidence | None = None
    after_edit: AfterEdit | None = None

    @property
    def status(self) -> Status:
        """How the file fared."""
        return Status.ERROR if self.result is None or self.error else self.result.status

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return self.status is Status.CHANGED

    @property
    def changes(self) -> tuple[Change, ...]:
        """The files that change, the Dockerfile first; none where an error stopped it."""
        if self.result is None or self.error:
            return ()
        own = Change(self.path, self.result.before, self.result.after, self.patch_path or self.path)
        return (*([own] if own.before != own.after else []), *self.artifacts)

    @property
    def gain(self) -> Gain:
        """What the rewrites are expected to save: the estimated bytes, the counted layers."""
        if self.result is None or self.error:
            return Gain()
        before, after = self.result.layers
        return Gain(self.result.saved_bytes, before - after)

    def failed(self, error: str, *, line: int | None = None, bug: bool = False, details: str = "") -> "Entry":
        """Return the entry with an error in the place of its result."""
        return Entry(self.path, self.context, self.level, error=error, line=line, bug=bug, details=details)


def exit_code(entries: Iterable[Entry], *, changes_count: bool) -> int:
    """Return the worst of what happened: 3 a bug of dfopt, 2 bad input, 1 a change (where those count), 0."""
    worst = 0
    for entry in entries:
        if entry.error:
            worst = max(worst, 3 if entry.bug else 2)
        elif entry.changed and changes_count:
            worst = max(worst, 1)
    return worst
