"""Scripts: their shape, what is refused, and that no text breaks the parser."""

import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.shell import Command, Compound, Kind, Node, Word, parse_script

SHAPES = [
    ("a b", "a,b"),
    ("", ""),
    ("a && b || c; d & e", "a && b || c ; d & e"),
    ("a;", "a ;"),
    ("a &", "a &"),
    ("a\nb\n", "a ; b"),
    ("a &&\n b", "a && b"),
    ("a \\\n b", "a,b"),
    ("# x\na # y\nb", "a ; b"),
    ("a | b && c", "pipeline(a b) && c"),
    ("a && b > x | c", "a && pipeline(b>x c)"),
    ("a && b > x && c", "a && b>x && c"),
    ("a | b > x | c", "pipeline(a b>x c)"),
    ("! a | b && c", "negated(pipeline(a b)) && c"),
    ("a |& b", "pipeline(a b)"),
    ("a > x b 2>&1 c", "a,b,c>x2>&1"),
    ("2>/dev/null a <&-", "a2>/dev/null<&-"),
    ("(a; b) > x 2>&1 && c", "redirected(subshell(a ; b))>x2>&1 && c"),
    ("{ a; b; } || c", "group(a ; b ;) || c"),
    ("A=1 B='x y' c -d", "A=1,B=x y,c,-d"),
    ("> f && a", ">f && a"),
    ("A+=1 B[0]=2 C=(1 2)", "A=?,B=?,C=?"),
    ("export A=1 B && unset -f X", "export,A=1,B && unset,-f,X"),
    ("[ -f x ] && [[ -d y && z ]]", "[,-f,x,] && [[,-d,y,?,z,]]"),
    ("if a; then b; elif c; then d; else e; fi", "if((a ;) (b ;) (c ;) (d ;) (e ;))"),
    ("for i in x $y; do a; done < f", "redirected(loop:i:x:$y((a ;)))<f"),
    ("while read x; do a; done", "loop((read,x ;) (a ;))"),
    ("until a; do b; done", "loop((a ;) (b ;))"),
    ("for ((i=0; i<3; i++)); do a; done", "loop:i((a ;))"),
    ("case $x in a|b) c;; (*) d ;; esac", "case:$x((c) (d))"),
    ("f() { a; }; function g { b; }", "function:f(group(a ;)) ; function:g(group(b ;))"),
    ("cat <<E | sh && a\nx $(y)\nE\nb", "pipeline(cat<< sh) && a ; b"),
    ("cat <<< x", "cat<<<x"),
    ("diff <(a) b", "diff,?,b"),
    ("echo $(a; b)", "echo,?"),
    ("find . -exec rm {} \\; -o \\( -x \\)", "find,.,-exec,rm,{},;,-o,(,-x,)"),
    ("echo é && a", "echo,é && a"),
    ("echo 1 [a] +", "echo,1,?,+"),
]


@pytest.mark.parametrize(("text", "shape"), SHAPES)
def test_shape(text: str, shape: str) -> None:
    script = parse_script(text)

    assert script.problem is None
    assert _list(script.root) == shape


# Both bash and dfopt refuse these.
REFUSED = [
    "a &&", "&& a", "a | ", "| a", "a && && b", "a; ; b", "a ;; b", "; a", "a && ; b", "a\n; b", "a\n&& b",
    "(a", "a)", "()", "{ a }", "{a; }", "{ }", "(a) b", "(a) (b)", "{ a; } b", "a && { b || c }",
    "if a; then b", "if a then b; fi", "if; then b; fi", "if a; then; fi", "then a", "fi", "if a; then b; fi fi",
    "for i in a b do c; done", "while a; do b", "case x in a) b esac", "case x a) b;; esac", "f( { a; }",
    'echo "a', "echo 'a", "echo `a", "echo $(a", "echo ${a", "echo $((1+", "echo a >", "a > > f", "echo (a)",
    "echo ((a))", "cat <<",
]  # fmt: skip

