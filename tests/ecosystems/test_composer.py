# ruff: noqa: E501 - a row of a table is one line
import json
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Cache, Install, Refusal

MONOLOG = {
    "name": "monolog/monolog",
    "version": "3.7.0",
    "type": "library",
    "source": {"type": "git", "url": "https://github.com/Seldaek/monolog.git", "reference": "f4393b6"},
    "dist": {
        "type": "zip",
        "url": "https://api.github.com/repos/Seldaek/monolog/zipball/f4393b6",
        "reference": "f4393b6",
    },
    "require": {"php": ">=8.1"},
}
PLUGIN = {"name": "symfony/flex", "type": "composer-plugin"}


def php(
    manifest: Mapping[str, object] | None = None, *packages: Mapping[str, object], dev: object = ()
) -> dict[str, str]:
    return {
        "composer.json": json.dumps({"name": "a/shop", "require": {"monolog/monolog": "^3"}, **(manifest or {})}),
        "composer.lock": json.dumps({"packages": [MONOLOG, *packages], "packages-dev": dev}),
        "index.php": "",
    }


PHP = php()
FILES = ("composer.json", "composer.lock")
LEFT = "--no-scripts --no-autoloader"


def twice(
    command: str = f"composer install {LEFT}",
    then: str = "composer install",
    vendor: str = "vendor",
    folder: str = "",
    more: tuple[str, ...] = (),
) -> Install:
    return Install(tuple(folder + name for name in (*FILES, *more)), (folder + vendor,), command=command, then=then)


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("composer install", PHP, twice()),
        ("composer i -n", PHP, twice(f"composer i {LEFT} -n", "composer i -n")),
        ("composer --no-interaction install --no-dev -o", PHP, twice(f"composer --no-interaction install {LEFT} --no-dev -o", "composer --no-interaction install --no-dev -o")),
        ("composer install --no-scripts", PHP, twice("composer install --no-autoloader --no-scripts", "composer install --no-scripts")),
        ("composer install --no-scripts --no-autoloader", PHP | {".dockerignore": "vendor"}, Install(FILES, ("vendor",))),
        ("composer install", php({"scripts": {"pre-commit": "x", "pre-update-cmd": "x"}}), twice()),
        ("composer install", PHP | {"auth.json": "{}"}, twice(more=("auth.json",))),
        ("composer install -d api", {f"api/{n}": t for n, t in PHP.items()}, twice(f"composer install {LEFT} -d api", "composer install -d api", folder="api/")),
        ("COMPOSER_ALLOW_SUPERUSER=1 composer install", PHP, twice(then="COMPOSER_ALLOW_SUPERUSER=1 composer install")),
        ("composer install", php({"config": {"vendor-dir": "lib/php", "bin-dir": "lib/php/bin"}}), twice(vendor="lib/php")),
        ("composer install", php({"scripts": {"post-autoload-dump": "x", "post-install-cmd": ["y"], "test": "z"}}), twice()),
        ("composer install", php({"autoload": {"classmap": ["src"], "files": ["a.php"]}}), twice()),
        ("composer install", php({"repositories": [{"type": "vcs", "url": "git@github.com:a/b.git"}, {"packagist.org": False}]}), twice()),
        ("composer install --no-dev", php(None, dev=[PLUGIN]), twice(f"composer install {LEFT} --no-dev", "composer install --no-dev")),
        ("composer install --no-plugins", php(None, PLUGIN), twice(f"composer install {LEFT} --no-plugins", "composer install --no-plugins")),
        ("composer global require a/b", {}, Install(())),
        ("composer self-update --2", {}, Install(())),
        ("composer clear-cache", PHP, Install(())),
        ("composer clear-cache", php({"config": {"cache-dir": "cache"}}), None),
        ("composer dump-autoload -o", PHP, None),
        ("composer create-project a/b", {}, None),
        ("cd /srv && composer install", PHP, None),
    ],
)  # fmt: skip
def test_installs_packages_without_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object
) -> None:
    assert ask("composer", text, files) == expected


