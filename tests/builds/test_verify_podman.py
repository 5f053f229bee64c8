"""`dfopt verify` with podman and buildah, where they are there: in a storage of their own, with Docker's base image."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("podman")  # one storage

BASE = "debian:bookworm-slim"
PROGRAM = [sys.executable, "-c", "from optimizer.cli import main; main()", "verify"]
# The rewrite puts COPY in the place of ADD.
PRINTS = f'FROM {BASE}\nADD app.txt /app.txt\nRUN echo made > /made\nCMD ["cat", "/app.txt"]\n'


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, docker: object) -> Iterator[dict[str, str]]:  # noqa: ARG001
    """A storage that nobody else uses, with the base image in it."""
    for program in ("podman", "buildah"):
        if shutil.which(program) is None:
            pytest.skip(f"no builder answers: {program} is not installed")
    folder = tmp_path_factory.mktemp("containers")
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
    )
    # More open files than this machine allows is podman's default.
    (folder / "containers.conf").write_text('[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n')
    (folder / "temporary").mkdir()
    own = {
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "TMPDIR": str(folder / "temporary"),
    }
    made = {name: value for name, value in os.environ.items() if name != "DOCKER_CONFIG"} | own
    saved = folder / "base.tar"
    subprocess.run(("docker", "save", "--output", saved, BASE), check=True, capture_output=True)
    done = subprocess.run(("podman", "load", "--input", saved), check=False, capture_output=True, text=True, env=made)
    if done.returncode:
        pytest.skip(f"no builder answers: podman load: {done.stderr.strip()}")
    yield made
    shutil.rmtree(folder)  # the layers of vfs are whole copies


def names(environment: dict[str, str]) -> list[str]:
    command = ("podman", "images", "--format={{.Repository}}", "--filter=dangling=false")
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_a_rewrite_that_holds(builder: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "app.txt").write_text("hello\n")
    (tmp_path / "Dockerfile").write_text(PRINTS)
    command = [*PROGRAM, str(tmp_path), "--builder", builder, "--select", "copy-over-add"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=600)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{tmp_path}/Dockerfile: holds" in ran.stdout
    assert "default command: exits with 0 in both and prints the same line" in ran.stdout
    assert names(environment) == ["docker.io/library/debian"]
    assert list(Path(environment["TMPDIR"]).glob("dfopt-*")) == []


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_an_original_that_does_not_build(builder: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "app.txt").write_text("hello\n")
    (tmp_path / "Dockerfile").write_text(PRINTS + "RUN echo all is lost; exit 7\n")
    command = [*PROGRAM, str(tmp_path), "--builder", builder, "--select", "copy-over-add"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=600)

    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert "nothing is judged: the build fails at [5/5] RUN echo all is lost; exit 7" in ran.stdout
    log = Path(ran.stdout.partition("  log      ")[2].splitlines()[0])
    assert "all is lost" in log.read_text()
    log.unlink()
    assert names(environment) == ["docker.io/library/debian"]
