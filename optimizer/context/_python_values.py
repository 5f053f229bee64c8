"""What expressions of a Python source can be, as far as literals, names and path arithmetic tell."""

import posixpath
from collections.abc import Callable, Iterable
from itertools import product

import libcst as cst
from libcst.metadata import MetadataWrapper, QualifiedNameProvider
from msgspec import Struct

_MOST_VALUES = 64
_DEEPEST = 20
_JOINS = frozenset({"os.path.join", "posixpath.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"})
_DIRNAMES = frozenset({"os.path.dirname", "posixpath.dirname"})
_SAME = frozenset(
    {*(f"os.path.{n}" for n in ("abspath", "realpath", "normpath")), "builtins.str", "os.fspath", "os.fsdecode"}
)
_HERE = frozenset({"os.getcwd", "pathlib.Path.cwd", "os.curdir"})
_SAME_METHODS = frozenset({"resolve", "absolute", "as_posix", "__str__"})

Texts = frozenset[str]


class _Parameter(Struct, frozen=True):
    function: str
    name: str
    position: int
    star: bool
    default: cst.BaseExpression | None


class _Facts(cst.CSTVisitor):
    """What a source assigns, defines and calls, by qualified name."""

    def __init__(self, names_of: Callable[[cst.CSTNode], frozenset[str]]) -> None:
        super().__init__()
        self.names_of = names_of
        self.calls: list[tuple[cst.Call, frozenset[str]]] = []
        self.assigned: dict[str, list[cst.BaseExpression]] = {}
        self.rebound: set[str] = set()  # names that get values nobody can tell
        self.parameters: dict[str, _Parameter] = {}
        self.mentions: dict[str, int] = {}

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - libcst calls it so
        """Remember a call."""
        # For `open("a").write("b")` libcst names `open` twice.
        chained = isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Call)
        self.calls.append((node, frozenset() if chained else self.names_of(node.func)))

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802
        """Count how often a name stands somewhere."""
        for name in self.names_of(node):
            self.mentions[name] = self.mentions.get(name, 0) + 1

    def visit_Assign(self, node: cst.Assign) -> None:  # noqa: N802
        """Remember the value of plain names."""
        for target in node.targets:
            if isinstance(target.target, cst.Name):
                for name in self.names_of(target.target):
                    self.assigned.setdefault(name, []).append(node.value)
            else:
                self._rebind(target.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:  # noqa: N802
        """Remember the value of an annotated name."""
        for name in self.names_of(node.target) if node.value else ():
            self.assigned.setdefault(name, []).append(node.value or node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:  # noqa: N802
        """Forget a name that grows."""
        self._rebind(node.target)

    def visit_For(self, node: cst.For) -> None:  # noqa: N802
        """Take the elements of a literal for the loop's name."""
        if isinstance(node.target, cst.Name) and isinstance(node.iter, cst.List | cst.Tuple | cst.Set):
            values = [element.value for element in node.iter.elements]
            for name in self.names_of(node.target):
                self.assigned.setdefault(name, []).extend(values)
        else:
            self._rebind(node.target)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:  # noqa: N802
        """Remember the parameters."""
        for function in self.names_of(node.name) or {node.name.value}:
            for position, parameter in enumerate(node.params.params):
                self._parameter(function, parameter, position, star=False)
            if isinstance(node.params.star_arg, cst.Param):
                self._parameter(function, node.params.star_arg, len(node.params.params), star=True)

    def _parameter(self, function: str, parameter: cst.Param, position: int, *, star: bool) -> None:
        name = parameter.name.value
        found = _Parameter(function, name, position, star, parameter.default)
        self.parameters[f"{function}.<locals>.{name}"] = found

    def _rebind(self, target: cst.CSTNode) -> None:
        for node in _names(target):
            self.rebound |= self.names_of(node)


class Values:
    """The calls of a source, and what expressions in it can be."""

    def __init__(self, facts: _Facts) -> None:
        self._facts = facts

    @classmethod
    def of(cls, source: str) -> "Values | None":
        """Read a source; None where it is not Python 3."""
        try:
            wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
            names = wrapper.resolve(QualifiedNameProvider)
        except (cst.ParserSyntaxError, cst.CSTLogicError, RecursionError):
            return None

        def names_of(node: cst.CSTNode) -> frozenset[str]:
            found = names.get(node, ())
            return frozenset(q.name for q in (found() if callable(found) else found))

        facts = _Facts(names_of)
        wrapper.module.visit(facts)
        return cls(facts)

    @property
    def calls(self) -> list[tuple[cst.Call, frozenset[str]]]:
        """Every call with the qualified names that its function can have."""
        return self._facts.calls

    def hands_on(self, functions: frozenset[str]) -> bool:
        """Tell whether one of these functions is given another name, or to another function."""
        given = (argument.value for call, _ in self._facts.calls for argument in call.args)
        named = (value for values in self._facts.assigned.values() for value in values)
        return any(self._facts.names_of(node) & functions for node in (*given, *named) if _is_named(node))

    def texts(self, node: cst.BaseExpression, depth: int = 0) -> Texts | None:
        """Return the texts (or paths) that an expression can be, None where that cannot be told."""
        if depth > _DEEPEST:
            return None
        if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
            return _literal(node)
        if isinstance(node, cst.FormattedString):
            return self._formatted(node, depth)
        if isinstance(node, cst.Name):
            return self._name(node, depth)
        if isinstance(node, cst.BinaryOperation):
            return self._operation(node, depth)
        if isinstance(node, cst.Attribute):
            return self._attribute(node, depth)
        return self._call(node, depth) if isinstance(node, cst.Call) else None

    def lists(self, node: cst.BaseExpression, depth: int = 0) -> list[cst.BaseExpression]:
        """Return the expressions that a name may stand for, the expression itself where it is no name."""
        if not isinstance(node, cst.Name) or depth > _DEEPEST:
            return [node]
        found = [v for name in self._facts.names_of(node) for v in self._facts.assigned.get(name, ())]
        return [leaf for value in found for leaf in self.lists(value, depth + 1)]

    def _formatted(self, node: cst.FormattedString, depth: int) -> Texts | None:
        parts: list[Texts | None] = []
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                parts.append(frozenset({part.value}))
            elif isinstance(part, cst.FormattedStringExpression):
                parts.append(self.texts(part.expression, depth + 1))
        return _combine(parts, "".join)

    def _name(self, node: cst.Name, depth: int) -> Texts | None:
        if node.value == "__file__":
            return frozenset({"__file__"})
        names = self._facts.names_of(node)
        if len(names) != 1 or names & self._facts.rebound:
            return None
        (name,) = names
        if parameter := self._facts.parameters.get(name):
            found = self._given(parameter, depth)
            return None if found is None else _combine([found], "".join)
        return self._any(self._facts.assigned.get(name, ()), depth)

    def _given(self, parameter: _Parameter, depth: int) -> Texts | None:
        """Return what the calls of a function give for a parameter, if all its uses are calls that can be seen."""
        calls = [call for call, names in self._facts.calls if parameter.function in names]
        # The definition itself is a mention in some scopes and not in others, so one more is let through.
        if not calls or self._facts.mentions.get(parameter.function, 0) > len(calls) + 1:
            return None
        values: set[str] = set()
        for call in calls:
            if any(arg.star for arg in call.args):
                return None
            found = self._argument(call, parameter, depth)
            if found is None:
                return None
            values |= found
        return frozenset(values)

    def _argument(self, call: cst.Call, parameter: _Parameter, depth: int) -> Texts | None:
        plain = [arg.value for arg in call.args if arg.keyword is None]
        if parameter.star:
            return _combine([self.texts(v, depth + 1) for v in plain[parameter.position :]], _join)
        named = [arg.value for arg in call.args if arg.keyword and arg.keyword.value == parameter.name]
        given = [*plain[parameter.position : parameter.position + 1], *named]
        value = given[0] if given else parameter.default
        return None if value is None else self.texts(value, depth + 1)

    def _any(self, nodes: Iterable[cst.BaseExpression], depth: int) -> Texts | None:
        found = [self.texts(node, depth + 1) for node in nodes]
        known = [texts for texts in found if texts is not None]
        return frozenset().union(*known) if found and len(known) == len(found) else None

    def _operation(self, node: cst.BinaryOperation, depth: int) -> Texts | None:
        sides = [self.texts(node.left, depth + 1), self.texts(node.right, depth + 1)]
        if isinstance(node.operator, cst.Add):
            return _combine(sides, "".join)
        return _combine(sides, _join) if isinstance(node.operator, cst.Divide) else None

    def _attribute(self, node: cst.Attribute, depth: int) -> Texts | None:
        if self._facts.names_of(node) & _HERE:
            return frozenset({""})
        if node.attr.value != "parent":
            return None
        return _combine([self.texts(node.value, depth + 1)], lambda parts: posixpath.dirname(parts[0]))

    def _call(self, node: cst.Call, depth: int) -> Texts | None:
        names = self._facts.names_of(node.func)
        if names & _HERE:
            return frozenset({""})
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in _SAME_METHODS and not names & _SAME:
            return self.texts(node.func.value, depth + 1)
        arguments = [self.texts(arg.value, depth + 1) for arg in node.args]
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "joinpath":
            return _combine([self.texts(node.func.value, depth + 1), *arguments], _join)
        if names & _JOINS:
            return _combine(arguments, _join)
        if names & _DIRNAMES:
            return _combine(arguments, lambda parts: posixpath.dirname(parts[0]))
        return _combine(arguments[:1], "".join) if names & _SAME else None


def _literal(node: cst.SimpleString | cst.ConcatenatedString) -> Texts | None:
    value = node.evaluated_value
    return frozenset({value}) if isinstance(value, str) else None


def _combine(parts: Iterable[Texts | None], join: Callable[[tuple[str, ...]], str]) -> Texts | None:
    known: list[Texts] = []
    size = 1
    for part in parts:
        size *= len(part or ())
        if part is None or size > _MOST_VALUES:
            return None
        known.append(part)
    return frozenset(join(choice) for choice in product(*known))


def _join(parts: tuple[str, ...]) -> str:
    return posixpath.join(*parts) if parts else ""


def _names(node: cst.CSTNode) -> Iterable[cst.Name]:
    if isinstance(node, cst.Name):
        return [node]
    return [name for child in node.children for name in _names(child)]


def _is_named(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name | cst.Attribute)
