"""Conan 1 and 2: the libraries of a C or C++ project, installed with its conanfile alone.

Sources: https://docs.conan.io/2/reference/commands/install.html, …/2/reference/commands/export.html,
https://docs.conan.io/1/reference/commands/consumer/install.html, https://docs.conan.io/2/reference/config_files/conanrc.html
and Conan's `conan/cli/commands/install.py`.
"""

from collections.abc import Iterator, Mapping
from posixpath import basename, dirname, join

from msgspec import Struct

from optimizer.context import Context
from optimizer.ecosystems._arguments import Arguments, Options, parse, removes, variables_of
from optimizer.ecosystems._conanfile import Recipe, read_recipe
from optimizer.ecosystems._files import Refused, missing, unique, upwards, visible
from optimizer.ecosystems.ecosystem import Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

_SCOPED = [
    (f"-{short}{end}", f"--{name}{end}")
    for short, name in (("pr", "profile"), ("o", "options"), ("s", "settings"), ("c", "conf"), ("e", "env"))
    for end in ("", ":b", ":h", ":a", ":build", ":host", ":all")
]
OPTIONS = Options.of(
    switches="-nr --no-remote -u --update --lockfile-partial --lockfile-clean --build-require --no-imports",
    values=f"""-b --build -r --remote -l --lockfile --lockfile-out -f --format --name --version --user --channel -g
        --generator -of --output-folder -if --install-folder --envs-generation -v -cc --core-conf --requires
        --tool-requires
        {" ".join(name for pair in _SCOPED for name in pair)} --option --setting""",
)
_SETS_UP = frozenset("profile remote user version --version config search list download cache home".split())
_BUILDS = frozenset({"build", "create", "editable", "test", "workspace"})
_HOMES = ("CONAN_HOME", "CONAN_USER_HOME", "CONAN_DEFAULT_PROFILE", "CONAN_DEFAULT_PROFILE_PATH")
_INCLUDES = lazy_pattern(
    r"\{[{%]|^\s*include\s*\(",
)
# What Conan writes beside a conanfile without a layout.
_GENERATED = lazy_pattern(
    r"conan(?!file|data|ws|\.lock)[\w.-]*|CMake(?:User)?Presets\.json|graph_info\.json|deactivate_conan\w*\.sh|activate\w*\.sh"
    r"|cmakedeps_macros\.cmake|(?:module-|Find)[\w.+-]*\.cmake|[\w.+-]*?(?:-config(?:-version)?|-data|Targets?|Config"
    r"|ConfigVersion|-Target-\w+)\.cmake|[\w.+-]+\.pc"
)


