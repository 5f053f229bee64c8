"""What rewritten RUNs do in real shells, against what the originals do: status, output and files.

A shell of its own stands in for every RUN, a folder for the image, and programs of a few lines for the package
manager and for what downloads and unpacks.
"""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.context import Context
from optimizer.engine import Plan, optimize
from optimizer.model import read
from optimizer.syntax import parse

PLAN = Plan(select=frozenset({"merge-run", "clean-package-caches", "join-apt-update", "remove-downloads"}))
LISTS = "/var/lib/apt/lists"
PROGRAMS = {
    "apt-get": 'case $1 in update) mkdir -p "$BOX/lists"; echo x > "$BOX/lists/x" ;; install) test -e "$BOX/lists/x"'
    ' || exit 100; for p; do test "$p" != missing || exit 101; done; echo "$@" >> "$BOX/installed" ;; esac',
    "curl": 'while [ $# -gt 1 ]; do test "$1" = -o && { echo archive > "$2"; exit; }; shift; done; exit 1',
    "tar": 'test -e "$2" && echo unpacked > "unpacked-${2##*/}"',
}
SHELLS = {
    "": ["/bin/sh", "-c"],
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\n': ["/bin/bash", "-o", "pipefail", "-c"],
    'SHELL ["/bin/bash", "-ec"]\n': ["/bin/bash", "-ec"],
    'SHELL ["/bin/sh", "-euc"]\n': ["/bin/sh", "-euc"],
    'SHELL ["/bin/bash", "-c"]\n': ["/bin/bash", "-c"],
}
PLAIN = st.sampled_from([
    "mkdir -p d e", "touch a", "echo x >> log", "rm -f log", "touch d2", "mkdir -p d && chmod 700 d", "ln -sf a link",
    "apt-get update && apt-get install -y z", "apt-get update", "apt-get install -y x", 'touch "$PWD/b"',
])  # fmt: skip
COMMANDS = st.sampled_from([
    "mkdir -p d e", "mkdir a", "touch a", "echo x >> log", "rm log", "rm -f log", "cd d", "cd missing",
    "cd ..", "export A=1", "A=2", 'echo "a=$A" >> log', "unset A", "umask 027", "set -e", "set +e", "set -u", "false",
    "true", "test -e log", 'test -n "$A"', "exit 0", "exit 3", ": ${A:=5}", "A=$((A + 1))", "echo $((1 + 2)) >> log",
    "A=$(echo $A b)", "echo `pwd` | tail -c 2", "cat log | sort > sorted", "false | true", "true | false", "! false",
    "! true", "f() { echo f >> log; }", "f() { false; echo after; }", "f", "(cd d; touch inside)", "(exit 4)",
    "{ touch g; }", "{ false; touch h; }", "if test -e log; then touch if; fi",
    "if false; then :; else touch else; fi", "for i in 1 2; do touch f$i; done", "for i in 1 2; do false; done",
    "case $A in 1) touch one ;; *) touch other ;; esac", "while false; do :; done", "until true; do :; done",
    "trap 'echo bye >> log' EXIT", "trap - EXIT", "touch late & wait", "sleep 0 &", "eval 'A=3'", "eval 'cd d'",
    "exec true", "exec > out", "alias ls=false", "read B < log", "command cd d", "env A=9 sh -c 'echo $A'",
    "A=7 sh -c 'echo $A'", "find . -name log", "ls", "echo log | xargs cat", "ln -s log link", "chmod 700 d",
    "mv log moved", "cp log copied", "apt-get update", "apt-get install -y x", "apt-get install -y missing",
    "apt-get update && apt-get install -y y", "curl -o p.tgz https://e/p.tgz", "tar xzf p.tgz",
    "curl -o /tmp/none/q.tgz https://e/q.tgz", "rm p.tgz",
])  # fmt: skip
BASH_ONLY = st.sampled_from([
    "cat <<< $A", "[[ -e log ]]", "a=(1 2) && echo ${a[1]}", "touch {k,l}", "cat <(echo z)", "printf $'a\\tb'",
    "set -o pipefail", "function g { touch g2; }", "g", "((A > 1))", "let A=4", "shopt -s nullglob", "pushd d",
    "popd", "declare B=3", "source ./s.sh",
])  # fmt: skip
JOINTS = st.sampled_from([" && "] * 15 + ["; ", "; ", " || ", " \\\n    && ", " \\\n    # why\n    && ", "; \\\n  "])
ENDS = st.sampled_from([""] * 15 + [" # note", ";", " || true", " # note \\\n && touch swallowed", " > /dev/null 2>&1"])


@st.composite
def runs(draw: st.DrawFn, commands: st.SearchStrategy[str]) -> str:
    """Draw the text of a RUN."""
    head = draw(st.sampled_from(["", "", "", "", "", "", "set -e; ", "set -ex; ", "set -eu && ", "cd d && "]))
    row = draw(st.lists(st.one_of(PLAIN, PLAIN, commands), min_size=1, max_size=4))
    text = row[0] + "".join(draw(JOINTS) + command for command in row[1:])
    wrapped = draw(
        st.sampled_from(
            ["{}"] * 20 + ["({})", "{{ {}; }}", "if true; then {}; fi", "! {{ {}; }}", "for i in 1; do {}; done"]
        )
    )
    return head + wrapped.format(text) + draw(ENDS)


@st.composite
def dockerfiles(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a Dockerfile of RUNs alone, and the shell that they are given to."""
    header = draw(st.sampled_from(sorted(SHELLS)))
    commands = COMMANDS | BASH_ONLY if "bash" in header else COMMANDS
    lines = draw(st.lists(runs(commands), min_size=2, max_size=4))
    return f"FROM debian:12\nWORKDIR /w\n{header}" + "".join(f"RUN {line}\n" for line in lines), SHELLS[header]


def outcome(text: str, shell: list[str]) -> tuple[object, ...]:
    """Return what the RUNs of a Dockerfile leave: a status for each up to the first that fails, output and files."""
    with TemporaryDirectory() as folder:
        box = Path(folder)
        (box / "bin").mkdir()
        for name, body in PROGRAMS.items():
            (box / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
            (box / "bin" / name).chmod(0o755)
        start = box / "above" / "it" / "are" / "folders" / "to" / "spare" / "w"  # `cd ..` stays within the box
        start.mkdir(parents=True)
        environment = {"PATH": f"{box}/bin:{os.environ['PATH']}", "BOX": folder, "HOME": folder}
        printed = b""
        for step in read(parse(text)):
            if step.run is None:
                continue
            script = step.run.text.text.replace(LISTS, f"{box}/lists")
            done = subprocess.run(
                [*shell, script],
                cwd=start,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=20,
                check=False,
            )
            printed += done.stdout
            if done.returncode:
                return ("failed",)
        shutil.rmtree(box / "lists", ignore_errors=True)
        return "built", printed, sorted(_files(box / "above"))


def _files(folder: Path) -> list[tuple[str, int, bytes | None]]:
    """Go through what is there, but for archives, which nothing needs once they are unpacked."""
    found = (path for path in folder.rglob("*") if path.name != "p.tgz")
    return [(str(p.relative_to(folder)), p.lstat().st_mode, p.read_bytes() if p.is_file() else None) for p in found]


@given(dockerfiles())
@settings(max_examples=100, deadline=None)
def test_a_rewritten_run_does_what_the_original_does(drawn: tuple[str, list[str]]) -> None:
    text, shell = drawn

    after = optimize(text, Context.of({}), PLAN).after

    if after != text:
        assert outcome(after, shell) == outcome(text, shell), after
