"""What goes along with a compiled program besides the binary, and what of the image is told apart from it."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

GO = {"go.mod": "module app\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() {}\n"}
C = {"main.c": "int main(void) { return 0; }\n", "run.sh": '#!/bin/sh\nexec "$@"\n'}


def run(text: str, files: dict[str, str]) -> Result:
    return optimize(text, Context.of(files), Plan(select=frozenset({"multi-stage"})))


def copies(text: str, files: dict[str, str]) -> list[str]:
    """Return the targets of the copies of the runtime stage, without the certificates."""
    result = run(text, files)
    assert result.applied, result.declined
    words = [line.split()[-1] for line in result.after.splitlines() if line.startswith("COPY --from=build")]
    return [word for word in words if "/ssl/" not in word]


def test_files_among_those_of_the_compiler_go_over() -> None:
    text = "FROM gcc:13\nWORKDIR /app\nCOPY main.c .\nCOPY run.sh /usr/local/bin/\nRUN gcc -o app main.c\n"
    text += 'ENTRYPOINT ["run.sh"]\nCMD ["./app"]\n'

    assert copies(text, C) == ["/app/app", "/usr/local/bin/run.sh"]


@pytest.mark.parametrize(
    ("code", "copied"),
    [
        ('import "os/exec"\nvar x = exec.Command("migrate")\n', ["/app/app", "/go/bin/migrate"]),
        ("", ["/app/app"]),
    ],
)
def test_a_tool_that_the_code_names_goes_over(code: str, copied: list[str]) -> None:
    text = "FROM golang:1.22\nRUN go install example.org/migrate@v4\nWORKDIR /app\nCOPY . .\n"
    text += "RUN go build -o app .\nCMD ./app\n"

    assert copies(text, {**GO, "main.go": f"package main\n{code}"}) == copied


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        (
            "FROM gcc:13\nCOPY . /src\nRUN cd /src && cmake . && cmake --install .\nCMD app\n",
            C,
            "among the files of the",
        ),
        ("FROM gcc:13\nCOPY . /src\nRUN cd /src && make && make install\nCMD app\n", C, "where make install of line 3"),
        ("FROM gcc:13\nWORKDIR /a\nCOPY . .\nRUN gcc -o a main.c -fsanitize=address\nCMD ./a\n", C, "of a sanitizer"),
        ("FROM golang:1.22\nWORKDIR /a\nCOPY . .\nRUN go build -o a .\nCMD ./b\n", GO, "what makes it is not known"),
        ("FROM rust:1\nWORKDIR /a\nCOPY . .\nRUN cargo build\nCMD cargo run\n", {"Cargo.toml": ""}, "starts cargo"),
    ],
)
def test_what_is_not_told_apart(text: str, files: dict[str, str], because: str) -> None:
    result = run(text, files)

    assert result.after == text
    assert [one.reason for one in result.declined if because in one.reason], result.declined
