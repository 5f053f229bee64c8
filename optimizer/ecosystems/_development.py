"""Which dependencies of a project are for its development only, and the option that leaves them out.

Sources: https://docs.npmjs.com/cli/v10/commands/npm-ci#omit, https://classic.yarnpkg.com/en/docs/cli/install,
https://pnpm.io/cli/install, https://docs.astral.sh/uv/reference/cli/#uv-sync, https://python-poetry.org/docs/cli/.
"""

import re
from collections.abc import Mapping
from posixpath import dirname, join

from msgspec import Struct
from msgspec.structs import replace

from optimizer.context.manifests import json_file, table, toml_file
from optimizer.ecosystems import npm, pnpm, poetry, uv, yarn
from optimizer.ecosystems._arguments import Arguments, Options, parse, variables_of
from optimizer.ecosystems._javascript import string
from optimizer.ecosystems._lifecycle import NPM
from optimizer.ecosystems._lock_rules import Tools, UnboundError, npm_major
from optimizer.ecosystems._python import normal_name
from optimizer.ecosystems.ecosystem import Ecosystem, Install, Project, Refusal
from optimizer.shell import Call, Word
from optimizer.syntax.lazy_pattern import lazy_pattern

_NAME = lazy_pattern(r"\s*([\w.-]+)")
_QUIET = ("--ignore-scripts", "--mode=skip-build")
_POETRY_WITH_GROUPS = (1, 2)


class Development(Struct, frozen=True):
    """An install that brings packages for development, and how to leave them out.

    `names` are those packages, `others` what the program itself depends on; `scripts` are those of the package.json.
    """

    word: Word  # the flag goes behind it
    flag: str
    names: frozenset[str]
    others: frozenset[str]
    scripts: Mapping[str, str]
    root: str  # context path of the folder of the manifest


class _Manager(Struct, frozen=True):
    ecosystem: Ecosystem
    options: Options
    verbs: frozenset[str]
    omits: frozenset[str]  # options that have a say in the matter


def development(call: Call, project: Project, tools: Tools) -> Development | Refusal | None:
    """Return what an install brings for development; None where it brings nothing, or says itself what it brings."""
    manager = _MANAGERS.get(call.program)
    if manager is None:
        return None
    variables = variables_of(call, project.env)
    arguments = parse(call.arguments, manager.options, variables)
    if isinstance(arguments, Refusal):
        return arguments if any(w.value in manager.verbs for w in call.arguments) else None
    if not _is_install(call, manager, arguments) or arguments.has(*manager.omits, "-g", "--global"):
        return None
    if call.program in {"npm", "yarn", "pnpm"}:
        if "NODE_ENV" in variables:
            known = variables["NODE_ENV"]
            if known is None or known == "production":
                return None if known else Refusal("the value of NODE_ENV is not known")
        return _javascript(manager, call, project, arguments, tools)
    return _python(manager, call, project, arguments, tools)


def _is_install(call: Call, manager: _Manager, arguments: Arguments) -> bool:
    words = [argument.text for argument in arguments.plain]
    if arguments.has("--version", "-v", "--help", "-h", "--lockfile-only", "--package-lock-only", "--dry-run"):
        return False
    return (len(words) == 1 and words[0] in manager.verbs) or (not words and call.program == "yarn")


def _javascript(
    manager: _Manager, call: Call, project: Project, arguments: Arguments, tools: Tools
) -> Development | Refusal | None:
    quiet = tuple(Word(text, call.words[-1].span, text) for text in _QUIET[: 1 + (call.program == "yarn")])
    install = manager.ecosystem.install(replace(call, words=(*call.words, *quiet)), project)
    if not isinstance(install, Install) or not install.manifests:
        return _unseen(install)
    root = dirname(install.manifests[0])
    manifest = table(json_file(project.context, install.manifests[0]))
    names = frozenset(table(manifest, "devDependencies"))
    if not names:
        return None
    if "workspaces" in manifest or any(p.endswith("pnpm-workspace.yaml") for p in install.manifests):
        return Refusal("which packages of a workspace the program needs is not known")
    scripts = {name: string(manifest, "scripts", name) for name in table(manifest, "scripts")}
    lifecycle = next((name for name in NPM if name in scripts), None)
    if lifecycle and not arguments.has("--ignore-scripts"):
        return Refusal(f"the lifecycle script {lifecycle} may need a development dependency")
    flag = _javascript_flag(call.program, project, root, tools)
    if isinstance(flag, Refusal):
        return flag
    others = frozenset(table(manifest, "dependencies")) | frozenset(table(manifest, "optionalDependencies"))
    word = arguments.plain[0].word if arguments.plain else call.words[0]
    return Development(word, flag, names - others, others, scripts, root)


