"""Which chown and chmod become flags of a COPY."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.shell import parse_script

PLAN = Plan(select=frozenset({"copy-with-owner"}))
FILES = {"e.sh": "", "f.sh": "", "entrypoint": "", "src/app.py": "x" * 10}


def run(text: str) -> Result:
    return optimize(text, Context.of(FILES), PLAN)


def lines(*parts: str, base: str = "debian") -> str:
    return f"FROM {base}\n" + "".join(part + "\n" for part in parts)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lines("COPY e.sh /e.sh", "RUN chown 1000:1000 /e.sh"), lines("COPY --chown=1000:1000 e.sh /e.sh")),
        (lines("COPY e.sh /", "RUN chown www-data /e.sh"), lines("COPY --chown=www-data:0 e.sh /")),
        (lines("COPY e.sh /", "RUN chown :www-data /e.sh"), lines("COPY --chown=0:www-data e.sh /")),
        (lines("COPY e.sh f.sh /opt/", "RUN chown 1:1 /opt/e.sh /opt/f.sh"), lines("COPY --chown=1:1 e.sh f.sh /opt/")),
        (lines("COPY entrypoint /usr/local/bin/entrypoint", "RUN chown 1:1 /usr/local/bin/entrypoint", "CMD x"),
         lines("COPY --chown=1:1 entrypoint /usr/local/bin/entrypoint", "CMD x")),
        (lines("WORKDIR /w", "COPY e.sh .", "RUN chown 1:1 e.sh"), lines("WORKDIR /w", "COPY --chown=1:1 e.sh .")),
        (lines("COPY src /app", "RUN chown -R 1:1 /app"), lines("COPY --chown=1:1 src /app")),
        (lines("COPY src /app/", "RUN chown -R 1:1 /app/ && make"), lines("COPY --chown=1:1 src /app/", "RUN make")),
        (lines("COPY src /app", "COPY --from=x /y /app/y", "RUN chown --recursive 1:1 /app"),
         lines("COPY --chown=1:1 src /app", "COPY --from=x --chown=1:1 /y /app/y")),
        (lines("WORKDIR /app", "COPY e.sh ./", "COPY src ./src", "RUN chown -R 1:1 ."),
         lines("WORKDIR /app", "COPY --chown=1:1 e.sh ./", "COPY --chown=1:1 src ./src", "RUN chown 1:1 .")),
        (lines("WORKDIR /app", "COPY src .", "RUN apt-get update", "RUN chown -R 1:1 /app && make"),
         lines("WORKDIR /app", "COPY --chown=1:1 src .", "RUN apt-get update", "RUN chown 1:1 /app && make")),
        (lines("RUN useradd app", "COPY src /app", "RUN chown -R app:app /app"),
         lines("RUN useradd app", "COPY --chown=app:app src /app")),
        (lines("ENV U=app", "COPY src /app", 'RUN chown -R "$U:${U}" /app'),
         lines("ENV U=app", "COPY --chown=$U:${U} src /app")),
        (lines("copy  src  /app", "", "# own it", "RUN chown -R 1:1 /app", "", "CMD x"),
         lines("# own it", "copy --chown=1:1  src  /app", "", "CMD x")),
        (lines("COPY src /app", "RUN apt-get update \\", "  && chown -R 1:1 /app \\", "  && make"),
         lines("COPY --chown=1:1 src /app", "RUN apt-get update \\", "  && make")),
        (lines("COPY src /app", "RUN apt-get update && \\", "    chown -R 1:1 /app"),
         lines("COPY --chown=1:1 src /app", "RUN apt-get update")),
        (lines("COPY src /app", "USER root", "RUN sudo chown -R 1:1 /app"),
         lines("COPY --chown=1:1 src /app", "USER root")),
        (lines("COPY --link e.sh /f", "COPY f.sh /f.sh", "RUN chmod 0755 /f.sh"),
         lines("COPY --link e.sh /f", "COPY --chmod=0755 f.sh /f.sh")),
        (lines("COPY <<E /x", "a", "E", "COPY e.sh /e.sh", "RUN chmod 755 /e.sh && chown 1:1 /e.sh"),
         lines("COPY <<E /x", "a", "E", "COPY --chmod=755 --chown=1:1 e.sh /e.sh")),
        (lines("FROM debian AS a", "COPY src /app", "FROM a", "COPY e.sh /e.sh", "RUN chown 1 /e.sh"),
         lines("FROM debian AS a", "COPY src /app", "FROM a", "COPY --chown=1:0 e.sh /e.sh")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_changes(before: str, after: str, newline: str) -> None:
    if newline == "\n" or "<<" not in before:
        before, after = before.replace("\n", newline), after.replace("\n", newline)

    assert run(before).after == after
    assert run(before.rstrip()).after == after.rstrip()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lines("COPY e.sh /e.sh", "RUN chmod +x /e.sh"), "the mode +x depends on"),
        (lines("COPY e.sh /e.sh", "RUN chmod 755 /e.sh"), "COPY --chmod needs BuildKit"),
        (lines("COPY e.sh /e.sh", "RUN chown 1: /e.sh"), "whom 1: stands for"),
        (lines("COPY e.sh /e.sh", "RUN chown a.b /e.sh"), "whom a.b stands for"),
        (lines("COPY e.sh /e.sh", "RUN chown $U /e.sh"), "whom $U stands for"),
        (lines("COPY e.sh /e.sh", "ENV U=a", "RUN chown $U /e.sh"), "means something else"),
        (lines("ENV U=a", "COPY e.sh /e.sh", "RUN export U=b && chown $U /e.sh"), "whom $U stands for"),
        (lines("COPY e.sh /e.sh", "RUN chown -h 1 /e.sh"), "what chown -h does"),
        (lines("COPY e.sh f.sh /", "RUN chown 1 /e.sh"), "brings other files as well"),
        (lines("COPY src /app", "RUN chown 1 /app/app.py"), "not all that the COPY brings"),
        (lines("COPY src /app", "RUN chmod -R 755 /app"), "not all that the COPY brings"),
        (lines("COPY e.sh /x/y/e.sh", "RUN chown 1 /x/y/e.sh"), "may make /x/y"),
        (lines("COPY e.sh /e.sh", "RUN make", "RUN chown 1 /e.sh"), "RUN in line 3 stands between"),
        (lines("COPY src /x/app", "RUN chown -R 1:1 /x/app"), "the COPY makes /x as well"),
        (lines("COPY src /usr/lib/x", "RUN chown -R 1:1 /usr/lib/x"), "/usr/lib/x holds other files"),
        (lines("COPY src /", "RUN chown -R 1:1 /app"), "brings other files as well"),
        (lines("COPY src /app", "RUN chown -R 1:1 /app /data"), "not all that the COPY brings"),
        (lines("WORKDIR /app/sub", "COPY src .", "RUN chown -R 1:1 /app"), "WORKDIR makes folders in /app"),
        (lines("COPY src /app", "RUN make", "RUN chown -R 1:1 /app"), "RUN in line 3 may have put files into /app"),
        (lines("RUN mkdir /app", "COPY src /app", "RUN chown -R 1:1 /app"), "RUN in line 2 may have put files"),
        (lines("VOLUME /app", "COPY src /app", "RUN chown -R 1:1 /app"), "VOLUME in line 2"),
        (lines("COPY src /app", "RUN useradd u && chown -R u:u /app"), "whether u:u is known before COPY"),
        (lines("COPY src /app", "RUN useradd u", "RUN chown -R u:u /app"), "whether u:u is known before COPY"),
        (lines("COPY src /app", "RUN make && chown -R 1:1 /app"), "what make reads is not known"),
        (lines("ENV D=/app", "COPY src /app", "RUN useradd -d $D x && chown -R 1:1 /app"), "useradd may touch"),
        (lines("COPY src /app", "RUN chown -R 1:1 /app || true"), "not a plain part"),
        (lines("COPY src /app", "RUN chown -R 1:1 /app > /dev/null"), "redirections or comments"),
        (lines("COPY src /app", "RUN chown -R 1:1 /app \\", "  # why", "  && make"), "redirections or comments"),
        (lines("COPY src /app", 'RUN ["chown", "-R", "1:1", "/app"]'), "exec form"),
        (lines("COPY src /app", "RUN --network=none chown -R 1:1 /app"), "the RUN has flags"),
        (lines("COPY src /app", "USER app", "RUN chown -R 1:1 /app"), "the RUN's user is app"),
        (lines("COPY --chown=2 src /app", "RUN chown -R 1:1 /app"), "has --chown already"),
        (lines("COPY --link src /app", "RUN chown -R 1:1 /app"), "has --link already"),
        (lines("COPY --from=x /y /app", "RUN chown -R 1 /app"), "keep a part of their owner"),
        (lines("COPY --from=x /y /app", "RUN chown -R :1 /app"), "keep a part of their owner"),
        (lines("ADD src /app", "RUN chown -R 1:1 /app"), "not a plain COPY"),
        (lines("COPY src /app", "RUN chown -R 1:1 /app", base="own/image"), "what own/image holds is not known"),
        (lines("COPY src /app", "RUN chown -R 1:1 /app", base="$B"), "is not known"),
        ("FROM debian AS a\nCOPY src /app\nFROM a\nCOPY e.sh /app/\nRUN chown -R 1:1 /app\n", "COPY in line 2 brings"),
    ],
)
def test_stays(text: str, reason: str) -> None:
    result = run(text)

    assert result.after == text
    assert [d.reason for d in result.declined if reason in d.reason], [d.reason for d in result.declined]


@pytest.mark.parametrize(
    "text",
    [
        lines("RUN chown -R 1:1 /data"),
        lines("COPY src /app", "RUN mkdir /data && chown 1:1 /data"),
        lines("WORKDIR /app", "COPY --chown=1:1 src .", "RUN chown 1:1 /app"),
        lines("COPY src /app", "RUN chown 1:1 /app"),
        lines("COPY src /app", "ONBUILD RUN chown -R 1:1 /app"),
    ],
)
def test_is_no_place_for_it(text: str) -> None:
    result = run(text)

    assert (result.after, result.declined) == (text, ())


def test_says_what_it_saves() -> None:
    result = run(lines("COPY src /app", "RUN chown -R 1:1 /app"))

    assert (result.applied[0].rewrite.gain.bytes, result.applied[0].rewrite.gain.layers) == (10, 1)


def test_what_was_read_before_makes_no_difference() -> None:
    text = lines("COPY src /app", "RUN chown -R 1:1 /app")
    first = run(text).after

    parse_script.cache_clear()

    assert run(text).after == first != text
