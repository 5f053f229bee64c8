"""Step back from the boldest plan to the best one that the evidence bears out."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.report import Dropped, Evidence, Verdict

Prove = Callable[[Result, bool], Evidence]  # of a result; whether it is to be measured, which costs more builds


class Held(Struct, frozen=True):
    """The best result that holds, which may be none of the rewrites, and its evidence with what was dropped."""

    result: Result
    evidence: Evidence


def best(text: str, context: Context, plan: Plan, prove: Prove) -> Held:
    """Return what is left of a plan when every transform that the evidence speaks against is taken away.

    The transforms that changed something are tried in the order of the file: the first half of them, then half of the
    half, until the one is found with which the evidence turns. So a culprit among n costs about log2 n builds, not n.
    It is dropped, and what remains is proven as a whole, until it holds. Where something cannot be judged (the builder
    dies), that is the answer: its verdict says that nothing may be written.
    """
    trials = _Trials(text, context, plan, prove)
    dropped: list[Dropped] = []
    try:
        left = trials.of(frozenset(), measured=True)
        while left.evidence.verdict is Verdict.FAILS:
            dropped.append(_culprit(trials, left, frozenset(one.transform for one in dropped)))
            left = trials.of(frozenset(one.transform for one in dropped), measured=True)
    except _NotJudged as stopped:
        left = stopped.held
    return Held(left.result, replace(left.evidence, dropped=tuple(dropped), builds=trials.builds))


class _NotJudged(Exception):  # noqa: N818 (it ends the search, it is no error)
    def __init__(self, held: Held) -> None:
        self.held = held


class _Trials:
    """The plans that were proven so far, by what they leave out."""

    def __init__(self, text: str, context: Context, plan: Plan, prove: Prove) -> None:
        self.builds = 0
        self._seen: dict[tuple[object, ...], Held] = {}
        self._text = text
        self._context = context
        self._plan = plan
        self._prove = prove

    def of(self, without: frozenset[str], *, measured: bool = False) -> Held:
        """Return the result without some transforms, proven; the same result is proven once, and measured once."""
        result = optimize(self._text, self._context, replace(self._plan, ignore=self._plan.ignore | without))
        key = (result.after, result.artifacts, measured)
        for known in (key, (*key[:2], True)):
            if known in self._seen:
                return self._seen[known]
        evidence = self._prove(result, measured)
        self.builds += evidence.builds
        held = self._seen[key] = Held(result, evidence)
        if evidence.verdict is Verdict.NOT_JUDGED:
            raise _NotJudged(held)
        return held


def _culprit(trials: _Trials, failed: Held, without: frozenset[str]) -> Dropped:
    """Return the first transform, in the order of the file, with which the evidence turns."""
    order = list(dict.fromkeys(applied.transform for applied in failed.result.applied))
    holds, fails, turned = 0, len(order), failed
    while fails - holds > 1:
        middle = (holds + fails) // 2
        held = trials.of(without | frozenset(order[middle:]))
        if held.evidence.verdict is Verdict.HOLDS:
            holds = middle
        else:
            fails, turned = middle, held
    name = order[fails - 1]
    line = next(applied.origin for applied in failed.result.applied if applied.transform == name)
    return Dropped(name, line, turned.evidence.unclaimed or failed.evidence.unclaimed)
