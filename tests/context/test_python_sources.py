"""What is found in Python sources."""

import pytest

from optimizer.context.python_sources import (
    all_programs_started,
    commands_written,
    modules_imported,
)

STARTED = [
    ("import subprocess\nsubprocess.run(['git', 'log'])", {"git"}),
    ("import subprocess as sp\nsp.check_output('/usr/bin/git describe', shell=True)", {"git"}),
    ("from subprocess import run as r\nr(args=['ffmpeg', '-i', 'x'])", {"ffmpeg"}),
    (
        "import subprocess, os\nsubprocess.Popen(('convert', 'a'))\nos.system('A=1 ls; cat x | wc')",
        {"convert", "ls", "cat", "wc"},
    ),
    ("import os\nos.popen('git describe').read()", {"git"}),
    ("import shutil\nshutil.which('pandoc')", {"pandoc"}),
    ("import os\nos.execvp('redis-server', ['redis-server'])", {"redis-server"}),
    ("import os\nos.spawnlp(os.P_WAIT, 'cp', 'cp', 'a', 'b')", {"cp"}),
    ("import subprocess\nGIT = 'git'\nsubprocess.run([GIT, 'log'])", {"git"}),
    ("import subprocess\ncmd = ['git', 'log']\ndef f():\n    subprocess.call(cmd)", {"git"}),
    ("import subprocess\nsubprocess.run('git log'.split())", {"git"}),
    ("import subprocess, shlex\nsubprocess.run(shlex.split('git log'))", {"git"}),
    ("import subprocess\nsubprocess.run(f'git log {x}', shell=True)", {"git"}),
    ("import subprocess\nsubprocess.run(['git'] + args)", {"git"}),
    ("import asyncio\nasync def f():\n    await asyncio.create_subprocess_exec('git', 'log')", {"git"}),
    ("import subprocess\nsubprocess.run([sys.executable, 'x'])", None),
    ("import subprocess\nsubprocess.run(cmd)", None),
    ("import subprocess\nsubprocess.run([])\nsubprocess.run()", None),
    ("def run(x): ...\nrun(['git'])", set()),
    ("import subprocess\nprint('git and curl are missing')\nsubprocess.run('wget -q x', shell=True)", {"wget"}),
    ("PROMPT = 'subprocess.run([\"git\"])'", set()),
    ("import subprocess\ndef run(command):\n    subprocess.run(command)\nrun(load())", None),
    ("import subprocess\nsubprocess.run(['sh', '-c', 'git log'])", None),
    ("import subprocess\npool.submit(subprocess.run, ['git'])", None),
    ("import subprocess\nrun = subprocess.run\nrun(['git'])", None),
    ("import sh\nsh.git('log')", None),
    ("import os\nos.system(f'{tool} x')", None),
    ("print 'subprocess'", None),
]


@pytest.mark.parametrize(("source", "programs"), STARTED)
def test_all_programs_started(source: str, programs: set[str] | None) -> None:
    assert all_programs_started(source) == programs


IMPORTED = [
    ("import a, b.c as d", {"a", "b.c"}),
    ("from a.b import c\nfrom . import x\nfrom .y import z", {"a.b"}),
    ("def f():\n    import late", {"late"}),
    ("import importlib\nimportlib.import_module('plug.in')\n__import__('odd')", {"importlib", "plug.in", "odd"}),
    ("x = 1", set()),
    ("import", set()),
]


@pytest.mark.parametrize(("source", "modules"), IMPORTED)
def test_modules_imported(source: str, modules: set[str]) -> None:
    assert modules_imported(source) == modules


WRITTEN = [
    ("from own import run\nrun('git log')", {"git"}),
    ("from own import run\nrun(args=['/usr/bin/git', 'log'])", {"git"}),
    ("TOOL = 'convert'", {"convert"}),
    ("log.info('git is not there')\nprint('curl')\nraise ValueError('wget')", set()),
    ("TEXT = '''git\nand more'''", set()),
    ("print 'x'", None),
]


@pytest.mark.parametrize(("source", "words"), WRITTEN)
def test_commands_written(source: str, words: set[str] | None) -> None:
    assert commands_written(source) == words
