"""Bundler: the Gemfile, its lock file, and what the Gemfile reads.

Sources: https://bundler.io/man/bundle-install.1.html, https://bundler.io/man/bundle-config.1.html,
https://bundler.io/man/gemfile.5.html. Tried with gems that the project keeps (`--local`); the rest is read.
"""

import re
from collections.abc import Mapping
from posixpath import basename, dirname, join

from msgspec import Struct

from optimizer.ecosystems._arguments import Arguments, Options, is_on, parse, removes, variables_of
from optimizer.ecosystems._files import Refused, nearest, unique, visible
from optimizer.ecosystems._gemfile import Gemfile, read_gemfile
from optimizer.ecosystems._gemfile_lock import check_order, check_paths
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--clean --deployment --force --redownload --frozen --full-index --local --no-cache --no-prune
        --prefer-local --quiet --system --verbose -V --no-color""",
    values="""--gemfile --jobs -j --path --retry --trust-policy -P --with --without --binstubs --standalone --shebang
        --target-rbconfig""",
)
_VERSION = lazy_pattern(r"_[\d.]+_")
# Options that Bundler remembers in .bundle/config (bundle-install(1), "To apply any of …").
_REMEMBERED = (
    "--clean",
    "--deployment",
    "--frozen",
    "--path",
    "--with",
    "--without",
    "--no-prune",
    "--system",
    "--shebang",
)
_ELSEWHERE = lazy_pattern(r"BUNDLE_(?:BIN|LOCKFILE|CACHE_PATH|CACHE_ALL|LOCAL__\w+|STANDALONE|SHEBANG)|RUBYLIB")
_SETTINGS = lazy_pattern(
    r"deployment|frozen|without|with|jobs|retry|path|clean|no_prune|force_ruby_platform|build\..*|silence_\w+|system"
    r"|disable_\w+|timeout|redirect|specific_platform|ssl_verify_mode|no_install_doc|rubygems__pkg__.*|\S+\.(?:com|org|io|net)"
)
_LINE = lazy_pattern(r"BUNDLE_(?:WITHOUT|WITH|JOBS|RETRY|FORCE_RUBY_PLATFORM|SILENCE_\w+|DISABLE_\w+|TIMEOUT)$")


class Bundler(Struct, frozen=True):
    """`bundle install`, and `bundle config` in front of it."""

    id: str = "bundler"
    title: str = "Bundler"
    programs: frozenset[str] = frozenset({"bundle", "bundler"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads."""
        if call.program not in self.programs:
            return None
        words = _words(call)
        is_install = _is_install(words)
        known = (call.directory or "").startswith("/") and not _names_gemfile(call)
        if known and project.locate(".", call.directory or "/") is None:
            return None
        if not is_install and (words[:1] != ["config"] or words[1:2] in ([], ["list"], ["get"])):
            return None
        variables = variables_of(call, project.env)
        try:
            return _install(call, project, variables) if is_install else _config(call, project, variables)
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the index of the gems (`Bundler.user_cache`); what is kept beside the gems belongs to RubyGems."""
        if call.program not in self.programs or not _is_install(_words(call)):
            return None
        variables = variables_of(call, env)
        moved = next((name for name in ("BUNDLE_USER_CACHE", "BUNDLE_USER_HOME") if name in variables), None)
        return Cache(
            "Bundler's index of gems",
            cleanup=("rm -rf ~/.bundle/cache",),
            targets=(join(variables.get("HOME") or "/root", ".bundle/cache"),),
            off=f"{moved} puts the cache elsewhere" if moved else None,
        )

    def cleans(self, call: Call) -> bool:
        """Tell whether the folder is removed."""
        return removes(call, ".bundle/cache", "/.bundle")


ECOSYSTEM = Bundler()


def _words(call: Call) -> list[str | None]:
    words = [word.value for word in call.arguments]
    return words[1:] if words and _VERSION.fullmatch(words[0] or "") else words


def _is_install(words: list[str | None]) -> bool:
    """Tell whether it is `bundle install`, which `bundle` with options alone is too."""
    if not words or words[0] is None:
        return not words
    name = words[0].partition("=")[0]
    return name == "install" or name in OPTIONS.values | OPTIONS.switches or name.startswith("-j")


def _names_gemfile(call: Call) -> bool:
    return any(word.text.startswith("--gemfile") for word in call.arguments)


def _install(call: Call, project: Project, variables: Mapping[str, str | None]) -> Install:
    skipped = len(call.arguments) - len(_words(call))
    arguments = parse(call.arguments[skipped:], OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    if arguments.plain and arguments.plain[0].value != "install":
        raise Refused(f"what bundle {arguments.plain[0].text} reads is not known")
    for name in ("--binstubs", "--standalone", "--shebang", "--target-rbconfig"):
        if arguments.all(name):
            raise Refused(f"bundle install {name} writes programs into the project")
    if len(arguments.plain) > 1 and not arguments.all("--with", "--without"):
        raise Refused("bundle install knows no names of gems")
    path = _gemfile(call, project, variables, arguments)
    frozen = arguments.has("--frozen", "--deployment")
    manifests, gemfile = _manifests(project, path, variables, frozen=frozen)
    root = dirname(path)
    settings = visible(project.context, root, ".bundle/config")
    if settings and any(arguments.all(name) for name in _REMEMBERED):
        raise Refused(f"bundle install would change {settings[0]}")
    cached = visible(project.context, root, "vendor/cache")
    outputs = [join(root, "vendor/bundle"), *([] if settings else [join(root, ".bundle")])]
    for folder in (*arguments.all("--path"), variables.get("BUNDLE_PATH", "vendor/bundle")):
        outputs += _inside(project, root, folder)
    return Install(unique([*manifests, *settings, *gemfile.files, *cached]), unique(outputs))


def _config(call: Call, project: Project, variables: Mapping[str, str | None]) -> Install:
    """Answer for `bundle config`, which writes to .bundle beside the Gemfile, or at home where there is none."""
    words = [resolve(word, variables) for word in call.arguments]
    named = [word for word in words[1:] if word not in {"set", "unset", "--local", "--global", "--delete"}]
    name, values = (named[0] if named else None), named[1:]
    if name is None or not _SETTINGS.fullmatch(name):
        raise Refused(f"what the setting {name or 'of bundle config'} leads to is not known")
    start = _start(call, project)
    path = "" if "--global" in words else _gemfile(call, project, variables, None)
    root = dirname(path) if path else start
    folders: list[str] = []
    for value in values:
        folders += _inside(project, root, value) if name == "path" else _pieces(project, root, name, value)
    if not path:
        return Install((), tuple(folders))
    if settings := visible(project.context, root, ".bundle/config"):
        raise Refused(f"bundle config changes {settings[0]}")
    manifests, gemfile = _manifests(project, path, variables, frozen=False)
    return Install(unique([*manifests, *gemfile.files]), unique([join(root, ".bundle"), *folders]))


def _pieces(project: Project, root: str, name: str, value: str | None) -> list[str]:
    """Raise `Refused` where the value of a setting may name a place in the project."""
    for piece in re.split(r"[=\s]", value or "$"):
        is_relative = piece.startswith((".", "~", "$"))
        if _inside(project, root, piece) if is_relative else piece.startswith("/") and project.holds(piece):
            raise Refused(f"the setting {name} names a place in the project")
    return []


def _start(call: Call, project: Project) -> str:
    start = None if call.directory is None else project.locate(".", call.directory)
    if start is None:
        raise Refused("the directory of the install is not known")
    return start


def _gemfile(call: Call, project: Project, variables: Mapping[str, str | None], arguments: Arguments | None) -> str:
    """Return the path of the Gemfile; raise `Refused` where it cannot be told, or is not the project's."""
    option = arguments.all("--gemfile")[-1:] if arguments else ()
    named = option[0] if option else variables.get("BUNDLE_GEMFILE", "")
    if named is None:
        raise Refused("which Gemfile is read is not known")
    if named:
        path = project.locate(named, call.directory or "/")
        if path is None:
            raise Refused(f"{named} is outside of the copied files")
        return path
    root = nearest(project, _start(call, project), "Gemfile", "gems.rb")
    if root is None or visible(project.context, root, "gems.rb"):
        raise Refused("the project has no Gemfile")
    return join(root, "Gemfile")


