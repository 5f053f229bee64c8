"""What of an Elixir project Mix reads to fetch and compile its dependencies, and what stops that.

Both mix.exs and the configuration are programs: every function of another module in them has to be a known one.

Sources: https://hexdocs.pm/mix/Mix.html, https://hexdocs.pm/mix/Mix.Project.html, https://hexdocs.pm/mix/Mix.Tasks.Deps.html,
https://hexdocs.pm/mix/Mix.Tasks.Deps.Get.html, https://hexdocs.pm/mix/Mix.Tasks.Deps.Compile.html and
https://hexdocs.pm/elixir/Config.html. That config/ is read is also what `mix phx.gen.release --docker` relies on.
"""

import re
from posixpath import dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems._files import Refused, beside, need, unique, visible
from optimizer.syntax.lazy_pattern import lazy_pattern

_COMMENT = lazy_pattern(r"^\s*#.*$", re.MULTILINE)
_READ = lazy_pattern(r'File\.read!\(\s*"([\w./-]+)"\s*\)|"([\w./-]+)"\s*\|>\s*File\.read!(?:\(\))?')
_NAME = lazy_pattern(r'"[\w./:@~-]*"')  # a string that may look like a call (README.md) and cannot hide one
_CALL = lazy_pattern(r"(?<!\w)(?<!\w\.)((?:[A-Z]\w*\.)+)([a-z_]\w*[?!]?)|(?<![\w\"]):(\w+)\.([a-z]\w*)\(")
_KNOWN = lazy_pattern(
    r"(?:String|Keyword|Enum|List|Map|Integer|Regex|Version|Base|DateTime|Logger)\.\w+[?!]?"
    r"|Mix\.(?:compilers|env|target|raise)|File\.cwd!?|Path\.(?:expand|join|dirname)"
    r"|System\.(?:get_env|fetch_env!?|version|otp_release|schedulers_online|system_time)"
    r"|Mix\.Project\.(?:config|build_path|deps_path)|Config\.\w+"
)
_OTHERS = lazy_pattern(
    r"^\s*(?:(?:use|import|require)\s+(?!Mix\.Project\b|Mix\.Config\b|Config\b)|alias\s)|\b(?:apply|eval\w*)\b",
    re.MULTILINE,
)
_PLACES = lazy_pattern(r"\b(path|lockfile|deps_path|build_path|config_path|archives):")
_LOCAL_GIT = lazy_pattern(r"\bgit:\s*(?!\s*\"(?:https?://|ssh://|git://|git@))")
_ALIAS = lazy_pattern(r"\"(?:deps\.(?:get|compile|loadpaths)|local\.\w+)\":")
_UMBRELLA = lazy_pattern(r"\bapps_path:\s*\"([\w./-]+)\"")
_WANTED = lazy_pattern(r"\{\s*:(\w+)\s*,\s*(?:\"([^\"]*)\"|(in_umbrella))?([^{}]*)")
_LOCKED = lazy_pattern(
    r'^  "(\w+)": (?:\{:hex, :\w+, "([^"]+)", .*"[0-9a-f]{64}"\}'
    r'|\{:git, "(?:https?|ssh|git)[^"]*", "[0-9a-f]{40}", (.*)\}),?$',
    re.MULTILINE,
)
_POINT = lazy_pattern(r"\b(?:tag|ref|branch): \"[^\"]*\"")
_IMPORTS = lazy_pattern(r"import_config\s*\(?\s*\"([^\"]*)\"")


class Applications(Struct, frozen=True):
    """The files that are read, whether the project is an umbrella, and why the lock file may change, if it may."""

    manifests: tuple[str, ...]
    is_umbrella: bool
    stale: str | None


def read_applications(context: Context, folder: str) -> Applications:
    """Read mix.exs, mix.lock and config/ of a context folder; raise `Refused` where more may be read."""
    path = need(context, join(folder, "mix.exs"))
    text, files = _program(context, path)
    umbrella = _UMBRELLA.search(text)
    texts = [text]
    manifests = [path, *visible(context, folder, "mix.lock"), *files]
    if odd := _PLACES.search(text):
        raise Refused(f"{path} names a place ({odd[1]})")
    for inner in _members(context, folder, umbrella[1]) if umbrella else ():
        text, files = _program(context, inner)
        texts.append(text)
        manifests += [inner, *files]
        if re.search(r"\bpath:", text):
            raise Refused(f"a dependency of {inner} is a folder of the project")
    manifests += _configuration(context, folder)
    return Applications(unique(manifests), umbrella is not None, _why_stale(context, folder, texts))


