"""`dfopt rewrite --verify` without a builder: what is written, what is left out, what the run ends with."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from optimizer.verify import builders
from optimizer.verify.builder import Build, BuilderError, BuildFailed, BuildRequest
from tests.verify.fake_builder import FakeBuilder, FakeImage

FOUND = "FROM debian:12\nADD app.txt /app.txt\nRUN apt-get update\nRUN apt-get install -y curl\nCMD curl --version\n"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


class Judging(FakeBuilder):
    """A builder whose images differ by what the Dockerfile says: `bad` is a text that no good one has."""

    def __init__(self, bad: str = "\0") -> None:
        super().__init__(found=FakeImage(), good=FakeImage(), bad=FakeImage({"Cmd": ["true"], "User": "nobody"}))
        self.bad = bad

    def build(self, request: BuildRequest, told: Callable[[str], None]) -> Build:
        text = request.dockerfile.read_text()
        name = "found" if text == FOUND else "bad" if self.bad in text else "good"
        request.dockerfile.write_text(f"FROM {name}\n")
        try:
            return super().build(request, told)
        finally:
            request.dockerfile.write_text(text)


@pytest.fixture
def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeBuilder], FakeBuilder]:
    (folder / "app.txt").write_text("hello\n")
    (folder / ".dockerignore").write_text("Dockerfile\n")
    (folder / "Dockerfile").write_text(FOUND)

    def chosen(builder: FakeBuilder) -> FakeBuilder:
        monkeypatch.setattr(builders, "find", lambda name: builder)  # noqa: ARG005
        return builder

    return chosen


def test_what_holds_is_written(folder: Path, dfopt: Callable, use: Callable) -> None:
    builder = use(Judging())

    ran = dfopt("rewrite", "--verify", "--level", "assumed")

    written = (folder / "Dockerfile").read_text()
    assert ran.code == 0
    assert "COPY app.txt" in written
    assert 'CMD ["curl", "--version"]' in written
    assert "Assumed, and borne out by the builds: " in ran.text
    assert "Dockerfile: holds (fake 1.0, " in ran.text
    assert builder.left == []


def test_what_the_builds_speak_against_is_left_out_and_named(folder: Path, dfopt: Callable, use: Callable) -> None:
    builder = use(Judging(bad='CMD ["'))

    ran = dfopt("rewrite", "--verify", "--level", "assumed")

    written = (folder / "Dockerfile").read_text()
    assert ran.code == 0
    assert "CMD curl --version" in written
    assert "COPY app.txt" in written
    assert "dropped  exec-form (line 5): config: User" in ran.text
    assert builder.left == []


def test_nothing_is_left_where_every_rewrite_fails(folder: Path, dfopt: Callable, use: Callable) -> None:
    use(Judging(bad="FROM"))

    ran = dfopt("rewrite", "--verify")

    assert (folder / "Dockerfile").read_text() == FOUND
    assert ran.code == 0
    assert "dropped  copy-over-add" in ran.text


@pytest.mark.parametrize("failure", [BuildFailed("the build fails", "no\n"), BuilderError("docker broke off: EOF")])
def test_what_cannot_be_judged_is_not_written(folder: Path, dfopt: Callable, use: Callable, failure: Exception) -> None:
    builder = Judging()
    builder.images["found"].failure = failure
    use(builder)

    ran = dfopt("rewrite", "--verify")

    assert ran.code == 4
    assert (folder / "Dockerfile").read_text() == FOUND
    assert "Dockerfile: not judged (" in ran.text
    if log := ran.text.partition("  log      ")[2]:
        Path(log.splitlines()[0]).unlink()


def test_a_check_writes_nothing(folder: Path, dfopt: Callable, use: Callable) -> None:
    use(Judging())

    ran = dfopt("rewrite", "--verify", "--check")

    assert ran.code == 1
    assert (folder / "Dockerfile").read_text() == FOUND


def test_the_evidence_is_part_of_the_json_report(dfopt: Callable, use: Callable) -> None:
    use(Judging())

    (file,) = json.loads(dfopt("rewrite", "--verify", "--format", "json").text)["files"]

    schema = json.loads((REFERENCE / "evidence.schema.json").read_text())
    jsonschema.Draft202012Validator({**schema, **schema["$defs"]["file"]}).validate(file["evidence"])
    assert file["status"] == "changed"


@pytest.mark.usefixtures("use")
@pytest.mark.parametrize("arguments", [("-",), ("--stdout", ".")])
def test_what_is_printed_cannot_be_built(dfopt: Callable, arguments: tuple[str, ...]) -> None:
    ran = dfopt("rewrite", "--verify", *arguments)

    assert ran.code == 2
    assert "builds need a Dockerfile in its folder" in " ".join(ran.err.split())
