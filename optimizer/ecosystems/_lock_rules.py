"""What must hold of a lock file before an install is bound to it, by package manager.

Sources: https://docs.npmjs.com/cli/v10/commands/npm-ci, https://classic.yarnpkg.com/en/docs/cli/install,
https://yarnpkg.com/cli/install, https://pnpm.io/cli/install, https://bun.sh/docs/cli/install,
https://pipenv.pypa.io/en/latest/commands.html, https://docs.astral.sh/uv/concepts/projects/sync/.
"""

import re
from collections.abc import Mapping
from posixpath import basename, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import json_file, table, toml_file
from optimizer.ecosystems._arguments import Arguments
from optimizer.ecosystems._javascript import FIELDS, string
from optimizer.ecosystems._npm_lock import why_incomplete
from optimizer.ecosystems._uv_lock import why_uncertain
from optimizer.syntax.lazy_pattern import lazy_pattern

_NPM_KNOWS = frozenset(
    "-C --prefix --omit --include --only --also --production --dev --ignore-scripts --legacy-peer-deps --audit --fund "
    "--optional -s --silent -q --quiet -d -dd -ddd --verbose --loglevel --unsafe-perm --prefer-offline --offline "
    "--prefer-online --progress --registry --cache --update-notifier --strict-ssl --network-timeout --fetch-retries "
    "--fetch-retry-factor --fetch-retry-mintimeout --fetch-retry-maxtimeout --fetch-timeout --maxsockets "
    "--foreground-scripts --build-from-source --python --color --engine-strict --timing --userconfig".split()
)
_VERSION = lazy_pattern(r"(?:^|[:-])v?(\d+)(?:\.(\d+))?")
_OTHER_LOCK = lazy_pattern(r"^\s*(?:package-lock|shrinkwrap|lockfile|shared-workspace-lockfile)\s*=", re.MULTILINE)
_BERRY_FORM = lazy_pattern(r"^__metadata:\n  version: (\d+)$", re.MULTILINE)
_BERRY_ENTRY = lazy_pattern(r'^"?[^\n]*@workspace:(?P<folder>[^",\n]+)"?:\n(?P<body>(?:  .*\n)+)', re.MULTILINE)
_BERRY_NAMES = lazy_pattern(r'^    "?(@?[\w./-]+)"?: ', re.MULTILINE)
_PNPM_FORM = lazy_pattern(r"^lockfileVersion: '?(\d+)\.\d+'?\s*$", re.MULTILINE)
_PNPM_FORMS = {7: "5", 8: "6", 9: "9", 10: "9"}
_PNPM_CHANGING = ("overrides", "packageExtensions", "patchedDependencies", "allowedDeprecatedVersions")
_FIRST_NODE_WITH_CI = (8, 12)
_FIRST_NODE_WITH_NPM_7 = 15
_NODE_9 = 9


class Tools(Struct, frozen=True):
    """What is known of the releases that a step finds: its base image, and `tool@version` in the RUNs above."""

    repository: str
    tag: str
    asked: Mapping[str, str]

    def major(self, tool: str) -> int | None:
        """Return the major version that somebody asked for, None where nobody did or it is a name."""
        found = re.match(r"\d+", self.asked.get(tool, ""))
        return int(found[0]) if found else None


class Case(Struct, frozen=True):
    """One install with its lock file."""

    verb: str
    arguments: Arguments
    context: Context
    root: str
    lock: str
    text: str
    tools: Tools

    @property
    def name(self) -> str:
        """The lock file as people call it."""
        return basename(self.lock)

    @property
    def manifest(self) -> dict[str, object]:
        """The package.json at the root."""
        return table(json_file(self.context, join(self.root, "package.json")))


class UnboundError(Exception):
    """Why an install is not to be bound, a clause."""


def bind_npm(case: Case) -> str:
    """Return what stands in the place of the verb; raise `UnboundError` where the lock file does not allow it."""
    odd = next((name for name, _ in case.arguments.options if name not in _NPM_KNOWS), None)
    if odd:
        raise UnboundError(f"what npm ci makes of the option {odd} is not known")
    rc = case.context.text(join(case.root, ".npmrc")) or ""
    if _OTHER_LOCK.search(rc):
        raise UnboundError("the .npmrc says what to do with the lock file")
    if table(case.manifest, "overrides"):
        raise UnboundError("the package.json has overrides, which the lock file does not show")
    release = npm_major(case.tools)
    form = table(json_file(case.context, case.lock)).get("lockfileVersion")
    if form != 2 and not (form == 3 and release >= 7):  # noqa: PLR2004 - 2 is for npm 6 as well, 3 from npm 7 on
        raise UnboundError(f"npm {release} does not know the form of {case.name}")
    legacy = case.arguments.has("--legacy-peer-deps") or "legacy-peer-deps=true" in rc.replace(" ", "")
    if reason := why_incomplete(table(json_file(case.context, case.lock)), peers=release >= 7 and not legacy):  # noqa: PLR2004
        raise UnboundError(reason)
    return "ci"


def npm_major(tools: Tools) -> int:
    """Return a major version of npm that runs at the least, told by that of Node.js.

    Raises `UnboundError` where it is not known, or too old for `npm ci`.
    """
    if "npm" in tools.asked:
        major = tools.major("npm")
        if major is None and tools.asked["npm"] not in {"latest", "next"}:
            raise UnboundError("which npm runs is not known")
        if major is not None and major < 6:  # noqa: PLR2004 - `ci` came with 5.7
            raise UnboundError(f"npm {major} may not have npm ci")
        return major or 7
    if tools.repository != "node":
        raise UnboundError("which npm runs is not known")
    found = _VERSION.match(tools.tag)
    if found is None:
        return 7
    node = (int(found[1]), int(found[2] or 99))
    if node < _FIRST_NODE_WITH_CI or node[0] == _NODE_9:
        raise UnboundError(f"the npm of Node.js {found[1]} may not have npm ci")
    return 7 if node[0] >= _FIRST_NODE_WITH_NPM_7 else 6


