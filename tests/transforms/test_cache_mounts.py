"""Which downloads go to a cache mount, what leaves the RUN for it, and which places are left alone."""

import pytest

from optimizer.context import Context
from optimizer.ecosystems import all_ecosystems
from optimizer.ecosystems._mounting import DOWNLOADS, REFUSED, STORES
from optimizer.engine import Plan, Result, optimize

ASKED = Plan(select=frozenset({"cache-mounts"}))
PIP = "--mount=type=cache,id=pip-python-3.12,target=/root/.cache/pip"
ARCHIVES = "--mount=type=cache,id=apt-debian-12,target=/var/cache/apt,sharing=locked"
LISTS = "--mount=type=cache,id=apt-lists-debian-12,target=/var/lib/apt/lists,sharing=locked"
APT = f"RUN {ARCHIVES} \\\n    {LISTS} \\\n    "
UNHOOK = "rm -f /etc/apt/apt.conf.d/docker-clean"


def run(text: str, files: dict[str, str] | None = None, plan: Plan = ASKED) -> Result:
    return optimize(text, Context.of(files or {}), plan)


def image(base: str, *lines: str) -> str:
    return "\n".join([f"FROM {base}", *lines, ""])


def built(base: str, *lines: str) -> str:
    """Return a build stage, from which another takes one file; not in the folder where Go keeps its modules."""
    start = ("WORKDIR /src",) if base.startswith("golang") else ()
    return image(f"{base} AS build", *start, *lines, "FROM scratch", "COPY --from=build /out /out")


