from collections.abc import Mapping

import pytest

from optimizer.report.evidence import Difference
from optimizer.verify._libraries import library_differences
from optimizer.verify.image import Linkage
from tests.verify.images import File, link, linked, program

M = "EM_X86_64/64"
LIBRARY = Linkage(M)
NEEDS = Linkage(M, needed=("libpq.so.5",))
LINKER = "/lib64/ld-linux-x86-64.so.2"


def told(
    before: Mapping[str, Linkage],
    after: Mapping[str, Linkage],
    others: Mapping[str, File | str | bytes] | None = None,
    **config: object,
) -> list[Difference]:
    return list(library_differences(linked(before, others, **config), linked(after, others, **config)))


@pytest.mark.parametrize(
    ("program", "place", "others", "env"),
    [
        (NEEDS, "/usr/lib/libpq.so.5", {}, []),
        (NEEDS, "/usr/lib/x86_64-linux-gnu/libpq.so.5", {"/etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n",
         "/etc/ld.so.conf.d/a.conf": "# Debian\n/usr/lib/x86_64-linux-gnu\n"}, []),
        (NEEDS, "/opt/lib/libpq.so.5", {}, ["LD_LIBRARY_PATH=/srv:/opt/lib"]),
        (Linkage(M, needed=("libpq.so.5",), runpath=("$ORIGIN/../lib",)), "/app/lib/libpq.so.5", {}, []),
        (Linkage(M, needed=("libpq.so.5",), rpath=("${ORIGIN}",)), "/app/bin/libpq.so.5", {}, []),
        (NEEDS, "/srv/libpq.so.5", {"/etc/ld-musl-x86_64.path": "/lib:/srv\n"}, []),
        (NEEDS, "/usr/local/lib/libpq.so.5", {"/lib/ld-musl-x86_64.so.1": ""}, []),
        (NEEDS, "/usr/lib/libpq.so.5", {"/lib": link("usr/lib")}, []),
    ],
)  # fmt: skip
def test_where_a_library_is_looked_for(
    program: Linkage, place: str, others: Mapping[str, File | str | bytes], env: list[str]
) -> None:
    there = {"/app/bin/server": program, place: LIBRARY}

    assert told(there, there, others, Env=env) == []
    (found,) = told(there, {"/app/bin/server": program}, others, Env=env)
    assert found.subject == "libpq.so.5 of /app/bin/server"
    assert found.before
    assert found.after is None


def test_a_library_that_is_moved_to_where_nothing_looks() -> None:
    before = {"/app/server": NEEDS, "/usr/lib/libpq.so.5": LIBRARY}
    after = {"/app/server": NEEDS, "/opt/libpq.so.5": LIBRARY}

    (found,) = told(before, after)
    assert (found.before, found.after) == ("/usr/lib/libpq.so.5", "/opt/libpq.so.5")
    assert told(after, after) == []


def test_a_runpath_puts_the_older_one_out_of_force() -> None:
    before = {"/app/server": Linkage(M, needed=("libpq.so.5",), rpath=("/a",)), "/a/libpq.so.5": LIBRARY}
    after = {**before, "/app/server": Linkage(M, needed=("libpq.so.5",), rpath=("/a",), runpath=("/b",))}

    assert [one.subject for one in told(before, after)] == ["libpq.so.5 of /app/server"]


def test_a_library_of_another_machine_does_not_do() -> None:
    before = {"/app/server": NEEDS, "/usr/lib/libpq.so.5": LIBRARY}
    after = {"/app/server": NEEDS, "/usr/lib/libpq.so.5": Linkage("EM_386/32")}

    assert [one.subject for one in told(before, after)] == ["libpq.so.5 of /app/server"]


def test_what_was_lacking_before_is_no_difference() -> None:
    assert told({"/app/server": NEEDS}, {"/app/server": NEEDS}) == []


def test_a_new_program_must_find_its_libraries() -> None:
    assert [one.subject for one in told({}, {"/app/server": NEEDS})] == ["libpq.so.5 of /app/server"]


def test_a_lost_program_needs_nothing() -> None:
    assert told({"/app/server": NEEDS, "/usr/lib/libpq.so.5": LIBRARY}, {}) == []


def test_many_programs_that_lack_the_same() -> None:
    programs = {f"/app/{name}": NEEDS for name in "abc"}

    (found,) = told({**programs, "/usr/lib/libpq.so.5": LIBRARY}, programs)
    assert (found.subject, found.count) == ("libpq.so.5 of /app/a", 2)


def test_tk_may_go_with_its_packages_where_nothing_imports_it() -> None:
    needs = {"/usr/local/lib/python3.11/lib-dynload/_tkinter.so": Linkage(M, needed=("libtk8.6.so",))}
    before = {**needs, "/usr/lib/libtk8.6.so": LIBRARY}

    def claims(source: str, packages: str | None) -> list[str | None]:
        others = {"/usr/local/bin/python3.11": program(), "/main.py": source}
        old, new = (linked(files, others, Cmd=["python3.11", "main.py"]) for files in (before, needs))
        return [one.claimed_by for one in library_differences(old, new, packages)]

    assert claims("import json", "use-slim-base") == ["use-slim-base"]
    assert claims("import json", None) == [None]
    assert claims("from tkinter import ttk", "use-slim-base") == [None]


def test_the_linker_itself_is_missing() -> None:
    program = Linkage(M, interpreter=LINKER)

    (found,) = told({"/app/server": program, LINKER: LIBRARY}, {"/app/server": program})
    assert found.subject == f"{LINKER} of /app/server"


def test_settings_that_include_themselves() -> None:
    there = {"/app/server": NEEDS, "/opt/libpq.so.5": LIBRARY}

    assert told(there, there, {"/etc/ld.so.conf": "include /etc/ld.so.conf\n/opt\nhwcap 1 x\n"}) == []


def test_a_library_that_is_too_old() -> None:
    server = Linkage(M, needed=("libc.so.6",), versions=(("libc.so.6", "GLIBC_2.34"), ("libc.so.6", "GLIBC_2.38")))
    old, new = (Linkage(M, defines=versions) for versions in (("GLIBC_2.34",), ("GLIBC_2.34", "GLIBC_2.38")))

    (found,) = told({"/a": server, "/lib/libc.so.6": new}, {"/a": server, "/lib/libc.so.6": old})
    assert found.subject == "GLIBC_2.38 in libc.so.6 of /a"
    assert told({"/a": server, "/lib/libc.so.6": old}, {"/a": server, "/lib/libc.so.6": old}) == []
    assert told({"/a": server, "/lib/libc.so.6": old}, {"/a": server, "/lib/libc.so.6": LIBRARY}) == []
    assert [one.subject for one in told({}, {"/a": server, "/lib/libc.so.6": old})] == ["GLIBC_2.38 in libc.so.6 of /a"]