def bind_yarn(case: Case) -> str:
    """Return what stands in the place of the verb; raise `UnboundError` where the lock file does not allow it."""
    form = _BERRY_FORM.search(case.text)
    if form is None:
        if "# yarn lockfile v1" not in case.text:
            raise UnboundError(f"which Yarn wrote {case.name} is not known")
        if "yarn" in case.tools.asked and case.tools.major("yarn") != 1:
            raise UnboundError(f"a later Yarn than 1 would write {case.name} anew")
        return f"{case.verb} --frozen-lockfile"
    wanted = _berry_form(case)
    if wanted is None or form[1] not in wanted:
        raise UnboundError(f"whether the Yarn that runs keeps {case.name} as it is is not known")
    entries = list(_BERRY_ENTRY.finditer(case.text))
    if not any(entry["folder"] == "." for entry in entries):
        raise UnboundError(f"{case.name} is of another project")
    for entry in entries:
        folder = join(case.root, entry["folder"]) if entry["folder"] != "." else case.root
        manifest = table(json_file(case.context, join(folder, "package.json")))
        body = entry["body"].partition("  dependencies:\n")[2]
        names = set(_BERRY_NAMES.findall(re.split(r"^  \w", body, maxsplit=1, flags=re.MULTILINE)[0]))
        if names != {name for field in FIELDS[:3] for name in table(manifest, field)}:
            raise UnboundError(f"{case.name} has other dependencies than {join(folder, 'package.json')}")
    return f"{case.verb} --immutable"


def _berry_form(case: Case) -> tuple[str, ...] | None:
    """Return the forms of a lock file that the pinned Yarn writes: a later one rewrites what an earlier one wrote."""
    pinned = re.match(r"yarn@(\d+)\.(\d+)", string(case.manifest, "packageManager"))
    pinned = pinned or re.search(r"yarn-(\d+)\.(\d+)", case.context.text(join(case.root, ".yarnrc.yml")) or "")
    if pinned is None:
        return None
    release = (int(pinned[1]), int(pinned[2]))
    if release >= (4, 0):
        return ("8",) if release < (4, 10) else None
    return ("6",) if release >= (3, 2) else ("5",) if release == (3, 1) else None


def bind_pnpm(case: Case) -> str:
    """Return what stands in the place of the verb; raise `UnboundError` where the lock file does not allow it."""
    pinned = re.match(r"pnpm@(\d+)", string(case.manifest, "packageManager"))
    major = int(pinned[1]) if pinned else case.tools.major("pnpm")
    form = _PNPM_FORM.search(case.text)
    if major is None or form is None or _PNPM_FORMS.get(major) != form[1]:
        raise UnboundError(f"whether the pnpm that runs keeps {case.name} as it is is not known")
    settings = case.context.text(join(case.root, "pnpm-workspace.yaml")) or ""
    for name in _PNPM_CHANGING:
        if name in table(case.manifest, "pnpm") or f"\n{name}:" in f"\n{settings}":
            raise UnboundError(f"pnpm has {name}, which the lock file must agree with")
    if any(case.context.exists(join(case.root, name)) for name in (".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js")):
        raise UnboundError("the pnpmfile changes what the lock file holds")
    if _OTHER_LOCK.search(case.context.text(join(case.root, ".npmrc")) or ""):
        raise UnboundError("the .npmrc says what to do with the lock file")
    return f"{case.verb} --frozen-lockfile"


def bind_bun(case: Case) -> str:
    """Return what stands in the place of the verb; raise `UnboundError` where the lock file does not allow it."""
    found = _VERSION.match(case.tools.tag)
    if case.tools.repository != "oven/bun" or (found and (found[1] != "1" or int(found[2] or 99) < 2)):  # noqa: PLR2004
        raise UnboundError(f"whether the Bun that runs reads {case.name} is not known")
    if any(
        field in case.manifest for field in ("overrides", "resolutions", "catalog", "catalogs", "patchedDependencies")
    ):
        raise UnboundError("the package.json changes versions in a way that is not compared with the lock file")
    return f"{case.verb} --frozen-lockfile"


def bind_pipenv(case: Case) -> str:
    """Return what stands in the place of the verb; raise `UnboundError` where the lock file does not allow it."""
    required = table(toml_file(case.context, join(case.root, "Pipfile")), "requires")
    wanted = str(required.get("python_full_version") or required.get("python_version") or "")
    found = re.match(r"\d+(?:\.\d+)+(?=-|$)", case.tools.tag)
    running = found[0] if found and case.tools.repository == "python" else None
    if wanted and not (running and f"{running}.".startswith(f"{wanted}.")):
        raise UnboundError(f"whether Python {wanted} runs, which pipenv --deploy insists on, is not known")
    return f"{case.verb} --deploy"


def bind_uv(case: Case) -> str:
    """Return what stands in the place of the verb; raise `UnboundError` where the lock file does not allow it."""
    if reason := why_uncertain(case.context, case.root, case.text):
        raise UnboundError(reason)
    return f"{case.verb} --locked"
