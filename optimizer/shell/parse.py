"""Shell text to a script, on tree-sitter-bash.

tree-sitter finds words, redirections and compound commands well, but groups around redirections and
here-documents in its own way (`a && b > f | c`). So the tree of lists, pipelines and commands is flattened to
tokens, and these are grouped again by the rules of POSIX (Shell Command Language, 2.10.2).
"""

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from optimizer.shell._grouping import NotUnderstoodError, Token, TokenKind, group, make_word
from optimizer.shell.nodes import Compound, Kind, Redirect, Script
from optimizer.syntax import Span
from optimizer.syntax.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

_FLAT = frozenset({
    "program", "list", "pipeline", "redirected_statement", "command", "command_name", "negated_command",
    "variable_assignments", "declaration_command", "unset_command",
})  # fmt: skip
_WORDS = frozenset({
    "word", "number", "string", "raw_string", "ansi_c_string", "translated_string", "concatenation",
    "simple_expansion", "expansion", "command_substitution", "process_substitution", "arithmetic_expansion",
    "brace_expression", "variable_name", "special_variable_name", "extglob_pattern", "regex", "subscript", "array",
    "$", "==", "=", "=~", "test_operator",
    "export", "declare", "typeset", "local", "readonly", "unset", "unsetenv",
})  # fmt: skip
_ENDS = frozenset({";;", ";&", ";;&", ";", "&", ")"})
_OPERATORS = frozenset({";", "&", "&&", "||", "|", "|&", "!"})
_EXPRESSIONS = frozenset({
    "test_command", "unary_expression", "binary_expression", "parenthesized_expression", "ternary_expression",
    "postfix_expression",
})  # fmt: skip
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_NON_ASCII = lazy_pattern(r"[^\x00-\x7f]")
_CONTROL = lazy_pattern(r"[\x00-\x08\x0b-\x1f\x7f]")
_BACKTICK_ESCAPE = lazy_pattern(r"\\([$`\\])")
_BEFORE_COMMENT = lazy_pattern(r"(?:^|(?<!\\)[ \t]|[;&|()])\Z")
_LOOP_VARIABLE = lazy_pattern(r"for\s*\(\(\s*([A-Za-z_]\w*)")


@lru_cache(maxsize=2048)
def parse_script(text: str) -> Script:
    """Return the script that a shell text is; what is not understood is named in its `problem`. Never raises."""
    comment = None
    try:
        problem, tree = _refusal(text), _tree(text)
        problem = problem or _tree_problem(tree.root_node, text)
        root = Compound(Kind.LIST, (), Span(0, len(text))) if problem else _Reader(text).statements([tree.root_node])
        comment = None if problem else _last_comment(tree.root_node, text)
    except NotUnderstoodError as error:
        problem, root = _not_understood(text, error.offset), Compound(Kind.LIST, (), Span(0, len(text)))
    except RecursionError:
        problem, root = "the shell text is nested too deeply", Compound(Kind.LIST, (), Span(0, len(text)))
    return Script(text, root, problem, comment)


@lru_cache(maxsize=512)
def substitutions(text: str) -> tuple[tuple[Span, str], ...]:
    """Return the outermost `$(…)`, backtick and process substitutions of a text: where they are, what they run."""
    if not any(mark in text for mark in ("`", "$(", "<(", ">(")):
        return ()
    found: list[tuple[Span, str]] = []
    stack = [_tree(text).root_node]
    while stack:
        node = stack.pop()
        if node.type in _SUBSTITUTIONS and len(node.children) > 1:
            first, last = node.children[0], node.children[-1]
            inner = text[first.end_byte : last.start_byte]
            inner = _BACKTICK_ESCAPE.sub(r"\1", inner) if first.type.strip() == "`" else inner
            found.append((Span(node.start_byte, node.end_byte), inner))
        else:
            stack.extend(reversed(node.children))
    return tuple(found)


