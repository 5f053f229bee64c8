"""Calls: which programs are started, where, with what, and how surely."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.shell import Call, calls, parse_script

VARIABLES = {"HOME": "/root", "X": "/x", "U": None}


def _calls(text: str, variables: dict[str, str | None] | None = None) -> tuple[Call, ...]:
    return calls(parse_script(text), "/w", VARIABLES if variables is None else variables)


DIRECTORIES = [
    ("a", "/w"),
    ("cd b && a", "/w/b"),
    ("cd /b && a", "/b"),
    ("cd // && a", "/"),
    ("cd b/../c/ && a", "/w/c"),
    ("cd ../.. && a", "/"),
    ("cd b; a", "/w/b"),
    ("cd b && cd c && a", "/w/b/c"),
    ("cd -- b && a", "/w/b"),
    ("cd -P b && a", None),
    ("command cd b && a", "/w/b"),
    ("cd 'b c' && a", "/w/b c"),
    ("cd $X && a", "/x"),
    ('cd "$X/y" && a', "/x/y"),
    ("cd ${X} && a", "/x"),
    ("cd && a", "/root"),
    ("cd $U && a", None),
    ("cd $Y && a", None),
    ("cd ~ && a", None),
    ("cd - && a", None),
    ("cd $(b) && a", None),
    ("cd b* && a", None),
    ("pushd b && a", None),
    ("popd; a", None),
    ("cd /b && cd - && cd /c && a", "/c"),
    ("CDPATH=/q; cd b && a", None),
    ("CDPATH=/q; cd ./b && a", "/w/b"),
    ("(cd b); a", "/w"),
    ("(cd b && a)", "/w/b"),
    ("{ cd b; } && a", "/w/b"),
    ("cd b | c; a", "/w"),
    ("cd b & a", "/w"),
    ("b || cd c; a", None),
    ("b && cd c; a", None),
    ("cd b || exit 1; a", "/w/b"),
    ("c && cd b || { echo; exit 1; }; a", "/w/b"),
    ("cd b || true; a", None),
    ("cd b || cd c && a", None),
    ("if b; then cd c; fi; a", None),
    ("if cd c; then a; fi", "/w/c"),
    ("case b in c) cd d;; esac; a", None),
    ("for i in b c; do cd $i; done; a", None),
    ("for i in b c; do a; cd d; done", None),
    ("for i in b c; do (cd d); done; a", None),
    ("for i in b c; do a; done", "/w"),
    ("while a; do cd b; done", None),
    ("f() { cd b; }; a", "/w"),
    ("f() { cd b; }; f; a", None),
    ("f() { b; }; f; a", "/w"),
    (". venv/bin/activate && a", "/w"),
    (". ./b.sh && a", None),
    ('eval "$(b)"; a', None),
    ("$X; a", None),
    ("sh -c 'cd b && a'", "/w/b"),
    ("sh -c 'cd b'; a", "/w"),
    ("$(cd b); a", None),
    ("echo $(cd b && a)", "/w/b"),
    ("sudo -D /y a", "/y"),
    ("sudo -i a", None),
    ("env -C y a", "/w/y"),
    ("su - bob -c a", None),
    ("su bob -c a", "/w"),
]


@pytest.mark.parametrize(("text", "directory"), DIRECTORIES)
def test_directory(text: str, directory: str | None) -> None:
    assert [c.directory for c in _calls(text) if c.program == "a"] == [directory]


@pytest.mark.parametrize(
    ("text", "directory"), [("cd b && a", "base/b"), ("cd /b && a", "/b"), ("cd .. && a", None), ("cd ./ && a", "base")]
)
def test_directory_below_an_unknown_place(text: str, directory: str | None) -> None:
    assert calls(parse_script(text), "base", {})[-1].directory == directory


@pytest.mark.parametrize(("text", "directory"), [("cd b && a", None), ("cd /b && a", "/b"), ("a", None)])
def test_directory_unknown_from_the_start(text: str, directory: str | None) -> None:
    assert calls(parse_script(text), None, {})[-1].directory == directory


STARTED = [
    ("/usr/bin/a b", "a", ["/usr/bin/a", "b"]),
    ("A=1 a b", "a", ["a", "b"]),
    ("sudo a b", "a", ["a", "b"]),
    ("sudo -E -u bob -H A=1 a -u", "a", ["a", "-u"]),
    ("sudo -Eu bob a", "a", ["a"]),
    ("sudo -- a", "a", ["a"]),
    ("sudo -l a", "sudo", ["sudo", "-l", "a"]),
    ("sudo", "sudo", ["sudo"]),
    ("env A=1 B=2 a", "a", ["a"]),
    ("env -i -u X a", "a", ["a"]),
    ("env -S 'a b'", "env", ["env", "-S", "a b"]),
    ("time -p a", "a", ["a"]),
    ("nice -n 5 a", "a", ["a"]),
    ("nice -5 ionice -c2 -n 7 nohup a", "a", ["a"]),
    ("timeout -k 5 --foreground 10m a -s", "a", ["a", "-s"]),
    ("exec -a x a", "a", ["a"]),
    ("command a", "a", ["a"]),
    ("command -v a", "command", ["command", "-v", "a"]),
    ("gosu bob a b", "a", ["a", "b"]),
    ("su-exec bob:staff a", "a", ["a"]),
    ("setpriv --reuid bob --clear-groups a", "a", ["a"]),
    ("stdbuf -oL a", "a", ["a"]),
    ("xargs -r -0 -n 1 a -b", "a", ["a", "-b", None]),
    ("xargs", "xargs", ["xargs"]),
    ("chroot /x a", "chroot", ["chroot", "/x", "a"]),
    ("sh -c 'a b'", "a", ["a", "b"]),
    ('bash -lc "a b"', "a", ["a", "b"]),
    ("bash -eux -o pipefail -c 'a b'", "a", ["a", "b"]),
    ("sh -c 'a' b c", "a", ["a"]),
    ("sh -c $X", "x", ["/x"]),
    ('bash -c "a $Y"', "bash", ["bash", "-c", None]),
    ("bash -c 'a &&'", "bash", ["bash", "-c", "a &&"]),
    ("bash a.sh -c b", "bash", ["bash", "a.sh", "-c", "b"]),
    ("sudo sh -c 'nice a b'", "a", ["a", "b"]),
    ("su bob -c 'a b'", "a", ["a", "b"]),
    ("su -s /bin/sh -c 'a b' bob", "a", ["a", "b"]),
    ("su bob", "su", ["su", "bob"]),
    ("eval 'a b' c", "a", ["a", "b", "c"]),
    ('eval "$U"', "eval", ["eval", None]),
    ("trap 'a b' EXIT", "a", ["a", "b"]),
    ('trap "$U" EXIT', "trap", ["trap", None, "EXIT"]),
    (". ./a", "source", [".", "./a"]),
    ("source ./a", "source", ["source", "./a"]),
    ("[ -f a ]", "[", ["[", "-f", "a", "]"]),
    ("$U a", "$U", [None, "a"]),
]


@pytest.mark.parametrize(("text", "program", "words"), STARTED)
def test_started(text: str, program: str, words: list[str | None]) -> None:
    (call,) = _calls(text)

    assert call.program == program
    assert [w.value for w in call.words] == words


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("a", None),
        ("sudo a", "root"),
        ("sudo -u bob a", "bob"),
        ("sudo -ubob a", "bob"),
        ("sudo --user=bob a", "bob"),
        ("sudo -Hu bob a", "bob"),
        ("sudo -u $U a", "$U"),
        ("gosu bob a", "bob"),
        ("su bob -c a", "bob"),
        ("su -c a", "root"),
        ("su - bob -c a", "bob"),
        ("su -s /bin/bash bob -c a", "bob"),
        ("runuser -u bob -- a", None),
    ],
)
def test_user(text: str, user: str | None) -> None:
    assert _calls(text)[-1].user == user


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("a", {}),
        ("A=1 a", {"A": "1"}),
        ("A=1 b; a", {}),
        ("A=1; a", {"A": "1"}),
        ("A=$X/y; a", {"A": "/x/y"}),
        ("A=$U; a", {"A": None}),
        ("A=$(b); a", {"A": None}),
        ("A+=1; a", {"A": None}),
        ("export A=1 B=$X && a", {"A": "1", "B": "/x"}),
        ("export A='b c' && a", {"A": "b c"}),
        ("A=1; export A && a", {"A": "1"}),
        ("export $(b); a", {"HOME": None, "X": None, "U": None}),
        ("unset X; a", {"X": None}),
        ("read -r A B; a", {"A": None, "B": None}),
        ("for A in 1 2; do a; done", {"A": None}),
        ("for A in 1 2; do :; done; a", {"A": None}),
        ("if b; then A=1; fi; a", {"A": None}),
        ("b || A=1; a", {"A": None}),
        ("b && A=1; a", {"A": None}),
        ("b && A=1 && a", {"A": "1"}),
        ("(A=1); a", {}),
        ("A=1 | b; a", {}),
        ("env A=1 a", {"A": "1"}),
        ("sudo A=1 a", {"A": "1"}),
        ("env -i A=1 a", {"A": "1", "HOME": None, "X": None, "U": None}),
        ("A=1 :; a", {"A": None}),
        (": ${A:=1}; a", {"A": None}),
        ("getopts ab A; a", {"ab": None, "A": None}),
        (". ./b; a", {"HOME": None, "X": None, "U": None}),
        ("A=1; sh -c a", {"A": "1"}),
    ],
)
def test_variables(text: str, variables: dict[str, str | None]) -> None:
    assert [dict(c.variables) for c in _calls(text) if c.program == "a"][-1] == variables


CERTAIN = [
    ("a; b", "ab"),
    ("a && b && c", "abc"),
    ("a || b", "a"),
    ("a && b || c", "a"),
    ("a && b; c", "ac"),
    ("a; b && c", "abc"),
    ("! a", "a"),
    ("! (a && b)", "a"),
    ("a | b", "ab"),
    ("(a; b)", "ab"),
    ("{ a && b; } && c", "abc"),
    ("{ a && b; }; c", "ac"),
    ("a &", ""),
    ("a & b", "b"),
    ("if a; then b; else c; fi", "a"),
    ("if a; then b; fi && c", "ac"),
    ("while a; do b; done", "a"),
    ("for i in x; do a; done", ""),
    ("case x in y) a;; esac", ""),
    ("f() { a; }; b", "b"),
    ("sh -c 'a && b'", "ab"),
    ("sh -c 'a || b' || c", "a"),
    ("set -e; a; b", "ab"),
    ("a || exit 1; b", "ab"),
    ("a || exit 0; b", "a"),
    ("exit; b", ""),
    ("find | xargs a", ""),
    ("b $(a) && c", "bac"),
]


@pytest.mark.parametrize(("text", "certain"), CERTAIN)
def test_certain(text: str, certain: str) -> None:
    found = {c.program for c in _calls(text) if c.certain}

    assert found - {"set", "exit", "find"} == set(certain)


def test_calls_tell_their_part_and_whether_they_are_nested() -> None:
    found = _calls("a; (b | c $(d)) && sh -c 'e && f'")

    assert [(c.program, c.step, c.nested) for c in found] == [
        ("a", 0, False), ("b", 1, False), ("d", 1, True), ("c", 1, False), ("e", 2, True), ("f", 2, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("echo `a \\`b\\``", ["b", "a", "echo"]),
        ("A=$(a)", ["a"]),
        ('echo "x $(a "$(b)")"', ["b", "a", "echo"]),
        ("diff <(a) <(b)", ["a", "b", "diff"]),
        ("for i in $(a); do b; done", ["b", "a"]),
        ("case $(a) in b) c;; esac", ["c", "a"]),
        ("cat <<E\n$(a)\nE", ["cat", "a"]),
        ("cat <<'E'\n$(a)\nE", ["cat"]),
        ("echo '$(a)'", ["echo"]),
        ("a &&", []),
    ],
)
def test_substitutions_are_seen(text: str, programs: list[str]) -> None:
    assert [c.program for c in _calls(text)] == programs


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("f() { a; }; f b", ["f"]),
        ("f b; f() { a; }", []),
        ("f() { a; } && sh -c f", []),
        ('retry() { "$@"; } && retry apt-get update', ["retry"]),
    ],
)
def test_functions_of_the_script_are_marked(text: str, own: list[str]) -> None:
    assert [c.program for c in _calls(text) if c.own] == own


def test_what_a_trap_runs_may_run_anywhere_or_never() -> None:
    found = _calls("trap 'a' EXIT && b")

    assert [(c.program, c.certain, c.directory, c.nested) for c in found] == [
        ("a", False, None, True), ("b", True, "/w", False),
    ]  # fmt: skip


def test_words_of_a_call_lead_back_to_the_script() -> None:
    text = "x && sudo -u bob é 'a b' -c"
    call = _calls(text)[-1]

    assert [text[slice(*w.span)] for w in call.words] == ["é", "'a b'", "-c"]


def test_many_parts_take_linear_time() -> None:
    assert len(_calls("cd a || " * 5_000 + "b")) == 5_001
    assert len(_calls("a $(b); " * 2_000)) == 4_000


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abcdsuenv $'\"\\{}()`=;&|<>!\n-", max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    for call in _calls(text):
        assert call.program
        assert call.words
