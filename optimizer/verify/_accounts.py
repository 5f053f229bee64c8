"""The users and groups that a container runs as, and whose files it holds (passwd(5), group(5))."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from optimizer.report.evidence import Check, Difference
from optimizer.verify.image import Image

_ROOT = "0"
_PASSWD, _GROUP = "/etc/passwd", "/etc/group"
_FIELDS = 4  # the least that a line of either has
_HOME = 5


class _Accounts(Struct, frozen=True):
    """The numbers of names and the first names of numbers, as /etc/passwd or /etc/group has them."""

    numbers: Mapping[str, str]
    names: Mapping[str, str]
    homes: Mapping[str, str]

    @classmethod
    def of(cls, image: Image, path: str) -> "_Accounts":
        lines = [line.split(":") for line in (image.text(path) or "").splitlines()]
        rows = [line for line in lines[::-1] if len(line) >= _FIELDS]
        homes = {row[0]: row[_HOME] for row in rows if len(row) > _HOME}
        return cls({row[0]: row[2] for row in rows}, {row[2]: row[0] for row in rows}, homes)

    def told(self, asked: str) -> str | None:
        """Return the other half of a name or of a number; None where there is no such account."""
        if asked.isdigit():
            return self.names.get(asked)
        return f"number {self.numbers[asked]}" if asked in self.numbers else None


def account_differences(before: Image, after: Image) -> Iterator[Difference]:
    """Go through the accounts that USER or the owner of a file refers to and that are not what they were.

    An account is known by what was there before: a number that nobody had a name for needs none.
    """
    user, _, group = str(after.config.get("User") or "").partition(":")
    for path, kind, asked in ((_PASSWD, "user", user), (_GROUP, "group", group)):
        was, now = _Accounts.of(before, path), _Accounts.of(after, path)
        if asked and (known := was.told(asked)) and now.told(asked) != known:
            yield Difference(Check.FILES, f"{kind} {asked} of USER", known, now.told(asked))
        yield from _owners(before, after, kind, was, now)
    yield from _home(before, after, user)


def _owners(before: Image, after: Image, kind: str, was: _Accounts, now: _Accounts) -> Iterator[Difference]:
    """Go through the owners of files that both images have and whose names differ; of the files, the first is told."""
    at = 0 if kind == "user" else 1
    lost = {int(number) for number, name in was.names.items() if number.isdigit() and now.names.get(number) != name}
    paths: dict[int, list[str]] = {}
    for path, entry in after.entries.items():
        if (owner := entry.owner[at]) and owner in lost and path in before.entries:
            paths.setdefault(owner, []).append(path)
    for owner, owned in paths.items():
        name, other = was.names[str(owner)], now.names.get(str(owner))
        yield Difference(Check.FILES, f"{kind} {owner}, the owner of {owned[0]}", name, other, count=len(owned) - 1)


def _home(before: Image, after: Image, user: str) -> Iterator[Difference]:
    accounts = _Accounts.of(before, _PASSWD)
    name = accounts.names.get(user, user) if user.isdigit() else user or accounts.names.get(_ROOT, "")
    home = accounts.homes.get(name)
    if home and before.is_folder(home) and not after.is_folder(home):
        yield Difference(Check.FILES, f"home of the user {name}", home, None)
