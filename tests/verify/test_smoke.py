"""What containers do is compared with what the original does, and never more is claimed than was seen."""

from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from optimizer.report import Check, Difference
from optimizer.verify.builder import Exited
from optimizer.verify.smoke import compare, examine
from optimizer.verify.trials import Checks, Http, trials
from tests.verify.fake_builder import FakeBuilder, FakeImage

QUICK = Checks(watch=0.1, patience=0.4)


class Server(BaseHTTPRequestHandler):
    """Answers with the status that the path names, 200 where it names none."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/") or 200))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the parent's name)
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    with HTTPServer(("127.0.0.1", 0), Server) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield "127.0.0.1", running.server_port
        running.shutdown()


def compared(before: FakeImage, after: FakeImage, checks: Checks = QUICK) -> tuple[list[str], tuple[str, ...]]:
    """Return what differs, a line each, and the notes."""
    builder = FakeBuilder(before=before, after=after)
    differences, notes = compare(builder, ("before", "after"), examine(builder, "before", checks), checks)
    return [f"{one.subject}: {one.before} -> {one.after}" for one in differences], notes


def ends(*runs: Exited | None, **more: object) -> FakeImage:
    return FakeImage(runs=list(runs), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        (ends(Exited(0, "a\nb")), ends(Exited(0, "a\nb")), "exits with 0 in both and prints the same 2 lines"),
        (ends(Exited(0, "")), ends(Exited(0, "")), "exits with 0 in both and prints nothing"),
        (ends(None), ends(None), "stays up in both"),
        (ends(Exited(1, "no database")), ends(Exited(1, "no database")), "(no database); what it would do where it"),
        (ends(Exited(0, "10:00:01 up [7]")), ends(Exited(0, "10:00:09 up [12]")), "prints the same line"),
        (ends(Exited(0, "a\nx1"), Exited(0, "a\nx2")), ends(Exited(0, "a\nx3")), "varies from run to run"),
        (ends(Exited(0, ""), Exited(1, "")), ends(Exited(1, "")), "exits with 0 and then exits with 1: nothing is"),
    ],
)
def test_alike(before: FakeImage, after: FakeImage, note: str) -> None:
    differences, notes = compared(before, after)

    assert differences == []
    assert note in notes[0]


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        (
            ends(Exited(0, "")),
            ends(Exited(1, "x\nno module")),
            "default command: exits with 0 -> exits with 1: no module",
        ),
        (
            ends(None),
            ends(Exited(127, "no such program")),
            "default command: stays up -> exits with 127: no such program",
        ),
        (ends(Exited(0, "a\nb")), ends(Exited(0, "a\nc")), "output of default command: b -> c"),
        (ends(Exited(0, "a\nb")), ends(Exited(0, "a")), "output of default command: b -> None"),
        (ends(Exited(0, "a\nx1"), Exited(0, "a\nx2")), ends(Exited(0, "x3")), "output of default command: a -> None"),
    ],
)
def test_different(before: FakeImage, after: FakeImage, difference: str) -> None:
    assert compared(before, after)[0] == [difference]


def test_a_difference_that_comes_once_is_told_and_not_held_against_the_rewrite() -> None:
    differences, notes = compared(ends(Exited(0, "a")), ends(Exited(1, "killed"), Exited(0, "a")))

    assert differences == []
    assert "default command: differed once and not again" in notes


def test_the_original_may_end_later_than_it_was_watched() -> None:
    differences, _ = compared(ends(None, Exited(3, "gave up")), ends(Exited(3, "gave up")))

    assert differences == []


def test_an_exposed_port_is_asked(server: tuple[str, int]) -> None:
    config = {"Cmd": ["serve"], "ExposedPorts": {"8080/tcp": {}, "53/udp": {}}}
    image = ends(None, config=config, answers={8080: server})

    assert compared(image, image) == ([], ("default command: stays up in both", "GET :8080/: 200 in both"))
    silent = ends(None, config=config)
    assert compared(image, silent)[0] == ["GET :8080/: 200 -> no answer"]
    assert "GET :8080/: no answer in the original: nothing is proven" in compared(silent, image)[1]


def test_the_status_of_a_path_that_the_user_names(server: tuple[str, int]) -> None:
    image = ends(None, config={"Cmd": ["serve"]}, answers={80: server})
    checks = Checks(http=(Http(80, "/404"),), watch=0.1, patience=0.4)

    assert compared(image, image, checks)[1][1] == "GET :80/404: 404 in both"


@pytest.mark.parametrize(
    ("health", "after", "expected"),
    [
        (Exited(0, ""), Exited(0, ""), ([], "HEALTHCHECK: passes in both")),
        (Exited(0, ""), Exited(127, "no curl"), (["HEALTHCHECK: passes -> fails with 127: no curl"], None)),
        (Exited(1, ""), Exited(1, "x"), ([], "HEALTHCHECK: fails with 1 in the original: nothing is proven")),
    ],
)
def test_the_health_check(health: Exited, after: Exited, expected: tuple[list[str], str | None]) -> None:
    config = {"Cmd": ["serve"], "Healthcheck": {"Test": ["CMD-SHELL", "curl localhost"]}}

    differences, notes = compared(ends(None, config=config, health=health), ends(None, config=config, health=after))

    assert differences == expected[0]
    assert expected[1] is None or expected[1] in notes


def test_a_command_takes_the_place_of_what_is_found() -> None:
    builder = FakeBuilder(before=FakeImage(), after=ends(Exited(2, "")))
    checks = Checks(commands=(("app", "--version"),), watch=0.1, patience=0.4)

    differences, _ = compare(builder, ("before", "after"), examine(builder, "before", checks), checks)

    assert differences == (Difference(Check.SMOKE, "command app --version", "exits with 0", "exits with 2"),)
    assert set(builder.commands) == {("app", "--version")}


def test_an_image_without_a_command_proves_nothing() -> None:
    image = FakeImage(config={"Cmd": None})

    assert compared(image, image) == ([], ("nothing was run: the image has no command; --smoke names one",))


@pytest.mark.parametrize(
    ("config", "health"),
    [
        ({"Test": ["CMD", "curl", "x"]}, ("curl", "x")),
        ({"Test": ["CMD-SHELL", "curl x"]}, ("/bin/sh", "-c", "curl x")),
        ({"Test": ["NONE"]}, ()),
        ({"Test": None}, ()),
        (None, ()),
    ],
)
def test_forms_of_health_checks(config: Mapping[str, object] | None, health: tuple[str, ...]) -> None:
    (trial,) = trials({"Cmd": ["serve"], "Healthcheck": config}, Checks())

    assert trial.health == health


def test_the_shell_of_a_health_check() -> None:
    config = {"Cmd": ["serve"], "Shell": ["/bin/bash", "-ec"], "Healthcheck": {"Test": ["CMD-SHELL", "true"]}}

    assert trials(config, Checks())[0].health == ("/bin/bash", "-ec", "true")
