"""The packages that a slim image is given, where a container needs nothing else of what the full image has."""

from collections.abc import Iterable

from msgspec.structs import replace

from optimizer.images import Variant, suite, variant
from optimizer.images import packages as packages_of
from optimizer.images.apt import is_known
from optimizer.model import Step
from optimizer.syntax import Document, Span
from optimizer.transforms._finding import Edit, Rewrite
from optimizer.transforms._lack import Lack

ARCHIVED = frozenset({"wheezy", "jessie", "stretch", "buster"})  # whose packages Debian's mirrors no longer have
_RELEASES = ("bullseye", "bookworm", "trixie")  # those whose packages are known
CERTIFICATES = "ca-certificates"
_SPEAKING = frozenset({"curl", "git", "mercurial", "subversion", "wget"})
_COMPILERS = frozenset({"gcc", "g++", "cpp", "make", "binutils"})


def packages_to_add(lacks: Iterable[Lack], full: Variant, slim: Variant) -> tuple[str, ...] | str:
    """Return the packages that make up for all that `slim` is lacking, or the reason why none do."""
    found: dict[str, None] = {}
    for lack in lacks:
        if lack.built or not lack.packages or suite(full) in ARCHIVED or not _COMPILERS.isdisjoint(lack.packages):
            return lack.reason
        found.update(dict.fromkeys(lack.packages))
    lost = (packages_of(full) or frozenset()) - (packages_of(slim) or frozenset())
    return tuple(sorted(with_certificates(found) if CERTIFICATES in lost else found))


def with_certificates(names: Iterable[str]) -> tuple[str, ...]:
    """Return packages with that of the certificates, where one of them speaks to servers and needs it for that."""
    given = tuple(names)
    return given if _SPEAKING.isdisjoint(given) else (*given, *({CERTIFICATES} - {*given}))


def moving(full: Variant, release: str, packages: Iterable[str]) -> str | None:
    """Name a package that the tag may lead to a release without one day: it is still built, and names no release."""
    if full.last is not None or release in full.suffix.split("-"):
        return None
    return next((name for name in packages if not all(is_known(name, other) for other in _RELEASES)), None)


def fixed(of: Variant, release: str) -> Variant | None:
    """Return the tag that names the release which the tag leads to today; None where there is none."""
    words = [word for word in of.tag.split("-") if word not in {"latest", "slim"}]
    slim = ["slim"] if "slim" in of.tag.split("-") else []
    for tag in ([*words, *slim, release], [*words, release, *slim]):
        found = variant(of.image, "-".join(tag))
        if found and found.version == of.version and set(found.words) == set(of.words):
            return found
    return None


def with_packages(rewrite: Rewrite, document: Document, origin: Step, packages: tuple[str, ...]) -> Rewrite:
    """Return a rewrite of a FROM that also installs packages, in a RUN right behind it."""
    if not packages:
        return rewrite
    installing = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    commands = ("apt-get update", installing, "rm -rf /var/lib/apt/lists/*")
    text = f" {document.escape}\n    && ".join(commands)
    at = origin.instruction.start + len(origin.instruction.text)
    return replace(
        rewrite,
        why=f"{rewrite.why[:-1]}, but for {', '.join(packages)}, which a container needs.",
        edits=(*rewrite.edits, Edit(Span(at, at), f"RUN {text}\n".replace("\n", document.newline))),
        added=(*rewrite.added, *commands),
    )
