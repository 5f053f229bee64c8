"""What a run says: text for people, a patch for git, JSON for programs. Pure functions from entries to text."""

from optimizer.report.entry import Change, Entry, exit_code

__all__ = ["Change", "Entry", "exit_code"]
