"""The evidence of builds as text, Markdown and JSON."""

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from optimizer.report import Check, Difference, Dropped, Evidence, LayerSize, Measured, Rebuild, Verdict
from optimizer.report.evidence_json import evidence_json
from optimizer.report.evidence_markdown import evidence_markdown
from optimizer.report.evidence_text import evidence_report
from optimizer.report.layer_stack import Mark, stack
from optimizer.report.text import Style
from optimizer.transforms import Level

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "evidence.schema.json").read_text())
BASE = (
    LayerSize("/bin/sh -c #(nop) ADD file:0a1b in / ", 80_000_000),
    LayerSize('/bin/sh -c #(nop)  CMD ["bash"]', 0, empty=True),
    LayerSize("/bin/sh -c make install", 20_000_000),
)
BEFORE = Measured(
    250_000_000,
    (
        *BASE,
        LayerSize("COPY . . # buildkit", 1_000_000),
        LayerSize("RUN /bin/sh -c npm ci # buildkit", 149_000_000),
        LayerSize('CMD ["node" "app.js"]', 0, empty=True),
    ),
    41.2,
    Rebuild("app.js", 12.3, ("[2/3] COPY . .", "[3/3] RUN npm ci"), ()),
)
AFTER = Measured(
    200_000_000,
    (
        *BASE,
        LayerSize("COPY package.json ./ # buildkit", 1000),
        LayerSize("RUN /bin/sh -c npm ci # buildkit", 98_999_000),
        LayerSize("COPY . . # buildkit", 1_000_000),
    ),
    38.0,
    Rebuild("app.js", 0.9, ("[4/4] COPY . .",), ("[2/4] COPY package.json ./", "[3/4] RUN npm   ci")),
)
HOLDS = Evidence(
    "api/Dockerfile",
    Level.EQUIVALENT,
    Verdict.HOLDS,
    "docker 28.5",
    (Difference(Check.FILES, "/root/.npm", "a folder", None, "clean-package-caches", 12),),
    BEFORE,
    AFTER,
    ("default command: prints the same",),
    builds=4,
)
LOST = Difference(Check.LIBRARIES, "libpq.so.5 of /app/server", "/usr/lib/libpq.so.5", None)
FAILS = replace(HOLDS, verdict=Verdict.FAILS, differences=(LOST,), before=None, after=None, log="/tmp/x.log", builds=2)
DROPPED = replace(HOLDS, dropped=(Dropped("exec-form", 7, (LOST,)),))
NOT_JUDGED = Evidence("Dockerfile", Level.EXACT, Verdict.NOT_JUDGED, "podman 5", problem="the original fails at line 3")
NOTHING = Evidence("old/Dockerfile", Level.EXACT, Verdict.HOLDS, "")


def test_the_text_tells_the_figures() -> None:
    text = evidence_report([HOLDS], Style())

    assert text.splitlines()[:8] == [
        "api/Dockerfile: holds (docker 28.5, 4 builds)",
        "  image    250 MB -> 200 MB (20 % smaller)",
        "  layers   4 -> 5",
        "  build    41 s -> 38 s",
        "  rebuild  12 s -> 0.9 s after an edit of app.js; steps: 2 run, 0 cached -> 1 run, 2 cached",
        "  check    default command: prints the same",
        "  as told  files: /root/.npm (and 12 more): a folder -> not there [clean-package-caches]",
        "  before",
    ]


def test_several_files_are_summed_up() -> None:
    text = evidence_report([HOLDS, FAILS, NOTHING], Style())

    assert text.splitlines()[-1] == "3 files: 2 proven by 6 builds, 1 holds, 1 fails; 50 MB saved"


def test_the_layers_are_drawn_in_their_order_with_what_an_edit_does_to_them() -> None:
    text = evidence_report([HOLDS], Style())

    assert (
        "  after\n"
        "        100 MB ################ base image, 2 layers\n"
        "    =     1 kB #                COPY package.json ./\n"
        "    =    99 MB ################ RUN npm ci\n"
        "    *     1 MB #                COPY . .\n"
    ) in text


