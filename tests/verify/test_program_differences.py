from collections.abc import Mapping

import pytest

from optimizer.verify._programs import program_differences
from optimizer.verify._start import started
from tests.verify.images import File, image, link, program

Files = dict[str, File | str | bytes]
TOOL: Files = {"/usr/local/bin/tool": program()}
SHELL = ["/bin/sh", "-c"]


def told(before: Files, after: Files, **config: object) -> list[str]:
    return [one.subject for one in program_differences(image(before, **config), image(after, **config))]


@pytest.mark.parametrize(
    ("config", "others", "by"),
    [
        ({"Cmd": ["tool", "-v"]}, {}, "the start command"),
        ({"Cmd": ["/usr/local/bin/tool"]}, {}, "the start command"),
        ({"Cmd": ["./bin/tool"], "WorkingDir": "/usr/local"}, {}, "the start command"),
        ({"Cmd": [*SHELL, "cd /srv && exec tool $PORT"]}, {}, "the start command"),
        ({"Entrypoint": ["tini", "-g", "--", "tool"]}, {"/usr/bin/tini": program()}, "the start command"),
        ({"Entrypoint": ["dumb-init", "tool"]}, {}, "the start command"),
        ({"Entrypoint": ["env", "A=1", "tool"]}, {"/usr/bin/env": program()}, "the start command"),
        ({"Entrypoint": ["gosu", "app", "tool"]}, {}, "the start command"),
        ({"Entrypoint": ["/start"], "Cmd": ["x"]}, {"/start": program("#!/bin/sh\ntool --migrate\n")}, "/start"),
        ({"Entrypoint": ["sh", "/start"]}, {"/start": program("#!/bin/sh\ntool\n")}, "/start"),
        ({"Entrypoint": ["/start"], "Cmd": ["tool"]}, {"/start": program("#!/bin/sh\nexec $@\n")}, "the start command"),
        ({"Entrypoint": ["bash", "-c", "tool"]}, {}, "the start command"),
        ({"Healthcheck": {"Test": ["CMD", "tool"]}}, {}, "the health check"),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "tool || exit 1"]}}, {}, "the health check"),
        ({"Cmd": ["npm", "start"], "WorkingDir": "/app"},
         {"/app/package.json": '{"scripts": {"start": "npm run serve", "serve": "A=1 tool"}}'}, "npm serve"),
        ({"Cmd": ["npm", "run", "x"], "WorkingDir": "/app"}, {"/app/package.json": '{"scripts": {"prex": "tool"}}'},
         "npm x"),
    ],
)  # fmt: skip
def test_a_program_that_is_started_is_missing(config: dict[str, object], others: Files, by: str) -> None:
    assert told({**TOOL, **others}, {**TOOL, **others}, **config) == []
    (found,) = told({**TOOL, **others}, {**others, "/usr/local/bin/x": ""}, **config)
    assert found.startswith("command ")
    assert found.endswith(f" of {by}")


def test_a_program_that_may_no_longer_be_executed() -> None:
    (found,) = told(TOOL, {"/usr/local/bin/tool": ""}, Cmd=["tool"])

    assert found == "command tool of the start command"


def test_programs_that_the_shell_has_itself() -> None:
    echo: Files = {"/bin/echo": program(), "/bin/x": ""}

    assert told(echo, {"/bin/x": ""}, Cmd=[*SHELL, "echo a"]) == []
    assert told(echo, {"/bin/x": ""}, Cmd=["echo", "a"]) == ["command echo of the start command"]


def test_a_program_that_moved_within_the_path() -> None:
    assert told(TOOL, {"/usr/bin/tool": program()}, Cmd=["tool"]) == []
    assert told(TOOL, {"/opt/tool": program()}, Cmd=["tool"])
    assert told(TOOL, {"/opt/tool": program()}, Cmd=["tool"], Env=["PATH=/usr/local/bin:/opt"]) == []


def test_a_script_of_a_package_that_is_not_there() -> None:
    files: Files = {"/app/package.json": '{"scripts": {"start": "serve"}}', "/app/x": ""}
    bins: Files = {"/app/node_modules/.bin/serve": link("../serve/cli.js"), "/app/node_modules/serve/cli.js": program()}

    (found,) = told({**files, **bins}, files, Cmd=["npm", "start"], WorkingDir="/app")
    assert found == "command serve of npm start"


@pytest.mark.parametrize("text", ["{", "[]", '{"scripts": 1}', '{"scripts": {"start": 1}}'])
def test_a_package_that_cannot_be_read(text: str) -> None:
    found = started(image({"/package.json": text}, Cmd=["npm", "start"]))

    assert found[0].words == ("npm", "start")