# bash takes these, dfopt does not, rather than guess.
NOT_UNDERSTOOD = [
    "((a++))", "for i do c; done", "a <> f", "cat <<A <<B\n1\nA\n2\nB", "time (a; b)", "a \\", "cat <<E\n$(a\nE",
    "case a in a) b ;& esac", "A=1 > f", "A=1 > f && a",
]  # fmt: skip


@pytest.mark.parametrize("text", [*REFUSED, *NOT_UNDERSTOOD])
def test_refused(text: str) -> None:
    assert "not understood near '" in (parse_script(text).problem or "")


@pytest.mark.parametrize("text", REFUSED)
def test_bash_refuses_it_too(text: str) -> None:
    assert not _bash_accepts(text)


@pytest.mark.parametrize("text", [*NOT_UNDERSTOOD, *(text for text, _ in SHAPES if text)])
def test_bash_accepts_it(text: str) -> None:
    assert _bash_accepts(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\r\nb", "the shell text holds a carriage return"),
        ("a\0b", "the shell text holds a control character"),
        ("( " * 500 + "a" + " )" * 500, "the shell text is nested too deeply"),
    ],
)
def test_problem(text: str, problem: str) -> None:
    assert parse_script(text).problem == problem


@pytest.mark.parametrize("text", ["echo a#b", "echo '#' \"# x\" \\# ${#a} ${a#b}", "a # b\nc"])
def test_a_sign_that_begins_no_comment_is_no_problem(text: str) -> None:
    assert parse_script(text).problem is None


@pytest.mark.parametrize(
    ("text", "comment", "shape"),
    [
        ("a # b", "# b", "a"),
        ("a && b #c && d", "#c && d", "a && b"),
        ("a;# 'b", "# 'b", "a ;"),
        ("(a) # $(b", "# $(b", "subshell(a)"),
        ("if a; then b; fi # c", "# c", "if((a ;) (b ;))"),
        ("# a", "# a", ""),
        ("echo '#' \"# x\" \\# ${#a} $# a#b", None, None),
        ("a # b\nc", None, "a ; c"),
    ],
)
def test_a_comment_ends_a_text_of_one_line(text: str, comment: str | None, shape: str | None) -> None:
    script = parse_script(text)

    assert (script.comment and text[slice(*script.comment)]) == comment
    assert shape is None or _list(script.root) == shape


@pytest.mark.parametrize("text", ["a && # b", "(a # b)", "echo $(a # b) c", "a `b # c` d", "a \\\\ # b", "{ a # b; }"])
def test_a_comment_that_swallows_what_is_needed_is_refused(text: str) -> None:
    assert "not understood near '" in (parse_script(text).problem or "")


def test_chain_is_there_for_and_only() -> None:
    assert [str(p) for p in parse_script("a && b c").chain or ()] == ["a", "b c"]
    assert parse_script("a; b").chain is None
    assert parse_script("a && b || c").chain is None
    assert parse_script("a &&").chain is None


def test_commands_come_in_source_order() -> None:
    script = parse_script("a && (b | c) || if d; then e; fi; ! f")

    assert [c.name for c in script.commands()] == ["a", "b", "c", "d", "e", "f"]


def test_long_texts_take_linear_time() -> None:
    assert len(parse_script("a b && " * 20_000 + "c").root.parts) == 20_001
    assert len(parse_script("echo " + "x " * 50_000).root.parts[0].words) == 50_001


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="ab $'\"\\{}[]()*`=;&|<>!#\n\té2-", max_size=40)))
def test_every_span_lies_in_the_text(text: str) -> None:
    script = parse_script(text)

    for node in _nodes(script.root):
        assert 0 <= node.span.start <= node.span.end <= len(text)
    for word in _words(script.root):
        assert word.text == text[slice(*word.span)]


WORDS = ["a", "b1", "--c=d", "'e f'", '"$g"', "h\\ i", "*.j", "$(k)", "{}", "[", "2"]
REDIRECTS = ["", "", "", " > f", " 2>&1", " >> g", " < h"]