CHANGES = {
    "a word of the removal that is elsewhere stays": (
        image("python:3.12", "RUN pip install x && rm -rf /root/.cache/pip /tmp/*"),
        image("python:3.12", f"RUN {PIP} \\\n    pip install x && rm -rf /tmp/*"),
    ),
    "a clean-up in the middle goes with its operator": (
        image("python:3.12", "RUN pip install x && pip cache purge && python -V"),
        image("python:3.12", f"RUN {PIP} \\\n    pip install x && python -V"),
    ),
    "the flag of every call goes": (
        image("python:3.12", "RUN pip install --no-cache-dir -U pip && pip --no-cache-dir install x"),
        image("python:3.12", f"RUN {PIP} \\\n    pip install -U pip && pip install x"),
    ),
    "a flag on a line of its own": (
        image("python:3.12", "RUN pip install \\\n      --no-cache-dir \\\n      x"),
        image("python:3.12", f"RUN {PIP} \\\n      pip install \\\n      x"),
    ),
    "the variable says where the cache is": (
        image("python:3.12", "ENV PIP_CACHE_DIR=/pip", "RUN pip install x"),
        image(
            "python:3.12",
            "ENV PIP_CACHE_DIR=/pip",
            "RUN --mount=type=cache,id=pip-python-3.12,target=/pip \\\n    pip install x",
        ),
    ),
    "HOME says where the cache is": (
        image("node:22", "ENV HOME=/h", "RUN npm ci"),
        image("node:22", "ENV HOME=/h", "RUN --mount=type=cache,target=/h/.npm \\\n    npm ci"),
    ),
    "a user with a number": (
        image("node:22", "USER 1000:1000", "RUN npm ci"),
        image(
            "node:22",
            "USER 1000:1000",
            "RUN --mount=type=cache,target=/home/node/.npm,uid=1000,gid=1000 \\\n    npm ci",
        ),
    ),
    "other flags stay in front": (
        image("node:22", "RUN --mount=type=secret,id=npmrc npm ci"),
        image("node:22", "RUN --mount=type=secret,id=npmrc --mount=type=cache,target=/root/.npm \\\n    npm ci"),
    ),
    "pnpm's home decides": (
        image("node:22", "ENV PNPM_HOME=/pnpm", "RUN pnpm install"),
        image(
            "node:22",
            "ENV PNPM_HOME=/pnpm",
            "RUN --mount=type=cache,id=pnpm-store-node-22,target=/pnpm/store \\\n    pnpm install",
        ),
    ),
    "Poetry's environments stay beside": (
        image("python:3.12", "RUN poetry install --no-root"),
        image(
            "python:3.12",
            "RUN --mount=type=cache,id=pypoetry-artifacts-python-3.12,"
            "target=/root/.cache/pypoetry/artifacts,sharing=locked \\\n"
            "    --mount=type=cache,id=pypoetry-cache-python-3.12,target=/root/.cache/pypoetry/cache,"
            "sharing=locked \\\n    poetry install --no-root",
        ),
    ),
    "statements under set -e": (
        image("debian:12", "RUN set -e; apt-get update; apt-get install -y curl; rm -rf /var/lib/apt/lists/*"),
        image("debian:12", f"{APT}{UNHOOK}; \\\n    set -e; apt-get update; apt-get install -y curl"),
    ),
    "a clean-up at the head of the RUN": (
        image("debian:12", "RUN rm -rf /var/lib/apt/lists/* && apt-get update && apt-get install -y curl"),
        image("debian:12", f"{APT}{UNHOOK} \\\n    && apt-get update && apt-get install -y curl"),
    ),
    "docker-clean goes once, also for a child stage": (
        image("debian:12 AS base", "RUN apt-get update", "FROM base", "RUN apt-get update && apt-get install -y git"),
        image(
            "debian:12 AS base",
            f"{APT}{UNHOOK} \\\n    && apt-get update",
            "FROM base",
            f"{APT}apt-get update && apt-get install -y git",
        ),
    ),
    "crates in all steps of a build": (
        built("rust:1", "RUN cargo fetch", "RUN cargo build --release"),
        built(
            "rust:1",
            "RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \\\n    cargo fetch",
            "RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \\\n    cargo build --release",
        ),
    ),
    "tests leave no results in Go's build cache": (
        built("golang:1.23", "RUN go test ./... && go build -o /out ."),
        built("golang:1.23", "RUN --mount=type=cache,target=/go/pkg/mod \\\n    go test ./... && go build -o /out ."),
    ),
    "what cgo compiled against other headers is not taken over": (
        built("golang:1.23", "RUN apk add vips-dev", "RUN go build -o /out ."),
        built(
            "golang:1.23",
            "RUN apk add vips-dev",
            "RUN --mount=type=cache,target=/go/pkg/mod \\\n    go build -o /out .",
        ),
    ),
    "wheels built on one base are not for another": (
        image("python:3.12-alpine", "RUN pip install x", "FROM python:3.12-slim", "RUN pip install x"),
        image(
            "python:3.12-alpine",
            "RUN --mount=type=cache,id=pip-python-3.12-alpine,target=/root/.cache/pip \\\n    pip install x",
            "FROM python:3.12-slim",
            "RUN --mount=type=cache,id=pip-python-3.12-slim,target=/root/.cache/pip \\\n    pip install x",
        ),
    ),
    "Go of a distribution keeps its modules at home": (
        built("debian:12", "RUN go build -o /out ."),
        built(
            "debian:12",
            "RUN --mount=type=cache,target=/root/go/pkg/mod \\\n"
            "    --mount=type=cache,target=/root/.cache/go-build \\\n    go build -o /out .",
        ),
    ),
    "a restore that each build repeats": (
        built("mcr.microsoft.com/dotnet/sdk:8.0", "RUN dotnet restore", "RUN dotnet publish -o /out"),
        built(
            "mcr.microsoft.com/dotnet/sdk:8.0",
            "RUN --mount=type=cache,target=/root/.nuget/packages,sharing=locked \\\n    dotnet restore",
            "RUN --mount=type=cache,target=/root/.nuget/packages,sharing=locked \\\n    dotnet publish -o /out",
        ),
    ),
}
REASONS = {
    "rm of a variable": (image("python:3.12", "RUN pip install x && rm -rf $JUNK"), "may hold the cache"),
    "rm of a pattern above": (image("python:3.12", "RUN pip install x && rm -rf /root/.c*"), "holds the cache"),
    "work on the folder above": (image("python:3.12", "RUN pip install x && chown -R 1 /root"), "chown work on /root"),
    "a clean-up that may fail": (
        image("python:3.12", "RUN pip install x && pip cache purge || true"),
        "the clean-up is joined by ||",
    ),
    "a clean-up whose status is that of the RUN": (
        image("python:3.12", "RUN pip install x; pip cache purge"),
        "hangs on the clean-up",
    ),
    "a comment within": (
        image("python:3.12", "RUN pip install x \\\n# why\n && pip cache purge"),
        "a comment stands within",
    ),
    "a script in the script": (
        image("python:3.12", 'RUN sh -c "pip install --no-cache-dir x"'),
        "a script within the script",
    ),
    "a cache among the sources": (
        image("python:3.12", "ENV PIP_CACHE_DIR=/app/.pip", "WORKDIR /app", "RUN pip install x"),
        "lies among the sources",
    ),
    "a cache folder of its own": (
        image("python:3.12", "RUN pip install --cache-dir /x y"),
        "a cache folder of its own",
    ),
    "a variable for the folder": (image("python:3.12", "ENV PIP_CACHE_DIR=$X", "RUN pip install x"), "is not known"),
    "an unknown image": (image("example.org/app", "RUN pip install x"), "what example.org/app says"),
    "an unknown user": (image("python:3.12", "ARG U", "USER $U", "RUN pip install x"), "the user $U are not known"),
    "a here-document": (image("python:3.12", "RUN <<E", "pip install x", "E"), "here-document"),
    "an old front end": (
        "# syntax=docker/dockerfile:1.1\n" + image("python:3.12", "RUN pip install x"),
        "does not know RUN --mount",
    ),
    "another front end": ("# syntax=example.org/x\n" + image("python:3.12", "RUN pip install x"), "the front end"),
    "a start command that reads it": (
        image("python:3.12", "RUN pip install x", "CMD ls /root/.cache/pip"),
        "works on /root/.cache/pip",
    ),
    "a later copy of it": (
        built("python:3.12", "RUN pip install x").replace("COPY", "COPY --from=build /root/.cache/pip /wheels\nCOPY"),
        "line 4 copies the cache",
    ),
    "pnpm without the network": (
        image("node:22", "RUN pnpm fetch", "RUN pnpm install --offline"),
        "without the network",
    ),
    "apt without its own update": (
        image("debian:12", "RUN apt-get update && apt-get install -y a", "RUN apt-get install -y b"),
        "line 3 installs packages and needs the lists",
    ),
    "apt removes its archives": (image("debian:12", "RUN apt update && apt install -y a"), "unlike apt-get"),
    "apt under a condition": (
        image("debian:12", "RUN apt-get update && if x; then apt-get install -y a; fi"),
        "under a condition only",
    ),
    "another RUN may install": (
        image("debian:12", "RUN apt-get update && apt-get install -y a", "RUN mk-build-deps -i"),
        "mk-build-deps in line 3",
    ),
    "Go in a script": (built("golang:1.23", "RUN go mod download", "RUN ./build.sh"), "may need Go's modules"),
    "Go as a user": (
        built("golang:1.23", "RUN useradd -m -u 5 u", "USER u", "RUN go build ."),
        "the builder would make the folders",
    ),
    "Maven installs the project": (built("maven:3", "RUN mvn install"), "mvn install in line 2"),
    "Maven's folder is named": (built("maven:3", "RUN mvn -Dmaven.repo.local=/m package"), "names another folder"),
    "a mount of the stage": (
        built("golang:1.23", "RUN go build -o /out .") + "RUN --mount=from=build,target=/b cp /b/x /y\n",
        "mounts files of the stage",
    ),
    "no restore": (
        built("mcr.microsoft.com/dotnet/sdk:8.0", "RUN dotnet restore", "RUN dotnet build --no-restore"),
        "relies on what an earlier step fetched",
    ),
    "no network for Go": (built("golang:1.23", "ENV GOPROXY=off", "RUN go build ."), "GOPROXY forbids the network"),
    "a user whose number changes": (
        image("node:22", "RUN usermod -u 1500 node", "USER node", "RUN npm ci"),
        "usermod may change the number",
    ),
    "another program that may write to the folder above": (
        image("python:3.12", "RUN useradd -m -u 5 u", "USER u", "RUN pip install x && python load.py"),
        "the builder would make /home/u/.cache for root",
    ),
    "a command that says where the cache is": (
        image("node:22", "RUN npm config set cache /b && npm ci && npm cache clean --force"),
        "`npm config set cache /b` says where npm keeps its cache",
    ),
    "a later step that takes a file out of the store": (
        built("maven:3", "RUN mvn package", "RUN cp ~/.m2/repository/a/b/1/b-1.jar /out"),
        "cp in line 3 works on ~/.m2/repository/a/b/1/b-1.jar",
    ),
    "images built on this one install with apt": (
        image("debian:12", "RUN apt-get update && apt-get install -y a", "ONBUILD RUN apt-get install -y b"),
        "line 3 installs packages and needs the lists",
    ),
    "images built on this one install with apt and its lists": (
        image("debian:12", "RUN apt-get update && apt-get install -y a", "ONBUILD RUN apt-get update && apt install b"),
        "the ONBUILD in line 3 installs packages without the mount",
    ),
    "links into the cache": (
        image("node:22", "RUN pnpm install --package-import-method=hardlink"),
        "the call has pnpm make links into the cache",
    ),
    "links into the cache, by a variable": (
        image("node:22", "ENV npm_config_package_import_method=hardlink", "RUN pnpm install"),
        "npm_config_package_import_method has pnpm make links",
    ),
    "links into Bun's cache": (image("oven/bun:1", "RUN bun install --backend symlink"), "the call has bun make links"),
    "a variable that puts more into the cache": (
        image("debian:12", "ENV UV_TOOL_DIR=/root/.cache/uv/tools", "RUN uv tool install ruff"),
        "UV_TOOL_DIR leads into the cache",
    ),
    "a later step works on the archives": (
        image(
            "debian:12", "RUN apt-get update && apt-get install -d -y a", "RUN dpkg -i /var/cache/apt/archives/*.deb"
        ),
        "line 3 works on /var/cache/apt",
    ),
    "another image gets apt's settings": (
        image("debian:12 AS a", "RUN apt-get update && apt-get install -y a", "FROM scratch", "COPY --from=a / /"),
        "line 4 copies /, which may hold apt's files",
    ),
    "a mount that its author put elsewhere": (
        image("node:22", "RUN --mount=type=cache,id=pnpm,target=/root/.pnpm-store/v3 pnpm install"),
        "the step has a cache mount of its own, /root/.pnpm-store/v3",
    ),
    "conda": (image("continuumio/miniconda3", "RUN conda install x"), "where conda keeps its packages"),
}
SILENT = {
    "a mount is there": image("python:3.12", "RUN --mount=type=cache,target=/root/.cache pip install x"),
    "one of the stores' mounts is there": built(
        "golang:1.23", "RUN --mount=type=cache,target=/go/pkg/mod go mod download", "RUN go build -o /out ."
    ),
    "nothing is downloaded": image("debian:12", "RUN make"),
    "apk brings its own way": image("alpine:3.20", "RUN apk add --no-cache git"),
    "go that needs nothing": built("golang:1.23", "RUN go version"),
}