def _javascript_flag(program: str, project: Project, root: str, tools: Tools) -> str | Refusal:
    if program == "pnpm":
        return "--prod"
    if program == "yarn":
        modern = "__metadata:" in (project.context.text(join(root, "yarn.lock")) or "") or "yarn" in tools.asked
        modern = modern or project.context.exists(join(root, ".yarnrc.yml"))
        return Refusal("Yarn 2 and later have no such option") if modern else "--production"
    try:
        return "--omit=dev" if npm_major(tools) >= 7 else "--only=production"  # noqa: PLR2004 - where `--omit` came
    except UnboundError as error:
        return Refusal(str(error))


def _python(
    manager: _Manager, call: Call, project: Project, arguments: Arguments, tools: Tools
) -> Development | Refusal | None:
    install = manager.ecosystem.install(call, project)
    if not isinstance(install, Install) or not install.manifests:
        return _unseen(install)
    root = dirname(install.manifests[0])
    content = table(toml_file(project.context, install.manifests[0]))
    groups = _uv_groups(content) if call.program == "uv" else _poetry_groups(content)
    if isinstance(groups, Refusal):
        return groups
    if not groups:
        return None
    if call.program == "poetry" and _release(tools.asked.get("poetry", "")) < _POETRY_WITH_GROUPS:
        return Refusal("which Poetry runs is not known")
    flag = "--no-dev" if call.program == "uv" else "--only main"
    main = [*_names(table(content, "project").get("dependencies")), *table(content, "tool", "poetry", "dependencies")]
    others = frozenset(map(normal_name, main))
    return Development(arguments.plain[0].word, flag, groups - others, others, {}, root)


def _uv_groups(content: Mapping[str, object]) -> frozenset[str] | Refusal:
    if "default-groups" in table(content, "tool", "uv") or table(content, "tool", "uv", "workspace"):
        return Refusal("which groups uv installs by default is not compared")
    dev = table(content, "dependency-groups").get("dev")
    if isinstance(dev, list) and any(not isinstance(line, str) for line in dev):
        return Refusal("the group dev includes others")
    return frozenset([*_names(dev), *_names(table(content, "tool", "uv").get("dev-dependencies"))])


def _poetry_groups(content: Mapping[str, object]) -> frozenset[str] | Refusal:
    settings = table(content, "tool", "poetry")
    groups = {name: table(group) for name, group in table(settings, "group").items() if name != "main"}
    if other := next((name for name in groups if name not in {"dev", "test", "tests", "docs", "lint"}), None):
        return Refusal(f"whether the program needs the group {other} is not known")
    if table(content, "dependency-groups"):
        return Refusal("which groups Poetry installs by default is not compared")
    lists = [table(group, "dependencies") for group in groups.values() if not group.get("optional")]
    lists.append(table(settings, "dev-dependencies"))
    return frozenset(normal_name(name) for each in lists for name in each)


def _names(lines: object) -> list[str]:
    found = (_NAME.match(line) for line in lines if isinstance(line, str)) if isinstance(lines, list) else ()
    return [normal_name(match[1]) for match in found if match]


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def _unseen(install: Install | Refusal | None) -> Refusal:
    if isinstance(install, Refusal) and not install.reason.endswith("is not in the build context"):
        return install
    return Refusal("its manifests are not copied from the build context")


_JAVASCRIPT = "--omit --include --only --also --production --prod -P --dev -D --mode --no-optional -w --workspace"
_PYTHON = "--no-dev --dev --only-dev --group --only-group --all-groups --no-group --only --with --without --only-main"
_MANAGERS = {
    "npm": _Manager(npm.ECOSYSTEM, npm.OPTIONS, frozenset({"ci", "install", "i"}), frozenset(_JAVASCRIPT.split())),
    "yarn": _Manager(yarn.ECOSYSTEM, yarn.OPTIONS, frozenset({"install"}), frozenset(_JAVASCRIPT.split())),
    "pnpm": _Manager(pnpm.ECOSYSTEM, pnpm.OPTIONS, frozenset({"install", "i"}), frozenset(_JAVASCRIPT.split())),
    "uv": _Manager(uv.ECOSYSTEM, uv.OPTIONS, frozenset({"sync"}), frozenset(_PYTHON.split())),
    "poetry": _Manager(poetry.ECOSYSTEM, poetry.OPTIONS, frozenset({"install"}), frozenset(_PYTHON.split())),
}
