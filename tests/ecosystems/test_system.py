"""What the system package managers read and leave behind."""

import pytest

from optimizer.context import Context
from optimizer.ecosystems import Ecosystem, Install, Project, Refusal, apk, apt, dnf, pacman, zypper
from optimizer.shell import Call, calls, parse_script

PROJECT = Project(Context.of({}), "", "/app")
MANAGERS = {
    "apt": apt.ECOSYSTEM,
    "apk": apk.ECOSYSTEM,
    "dnf": dnf.ECOSYSTEM,
    "pacman": pacman.ECOSYSTEM,
    "zypper": zypper.ECOSYSTEM,
}
LISTS = ("rm -rf /var/lib/apt/lists/*",)


def call(text: str) -> Call:
    return calls(parse_script(text), "/app", {})[-1]


def manager(text: str) -> Ecosystem:
    return next(m for m in MANAGERS.values() if any(p in text.split() for p in m.programs))


@pytest.mark.parametrize(
    ("text", "cleanup"),
    [
        ("apt-get install -y curl", LISTS),
        ("apt-get -o Acquire::Retries=3 -qq install curl", LISTS),
        ("apt update", LISTS),
        ("aptitude -y safe-upgrade", LISTS),
        ("sudo apt-get -t testing install curl", LISTS),
        ("apk update", ("rm -rf /var/cache/apk/*",)),
        ("dnf -y install git", ("dnf clean all",)),
        ("yum --enablerepo epel install git", ("yum clean all",)),
        ("microdnf upgrade", ("microdnf clean all",)),
        ("dnf group install Tools", ("dnf clean all",)),
        ("zypper -n in git", ("zypper clean --all",)),
        ("tdnf install -y git", ("tdnf clean all",)),
        ("pacman -Syu --noconfirm", ("rm -rf /var/cache/pacman/pkg/*",)),
        ("pacman --sync --refresh git", ("rm -rf /var/cache/pacman/pkg/*",)),
        ("pacman -U https://example.org/a.pkg.tar.zst", ("rm -rf /var/cache/pacman/pkg/*",)),
        ("zypper --gpg-auto-import-keys ref", ("zypper clean --all",)),
    ],
)
def test_what_removes_the_cache(text: str, cleanup: tuple[str, ...]) -> None:
    found = manager(text).cache(call(text), {})

    assert found is not None
    assert (found.cleanup, found.off) == (cleanup, None)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("apk add curl", "add"),
        ("apk -U --virtual add add gcc", "add"),
        ("apk --update upgrade", "upgrade"),
        ("apk add -t .deps gcc", "add"),
    ],
)
def test_the_flag_goes_behind_the_verb(text: str, after: str) -> None:
    found = apk.ECOSYSTEM.cache(call(text), {})

    assert found is not None
    assert found.after is not None
    assert (found.flag, found.after.text) == ("--no-cache", after)
    assert text[: found.after.span.start].count("add") == (1 if "--virtual" in text else 0)


@pytest.mark.parametrize(
    "text",
    [
        "apt-get remove curl",
        "apt-get clean",
        "apt-get",
        "apt-get $WHAT install curl",
        "apk del gcc",
        "apk --no-cache add curl",
        "apk add --no-cache curl",
        "dnf clean all",
        "dnf remove git",
        "zypper lr",
        "pacman -Sy",
        "pacman -Ss git",
        "pacman -Si git",
        "pacman -Q",
        "pacman -R git",
        "pacman -Scc",
        "pacman -Sp git",
    ],
)
def test_nothing_is_left_behind_or_known(text: str) -> None:
    assert manager(text).cache(call(text), {}) is None


@pytest.mark.parametrize(
    "text",
    [
        "dnf --installroot /mnt install git",
        "dnf --installroot=/mnt install git",
        "dnf --setopt=cachedir=/c install git",
        "apt-get -o Dir::State::lists=/l update",
        "apk --root /mnt add git",
        "zypper -R /mnt in git",
        "pacman -r /mnt -S git",
        "pacman -S --cachedir=/c git",
    ],
)
def test_a_cache_elsewhere_is_left_alone(text: str) -> None:
    found = manager(text).cache(call(text), {})

    assert found is not None
    assert found.off is not None
    assert "another place" in found.off


