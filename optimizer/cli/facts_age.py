"""How old the image facts are, where a rewrite hangs on them."""

from collections.abc import Iterable
from datetime import date, timedelta

from optimizer.images.lifecycle import as_of
from optimizer.report import Entry

_ON_FACTS = frozenset({"distroless-base", "multi-stage", "replace-retired-base", "use-slim-base"})
_OLD = timedelta(days=366)


def notices(entries: Iterable[Entry], today: date) -> list[str]:
    """Return the warning that the facts behind an exchanged base image are more than a year old, where they are."""
    used = any(one.transform in _ON_FACTS for entry in entries if entry.result for one in entry.result.applied)
    if not used or today - date.fromisoformat(as_of()) <= _OLD:
        return []
    return [f"dfopt: the image facts are of {as_of()}, more than a year old: a newer dfopt knows newer images"]
