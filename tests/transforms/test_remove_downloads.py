"""Which archives are removed once they are unpacked."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PLAN = Plan(select=frozenset({"remove-downloads"}))
WGET, TAR = "wget https://x.example/a.tgz", "tar xzf a.tgz"


def run(text: str, files: dict[str, str] | None = None) -> Result:
    return optimize(text, Context.of(files or {}), PLAN)


def debian(*lines: str) -> str:
    return "\n".join(["FROM debian:12", *lines, ""])


REMOVED = [
    (f"{WGET} && {TAR}", "rm a.tgz"),
    ("wget -qO /tmp/b.tgz https://x.example/a.tgz && tar -C /opt -xf /tmp/b.tgz", "rm /tmp/b.tgz"),
    ("wget -nv -P /tmp https://x.example/a.tgz && tar xf /tmp/a.tgz", "rm /tmp/a.tgz"),
    ("wget --output-document=b.tgz https://x.example/a && tar --extract --file=b.tgz", "rm b.tgz"),
    ("curl -fsSLO https://x.example/a.zip && unzip -q a.zip -d /opt", "rm a.zip"),
    ("curl -fsSLO https://x.example/a.zip?raw && curl -o b.zip https://x && unzip b.zip", "rm b.zip"),
    ("curl -o b.zip https://x.example/a && unzip ./b.zip", "rm ./b.zip"),
    ("curl -sS https://x.example/a > a.tgz && tar zxvf a.tgz", "rm a.tgz"),
    ("wget https://x.example/a.deb && dpkg -i a.deb", "rm a.deb"),
    ("wget https://x.example/a.deb && apt-get install -y ./a.deb", "rm ./a.deb"),
    ("curl -LO https://x.example/a.rpm && yum -y install a.rpm", "rm a.rpm"),
    ("wget https://x.example/a-$V.tgz && tar xf a-${V}.tgz", "rm a-${V}.tgz"),
    ('wget "https://x.example/a-$V.tgz" && tar xf "a-$V.tgz"', 'rm "a-$V.tgz"'),
    (f"cd /tmp && {WGET} && {TAR}", "rm a.tgz"),
    (f"cd /tmp && {WGET} && {TAR} && cd a && make", "rm /tmp/a.tgz"),
    (f"{WGET} && {TAR} && (cd a && make)", "rm a.tgz"),
    (f"{WGET} && sha256sum a.tgz && {TAR} && chmod 644 a.tgz", "rm a.tgz"),
    (f"{WGET} && {TAR} && rm -rf /var/lib/apt/lists/* ~/.cache", "rm a.tgz"),
    (f"{WGET} && {TAR} && mv a /opt", "rm a.tgz"),
    (f"{WGET} && wget https://x.example/b.zip && {TAR} && unzip b.zip", "rm a.tgz b.zip"),
]


@pytest.mark.parametrize(("script", "command"), REMOVED)
def test_an_archive_is_removed_behind_all_else(script: str, command: str) -> None:
    after = run(debian(f"RUN {script}")).after

    assert after.replace("\\\n    ", "") == debian(f"RUN {script} && {command}")
    assert run(after).after == after


def test_an_archive_is_removed_in_front_of_a_script_that_might_remove_it() -> None:
    before = debian(f"RUN {WGET} && {TAR} && cd a && ./install.sh")
    after = debian(f"RUN {WGET} && {TAR} && rm a.tgz && cd a && ./install.sh")

    assert run(before).after == after
    assert run(after).after == after


def test_statements_go_on_in_their_style() -> None:
    before = debian(f"RUN set -ex; {WGET}; {TAR}; make")

    assert run(before).after == debian(f"RUN set -ex; {WGET}; {TAR}; make; rm a.tgz")


STAYS = {
    "a program": (["RUN wget https://x.example/driver.jar && unzip driver.jar"], "driver.jar is used as it is"),
    "a later RUN": ([f"RUN {WGET} && {TAR}", "RUN cp a.tgz /srv"], "line 3 may use a.tgz"),
    "a later pattern": ([f"RUN {WGET} && {TAR}", "RUN cp *.tgz /srv"], "line 3 may use a.tgz"),
    "a later folder": ([f"RUN cd /opt && {WGET} && {TAR}", "RUN cp -r /opt /srv"], "line 3 may use a.tgz"),
    "a later removal": ([f"RUN {WGET} && {TAR}", "RUN rm a.tgz"], "line 3 may use a.tgz"),
    "the start command": ([f"RUN {WGET} && {TAR}", 'CMD ["serve", "/a.tgz"]'], "line 3 may use a.tgz"),
    "a trigger": (["ONBUILD RUN cp /a.tgz /srv", f"RUN {WGET} && {TAR}"], "line 2 may use a.tgz"),
    "another layer": ([f"RUN {WGET}", f"RUN {TAR}"], "a.tgz is unpacked in line 3, in another layer"),
    "another reader": ([f"RUN {WGET} && {TAR} && cp a.tgz /srv"], "cp uses a.tgz as well"),
    "a move": ([f"RUN {WGET} && {TAR} && mv a.tgz /srv"], "may remove or move"),
    "a move of a pattern": ([f"RUN {WGET} && {TAR} && mv *.tgz /srv"], "may remove or move"),
    "a removal of who knows what": ([f'RUN {WGET} && {TAR} && rm -rf "$DIR"'], "may remove or move"),
    "a removal in who knows where": ([f"RUN {WGET} && {TAR} && cd a-* && cd .. && rm -rf a*"], "may remove or move"),
    "a removal in braces": ([f"RUN {WGET} && {TAR} && rm {{a,b}}.tgz"], "may remove or move"),
    "an address in a variable": ([f"RUN wget $URL && {TAR}"], "the name of the downloaded file cannot be told"),
    "a name that the server gives": ([f"RUN curl -JLO https://x.example/a.tgz && {TAR}"], "cannot be told"),
    "a row that is none": ([f"RUN {WGET}; {TAR}"], "not joined by && alone"),
    "a failure that is let pass": ([f"RUN {WGET} && {TAR} || true"], "under a condition"),
    "a condition": ([f"RUN if true; then {WGET} && {TAR}; fi"], "under a condition"),
    "a nested script": ([f"RUN sh -c '{WGET} && {TAR}'"], "in a nested script"),
    "sudo": ([f"RUN sudo {WGET} && {TAR}"], "as another user"),
    "a here-document": ([f"RUN <<EOF\n{WGET}\n{TAR}\nEOF"], "here-document"),
    "a mount": ([f"RUN --mount=type=cache,target=/dl cd /dl && {WGET} && {TAR}"], "a mount keeps a.tgz"),
    "a directory that is not known": ([f"RUN cd $D && {WGET} && {TAR} && cd /"], "cannot be told"),
    "a variable that changes": (
        ["RUN wget https://x.example/a-$V.tgz && tar xf a-$V.tgz && V=2"],
        "cannot be told",
    ),
}


@pytest.mark.parametrize(("lines", "reason"), STAYS.values(), ids=STAYS)
def test_stays(lines: list[str], reason: str) -> None:
    result = run(debian(*lines))

    assert result.after == debian(*lines)
    assert any(reason in d.reason for d in result.declined), result.declined


def test_a_child_stage_that_uses_it_keeps_it() -> None:
    text = f"FROM debian:12 AS base\nRUN {WGET} && {TAR}\nFROM base\nRUN cp /a.tgz /x\n"

    result = run(text)

    assert result.after == text
    assert "line 4 may use a.tgz" in result.declined[0].reason


def test_a_copy_from_the_folder_keeps_it() -> None:
    text = (
        f"FROM debian:12 AS base\nRUN cd /opt && {WGET} && {TAR}\n"
        "FROM scratch AS out\nCOPY --from=base /opt /opt\nFROM base\n"
    )

    result = run(text)

    assert result.after == text
    assert "line 4 may use a.tgz" in result.declined[0].reason


def test_a_source_that_names_it_keeps_it() -> None:
    text = debian(f"RUN {WGET} && {TAR}")

    result = run(text, {"app.py": "open('/a.tgz')"})

    assert result.after == text
    assert "app.py names a.tgz" in result.declined[0].reason


@pytest.mark.parametrize(
    "script",
    [
        f"{WGET} && {TAR} && rm a.tgz",
        f"{WGET} && {TAR} && rm -f *.tgz",
        f"cd /tmp && {WGET} && {TAR} && rm -rf /tmp/*",
        f"mkdir /b && cd /b && {WGET} && {TAR} && cd / && rm -r b",
        f"{WGET} && {TAR} && cd a && make && cd .. && rm a.tgz",
        "wget -qO- https://x.example/a.tgz | tar xz",
        "curl -L https://x.example/a.tgz | tar xz",
        "curl -o /usr/bin/tool https://x.example/tool && chmod +x /usr/bin/tool",
        "tar xf a.tgz",
        "wget https://x.example/a.zip && unzip -l a.zip",
    ],
)
def test_nothing_is_to_be_done_or_said(script: str) -> None:
    result = run(debian(f"RUN {script}"))

    assert (result.after, result.declined) == (debian(f"RUN {script}"), ())


def test_a_stage_that_is_not_shipped_is_left_alone() -> None:
    text = f"FROM debian:12 AS build\nRUN {WGET} && {TAR}\nFROM scratch\nCOPY --from=build /a /a\n"

    assert run(text).after == text
