"""Downloads, kept between runs."""

import hashlib
import urllib.request
from pathlib import Path

CACHE = Path.home() / ".cache" / "dfopt-facts"


def fetched(url: str) -> bytes:
    """Return what a URL leads to; a second run finds it on the disk."""
    place = CACHE / hashlib.sha256(url.encode()).hexdigest()
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=300) as answer:
            place.write_bytes(answer.read())
    return place.read_bytes()
