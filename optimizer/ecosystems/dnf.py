"""dnf, microdnf, yum and tdnf, the package managers of Fedora, Red Hat, CentOS, Amazon Linux, Azure Linux and Photon.

Each install stores the metadata of every repository, and fetches them anew where they are gone. What was installed,
and why (/var/lib/dnf, /var/lib/yum), is no cache: `autoremove` and `history undo` go by it. Options: dnf(8), yum(8).
"""

from optimizer.ecosystems._system import Grammar, SystemManager

GRAMMAR = Grammar(
    long=frozenset({
        "--config", "--exclude", "--installroot", "--releasever", "--repo", "--repoid", "--repofrompath",
        "--enablerepo", "--disablerepo", "--setopt", "--disableplugin", "--enableplugin", "--comment", "--advisory",
        "--advisories", "--forcearch", "--downloaddir", "--destdir", "--randomwait", "--rpmverbosity",
        "--debuglevel", "--errorlevel", "--disableexcludes", "--bz", "--cve", "--sec-severity",
    }),
    short="cdexR",
)  # fmt: skip

ECOSYSTEM = SystemManager(
    id="dnf",
    title="dnf, microdnf, yum and tdnf",
    programs=frozenset({"dnf", "dnf5", "microdnf", "tdnf", "yum"}),
    grammar=GRAMMAR,
    verbs=frozenset({
        "install", "localinstall", "reinstall", "downgrade", "swap", "update", "upgrade", "upgrade-minimal",
        "update-minimal", "distro-sync", "group", "groupinstall", "groupupdate", "module", "builddep", "makecache",
        "check-update",
    }),
    refreshing=frozenset({"makecache", "check-update"}),
    cached="the package manager's metadata",
    targets=("/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum", "/var/cache/tdnf"),
    suffix=".rpm",
    folders=("/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum", "/var/cache/tdnf"),
    elsewhere=("--installroot", "cachedir", "--cachedir"),
    cleaning=frozenset({"clean all", "clean metadata"}),
    cleanup={"": "{program} clean all"},
)  # fmt: skip
