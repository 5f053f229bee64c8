"""zypper, the package manager of openSUSE and SUSE Linux Enterprise.

Each install stores the metadata of every repository, and fetches them anew where they are gone. Options: zypper(8).
"""

from optimizer.ecosystems._system import Grammar, SystemManager

GRAMMAR = Grammar(
    long=frozenset({
        "--config", "--userdata", "--reposd-dir", "--cache-dir", "--raw-cache-dir", "--solv-cache-dir",
        "--pkg-cache-dir", "--root", "--installroot", "--plus-repo", "--plus-content", "--releasever", "--repo",
        "--from", "--type",
    }),
    short="cDCRprt",
)  # fmt: skip

ECOSYSTEM = SystemManager(
    id="zypper",
    title="zypper",
    programs=frozenset({"zypper"}),
    grammar=GRAMMAR,
    verbs=frozenset({
        "install", "in", "update", "up", "patch", "dist-upgrade", "dup", "refresh", "ref", "install-new-recommends",
        "source-install", "si",
    }),
    refreshing=frozenset({"refresh", "ref"}),
    cached="zypper's metadata",
    targets=("/var/cache/zypp",),
    suffix=".rpm",
    folders=("/var/cache/zypp",),
    elsewhere=("--root", "-R", "--installroot", "--cache-dir", "-C", "--raw-cache-dir", "--solv-cache-dir"),
    cleaning=frozenset({"clean --all", "clean -a", "clean --metadata", "clean -m", "cc --all", "cc -a"}),
    cleanup={"": "zypper clean --all"},
)  # fmt: skip
