"""Whether a build of Node.js may write outside of its project: what its scripts and settings say."""

import posixpath
import re

from optimizer.context import Context
from optimizer.context.manifests import json_file, table
from optimizer.syntax.lazy_pattern import lazy_pattern

_SETTINGS = lazy_pattern(
    r"(?:.*/)?(?:vite|vue|webpack|rollup|next|nuxt|svelte|astro|angular|tsup|esbuild|gatsby|tsconfig|\.angular-cli"
    r"|gulpfile|Gruntfile|gridsome|craco|config-overrides|package)[\w.-]*\.(?:[cm]?[jt]s|json)"
)
_BESIDE = lazy_pattern(
    r"(?:.*/)?(?:node_modules|tests?|__tests__|e2e|examples?|docs)/.*|.*(?:package-lock|\.spec|\.test)\..*"
)
_TARGET = lazy_pattern(
    r"(out-?(?:put)?-?(?:dir|file|path)?|dist-?dir|declarationDir|build-?path|dest(?:ination)?|\bpath|publishDir)"
    r"[\"']?\s*[:=,(]?\s*(?:path\.(?:resolve|join)\()?(?:\s*__dirname\s*,)?\s*[\"'`]((?:\.\./)+[\w./-]*|/(?!/)[\w./-]+)",
    re.IGNORECASE,
)
_COMMAND = lazy_pattern(r"(?:^|[\s='\"])((?:\.\./)+[\w./-]*|~/[\w./-]*|\$HOME\S*|/(?!dev/null)[A-Za-z][\w./-]+)")
_WRITERS = lazy_pattern(
    r"\b(?:cp|mv|cpx|copyfiles|ncp|rsync|ln|mkdir|mkdirp|shx|cpy|>|>>|outDir|outfile|output|--out\w*|-o|-d)\b|>"
)
_LARGE = 500_000


def why_outside(context: Context, script: str | None) -> str | None:
    """Say which setting or script names a folder outside of the project as a target, None where none does."""
    for path in context.under(""):
        if not _SETTINGS.fullmatch(path) or _BESIDE.fullmatch(path) or context.size(path) > _LARGE:
            continue
        if posixpath.basename(path) == "package.json":
            if script is not None and (found := _in_script(context, path, script)):
                return f"the script {script} of {path} speaks of {found}"
            continue
        for match in _TARGET.finditer(context.text(path) or ""):
            route = match[1].lower() == "path" and match[2].startswith("/")
            if not route and _is_outside(match[2], posixpath.dirname(path)):
                return f"{path} has files put into {match[2]}"
    return None


def _in_script(context: Context, path: str, script: str) -> str | None:
    scripts = table(json_file(context, path), "scripts")
    for name in (f"pre{script}", script, f"post{script}"):
        command = scripts.get(name)
        for match in _COMMAND.finditer(command) if isinstance(command, str) and _WRITERS.search(command) else ():
            if _is_outside(match[1], posixpath.dirname(path)):
                return match[1]
    return None


def _is_outside(target: str, folder: str) -> bool:
    if not target.startswith("."):
        return True
    return posixpath.normpath(posixpath.join(folder, target)).startswith("..")
