"""What is asked of each builder's program to run a container, and to read an image."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from optimizer.report import LayerSize
from optimizer.verify.builder import BuilderError, Exited
from optimizer.verify.builders import find
from optimizer.verify.comparison import Store, survey
from tests.verify.images import archive
from tests.verify.programs import BUILDAH, Programs
from tests.verify.saved import ids, saved


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


def test_buildah_runs_entrypoint_and_command_and_reaches_no_port(programs: Programs) -> None:
    programs.install("buildah", BUILDAH)

    with find().run("made", ("-x",), ports=(80,)) as container:
        ended = container.wait(5)
        assert container.address(80) == ("127.0.0.1", 0)

    name = programs.of("buildah from ").split()[-2]
    assert ended == Exited(3, f"run --network=none {name} -- app -x")
    assert programs.asked[-1] == f"buildah rm {name}"


def test_images_are_read_from_one_archive_of_both(programs: Programs) -> None:
    layers = [archive({f"/{name}": name}) for name in ("base", "one", "two")]
    images = {"sha256:one": layers[:2], "sha256:two": [layers[0], layers[2]]}
    (programs.folder / "saved").write_bytes(saved(*images.values()))
    programs.install("podman", engine(programs.folder, images, "cat saved"))

    first, second = survey(find(), tuple(images), Store())

    assert (set(first.entries), set(second.entries)) == ({"/base", "/one"}, {"/base", "/two"})
    (asked,) = (line for line in programs.asked if line.startswith("podman save "))
    assert asked == "podman save --quiet --format=docker-archive --multi-image-archive sha256:one sha256:two"
    assert not any(line.startswith(("podman create", "podman export")) for line in programs.asked)


def test_an_archive_that_cannot_be_read_gives_way_to_the_files_of_a_container(programs: Programs) -> None:
    (programs.folder / "saved").write_bytes(saved([b"\x28\xb5\x2f\xfd" + bytes(2000)]))
    (programs.folder / "files").write_bytes(archive({"/a": "a"}))
    programs.install("podman", engine(programs.folder, {"sha256:one": [b"another"]}, "cat saved"))

    (found,) = survey(find(), ("sha256:one",), Store())

    assert set(found.entries) == {"/a"}


def test_an_engine_that_saves_nothing_says_why(programs: Programs) -> None:
    programs.install("podman", engine(programs.folder, {"sha256:one": [b""]}, "echo no room >&2; exit 1"))

    with pytest.raises(BuilderError, match="podman save failed: no room"):
        survey(find(), ("sha256:one",), Store())


def engine(folder: Path, images: Mapping[str, Sequence[bytes]], save: str) -> str:
    """Return a podman that has these images, by their layers."""
    told = {
        name: json.dumps([{"Id": name, "Config": {"Cmd": ["a"]}, "RootFS": {"Layers": ids(layers)}}])
        for name, layers in images.items()
    }
    cases = "".join(f"  'image inspect {name}') echo '{text}' ;;\n" for name, text in told.items())
    words = "'save '*) SAVE ;; 'create '*) echo id ;; 'export '*) cat files ;; version) echo 'Version: 4.3.1' ;;"
    return f'cd {folder}\ncase "$*" in\n{cases}  {words.replace("SAVE", save)}\nesac\n'
