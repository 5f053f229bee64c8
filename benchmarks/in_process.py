"""Take the CPU time of the rewrite itself, file by file in one process, context included; print it as JSON.

in_process.py FOLDER: every Dockerfile below FOLDER, each with its own folder as the context.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from optimizer.cli.disk import read_context
from optimizer.engine import optimize


def milliseconds(dockerfile: Path) -> float:
    """Return how long one file took."""
    text = dockerfile.read_text()
    start = time.process_time()
    optimize(text, read_context(dockerfile.parent, dockerfile))
    return (time.process_time() - start) * 1000


def main() -> None:
    """Time the files twice and print the second pass: the first one pays for the imports."""
    files = sorted(Path(sys.argv[1]).rglob("Dockerfile"))
    milliseconds(files[0])
    times = sorted(map(milliseconds, files))
    print(json.dumps({"median": statistics.median(times), "p99": times[len(times) * 99 // 100], "max": times[-1]}))


if __name__ == "__main__":
    main()
