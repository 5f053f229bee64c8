"""What is known of a base image."""

from collections.abc import Mapping

from msgspec import Struct


class Facts(Struct, frozen=True, omit_defaults=True):
    """What the Dockerfile of an official image says: its own base, the packages that it keeps, how it starts."""

    parent: str | None = None
    packages: tuple[str, ...] = ()  # by name, without what they bring along
    env: Mapping[str, str] = {}
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str | None = None
    workdir: str | None = None
    expose: tuple[str, ...] = ()


class Variant(Struct, frozen=True):
    """A tag of an official image that exists or once did.

    `version` and `suffix` are the parts of the tag that was asked for; `canonical` is the suffix that names the
    distribution release too ("" and "slim" lead to "trixie" and "slim-trixie"), None where it is not known. `size` is
    that of the compressed layers in bytes, as a registry gives it; `last` is the month (YYYY-MM) of the last push,
    None where the tag is still built.
    """

    image: str
    tag: str
    version: str
    suffix: str
    canonical: str | None
    last: str | None = None
    facts: Facts | None = None
    size: int | None = None

    @property
    def name(self) -> str:
        """The image as FROM names it."""
        return f"{self.image}:{self.tag}"

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the canonical suffix: `("slim", "bookworm")`."""
        return tuple(filter(None, (self.canonical or "").split("-")))
