"""apk, the package manager of Alpine.

`--no-cache` makes `add` and `upgrade` fetch the index without storing it; what `update` stored stays, so that it has
to be removed. Options: apk(8), apk-add(8).
"""

from optimizer.ecosystems._system import Grammar, SystemManager

GRAMMAR = Grammar(
    long=frozenset({
        "--root", "--repository", "--arch", "--cache-dir", "--cache-max-age", "--keys-dir", "--repositories-file",
        "--wait", "--progress-fd", "--timeout", "--virtual",
    }),
    short="pXt",
)  # fmt: skip

ECOSYSTEM = SystemManager(
    id="apk",
    title="apk",
    programs=frozenset({"apk"}),
    grammar=GRAMMAR,
    verbs=frozenset({"add", "upgrade", "update"}),
    refreshing=frozenset({"update"}),
    cached="apk's package indexes",
    targets=("/var/cache/apk", "/etc/apk/cache"),
    suffix=".apk",
    folders=("/var/cache/apk",),
    elsewhere=("--root", "-p", "--cache-dir"),
    cleanup={"update": "rm -rf /var/cache/apk/*"},
    flag="--no-cache",
    spared=frozenset({"--no-cache"}),
    paths_are_files=True,
)
