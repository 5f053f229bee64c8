# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest
from msgspec.structs import replace

from optimizer.ecosystems import Ahead, Install, Refusal

PACKAGE = '[package]\nname = "shop"\nversion = "0.1.0"\n'
MANIFEST = PACKAGE + '[dependencies]\nitoa = "1"\n'
CRATE = '[[package]]\nname = "itoa"\nversion = "1.0.0"\nsource = "registry+x"\n'
LOCK = CRATE + '[[package]]\nname = "shop"\nversion = "0.1.0"\n'
MONEY = '[package]\nname = "money"\nversion = "0.1.0"\n'
MONEY_LOCK = LOCK + '[[package]]\nname = "money"\nversion = "0.1.0"\n'
RUST = {"Cargo.toml": MANIFEST, "Cargo.lock": LOCK, "src/main.rs": ""}
WITH_PATH = RUST | {
    "Cargo.toml": MANIFEST + 'money = { path = "money" }\n',
    "Cargo.lock": MONEY_LOCK,
    "money/Cargo.toml": MONEY,
    "money/src/lib.rs": "",
}
WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/old"]\n',
    "Cargo.lock": MONEY_LOCK,
    "crates/shop/Cargo.toml": MANIFEST,
    "crates/shop/src/main.rs": "",
    "crates/money/Cargo.toml": MONEY,
    "crates/money/src/lib.rs": "",
    "crates/old/Cargo.toml": MONEY,
}
FILES = ("Cargo.toml", "Cargo.lock")
MAIN = "echo 'fn main() {}' > src/main.rs"


def ahead(*commands: str, files: tuple[str, ...] = FILES, folder: str = "") -> Install:
    fills = ("/usr/local/cargo/registry", "/root/.cargo/registry")
    marks = ("cargo build", "cargo b ", "cargo fetch", "cargo chef", "cargo check", "cargo vendor", "cargo +")
    return Install(files, ("target",), ahead=Ahead(commands, folder, fills, marks, "compiles the dependencies"))


def without_sources(answer: object) -> object:
    """Return an install without the paths of the sources, which its commands name already."""
    if not isinstance(answer, Install) or answer.ahead is None:
        return answer
    return replace(answer, ahead=replace(answer.ahead, stand_ins=()))


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("cargo build --release", RUST, ahead("mkdir -p src", MAIN, "cargo build --release", "cargo clean --release -p shop")),
        ("RUSTFLAGS='-C target-cpu=native' cargo b", RUST, ahead("mkdir -p src", MAIN, "RUSTFLAGS='-C target-cpu=native' cargo b", "RUSTFLAGS='-C target-cpu=native' cargo clean -p shop")),
        ("cargo +nightly build -r --locked", RUST, ahead("mkdir -p src", MAIN, "cargo +nightly build -r --locked", "cargo +nightly clean -r -p shop")),
        ("cargo build --target=x86_64-unknown-linux-musl --profile dist", RUST, ahead("mkdir -p src", MAIN, "cargo build --target=x86_64-unknown-linux-musl --profile dist", "cargo clean --target x86_64-unknown-linux-musl --profile dist -p shop")),
        ("cargo build", RUST | {"build.rs": "", "src/lib.rs": ""}, ahead("mkdir -p src", MAIN, "cp src/main.rs build.rs", "touch src/lib.rs", "cargo build", "cargo clean -p shop")),
        ("cargo build", RUST | {"Cargo.toml": MANIFEST + '[[bin]]\nname = "a"\npath = "a.rs"\n', "a.rs": ""}, ahead("mkdir -p src", MAIN, "cp src/main.rs a.rs", "cargo build", "cargo clean -p shop")),
        ("cargo build --bin b", RUST | {"src/bin/a.rs": "", "src/bin/b.rs": ""}, ahead("mkdir -p src src/bin", MAIN, "cp src/main.rs src/bin/b.rs", "cargo build --bin b", "cargo clean -p shop")),
        ("cargo build", WITH_PATH, ahead("mkdir -p src money/src", MAIN, "touch money/src/lib.rs", "cargo build", "cargo clean -p money -p shop", files=(*FILES, "money/Cargo.toml"))),
        ("cargo build", WORKSPACE, ahead("mkdir -p crates/shop/src crates/money/src", "echo 'fn main() {}' > crates/shop/src/main.rs", "touch crates/money/src/lib.rs", "cargo build", "cargo clean -p money -p shop", files=(*FILES, "crates/money/Cargo.toml", "crates/shop/Cargo.toml"))),
        ("cd crates/shop && cargo build", WORKSPACE, ahead("mkdir -p src ../money/src", MAIN, "touch ../money/src/lib.rs", "cargo build", "cargo clean -p money -p shop", files=(*FILES, "crates/money/Cargo.toml", "crates/shop/Cargo.toml"), folder="crates/shop")),
        ("cargo build", RUST | {"rust-toolchain.toml": "", ".cargo/config.toml": '[target.x]\nrustflags = ["-C", "link-arg=-fuse-ld=/usr/bin/mold"]\n[registries.a]\nindex = "sparse+https://x/"\n'}, ahead("mkdir -p src", MAIN, "cargo build", "cargo clean -p shop", files=(*FILES, ".cargo/config.toml", "rust-toolchain.toml"))),
        ("cargo build", RUST | {"Cargo.lock": LOCK.removeprefix(CRATE)}, None),
        ("cargo install cargo-chef --locked", RUST, Install(())),
        ("cargo install just", RUST | {"rust-toolchain": "1.80"}, Install(("rust-toolchain",))),
        ("rustup target add x86_64-unknown-linux-musl", RUST | {"rust-toolchain.toml": ""}, Install(("rust-toolchain.toml",))),
        ("rustup component add rustfmt", RUST, Install(())),
        ("rustup run nightly x", RUST, None),
        ("cargo chef cook", RUST, None),
        ("cargo test", RUST, None),
    ],
)  # fmt: skip
def test_cargo_compiles_ahead(
    ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object
) -> None:
    assert without_sources(ask("cargo", text, files)) == expected