@st.composite
def scripts(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw a script of a few commands, simple and compound."""
    text = draw(scripts_parts(depth))
    for operator in draw(st.lists(st.sampled_from(["&&", "||", ";", "&"]), max_size=3)):
        text += f" {operator} {draw(scripts_parts(depth))}"
    return text


@st.composite
def scripts_parts(draw: st.DrawFn, depth: int) -> str:
    """Draw one part of a list."""
    form = draw(st.integers(0, 8 if depth else 2))
    redirect = draw(st.sampled_from(REDIRECTS))
    if form <= 2:
        return " ".join(["x", *draw(st.lists(st.sampled_from(WORDS), max_size=3))]) + redirect
    inner = draw(scripts(depth - 1))
    if form == 3:
        return f"( {inner} ){redirect}"
    if form == 4:
        return f"{{ {inner}; }}{redirect}"
    if form == 5:
        return f"if {inner}; then {draw(scripts(depth - 1))}; fi"
    if form == 6:
        return f"for i in a b; do {inner}; done"
    if form == 7:
        return f"{draw(scripts_parts(0))} | ( {inner} ){redirect}"
    return f"! {draw(scripts_parts(0))}"


@settings(max_examples=150, deadline=None)
@given(scripts())
def test_written_out_again_it_has_the_same_shape(text: str) -> None:
    first = parse_script(text)
    if first.problem:
        assert not _bash_accepts(text)
        return
    again = parse_script(_written(first.root))

    assert again.problem is None
    assert _list(again.root) == _list(first.root)
    assert _bash_accepts(text)


def _bash_accepts(text: str) -> bool:
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
    return done.returncode == 0 and not done.stderr


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts if isinstance(node, Compound) else ():
        yield from _nodes(part)


def _words(root: Compound) -> Iterator[Word]:
    for node in _nodes(root):
        yield from node.words
        yield from (r.target for r in getattr(node, "redirects", ()) if r.target)
        yield from (word for _, word in getattr(node, "assignments", ()))


def _list(node: Compound) -> str:
    """Draw a list: its parts and the operators between and behind them."""
    operators = (*node.operators, "")
    drawn = (f"{_shape(part)} {operators[i]}".rstrip() for i, part in enumerate(node.parts))
    return " ".join(drawn)


def _shape(node: Node) -> str:
    """Draw a node; a question mark stands for what is not known."""
    redirects = "".join(f"{r.operator}{r.target or ''}" for r in node.redirects)
    if isinstance(node, Command):
        assignments = [f"{name}={'?' if w.value is None else w.value}" for name, w in node.assignments]
        return ",".join([*assignments, *("?" if w.value is None else w.value for w in node.words)]) + redirects
    if node.kind is Kind.LIST:
        return f"({_list(node)})"
    words = "".join(f":{w}" for w in node.words)
    inner = " ".join(_shape(p) for p in node.parts)
    lone = node.kind in {Kind.SUBSHELL, Kind.GROUP, Kind.FUNCTION} and inner.startswith("(")
    return f"{node.kind}{words}{inner if lone else f'({inner})'}{redirects}"


def _written(node: Node) -> str:
    """Write a node as shell text, with other blanks and brackets than it came with."""
    redirects = "".join(f"  {r.operator} {r.target or ''}" for r in node.redirects)
    if isinstance(node, Command):
        return "  ".join(map(str, node.words)) + redirects
    inner = [_written(p) for p in node.parts]
    if node.kind is Kind.LIST:
        return " ".join(f"{p} {o}".rstrip() for p, o in zip(inner, (*node.operators, ""), strict=False))
    ended = [p if p.endswith(("&", ";")) else p + " ;" for p in inner]
    match node.kind:
        case Kind.PIPELINE:
            return "|".join(inner)
        case Kind.NEGATED:
            return f"!  {inner[0]}"
        case Kind.SUBSHELL:
            return f"(  {inner[0]}  )"
        case Kind.GROUP:
            return f"{{  {ended[0]}  }}"
        case Kind.IF:
            return f"if  {ended[0]} then  {ended[1]} fi"
        case Kind.LOOP:
            return f"for  i in a b\ndo  {ended[0]} done"
        case _:
            return inner[0] + redirects
