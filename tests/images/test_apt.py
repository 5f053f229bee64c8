"""What packages of Debian bring along."""

from optimizer.images._tables import package_sets
from optimizer.images.apt import cost, is_known

BASE = package_sets()["bookworm/base"]


def test_a_package_comes_with_what_it_depends_on() -> None:
    found = cost(["git"], "bookworm", BASE, recommends=False)

    assert found
    assert len(found.packages) == 24  # as apt 2.6 says on debian:bookworm-slim
    assert {"git", "perl", "libcurl3-gnutls"} <= found.packages
    assert 105_000_000 < found.bytes < 112_000_000


def test_recommended_packages_count_where_they_are_installed() -> None:
    plain, whole = (cost(["git"], "bookworm", BASE, recommends=more) for more in (False, True))

    assert plain
    assert whole
    assert plain.packages < whole.packages
    assert "less" in whole.packages - plain.packages


def test_what_is_there_costs_nothing() -> None:
    found = cost(["bash", "tar"], "bookworm", BASE, recommends=True)

    assert found
    assert (found.bytes, found.packages, found.unknown) == (0, frozenset(), ())


def test_unknown_names_and_releases_are_told() -> None:
    found = cost(["nobody-has-this"], "trixie", frozenset(), recommends=False)

    assert found
    assert found.unknown == ("nobody-has-this",)
    assert cost(["git"], "jessie", frozenset(), recommends=False) is None
    assert is_known("git", "bullseye")
    assert not is_known("git", "jessie")