class _Reader:
    """Reads nodes of the tree over one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def statements(self, nodes: "list[Node]") -> Compound:
        """Read statements."""
        return group(self.text, self.tokens(nodes))

    def tokens(self, nodes: "list[Node]") -> list[Token]:
        """Flatten statements to words, operators, redirections and compound commands, in source order."""
        out: list[Token] = []
        stack = nodes[::-1]
        while stack:
            node = stack.pop()
            kind = node.type
            if kind in _FLAT:
                stack.extend(reversed(node.children))
            elif kind in _WORDS:
                self.add(out, TokenKind.WORD, node)
            elif kind == "variable_assignment":
                self.add(out, TokenKind.ASSIGNMENT, node)
            elif kind in _OPERATORS:
                self.add(out, TokenKind.OPERATOR, node)
            elif kind.endswith("_redirect"):
                stack.extend(reversed(self.redirect(out, node)))
            elif kind in _EXPRESSIONS:
                self.expression(out, node)
            elif kind == "comment":
                out.append(Token(TokenKind.OPERATOR, node.end_byte, node.end_byte, "\n"))
            else:
                out.append(Token(TokenKind.COMPOUND, node.start_byte, node.end_byte, "", self.compound(node)))
        return out

    def add(self, out: list[Token], kind: TokenKind, node: "Node") -> None:
        """Append a token, as part of the word before where nothing stands between."""
        start, end = node.start_byte, node.end_byte
        if start == end:
            return  # what tree-sitter thinks is missing; the grouping decides
        last = out[-1] if out else None
        if kind is TokenKind.WORD and last and (last.kind is TokenKind.WORD or last.kind is TokenKind.ASSIGNMENT):
            gap = self.text[last.end : start] if start - last.end < 100 else " "  # noqa: PLR2004 - a bound, not a rule
            if not gap.replace("\\\n", ""):
                kind, start = out.pop().kind, last.start
        out.append(Token(kind, start, end, self.text[start:end]))

    def redirect(self, out: list[Token], node: "Node") -> "list[Node]":
        """Append a redirection; return the nodes that tree-sitter hung on it though they stand behind it."""
        rest = [c for c in node.children if c.type not in {"heredoc_body", "heredoc_end"}]
        descriptor = rest.pop(0).text if rest and rest[0].type == "file_descriptor" else b""
        sign = rest.pop(0) if rest else node
        operator = (descriptor or b"").decode() + sign.type
        takes_word = not sign.type.endswith("-") or sign.type == "<<-"
        target = rest.pop(0) if rest and takes_word else None
        end = target.end_byte if target else sign.end_byte
        word = None
        if target and target.type != "heredoc_start":
            word = make_word(self.text, target.start_byte, end)
        span = Span(node.start_byte, end)
        out.append(Token(TokenKind.REDIRECT, *span, "", None, Redirect(operator, word, span)))
        return rest

    def expression(self, out: list[Token], node: "Node") -> None:
        """Append the words of `[ … ]` and `[[ … ]]`."""
        stack = [node]
        while stack:
            at = stack.pop()
            if at.type in _EXPRESSIONS:
                stack.extend(reversed(at.children))
            else:
                self.add(out, TokenKind.WORD, at)

    def compound(self, node: "Node") -> Compound:
        """Read a compound command."""
        span, children = Span(node.start_byte, node.end_byte), node.children
        if node.type == "subshell":
            return Compound(Kind.SUBSHELL, (self.body(children),), span)
        if node.type == "compound_statement" and self.text[span.start : span.start + 2].strip() == "{":
            return Compound(Kind.GROUP, (self.body(children),), span)
        if node.type == "if_statement":
            return Compound(Kind.IF, self.branches(children), span)
        if node.type in {"for_statement", "while_statement", "c_style_for_statement"}:
            return self.loop(node)
        if node.type == "case_statement":
            items = [c for c in children if c.type == "case_item"]
            words = [make_word(self.text, c.start_byte, c.end_byte) for c in children[1:2]]
            if items and not self.is_closed(items[-1], children[-1].start_byte):
                raise NotUnderstoodError(children[-1].start_byte)
            return Compound(Kind.CASE, tuple(map(self.case_item, items)), span, words=tuple(words))
        if node.type == "function_definition":
            return self.function(node)
        raise NotUnderstoodError(node.start_byte)

    def body(self, children: "list[Node]") -> Compound:
        """Read the statements between two brackets or keywords; there must be one."""
        found = self.statements(children[1:-1])
        if not found.parts:
            raise NotUnderstoodError(children[0].start_byte)
        return found

    def is_closed(self, item: "Node", end: int) -> bool:
        """Tell whether the last branch of a `case` ends before `esac`, which would else be an argument."""
        last = item.children[-1]
        return last.type in _ENDS or "\n" in self.text[last.end_byte : end]

    def branches(self, children: "list[Node]") -> tuple[Compound, ...]:
        """Read the conditions and bodies of an `if`, in order."""
        lists: list[Compound] = []
        at: list[Node] = []
        for child in children:
            if child.type in {"if", "then", "elif", "else", "fi"}:
                lists.extend([self.statements(at)] if at else [])
                at = []
            elif child.type in {"elif_clause", "else_clause"}:
                lists.extend([self.statements(at)] if at else [])
                at = []
                lists.extend(self.branches(child.children))
            else:
                at.append(child)
        return (*lists, self.statements(at)) if at else tuple(lists)

    def loop(self, node: "Node") -> Compound:
        """Read `for`, `select`, `while` and `until`; the words are the variable and the values of a `for`."""
        span, header = Span(node.start_byte, node.end_byte), node.children[1:-1]
        last = node.children[-1]
        if last.type not in {"do_group", "compound_statement"}:
            raise NotUnderstoodError(last.start_byte)
        body = self.body(last.children)
        if node.type == "while_statement":
            return Compound(Kind.LOOP, (self.statements(header), body), span)
        if node.type == "c_style_for_statement":
            match = _LOOP_VARIABLE.match(self.text, node.start_byte)
            words = (make_word(self.text, *match.span(1)),) if match else ()
            return Compound(Kind.LOOP, (body,), span, words=words)
        named = [c for c in header if c.type in _WORDS]
        return Compound(
            Kind.LOOP, (body,), span, words=tuple(make_word(self.text, c.start_byte, c.end_byte) for c in named)
        )

    def case_item(self, node: "Node") -> Compound:
        """Read the commands of one branch of a `case`."""
        close = next((i for i, c in enumerate(node.children) if c.type == ")"), len(node.children))
        return self.statements([c for c in node.children[close + 1 :] if c.type not in {";;", ";&", ";;&"}])

    def function(self, node: "Node") -> Compound:
        """Read a function definition; its word is the name."""
        names = [c for c in node.children if c.type == "word"][:1]
        name = tuple(make_word(self.text, c.start_byte, c.end_byte) for c in names)
        skip = {"function", "(", ")", "word"}
        body = self.statements([c for c in node.children if c.type not in skip])
        return Compound(Kind.FUNCTION, (body,), Span(node.start_byte, node.end_byte), words=name)


@cache
def _parser() -> "Parser":
    """Return the parser; made at first use, for loading the grammar costs time."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def _tree(text: str) -> "Tree":
    """Parse; a dot stands in for every character beyond ASCII, so that byte offsets are character offsets."""
    return _parser().parse((text if text.isascii() else _NON_ASCII.sub(".", text)).encode())


def _refusal(text: str) -> str | None:
    """Say why a text is not even given to the parser."""
    if "\r" in text:
        return "the shell text holds a carriage return"
    return "the shell text holds a control character" if _CONTROL.search(text) else None


def _tree_problem(root: "Node", text: str) -> str | None:
    """Name the first place where tree-sitter gave up."""
    if not root.has_error:
        return None
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or (node.is_missing and node.type != "word"):
            return _not_understood(text, node.start_byte)
        stack.extend(reversed(node.children))
    return None


def _last_comment(root: "Node", text: str) -> Span | None:
    """Return the comment at the end of a text of one line; raise NotUnderstoodError where it may be none."""
    if "#" not in text or "\n" in text:
        return None
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "comment":
            if not _BEFORE_COMMENT.search(text, max(0, node.start_byte - 3), node.start_byte):
                raise NotUnderstoodError(node.start_byte)
            return Span(node.start_byte, len(text))
        stack.extend(node.children)
    return None


def _not_understood(text: str, offset: int) -> str:
    """Word the problem at an offset."""
    near = " ".join(text[offset:].split()[:2])[:40] or " ".join(text.split()[-2:])[-40:]
    return f"the shell text is not understood near '{near}'"
