"""Words: what the shell makes of them, against real shells too."""

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.shell import Command, Word, parse_script, resolve
from optimizer.shell.words import names_in, value_of

VALUES = [
    ("plain", "plain"),
    ("a-b_c.d/e=f:g,h@i+j%k^l", "a-b_c.d/e=f:g,h@i+j%k^l"),
    ("'a b'", "a b"),
    ("'$x `y` \\'", "$x `y` \\"),
    ('"a b"', "a b"),
    ('"a\\"b\\$c\\\\d\\e"', 'a"b$c\\d\\e'),
    ("a\\ b", "a b"),
    ("a\\\nb", "ab"),
    ('"a\\\nb"', "ab"),
    ("it\\'s", "it's"),
    ("a\"b\"'c'd", "abcd"),
    ("''", ""),
    ("\\;", ";"),
    ("\\*.c", "*.c"),
    ("'*'", "*"),
    ("{}", "{}"),
    ("{", "{"),
    ("[", "["),
    ("]", "]"),
    ("a~b", "a~b"),
    ("x==1.0", "x==1.0"),
    ("ü", "ü"),
    ("$", "$"),
    ("a$", "a$"),
    ("$x", None),
    ("${x}", None),
    ('"$x"', None),
    ('"\\\\$x"', None),
    ("$(x)", None),
    ("`x`", None),
    ('"`x`"', None),
    ("$((1+1))", None),
    ("*.c", None),
    ("a?", None),
    ("[ab]", None),
    ("y==1.*", None),
    ("{a,b}", None),
    ("a{1..3}", None),
    ("x{,y}z", None),
    ("~", None),
    ("~/x", None),
    ("a=~/x", None),
    ("PATH=/a:~/b", None),
    ("$'a\\n'", None),
    ('$"a"', None),
    ("<(a)", None),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_value(text: str, value: str | None) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ()),
        ("$a", ("a",)),
        ("${a}${b:-$c}", ("a", "b", "c")),
        ('"$a_1-$b"', ("a_1", "b")),
        ("'$a'", ()),
        ("\\$a", ()),
        ('"\\$a"', ()),
        ("\"'$a'\"", ("a",)),
        ("${#a}${!b}", ("a", "b")),
        ("$@$1$?", ("@", "1", "?")),
        ("$10", ("1",)),
        ("$((a+b))", ("a", "b")),
        ('"$(echo \'$a\' "$b")"', ("a", "b")),
    ],
)
def test_names(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "x"),
        ("/opt/${A}/y", "/opt/x/y"),
        ('"$B"', "two words"),
        ("$B", None),
        ("$EMPTY", None),
        ('"$EMPTY"', ""),
        ("$STAR", None),
        ('"$STAR"', "*"),
        ("$UNKNOWN", None),
        ("${A:-y}", None),
        ('"$A"/y', None),
        ("'$A'", "$A"),
        ("$A*", None),
        ("$(A)", None),
    ],
)
def test_resolve(text: str, value: str | None) -> None:
    (word,) = parse_script(f"echo {text}").root.parts[0].words[1:]
    variables = {"A": "x", "B": "two words", "EMPTY": "", "STAR": "*", "UNKNOWN": None}

    assert resolve(word, variables) == value


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_known_value_is_what_a_shell_makes_of_the_word(shell: str, tmp_path: Path) -> None:
    draw = random.Random(7)
    texts = ["".join(draw.choices("ab/=:.,-+%@~$'\"\\{}[]!^ü ", k=draw.randint(1, 7))) for _ in range(4000)]
    known = [w for w in map(_echo, texts) if w and w.value is not None]
    assert len(known) > 500

    script = "\n".join(f"printf '%s\\0' {w.text}" for w in known)
    out = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert out.stdout.split("\0")[:-1] == [w.value for w in known]


@settings(max_examples=200)
@given(st.text(alphabet="ab $'\"\\{}[]*?~`()=:,.\n|é", max_size=30))
def test_any_text_has_a_value_or_none(text: str) -> None:
    assert value_of(text) is None or isinstance(value_of(text), str)
    assert all(names_in(text))


def _echo(text: str) -> Word | None:
    """Return the one argument of an echo, None where the text is something else."""
    script = parse_script(f"echo {text}")
    command = script.root.parts[0] if not script.problem and len(script.root.parts) == 1 else None
    return command.words[1] if isinstance(command, Command) and len(command.words) == 2 else None
