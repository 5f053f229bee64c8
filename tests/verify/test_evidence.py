"""The orchestration: what is built, how often, what the verdict is, and that nothing is left."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from optimizer.cli.disk import read_context
from optimizer.engine import Applied, Result
from optimizer.report import Check, Evidence, Verdict
from optimizer.transforms import Artifact, Level, Rewrite
from optimizer.verify.builder import BuilderError, BuildFailed, Exited
from optimizer.verify.evidence import Proof, Settings, Subject, proving
from optimizer.verify.trials import Checks
from tests.verify.fake_builder import FakeBuilder, FakeImage

QUICK = Checks(watch=0.1, patience=0.4)
FOUND = "FROM found\nCOPY . .\n"
FAILS = BuildFailed("the build fails at [2/3] RUN make", "make: no\n")


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let logs that are kept go with the test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("temporary")))


def result(name: str = "made", *artifacts: Artifact) -> Result:
    return Result(FOUND, f"FROM {name}\nCOPY . .\n", artifacts=artifacts)


@contextmanager
def proof(folder: Path, builder: FakeBuilder, **settings: object) -> Iterator[Proof]:
    (folder / "Dockerfile").write_text(FOUND)
    (folder / "app.py").write_text("app\n")
    subject = Subject("Dockerfile", folder, read_context(folder, folder / "Dockerfile"))
    with proving(builder, subject, Settings(QUICK, **settings), print) as opened:  # type: ignore[arg-type]
        yield opened


def proved(folder: Path, builder: FakeBuilder, **settings: object) -> Evidence:
    with proof(folder, builder, **settings) as opened:
        return opened.prove(result(), Level.EQUIVALENT)


def test_a_rewrite_that_holds(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(), made=FakeImage())

    evidence = proved(tmp_path, builder)

    assert (evidence.verdict, evidence.differences, evidence.builds) == (Verdict.HOLDS, (), 4)
    assert evidence.smoke == ("default command: exits with 0 in both and prints the same line",)
    assert evidence.before
    assert evidence.after
    assert (evidence.before.size, evidence.after.size) == (100, 100)
    assert evidence.after.rebuild
    assert evidence.after.rebuild.touched == "app.py"
    assert (evidence.after.rebuild.executed, evidence.after.rebuild.cached) == (
        ("[2/2] COPY . .",),
        ("[1/2] RUN true",),
    )
    assert builder.built == ["found", "made", "found", "made"]
    assert builder.fresh == [True, True, False, False]
    assert builder.left == []


def test_the_edit_is_in_the_rebuilt_copies_alone(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(), made=FakeImage())

    proved(tmp_path, builder)

    assert [source["app.py"].startswith(b"app\n# edited ") for source in builder.sources] == [False, False, True, True]
    assert (tmp_path / "app.py").read_text() == "app\n"


def test_nothing_to_prove_needs_no_build(tmp_path: Path) -> None:
    builder = FakeBuilder()
    with proof(tmp_path, builder) as opened:
        evidence = opened.prove(Result(FOUND, FOUND), Level.EXACT)

    assert (evidence.verdict, evidence.builds, builder.built) == (Verdict.HOLDS, 0, [])


def test_an_original_that_does_not_build_is_no_ones_fault(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(failure=FAILS), made=FakeImage())

    evidence = proved(tmp_path, builder)

    assert (evidence.verdict, evidence.builds, builder.built) == (Verdict.NOT_JUDGED, 1, ["found"])
    assert evidence.problem == ("the original does not build, so nothing is judged: the build fails at [2/3] RUN make")
    assert Path(str(evidence.log)).read_text() == "make: no\n\n"


def test_a_rewrite_that_does_not_build_fails(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(), made=FakeImage(failure=FAILS))

    evidence = proved(tmp_path, builder)

    assert (evidence.verdict, builder.left) == (Verdict.FAILS, [])
    (difference,) = evidence.unclaimed
    assert (difference.check, difference.after) == (Check.BUILD, "the build fails at [2/3] RUN make")


@pytest.mark.parametrize(
    ("found", "made", "says"),
    [
        (
            FakeImage(failure=BuilderError("docker ran out of disk space")),
            FakeImage(),
            "the builder failed: docker ran",
        ),
        (FakeImage(), FakeImage(failure=BuilderError("docker broke off: EOF")), "the builder failed: docker broke off"),
        (FakeImage(run_failure=BuilderError("cannot run")), FakeImage(), "the builder failed: cannot run"),
        (
            FakeImage(failure=BuildFailed("too long", "", timed_out=True)),
            FakeImage(),
            "the original was not built in time",
        ),
        (
            FakeImage(),
            FakeImage(failure=BuildFailed("too long", "", timed_out=True)),
            "was not built in time: too long",
        ),
    ],
)
def test_what_cannot_be_judged(tmp_path: Path, found: FakeImage, made: FakeImage, says: str) -> None:
    builder = FakeBuilder(found=found, made=made)

    evidence = proved(tmp_path, builder)

    assert (evidence.verdict, builder.left) == (Verdict.NOT_JUDGED, [])
    assert says in str(evidence.problem)


def test_a_context_that_cannot_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copy2", full)

    evidence = proved(tmp_path, FakeBuilder(found=FakeImage()))

    assert evidence.verdict is Verdict.NOT_JUDGED
    assert "a file cannot be read or written: [Errno 28] No space left on device" in str(evidence.problem)


@pytest.mark.parametrize(
    ("made", "check", "subject"),
    [
        (FakeImage(config={"Cmd": ["true"], "User": "app"}), Check.CONFIG, "User"),
        (FakeImage(runs=[Exited(1, "no")]), Check.SMOKE, "default command"),
        (FakeImage(files={"app/x": b""}), Check.FILES, "/app/x"),
    ],
)
def test_an_image_that_differs_fails(tmp_path: Path, made: FakeImage, check: Check, subject: str) -> None:
    evidence = proved(tmp_path, FakeBuilder(found=FakeImage(files={"app/y": b""}), made=made))

    assert evidence.verdict is Verdict.FAILS
    assert any(one.check is check and subject in one.subject for one in evidence.unclaimed), evidence.unclaimed


def test_files_that_differ_are_compared_with_a_second_original(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(files={"app/x": b"1"}), made=FakeImage(files={"app/x": b"2"}))

    evidence = proved(tmp_path, builder)

    assert (builder.built, builder.fresh) == (["found", "made", "found"], [True] * 3)
    assert (evidence.verdict, evidence.builds) == (Verdict.FAILS, 3)


def test_several_plans_build_and_examine_the_original_once(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(), bad=FakeImage(failure=FAILS), made=FakeImage(), other=FakeImage())
    with proof(tmp_path, builder) as opened:
        verdicts = [opened.prove(result(name), Level.EQUIVALENT).verdict for name in ("bad", "made", "other")]
        assert builder.left == ["found"]

    assert verdicts == [Verdict.FAILS, Verdict.HOLDS, Verdict.HOLDS]
    assert builder.built == ["found", "bad", "made", "found", "made", "other", "other"]
    assert builder.left == []
    assert builder.sources[5]["app.py"] == b"app\n"
    assert builder.commands.count(None) == 4  # the original twice, each image that was built once


def test_an_original_that_fails_is_not_built_again_for_the_next_plan(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(failure=FAILS), made=FakeImage(), other=FakeImage())
    with proof(tmp_path, builder) as opened:
        evidence = [opened.prove(result(name), Level.EXACT) for name in ("made", "other")]

    assert [one.verdict for one in evidence] == [Verdict.NOT_JUDGED] * 2
    assert [one.builds for one in evidence] == [1, 0]


def test_side_by_side(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(), made=FakeImage())

    evidence = proved(tmp_path, builder, side_by_side=True)

    assert (evidence.verdict, sorted(builder.built[:2]), builder.left) == (Verdict.HOLDS, ["found", "made"], [])


def test_a_plan_that_is_only_tried_is_not_measured(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(), bad=FakeImage(failure=FAILS), made=FakeImage())
    with proof(tmp_path, builder) as opened:
        failed = opened.prove(result("bad"), Level.EXACT)
        tried = opened.prove(result(), Level.EXACT, measured=False)
        held = opened.prove(result(), Level.EXACT)

    assert (failed.builds, tried.builds, held.builds) == (2, 1, 3)
    assert builder.fresh == [True, True, False, True, False, False]
    assert tried.after
    assert tried.after.rebuild is None
    assert held.after
    assert held.after.rebuild


@pytest.mark.parametrize(
    ("name", "failure", "verdict"),
    [
        ("found", FAILS, Verdict.HOLDS),
        ("made", FAILS, Verdict.FAILS),
        ("made", BuildFailed("too long", "", timed_out=True), Verdict.HOLDS),
        ("made", BuilderError("docker ran out of disk space"), Verdict.HOLDS),
    ],
    ids=["original", "rewrite", "late", "builder"],
)
def test_an_edit_that_does_not_build(tmp_path: Path, name: str, failure: Exception, verdict: Verdict) -> None:
    builder = FakeBuilder(found=FakeImage(), made=FakeImage())
    builder.edited_failure[name] = failure

    evidence = proved(tmp_path, builder)

    assert (evidence.verdict, builder.left) == (verdict, [])
    assert evidence.after
    assert evidence.after.rebuild is None
    if verdict is Verdict.FAILS:
        assert [one.subject for one in evidence.unclaimed] == ["the rewrite with app.py edited"]


def test_images_can_be_kept(tmp_path: Path) -> None:
    builder = FakeBuilder(found=FakeImage(), made=FakeImage())
    with proof(tmp_path, builder, keep=True, rebuild=False) as opened:
        opened.prove(result(), Level.EXACT)
        place, *images = opened.kept

    assert sorted(images) == sorted(builder.left) == ["found", "made"]
    shutil.rmtree(place)


@pytest.mark.parametrize("name", ["found", "made"])
def test_an_interruption_leaves_nothing(tmp_path: Path, name: str) -> None:
    builder = FakeBuilder(found=FakeImage(), made=FakeImage())
    builder.images[name].failure = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        proved(tmp_path, builder)

    assert builder.left == []


def test_a_rewrite_that_writes_an_ignore_file_has_it_in_its_copy_alone(tmp_path: Path) -> None:
    ignores = Artifact(".dockerignore", "*.py\n")
    applied = Applied("write-dockerignore", Level.EXACT, Rewrite(1, "", "", (), artifacts=(ignores,)), 1, 1, 1)
    builder = FakeBuilder(found=FakeImage(), made=FakeImage())
    with proof(tmp_path, builder) as opened:
        evidence = opened.prove(Result(FOUND, FOUND.replace("found", "made"), (applied,), (), (ignores,)), Level.EXACT)

    assert evidence.verdict is Verdict.HOLDS
    assert [source.get(".dockerignore") for source in builder.sources[:2]] == [None, b"*.py\n"]
