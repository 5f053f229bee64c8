"""What is asked of each builder's program, and what its answers become. The programs are scripts that note it down."""

import os
import stat
from pathlib import Path

import pytest

from optimizer.report import LayerSize
from optimizer.verify.builder import BuilderError, BuildFailed, BuildRequest, Exited, Step
from optimizer.verify.builders import find

DOCKER = """\
case "$*" in
  "version "*) echo '{"Client":{},"Server":{"Version":"28.5.2+dfsg4"}}' ;;
  "buildx version") BUILDX ;;
  "buildx inspect "*) [ "$3" = far ] || { echo "ERROR: no builder \\"$3\\" found" >&2; exit 1; } ;;
  "image ls "*) echo sha256:unnamed ;;
  "build "*) for word; do case "$word" in --iidfile=*) printf sha256:made > "${word#*=}" ;; esac; done
    BUILD ;;
  "image inspect "*) echo '[{"Id":"sha256:made","Config":{"Cmd":["true"]}}]' ;;
  "history "*) echo '{"CreatedBy":"CMD [\\"true\\"]","Size":"0"}'
    echo '{"CreatedBy":"RUN make # buildkit","Size":"12"}' ;;
  "run "*) RUN ;;
  "container inspect "*) echo false 3 ;;
  "logs "*) echo out; echo err >&2 ;;
  "port "*) echo 127.0.0.1:32768 ;;
esac
"""
PODMAN = """\
case "$*" in
  version) printf 'Client:       Podman Engine\\nVersion:      4.3.1\\n' ;;
  "build "*) for word; do case "$word" in --iidfile=*) printf sha256:made > "${word#*=}" ;; esac; done
    echo 'STEP 1/2: FROM a'; echo 'STEP 2/2: RUN make'; echo '--> Using cache 123' ;;
  "image inspect "*) echo '[{"Id":"made","Config":{"Cmd":["true"]},"Healthcheck":{"Test":["CMD","true"]}}]' ;;
  "history "*) echo '[{"CreatedBy":"/bin/sh -c #(nop) CMD true","size":0},{"CreatedBy":"/bin/sh -c make","size":12}]' ;;
esac
"""
BUILDAH = """\
case "$*" in
  --version) echo 'buildah version 1.28.2 (image-spec 1.1.0-rc2, runtime-spec 1.0.2-dev)' ;;
  "build "*) for word; do case "$word" in --iidfile=*) printf sha256:made > "${word#*=}" ;; esac; done
    echo 'STEP 1/2: FROM a'; echo 'STEP 2/2: RUN make' ;;
  "inspect "*) echo '{"Docker":{"config":{"Entrypoint":["app"],"Cmd":["serve"]},"history":[]}}' ;;
  "run "*) echo "$*"; echo 'Error: while running runtime: exit status 3' >&2; exit 3 ;;
esac
"""
BUILT = """echo '{"vertexes":[{"digest":"a","name":"[2/2] RUN make","started":"2026-11-20T14:14:24Z",\
"completed":"2026-11-20T14:14:25Z"}]}' >&2"""


class Programs:
    """A folder of programs that stand in for the real ones, alone on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._notes = folder / "asked"

    def install(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._notes}\n{script}')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def docker(self, build: str = BUILT, run: str = "echo id", buildx: str = "echo buildx v0.29.1+ds1") -> None:
        self.install(
            "docker", DOCKER.replace("BUILDX", buildx).replace("BUILD ;;", f"{build} ;;").replace("RUN ;;", f"{run} ;;")
        )

    @property
    def asked(self) -> list[str]:
        return self._notes.read_text().splitlines()

    def of(self, beginning: str) -> str:
        """Return the one request that begins so."""
        (found,) = (line for line in self.asked if line.startswith(beginning))
        return found


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for name in ("DOCKER_BUILDKIT", "BUILDX_BUILDER"):
        monkeypatch.delenv(name, raising=False)
    made = Programs(tmp_path)
    for name in ("docker", "podman", "buildah"):  # whatever this machine has, it is hidden
        made.install(name, f"echo 'no {name} here' >&2; exit 1")
    return made


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


def test_what_docker_tells_of_an_image(programs: Programs) -> None:
    programs.docker()
    builder = find()

    assert builder.config("made") == {"Cmd": ["true"]}
    assert builder.history("made") == (LayerSize("RUN make # buildkit", 12), LayerSize('CMD ["true"]', 0, empty=True))


def test_a_container_has_limits_and_no_network(programs: Programs) -> None:
    programs.docker()

    with find().run("made", ("app", "-x")) as container:
        assert container.wait(5) == Exited(3, "out\nerr")

    asked = programs.of("docker run ").split()
    name = asked[asked.index("--name") + 1]
    assert asked[-3:] == ["made", "app", "-x"]
    assert {"--network=none", "--memory=2g", "--pids-limit=2048"} <= set(asked)
    assert programs.asked[-1] == f"docker rm --force --volumes {name}"


def test_ports_are_published_on_loopback_in_a_network_without_a_way_out(programs: Programs) -> None:
    programs.docker()

    with find().run("made", ports=(80,)) as container:
        assert container.address(80) == ("127.0.0.1", 32768)

    asked = programs.of("docker run ").split()
    name = asked[asked.index("--name") + 1]
    assert {"--publish=127.0.0.1::80", f"--network={name}"} <= set(asked)
    masquerade = "--opt=com.docker.network.bridge.enable_ip_masquerade=false"
    assert programs.of("docker network create ") == f"docker network create {masquerade} {name}"
    assert programs.asked[-2:] == [f"docker rm --force --volumes {name}", f"docker network rm {name}"]


def test_ports_stay_closed_where_no_such_network_can_be_made(programs: Programs) -> None:
    programs.docker()
    script = (
        (programs.folder / "docker")
        .read_text()
        .replace('"port "*) echo 127.0.0.1:32768', '"network create "*) exit 125')
    )
    (programs.folder / "docker").write_text(script)

    with find().run("made", ports=(80,)) as container:
        assert container.address(80) == ("127.0.0.1", 0)

    assert "--network=none" in programs.of("docker run ")
    assert "--publish" not in programs.of("docker run ")


def test_the_network_when_asked_for(programs: Programs) -> None:
    programs.docker()

    with find().run("made", ports=(80,), network=True):
        pass

    assert "--network" not in programs.of("docker run ")


def test_a_missing_program_is_how_the_container_ended(programs: Programs) -> None:
    programs.docker(run="echo 'exec: nosuch: not found' >&2; exit 127")

    with find().run("made", ("nosuch",)) as container:
        assert container.wait(1) == Exited(127, "exec: nosuch: not found")


def test_an_engine_that_cannot_run_is_the_builders_trouble(programs: Programs) -> None:
    programs.docker(run="echo 'no such image' >&2; exit 125")

    with pytest.raises(BuilderError, match="docker cannot run the image: no such image"), find().run("made"):
        pass


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


def test_buildah_runs_entrypoint_and_command_and_reaches_no_port(programs: Programs) -> None:
    programs.install("buildah", BUILDAH)

    with find().run("made", ("-x",), ports=(80,)) as container:
        ended = container.wait(5)
        assert container.address(80) == ("127.0.0.1", 0)

    name = programs.of("buildah from ").split()[-2]
    assert ended == Exited(3, f"run --network=none {name} -- app -x")
    assert programs.asked[-1] == f"buildah rm {name}"
