"""Whether a Dockerfile is written for BuildKit, and whether the front end that it names knows mounts."""

from optimizer.syntax import Document
from optimizer.syntax.lazy_pattern import lazy_pattern

# Flags that the builder before BuildKit refuses. `--platform` it knew, and variables such as TARGETARCH it left empty.
_FLAGS = frozenset({"mount", "link", "chmod", "network", "security", "parents", "exclude", "checksum", "keep-git-dir"})
_OFFICIAL = lazy_pattern(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::(?P<tag>[\w.-]+))?(?:@sha256:\w+)?")
_WITHOUT_MOUNTS = lazy_pattern(
    r"1\.[01](?:\.\d+)?"
)  # `RUN --mount` came with 1.2, and with the experimental ones before


def is_for_buildkit(document: Document) -> bool:
    """Tell whether the file itself shows that BuildKit builds it.

    A `# syntax=` directive chooses a front end, which only BuildKit has; flags and here-documents stop other builders.
    """
    if any(directive.name == "syntax" for directive in document.directives):
        return True
    return any(i.heredocs or any(flag.name in _FLAGS for flag in i.flags) for i in document)


def why_no_mounts(document: Document) -> str | None:
    """Say why the front end that a file names may not know `RUN --mount=type=cache`."""
    for directive in document.directives:
        if directive.name != "syntax":
            continue
        found = _OFFICIAL.fullmatch(directive.value)
        if found is None:
            return f"whether the front end {directive.value} knows cache mounts cannot be told"
        if found["tag"] and _WITHOUT_MOUNTS.fullmatch(found["tag"]):
            return f"{directive.value} does not know RUN --mount"
    return None
