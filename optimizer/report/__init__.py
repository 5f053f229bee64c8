"""What a run says: text for people, a patch for git, JSON for programs. Pure functions from entries to text."""

from optimizer.report.entry import AfterEdit, Change, Entry, exit_code
from optimizer.report.evidence import Check, Difference, Dropped, Evidence, LayerSize, Measured, Rebuild, Verdict

__all__ = [
    "AfterEdit",
    "Change",
    "Check",
    "Difference",
    "Dropped",
    "Entry",
    "Evidence",
    "LayerSize",
    "Measured",
    "Rebuild",
    "Verdict",
    "exit_code",
]
