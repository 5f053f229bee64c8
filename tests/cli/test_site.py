"""The site builds without a warning, and the tutorial does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-rewrite.md"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    index = (tmp_path / "site" / "index.html").read_text()
    assert not re.findall(r'(?:src|href)="https?://(?!squidfunk)[^"]*\.(?:js|css|woff2?)"', index)


def test_the_tutorial_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)
    script = "\n".join(block for block in blocks if "pip install" not in block).replace("/tmp/", f"{tmp_path}/")
    script = re.sub(r"^dfopt .*$", r'echo "== \g<0>"; \g<0>; echo "-- $?"', script, flags=re.MULTILINE)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    done = subprocess.run(["bash", "-u", "-c", script], env=environment, capture_output=True, text=True, check=False)

    said = dict(re.findall(r"^== dfopt (.*?)\n(.*?)^-- ", done.stdout, re.MULTILINE | re.DOTALL))
    codes = re.findall(r"^-- (\d+)$", done.stdout, re.MULTILINE)
    assert codes == ["1", "1", "0", "0", "0", "0", "0"], done.stdout + done.stderr
    assert "+COPY package.json package-lock.json ./" in done.stdout
    assert (tmp_path / "hello.html").read_text().startswith("<!DOCTYPE html>")
    assert "title: Optimize Dockerfile" in said["pr --dry-run"]
    assert "nothing to do" in said["diff"]
    assert (tmp_path / "hello" / "dfopt.toml").exists()