def test_a_script_that_starts_itself() -> None:
    files: Files = {"/start": program("#!/bin/sh\n/start\n"), "/package.json": '{"scripts": {"start": "npm start"}}'}

    assert started(image(files, Entrypoint=["/start"], Cmd=["npm", "start"]))
    assert started(image(files, Cmd=["npm", "start"]))


@pytest.mark.parametrize(
    ("shebang", "others", "good"),
    [
        ("#!/build/venv/bin/python", {}, False),
        ("#!/usr/bin/env python3", {"/usr/bin/env": program()}, False),
        ("#!/usr/bin/env python3", {"/usr/bin/env": program(), "/usr/bin/python3": program()}, True),
        ("#!/usr/bin/env -S python3 -u", {"/usr/bin/env": program(), "/usr/bin/python3": program()}, True),
        ("#!/usr/bin/env python3", {"/usr/bin/python3": program()}, False),
        ("#! /bin/sh -e", {"/usr/bin/sh": program(), "/bin": link("usr/bin")}, True),
    ],
)
def test_an_interpreter(shebang: str, others: Mapping[str, File], good: bool) -> None:  # noqa: FBT001
    found = told({}, {"/app/run": program(f"{shebang}\n"), **others})

    assert found == ([] if good else [f"interpreter {shebang.removeprefix('#!').strip()} of /app/run"])


def test_an_interpreter_that_was_missing_before() -> None:
    there: Files = {"/app/run": program("#!/no/where\n")}

    assert told(there, there) == []


@pytest.mark.parametrize(
    ("target", "good"),
    [("/opt/a", True), ("../opt/a", True), ("/opt/b", False), ("/proc/self/fd/1", True), ("x", False)],
)
def test_a_link(target: str, good: bool) -> None:  # noqa: FBT001
    assert told({}, {"/bin/x.d/y": "", "/opt/a": "", "/bin/l": link(target)}) == ([] if good else ["link /bin/l"])


def test_links_in_a_circle_lead_nowhere() -> None:
    assert told({}, {"/a": link("/b"), "/b": link("/a")}) == ["link /a", "link /b"]
    assert told({"/a": link("/a")}, {"/a": link("/a")}) == []


def python(version: str) -> Files:
    return {
        f"/usr/local/bin/python{version}": program(),
        "/usr/local/bin/python3": link(f"python{version}"),
        f"/usr/local/lib/python{version}/site-packages/pip/__init__.py": "",
    }


def test_another_python() -> None:
    assert told(python("3.11"), python("3.12")) == ["version of python3"]
    assert told(python("3.11"), python("3.11")) == []


def venv(version: str) -> Files:
    return {
        "/opt/venv/bin/python": link("/usr/local/bin/python3"),
        f"/opt/venv/lib/python{version}/site-packages/flask/__init__.py": "",
    }


def test_packages_of_another_python() -> None:
    site = "/opt/venv/lib/python3.11/site-packages"

    assert told({**python("3.11"), **venv("3.11")}, {**python("3.11"), **venv("3.11")}) == []
    assert f"Python of {site}" in told({**python("3.11"), **venv("3.11")}, {**python("3.12"), **venv("3.11")})
    assert f"Python of {site}" in told({**python("3.12"), **venv("3.12")}, {**python("3.12"), **venv("3.11")})


@pytest.mark.parametrize(
    ("path", "claimed"),
    [
        ("/usr/local/lib/node_modules/npm/node_modules/node-gyp/gyp/gyp_main.py", "use-slim-base"),
        ("/usr/local/lib/node_modules/npm/node_modules/node-gyp/update-gyp.py", "use-slim-base"),
        ("/app/tool.py", None),
    ],
)
def test_a_slimmer_base_answers_for_what_compiles(path: str, claimed: str | None) -> None:
    script: Files = {path: program("#!/usr/bin/python3\n")}
    before = image({**script, "/usr/bin/python3": program()})

    (told,) = program_differences(before, image(script), "use-slim-base")

    assert told.claimed_by == claimed


@pytest.mark.parametrize(
    ("path", "claimed"), [("/usr/share/doc/perl/Changes.gz", "use-slim-base"), ("/app/data.gz", None)]
)
def test_a_slimmer_base_answers_for_links_among_manuals(path: str, claimed: str | None) -> None:
    before = image({path: link("/opt/changelog.gz"), "/opt/changelog.gz": "x"})

    (told,) = program_differences(before, image({path: link("/opt/changelog.gz")}), "use-slim-base")

    assert told.claimed_by == claimed


def test_many_links_that_lead_nowhere_are_summed_up_by_folder() -> None:
    links = {f"/{folder}/{n}": link("/gone") for folder in ("a", "b") for n in range(50)}

    assert told({"/gone": "", **links}, dict(links)) == ["link /a/0", "link /b/0"]
