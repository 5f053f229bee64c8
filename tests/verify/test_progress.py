"""What builders print is read as steps; what failed is told apart from a builder that broke off."""

from base64 import b64encode

import pytest

from optimizer.verify.builder import BuilderError, BuildFailed, Step
from optimizer.verify.builders._failures import failure, late
from optimizer.verify.builders._progress import Plain, Progress, RawJson, Stepped


def vertex(digest: str, name: str, **more: object) -> str:
    from msgspec.json import encode

    return encode({"vertexes": [{"digest": digest, "name": name, **more}]}).decode()


def heard(progress: Progress, *lines: str) -> Progress:
    for line in lines:
        progress.hear(line)
    return progress


BEGAN, ENDED = "2026-11-20T14:14:24.1Z", "2026-11-20T14:14:26.623019299Z"
PLAIN = (
    "#1 [internal] load build definition from Dockerfile",
    "#1 DONE 0.1s",
    "#4 [build 1/3] FROM docker.io/library/python:3.11",
    "#4 DONE 0.0s",
    "#5 [build 2/3] WORKDIR /app",
    "#5 CACHED",
    "#6 [build 3/3] RUN make",
    "#6 0.312 making",
    "#6 DONE 2.5s",
)
CLASSIC = (
    "Sending build context to Docker daemon  3.072kB",
    "Step 1/4 : FROM debian",
    " ---> c9f6dd166fb6",
    "Step 2/4 : RUN make",
    " ---> Using cache",
    " ---> 6c21ac36c02a",
    "Step 3/4 : ENV A=1",
    " ---> Running in 733d3cf923ba",
    "Step 4/4 : COPY . .",
    " ---> 3713d1dcf6bc",
    "Successfully built 3713d1dcf6bc",
)
PODMAN = (
    "[1/2] STEP 1/2: FROM debian AS a",
    "[1/2] STEP 2/2: RUN make",
    "--> Using cache d3248ed357e3",
    "--> d3248ed357e",
    "[2/2] STEP 1/2: FROM debian",
    "[2/2] STEP 2/2: COPY --from=a /x /x",
    "[2/2] COMMIT",
)


def test_buildkit_tells_its_steps_as_they_begin() -> None:
    told: list[str] = []
    progress = heard(
        RawJson(told.append),
        vertex("a", "[internal] load build context", started=BEGAN, completed=ENDED),
        vertex("b", "[2/3] RUN make"),
        vertex("c", "[1/3] FROM debian", started=BEGAN, completed=ENDED),
        vertex("b", "[2/3] RUN make", started=BEGAN),
        vertex("d", "[3/3] COPY . .", started=BEGAN, completed=BEGAN, cached=True),
        vertex("b", "[2/3] RUN make", started=BEGAN, completed=ENDED),
    )

    assert told == ["[2/3] RUN make", "[3/3] COPY . ."]
    assert progress.steps() == (
        Step("[2/3] RUN make", cached=False, seconds=2.523),
        Step("[3/3] COPY . .", cached=True),
    )


def test_a_step_of_another_platform_is_one_too() -> None:
    name = "[linux/amd64 build 2/3] RUN make"

    progress = heard(RawJson(print), vertex("a", name, started=BEGAN, completed=ENDED, cached=True))

    assert progress.steps() == (Step(name, cached=True, seconds=2.523),)


def test_a_record_of_an_unknown_form_is_text() -> None:
    progress = heard(RawJson(print), '{"vertexes": 3}', "{not json", '{"new": []}')

    assert (list(progress.log), progress.steps()) == (['{"vertexes": 3}', "{not json"], ())


def test_plain_lines() -> None:
    told: list[str] = []

    assert heard(Plain(told.append), *PLAIN).steps() == (
        Step("[build 2/3] WORKDIR /app", cached=True),
        Step("[build 3/3] RUN make", cached=False, seconds=2.5),
    )
    assert told == ["[build 2/3] WORKDIR /app", "[build 3/3] RUN make"]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (CLASSIC, [("[2/4] RUN make", True), ("[4/4] COPY . .", False)]),
        (PODMAN, [("[stage-0 2/2] RUN make", True), ("[stage-1 2/2] COPY --from=a /x /x", False)]),
    ],
    ids=["classic", "podman"],
)
def test_step_by_step(lines: tuple[str, ...], names: list[tuple[str, bool]]) -> None:
    told: list[str] = []
    progress = heard(Stepped(told.append), *lines)
    progress.end()

    assert [(step.name, step.cached) for step in progress.steps()] == names
    assert told == [name for name, _ in names]


def test_the_log_of_a_failure_ends_with_what_the_step_printed() -> None:
    printed = b64encode(b"boo\nno such thing\n").decode()
    progress = heard(
        RawJson(print),
        vertex("a", "[2/3] RUN make", started=BEGAN),
        f'{{"logs":[{{"vertex":"a","stream":2,"data":"{printed}"}}]}}',
        vertex("a", "[2/3] RUN make", started=BEGAN, completed=ENDED, error="did not complete: exit code: 2"),
        vertex("b", "[build 2/2] RUN wait", started=BEGAN, completed=ENDED, error="context canceled"),
    )

    failed = failure("docker", 1, progress)

    assert isinstance(failed, BuildFailed)
    assert (str(failed), failed.timed_out) == ("the build fails at [2/3] RUN make", False)
    assert "boo\nno such thing\nERROR: did not complete: exit code: 2" in failed.output


@pytest.mark.parametrize(
    ("progress", "kind", "says"),
    [
        (
            heard(Plain(print), *PLAIN, "#7 [4/4] RUN no", "#7 ERROR: exit code: 1"),
            BuildFailed,
            "fails at [4/4] RUN no",
        ),
        (heard(Stepped(print), *CLASSIC[:4], "make: no"), BuildFailed, "fails at [2/4] RUN make"),
        (heard(RawJson(print), "ERROR: dockerfile parse error on line 3"), BuildFailed, "parse error on line 3"),
        (heard(RawJson(print), "ERROR: failed to solve: x: not found"), BuildFailed, "x: not found"),
        (heard(RawJson(print), "ERROR: write /x: no space left on device"), BuilderError, "ran out of disk space"),
        (heard(RawJson(print), "ERROR: Cannot connect to the Docker daemon at unix://x"), BuilderError, "broke off"),
        (heard(RawJson(print), "ERROR: rpc error: code = Unavailable desc = closing"), BuilderError, "broke off"),
        (heard(RawJson(print), "ERROR: failed to receive status: error reading: EOF"), BuilderError, "broke off"),
        (heard(Plain(print)), BuildFailed, "exit status 1"),
    ],
)
def test_who_is_to_blame(progress: Progress, kind: type[Exception], says: str) -> None:
    failed = failure("docker", 1, progress)

    assert type(failed) is kind
    assert says in str(failed)


def test_a_step_that_fills_the_disk_is_the_builders_trouble() -> None:
    progress = heard(Stepped(print), *CLASSIC[:4], "cc: error writing x.o: No space left on device")

    assert isinstance(failure("podman", 1, progress), BuilderError)


def test_a_builder_that_was_killed() -> None:
    assert "ended by signal 9" in str(failure("podman", -9, heard(Plain(print))))


def test_a_limit_names_the_step_behind_which_it_struck() -> None:
    failed = late(60, heard(Plain(print), *PLAIN))

    assert failed.timed_out
    assert str(failed) == "the build took longer than the limit of 60 s, behind [build 3/3] RUN make"
