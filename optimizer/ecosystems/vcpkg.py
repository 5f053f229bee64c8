"""vcpkg in manifest mode: the libraries that vcpkg.json asks for, installed without the sources.

Where CMake's configure step installs them by way of vcpkg's toolchain file, they are built ahead of it into vcpkg's
binary cache, from which that step takes them.

Sources: https://learn.microsoft.com/vcpkg/commands/install, …/vcpkg/concepts/manifest-mode,
…/vcpkg/users/buildsystems/cmake-integration, …/vcpkg/reference/vcpkg-configuration-json and vcpkg's
`scripts/buildsystems/vcpkg.cmake`. Read, not tried: no build with libraries stands behind this module.
"""

import re
from collections.abc import Iterator, Mapping
from posixpath import join

from msgspec import Struct

from optimizer.ecosystems._arguments import Options, folder_of, parse, removes, variables_of
from optimizer.ecosystems._cmake import Configuration, configured
from optimizer.ecosystems._files import Refused
from optimizer.ecosystems._vcpkg_manifest import check_folder, read_manifest
from optimizer.ecosystems.ecosystem import Ahead, Cache, Install, Project, Refusal
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern

OPTIONS = Options.of(
    switches="""--allow-unsupported --clean-after-build --clean-buildtrees-after-build --clean-downloads-after-build
        --clean-packages-after-build --recurse --keep-going --no-print-usage --x-no-default-features --disable-metrics
        --debug --x-wait-for-lock --enforce-port-checks --x-abi-tools-use-exact-versions""",
    values="""--triplet --host-triplet --vcpkg-root --x-manifest-root --x-install-root --x-feature --overlay-ports
        --overlay-triplets --downloads-root --x-buildtrees-root --x-packages-root --feature-flags""",
)
_PROGRAMS = frozenset({"vcpkg", "$VCPKG_ROOT/vcpkg", "${VCPKG_ROOT}/vcpkg"})
_TOOLCHAIN = "/scripts/buildsystems/vcpkg.cmake"
_FRESH = "/tmp/vcpkg_installed"  # noqa: S108 - a folder of the image, removed in the same step
_MARKS = ("vcpkg install", "./vcpkg install", "$VCPKG_ROOT/vcpkg install", "${VCPKG_ROOT}/vcpkg install")
_PLACES = ("VCPKG_OVERLAY_PORTS", "VCPKG_OVERLAY_TRIPLETS", "VCPKG_DEFAULT_BINARY_CACHE", "VCPKG_DOWNLOADS")
_PLAIN = lazy_pattern(r"[\w./$\{\}-]+")
_SETS = lazy_pattern(r"\bset\s*\(\s*(?:VCPKG_(?!APPLOCAL)\w+|CMAKE_TOOLCHAIN_FILE)\b", re.IGNORECASE)
# What CMake hands on to vcpkg, and as which option.
_HANDED_ON = {
    "VCPKG_TARGET_TRIPLET": "--triplet",
    "VCPKG_HOST_TRIPLET": "--host-triplet",
    "VCPKG_MANIFEST_FEATURES": "--x-feature",
}
_KNOWN = frozenset({*_HANDED_ON, "VCPKG_MANIFEST_MODE", "VCPKG_MANIFEST_INSTALL", "VCPKG_INSTALLED_DIR", "VCPKG_ROOT"})


class Vcpkg(Struct, frozen=True):
    """`vcpkg install`, and `cmake` with vcpkg's toolchain file."""

    id: str = "vcpkg"
    title: str = "vcpkg"
    programs: frozenset[str] = _PROGRAMS | {"cmake"}

    def install(self, call: Call, project: Project) -> Install | Refusal | None:
        """Say what the call reads; a configure step of CMake has its libraries built ahead."""
        try:
            if call.program == "cmake":
                return _configure(call, project)
            if call.program not in _PROGRAMS or [word.value for word in call.arguments[:1]] != ["install"]:
                return None
            return _install(call, project)
        except Refused as refused:
            return Refusal(str(refused), _MARKS if call.program == "cmake" else ())

    def cache(self, call: Call, env: Mapping[str, str | None]) -> Cache | None:
        """Name the archives of built libraries, which a configure step may take again."""
        if call.program not in _PROGRAMS or [word.value for word in call.arguments[:1]] != ["install"]:
            return None
        variables = variables_of(call, env)
        home = variables.get("XDG_CACHE_HOME") or join(variables.get("HOME") or "/root", ".cache")
        return Cache(
            "vcpkg's archives",
            targets=(variables.get("VCPKG_DEFAULT_BINARY_CACHE") or join(home, "vcpkg/archives"),),
            off="CMake may take libraries from vcpkg's archives again: leave them behind in a build stage",
        )

    def cleans(self, call: Call) -> bool:
        """Tell whether the archives are removed."""
        return removes(call, ".cache/vcpkg", ".cache/vcpkg/archives", "/vcpkg")


