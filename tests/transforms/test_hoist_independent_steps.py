"""Which steps move away from the changes that would run them again."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PLAN = Plan(select=frozenset({"hoist-independent-steps"}))
FILES = {"a.txt": "", "b.txt": "", "src/x.py": "", "pip.conf": "", "package.json": "{}"}
APT = "RUN apt-get update && apt-get install -y curl"


def run(text: str) -> Result:
    return optimize(text, Context.of(FILES), PLAN)


def lines(*parts: str) -> str:
    return "FROM debian\n" + "".join(part + "\n" for part in parts)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lines("WORKDIR /app", "COPY . .", APT), lines("WORKDIR /app", APT, "COPY . .")),
        (lines("COPY src /app", "WORKDIR /app", APT), lines(APT, "COPY src /app", "WORKDIR /app")),
        (lines("ADD src /app", "EXPOSE 80", APT), lines(APT, "ADD src /app", "EXPOSE 80")),
        (
            lines("COPY a.txt /app/", "COPY src /app/src", APT, "RUN npm i -g x", "RUN make"),
            lines(APT, "RUN npm i -g x", "COPY a.txt /app/", "COPY src /app/src", "RUN make"),
        ),
        (
            lines("COPY pip.conf /etc/pip.conf", "COPY src /app", APT),
            lines("COPY pip.conf /etc/pip.conf", APT, "COPY src /app"),
        ),
        (lines("COPY --from=x /o /o", "COPY src /app", APT), lines("COPY --from=x /o /o", APT, "COPY src /app")),
        (lines("COPY src /app", "COPY --from=x /o /o", APT), lines(APT, "COPY src /app", "COPY --from=x /o /o")),
        (
            lines("COPY package.json /app/", "RUN npm ci", "COPY . /app", APT),
            lines("COPY package.json /app/", "RUN npm ci", APT, "COPY . /app"),
        ),
        (lines("COPY a.txt /entrypoint.sh", APT), lines(APT, "COPY a.txt /entrypoint.sh")),
        (lines("COPY a.txt b.txt /srv/", APT), lines(APT, "COPY a.txt b.txt /srv/")),
        (lines("ENV D=/app", "COPY src $D", APT), lines("ENV D=/app", APT, "COPY src $D")),
        (
            lines("WORKDIR /app", "", "# all", "COPY . .", "", "# tools", APT, "", "CMD x"),
            lines("WORKDIR /app", "", "# tools", APT, "", "# all", "COPY . .", "", "CMD x"),
        ),
        (
            lines("COPY src /app", "RUN useradd app", "USER app", "RUN x"),
            lines("RUN useradd app", "COPY src /app", "USER app", "RUN x"),
        ),
        (lines("COPY src /app", "RUN apt-get update \\", "  # c", "  && apt-get install -y x"),
         lines("RUN apt-get update \\", "  # c", "  && apt-get install -y x", "COPY src /app")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_moves_up(before: str, after: str, newline: str) -> None:
    before, after = before.replace("\n", newline), after.replace("\n", newline)

    assert run(before).after == after
    assert run(before.rstrip()).after == after.rstrip()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lines("COPY a.txt /etc/apt/preferences", APT), "may use /etc/apt/preferences"),
        (lines("COPY src /", APT), "programs of the system may use / "),
        (lines("COPY . .", APT), "programs of the system may use / "),
        (lines("COPY src /usr/local/lib/x", APT), "may use /usr/local/lib/x"),
        (lines("COPY a.txt /root/.npmrc", "RUN npm i -g x"), "may use /root/.npmrc"),
        (lines("COPY src /app", "USER x", APT), "USER in line 3 stands between"),
        (lines("COPY src /app", "ENV A=1", APT), "ENV in line 3 stands between"),
        (lines("COPY src /app", "ARG A", APT), "ARG in line 3 stands between"),
        (lines("COPY src /app", 'SHELL ["/bin/bash", "-c"]', APT), "SHELL in line 3 stands between"),
        (lines("COPY src /app", "WORKDIR /root", APT), "may use /root (WORKDIR in line 3)"),
        (lines("COPY src /app", "WORKDIR /home/me", "RUN useradd -m me"), "WORKDIR in line 3"),
        (lines("COPY src /app", "WORKDIR $X", APT), "where WORKDIR in line 3 leads is not known"),
        (lines("COPY src /app", "RUN make", APT), "RUN in line 3 stands between"),
        (lines("COPY src $X/app", APT), "where COPY in line 2 puts its files is not known"),
        ("FROM php:8\nCOPY src $PHP_INI_DIR/\n" + APT, "programs of the system may use /usr/local/etc/php"),
        ("FROM golang\nCOPY src $GOPATH/src/app\n" + APT, None),
        (lines("ARG X", "COPY src $X", APT), "where COPY in line 3 puts its files is not known"),
        ("FROM own/image\nCOPY . .\n" + APT, "where COPY in line 2 puts its files is not known"),
        (lines("COPY . /srv/x", "ENV A=1", "COPY src /app", APT), "COPY in line 2 brings the same files further up"),
        (lines("ENV PATH=/app/bin:$PATH", "COPY src /app", APT), "PATH leads programs to the copied files"),
        (lines("COPY src /home/x", "RUN useradd -m x"), "may use /home/x"),
        (lines("COPY src /app", "RUN apt-get update \\", ""), "the file ends in a continued line"),
        (lines("COPY src /app", "RUN mkdir -p /app/y && apt-get install -y x"), "through /app/y"),
    ],
)
def test_stays(text: str, reason: str | None) -> None:
    result = run(text)

    if reason is None:
        assert result.after != text
        return
    assert result.after == text
    assert [d.reason for d in result.declined if reason in d.reason], [d.reason for d in result.declined]


@pytest.mark.parametrize(
    "text",
    [
        lines(APT, "COPY src /app"),
        lines("COPY src /app", "RUN make"),
        lines("WORKDIR /app", "COPY . .", "RUN npm install"),
        lines("WORKDIR /app", "COPY . .", "RUN pip install -r requirements.txt"),
        lines("WORKDIR /app", "COPY . .", "RUN apt-get install -y curl && ./configure"),
        lines("COPY --from=build /a /app", APT),
        lines("COPY <<E /app/x", "y", "E", APT),
        lines("COPY src /app", "ONBUILD " + APT),
        lines("COPY src /app", "FROM debian", APT),
    ],
)
def test_is_no_place_for_it(text: str) -> None:
    result = run(text)

    assert (result.after, result.declined) == (text, ())


def test_a_comment_spares_one_of_several() -> None:
    text = lines("COPY src /app", APT, "# dfopt: ignore=hoist-independent-steps", "RUN npm i -g x")

    expected = lines(APT, "COPY src /app", "# dfopt: ignore=hoist-independent-steps", "RUN npm i -g x")
    assert run(text).after == expected


def test_a_here_document_moves_as_a_whole() -> None:
    script = ["run <<E", "apt-get update", "E"]

    assert run(lines("COPY src /app", *script)).after == lines(*script, "COPY src /app")


def test_many_moves_take_one_round() -> None:
    installs = [f"RUN apt-get install -y x{n}" for n in range(30)]

    assert run(lines("COPY src /app", *installs)).after == lines(*installs, "COPY src /app")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lines("ARG GIT_SHA", APT, "CMD x"), lines(APT, "ARG GIT_SHA", "CMD x")),
        (lines("ARG GIT_SHA", APT), lines(APT, "ARG GIT_SHA")),
        (
            lines("# which", "ARG BUILD_DATE", "WORKDIR /app", APT, "COPY . .", "RUN make"),
            lines("WORKDIR /app", APT, "# which", "ARG BUILD_DATE", "COPY . .", "RUN make"),
        ),
        (
            lines("ARG GIT_SHA", "LABEL revision=$GIT_SHA", APT, "EXPOSE 80"),
            lines(APT, "ARG GIT_SHA", "LABEL revision=$GIT_SHA", "EXPOSE 80"),
        ),
        (
            lines("ARG COMMIT", "ENV GIT_COMMIT=$COMMIT", APT, "RUN echo $GIT_COMMIT"),
            lines(APT, "ARG COMMIT", "ENV GIT_COMMIT=$COMMIT", "RUN echo $GIT_COMMIT"),
        ),
        (lines("ARG VCS_REF", "ARG GIT_SHA", APT), lines(APT, "ARG VCS_REF", "ARG GIT_SHA")),
        (
            lines("ARG CI", "ARG GITHUB_SHA", "ARG CIRCLE_BRANCH", APT),
            lines("ARG CI", APT, "ARG GITHUB_SHA", "ARG CIRCLE_BRANCH"),
        ),
        (
            lines(
                "ENV A=1", "", "# what it is", "ARG APP_VERSION", "ENV APP_VERSION=$APP_VERSION", "", APT, "", "CMD x"
            ),
            lines(
                "ENV A=1", "", APT, "", "# what it is", "ARG APP_VERSION", "ENV APP_VERSION=$APP_VERSION", "", "CMD x"
            ),
        ),
        (
            lines("ARG VCS_REF", "ARG GIT_SHA", "LABEL a=$VCS_REF b=$GIT_SHA", APT),
            lines(APT, "ARG VCS_REF", "ARG GIT_SHA", "LABEL a=$VCS_REF b=$GIT_SHA"),
        ),
        (
            lines("WORKDIR /app", "COPY . .", "ARG GIT_SHA", APT, "RUN make"),
            lines("WORKDIR /app", APT, "COPY . .", "ARG GIT_SHA", "RUN make"),
        ),
    ],
)
def test_volatile_arguments_sink(before: str, after: str) -> None:
    assert run(before).after == after
    assert run(before.rstrip()).after == after.rstrip()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lines("ARG GIT_SHA", "RUN make", "RUN echo $GIT_SHA"), "whether the RUN in line 3 reads GIT_SHA"),
        (lines("ARG GIT_SHA", "RUN npm install -g x"), "whether the RUN in line 3 reads GIT_SHA"),
        (lines("ARG GIT_SHA", "LABEL a=$GIT_SHA", "EXPOSE 80", APT), "EXPOSE in line 4 stands between"),
        (lines("ARG GIT_SHA", "LABEL a=$GIT_SHA b=$X", "ARG X", APT), "ARG in line 4 stands between"),
        (lines("ARG GIT_SHA", "RUN apt-get install -y x=$GIT_SHA"), None),
        (lines("ARG GIT_SHA", "RUN mkdir /data"), None),
        (lines("ARG GIT_SHA=1", APT), None),
        (lines("ARG GIT_SHA OTHER", APT), None),
        (lines("ARG DEBIAN_FRONTEND", APT), None),
        (lines("ARG CACHEBUST", APT), None),
        (lines("ARG GIT_SHA", "ENV GIT_SHA=$GIT_SHA PATH=/x", APT), None),
        (lines("ARG GIT_SHA", "WORKDIR /x/$GIT_SHA", APT), None),
        (lines("ARG GIT_SHA", "ENV GIT_SHA=$GIT_SHA", "ENV VERSION=$GIT_SHA", APT), None),
        (lines("ARG GIT_SHA", "CMD x"), None),
        ("ARG GIT_SHA\n" + lines(APT), None),
    ],
)
def test_volatile_arguments_stay(text: str, reason: str | None) -> None:
    result = run(text)

    assert result.after == text
    assert [reason in d.reason for d in result.declined if reason] == ([True] if reason else [])


def test_nothing_is_said_of_volatile_arguments_below_all_runs() -> None:
    text = lines(APT, "ARG GIT_SHA", "LABEL a=$GIT_SHA", "CMD x")

    assert (run(text).after, run(text).declined) == (text, ())


def test_steps_that_go_up_leave_no_hole_and_keep_their_distance() -> None:
    below = ["# packages", APT, "", "RUN a2enmod rewrite", "RUN a2enmod ssl", "", "RUN make"]
    text = lines("", "# the application", "COPY src /app/", "", *below)

    assert run(text).after == lines(
        "", "# packages", APT, "", "RUN a2enmod rewrite", "RUN a2enmod ssl", "", "# the application",
        "COPY src /app/", "", "RUN make",
    )  # fmt: skip