@pytest.mark.parametrize(("before", "after"), CHANGES.values(), ids=CHANGES)
def test_changes(before: str, after: str) -> None:
    result = run(before)

    assert result.after == after
    assert run(result.after).after == after


@pytest.mark.parametrize(("text", "reason"), REASONS.values(), ids=REASONS)
def test_declines(text: str, reason: str) -> None:
    result = run(text)

    assert result.after == text
    assert any(reason in declined.reason for declined in result.declined), [d.reason for d in result.declined]


@pytest.mark.parametrize(
    ("command", "owner"),
    [
        ("useradd -m -u 5 app", "5,gid=5"),
        ("useradd -mu 5 app", "5,gid=5"),
        ("useradd --create-home --uid=5 --shell /bin/sh app", "5,gid=5"),
        ("groupadd -g 7 app && useradd -u 5 -g app -rm app", "5,gid=5"),
        ("adduser -D -u 5 app", "5,gid=5"),
        ('adduser --uid 5 --disabled-password --gecos "" app', "5,gid=5"),
        ("useradd -u 5 app", ""),
        ("adduser -D -H -u 5 app", ""),
        ("useradd -m app", ""),
        ("adduser --system --uid 5 app", ""),
        ("adduser --system --home /home/app --uid 5 app", "5,gid=5"),
        ("useradd -m -u $N app", ""),
        ("useradd -m -u 5 --badname app", ""),
        ("if x; then useradd -m -u 5 app; fi", ""),
    ],
)
def test_the_number_of_a_user_is_read_where_he_is_made(command: str, owner: str) -> None:
    after = run(image("python:3.12", f"RUN {command}", "USER app", "RUN pip install x")).after

    assert (f"/home/app/.cache/pip,uid={owner} " in after) if owner else ("--mount" not in after)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_has_nothing_to_say(text: str) -> None:
    result = run(text)

    assert (result.after, result.declined) == (text, ())