def _manifests(
    project: Project, path: str, variables: Mapping[str, str | None], *, frozen: bool
) -> tuple[tuple[str, ...], Gemfile]:
    """Return the Gemfile and its lock file; raise `Refused` where more is read, or the lock file may change."""
    _check_variables(project, dirname(path), variables)
    gemfile = read_gemfile(project.context, path)
    locks = visible(project.context, dirname(path), f"{basename(path)}.lock")
    frozen = frozen or any(is_on(variables.get(name)) for name in ("BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT"))
    for lock in locks:
        check_paths(project.context, lock)
        if not frozen:
            check_order(project.context, lock, gemfile)
    return (path, *locks), gemfile


def _check_variables(project: Project, root: str, variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if _ELSEWHERE.fullmatch(name) and (value is None or project.holds(value) or value[:1] != "/"):
            raise Refused(f"{name} may name a place in the project")
    if (options := variables.get("RUBYOPT", "")) is None or re.search(r"-[rIC]|--require", options):
        raise Refused("RUBYOPT may name files of the project")
    settings = variables.get("BUNDLE_APP_CONFIG", "/usr/local/bundle")
    if settings is None or not settings.startswith("/") or project.holds(settings):
        raise Refused("BUNDLE_APP_CONFIG may name a place in the project")
    for path in visible(project.context, root, ".bundle/config"):
        for line in (project.context.text(path) or "").splitlines():
            if line.strip() not in {"", "---"} and not _LINE.match(line.partition(":")[0]):
                raise Refused(f"what {line.partition(':')[0].strip()} in {path} leads to is not known")


def _inside(project: Project, root: str, folder: str | None) -> list[str]:
    """Return the context path of a folder where gems go, if it is in the project."""
    if folder is None or "$" in folder:
        raise Refused("where the gems are installed is not known")
    inner = root[len(project.source) :].strip("/")
    place = project.locate(folder, join(project.destination, inner))
    if place == "":
        raise Refused("the gems are installed into the root of the project")
    return [] if place is None else [place]
