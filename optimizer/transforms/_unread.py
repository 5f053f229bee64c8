"""RUNs whose text is not understood: what they show without being read is a reason to say so, not to stay silent."""

import re

from optimizer.model import Step
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._finding import Decline

_START = r"(?:^|[\s;&|({\"'`])"
_OPTIONS = r"\s+(?:-\S+\s+)*"
_SYSTEM = (
    rf"{_START}(?:(?:apt-get|apt|aptitude|dnf|yum|microdnf|zypper){_OPTIONS}(?:install|upgrade)|apk{_OPTIONS}add)\b"
)
_PROJECT = (
    rf"{_START}(?:npm{_OPTIONS}(?:ci|i|install)|(?:yarn|pnpm|bundle|composer|poetry){_OPTIONS}install"
    rf"|pip[\d.]*{_OPTIONS}install\s+-r|go\s+mod\s+download|dotnet\s+restore|mix\s+deps\.get|uv\s+sync)\b"
)
SYSTEM_INSTALL = lazy_pattern(_SYSTEM)
PROJECT_INSTALL = lazy_pattern(_PROJECT)
ANY_INSTALL = lazy_pattern(rf"{_SYSTEM}|{_PROJECT}|{_START}(?:pip[\d.]*|gem|conda|mamba){_OPTIONS}install\b")
UPDATE_ALONE = lazy_pattern(rf"{_START}apt(?:-get)?{_OPTIONS}update\b(?!.*{_START}apt(?:-get)?\s)", re.DOTALL)
UNPACKING = lazy_pattern(rf"{_START}(?:curl|wget)\s.*{_START}(?:tar|unzip)\s", re.DOTALL)


def unread(step: Step, mention: re.Pattern[str] | None = None) -> Decline | None:
    """Return the decline for a RUN that is not understood and mentions what a transform looks for (None: whatever)."""
    run = step.run
    if run is None or not run.script.problem:
        return None
    if mention is not None:
        bodies = "".join(heredoc.body for heredoc in step.instruction.heredocs)
        if not mention.search(f"{step.instruction.value.text}\n{bodies}"):
            return None
    return Decline(step.line, run.script.problem)
