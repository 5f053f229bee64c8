"""What of a PHP project Composer reads for an install without scripts and autoloader, and what stops that.

Sources: https://getcomposer.org/doc/04-schema.md, https://getcomposer.org/doc/05-repositories.md,
https://getcomposer.org/doc/06-config.md, https://getcomposer.org/doc/articles/scripts.md#event-names,
https://getcomposer.org/doc/articles/plugins.md and Composer's `Installer.php`.
"""

import re
from collections.abc import Iterator, Mapping
from posixpath import join, normpath

from msgspec import Struct

from optimizer.context import Context
from optimizer.context.manifests import json_file, table
from optimizer.ecosystems._files import Refused, need, visible
from optimizer.syntax.lazy_pattern import lazy_pattern

# Events that come when packages are being installed, or before: a second install raises none of the first kind.
_BEFORE = lazy_pattern(
    r"pre-(?:install-cmd|operations-exec|pool-create|command-run)|(?:pre|post)-(?:package|file)-\w+"
    r"|(?:pre|post)-dependencies-solving|init|command"
)
_REMOTE = lazy_pattern(r"(?!file:)[a-z][a-z+.-]*://|[\w.-]+@[\w.-]+:")
_PLUGINS = frozenset({"composer-plugin", "composer-installer"})


class Packages(Struct, frozen=True):
    """The files that are read, and the folder where the packages go."""

    manifests: tuple[str, ...]
    vendor: str


def read_project(context: Context, folder: str, *, dev: bool, plugins: bool, scripts: bool, twice: bool) -> Packages:
    """Read composer.json and composer.lock; raise `Refused` where the install needs more, or does not bear a second.

    `dev`, `plugins` and `scripts` tell what the install has switched on, `twice` whether it is to run again.
    """
    path = need(context, join(folder, "composer.json"))
    manifest = json_file(context, path)
    if not isinstance(manifest, dict):
        raise Refused(f"{path} is not understood")
    locks = visible(context, folder, "composer.lock")
    lock = json_file(context, locks[0]) if locks else {}
    if not isinstance(lock, dict):
        raise Refused(f"{locks[0]} is not understood")
    if not locks:
        raise Refused(
            f"without {join(folder, 'composer.lock')}, composer install writes one for the next install to read"
        )
    if scripts and twice:
        _check_scripts(manifest)
    packages = [*_list(lock.get("packages")), *(_list(lock.get("packages-dev")) if dev else ())]
    _check_packages(manifest, packages, plugins=plugins)
    _check_places(path, manifest, packages)
    return Packages((path, *locks, *visible(context, folder, "auth.json")), join(folder, _vendor(manifest)))


def _check_scripts(manifest: Mapping[str, object]) -> None:
    event = next((name for name in table(manifest, "scripts") if _BEFORE.fullmatch(name)), None)
    if event is not None:
        raise Refused(f"the script {event} of the project runs before or while packages are installed")


def _check_packages(manifest: Mapping[str, object], packages: list[Mapping[str, object]], *, plugins: bool) -> None:
    for package in packages:
        name = package.get("name")
        if plugins and str(package.get("type")) in _PLUGINS:
            raise Refused(f"the plugin {name} of Composer may read or write the project's files")
        if manifest.get("name") in [*table(package, "require"), *table(package, "conflict")]:
            raise Refused(f"{name} depends on the version of the project, which git may tell")
    links = (table(manifest, kind) for kind in ("replace", "provide", "conflict", "require"))
    if "version" not in manifest and any("self.version" in map(str, link.values()) for link in links):
        raise Refused("packages depend on the version of the project, which git may tell")


def _check_places(path: str, manifest: Mapping[str, object], packages: list[Mapping[str, object]]) -> None:
    """Raise `Refused` where packages come from the disk, or do not go below the vendor folder."""
    for url in (*_urls(manifest.get("repositories")), *_urls(packages)):
        if not _REMOTE.match(url):
            raise Refused(f"packages come from {url}, which may be a folder of the project")
    config = table(manifest, "config")
    if config.get("lock") is False:
        raise Refused(f"{path} switches the lock file off")
    for name, value in config.items():
        if name in {"cache-dir", "home", "data-dir", "cafile", "capath"} and not str(value).startswith("/tmp/"):  # noqa: S108 - a value to compare
            raise Refused(f"the setting {name} of {path} names a folder")
    programs = normpath(str(config.get("bin-dir", "vendor/bin")).replace("{$vendor-dir}", _vendor(manifest)))
    if not programs.startswith(f"{_vendor(manifest)}/") and "bin-dir" in config:
        raise Refused(f"{path} has programs put into {programs}")


def _vendor(manifest: Mapping[str, object]) -> str:
    name = normpath(str(table(manifest, "config").get("vendor-dir", "vendor")))
    if not re.fullmatch(r"(?!\.\.?(?:/|$))[\w.-][\w./-]*", name):
        raise Refused(f"packages are put into {name}")
    return name


def _urls(value: object) -> Iterator[str]:
    """Go through the addresses that packages and repositories are fetched from."""
    if isinstance(value, dict):
        kind = value.get("type")
        if str(kind) in {"path", "artifact"}:
            yield str(value.get("url", kind))
        if "url" in value and ("type" in value or "reference" in value):
            yield str(value["url"])
        for name, inner in value.items():
            if name in {"dist", "source", "package"} or isinstance(inner, dict):
                yield from _urls(inner)
    for inner in value if isinstance(value, list) else ():
        yield from _urls(inner)


def _list(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