@pytest.mark.parametrize(
    ("line", "comes"),
    [
        ("# syntax=docker/dockerfile:1", True),
        ("# syntax=docker/dockerfile:1.7-labs", True),
        ("# a comment", False),
    ],
)
def test_a_directive_shows_buildkit(line: str, comes: bool) -> None:  # noqa: FBT001 (a table)
    result = run(f"{line}\n" + image("python:3.12", "RUN pip install x"), plan=Plan())

    assert (PIP in result.after) is comes


@pytest.mark.parametrize(
    ("line", "comes"),
    [
        ("COPY --link a b", True),
        ("COPY --chmod=644 a b", True),
        ("COPY <<E b\nx\nE", True),
        ("RUN --network=none true", True),
        ("COPY --chown=1 a b", False),
        ("ARG TARGETARCH", False),
    ],
)
def test_syntax_of_its_own_shows_buildkit(line: str, comes: bool) -> None:  # noqa: FBT001 (a table)
    result = run(image("python:3.12", line, "RUN pip install x"), {"a": ""}, Plan())

    assert (PIP in result.after) is comes


def test_the_configuration_asks_for_all_files() -> None:
    plan = Plan(options={"cache-mounts": {"always": True}})

    assert PIP in run(image("python:3.12", "RUN pip install --no-cache-dir x"), plan=plan).after


