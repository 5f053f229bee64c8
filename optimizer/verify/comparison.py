"""Compare the image of a rewritten Dockerfile with that of the original, and sort out what was to be expected.

    claims = claims_of(result, context, target=…, build_args=…)
    linkages: Linkages = {}
    before = survey(builder, original.image, linkages)
    after = survey(builder, rewritten.image, linkages)
    differences = compare(before, after, claims)

Where `is_doubtful(differences)`, the original is to be built once more from scratch: `compare(before, after, claims,
again=survey(builder, second.image, linkages))` leaves out what two builds of the original do not agree upon.
"""

from collections.abc import Callable, Iterable

from optimizer.report.evidence import Check, Difference
from optimizer.verify._claims import Claims, claims_of
from optimizer.verify._config import config_differences
from optimizer.verify._files import file_differences
from optimizer.verify._imports import import_differences
from optimizer.verify._libraries import library_differences
from optimizer.verify._noise import steadfast
from optimizer.verify._programs import program_differences
from optimizer.verify._reading import Linkages, read_image
from optimizer.verify.builder import Builder
from optimizer.verify.image import Entry, Image

__all__ = ["Claims", "Image", "Linkages", "claims_of", "compare", "is_doubtful", "survey"]


def survey(builder: Builder, image: str, linkages: Linkages | None = None) -> Image:
    """Return what an image holds; `linkages` remembers ELF files by digest, for images share most of theirs.

    Raises BuilderError where the builder fails, tarfile.TarError where its stream is damaged.
    """
    config = builder.config(image)
    with builder.files(image) as stream:
        return read_image(stream, config, linkages)


def compare(before: Image, after: Image, claims: Claims, *, again: Image | None = None) -> tuple[Difference, ...]:
    """Return all the ways in which an image differs, those that the rewrites claim among them.

    `again` is what a second build of the original gave: where it differs from the first, that says nothing.
    """
    return (
        *config_differences(before, after, claims.start),
        *program_differences(before, after, claims.slimmer),
        *library_differences(before, after, claims.packages),
        *import_differences(before, after),
        *file_differences(before, after, claims, _news(before, again)),
    )


def is_doubtful(differences: Iterable[Difference]) -> bool:
    """Tell whether files differ in a way that a second build of the original might differ in too."""
    paths = (one.subject for one in differences if one.check is Check.FILES and one.claimed_by is None)
    return any(path.startswith("/") for path in paths)


def _news(before: Image, again: Image | None) -> Callable[[str, Entry | None], bool]:
    return steadfast(before, again) if again else lambda path, entry: before.entries.get(path) != entry
