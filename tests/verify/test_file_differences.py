from collections.abc import Mapping

import pytest

from optimizer.report.evidence import Difference
from optimizer.verify.comparison import Claims, compare
from optimizer.verify.image import Image
from tests.verify.images import File, image, link

Files = Mapping[str, File | str | bytes]


def told(before: Files, after: Files, claims: Claims | None = None, again: Image | None = None) -> list[Difference]:
    return list(compare(image(before), image(after), claims or Claims(), again=again))


def left_out(transform: str, *patterns: str) -> Claims:
    return Claims(patterns=tuple((transform, pattern) for pattern in patterns))


@pytest.mark.parametrize(
    ("before", "after", "was", "now"),
    [
        (File("a"), File("b"), "1 bytes, ca978112ca1b", "1 bytes, 3e23e8160039"),
        (File(mode=0o755), File(mode=0o644), "mode 0755", "mode 0644"),
        (File(mode=0o4755), File(mode=0o755), "mode 4755", "mode 0755"),
        (File(owner=(1000, 0)), File(), "owner 1000:0", "owner 0:0"),
        (link("a"), link("b"), "a", "b"),
        (File(folder=True), File(), "folder", "file"),
        (
            File(pax={"SCHILY.xattr.security.capability": "a"}),
            File(),
            "security.capability=61",
            "no extended attributes",
        ),
    ],
)
def test_how_a_path_differs(before: File, after: File, was: str, now: str) -> None:
    links = {"/app/a": "", "/app/b": ""}
    (found,) = told({"/app/x": before, **links}, {"/app/x": after, **links})

    assert (found.subject, found.before, found.after, found.claimed_by) == ("/app/x", was, now, None)


def test_two_ways_at_once_are_told_both() -> None:
    found = told({"/x": File("a", mode=0o755)}, {"/x": File("b", mode=0o644)})

    assert [(one.before, one.after) for one in found if one.before] == [
        ("mode 0755", "mode 0644"),
        ("1 bytes, ca978112ca1b", "1 bytes, 3e23e8160039"),
    ]


def test_a_lost_folder_is_told_once_with_the_number_of_what_it_held() -> None:
    (found,) = told({f"/app/static/{n}/a": "" for n in range(50)} | {"/app/x": ""}, {"/app/x": ""})

    assert (found.subject, found.before, found.after, found.count) == ("/app/static", "folder", None, 100)


def test_many_changes_are_summed_up_by_folder() -> None:
    names = [f"/app/{folder}/{n}" for folder in "abc" for n in range(100)]
    found = told(dict.fromkeys(names, "1"), dict.fromkeys(names, "2"))

    assert [(one.subject, one.count) for one in found] == [("/app/a", 99), ("/app/b", 99), ("/app/c", 99)]
    assert (found[0].before, found[0].after) == ("0 and others", "another content")


def test_few_changes_are_told_one_by_one() -> None:
    names = [f"/app/{n}" for n in range(20)]

    assert [one.subject for one in told(dict.fromkeys(names, "1"), dict.fromkeys(names, "2"))] == sorted(names)


@pytest.mark.parametrize(
    "path",
    [
        "/app/__pycache__/main.cpython-311.pyc",
        "/var/lib/apt/lists/deb.debian.org_dists_bookworm_InRelease",
        "/var/log/apt/history.log",
        "/var/lib/dpkg/status-old",
        "/var/cache/ldconfig/aux-cache",
        "/root/.npm/_logs/2026-01-01T00_00_00-debug-0.log",
        "/root/.cache/pip/http-v2/a/b",
        "/root/.cache/node/corepack/v1/yarn",
        "/home/node/.cache/yarn/x",
        "/root/.config/configstore/update-notifier-npm.json",
        "/root/.wget-hsts",
        "/tmp/hsperfdata_root/12",
        "/tmp/node-compile-cache/v20/a",
        "/tmp/tmp8y360xbecacert.pem",
        "/tmp/tmp3nktl_fu",
        "/app/node_modules/.cache/babel/a.json",
    ],
)
def test_what_comes_and_goes_is_no_difference(path: str) -> None:
    assert told({"/app/node_modules/x": "", path: ""}, {"/app/node_modules/x": ""}) == []
    assert told({"/app/node_modules/x": ""}, {"/app/node_modules/x": "", path: ""}) == []


