"""APT, the package manager of Debian and Ubuntu.

`update` fills /var/lib/apt/lists, which every install from a repository reads. The archives in /var/cache/apt are
removed by the official images themselves (/etc/apt/apt.conf.d/docker-clean). Options: apt-get(8), aptitude(8).
"""

from optimizer.ecosystems._system import Grammar, SystemManager

GRAMMAR = Grammar(
    long=frozenset({
        "--option", "--config-file", "--target-release", "--default-release", "--host-architecture",
        "--build-profiles", "--solver", "--with-source",
    }),
    short="octaP",
)  # fmt: skip

ECOSYSTEM = SystemManager(
    id="apt",
    title="APT",
    programs=frozenset({"apt-get", "apt", "aptitude"}),
    grammar=GRAMMAR,
    verbs=frozenset({
        "install", "update", "upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "reinstall", "build-dep",
        "satisfy",
    }),
    refreshing=frozenset({"update"}),
    cached="apt's package lists",
    targets=("/var/lib/apt", "/var/cache/apt"),
    suffix=".deb",
    folders=("/var/lib/apt/lists",),
    elsewhere=("Dir::",),
    cleaning=frozenset({"distclean"}),
    cleanup={"": "rm -rf /var/lib/apt/lists/*"},
    paths_are_files=True,
)  # fmt: skip
