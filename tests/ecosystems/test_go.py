# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Ahead, Install, Refusal

GO_MOD = "module x\n\ngo 1.22\n\nrequire a.org/a v1.0.0 // direct\n"
GO_SUM = "a.org/a v1.0.0 h1:x=\na.org/a v1.0.0/go.mod h1:y=\n"
GO = {"go.mod": GO_MOD, "go.sum": GO_SUM, "main.go": "", "cmd/x/main.go": ""}
FILES = ("go.mod", "go.sum")
FILLS = ("/go/pkg/mod", "/root/go/pkg/mod")
REPLACED = "module x\n\ngo 1.22\n\nrequire (\n\ta.org/a v1.0.0\n\tb.org/b v0.0.0\n)\n\nreplace b.org/b => ../b\n"
WORK = GO | {"go.work": "go 1.22\n\nuse .\nuse ./y\n", "y/go.mod": "module y\n\ngo 1.22\n\nrequire x v0.0.0\n"}


def ahead(
    command: str = "go mod download", folder: str = "", files: tuple[str, ...] = FILES, fills: tuple[str, ...] = FILLS
) -> Install:
    return Install(files, ahead=Ahead((command,), folder, fills, ("go mod download",), "downloads the modules"))


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("go build -o /bin/x ./cmd/x", GO, ahead()),
        ("CGO_ENABLED=0 GOOS=linux GOARCH=$ARCH go build", GO, ahead()),
        ("GOPRIVATE=a.org/* CGO_ENABLED=0 go build", GO, ahead("GOPRIVATE=a.org/* go mod download")),
        ("env GOPROXY=direct GOOS=linux go build", GO, ahead("GOPROXY=direct go mod download")),
        ("go build -C cmd/x", GO, ahead()),
        ("cd cmd/x && go test ./...", GO, ahead()),
        ("go get -d -v ./...", GO, ahead()),
        ("go run ./cmd/x", GO, ahead()),
        ("go build -mod=mod", GO | {"vendor/modules.txt": ""}, ahead()),
        ("go build", GO | {"go.mod": GO_MOD.replace("1.22", "1.13"), "vendor/modules.txt": ""}, ahead()),
        ("GOMODCACHE=/m go build", GO, ahead("GOMODCACHE=/m go mod download", fills=("/m",))),
        ("go build", {"go.mod": 'module "x"\n', "main.go": ""}, None),
        ("go mod download", GO, Install(FILES)),
        ("go mod download -x", GO, Install(FILES)),
        ("go mod verify", GO, Install(FILES)),
        ("go mod download", {"go.mod": "module x\n"}, Install(("go.mod",))),
        ("go env -w GOPROXY=direct", GO, Install(())),
        ("go version", {}, Install(())),
        ("go install golang.org/x/tools/cmd/stringer@v0.1", GO, Install(())),
        ("go install a.org/t@$VERSION", {}, Install(())),
        ("go tool nm x", GO, None),
        ("go tool stringer", GO | {"go.mod": GO_MOD + "tool a.org/a\n"}, ahead()),
        ("go run a.org/t@v1 gen", GO, None),
        ("go fmt ./...", GO, None),
        ("cd s && go build", {"b/go.mod": "", "s/go.mod": REPLACED, "s/go.sum": GO_SUM}, ahead(folder="s", files=("s/go.mod", "s/go.sum", "b/go.mod"))),
        ("GOWORK=off go build", WORK, ahead("GOWORK=off go mod download")),
        ("go build ./y", WORK | {"go.work.sum": ""}, ahead(files=("go.work", "go.work.sum", "go.mod", "go.sum", "y/go.mod"))),
        ("go mod download", WORK, Install(("go.work", "go.mod", "go.sum", "y/go.mod"))),
    ],
)  # fmt: skip
def test_go_downloads_ahead(ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object) -> None:
    assert ask("go", text, files) == expected


@pytest.mark.parametrize(
    ("text", "files", "reason"),
    [
        ("go build", {"main.go": ""}, "the project has no go.mod"),
        ("go build", GO | {".dockerignore": "go.sum"}, "go.sum has no checksum of a.org/a v1.0.0"),
        ("go mod download", {"go.mod": GO_MOD}, "go.sum has no checksum"),
        ("go build", GO | {"vendor/modules.txt": ""}, "vendored"),
        ("go build -mod=vendor", GO, "vendored"),
        ("GOFLAGS=-mod=vendor go build", GO, "vendored"),
        ("GOFLAGS=-modfile=x.mod go build", GO, "another file"),
        ("go build -modfile=x.mod", GO, "another file"),
        ("GO111MODULE=off go build", GO, "GO111MODULE is off"),
        ("GOPROXY=off go build", GO, "GOPROXY is off"),
        ("GOWORK=/w/go.work go build", GO, "GOWORK names"),
        ("go get github.com/b/b", GO, "changes go.mod"),
        ("go mod tidy", GO, "go mod tidy reads the sources"),
        ("go mod vendor", GO, "go mod vendor reads the sources"),
        ("go mod download a.org/b@v1", GO, "writes go.sum"),
        ("go build", GO | {"go.mod": REPLACED}, "outside of the build context"),
        ("go build", GO | {"go.mod": REPLACED.replace("../b", "./b")}, "b/go.mod is not in the build context"),
        ("go build", WORK, "would write go.work.sum"),
        ("go mod download", WORK | {"go.work.sum": ""}, "writes go.work.sum"),
        ("sudo -u app go build", GO, "as another user"),
    ],
)
def test_go_needs_more_than_manifests(
    ask: Callable[..., object], text: str, files: Mapping[str, str], reason: str
) -> None:
    answer = ask("go", text, files)

    assert isinstance(answer, Refusal)
    assert reason in answer.reason


def test_an_unknown_setting_is_no_setting(ask: Callable[..., object]) -> None:
    answer = ask("go", "go build", GO, env={"GOFLAGS": None})

    assert answer == Refusal("the value of GOFLAGS is not known", ("go mod download",))


def test_modules_within_the_project_are_kept_apart(ask: Callable[..., object]) -> None:
    answer = ask("go", "go build", GO, env={"GOPATH": "/app/.go"})

    assert isinstance(answer, Install)
    assert answer.outputs == (".go/pkg/mod",)


def test_the_module_cache_is_kept(cache: Callable[..., object], cleans: Callable[[str, str], bool]) -> None:
    assert "later builds need it" in cache("go", "go mod download").off  # type: ignore[attr-defined]
    assert cache("go", "go vet") is None
    assert cleans("go", "go clean -modcache")
