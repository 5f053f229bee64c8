"""What becomes of the ignore file when lines are added."""

from collections.abc import Sequence

from optimizer.context import Context
from optimizer.transforms._finding import Artifact


def ignore_lines(context: Context, lines: Sequence[str]) -> Artifact:
    """Return the ignore file in force (or a new one) with these lines behind what it holds.

    The text that is there stays as it is, in its own line endings. Lines at the end win over all above them.
    """
    text = (context.read_bytes(context.ignore_path) or b"").decode("utf-8", "surrogateescape")
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    if text and not text.endswith("\n"):
        text += newline
    return Artifact(context.ignore_path, text + "".join(line + newline for line in lines))
