"""Compare the image of a rewritten Dockerfile with that of the original, and sort out what was to be expected.

    claims = claims_of(result, context, target=…, build_args=…)
    store = Store()
    before, after = survey(builder, (original.image, rewritten.image), store)
    differences = compare(before, after, claims)

Where `is_doubtful(differences)`, the original is to be built once more from scratch: `compare(before, after, claims,
again=survey(builder, (second.image,), store)[0])` leaves out what two builds of the original do not agree upon.
"""

from collections.abc import Callable, Iterable, Sequence

from optimizer.report.evidence import Check, Difference
from optimizer.verify._accounts import account_differences
from optimizer.verify._bases import sorted_out
from optimizer.verify._claims import Claims, claims_of
from optimizer.verify._config import config_differences
from optimizer.verify._files import file_differences
from optimizer.verify._imports import import_differences
from optimizer.verify._libraries import library_differences
from optimizer.verify._noise import steadfast
from optimizer.verify._programs import program_differences
from optimizer.verify._reading import read_image
from optimizer.verify._store import Store
from optimizer.verify._surroundings import surrounding_differences
from optimizer.verify.builder import Builder, Layered
from optimizer.verify.image import Entry, Image

__all__ = ["Claims", "Image", "Store", "claims_of", "compare", "is_doubtful", "survey"]


def survey(builder: Builder, images: Sequence[str], store: Store) -> tuple[Image, ...]:
    """Return what images hold; of layers that the store knows, nothing is read again.

    Raises BuilderError where the builder fails, tarfile.TarError where its stream is damaged.
    """
    store.forget()
    layers: dict[str, tuple[str, ...]] = {}
    if isinstance(builder, Layered):
        layers = {image: builder.layers(image) for image in images}
        unread = [image for image in layers if layers[image] and not store.has(layers[image])]
        if unread:
            with builder.archive(unread) as stream:
                store.read(stream)
    return tuple(_surveyed(builder, image, layers.get(image, ()), store) for image in images)


def _surveyed(builder: Builder, image: str, layers: Sequence[str], store: Store) -> Image:
    """Return what an image holds, from its flattened files where its layers could not be read."""
    config = builder.config(image)
    if store.has(layers):
        return store.image(layers, config)
    with builder.files(image) as stream:
        return read_image(stream, config, store.linkages)


def compare(before: Image, after: Image, claims: Claims, *, again: Image | None = None) -> tuple[Difference, ...]:
    """Return all the ways in which an image differs, those that the rewrites claim among them.

    `again` is what a second build of the original gave: where it differs from the first, that says nothing.
    """
    found = (
        *config_differences(before, after, claims.start, claims.variables),
        *program_differences(before, after, claims.slimmer),
        *library_differences(before, after, claims.packages),
        *import_differences(before, after),
        *account_differences(before, after),
        *surrounding_differences(before, after, claims.packages),
        *file_differences(before, after, claims, _news(before, again)),
    )
    return tuple(sorted_out(found, claims.exchange))


def is_doubtful(differences: Iterable[Difference]) -> bool:
    """Tell whether files differ in a way that a second build of the original might differ in too."""
    paths = (one.subject for one in differences if one.check is Check.FILES and one.claimed_by is None)
    return any(path.startswith("/") for path in paths)


def _news(before: Image, again: Image | None) -> Callable[[str, Entry | None], bool]:
    return steadfast(before, again) if again else lambda path, entry: before.entries.get(path) != entry
