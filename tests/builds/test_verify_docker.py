"""`dfopt verify` with real builds: what holds, what fails, what cannot be judged, and that nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from optimizer.cli.disk import read_context
from optimizer.engine import Result
from optimizer.report import Verdict
from optimizer.transforms import Level
from optimizer.verify.builders import find
from optimizer.verify.evidence import Settings, Subject, proving
from optimizer.verify.trials import Checks

pytestmark = pytest.mark.xdist_group("docker")  # what is left behind is told by one at a time

PROGRAM = [sys.executable, "-c", "from optimizer.cli import main; main()", "verify"]
SERVER = """\
import http.server, six
print("serving", flush=True)
http.server.test(http.server.SimpleHTTPRequestHandler, port=8000)
"""
SERVES = """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
EXPOSE 8000
HEALTHCHECK CMD python -c "import urllib.request as u; u.urlopen('http://localhost:8000/')"
CMD ["python", "server.py"]
"""
# The rewrite of each puts COPY in the place of ADD: it must be built.
PRINTS = "FROM debian:bookworm-slim\nADD app.txt /app.txt\nCMD cat /app.txt\n"


def left() -> set[str]:
    """Return what of dfopt is on the engine, but for what other processes have that are still at work."""
    lists = (
        ("image", "ls", "--format={{.Repository}}", "--filter=reference=dfopt-verify-*"),
        ("ps", "--all", "--format={{.Names}}", "--filter=name=dfopt-verify-"),
        ("network", "ls", "--format={{.Name}}", "--filter=name=dfopt-verify-"),
    )
    names = {name for words in lists for name in _printed(*words).splitlines()}
    return {name for name in names if not _is_at_work(name)}


def _is_at_work(name: str) -> bool:
    """Tell whether the process that a name tells runs, and is another than this one."""
    number = name.removeprefix("dfopt-verify-").partition("-")[0]
    return number.isdigit() and int(number) != os.getpid() and Path("/proc", number).is_dir()


def _printed(*words: str) -> str:
    return subprocess.run(("docker", *words), capture_output=True, text=True, check=True).stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, docker: object) -> Iterator[Path]:  # noqa: ARG001
    """A project of its own, and a folder for temporary files that must be empty afterwards but for logs."""
    temporary, project = tmp_path / "temporary", tmp_path / "project"
    temporary.mkdir()
    project.mkdir()
    (project / ".git").mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.chdir(project)
    before = left()
    yield project
    assert [p.name for p in temporary.iterdir() if not p.name.startswith("dfopt-build-")] == []
    assert left() <= before


def verify(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=600)


def test_a_server_that_holds(folder: Path) -> None:
    (folder / "Dockerfile").write_text(SERVES)
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    (folder / "server.py").write_text(SERVER)

    ran = verify("--select", "split-manifest-copy")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Dockerfile: holds" in ran.stdout
    for line in ("default command: stays up in both", "GET :8000/: 200 in both", "HEALTHCHECK: passes in both"):
        assert line in ran.stdout
    # In the original, the sources and every package again.
    assert "steps: 2 run, 1 cached -> 1 run, 3 cached" in ran.stdout
    assert (folder / "Dockerfile").read_text() == SERVES


def test_an_original_that_does_not_build_and_one_beside_it_that_holds(folder: Path) -> None:
    for name, text in (("bad", PRINTS + "RUN echo all is lost >&2 && false\n"), ("good", PRINTS)):
        (folder / name).mkdir()
        (folder / name / "app.txt").write_text("hello\n")
        (folder / name / "Dockerfile").write_text(text)

    ran = verify("--select", "copy-over-add")

    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert "bad/Dockerfile: not judged" in ran.stdout
    assert "the original does not build, so nothing is judged: the build fails at [3/3] RUN echo all" in ran.stdout
    assert "good/Dockerfile: holds" in ran.stdout
    log = Path(ran.stdout.partition("  log      ")[2].splitlines()[0])
    assert "all is lost" in log.read_text()


def test_rewrites_that_fail_and_one_that_holds_share_their_original(folder: Path) -> None:
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(PRINTS)
    results = [
        Result(PRINTS, PRINTS.replace("ADD", after))
        for after in ("RUN echo all is lost >&2 && false\nADD", "USER nobody\nADD", "COPY")
    ]
    told: list[str] = []

    subject = Subject("Dockerfile", folder, read_context(folder, folder / "Dockerfile"))
    with proving(find("docker"), subject, Settings(Checks(watch=2), rebuild=False), told.append) as proof:
        unbuilt, other, held = (proof.prove(result, Level.EXACT) for result in results)

    assert [one.verdict for one in (unbuilt, other, held)] == [Verdict.FAILS, Verdict.FAILS, Verdict.HOLDS]
    assert [one.subject for one in unbuilt.unclaimed] == ["the rewritten Dockerfile"]
    assert "all is lost" in Path(str(unbuilt.log)).read_text()
    assert [one.subject for one in other.unclaimed] == ["User"]
    assert told.count("building the original") == 1


def test_a_smoke_check_of_ones_own(folder: Path) -> None:
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(PRINTS)

    ran = verify("--select", "copy-over-add", "--smoke", "grep -c 'hello' /app.txt", "--smoke", "no-such-program")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "command grep -c hello /app.txt: exits with 0 in both and prints the same line" in ran.stdout
    assert "command no-such-program: exits with 127 in both" in ran.stdout
    assert "is not proven" in ran.stdout


def test_the_classic_builder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(PRINTS)
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")

    ran = verify("--select", "copy-over-add", "--verbose")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "building the rewrite: [2/3] COPY app.txt /app.txt" in ran.stderr
    assert "after an edit of app.txt" in ran.stdout


def test_a_build_that_takes_too_long(folder: Path) -> None:
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(PRINTS + f"RUN echo {uuid4()} && sleep 300\n")
    began = time.monotonic()

    ran = verify("--select", "copy-over-add", "--limit", "5")

    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert "the original was not built in time, so nothing is judged: the build took longer than the limit of 5 s" in (
        ran.stdout
    )
    assert time.monotonic() - began < 60
    assert not _sleeps()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [(), ("--side-by-side",)], ids=["one-by-one", "side-by-side"])
def test_an_interruption_during_a_build_ends_the_build(
    folder: Path, number: signal.Signals, options: tuple[str, ...]
) -> None:
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(PRINTS + f"RUN echo {uuid4()} && sleep 301\n")
    command = [*PROGRAM, "--select", "copy-over-add", "--verbose", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "sleep 301" not in (line := process.stderr.readline()):
        assert line, "the build never began"
    process.send_signal(number)

    _, errors = process.communicate(timeout=60)

    assert process.returncode in {128 + number, 1 if number == signal.SIGINT else 128 + number}
    assert "Traceback" not in errors
    assert not _sleeps()


def test_an_interruption_while_a_container_runs_removes_it(folder: Path) -> None:
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(PRINTS.replace("cat /app.txt", "sleep 302"))
    command = [*PROGRAM, "--select", "copy-over-add"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "sleep 302" not in _printed("ps", "--no-trunc", "--format={{.Command}}"):
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)

    process.communicate(timeout=60)

    assert process.returncode != 0


class Line:
    """A socket before the engine's own, which can be cut."""

    def __init__(self, place: Path, engine: str) -> None:
        self._engine = engine
        self._open: list[socket.socket] = []
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(place))
        self._door.listen()
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for one in (self._door, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._engine)
                self._open += [near, far]
                Thread(target=self._pass_on, args=(near, far), daemon=True).start()
                Thread(target=self._pass_on, args=(far, near), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def test_an_engine_that_is_gone_half_way(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(PRINTS + f"RUN echo {uuid4()} && sleep 20\n")
    engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    place = tmp_path_factory.mktemp("line") / "s"
    line = Line(place, engine)
    with monkeypatch.context() as patched:
        patched.setenv("DOCKER_HOST", f"unix://{place}")
        command = [*PROGRAM, "--select", "copy-over-add", "--verbose"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        while "sleep 20" not in (told := process.stderr.readline()):
            assert told, "the build never began"
        line.cut()
        output, _ = process.communicate(timeout=120)

    assert process.returncode == 4, output
    assert "  reason   the builder failed: docker broke off: " in output


def test_images_and_copies_are_kept_when_asked_for(folder: Path) -> None:
    (folder / "app.txt").write_text("hello\n")
    (folder / "Dockerfile").write_text(PRINTS)

    ran = verify("--select", "copy-over-add", "--keep", "--no-rebuild")

    place, *images = [line.removeprefix("kept: ") for line in ran.stderr.splitlines() if line.startswith("kept: ")]
    assert ran.returncode == 0, ran.stderr
    assert len(images) in {1, 2}
    assert (Path(place) / "2" / "context" / "Dockerfile").read_text() == PRINTS.replace("ADD", "COPY")
    subprocess.run(("docker", "image", "rm", "--force", *images), capture_output=True, check=True)
    subprocess.run(("rm", "-r", place), check=True)


def _sleeps() -> bool:
    """Tell whether a step that was to be ended still runs; the builder may take a moment."""
    for _ in range(50):
        listed = subprocess.run(("ps", "-eo", "args"), capture_output=True, text=True, check=True).stdout
        if not any(line.strip() in {"sleep 300", "sleep 301"} for line in listed.splitlines()):
            return False
        time.sleep(0.2)
    return True
