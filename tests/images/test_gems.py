"""What gems need of the image that they were installed in."""

import pytest

from optimizer.images import packages, variant
from optimizer.images.gems import packages_to_run


@pytest.mark.parametrize(
    ("gem", "tag", "needed"),
    [
        ("pg", "3.1", {"libpq5"}),
        ("charlock_holmes", "3.1", {"libicu72"}),
        ("charlock_holmes", "2.7", {"libicu67"}),
        ("charlock_holmes", "2.5", {"libicu63"}),  # a release that has no table of its own
        ("curb", "3.3", {"libcurl4t64"}),
        ("mini_magick", "3.3", {"imagemagick"}),
        ("nokogiri", "3.1", set()),  # it brings libxml2 along
        ("ruby-vips", "3.1", set()),  # the full image has no libvips either
        ("rack", "3.1", set()),
    ],
)
def test_the_libraries_of_the_release(gem: str, tag: str, needed: set[str]) -> None:
    image = variant("ruby", tag)
    assert image is not None

    assert packages_to_run(gem, packages(image) or frozenset()) == needed