ECOSYSTEM = Vcpkg()


def _install(call: Call, project: Project) -> Install | None:
    variables = variables_of(call, project.env)
    arguments = parse(call.arguments[1:], OPTIONS, variables)
    if isinstance(arguments, Refusal):
        raise Refused(arguments.reason)
    _check_program(project, variables, call.words[0].text, call.directory)
    if arguments.plain:
        return Install(())
    folder = folder_of(call, project, arguments, "--x-manifest-root")
    overlays = [v for name in ("--overlay-ports", "--overlay-triplets") for v in arguments.all(name)]
    manifest = read_manifest(project, folder, _places(call, project, overlays))
    if arguments.hidden("--x-install-root"):
        raise Refused("the value of --x-install-root is not known")
    root = arguments.last("--x-install-root")
    output = join(manifest.folder, "vcpkg_installed") if root is None else project.locate(root, call.directory or "/")
    return Install(manifest.manifests, (output,) if output else ()) if manifest.wanted else None


def _check_program(project: Project, variables: Mapping[str, str | None], program: str, directory: str | None) -> None:
    """Raise `Refused` where vcpkg itself is among the copied files, or a variable leads to them."""
    if "$" in program and not variables.get("VCPKG_ROOT"):
        raise Refused("where vcpkg is cannot be told")
    places = [program] if "/" in program and "$" not in program else []
    places += [variables[name] or "" for name in ("VCPKG_ROOT", *_PLACES) if name in variables]
    if any(variables.get(name, "") is None for name in ("VCPKG_ROOT", *_PLACES)):
        raise Refused("a variable for vcpkg has a value that is not known")
    inside = (project.locate(place, directory or "/") for place in places if place)
    if any(path is not None and project.context.exists(path) for path in inside):
        raise Refused("vcpkg or its settings are among the copied files")


def _places(call: Call, project: Project, values: list[str | None]) -> list[str]:
    """Return the context folders of overlays that the command line names."""
    found = []
    for value in values:
        if value is None:
            raise Refused("the folder of an overlay is not known")
        path = project.locate(value, call.directory or "/")
        if path is not None:
            found.append(check_folder(project.context, path))
    return found


def _configure(call: Call, project: Project) -> Install | None:
    variables = variables_of(call, project.env)
    step = configured(call, project, variables)
    if step is None or not project.context.is_file(join(step.source, "vcpkg.json")):
        return None
    toolchain = step.settings.get("CMAKE_TOOLCHAIN_FILE")
    if toolchain is None or not toolchain.text.endswith(_TOOLCHAIN) or _is_off(step):
        return None
    root = toolchain.text.removesuffix(_TOOLCHAIN)
    if toolchain.value is None or not _PLAIN.fullmatch(root):
        raise Refused("where vcpkg is cannot be told")
    _check_settings(call, project, step, variables)
    _check_program(project, variables, f"{toolchain.value.removesuffix(_TOOLCHAIN)}/vcpkg", call.directory)
    manifest = read_manifest(project, step.source, [])
    if not manifest.wanted:
        return None
    program = f"{root}/vcpkg install"
    build = " ".join([program, f"--x-install-root={_FRESH}", *_options(step)])
    marks = (*_MARKS, program)
    ahead = Ahead((build, f"rm -rf {_FRESH}"), step.source, (), marks, "builds the libraries")
    return Install(manifest.manifests, ahead=ahead)


def _is_off(step: Configuration) -> bool:
    named = [step.settings[name] for name in ("VCPKG_MANIFEST_MODE", "VCPKG_MANIFEST_INSTALL") if name in step.settings]
    return any((setting.value or "").upper() in {"OFF", "FALSE", "NO", "0"} for setting in named)


def _check_settings(call: Call, project: Project, step: Configuration, variables: Mapping[str, str | None]) -> None:
    """Raise `Refused` where CMake may have vcpkg build other libraries, or anew."""
    if call.user is not None:
        raise Refused("cmake runs as another user")
    if "VCPKG_BINARY_SOURCES" in variables or "VCPKG_FEATURE_FLAGS" in variables:
        raise Refused("vcpkg may not keep what it builds for CMake")
    if odd := next((name for name in step.settings if name.startswith("VCPKG_") and name not in _KNOWN), None):
        raise Refused(f"CMake is given {odd}, which may change what vcpkg builds")
    if _SETS.search(project.context.text(join(step.source, "CMakeLists.txt")) or ""):
        raise Refused("CMakeLists.txt has settings for vcpkg")


def _options(step: Configuration) -> Iterator[str]:
    """Go through the options of vcpkg for what CMake is to hand on to it."""
    for name, option in _HANDED_ON.items():
        setting = step.settings.get(name)
        if setting is None:
            continue
        for value in (setting.value or "?").split(";"):
            if not _PLAIN.fullmatch(value):
                raise Refused(f"the value of {name} is not known")
            yield f"{option}={value}"
