import pytest

from optimizer.model import BASE_WORKDIR, Mount, mounts, read
from optimizer.syntax import parse


@pytest.mark.parametrize(
    ("flag", "mount"),
    [
        ("type=cache,target=/root/.cache", Mount("cache", "/root/.cache", None)),
        ("type=bind,source=a,target=b/../c", Mount("bind", "/app/c", None)),
        ("from=uv,source=/uv,dst=/bin/uv", Mount("bind", "/bin/uv", "uv")),
        ("type=secret,id=npmrc", Mount("secret", "/run/secrets", None)),
        ("type=cache,target=$DIR", Mount("cache", None, None)),
    ],
)
def test_a_mount(flag: str, mount: Mount) -> None:
    step = read(parse(f"FROM x\nWORKDIR /app\nRUN --mount={flag} true\n")).steps[-1]

    assert mounts(step) == (mount,)


def test_a_relative_target_without_a_known_directory() -> None:
    step = read(parse("FROM php\nRUN --mount=target=src true\n")).steps[-1]

    assert mounts(step)[0].target == f"{BASE_WORKDIR}/src"
    assert mounts(step)[0].is_context
