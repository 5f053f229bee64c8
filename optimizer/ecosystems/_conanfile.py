"""conanfile.txt and conanfile.py, as far as `conan install` reads them.

conanfile.py is a program, of which an install runs all but what makes a package; whatever else that calls has to be
known to read no file.

Sources: https://docs.conan.io/2/reference/conanfile_txt.html, https://docs.conan.io/2/reference/conanfile.html,
https://docs.conan.io/2/reference/tools/cmake/cmake_layout.html and Conan's `conan/tools/cmake/presets.py`.
"""

import re
from functools import lru_cache
from posixpath import dirname, join
from typing import TYPE_CHECKING

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems._files import Refused, missing, visible
from optimizer.syntax.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    import ast

_SECTION = lazy_pattern(r"^\[(\w+)\]\s*$(.*?)(?=^\[\w+\]\s*$|\Z)", re.MULTILINE | re.DOTALL)
_WANTING = ("requires", "build_requires", "tool_requires", "test_requires")
_LAYOUTS = {"cmake_layout": "build"}
# The methods that make a package, which an install of its dependencies does not run.
_UNUSED = frozenset("source build package package_info package_id test export export_sources deploy imports".split())
_MODULES = lazy_pattern(r"conans?(?:\..*)?|os|re|sys|textwrap|typing|collections|__future__")
_FUNCTIONS = frozenset(
    """str int bool len dict list tuple set print super range min max sorted any all enumerate isinstance getattr
    hasattr Version cmake_layout check_min_cppstd check_max_cppstd valid_min_cppstd
    check_min_cstd is_msvc is_apple_os cross_building can_run build_jobs CMakeToolchain CMakeDeps MesonToolchain
    PkgConfigDeps VirtualBuildEnv VirtualRunEnv AutotoolsToolchain AutotoolsDeps MakeDeps BazelDeps BazelToolchain
    ConanInvalidConfiguration ConanException get_safe rm_safe requires tool_requires build_requires test_requires
    generate items keys values get append extend format join replace split startswith endswith lower upper strip
    update info warning warn success output error possible_values remove pop""".split()
)


class Recipe(Struct, frozen=True):
    """A conanfile: the files that an install reads, and where what it generates goes, if a layout says so.

    `reaches_out` tells that it exports files from outside of its folder; `wanted` that it asks for packages.
    """

    folder: str
    manifests: tuple[str, ...]
    layout: str | None
    wanted: bool
    reaches_out: bool = False


def read_recipe(context: Context, path: str) -> Recipe:
    """Read the conanfile at a context path, or in that folder; raise `Refused` where more may be read."""
    path = _find(context, path)
    folder, text = dirname(path), context.text(path) or ""
    is_program = path.endswith(".py")
    layout, wanted = _program(path, text) if is_program else _sections(path, text)
    more = visible(context, folder, "conandata.yml") if is_program else ()
    if "CMakeToolchain" in text:
        if re.search(r"src_folder|folders\.source|user_presets", text) or visible(
            context, folder, "CMakeUserPresets.json"
        ):
            raise Refused(f"{path} has presets written beside the sources")
        # Conan looks whether it is there, and writes CMakeUserPresets.json beside it.
        more += visible(context, folder, "CMakeLists.txt")
    return Recipe(
        folder, (path, *more), layout, wanted, reaches_out=bool(re.search(r"exports\w*\s*=[^\n]*\.\.|def export", text))
    )


def _find(context: Context, path: str) -> str:
    if context.is_file(path):
        return path
    found = visible(context, path, "conanfile.py", "conanfile.txt")
    if len(found) != 1:
        raise Refused(
            f"{path or 'the project'} has two conanfiles"
            if found
            else missing(context, join(path, "conanfile.txt")).reason
        )
    return found[0]


def _sections(path: str, text: str) -> tuple[str | None, bool]:
    """Return the layout of a conanfile.txt, and whether it asks for packages."""
    sections = {name: re.sub(r"(?m)#.*$", "", body).split() for name, body in _SECTION.findall(text)}
    if sections.get("imports"):
        raise Refused(f"{path} copies files of packages into the project")
    return _layout_of(path, next(iter(sections.get("layout", ())), None)), any(map(sections.get, _WANTING))


def _layout_of(path: str, name: str | None) -> str | None:
    if name is None:
        return None
    if name not in _LAYOUTS:
        raise Refused(f"{path} has a layout that is not known ({name})")
    return _LAYOUTS[name]


@lru_cache(maxsize=64)
def _program(path: str, text: str) -> tuple[str | None, bool]:
    """Return the layout of a conanfile.py, and whether it asks for packages; raise `Refused` where it may read more."""
    import ast

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        raise Refused(f"{path} is not understood") from None
    if odd := next((name for name in _modules(tree) if not _MODULES.fullmatch(name)), None):
        raise Refused(f"{path} is a program that uses {odd}")
    used = [node for part in tree.body for node in _run_by_install(part)]
    for node in used:
        if isinstance(node, ast.Name | ast.Attribute) and _name(node) in {
            "recipe_folder",
            "__file__",
            "python_requires",
            "python_requires_extend",
        }:
            raise Refused(f"{path} is a program that may read other files ({_name(node)})")
        if isinstance(node, ast.Call) and _name(node.func) not in _FUNCTIONS:
            raise Refused(f"{path} is a program, and what {_name(node.func) or 'it calls'} reads is not known")
    names = [_name(node.func) for node in used if isinstance(node, ast.Call)]
    layout = next((_built_in(path, n) for n in used if isinstance(n, ast.Call) and _name(n.func) in _LAYOUTS), None)
    if layout is None and "def layout" in text:
        raise Refused(f"{path} has a layout of its own")
    assigned = [_name(t) for node in used if isinstance(node, ast.Assign) for t in node.targets]
    wanted = any(name in _WANTING for name in (*names, *assigned))
    return layout, wanted


def _built_in(path: str, layout: "ast.Call") -> str:
    """Return the folder that a call of `cmake_layout` names."""
    import ast

    folder = _LAYOUTS[_name(layout.func)]
    for given in layout.keywords:
        if given.arg != "build_folder" or not isinstance(given.value, ast.Constant):
            raise Refused(f"{path} has a layout of its own")
        folder = str(given.value.value)
    if layout.args[1:] or not re.fullmatch(r"[\w-]+", folder):
        raise Refused(f"{path} has a layout of its own")
    return folder


def _modules(tree: "ast.Module") -> list[str]:
    import ast

    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append("." * node.level + (node.module or ""))
    return found


def _run_by_install(part: "ast.AST") -> list["ast.AST"]:
    """Return the nodes of a part of the program, without the methods that an install does not run."""
    import ast

    if isinstance(part, ast.ClassDef):
        kept = [n for n in part.body if not (isinstance(n, ast.FunctionDef) and n.name in _UNUSED)]
        return [node for inner in (*kept, *part.decorator_list) for node in ast.walk(inner)]
    return list(ast.walk(part))


def _name(node: "ast.AST") -> str:
    """Return the last name of an expression such as `self.options.get_safe`."""
    import ast

    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
