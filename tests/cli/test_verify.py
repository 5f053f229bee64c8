"""`dfopt verify` as far as it goes without a builder: options, exit codes, what is said where."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from optimizer.verify import builders
from optimizer.verify.builder import BuilderError, BuildFailed
from tests.verify.fake_builder import FakeBuilder, FakeImage

ONLY = ("--select", "copy-over-add")
FOUND = "FROM found\nADD app.txt /app.txt\n"


@pytest.fixture
def built(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBuilder:
    """A folder with a Dockerfile to rewrite, and a builder for it."""
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(FOUND)
    builder = FakeBuilder(found=FakeImage())
    monkeypatch.setattr(builders, "find", lambda name: builder)  # noqa: ARG005
    return builder


@contextmanager
def unlinked(text: str) -> Iterator[Path]:
    """Give the log that a report names, and remove it."""
    log = Path(text.partition("  log      ")[2].splitlines()[0])
    yield log
    log.unlink()


def test_a_rewrite_that_holds(built: FakeBuilder, folder: Path, dfopt: Callable) -> None:
    ran = dfopt("verify", *ONLY)

    assert ran.code == 0
    assert ran.text.startswith("Dockerfile: holds (fake 1.0, 4 builds)\n")
    assert "Dockerfile: building the original\n" in ran.err
    assert "[1/1]" not in ran.err
    assert built.left == []
    assert (folder / "Dockerfile").read_text() == FOUND


def test_verbose_names_the_steps_and_quiet_says_nothing(built: FakeBuilder, dfopt: Callable) -> None:
    assert "building the original: [1/1] RUN true\n" in dfopt("verify", "--verbose", *ONLY).err

    ran = dfopt("verify", "--quiet", *ONLY)

    assert (ran.code, ran.text, ran.err) == (0, "", "")
    assert built.left == []


def test_an_original_that_does_not_build_ends_with_4(built: FakeBuilder, dfopt: Callable) -> None:
    built.images["found"].failure = BuildFailed("the build fails at [2/2] ADD x /", "x: not found\n")

    ran = dfopt("verify", *ONLY)

    assert ran.code == 4
    assert "the original does not build, so nothing is judged: the build fails at [2/2] ADD x /" in ran.text
    with unlinked(ran.text) as log:
        assert "x: not found" in log.read_text()


def test_one_dockerfile_does_not_stop_the_others(built: FakeBuilder, folder: Path, dfopt: Callable) -> None:
    built.images["broken"] = FakeImage(failure=BuilderError("docker broke off: EOF"))
    (folder / "Dockerfile.a").write_text(FOUND.replace("found", "broken"))
    (folder / "Dockerfile.b").write_bytes(b"\0")

    ran = dfopt("verify", *ONLY)

    assert ran.code == 4
    assert "Dockerfile: holds (" in ran.text
    assert "  reason   the builder failed: docker broke off: EOF\n" in ran.text
    assert "Dockerfile.b: binary, not a Dockerfile" in ran.err


def test_bad_input_alone_ends_with_2(built: FakeBuilder, folder: Path, dfopt: Callable) -> None:
    (folder / "Dockerfile").write_bytes(b"\0")

    assert dfopt("verify", *ONLY).code == 2
    assert built.built == []


def test_a_bug_in_a_proof_is_reported_as_one(
    built: FakeBuilder, dfopt: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    built.images["found"].failure = ValueError("so wrong")

    ran = dfopt("verify", *ONLY)

    assert ran.code == 3
    assert "a bug in dfopt, the file is untouched" in ran.err
    assert "ValueError: so wrong" in ran.err


def test_nothing_to_rewrite_needs_no_builder(folder: Path, dfopt: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "Dockerfile").write_text("FROM found\nCOPY app.txt /\n")
    monkeypatch.setenv("PATH", str(folder))

    ran = dfopt("verify", *ONLY)

    assert (ran.code, ran.text) == (0, "Dockerfile: nothing to prove\n")


def test_without_a_builder_it_ends_with_2_and_says_what_was_tried(
    folder: Path, dfopt: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "Dockerfile").write_text(FOUND)
    (folder / "app.txt").write_text("hello\n")
    monkeypatch.setenv("PATH", str(folder))

    ran = dfopt("verify", *ONLY)

    assert (ran.code, ran.text) == (2, "")
    assert "dfopt: there is no builder to verify with: docker is not installed; " in ran.err
    assert "podman is not installed" in ran.err
    assert "buildah is not installed" in ran.err


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--http", "http://localhost"), "is not PORT or PORT/PATH"),
        (("--http", "70000"), "is not PORT or PORT/PATH"),
        (("--smoke", "echo 'open"), "No closing quotation"),
        (("--smoke", " "), "an empty command"),
        (("--limit", "0"), "Invalid value for '--limit'"),
        (("-",), "a build needs a Dockerfile in its folder"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], says: str, dfopt: Callable) -> None:
    ran = dfopt("verify", *arguments)

    assert ran.code == 2
    assert says in " ".join(ran.err.split())


def test_the_checks_that_the_user_wants(built: FakeBuilder, dfopt: Callable) -> None:
    ran = dfopt("verify", "--smoke", "app 'two words'", "--no-rebuild", *ONLY)

    assert ran.code == 0
    assert ("app", "two words") in built.commands
    assert "command app 'two words': exits with 0 in both" in ran.text
    assert built.built == ["found", "found"]


def test_the_cache_is_used_when_asked_for(built: FakeBuilder, dfopt: Callable) -> None:
    dfopt("verify", "--cached", "--no-rebuild", *ONLY)

    assert built.fresh == [False, False]