def test_never_together_with_cleaning() -> None:
    text = "# syntax=docker/dockerfile:1\n" + image(
        "debian:12", "RUN apt-get update && apt-get install -y npm && npm install -g x && pip install y"
    )

    after = run(text, plan=Plan()).after

    assert after.count("--mount=") == 4
    assert not any(word in after for word in ("rm -rf", "--no-cache-dir", "cache clean"))


@pytest.mark.parametrize(
    ("base", "install", "path", "setting"),
    [
        ("node:22", "pnpm install", ".npmrc", "package-import-method=hardlink\n"),
        ("node:22", "pnpm install", "pnpm-workspace.yaml", "enableGlobalVirtualStore: true\n"),
        ("python:3.12", "uv sync", "pyproject.toml", '[tool.uv]\nlink-mode = "symlink"\n'),
        ("python:3.12", "uv sync", "uv.toml", 'link-mode = "symlink"\n'),
    ],
)
def test_a_settings_file_makes_links_into_the_cache(base: str, install: str, path: str, setting: str) -> None:
    text = image(base, f"RUN {install}")
    result = run(text, {path: setting}, Plan(select=frozenset({"cache-mounts", "clean-package-caches"})))

    assert result.after == text
    assert any("links into the cache" in declined.reason for declined in result.declined)


def test_a_settings_file_moves_the_cache() -> None:
    result = run(image("node:22", "RUN npm ci"), {".npmrc": "cache=/elsewhere\n"})

    assert [d.reason for d in result.declined] == [".npmrc says where npm keeps its cache"]


def test_every_cache_is_mounted_or_refused_for_a_reason() -> None:
    told = DOWNLOADS.keys() | REFUSED.keys() | STORES.keys()

    assert told <= {ecosystem.id for ecosystem in all_ecosystems()}
