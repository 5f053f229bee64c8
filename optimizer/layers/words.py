"""A step and what becomes of it, in words."""

from optimizer.layers.nodes import Cause, Fate, Outcome, Reason, Simulation
from optimizer.model import Step
from optimizer.syntax.lazy_pattern import lazy_pattern

_BLANKS = lazy_pattern(r"\s+")
_SHOWN = 3  # names in a sentence


def one_line(step: Step) -> str:
    """Return an instruction in one line, the text of its here-documents as their number of lines."""
    instruction = step.instruction
    text = _BLANKS.sub(" ", f"{instruction.keyword} {instruction.body.text}").strip()
    lines = sum(heredoc.body.count("\n") for heredoc in instruction.heredocs)
    return f"{text} ({lines} lines)" if instruction.heredocs else text


def name_of(step: Step) -> str:
    """Return `step 5 COPY . .`, cut where it is long."""
    text = one_line(step)
    return f"step {step.index + 1} {text if len(text) <= 50 else text[:47] + '...'}"  # noqa: PLR2004 (half a line)


def why(outcome: Outcome) -> str:
    """Return why a step runs again, "" where it does not: its own causes, or else the step that it follows."""
    own = [cause for cause in outcome.causes if cause.reason is not Reason.FOLLOWS]
    chosen = own or list(outcome.causes)
    text = "; ".join(_clause(cause) for cause in chosen)
    if outcome.fate is Fate.MAY_RUN and text:
        return f"{text}: cached if that comes out the same to the byte"
    return text


def chain(simulation: Simulation) -> str:
    """Name the chain from the first cause on: `step 5 COPY . . reads src/server.js; step 6 RUN npm ci follows it`."""
    parts = []
    before = None
    for outcome in simulation.again:
        named = name_of(outcome.step)
        follows = [cause for cause in outcome.causes if cause.reason is Reason.FOLLOWS]
        own = [cause for cause in outcome.causes if cause.reason is not Reason.FOLLOWS]
        if own or not follows:
            parts.append(f"{named} {why(outcome)}")
        else:
            it = "it" if before == follows[0].step else f"step {follows[0].step}"
            parts.append(f"{named} follows {it}")
        before = outcome.number
    return "; ".join(parts)


def _clause(cause: Cause) -> str:
    match cause.reason:
        case Reason.READS:
            return f"reads {_names(cause.subjects)}"
        case Reason.FOLLOWS:
            return f"follows step {cause.step}"
        case Reason.COPIES:
            where = f", where step {cause.step} runs again" if cause.step else ""
            return f"copies from {cause.subjects[0]}{where}"
        case Reason.TEXT:
            return "gets other values in what it says"
        case Reason.VARIABLE:
            return f"gets another value of {_names(cause.subjects)}"
        case Reason.IMAGE:
            return f"stands on another image {cause.subjects[0]}"
        case Reason.NEW:
            return "is new"
        case Reason.MOVED:
            return "stands on other steps than before"


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN])
    rest = len(names) - _SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
