from hashlib import sha256

import pytest

from optimizer.context import Context
from optimizer.engine import Applied, Plan, Result, optimize
from optimizer.transforms import Artifact, Level, Rewrite
from optimizer.verify.comparison import Claims, claims_of, compare
from tests.verify.images import image, link

IGNORES = "write-dockerignore"


def claimed(dockerfile: str, context: Context | None = None, level: Level = Level.ASSUMED) -> Claims:
    context = context or Context.of({})
    return claims_of(optimize(dockerfile, context, Plan(level=level)), context)


def ignoring(dockerfile: str, files: dict[str, str], ignore: str) -> Claims:
    """Return the claims of a rewrite that does nothing but write this ignore file."""
    context = Context.of(files)
    artifact = Artifact(".dockerignore", ignore)
    rewrite = Rewrite(1, "Write .dockerignore", "It is shorter.", (), artifacts=(artifact,))
    applied = (Applied(IGNORES, Level.EQUIVALENT, rewrite, 1, 1, 1),)
    return claims_of(Result(dockerfile, dockerfile, applied, artifacts=(artifact,)), context)


FILES = {"main.py": "", ".git/HEAD": "", "web/a.js": "", "web/node_modules/b.js": ""}


@pytest.mark.parametrize(
    ("dockerfile", "paths"),
    [
        ("FROM a\nWORKDIR /app\nCOPY . .\n", ["/app/.git/HEAD", "/app/web/node_modules/b.js"]),
        ("FROM a\nCOPY web /srv/\n", ["/srv/node_modules/b.js"]),
        ("FROM a\nADD . /x/\n", ["/x/.git/HEAD", "/x/web/node_modules/b.js"]),
        ("FROM a\nCOPY main.py /app/\n", []),
        ("FROM a AS b\nCOPY . /src\nFROM a\nCOPY --from=b /src/web /app\n", ["/app/node_modules/b.js"]),
        ("FROM a\nCOPY . /src\nFROM a\nCOPY --from=0 /src/.git/HEAD /app/\n", ["/app/HEAD"]),
        ("FROM a AS b\nCOPY web /src\nFROM b\nRUN x\n", ["/src/node_modules/b.js"]),
        ("FROM a AS b\nCOPY . /src\nFROM a\nRUN x\n", []),
        ("FROM a\nCOPY --from=example.com/x / /src\n", []),
    ],
)
def test_files_that_the_new_ignore_file_leaves_out(dockerfile: str, paths: list[str]) -> None:
    found = ignoring(dockerfile, FILES, ".git\n**/node_modules\n").paths

    assert dict(found) == dict.fromkeys(paths, IGNORES)


def test_files_that_were_ignored_before_are_not_among_them() -> None:
    files = {**FILES, ".dockerignore": ".git\n"}

    assert list(ignoring("FROM a\nCOPY . /app\n", files, ".git\n**/node_modules\n").paths) == [
        "/app/web/node_modules/b.js"
    ]


def test_what_was_written_in_place_of_what() -> None:
    def digest(text: str) -> str:
        return sha256(text.encode()).hexdigest()

    dockerfile = "FROM a\nCOPY . /app\n"

    assert ignoring(dockerfile, FILES, "x\n").written[digest("x\n")] is None
    assert ignoring(dockerfile, {**FILES, ".dockerignore": "y\n"}, "x\n").written[digest("x\n")] == digest("y\n")
    found = claimed("FROM debian:12\nADD a /a\n", Context.of({"a": ""}))
    assert found.written == {digest("FROM debian:12\nCOPY a /a\n"): digest("FROM debian:12\nADD a /a\n")}


@pytest.mark.parametrize(
    ("run", "claims"),
    [
        ("apt-get update && apt-get install -y curl ca-certificates", [("clean-package-caches", "/var/lib/apt/lists")]),
        ("pip install flask", [("clean-package-caches", "/root/.cache/pip")]),
        (
            "wget https://example.com/x-$V.tgz -O /opt/x-$V.tgz && tar xf /opt/x-$V.tgz",
            [("remove-downloads", "/opt/x-${V}.tgz")],
        ),
    ],
)
def test_what_a_rewrite_announces(run: str, claims: list[tuple[str, str]]) -> None:
    assert set(claims) <= set(claimed(f"FROM debian:12\nRUN {run}\n").patterns)


def test_packages_and_the_start_are_announced_only_where_they_are_rewritten() -> None:
    found = claimed("FROM debian:12-slim\nRUN apt-get update && apt-get install -y bc\nCMD bc\n")

    assert (found.packages, found.start) == ("skip-recommends", "exec-form")
    found = claimed("FROM debian:12\nRUN apt-get update && apt-get install -y bc\nCMD bc\n", level=Level.EXACT)
    assert (found.packages, found.start) == (None, None)


def test_the_folders_of_caches() -> None:
    found = claimed("FROM node:20\nENV npm_config_cache=/srv/npm\nRUN npm install -g a\nRUN pip install b\n")

    assert {"/srv/npm", "/root/.cache/pip"} <= set(found.caches)


def test_a_slimmer_base_is_announced_with_its_packages() -> None:
    found = claimed('FROM debian:12\nCMD ["true"]\n')

    assert (found.packages, found.slimmer) == ("use-slim-base", "use-slim-base")
    assert found.paths["/etc/networks"] == "use-slim-base"
    assert ("use-slim-base", "/usr/share/man") in found.patterns


@pytest.mark.parametrize(("target", "author"), [("/usr/share/man/man1/c89-gcc.1.gz", "x"), ("/usr/bin/vim", None)])
def test_an_alternative_goes_with_what_it_names(target: str, author: str | None) -> None:
    before = image({"/etc/alternatives/a": link(target), "/etc/alternatives/b": ""})
    after = image({"/etc/alternatives/b": ""})

    (found,) = compare(before, after, Claims(patterns=(("x", "/usr/share/man"),)))

    assert (found.subject, found.claimed_by) == ("/etc/alternatives/a", author)