def _members(context: Context, folder: str, apps: str) -> list[str]:
    inside = beside(folder, apps)
    files = context.under(inside) if inside else ()
    found = [file for file in files if file.endswith("/mix.exs") and dirname(dirname(file)) == inside]
    if not found:
        raise Refused(f"{apps} holds no applications")
    return found


def _program(context: Context, path: str) -> tuple[str, list[str]]:
    """Return a mix.exs without comments, and the files that it reads; raise `Refused` where these cannot be told."""
    text = _COMMENT.sub("", context.text(path) or "")
    files = []
    for first, second in _READ.findall(text):
        inside = beside(dirname(path), first or second)
        files.append(need(context, inside or first or second))
    text = _READ.sub('""', text)
    _check_calls(path, text)
    if _LOCAL_GIT.search(text):
        raise Refused(f"a dependency of {path} comes from a folder")
    if odd := _ALIAS.search(text):
        raise Refused(f"{path} has an alias {odd[0].strip(':')}")
    return text, files


def _check_calls(path: str, text: str) -> None:
    for module, name, erlang, function in _CALL.findall(_NAME.sub('""', text)):
        if erlang or not _KNOWN.fullmatch(module + name):
            raise Refused(
                f"{path} is a program, and what {module or ':' + erlang + '.'}{name or function} reads is not known"
            )
    if odd := _OTHERS.search(text):
        raise Refused(f"{path} is a program, and what {odd[0].strip()} brings is not known")


def _configuration(context: Context, folder: str) -> list[str]:
    """Return the folder of the configuration, if there is one; raise `Refused` where its files read others."""
    config = join(folder, "config")
    files = tuple(context.under(config))
    for file in files:
        if file.endswith(("/runtime.exs", "/releases.exs")):
            continue  # these are read when a release starts
        text = _COMMENT.sub("", context.text(file) or "") if file.endswith(".exs") else ""
        _check_calls(file, text)
        if any(".." in name or "*" in name or "/" in name for name in _IMPORTS.findall(text)):
            raise Refused(f"{file} imports configuration from elsewhere")
    return [config] if files else []


def _why_stale(context: Context, folder: str, texts: list[str]) -> str | None:
    """Say why fetching may write mix.lock anew, which the sources copied later would take away again."""
    lock = context.text(join(folder, "mix.lock"))
    if lock is None:
        return None
    locked = {name: (version, options) for name, version, options in _LOCKED.findall(lock)}
    if len(locked) != len(re.findall(r'^  "', lock, re.MULTILINE)):
        return "mix.lock has an entry that is not understood"
    for text in texts:
        listed = _dependencies(text)
        if listed is None:
            return "the dependencies in mix.exs are not written out, so that mix.lock may change"
        for name, wanted, beside_it, options in _WANTED.findall(listed):
            if not beside_it and not _is_locked(locked.get(name), wanted, options):
                return f"mix.lock may not have the {name} that mix.exs asks for"
    return None


def _is_locked(locked: tuple[str, str] | None, wanted: str, options: str) -> bool:
    """Tell whether the locked version, or point of a repository, is certainly the wanted one."""
    if locked is None:
        return False
    version, point = locked
    if point:
        return {*_POINT.findall(point)} == {*_POINT.findall(options)}
    return not re.search(r"\bgit(?:hub)?:", options) and (not wanted or _meets(version, wanted))


def _dependencies(text: str) -> str | None:
    """Return the list of the dependencies, None where it is not written out."""
    match = re.search(r"defp? deps(?:\(\))? do\n\s*\[(.*?)\]\s*^  end", text, re.MULTILINE | re.DOTALL)
    return None if match is None or re.search(r"\+\+|\b(?:if|case|for|unless)\b|:\"|\|", match[1]) else match[1]


def _meets(version: str, wanted: str) -> bool:
    """Tell whether a version certainly meets a requirement of the form `~> 1.2`, `>= 1.2` or `1.2.3`."""
    match = re.fullmatch(r"(~>|>=|==)?\s*(\d+(?:\.\d+){0,2})", wanted.strip())
    if match is None or not re.fullmatch(r"\d+\.\d+\.\d+", version):
        return False
    have, least = (tuple(map(int, text.split("."))) for text in (version, match[2]))
    if match[1] == ">=":
        return have >= least
    fixed = least[:-1] if match[1] == "~>" else least
    return have[: len(fixed)] == fixed and have >= least
