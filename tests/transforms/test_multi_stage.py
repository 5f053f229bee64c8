"""How a stage is split in two, whatever it is built with: what moves, what is done again, what stops it."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

FILES = {"go.mod": "module app\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() {}\n"}
CERTIFICATES = "COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt\n"
BUILDING = "WORKDIR /app\nCOPY . .\nRUN go build -o app .\n"
RUNNING = f"WORKDIR /app\nCOPY --from=build /app/app /app/app\n{CERTIFICATES}"
START = 'CMD ["./app"]\n'


def run(text: str, files: dict[str, str] | None = None, **options: object) -> Result:
    context = Context.of({**FILES, **(files or {})})
    return optimize(text, context, Plan(select=frozenset({"multi-stage"}), **options))  # type: ignore[arg-type]


def runtime(text: str, files: dict[str, str] | None = None) -> str:
    """Return the runtime stage that a file gets."""
    result = run(text, files)
    assert result.applied, result.declined
    return result.after.partition("\nFROM debian")[2].partition("\n")[2]


@pytest.mark.parametrize(
    ("above", "stage"),
    [
        ("ENV A=1 B=2\n", f"ENV A=1 B=2\n{RUNNING}"),
        ("ARG V=1\nENV A=$V\n", f"ARG V=1\nENV A=$V\n{RUNNING}"),
        ("ARG V=1\n", RUNNING),
        ("# Which port.\nEXPOSE 80\n", f"{RUNNING}# Which port.\nEXPOSE 80\n"),
        ('LABEL a="b c"\nVOLUME /data\n', f'{RUNNING}LABEL a="b c"\nVOLUME /data\n'),
        ("STOPSIGNAL SIGINT\nHEALTHCHECK NONE\n", f"{RUNNING}STOPSIGNAL SIGINT\nHEALTHCHECK NONE\n"),
        ("ENV DIR=/app\n", f"ENV DIR=/app\n{RUNNING}"),
        ('SHELL ["/bin/bash", "-c"]\n', f'SHELL ["/bin/bash", "-c"]\n{RUNNING}'),
        ("RUN mkdir -p /var/lib/app\n", f"RUN mkdir -p /var/lib/app\n{RUNNING}"),
        ("RUN mkdir -p /app/data\n", f"RUN mkdir -p /app/data\n{RUNNING}"),
        ("RUN mkdir /tmp/x && rm -rf /tmp/x\n", RUNNING),
        ("RUN ln -sf /dev/stdout /var/log/app.log\n", f"RUN ln -sf /dev/stdout /var/log/app.log\n{RUNNING}"),
        ("RUN ls -l && echo done\n", RUNNING),
        ("RUN useradd app\nUSER app\n",
         f"RUN useradd app \\\n    && mkdir -p /app && chown app: /app\n{RUNNING}USER app\n"),
        ("RUN git config --global http.sslVerify false\n", RUNNING),
        ("RUN curl -sSLo /usr/local/bin/tini https://example.org/tini\n",
         f"{RUNNING}COPY --from=build /usr/local/bin/tini /usr/local/bin/tini\n"),
        ("RUN <<EOF\nmkdir /data\nEOF\n", f"RUN mkdir /data\n{RUNNING}"),
    ],
)  # fmt: skip
def test_the_promise_of_the_image_goes_along(above: str, stage: str) -> None:
    made = runtime(f"FROM golang:1.22\n{above}{BUILDING}{START}")

    assert made == f"{stage}{START}"


@pytest.mark.parametrize(
    ("packages", "installed"),
    [
        ("tini", "tini"),
        ("build-essential cmake", None),
        ("libpq-dev", "libpq5"),
        ("libpq-dev tini=0.19.0-1", "libpq5 tini=0.19.0-1"),
        ("something-unknown gcc", "something-unknown"),
        ("ca-certificates", "ca-certificates"),
    ],
)
def test_packages_of_the_build_stay_there(packages: str, installed: str | None) -> None:
    apt = f"RUN apt-get update && apt-get install -y --no-install-recommends {packages}\n"
    made = runtime(f"FROM golang:1.22\n{apt}{BUILDING}{START}")

    line = f"apt-get install -y --no-install-recommends {installed} \\\n"
    assert line in made if installed else "apt-get" not in made


@pytest.mark.parametrize(
    ("line", "code", "stays"),
    [
        ("RUN go mod download", "", False),
        ("RUN true", "", False),  # go build asks git for versions
        ("RUN true", 'var tool = "git"', True),
        ("RUN true", "// see github.com/a/b.git", False),
    ],
)
def test_git_stays_behind_where_only_the_build_uses_it(line: str, code: str, *, stays: bool) -> None:
    apt = "RUN apt-get update && apt-get install -y --no-install-recommends git tini\n"
    made = runtime(f"FROM golang:1.22\n{apt}{line}\n{BUILDING}{START}", {"main.go": f"{FILES['main.go']}{code}\n"})

    assert ("git tini" in made) is stays


def test_a_tool_that_no_step_uses_stays() -> None:
    apt = "RUN apt-get update && apt-get install -y --no-install-recommends unzip tini\n"

    assert "tini unzip" in runtime(f"FROM golang:1.22\n{apt}{BUILDING}{START}")


def test_recommended_packages_stay_recommended() -> None:
    made = runtime(f"FROM golang:1.22\nRUN apt-get update && apt-get install -y tini\n{BUILDING}{START}")

    assert "apt-get install -y tini \\\n" in made


def test_a_tool_that_the_code_starts_is_installed() -> None:
    code = 'package main\n\nimport "os/exec"\n\nfunc main() { exec.Command("git", "log").Run() }\n'
    made = runtime(f"FROM golang:1.22\n{BUILDING}{START}", {"main.go": code})

    assert "apt-get install -y --no-install-recommends ca-certificates git openssh-client \\\n" in made


@pytest.mark.parametrize(
    ("before", "first", "second"),
    [
        ("FROM golang:1.22", "FROM golang:1.22 AS build", "FROM debian:bookworm-slim"),
        ("FROM golang:1.22 AS server", "FROM golang:1.22 AS build", "FROM debian:bookworm-slim AS server"),
        ("FROM golang:1.22 as build", "FROM golang:1.22 as build-stage", "FROM debian:bookworm-slim AS build"),
        ("FROM docker.io/library/golang:1.22-bullseye", "FROM docker.io/library/golang:1.22-bullseye AS build",
         "FROM docker.io/library/debian:bullseye-slim"),
        ("FROM --platform=linux/amd64 golang:1.22", "FROM --platform=linux/amd64 golang:1.22 AS build",
         "FROM --platform=linux/amd64 debian:bookworm-slim"),
    ],
)  # fmt: skip
def test_names_of_stages(before: str, first: str, second: str) -> None:
    after = run(f"{before}\n{BUILDING}{START}").after

    assert [line for line in after.splitlines() if line.upper().startswith("FROM")] == [first, second]


@pytest.mark.parametrize(
    ("below", "command"),
    [
        (
            "RUN useradd app && chown -R app:app /app\n",
            "useradd app \\\n    && mkdir -p /app /app/static && chown app:app /app /app/static",
        ),
        ("RUN chmod -R 755 /app/static\n", "mkdir -p /app/static && chmod 755 /app/static"),
        (
            "RUN mkdir /data && chown -R nobody /data /app/static\n",
            "mkdir /data \\\n    && mkdir -p /app/static && chown nobody /app/static && chown -R nobody /data",
        ),
        (
            "RUN touch /app/db && chmod 666 /app/db\n",
            "mkdir -p /app \\\n    && touch /app/db \\\n    && chmod 666 /app/db",
        ),
        ("COPY --chown=nobody . .\n", "mkdir -p /app/static && chown nobody /app/static"),
    ],
)
def test_folders_at_the_top_of_a_copy_get_their_owner(below: str, command: str) -> None:
    made = runtime(f"FROM golang:1.22\n{BUILDING}{below}{START}", {"static/a.css": ""})

    assert made.startswith(f"RUN {command}\nWORKDIR /app\n")
    assert "COPY --from=build /app/static /app/static\n" in made


@pytest.mark.parametrize(
    ("below", "package"),
    [
        ("COPY go.mod /usr/local/share/ca-certificates/a.crt\nRUN update-ca-certificates\n", "ca-certificates"),
        ("HEALTHCHECK CMD curl -f http://localhost/\n", "ca-certificates curl"),
    ],
)
def test_what_sets_up_the_container_is_installed(below: str, package: str) -> None:
    made = runtime(f"FROM golang:1.22\n{BUILDING}{below}{START}")

    assert f"apt-get install -y --no-install-recommends {package} \\\n" in made


def test_a_script_that_gets_another_name_is_copied_by_it() -> None:
    text = f'FROM golang:1.22\n{BUILDING}COPY start.sh /run\nENTRYPOINT ["/run"]\n{START}'
    made = runtime(text.replace("/run", "/entrypoint"), {"start.sh": '#!/bin/sh\nexec "$@"\n'})

    assert "COPY --from=build /entrypoint /entrypoint\n" in made


def test_a_target_by_name_is_the_stage_that_runs() -> None:
    result = run(f"FROM golang:1.22 AS server\n{BUILDING}{START}", target="server")

    assert "\nFROM debian:bookworm-slim AS server\n" in result.after


def test_line_endings_and_escape_characters_stay() -> None:
    text = f"# escape=`\nFROM golang:1.22\nRUN apt-get update && apt-get install -y tini\n{BUILDING}{START}"
    after = run(text.replace("\n", "\r\n")).after

    assert after.count("\n") == after.count("\r\n")
    assert "RUN apt-get update `\r\n    && apt-get install -y tini `\r\n" in after


def test_no_final_newline_is_added() -> None:
    text = f"FROM golang:1.22\nCMD /app/app\n{BUILDING}".removesuffix("\n")

    after = run(text).after
    assert after.endswith("CMD /app/app")
    assert after.count("CMD") == 1


def test_a_directory_that_a_variable_names_keeps_it() -> None:
    text = "FROM golang:1.22\nENV DIR=/app\nWORKDIR $DIR/x/.\nCOPY . .\nRUN go build -o /app/app .\nCMD /app/app\n"

    assert runtime(text).startswith("ENV DIR=/app\nWORKDIR $DIR/x\nCOPY --from=build /app/app /app/app\n")


def test_a_second_pass_is_empty() -> None:
    after = run(f"FROM golang:1.22\nENV A=1\n{BUILDING}{START}").after

    assert run(after).after == after


@pytest.mark.parametrize(
    ("text", "because"),
    [
        (f"FROM golang:1.22\n{BUILDING}", "no CMD or ENTRYPOINT says what"),
        (f"FROM --platform=$BUILDPLATFORM golang:1.22\n{BUILDING}{START}", "the base image is one for $BUILDPLATFORM"),
        (f"FROM golang:1.22\n{BUILDING}ONBUILD RUN true\n{START}", "the ONBUILD of line 5 runs in builds that are not"),
        (f"FROM golang:1.22\nRUN ./unknown\n{BUILDING}{START}", "what ./unknown of line 2 makes is not known"),
        (f"FROM golang:1.22\nRUN curl https://x.org/i | sh\n{BUILDING}{START}", "what sh of line 2 makes is not known"),
        (f"FROM golang:1.22\nRUN some-tool\n{BUILDING}{START}", "what some-tool of line 2 makes is not known"),
        (f"FROM golang:1.22\n{BUILDING}RUN cp $(pwd)/a /opt/\n{START}", "where cp puts its files is not known"),
        (f"FROM golang:1.22\n{BUILDING}RUN tar -xf /x.tar -C /usr/local\n{START}", "what the build puts into /usr"),
        (f"FROM golang:1.22\n{BUILDING}RUN test -e a || mv c /d\n{START}", "whether the build leaves /d"),
        (f"FROM golang:1.22\n{BUILDING}USER gopher\n{START}", "whether debian:bookworm-slim has the user gopher"),
        (f'FROM golang:1.22\n{BUILDING}CMD ["./other"]\n', "starts ./other, and what makes it is not known"),
        (f'FROM golang:1.22\n{BUILDING}CMD ["air"]\n', "starts air, which builds from the sources"),
        (f"FROM golang:1.22\n{BUILDING}COPY --from=alpine /a/ /b\n{START}", "what the COPY of line 5 brings is not"),
        (f"FROM golang:1.22\nARG DIR=/app\nWORKDIR $DIR\n{BUILDING}{START}", "line 3 names a path by a build argument"),
        (f"FROM golang:1.22\nRUN apt-get install -y $PACKAGES\n{BUILDING}{START}", "which packages apt-get installs"),
    ],
)  # fmt: skip
def test_what_stops_it(text: str, because: str) -> None:
    result = run(text)

    assert result.after == text
    assert [one.reason for one in result.declined if because in one.reason], result.declined


@pytest.mark.parametrize(
    "text",
    [
        f"FROM golang:1.22-alpine\n{BUILDING}{START}",
        f"FROM golang:1.22 AS a\n{BUILDING}FROM scratch\nCOPY --from=a /app/app /app\n{START}",
        f"FROM golang:99\n{BUILDING}{START}",
        f"FROM example.org/golang:1.22\n{BUILDING}{START}",
        'FROM debian:bookworm-slim\nCOPY . .\nCMD ["true"]\n',
    ],
)
def test_what_is_none_of_its_business(text: str) -> None:
    result = run(text)

    assert result.after == text
    assert result.declined == ()