@pytest.mark.parametrize(
    "path",
    [
        "/tmp/app",
        "/var/log/app/state",
        "/root/.cache/models/large",
        "/root/.config/app.toml",
        "/root/.npmrc",
        "/root/.cache/pypoetry/virtualenvs/app/bin/python",
        "/root/.local/share/uv/python/cpython-3.12/bin/python",
        "/root/.local/share/pnpm/serve",
        "/root/.config/pip/pip.conf",
        "/root/uv/x",
        "/run/app.sock",
        "/var/cache/app/index",
        "/app/cache.pyc",
        "/app/.cache/pip/x",
        "/root/.local/bin/tool",
        "/app/node_modules/.bin/tool",
        "/var/lib/dpkg/status",
    ],
)
def test_what_is_lost_beside_it_is_one(path: str) -> None:
    (found,) = told({"/app/x": "", path: ""}, {"/app/x": ""})

    assert path.startswith(found.subject)


@pytest.mark.parametrize(
    "path", ["/etc/machine-id", "/app/node_modules/.package-lock.json", "/etc/ssh/ssh_host_rsa_key"]
)
def test_what_is_written_anew_must_still_be_there(path: str) -> None:
    assert told({path: "1"}, {path: "2"}) == []
    assert told({path: "1", "/etc/x": "", "/app/node_modules/x": "", "/etc/ssh/x": ""}, {"/etc/x": ""})


def test_the_day_of_a_password_does_not_count() -> None:
    day = "root:*:20001:0:99999:7:::\napp:!:{}:0:99999:7:::\n"

    assert told({"/etc/shadow": day.format(20001)}, {"/etc/shadow": day.format(20002)}) == []
    assert told({"/etc/shadow": day.format(20001)}, {"/etc/shadow": day.format(20001).replace("!", "x")})


def test_compiled_modules_of_python_2_count_without_their_source() -> None:
    assert told({"/a.py": "", "/a.pyc": "1"}, {"/a.py": "", "/a.pyc": "2"}) == []
    assert told({"/a.pyc": "1"}, {"/a.pyc": "2"})


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/opt/x.tgz", "/opt/x.tgz"),
        ("/opt/x-${VERSION}.tgz", "/opt/x-1.2.tgz"),
        ("/var/lib/apt/lists", "/var/lib/apt/lists/partial/a"),
        ("/**/node_modules", "/app/web/node_modules/a/b.js"),
        ("/app/**/node_modules", "/app/node_modules/a/b.js"),
        ("/root/.m2/", "/root/.m2/repository/a"),
        ("<working directory of the base image>/x.tgz", "/x.tgz"),
    ],
)
def test_what_is_announced_is_claimed(pattern: str, path: str) -> None:
    found = told({path: "", "/opt/x": "", "/app/x": ""}, {"/opt/x": "", "/app/x": ""}, left_out("a-transform", pattern))

    assert {one.claimed_by for one in found} == {"a-transform"} or path.startswith("/var/lib/apt")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/opt/x.tgz", "/opt/x.tgz.sig"),
        ("/opt/x-${VERSION}.tgz", "/opt/x-1/a.tgz"),
        ("/app/*", "/srv/a"),
        ("/**/node_modules", "/app/node_modules_of_mine/a"),
    ],
)
def test_what_is_not_announced_is_not_claimed(pattern: str, path: str) -> None:
    found = told({path: "", "/opt/x": ""}, {"/opt/x": ""}, left_out("a-transform", pattern))

    assert [one for one in found if one.claimed_by is None]


def test_what_is_left_out_may_not_be_another_instead() -> None:
    (found,) = told({"/opt/x.tgz": "1"}, {"/opt/x.tgz": "2"}, left_out("remove-downloads", "/opt/x.tgz"))

    assert found.claimed_by is None


def test_a_folder_shares_the_claim_of_all_that_it_held() -> None:
    claims = Claims(paths={"/app/.git/HEAD": "write-dockerignore"})

    (found,) = told({"/app/.git/HEAD": "", "/app/x": ""}, {"/app/x": ""}, claims)
    assert (found.subject, found.claimed_by, found.count) == ("/app/.git", "write-dockerignore", 1)

    found, *rest = told({"/app/.git/HEAD": "", "/app/.git/config": "", "/app/x": ""}, {"/app/x": ""}, claims)
    assert {one.claimed_by for one in (found, *rest)} == {"write-dockerignore", None}


def test_an_empty_folder_counts() -> None:
    (found,) = told({"/srv/uploads": File(folder=True), "/srv/x": ""}, {"/srv/x": ""})

    assert found.subject == "/srv/uploads"


def test_what_dfopt_wrote_counts_as_what_was_there() -> None:
    from hashlib import sha256

    def digest(text: str) -> str:
        return sha256(text.encode()).hexdigest()

    claims = Claims(written={digest("FROM b"): digest("FROM a"), digest("x"): None})

    assert told({"/app/Dockerfile": "FROM a"}, {"/app/Dockerfile": "FROM b", "/app/.dockerignore": "x"}, claims) == []
    assert told({"/app/Dockerfile": "FROM c"}, {"/app/Dockerfile": "FROM b"}, claims)
    assert told({"/app/Dockerfile": "FROM a"}, {}, claims)