@pytest.mark.parametrize(
    ("text", "files", "env", "because"),
    [
        ("composer install", {"index.php": ""}, {}, "composer.json is not in the build context"),
        ("composer install", {"composer.json": "{"}, {}, "composer.json is not understood"),
        ("composer install", PHP | {"composer.lock": "["}, {}, "composer.lock is not understood"),
        ("composer install", {"composer.json": PHP["composer.json"]}, {}, "without composer.lock"),
        ("composer install", php(None, PLUGIN), {}, "the plugin symfony/flex"),
        ("composer install", php(None, dev=[PLUGIN]), {}, "the plugin symfony/flex"),
        ("composer install", php({"scripts": {"pre-install-cmd": "x"}}), {}, "the script pre-install-cmd"),
        ("composer install", php({"scripts": {"post-package-install": "x"}}), {}, "the script post-package-install"),
        ("composer install", php({"repositories": [{"type": "path", "url": "packages/*"}]}), {}, "packages come from packages/*"),
        ("composer install", php({"repositories": {"own": {"type": "artifact", "url": "zips"}}}), {}, "packages come from zips"),
        ("composer install", php({"repositories": [{"type": "vcs", "url": "file:///app/x"}]}), {}, "packages come from file:///app/x"),
        ("composer install", php(None, {"name": "a/b", "dist": {"type": "path", "url": "packages/b"}}), {}, "packages come from packages/b"),
        ("composer install", php({"repositories": [{"type": "package", "package": {"name": "a/b", "dist": {"type": "zip", "url": "b.zip"}}}]}), {}, "packages come from b.zip"),
        ("composer install", php({"replace": {"a/b": "self.version"}}), {}, "depend on the version of the project"),
        ("composer install", php(None, {"name": "a/b", "require": {"a/shop": "^1"}}), {}, "a/b depends on the version of the project"),
        ("composer install", php({"config": {"bin-dir": "bin"}}), {}, "has programs put into bin"),
        ("composer install", php({"config": {"vendor-dir": "../vendor"}}), {}, "packages are put into ../vendor"),
        ("composer install", php({"config": {"vendor-dir": "$HOME/vendor"}}), {}, "packages are put into $HOME/vendor"),
        ("composer install", php({"config": {"lock": False}}), {}, "switches the lock file off"),
        ("composer install", php({"config": {"cafile": "ca.pem"}}), {}, "the setting cafile"),
        ("composer install", PHP, {"COMPOSER": "other.json"}, "COMPOSER may name a place"),
        ("composer install", PHP, {"COMPOSER_HOME": "/app/.composer"}, "COMPOSER_HOME may name a place"),
        ("composer install", PHP, {"COMPOSER_VENDOR_DIR": None}, "COMPOSER_VENDOR_DIR may name a place"),
        ("composer install --no-scripts --no-autoloader", PHP, {}, "vendor of another machine could replace"),
        ("composer install a/b", PHP, {}, "knows no names of packages"),
        ("composer install --dry-run", PHP, {}, "the option --dry-run is not known"),
        ("composer install $FLAGS", PHP, {}, "not known before the command runs"),
        ("composer require a/b", PHP, {}, "composer require changes composer.json"),
        ("composer update", PHP, {}, "composer update changes composer.json"),
        ("cd $X && composer install", PHP, {}, "the directory of the install is not known"),
    ],
)  # fmt: skip
def test_says_why_packages_need_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], env: Mapping[str, str | None], because: str
) -> None:
    answer = ask("composer", text, files, env=env)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize(
    ("text", "env", "targets", "off"),
    [
        ("composer install", {}, ("/root/.composer/cache", "/root/.cache/composer"), None),
        ("composer global require a/b", {"COMPOSER_HOME": "/c"}, ("/c/cache",), None),
        ("composer require a/b", {"COMPOSER_CACHE_DIR": "/d"}, ("/d",), None),
        ("composer install --no-cache", {"COMPOSER_CACHE_DIR": "/d"}, ("/d",), "nothing is cached"),
        ("composer install", {"COMPOSER_CACHE_DIR": "/dev/null"}, ("/dev/null",), "nothing is cached"),
    ],
)
def test_a_command_clears_the_cache(
    cache: Callable[..., Cache | None], text: str, env: Mapping[str, str], targets: tuple[str, ...], off: str | None
) -> None:
    found = cache("composer", text, env)

    assert found is not None
    assert (found.cleanup, found.targets, found.off) == (("composer clear-cache",), targets, off)


def test_knows_what_clears_the_cache(cleans: Callable[[str, str], bool], cache: Callable[..., Cache | None]) -> None:
    assert cleans("composer", "composer clearcache")
    assert cleans("composer", "rm -rf ~/.composer/cache")
    assert not cleans("composer", "composer dump-autoload")
    assert cache("composer", "composer dump-autoload") is None
