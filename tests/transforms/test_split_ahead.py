"""Builds that keep their sources, with what they need fetched above these."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PLAN = Plan(select=frozenset({"split-manifest-copy"}))
GO = {
    "go.mod": "module x\n\ngo 1.22\n\nrequire a.org/a v1.0.0\n",
    "go.sum": "a.org/a v1.0.0 h1:x=\na.org/a v1.0.0/go.mod h1:y=\n",
    "main.go": "",
    "cmd/x/main.go": "",
    ".netrc": "",
}
RUST = {
    "Cargo.toml": '[package]\nname = "shop"\n[dependencies]\nitoa = "1"\n',
    "Cargo.lock": '[[package]]\nname = "itoa"\nsource = "x"\n[[package]]\nname = "shop"\n',
    "src/main.rs": "",
    "build.rs": "",
}
FETCH = "COPY go.mod go.sum ./\nRUN go mod download\n"
END = "FROM scratch\nCOPY --from=build /src/x /x\n"


def run(text: str, base: str = "golang:1.23", end: str = END) -> Result:
    start = f"FROM {base} AS build\nWORKDIR /src\n"
    return optimize(f"{start}{text}\n{end}", Context.of(GO | RUST), PLAN)


def changed(result: Result) -> str:
    return result.after.partition("WORKDIR /src\n")[2].removesuffix(f"\n{END}")


@pytest.mark.parametrize(
    "text",
    [
        "COPY . .\nRUN go build",
        "COPY . .\nARG VERSION\nENV CGO_ENABLED=0 GOOS=linux\nRUN go build -ldflags=-X=v=$VERSION",
        "COPY . .\nRUN cd cmd/x && go build",
        "COPY . .\nRUN set -ex; mkdir -p bin; export CGO_ENABLED=0; go build -o bin/x",
        "COPY . .\nRUN go vet ./... && go test ./... && go build",
        "COPY . .\nRUN go vet ./...\nRUN go build",
        "# All of it\nCOPY . .\n# Static\nRUN CGO_ENABLED=0 \\\n    go build",
        "COPY main.go ./\nCOPY cmd ./cmd\nCOPY go.mod go.sum ./\nRUN go build",
    ],
)
def test_the_build_itself_is_not_touched(text: str) -> None:
    result = run(text)

    assert result.after != result.before
    assert "RUN go mod download\n" in result.after
    assert [line for line in changed(result).splitlines() if line not in FETCH] == [
        line for line in text.splitlines() if line not in FETCH
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "COPY . .\nRUN apt-get install -y git && go build && strip x",
            "COPY go.mod go.sum ./\nRUN apt-get install -y git && go mod download\nCOPY . .\nRUN go build && strip x",
        ),
        (
            "COPY . .\nRUN set -e && apt-get install -y git \\\n && mkdir bin \\\n && GOOS=js go build",
            (
                "COPY go.mod go.sum ./\nRUN set -e && apt-get install -y git \\\n && go mod download\nCOPY . .\n"
                "RUN set -e && mkdir bin \\\n && GOOS=js go build"
            ),
        ),
        (
            "COPY . .\nRUN apt-get install -y git\n\nRUN go build",
            "COPY go.mod go.sum ./\nRUN apt-get install -y git\n\nRUN go mod download\nCOPY . .\nRUN go build",
        ),
        (
            "COPY . .\nENV GOPROXY=https://x\nRUN go build",
            "COPY go.mod go.sum ./\nENV GOPROXY=https://x\nRUN go mod download\nCOPY . .\nRUN go build",
        ),
        (
            "COPY . .\nCOPY .netrc /root/\nRUN go build",
            "COPY go.mod go.sum ./\nCOPY .netrc /root/\nRUN go mod download\nCOPY . .\nRUN go build",
        ),
        (
            "COPY .netrc /root/\nCOPY . .\nRUN go build",
            f"COPY .netrc /root/\n{FETCH}COPY . .\nRUN go build",
        ),
        (
            "COPY . .\nRUN --mount=type=ssh --mount=type=cache,target=/root/.cache/go-build go build",
            (
                "COPY go.mod go.sum ./\nRUN --mount=type=ssh go mod download\nCOPY . .\n"
                "RUN --mount=type=ssh --mount=type=cache,target=/root/.cache/go-build go build"
            ),
        ),
        (
            "COPY go.mod go.sum ./\nCOPY . .\nRUN go build",
            f"{FETCH}COPY . .\nRUN go build",
        ),
        (
            "COPY . .\nRUN go mod download && go build",
            f"{FETCH}COPY . .\nRUN go build",
        ),
    ],
)
def test_what_the_download_needs_comes_before_it(text: str, expected: str) -> None:
    assert changed(run(text)) == expected


def test_a_second_build_finds_it_done() -> None:
    once = run("COPY . .\nRUN go build").after

    assert optimize(once, Context.of(GO), PLAN).after == once


@pytest.mark.parametrize("above", ["RUN go mod download -x", "RUN cd /src && go mod download"])
def test_a_download_in_a_stage_below_counts(above: str) -> None:
    text = (
        f"FROM golang:1.23 AS base\nWORKDIR /src\nCOPY go.mod go.sum ./\n{above}\nFROM base\nCOPY . .\nRUN go build\n"
    )
    result = optimize(text, Context.of(GO), PLAN)

    assert (result.after, result.declined) == (text, ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("COPY . .\nRUN --mount=type=cache,target=/go go build", "a cache mount keeps what go downloads already"),
        ("COPY . .\nRUN go vet ./... || true", "not joined by && alone"),
        ("COPY . .\nRUN go test ./... | tee log", "in a pipeline"),
        ("COPY . .\nRUN sh -c 'go build'", "in a script within the script"),
        ("COPY . .\nRUN if true; then go build; fi", "under a condition"),
        ("COPY . .\nRUN cd cmd && apt-get install -y git && go build", "enters another folder"),
        ("COPY . .\nRUN export GOPROXY=x && go build", "sets up its shell"),
        ("COPY . .\nRUN ./generate && go build", "what ./generate reads is not known"),
        ("COPY . .\nRUN <<EOF\ngo build\nEOF", "here-document"),
    ],
)
def test_where_nothing_can_be_fetched_ahead(text: str, reason: str) -> None:
    result = run(text)

    assert result.after == result.before
    assert any(reason in decline.reason for decline in result.declined), result.declined


def test_a_step_that_cleans_up_stays_whole_in_an_image_that_is_shipped() -> None:
    result = run("COPY . .\nRUN go build -o /x && go clean -modcache", end="")

    assert result.after == result.before
    assert "removes at its end" in result.declined[0].reason


def test_empty_targets_are_all_replaced_by_the_sources() -> None:
    result = run("COPY build.rs Cargo.toml Cargo.lock ./\nCOPY src src\nRUN cargo build", "rust:1")

    assert changed(result) == (
        "COPY Cargo.toml Cargo.lock ./\n"
        "RUN mkdir -p src \\\n    && echo 'fn main() {}' > src/main.rs \\\n    && cp src/main.rs build.rs \\\n"
        "    && cargo build \\\n    && cargo clean -p shop\n"
        "COPY build.rs Cargo.toml Cargo.lock ./\nCOPY src src\nRUN cargo build"
    )


def test_what_is_compiled_ahead_sees_the_same_variables() -> None:
    result = run("COPY . .\nENV FOO_STATIC=1\nRUN cargo build", "rust:1")

    assert changed(result).startswith("COPY Cargo.toml Cargo.lock ./\nENV FOO_STATIC=1\nRUN mkdir -p src")


def test_an_empty_target_would_stay_where_no_later_copy_replaces_it() -> None:
    result = run("COPY build.rs ./\nRUN ./x\nCOPY Cargo.toml Cargo.lock ./\nCOPY src src\nRUN cargo build", "rust:1")

    assert result.after == result.before
    assert "/src/build.rs is there before" in result.declined[0].reason


def test_another_user_may_not_make_empty_targets() -> None:
    result = run("COPY . .\nUSER app\nRUN cargo build", "rust:1")

    assert result.after == result.before
    assert "the user app may not write" in result.declined[0].reason


LIBRARIES = "".join(f"<dependency><artifactId>l{n}</artifactId></dependency>" for n in range(12))
MAVEN = {
    "pom.xml": f"<project><artifactId>app</artifactId><dependencies>{LIBRARIES}</dependencies></project>",
    "src/main/java/App.java": "",
}


def built_by_maven(text: str) -> Result:
    return optimize(f"FROM maven:3\nWORKDIR /src\n{text}\n", Context.of(MAVEN), PLAN)


def test_a_build_that_begins_with_clean_takes_nothing_out_of_a_shipped_image() -> None:
    result = built_by_maven("COPY . .\nRUN mvn clean package")

    assert "COPY pom.xml ./\nRUN mvn clean package && rm -rf target\nCOPY . .\nRUN mvn clean package\n" in result.after


def test_a_step_that_sets_modes_stays_between_the_sources_and_the_build() -> None:
    result = built_by_maven("COPY . .\nRUN chmod +x run\nCOPY src/ src/\nRUN chmod +x src/x\nRUN mvn package")

    assert result.after.endswith(
        "COPY pom.xml ./\nRUN mvn package && rm -rf target\n"
        "COPY . .\nRUN chmod +x run\nCOPY src/ src/\nRUN chmod +x src/x\nRUN mvn package\n"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("COPY --from=x /gen src/main\nCOPY . .\nRUN mvn package", "line 3 brings files that a build ahead"),
        ("COPY src src\nRUN ls src\nCOPY . .\nRUN mvn package", "App.java is there before the other sources"),
        ("COPY . .\nRUN mvn package && rm -rf ~/.m2", "removes at its end what it made before"),
        ("COPY . .\nRUN --mount=type=cache,target=/root/.m2 mvn package", "a cache mount keeps what mvn downloads"),
        ("COPY . .\nRUN chmod +x run\nRUN ls src\nRUN mvn package", "line 4 stands between: chmod may touch"),
        ("COPY . .\nRUN chmod +x run && ls src\nRUN mvn package", "line 4 stands between: chmod may touch"),
        ("COPY . .\nRUN chmod +x run\nENV A=1\nRUN mvn package", "line 4 stands between: chmod may touch"),
        ("COPY . .\nENV A=1\nRUN chmod +x run\nRUN mvn package", "line 5 stands between: chmod may touch"),
        ("COPY . .\nRUN chmod +x run\nRUN cd src && mvn package", "line 4 stands between: chmod may touch"),
    ],
)
def test_maven_is_not_started_where_it_would_not_do(text: str, reason: str) -> None:
    result = built_by_maven(text)

    assert result.after == result.before
    assert any(reason in decline.reason for decline in result.declined)
