"""Which RUNs become one, which stay, and that real shells see no difference."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.model import read
from optimizer.syntax import parse

PLAN = Plan(select=frozenset({"merge-run"}))


def _rewrite(text: str, files: dict[str, str | bytes] | None = None) -> Result:
    return optimize(text, Context.of(files or {}), PLAN)


def _of(*runs: str, head: str = "FROM debian:12\n") -> str:
    return head + "".join(f"{run}\n" for run in runs)


CHANGES = [
    (
        "a failure of the first still stops the second",
        _of("RUN mkdir /a; mkdir /b", "RUN touch /a/x; touch /b/x"),
        _of("RUN (mkdir /a; mkdir /b) \\", "    && (touch /a/x; touch /b/x)"),
    ),
    (
        "a semicolon at the end goes",
        _of("RUN mkdir /a ;", "RUN touch /a/x;"),
        _of("RUN mkdir /a \\", "    && touch /a/x;"),
    ),
    (
        "two brackets are no arithmetic",
        _of("RUN (mkdir /a); mkdir /b", "RUN (touch /c) || touch /d"),
        _of("RUN ( (mkdir /a); mkdir /b) \\", "    && ( (touch /c) || touch /d)"),
    ),
    (
        "the same shell options are set once",
        _of("RUN set -eux; \\", "    mkdir /a; \\", "    mkdir /b", "RUN set -eux; touch /a/x"),
        _of("RUN set -eux; \\", "    mkdir /a; \\", "    mkdir /b; \\", "    touch /a/x"),
    ),
    (
        "the same shell options are set once in a chain",
        _of("RUN set -ex && mkdir /a", "RUN set -ex && touch /a/x"),
        _of("RUN set -ex && mkdir /a \\", "    && touch /a/x"),
    ),
    (
        "a variable does not leak",
        _of("RUN D=/a && mkdir $D", "RUN touch /x"),
        _of("RUN (D=/a && mkdir $D) \\", "    && touch /x"),
    ),
    (
        "a pipeline needs no brackets",
        _of("RUN echo a | tee /a", "RUN echo b | tee /b"),
        _of("RUN echo a | tee /a \\", "    && echo b | tee /b"),
    ),
    (
        "comments stay with what they speak of",
        _of("RUN mkdir /a \\", "    # inside", "    && mkdir /b", "", "# One.", "  # Two.", "RUN touch /a/x"),
        _of("RUN mkdir /a \\", "    # inside", "    && mkdir /b \\", "    # One.", "    # Two.", "    && touch /a/x"),
    ),
    (
        "a comment before the first command stays before it",
        _of("RUN mkdir /a", "RUN \\", "  # Why.", "  touch /a/x"),
        _of("RUN mkdir /a \\", "    # Why.", "    && touch /a/x"),
    ),
    (
        "a group of three",
        _of("RUN groupadd -r app", "RUN useradd -r -g app app", "RUN mkdir /data && chown app /data"),
        _of("RUN groupadd -r app \\", "    && useradd -r -g app app \\", "    && mkdir /data && chown app /data"),
    ),
    (
        "the same options stand once",
        _of(
            "RUN --mount=type=cache,target=/var/cache/apk apk add curl",
            "RUN  --mount=type=cache,target=/var/cache/apk apk add git",
        ),
        _of("RUN --mount=type=cache,target=/var/cache/apk apk add curl \\", "    && apk add git"),
    ),
    (
        "apt lists are removed where they were made",
        _of("RUN apt-get update && apt-get install -y curl", "RUN rm -rf /var/lib/apt/lists/* /tmp/*"),
        _of("RUN apt-get update && apt-get install -y curl \\", "    && rm -rf /var/lib/apt/lists/* /tmp/*"),
    ),
    (
        "packages are removed where they were installed",
        _of("RUN apk add --virtual .build gcc", "RUN pip install flask", "RUN apk del .build"),
        _of("RUN apk add --virtual .build gcc \\", "    && pip install flask \\", "    && apk del .build"),
    ),
    (
        "an archive with a variable in its name",
        _of("ARG V=1", "RUN wget https://example.com/a-${V}.tgz", "RUN tar xzf a-${V}.tgz && rm a-${V}.tgz"),
        _of("ARG V=1", "RUN wget https://example.com/a-${V}.tgz \\", "    && tar xzf a-${V}.tgz && rm a-${V}.tgz"),
    ),
    (
        "a clone that is built and removed",
        _of(
            "WORKDIR /tmp", "RUN git clone https://example.com/a/b.git",
            "RUN (cd b && ./configure && make && make install)", "RUN rm -rf /tmp/b",
        ),
        _of(
            "WORKDIR /tmp", "RUN git clone https://example.com/a/b.git \\",
            "    && (cd b && ./configure && make && make install) \\", "    && rm -rf /tmp/b",
        ),
    ),
    (
        "global npm packages",
        _of("RUN npm install -g typescript", "RUN npm i -g serve && npm cache clean --force"),
        _of("RUN npm install -g typescript \\", "    && npm i -g serve && npm cache clean --force"),
    ),
    (
        "files are arranged whatever was copied",
        _of("COPY . /srv/app/", "RUN mkdir /data", "RUN chmod +x /srv/app/start"),
        _of("COPY . /srv/app/", "RUN mkdir /data \\", "    && chmod +x /srv/app/start"),
    ),
    (
        "a back-tick joins lines",
        "# escape=`\n" + _of("RUN mkdir /a", "RUN mkdir /b"),
        "# escape=`\n" + _of("RUN mkdir /a `", "    && mkdir /b"),
    ),
    ("lower case", "from debian:12\nrun mkdir /a\nrun mkdir /b", "from debian:12\nrun mkdir /a \\\n    && mkdir /b"),
    (
        "tabs",
        _of("RUN mkdir /a && \\", "\tmkdir /b", "RUN mkdir /c"),
        _of("RUN mkdir /a && \\", "\tmkdir /b && \\", "\tmkdir /c"),
    ),
    (
        "the indentation of a list of packages is not that of commands",
        _of("RUN apk add \\", "            curl", "RUN apk add git"),
        _of("RUN apk add \\", "            curl \\", "    && apk add git"),
    ),
    (
        "another RUN of the file shows how commands are joined",
        _of("RUN mkdir /a", "RUN mkdir /b", "USER 1", "RUN ./x; \\", "  ./y && \\", "  ./z"),
        _of("RUN mkdir /a && \\", "  mkdir /b", "USER 1", "RUN ./x; \\", "  ./y && \\", "  ./z"),
    ),
    (
        "below ONBUILD and between others",
        _of("ONBUILD RUN mkdir /x", "RUN mkdir /a", "RUN mkdir /b", "USER app"),
        _of("ONBUILD RUN mkdir /x", "RUN mkdir /a \\", "    && mkdir /b", "USER app"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_changes(before: str, after: str) -> None:
    assert _rewrite(before, {"start": "x"}).after == after


SH = "FROM debian:12\n"
STAYS = [
    (_of("RUN mkdir /a && umask 077", "RUN mkdir /b"), "line 2 changes its shell"),
    (_of("RUN . /etc/profile && mkdir /a", "RUN mkdir /b"), ""),
    (_of("RUN mkdir /a && exit 0", "RUN mkdir /b"), ""),
    (_of("RUN mkdir /a &", "RUN mkdir /b"), "leaves something behind"),
    (_of("RUN mkdir /a", "RUN mkdir /b & mkdir /c"), "leaves something behind"),
    (_of("RUN trap 'rm /x' EXIT && mkdir /a", "RUN mkdir /b"), ""),
    (_of("RUN cd /a && \\", "    mkdir b", "RUN mkdir /c"), "the cd of line 2 would need brackets"),
    (_of("RUN mkdir /a || \\", "    mkdir b", "RUN mkdir /c"), "the commands of line 2 would need brackets"),
    (_of("RUN set -e; mkdir /a", "RUN set -ex; mkdir /b"), "different shell options"),
    (_of("RUN set -e; mkdir /a", "RUN mkdir /b"), "different shell options"),
    (_of("RUN set -e; mkdir /a", "RUN set -e && mkdir /b"), "different shell options"),
    (_of("RUN set -e; mkdir /a; [ -d /b ] && mkdir /c", "RUN set -e; mkdir /d"), "not joined by && alone"),
    (_of("RUN set -e; mkdir /a; if [ -d /b ]; then mkdir /c; fi", "RUN set -e; mkdir /d"), "compound command"),
    (_of("RUN set -e; cd /a; mkdir /b", "RUN set -e; mkdir c"), "the cd of line 2 would hold for line 3 too"),
    (_of("RUN set -e && X=1 && mkdir /b", "RUN set -e && mkdir c"), "the variables of line 2 would hold"),
    (_of('RUN ["mkdir", "/a"]', "RUN mkdir /b"), "exec form"),
    (_of("RUN <<E", "mkdir /a", "E", "RUN mkdir /b"), "here-document"),
    (_of("RUN mkdir /a", "RUN <<E", "mkdir /b", "E"), "here-document"),
    (_of("RUN mkdir /a", "RUN --network=none mkdir /b"), "have different options"),
    (_of("RUN --mount=type=tmpfs,target=/tmp touch /tmp/a", "RUN --mount=type=tmpfs,target=/tmp mkdir /b"), "mount"),
    (_of("RUN mkdir /a", "# hadolint ignore=DL3008", "RUN mkdir /b"), "directive for a tool"),
    (_of("RUN mkdir /a", "", "# COPY x /a/", "RUN mkdir /b"), "commented out"),
    (_of("RUN mkdir /a", "", "#### Data ####", "RUN mkdir /b"), "a section of its own"),
    (_of("RUN mkdir /a", "", "#----------------", "# Data", "RUN mkdir /b"), "a section of its own"),
    (_of("RUN apt-get update && apt-get install -y a", "RUN apt-get update && apt-get install -y b"), "for itself"),
    (_of("RUN echo '1.2.3.4 x' >> /etc/hosts", "RUN mkdir /b"), "line 2 names /etc/hosts, which is made anew"),
    (_of("RUN pip install --upgrade pip", "RUN pip install flask"), "another pip"),
    (_of("RUN pip3 install -U pip", "RUN pip3 install flask"), "another pip3"),
    (_of("RUN npm install -g npm@latest", "RUN npm install -g serve"), "another npm"),
    (_of("RUN gem update --system", "RUN gem install rails"), "another gem"),
    (_of("USER app", "RUN usermod -aG x app", "RUN mkdir /b"), "groups of the user"),
    (_of('SHELL ["/bin/bash", "-lc"]', "RUN mkdir /a", "RUN mkdir /b"), "login shell"),
    (_of("ENV BASH_ENV=/x", "RUN mkdir /a", "RUN mkdir /b"), "reads a file"),
    (_of('SHELL ["/bin/bash", "-ec"]', "RUN mkdir /a; mkdir /b", "RUN mkdir /c"), "failure inside brackets"),
    (_of('SHELL ["/bin/sh", "-ec"]', "RUN if [ -d /a ]; then mkdir /b; fi && touch /c", "RUN mkdir /d"), "would pass"),
    (_of('SHELL ["pwsh", "-c"]', "RUN mkdir /a", "RUN mkdir /b"), ""),
    (_of("RUN mkdir /a # b", "RUN mkdir /b"), ""),
    (_of("RUN mkdir /a", "USER app", "RUN mkdir /b"), ""),
    (_of("RUN mkdir /a", "LABEL a=b", "RUN mkdir /b"), ""),
    (_of("RUN mkdir /a", "FROM debian:12", "RUN mkdir /b"), ""),
    (_of("ONBUILD RUN mkdir /a", "ONBUILD RUN mkdir /b"), ""),
    (_of("RUN apt-get update", "RUN apt-get install -y curl"), ""),
    (_of("RUN apt-get install -y curl", "RUN pip install x"), ""),
    (_of("RUN mkdir /a", "RUN apk add curl"), ""),
    (_of("RUN ./build.sh", "RUN ./test.sh"), ""),
    (_of("RUN npm install", "RUN npm run build"), ""),
    (_of("RUN wget https://example.com/a.tgz", "RUN ./use a.tgz", "RUN rm a.tgz"), ""),
    (_of("RUN wget https://example.com/a.tgz", "RUN rm b.tgz"), ""),
    (_of("RUN echo a", "RUN echo b"), ""),
    (_of("COPY r /srv/app/", "RUN pip install -r /srv/app/r", "RUN pip install /srv/app"), "may each read other"),
    (_of("COPY r /srv/app/", "RUN wget -O /t https://x/y", "RUN make -C /srv/app && rm /t"), "has to run again"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "because"), STAYS)
def test_stays(text: str, because: str) -> None:
    result = _rewrite(text, {"r": "flask"})

    assert result.after == text
    reasons = [d.reason for d in result.declined]
    assert any(because in r for r in reasons) if because else True, reasons


def test_a_removal_that_cannot_be_reached_merges_nothing() -> None:
    text = _of("RUN wget -O /t https://x/y", "RUN --network=none tar xf /t", "RUN rm /t")

    assert _rewrite(text).after == text


def test_two_groups_in_one_row() -> None:
    result = _rewrite(_of("RUN mkdir /a", "RUN touch /b", "RUN apk add curl", "RUN apk add git"))

    assert [a.rewrite.line for a in result.applied] == [2, 4]
    assert result.after.count("RUN") == 2


NAMES = ["a", "b", "c"]
SIMPLE = st.one_of(
    st.sampled_from(["mkdir {}", "touch {}", "rm {}", "rmdir {}", "cd {}", "mkdir -p {}/d", "ln -s x {}"]).flatmap(
        lambda c: st.sampled_from(NAMES).map(c.format)
    ),
    st.sampled_from([
        'echo "$PWD" >> "$LOG"', 'echo "$X" >> "$LOG"', 'echo "$-" | tr -d ihBcs >> "$LOG"', "X=1", "export X=2",
        "umask 077", "[ -d a ]", "! [ -d b ]", "true", "for i in a b; do touch $i/y; done",
        "if [ -d a ]; then rm a/zz; touch b; fi", "(cd a; touch q)", "{ touch b/q; touch c; }", "echo a | tee b/c",
        "exit 0", "f() { touch f; }", "trap 'echo t >> \"$LOG\"' EXIT", "unset X", "set +e",
    ]),
)  # fmt: skip


@st.composite
def runs(draw: st.DrawFn) -> str:
    """Draw the text of a RUN."""
    head = draw(st.sampled_from(["", "", "set -e; ", "set -e; ", "set -eu; ", "set -e && "]))
    text = draw(SIMPLE)
    joints = ["; ", "; ", " && "] if head.endswith("; ") else [" && ", " && ", " && ", " || ", "; ", " \\\n  && "]
    for joint in draw(st.lists(st.sampled_from(joints), max_size=3)):
        text += joint + draw(SIMPLE)
    return "RUN " + head + text + draw(st.sampled_from(["", "", "", ";"]))


@pytest.mark.parametrize("shell", [["/bin/sh", "-c"], ["/bin/bash", "-o", "pipefail", "-c"], ["/bin/bash", "-ec"]])
def test_real_shells_see_no_difference(shell: list[str], tmp_path: Path) -> None:
    merged = 0

    @settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.lists(runs(), min_size=2, max_size=3))
    def compare(texts: list[str]) -> None:
        nonlocal merged
        words = ", ".join(f'"{w}"' for w in shell)
        before = f"FROM debian:12\nSHELL [{words}]\n" + "".join(f"{t}\n" for t in texts)
        after = _rewrite(before).after
        if after != before:
            merged += 1
            assert _executed(before, shell, tmp_path) == _executed(after, shell, tmp_path), after

    compare()
    assert merged > 10


def _executed(text: str, shell: list[str], folder: Path) -> list[str] | None:
    """Run the RUNs of a Dockerfile one after the other in an empty folder; None where one fails."""
    name = f"{len(list(folder.iterdir()))}"
    root, log = folder / name, folder / f"{name}.log"
    root.mkdir()
    log.touch()
    for step in read(parse(text)):
        if step.run is not None:
            env = {"PATH": os.environ["PATH"], "LOG": str(log), "X": "0"}
            done = subprocess.run([*shell, step.run.text.text], cwd=root, env=env, capture_output=True, check=False)
            if done.returncode:
                return None
    tree = sorted(f"{p.relative_to(root)} {p.lstat().st_mode:o}" for p in root.rglob("*"))
    return [*tree, log.read_text().replace(str(root), "")]
