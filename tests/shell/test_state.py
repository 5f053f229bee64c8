"""State changes: what a part of a script leaks to the next."""

import pytest

from optimizer.shell import parse_script, quote, state_changes

CHANGES = [
    ("a b", ""),
    ("A=1 a", ""),
    ("A=1", "variables"),
    ("export A=1", "variables"),
    ("A=1 export B", "variables"),
    ("unset A", "variables"),
    ("read A < f", "variables"),
    ("declare -A m", "variables"),
    (": ${A:=1}", "variables"),
    ("echo $((A=1))", "variables"),
    ("echo $((A+1)) ${A:-=}", ""),
    ("for i in a; do b; done", "variables"),
    ("while a; do b; done", ""),
    ("cd a", "cd"),
    ("command cd a", "cd"),
    ("builtin pushd a", "cd"),
    ("command -v cd", ""),
    ("pushd a", "cd"),
    ("set -e", "options"),
    ("shopt -s x", "options"),
    ("umask 022", "options"),
    ("ulimit -n 9", "options"),
    ("exec > f", "options"),
    ("exec a", "exit"),
    ("exit 1", "exit"),
    ("return", "exit"),
    ("a || exit 1", "exit"),
    ("alias a=b", "functions"),
    ("f() { cd a; }", "functions"),
    ("trap a EXIT", "traps"),
    ("a & b", "background"),
    ("a &", "background"),
    ("coproc a", "background"),
    ("a &> f", "background"),
    ("a > f 2>&1", ""),
    (". a", "source"),
    ("source a", "source"),
    ("eval a", "source"),
    ("$A b", "source"),
    ("(cd a; export B=1; exit)", ""),
    ("(a &)", "background"),
    ("cd a | read B", ""),
    ("{ cd a; A=1; }", "cd variables"),
    ("! cd a", "cd"),
    ("if a; then cd b; else set -e; fi", "cd options"),
    ("case a in b) exit;; esac", "exit"),
    ("while cd a; do b; done > f", "cd"),
    ("sh -c 'cd a'", ""),
    ("sudo cd a", ""),
    ("echo $(cd a)", ""),
]


@pytest.mark.parametrize(("text", "kinds"), CHANGES)
def test_changes(text: str, kinds: str) -> None:
    script = parse_script(text)
    assert script.problem is None

    assert state_changes(script.root) == frozenset(kinds.split())


def test_quoting() -> None:
    assert quote("a b'c") == "'a b'\"'\"'c'"
    assert quote("/a-b") == "/a-b"
