"""Pairs of Dockerfiles whose images are compared, and what must be told of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimizer.report.evidence import Check
from optimizer.verify.comparison import Claims


@dataclass(frozen=True, slots=True)
class Pair:
    """Two Dockerfiles in the same folder; `told` are the beginnings of the differences that must be named."""

    name: str
    before: str
    after: str
    told: tuple[tuple[Check, str], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)


def fault(name: str, before: str, after: str, *told: str, check: Check = Check.FILES, **more: object) -> Pair:
    return Pair(name, before, after, tuple((check, one) for one in told), **more)  # type: ignore[arg-type]