def test_a_layer_is_found_under_its_instruction() -> None:
    assert [(layer.instruction, layer.mark) for layer in stack(BEFORE)] == [
        ("base image, 2 layers", Mark.BASE),
        ("COPY . .", Mark.RUN),
        ("RUN npm ci", Mark.RUN),
    ]


def test_a_layer_without_history_has_a_name_too() -> None:
    assert stack(Measured(1, (LayerSize("", 1),), 0.1))[0].instruction == "(imported)"


def test_without_a_rebuild_every_layer_is_shown() -> None:
    layers = stack(replace(BEFORE, rebuild=None))

    assert [layer.instruction for layer in layers] == [
        "ADD file:0a1b in /",
        "RUN make install",
        "COPY . .",
        "RUN npm ci",
    ]
    assert {layer.mark for layer in layers} == {Mark.UNKNOWN}


@pytest.mark.parametrize(
    ("evidence", "line"),
    [
        (FAILS, "Dockerfile: fails (docker 28.5, 2 builds)"),
        (FAILS, "  differs  libraries: libpq.so.5 of /app/server: /usr/lib/libpq.so.5 -> not there"),
        (FAILS, "  log      /tmp/x.log"),
        (DROPPED, "  dropped  exec-form (line 7): libraries: libpq.so.5 of /app/server"),
        (NOT_JUDGED, "Dockerfile: not judged (podman 5, 0 builds)\n  reason   the original fails at line 3"),
        (NOTHING, "old/Dockerfile: nothing to prove"),
    ],
)
def test_the_text_says_what_went_wrong(evidence: Evidence, line: str) -> None:
    assert line in evidence_report([evidence], Style())


def test_many_differences_are_cut_unless_all_are_wanted() -> None:
    many = tuple(Difference(Check.FILES, f"/srv/{number}", "a file", None) for number in range(30))
    evidence = replace(FAILS, differences=many)

    assert "and 18 more" in evidence_report([evidence], Style())
    assert "/srv/29" not in evidence_report([evidence], Style())
    assert "/srv/29" in evidence_report([evidence], Style(verbose=True))


def test_a_file_name_cannot_drive_the_terminal() -> None:
    odd = replace(FAILS, differences=(Difference(Check.FILES, "/srv/\x1b[2J", "a file", None),))

    assert "\x1b" not in evidence_report([odd], Style())


def test_colours_come_only_when_asked_for() -> None:
    assert "\x1b[32mholds\x1b[0m" in evidence_report([HOLDS], Style(colour=True))
    assert "\x1b" not in evidence_report([HOLDS], Style())


def test_markdown_has_the_table_of_figures() -> None:
    text = evidence_markdown([HOLDS, NOTHING])

    assert "### `api/Dockerfile`: proven by builds (4 builds, docker 28.5)" in text
    assert "| image | 250 MB | 200 MB | 20 % smaller |" in text
    assert "| build after an edit of `app.js` | 12 s | 0.9 s | |" in text
    assert "| `RUN npm ci` | 99 MB | cached |" in text
    assert "old/Dockerfile" not in text


def test_markdown_holds_whatever_a_name_is_made_of() -> None:
    odd = Difference(Check.FILES, "/srv/a|b`c\n# x", "<b>", None)

    text = evidence_markdown([replace(FAILS, differences=(odd,), problem="<img src=x> *no*")])

    assert "- files: `` /srv/a\\|b`c # x ``: `<b>` → not there" in text
    assert "\\<img src=x\\> \\*no\\*" in text


@pytest.mark.parametrize("evidence", [HOLDS, FAILS, DROPPED, NOT_JUDGED, NOTHING])
def test_json_keeps_to_its_schema(evidence: Evidence) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    report = json.loads(evidence_json([evidence]))

    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["files"][0]["verdict"] == evidence.verdict.value
    assert report["files"][0]["level"] == str(evidence.level)