def test_the_sources_that_it_stands_in_for_are_named(ask: Callable[..., object]) -> None:
    answer = ask("cargo", "cd crates/shop && cargo build", WORKSPACE)

    assert isinstance(answer, Install)
    assert answer.ahead is not None
    assert answer.ahead.stand_ins == ("crates/shop/src/main.rs", "crates/money/src/lib.rs")


def manifest(more: str) -> dict[str, str]:
    return RUST | {"Cargo.toml": MANIFEST + more}


@pytest.mark.parametrize(
    ("text", "files", "reason"),
    [
        ("cargo build", {"src/main.rs": ""}, "the project has no Cargo.toml"),
        ("cargo build", RUST | {".dockerignore": "Cargo.lock"}, "Cargo.lock is kept out of the build"),
        ("cargo build", RUST | {"Cargo.lock": CRATE}, "does not fit the manifests"),
        ("cargo build", RUST | {"Cargo.lock": LOCK + '[[package]]\nname = "shop"\n'}, "two packages of the name shop"),
        ("cargo build", manifest('[package.metadata]\n[[bin]]\nname = "a"\n'), "src/bin/a.rs is not in the build context"),
        ("cargo build", manifest('m = { path = "../m" }\n'), "outside of the build context"),
        ("cargo build", manifest('m = { path = "m" }\n'), "m/Cargo.toml is not in the build context"),
        ("cargo build", manifest('[lints.rust]\nmissing_docs = "deny"\n'), "refuse empty programs"),
        ("cargo build", RUST | {"Cargo.toml": PACKAGE + 'workspace = ".."\n'}, "names its workspace"),
        ("cargo build", RUST | {".cargo/config.toml": '[source.x]\ndirectory = "vendor"\n'}, "the setting source"),
        ("cargo build", RUST | {".cargo/config.toml": '[build]\ntarget = "x"\n'}, "sets the target"),
        ("cargo build", RUST | {".cargo/config": '[target.x]\nlinker = "tools/ld"\n'}, "may name files"),
        ("cargo build", RUST | {f"src/bin/{n}.rs": "" for n in range(9)} | {"Cargo.toml": MANIFEST + "".join(f'[[bin]]\nname = "{n}"\n' for n in range(9))}, "10 targets"),
        ("cargo build --all-targets", RUST, "builds more than"),
        ("cargo build --target thumbv7em-none-eabi", RUST, "without a system"),
        ("cargo build --target $TARGET", RUST, "is not known"),
        ("CARGO_TARGET_DIR=/t cargo build", RUST, "CARGO_TARGET_DIR"),
        ("RUSTFLAGS='-D warnings' cargo build", RUST, "RUSTFLAGS may refuse"),
        ("export FOO_STATIC=1 && cargo build", RUST, "FOO_STATIC is set for cargo build by another command"),
        ("sudo cargo build", RUST, "within another command"),
        ("cargo build --odd", RUST, "--odd is not known"),
        ("cargo install --path .", RUST, "builds the project from its sources"),
        ("cargo install", RUST, "builds the project from its sources"),
    ],
)  # fmt: skip
def test_cargo_needs_more_than_manifests(
    ask: Callable[..., object], text: str, files: Mapping[str, str], reason: str
) -> None:
    answer = ask("cargo", text, files)

    assert isinstance(answer, Refusal)
    assert reason in answer.reason


def test_the_registry_is_kept(cache: Callable[..., object], cleans: Callable[[str, str], bool]) -> None:
    assert "no command" in cache("cargo", "cargo install just").off  # type: ignore[attr-defined]
    assert cache("cargo", "cargo build") is None
    assert cleans("cargo", "rm -rf /usr/local/cargo/registry")
