"""What the tests of builders share."""

import os
from pathlib import Path

import pytest

from tests.verify.programs import Programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for name in ("DOCKER_BUILDKIT", "BUILDX_BUILDER"):
        monkeypatch.delenv(name, raising=False)
    made = Programs(tmp_path)
    for name in ("docker", "podman", "buildah"):  # whatever this machine has, it is hidden
        made.install(name, f"echo 'no {name} here' >&2; exit 1")
    return made
