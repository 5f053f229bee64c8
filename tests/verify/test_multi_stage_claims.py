"""What a build in two stages announces to be gone: the toolchain and the sources, and nothing that runs."""

import re
from pathlib import Path

import pytest

from optimizer.cli.disk import read_context
from optimizer.engine import Plan, optimize
from optimizer.verify._claims import Claims, claims_of, path_pattern
from optimizer.verify.comparison import compare
from tests.verify.images import File, image

CASES = Path(__file__).parents[2] / "fixtures" / "cases"


def claims(name: str) -> Claims:
    folder = CASES / name / "context"
    context = read_context(folder, folder / "Dockerfile")
    result = optimize((folder / "Dockerfile").read_text(), context, Plan(select=frozenset({"multi-stage"})))
    assert result.applied
    return claims_of(result, context)


def is_announced(found: Claims, path: str) -> bool:
    return any(re.fullmatch(path_pattern(pattern), path) for _, pattern in found.patterns)


@pytest.mark.parametrize(
    ("case", "gone", "kept"),
    [
        (
            "multi_stage_go_server_takes_its_templates_along",
            ("/usr/local/go/bin/go", "/go/pkg/mod/x", "/root/.cache/go-build/x", "/app/go.mod",
             "/app/cmd/weather/main.go", "/app/internal/page/page_test.go", "/app/README.md"),
            ("/app/weather", "/app/templates/page.html", "/app/config/town.txt", "/app", "/etc/passwd", "/usr/bin/git"),
        ),
        (
            "multi_stage_rust_release_binary_with_its_data",
            ("/usr/local/cargo/bin/cargo", "/usr/local/rustup/x", "/usr/src/words/target/release/deps/x",
             "/usr/src/words/src/main.rs"),
            ("/usr/src/words/data/words.txt", "/usr/src/words", "/usr/local/bin/x"),
        ),
        (
            "multi_stage_c_program_of_one_compiler_call",
            ("/usr/share/doc/x",),
            ("/app/message.txt", "/usr/local/bin/squeeze", "/app/squeeze.c"),
        ),
    ],
)  # fmt: skip
def test_files(case: str, gone: tuple[str, ...], kept: tuple[str, ...]) -> None:
    found = claims(case)

    assert [path for path in gone if not is_announced(found, path)] == []
    assert [path for path in kept if is_announced(found, path)] == []
    assert found.packages == found.slimmer == "multi-stage"


def test_variables_of_the_toolchain_but_not_those_that_are_set_again() -> None:
    assert "GOPATH" in claims("multi_stage_go_server_takes_its_templates_along").variables
    assert "PATH" not in claims("multi_stage_go_install_keeps_the_program_on_the_path").variables


def test_folders_that_the_image_of_go_opens_to_all() -> None:
    assert claims("multi_stage_go_install_keeps_the_program_on_the_path").paths["/go"] == "multi-stage"
    assert "/go" not in claims("multi_stage_c_program_of_one_compiler_call").paths


@pytest.mark.parametrize(
    ("was", "now", "claimed_by"),
    [
        (File(folder=True, mode=0o775), File(folder=True, mode=0o755), "multi-stage"),
        (File(folder=True, mode=0o777), File(folder=True, mode=0o755), None),
        (File(folder=True, mode=0o775), File(folder=True, mode=0o750), None),
        (File(folder=True, mode=0o775, owner=(0, 5)), File(folder=True, mode=0o755, owner=(0, 5)), None),
        (File(mode=0o775), File(mode=0o755), None),
    ],
)
def test_a_folder_at_the_end_of_a_copy_has_the_usual_mode(was: File, now: File, claimed_by: str | None) -> None:
    found = compare(image({"/app/static": was}), image({"/app/static": now}), Claims(slimmer="multi-stage"))

    assert [one.claimed_by for one in found if one.subject == "/app/static"] == [claimed_by]