class Conan(Struct, frozen=True):
    """`conan install` and `conan export`, and what sets Conan up."""

    id: str = "conan"
    title: str = "Conan"
    programs: frozenset[str] = frozenset({"conan"})

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads."""
        words = [word.value or "" for word in call.arguments]
        start = None if call.directory is None else project.locate(".", call.directory)
        if call.program != "conan" or not words:
            return None
        if words[0] in _BUILDS:
            return Refusal(f"conan {words[0]} builds the project from its sources", ("conan install",))
        try:
            if words[0] == "install":
                return _install(call, project)
            if words[0] in _SETS_UP:
                return _set_up(call, project, words)
            return _export(call, project) if words[0] == "export" and start is not None else None
        except Refused as refused:
            return Refusal(str(refused))

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the packages, which stay: the build takes headers and libraries from there."""
        if call.program != "conan" or [word.value for word in call.arguments[:1]] != ["install"]:
            return None
        variables = variables_of(call, env)
        home = variables.get("HOME") or "/root"
        return Cache(
            "Conan's packages",
            targets=(variables.get("CONAN_HOME") or join(home, ".conan2"), join(home, ".conan")),
            off="the build takes packages from Conan's cache, so it stays: leave it behind in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """`conan cache clean`, `conan remove`, or the folder removed."""
        words = [word.value for word in call.arguments[:2]]
        cleaned = words == ["cache", "clean"] or words[:1] == ["remove"]
        return (call.program == "conan" and cleaned) or removes(call, ".conan2", ".conan2/p", ".conan", ".conan/data")


ECOSYSTEM = Conan()


def _install(call: Call, project: Project) -> Install | None:
    variables = variables_of(call, project.env)
    arguments = parse(call.arguments[1:], OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    if call.directory is None or any(word.value is None for word in arguments.plain):
        raise Refused("the folder of the conanfile is not known")
    for name in _HOMES:
        value = variables.get(name, "")
        if value is None or (value and project.locate(value, "/") is not None):
            raise Refused(f"{name} may name a place in the project")
    if len(arguments.plain) > 1 or not arguments.plain:
        return Install(()) if arguments.has("--requires", "--tool-requires") else None
    path = project.locate(arguments.plain[0].value or ".", call.directory)
    if path is None:
        return None
    recipe = read_recipe(project.context, path)
    if not recipe.wanted:
        return None
    if arguments.has("--lockfile-out", "--lockfile-clean"):
        raise Refused("conan install writes a lock file")
    settings = _settings(project, recipe, call.directory, arguments)
    return Install(unique([*recipe.manifests, *settings]), _outputs(call, project, arguments, recipe))


def _settings(project: Project, recipe: Recipe, directory: str, arguments: Arguments) -> list[str]:
    """Return the lock file, the profiles and the .conanrc that are among the copied files."""
    context = project.context
    start = project.locate(".", directory)
    above = [] if start is None else [p for at in upwards(project, start) for p in visible(context, at, ".conanrc")]
    if any(visible(context, at, "conanws.yml", "conanws.py") for at in upwards(project, recipe.folder)):
        raise Refused("the project is a workspace of Conan")
    found = [*visible(context, recipe.folder, "conan.lock"), *above]
    for name, value in arguments.options:
        is_profile = name.startswith(("-pr", "--profile"))
        if name not in {"-l", "--lockfile"} and not is_profile:
            continue
        if value is None:
            raise Refused(f"the value of {name} is not known")
        path = project.locate(value, directory)
        if path is not None and path in context.files and not context.is_file(path):
            raise Refused(missing(context, path).reason)
        if path is not None and context.is_file(path):
            if is_profile and _INCLUDES.search(context.text(path) or ""):
                raise Refused(f"the profile {path} is made of others")
            found.append(path)
        elif path is not None and ("/" in value or not is_profile):
            raise Refused(f"{value} is not among the copied files")
    return found


def _outputs(call: Call, project: Project, arguments: Arguments, recipe: Recipe) -> tuple[str, ...]:
    """Return the folders for what is generated; of those that hold other files too, what is there of it already."""
    named = [v for name in ("-of", "--output-folder", "-if", "--install-folder") for v in arguments.all(name)]
    named += [value[2:] for value in arguments.all("-o") if value and value.startswith("f=")]  # -of=build
    if None in named:
        raise Refused("the folder for what conan install generates is not known")
    directory = call.directory or "/"
    place = project.locate(named[-1] or ".", directory) if named else recipe.folder
    if place is not None and recipe.layout is not None:
        return (join(place, recipe.layout),)
    if named and place not in {None, "", recipe.folder, project.source}:
        return (str(place),)
    # Conan 1 generates files where it is started.
    places = unique(path for path in (place, project.locate(".", directory)) if path is not None)
    return tuple(output for path in places for output in _generated(project.context, path))


def _generated(context: Context, folder: str) -> Iterator[str]:
    """Go through the generated files in a folder of the project, or give the folder where it is not there yet."""
    if folder and not context.is_dir(folder):
        yield folder
        return
    for file in context.under(folder):
        if dirname(file) == folder and _GENERATED.fullmatch(basename(file)):
            yield file


def _set_up(call: Call, project: Project, words: list[str]) -> Install | None:
    """Answer for what sets up Conan, which may take files of the project."""
    places = [
        None if word.value is None else project.locate(word.value, call.directory or "/") for word in call.arguments
    ]
    inside = unique(path for path in places[1:] if path and project.context.exists(path))
    if any(word.value is None for word in call.arguments) or (inside and words[:2] != ["config", "install"]):
        return None
    return Install(inside)


def _export(call: Call, project: Project) -> Install:
    """Answer for `conan export`, which takes a folder of a recipe."""
    words = [word for word in call.arguments[1:] if not word.text.startswith("-")]
    path = project.locate(words[0].value, call.directory or "/") if words and words[0].value else None
    if path is None:
        raise Refused("the folder that conan export takes is not known")
    recipe = read_recipe(project.context, path)
    if not recipe.folder:
        raise Refused("conan export takes the project's own sources")
    if recipe.reaches_out:
        raise Refused(f"the recipe in {recipe.folder} exports files of other folders")
    return Install((recipe.folder,))