@pytest.mark.parametrize(
    ("id_", "text"),
    [
        ("apt", "rm -rf /var/lib/apt/lists/*"),
        ("apt", "rm -rf /tmp/* /var/lib/apt/lists"),
        ("apt", "rm -fr /var/lib/apt/lists/*_*"),
        ("apt", "rm -rf /var/lib/{apt,dpkg,cache,log}/"),
        ("apt", "cd /var/lib/apt/lists && rm -rf *"),
        ("apt", "find /var/lib/apt/lists -type f -delete"),
        ("apk", "rm -f /var/cache/apk/*"),
        ("apk", "rm -rf /var/cache/*"),
        ("dnf", "yum clean all"),
        ("dnf", "dnf -y clean metadata"),
        ("dnf", "rm -rf /var/cache/yum"),
        ("zypper", "zypper clean -a"),
        ("pacman", "yes | pacman -Scc"),
        ("pacman", "pacman --sync --clean --clean"),
        ("pacman", "rm -f /var/cache/pacman/pkg/*"),
    ],
)
def test_what_counts_as_cleaning(id_: str, text: str) -> None:
    assert MANAGERS[id_].cleans(call(text))


@pytest.mark.parametrize(
    ("id_", "text"),
    [
        ("apt", "apt-get clean"),
        ("apt", "rm -rf /var/cache/apt/*"),
        ("apt", "rm -rf /var/lib/apt/lists/partial"),
        ("apt", "rm -rf /*"),
        ("apt", "find /var/lib/apt/lists -name x"),
        ("dnf", "yum clean packages"),
        ("apk", "apk cache clean"),
        ("dnf", "rm -rf /var/lib/dnf /var/lib/yum"),
        ("zypper", "zypper clean"),
        ("pacman", "pacman -Scc --noconfirm"),
        ("pacman", "yes | pacman -Sc"),
        ("pacman", "rm -rf /var/lib/pacman/sync"),
    ],
)
def test_what_does_not_count_as_cleaning(id_: str, text: str) -> None:
    assert not MANAGERS[id_].cleans(call(text))


@pytest.mark.parametrize(
    "text",
    [
        "apt-get install -y curl",
        "apt-get install -y curl/stable",
        "apt-get install -y $PACKAGES",
        "apt-get update",
        "dnf install -y https://example.com/x.rpm",
        "dnf install -y /usr/bin/git",
        "apk add curl",
        "zypper -n in git",
    ],
)
def test_an_install_by_name_reads_nothing_of_the_project(text: str) -> None:
    assert manager(text).install(call(text), PROJECT) == Install(manifests=())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("apt-get install ./x.deb", "the local package ./x.deb"),
        ("apt-get install /tmp/x.deb", "the local package /tmp/x.deb"),
        ("apt-get build-dep .", "the local package ."),
        ("apt-get install $(cat packages.txt)", "another command or a file"),
        ("xargs -a packages.txt apt-get install", "another command or a file"),
        ("apt-get install -y < packages.txt", "it reads a file"),
        ("apt-get -c apt.conf install curl", "a configuration of its own"),
        ("apt-get $WHAT curl", "depends on a variable"),
        ("dnf install x.rpm", "the local package x.rpm"),
        ("apk add --allow-untrusted /tmp/x.apk", "the local package /tmp/x.apk"),
    ],
)
def test_an_install_that_may_read_the_project(text: str, reason: str) -> None:
    found = manager(text).install(call(text), PROJECT)

    assert isinstance(found, Refusal)
    assert reason in found.reason


def test_other_programs_are_not_judged() -> None:
    assert all(m.install(call("make install"), PROJECT) is None for m in MANAGERS.values())
