"""What is found in Python sources."""

from textwrap import dedent

import pytest

from optimizer.context.python_sources import files_read, modules_imported, programs_started

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
    ("import subprocess\nsubprocess.run([sys.executable, 'x'])", set()),
    ("import subprocess\nsubprocess.run(cmd)", set()),
    ("import subprocess\nsubprocess.run([])\nsubprocess.run()", set()),
    ("def run(x): ...\nrun(['git'])", set()),
    ("print 'subprocess'", set()),
]


@pytest.mark.parametrize(("source", "programs"), STARTED)
def test_programs_started(source: str, programs: set[str]) -> None:
    assert programs_started(source) == programs


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


READ = [
    ("from setuptools import setup\nsetup(name='x')", set()),
    ("long = open('README.md').read()", {"README.md"}),
    ("import io\nio.open('./docs/../README.md', encoding='utf-8').read()", {"README.md"}),
    ("from pathlib import Path\nPath('VERSION').read_text()", {"VERSION"}),
    (
        "from pathlib import Path\nhere = Path(__file__).resolve().parent\n(here / 'a' / 'b.txt').read_text()",
        {"a/b.txt"},
    ),
    ("import pathlib\npathlib.Path(__file__).parent.joinpath('x').open()", {"x"}),
    ("import os\nhere = os.path.abspath(os.path.dirname(__file__))\nopen(os.path.join(here, 'R.rst'))", {"R.rst"}),
    ("import os\nopen(os.path.dirname(__file__) + '/x.txt')", {"/x.txt"}),
    (
        """
        import os
        def read(name):
            return open(os.path.join(os.path.dirname(__file__), name)).read()
        read('README.md') + read(name='CHANGES.md')
        """,
        {"README.md", "CHANGES.md"},
    ),
    (
        """
        import os, codecs
        HERE = os.path.dirname(__file__)
        def read(*parts):
            with codecs.open(os.path.join(HERE, *parts), 'rb', 'utf-8') as f:
                return f.read()
        read('src', 'x', '__init__.py')
        """,
        {"src/x/__init__.py"},
    ),
    ("def read(n='a.txt'):\n    return open(n)\nread()\nread('b.txt')", {"a.txt", "b.txt"}),
    ("for n in ('a', 'b'):\n    open(n)", {"a", "b"}),
    (
        "from pip.req import parse_requirements\nparse_requirements('requirements.txt', session=None)",
        {"requirements.txt"},
    ),
    ("import os\nif os.path.exists('x.cfg'): pass", {"x.cfg"}),
    ("c.read('setup.cfg')", {"setup.cfg"}),
    ("f = open('a')\nf.read(100)\nf.read()", {"a"}),
    ("open('out.txt', 'w').write('x')\nopen('log', mode='a')", set()),
    ("open('both', 'r+')", {"both"}),
    ("exec(open('x/version.py').read())", {"x/version.py"}),
    ("def read(n):\n    return open(n)\nmap(read, names)", None),
    ("def read(n):\n    return open(n)\nread('a')\nx = [read, read]", None),
    ("import sys\nopen(sys.argv[1])", None),
    ("import glob\nglob.glob('*.txt')", None),
    ("import os\nos.listdir('.')", None),
    ("open(f'{name}.txt')", None),
    ("name = 'a'\nopen(f'{name}.txt')", {"a.txt"}),
    ("name = 'a'\nname += 'b'\nopen(name)", None),
    ("x = x + 'a'\nopen(x)", None),
    ("print 'open'", None),
]


@pytest.mark.parametrize(("source", "files"), READ)
def test_files_read(source: str, files: set[str] | None) -> None:
    assert files_read(dedent(source)) == files
