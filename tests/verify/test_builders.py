"""What is asked of each builder's program, and what its answers become. The programs are scripts that note it down."""

from pathlib import Path

import pytest

from optimizer.report import LayerSize
from optimizer.verify.builder import BuilderError, BuildFailed, BuildRequest, Step
from optimizer.verify.builders import find
from tests.verify.programs import BUILDAH, PODMAN, Programs

REQUEST = BuildRequest(Path("/context"), Path("/far/Dockerfile"), "app", {"V": "1"}, 60, fresh=True)


@pytest.mark.parametrize(
    ("there", "name"),
    [
        (("docker", "podman", "buildah"), "docker 28.5.2 (buildx 0.29.1)"),
        (("podman", "buildah"), "podman 4.3.1"),
        (("buildah",), "buildah 1.28.2"),
    ],
)
def test_the_first_that_answers_is_taken(programs: Programs, there: tuple[str, ...], name: str) -> None:
    for program in there:
        programs.docker() if program == "docker" else programs.install(
            program, {"podman": PODMAN}.get(program, BUILDAH)
        )

    assert find().name == name


def test_the_named_one_is_taken_or_none(programs: Programs) -> None:
    programs.docker()
    programs.install("podman", PODMAN)

    assert find("podman").name == "podman 4.3.1"
    with pytest.raises(BuilderError, match="buildah does not answer: no buildah here"):
        find("buildah")


@pytest.mark.usefixtures("programs")
def test_without_any_all_that_was_tried_is_told() -> None:
    with pytest.raises(BuilderError) as raised:
        find()

    assert str(raised.value) == (
        "there is no builder to verify with: docker does not answer: no docker here; "
        "podman does not answer: no podman here; buildah does not answer: no buildah here"
    )


def test_a_daemon_that_is_down_is_no_builder(programs: Programs) -> None:
    programs.install(
        "docker", "echo '{\"Client\":{},\"Server\":null}'; echo 'Cannot connect to the daemon' >&2; exit 1"
    )

    with pytest.raises(BuilderError, match="docker does not answer: Cannot connect to the daemon"):
        find("docker")


def test_a_build_by_docker(programs: Programs) -> None:
    programs.docker()
    builder = find()

    build = builder.build(REQUEST, print)

    assert (build.image, build.steps) == ("sha256:made", (Step("[2/2] RUN make", cached=False, seconds=1.0),))
    asked = programs.of("docker build ")
    assert asked.startswith("docker build --progress=rawjson --load --iidfile=")
    assert asked.endswith("--file=/far/Dockerfile --target=app --build-arg=V=1 --no-cache /context")
    tag = programs.of("docker image tag sha256:made dfopt-verify-").split()[-1]
    builder.remove(build.image)
    builder.remove(build.image)
    assert programs.asked[-1] == f"docker image rm {tag}"


def test_an_image_that_was_there_without_a_name_is_left_alone(programs: Programs) -> None:
    programs.docker()
    script = (programs.folder / "docker").read_text().replace("echo sha256:unnamed", "echo sha256:made")
    (programs.folder / "docker").write_text(script)
    builder = find()

    builder.remove(builder.build(REQUEST, print).image)

    assert not any(line.startswith(("docker image tag", "docker image rm")) for line in programs.asked)


@pytest.mark.parametrize(
    ("buildx", "name", "options"),
    [
        ("echo buildx v0.12.1", "docker 28.5.2 (buildx 0.12.1)", "docker build --progress=plain --load --iidfile="),
        ("exit 1", "docker 28.5.2 (classic builder)", "docker build --force-rm --iidfile="),
    ],
)
def test_an_old_docker(programs: Programs, buildx: str, name: str, options: str) -> None:
    programs.docker(buildx=buildx, build="echo 'Step 1/1 : RUN make'")

    find().build(REQUEST, print)

    assert find().name == name
    assert programs.of("docker build ").startswith(options)


def test_a_remote_builder_is_a_name_and_its_image_is_loaded(programs: Programs) -> None:
    programs.docker()
    builder = find("far")

    builder.build(REQUEST, print)

    assert builder.name == "docker 28.5.2 (buildx 0.29.1, far)"
    assert programs.of("docker build ").startswith(
        "docker build --progress=rawjson --load --builder=far --tag=dfopt-verify-"
    )
    with pytest.raises(BuilderError, match='no builder "near" found'):
        find("near")


def test_a_failed_build_takes_its_name_away(programs: Programs) -> None:
    programs.docker(build="echo 'ERROR: failed to solve: no such file' >&2; exit 1")

    with pytest.raises(BuildFailed, match="the build fails: ERROR: failed to solve: no such file"):
        find().build(REQUEST, print)

    assert programs.asked[-1].startswith("docker image rm dfopt-verify-")


@pytest.mark.parametrize(
    ("said", "tells"),
    [
        ("ERROR: write /var/lib: no space left on device", "docker ran out of disk space"),
        ("ERROR: error during connect: EOF", "docker broke off: ERROR: error during connect: EOF"),
    ],
)
def test_a_builder_that_fails_is_told_from_a_dockerfile_that_does(programs: Programs, said: str, tells: str) -> None:
    programs.docker(build=f"echo '{said}' >&2; exit 1")

    with pytest.raises(BuilderError, match=tells):
        find().build(REQUEST, print)


def test_a_docker_that_dies_half_way(programs: Programs) -> None:
    programs.docker(build="kill -9 $$")

    with pytest.raises(BuilderError, match="docker broke off: ended by signal 9"):
        find().build(REQUEST, print)


def test_a_build_by_podman(programs: Programs) -> None:
    programs.install("podman", PODMAN)
    builder = find()

    build = builder.build(REQUEST, print)
    builder.remove(build.image)

    assert [(step.name, step.cached) for step in build.steps] == [("[2/2] RUN make", True)]
    asked = programs.of("podman build ")
    assert asked.startswith("podman build --format=docker --layers --iidfile=")
    assert asked.endswith("--file=/far/Dockerfile --target=app --build-arg=V=1 --no-cache /context")
    assert programs.asked[-1].startswith("podman image rm dfopt-verify-")
    assert builder.config("made") == {"Cmd": ["true"], "Healthcheck": {"Test": ["CMD", "true"]}}
    assert builder.history("made") == (
        LayerSize("/bin/sh -c make", 12),
        LayerSize("/bin/sh -c #(nop) CMD true", 0, empty=True),
    )


def test_a_build_by_buildah(programs: Programs) -> None:
    programs.install("buildah", BUILDAH)
    builder = find()

    build = builder.build(REQUEST, print)
    builder.remove(build.image)

    assert [step.name for step in build.steps] == ["[2/2] RUN make"]
    assert programs.of("buildah build ").startswith("buildah build --format=docker --layers --pull=false --iidfile=")
    assert programs.asked[-1].startswith("buildah rmi dfopt-verify-")
