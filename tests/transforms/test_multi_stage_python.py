"""What a Python project is copied as into the stage that runs, and what keeps it in one stage."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

SITE = "COPY --from=build /usr/local/lib/python3.11/site-packages /usr/local/lib/python3.11/site-packages"
SCRIPTS = "COPY --from=build /usr/local/bin /usr/local/bin"
TREE = "COPY --from=build /app /app"
POETRY = "curl -sSL https://install.python-poetry.org"
IN_PROJECT = "POETRY_VIRTUALENVS_IN_PROJECT"
FILES = {
    "requirements.txt": "psycopg2==2.9.9\n",
    "app.py": "import psycopg2\n",
    "pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\npsycopg2 = "2.9.9"\n',
    "Pipfile": '[packages]\npsycopg2 = "==2.9.9"\n',
    "manage.py": "import django\n",
    "site1/settings.py": "BASE_DIR = Path(__file__).resolve().parent.parent\nSTATIC_ROOT = BASE_DIR / 'static'\n",
}


def run(steps: str, files: dict[str, str] | None = None, base: str = "python:3.11") -> Result:
    text = f'FROM {base}\nWORKDIR /app\nCOPY . .\n{steps}\nCMD ["python", "app.py"]\n'
    return optimize(text, Context.of({**FILES, **(files or {})}), Plan(select=frozenset({"multi-stage"})))


def runtime(result: Result) -> list[str]:
    """Return the lines of the stage that runs."""
    lines = result.after.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("FROM")]
    assert len(starts) == 2, result.declined
    return lines[starts[1] :]


@pytest.mark.parametrize(
    ("steps", "copies"),
    [
        ("RUN pip install -r requirements.txt", [SITE, SCRIPTS, TREE]),
        ("RUN python -m pip install --no-cache-dir psycopg2==2.9.9", [SITE, SCRIPTS, TREE]),
        ("RUN pip install -t /deps psycopg2==2.9.9", ["COPY --from=build /deps /deps", TREE]),
        ("RUN pip install --prefix=/deps psycopg2==2.9.9", ["COPY --from=build /deps /deps", TREE]),
        ("RUN pip install --user psycopg2==2.9.9", ["COPY --from=build /root/.local /root/.local", TREE]),
        (
            "RUN python -m venv /venv && /venv/bin/pip install -r requirements.txt",
            ["COPY --from=build /venv /venv", TREE],
        ),
        (
            "RUN python -m venv /venv && . /venv/bin/activate && pip install -r requirements.txt",
            ["COPY --from=build /venv /venv", TREE],
        ),
        (
            "ENV V=/venv PATH=/venv/bin:$PATH\nRUN python -m venv $V\nRUN pip install -r requirements.txt",
            ["COPY --from=build /venv /venv", TREE],
        ),
        ("RUN python -m venv env && env/bin/pip install -r requirements.txt", [TREE]),
        (
            "RUN pip install poetry && poetry config virtualenvs.create false && poetry install",
            [SITE, SCRIPTS, "COPY --from=build /root/.config/pypoetry /root/.config/pypoetry", TREE],
        ),
        (
            "RUN pip install poetry && poetry install --no-root",
            [
                SITE,
                SCRIPTS,
                "COPY --from=build /root/.cache/pypoetry/virtualenvs /root/.cache/pypoetry/virtualenvs",
                TREE,
            ],
        ),
        ("RUN pip install pipenv && pipenv install --system", [SITE, SCRIPTS, TREE]),
        (
            f"ENV PATH=/p/bin:$PATH {IN_PROJECT}=true\nRUN {POETRY} | POETRY_HOME=/p python3 -\nRUN poetry install",
            ["COPY --from=build /p /p", TREE],
        ),
        (
            "RUN curl -L https://astral.sh/uv/install.sh | sh\nRUN /root/.local/bin/uv pip install --system psycopg2",
            [SITE, SCRIPTS, "COPY --from=build /root/.local/bin /root/.local/bin", TREE],
        ),
        ("RUN pip install notebook psycopg2", [SITE, SCRIPTS, "COPY --from=build /usr/local/etc /usr/local/etc", TREE]),
        (
            "RUN pip install pipenv && pipenv install",
            [SITE, SCRIPTS, "COPY --from=build /root/.local/share/virtualenvs /root/.local/share/virtualenvs", TREE],
        ),
        ("RUN pip install uv && uv pip install --system -r requirements.txt", [SITE, SCRIPTS, TREE]),
        (
            "RUN pip install -r requirements.txt\nRUN python manage.py collectstatic --noinput",
            [SITE, SCRIPTS, TREE],
        ),
        (
            "RUN useradd -m me\nUSER me\nRUN pip install -r requirements.txt",
            ["COPY --from=build /home/me/.local /home/me/.local", TREE],
        ),
        (
            "RUN useradd -d /srv/me -m me\nUSER me\nRUN pip install -r requirements.txt",
            ["COPY --from=build /srv/me/.local /srv/me/.local", TREE],
        ),
    ],
)
def test_what_is_copied(steps: str, copies: list[str]) -> None:
    found = [line for line in runtime(run(steps)) if line.startswith("COPY") and "/usr/local/share" not in line]

    assert sorted(found) == sorted(copies)


def test_a_version_that_changes_under_its_tag_is_in_no_path() -> None:
    found = runtime(run("RUN pip install -r requirements.txt", base="python:3"))

    assert "COPY --from=build /usr/local/lib /usr/local/lib" in found
    assert not any("python3." in line for line in found)


@pytest.mark.parametrize(
    ("steps", "times"),
    [
        ("RUN pip install --upgrade pip && pip install psycopg2==2.9.9", 1),
        ("RUN pip install psycopg2==2.9.9 'setuptools<58'", 1),
        ("RUN pip install psycopg2==2.9.9", 0),
    ],
)
def test_two_releases_of_what_the_image_brings_do_not_mix(steps: str, times: int) -> None:
    assert runtime(run(steps)).count("RUN rm -rf /usr/local/lib/python3.11/site-packages") == times


def test_both_stages_name_the_release_where_a_package_has_its_name_there_alone() -> None:
    after = run("RUN pip install python-ldap==3.4.4", base="python:3.13").after

    assert [line for line in after.splitlines() if line.startswith("FROM")] == [
        "FROM python:3.13-trixie AS build",
        "FROM python:3.13-slim-trixie",
    ]


@pytest.mark.parametrize(
    ("requirement", "packages"),
    [
        ("psycopg2==2.9.9", "libpq5"),
        ("mysqlclient==2.2.4", "libmariadb3"),
        ("python-ldap==3.4.4", "libldap-2.5-0"),
        ("pycrypto==2.6.1", None),
        ("psycopg[c]==3.2.1", "libpq5"),
    ],
)
def test_libraries_have_the_names_of_the_release(requirement: str, packages: str | None) -> None:
    found = "\n".join(runtime(run(f"RUN pip install '{requirement}'", base="python:3.11-bookworm")))

    assert (f"--no-install-recommends {packages} " in found) if packages else ("apt-get" not in found)


@pytest.mark.parametrize(
    ("steps", "files", "reason"),
    [
        ("RUN pip install psycopg2 && python -c 'import nltk; nltk.download(\"punkt\")'", {}, "it speaks of nltk"),
        ("RUN pip install psycopg2 && python setup_data.py", {}, "what setup_data.py of line 4 makes is not known"),
        (
            "RUN pip install psycopg2 && python fill.py",
            {"fill.py": "open('/var/data/x', 'w')\n"},
            "it speaks of /var/data/x",
        ),
        (
            "RUN pip install psycopg2 && python fill.py",
            {"fill.py": "import cache\n", "cache.py": "p = '~'\nimport os\nos.path.expanduser(p)\n"},
            "it speaks of expanduser",
        ),
        ("RUN pip install psycopg2 && python manage.py load_all", {}, "what manage.py load_all of line 4 makes"),
        (
            "RUN pip install mysqlclient && python manage.py collectstatic",
            {"site1/settings.py": "STATIC_ROOT = BASE_DIR.parent / 'static'\n"},
            "site1/settings.py has files put into",
        ),
        (
            "RUN pip install mysqlclient && python manage.py migrate",
            {"site1/settings.py": "BASE_DIR = Path(__file__).parents[2]\n"},
            "site1/settings.py speaks of a folder above the project",
        ),
        (
            "RUN pip install mysqlclient && python manage.py migrate",
            {"site1/settings.py": "DB = {'ENGINE': 'sqlite3', 'NAME': '/data/db'}\n"},
            "site1/settings.py has a database outside of the project",
        ),
        ("RUN pip install --root /x psycopg2", {}, "where the pip of line 4 puts its files is not known"),
        ("RUN uv pip install psycopg2", {}, "where the pip of line 4 puts its files is not known"),
        ("RUN pip install mod-wsgi", {}, "mod-wsgi is compiled"),
        ("RUN pip install opencv-python==3.4.0.14", {}, "opencv-python 3.4.0.14 has no wheel"),
        ("RUN pip install psycopg2", {"app.py": "import tkinter\n"}, "app.py imports tkinter"),
        ("RUN pip install -r missing.txt psycopg2", {}, "the requirement file missing.txt is not in the build context"),
    ],
)
def test_what_keeps_one_stage(steps: str, files: dict[str, str], reason: str) -> None:
    result = run(steps, files)

    assert [reason for decline in result.declined if reason in decline.reason] == [reason], result.declined
    assert not result.applied


def test_plain_packages_need_no_second_stage() -> None:
    result = run("RUN pip install flask==3.0.3")

    assert (result.applied, result.declined) == ((), ())


def test_requirements_that_powershell_wrote() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "psycopg2==2.9.9\r\nflask==3.0.3\r\n".encode("utf-16"),
        "app.py": "",
    }
    text = 'FROM python:3.11\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD ["python", "app.py"]\n'

    assert "libpq5" in optimize(text, Context.of(files), Plan(select=frozenset({"multi-stage"}))).after