def test_more_in_a_cache_is_no_difference_and_less_is() -> None:
    claims = Claims(caches=("/go/pkg/mod",))

    assert told({"/go/pkg/mod/a": ""}, {"/go/pkg/mod/a": "", "/go/pkg/mod/b": ""}, claims) == []
    assert told({"/go/pkg/mod/a": "", "/go/pkg/mod/b": ""}, {"/go/pkg/mod/a": ""}, claims)


FIRST = {"/stamp": "1", "/app/x": "1", "/log/1": ""}


@pytest.mark.parametrize(
    ("again", "after", "subjects"),
    [
        ({"/stamp": "2", "/app/x": "1", "/log/1": ""}, {"/stamp": "3", "/app/x": "1", "/log/1": ""}, []),
        ({"/stamp": "2", "/app/x": "1", "/log/1": ""}, {"/stamp": "3", "/app/x": "2", "/log/1": ""}, ["/app/x"]),
        ({"/stamp": "2", "/app/x": "1", "/log/1": ""}, {"/app/x": "1", "/log/1": ""}, ["/stamp"]),
        ({"/stamp": "2", "/app/x": "1", "/log/1": ""}, {**FIRST, "/stamp": File("3", mode=0o600)}, ["/stamp"]),
        ({"/stamp": "1", "/app/x": "1"}, {"/stamp": "1", "/app/x": "1"}, []),
        ({"/stamp": "1", "/app/x": "2", "/log/1": ""}, {"/stamp": "1", "/app/x": "2", "/log/1": ""}, []),
    ],
)
def test_where_two_builds_of_the_original_differ(again: Files, after: Files, subjects: list[str]) -> None:
    found = told(FIRST, after, again=image(again))

    assert sorted({one.subject for one in found}) == subjects


def test_packages_that_were_only_recommended() -> None:
    info = "/var/lib/dpkg/info"
    kept: dict[str, File | str | bytes] = {
        "/lib": link("usr/lib"),
        "/usr/lib/x": "",
        "/usr/local/share/x": "",
        f"{info}/wget.list": "/.\n/usr/bin/wget\n/usr/share\n",
        "/usr/bin/wget": "",
    }
    before = {
        **kept,
        f"{info}/ca-certificates.list": "/.\n/usr/share/ca-certificates\n/usr/share/ca-certificates/a.crt\n",
        "/usr/share/ca-certificates/a.crt": "",
        "/usr/lib/libexpat.so.1": "",
        f"{info}/libexpat1.list": "/lib/libexpat.so.1\n",
        "/usr/local/share/fonts": File(folder=True),
        "/etc/x": "",
        f"{info}/mercurial.list": "/etc/mercurial\n",
        "/etc/mercurial/hgext.rc": "written by the package's script",
        "/usr/share/x": "",
        "/etc/ssl/certs/a.pem": link("/usr/share/ca-certificates/a.crt"),
        "/var/lib/dpkg/status": "both",
        "/var/lib/apt/extended_states": "one",
    }
    after = {
        **kept,
        "/etc/x": "",
        "/usr/share/x": "",
        "/var/lib/dpkg/status": "one",
        "/var/lib/apt/extended_states": "",
    }

    assert {one.claimed_by for one in told(before, after, Claims(packages="skip-recommends"))} == {"skip-recommends"}
    assert None in {one.claimed_by for one in told(before, after)}
    lost = {path: text for path, text in after.items() if path != "/usr/bin/wget"}
    unclaimed = [o for o in told(before, lost, Claims(packages="skip-recommends")) if o.claimed_by is None]
    assert [one.subject for one in unclaimed] == ["/usr/bin"]


def test_programs_of_distributions_that_were_left_out() -> None:
    site = "/usr/local/lib/python3.11/site-packages"
    record = "pytest/__init__.py,,\n../../../bin/pytest,sha256=x,12\n"
    before = {
        f"{site}/pytest/__init__.py": "",
        f"{site}/pytest-8.dist-info/RECORD": record,
        f"{site}/x": "",
        "/usr/local/bin/pytest": "",
        "/usr/local/bin/x": "",
    }
    after = {f"{site}/x": "", "/usr/local/bin/x": ""}
    claims = left_out("omit-dev-dependencies", "/**/site-packages")

    assert {one.claimed_by for one in told(before, after, claims)} == {"omit-dev-dependencies"}
    found = told({**before, "/usr/local/bin/other": ""}, after, claims)
    assert [one.subject for one in found if one.claimed_by is None] == ["/usr/local/bin/other"]
