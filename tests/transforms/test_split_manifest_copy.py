"""Which installs come before the sources, and what that brings along."""

from collections.abc import Mapping

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PLAN = Plan(select=frozenset({"split-manifest-copy"}))
FILES = {
    "package.json": "{}",
    "package-lock.json": '{"packages": {"": {}}}',
    "requirements.txt": "flask==3.0.3\n",
    "certs/company.pem": "",
    "conf/npmrc": "",
    "hook.js": "",
    "tools/sitecustomize.py": "",
    ".dockerignore": "node_modules\n",
}


def run(*parts: str, files: Mapping[str, str] | None = None, tracked: bool | None = None) -> Result:
    text = "FROM debian\nWORKDIR /app\n" + "".join(part + "\n" for part in parts)
    return optimize(text, Context.of(FILES | dict(files or {}), tracked=lambda _path: tracked), PLAN)


@pytest.mark.parametrize(
    "variable",
    [
        "NPM_CONFIG_USERCONFIG=/app/conf/npmrc",
        "npm_config_cafile=certs/company.pem",
        "NODE_EXTRA_CA_CERTS=/app/certs/company.pem",
        "SSL_CERT_DIR=/app/certs",
        "PYTHONPATH=/usr/lib/x:/app/tools",
        'NODE_OPTIONS="--max-old-space-size=4096 --require=./hook.js"',
    ],
)
def test_a_variable_that_names_a_copied_file_stops_it(variable: str) -> None:
    result = run(f"ENV {variable}", "COPY . .", "RUN npm ci")

    assert result.after == result.before
    assert variable.partition("=")[0] in result.declined[0].reason


@pytest.mark.parametrize(
    "variable",
    [
        "NODE_EXTRA_CA_CERTS=/etc/ssl/company.pem",
        "NODE_OPTIONS=--max-old-space-size=4096",
        "FLASK_APP=/app/hook.js",
        "PYTHONPATH=/app",
    ],
)
def test_other_variables_do_not(variable: str) -> None:
    assert "RUN npm ci\nCOPY . .\n" in run(f"ENV {variable}", "COPY . .", "RUN npm ci").after


@pytest.mark.parametrize("tracked", [None, False])
def test_sources_where_the_install_writes_are_not_left_out(*, tracked: bool | None) -> None:
    result = run("COPY . .", "RUN pip install -t lib -r requirements.txt", files={"lib/own.py": ""}, tracked=tracked)

    assert (result.after, result.artifacts) == (result.before, ())
    assert "the install writes to lib" in result.declined[0].reason


def test_what_version_control_holds_is_not_left_out() -> None:
    result = run("COPY . .", "RUN npm ci", files={"node_modules/a/i.js": "", ".dockerignore": ""}, tracked=True)

    assert (result.after, result.artifacts) == (result.before, ())
    assert "node_modules is part of the repository" in result.declined[0].reason


@pytest.mark.parametrize("rules", ["node_modules/*\n!node_modules/own\n", "*\n!*.json\n!node_modules/own/**\n"])
def test_what_the_ignore_file_brings_back_is_not_left_out(rules: str) -> None:
    result = run("COPY . .", "RUN npm ci", files={"node_modules/own/i.js": "", ".dockerignore": rules})

    assert (result.after, result.artifacts) == (result.before, ())
    assert ".dockerignore says !node_modules/own" in result.declined[0].reason


def test_manifests_that_are_copied_already_are_not_copied_again() -> None:
    result = run("COPY package*.json ./", "COPY . .", "RUN npm ci")

    assert result.after.endswith("COPY package*.json ./\nRUN npm ci\nCOPY . .\n")


@pytest.mark.parametrize(
    ("second", "first_manifests"),
    [
        ("COPY docker/package.json ./", "COPY package-lock.json ./\nCOPY docker/package.json ./\n"),
        ("COPY --chown=1000 package.json ./", "COPY package-lock.json ./\nCOPY --chown=1000 package.json ./\n"),
        ("COPY docker ./", "COPY package-lock.json ./\nCOPY docker/package.json ./\n"),
    ],
)
def test_what_replaces_a_copied_file_comes_behind_it_still(second: str, first_manifests: str) -> None:
    result = run("COPY . .", second, "RUN npm ci", files={"docker/package.json": "{}"})

    assert result.after.endswith(f"WORKDIR /app\n{first_manifests}RUN npm ci\nCOPY . .\n{second}\n")


def test_the_same_file_again_may_come_before_the_sources() -> None:
    result = run("COPY . .", "COPY package.json ./", "RUN npm ci")

    assert result.after.endswith("COPY package-lock.json ./\nCOPY package.json ./\nRUN npm ci\nCOPY . .\n")


_KEPT = [
    (
        "another stage that copies it by name",
        "FROM debian\nCOPY node_modules /app/node_modules\n",
        {},
        "line 6 copies it",
    ),
    ("another stage that gets it with the sources", "FROM debian\nCOPY . /app\n", {}, "nothing in its stage makes it"),
    ("another Dockerfile", "", {"Dockerfile.dev": "FROM x\nCOPY ./node_modules /m\n"}, "Dockerfile.dev copies it"),
    ("another Dockerfile in a folder", "", {"dev/Dockerfile": "FROM x\nCOPY node_modules /m\n"}, "dev/Dockerfile"),
]


@pytest.mark.parametrize(("_name", "more", "files", "reason"), _KEPT)
def test_what_others_take_from_the_context_is_not_ignored(
    _name: str, more: str, files: dict[str, str], reason: str
) -> None:
    result = run("COPY . .", "RUN npm ci", more, files={"node_modules/a/i.js": "", ".dockerignore": "", **files})

    assert (result.after, result.artifacts) == (result.before, ())
    assert reason in result.declined[0].reason


_FREE = [
    ("another stage that installs it, too", "FROM debian\nWORKDIR /b\nCOPY . .\nRUN npm ci\n", {}),
    ("a stage that gets it from here", "FROM debian\nCOPY . /b\nCOPY --from=0 /app/node_modules /b/node_modules\n", {}),
    (
        "a Dockerfile that is built from its own folder",
        "",
        {"web/Dockerfile": "FROM x\nCOPY main.go ./\nCOPY . /x\n", "web/main.go": ""},
    ),
]


@pytest.mark.parametrize(("_name", "more", "files"), _FREE)
def test_what_nobody_takes_from_the_context_is_ignored(_name: str, more: str, files: dict[str, str]) -> None:
    result = run("COPY . .", "RUN npm ci", more, files={"node_modules/a/i.js": "", ".dockerignore": "", **files})

    assert "RUN npm ci\nCOPY . .\n" in result.after
    assert result.artifacts[0].content == "node_modules\n"


def test_the_file_that_replaces_a_manifest_is_the_one_that_counts() -> None:
    scripts = '{"scripts": {"postinstall": "node setup.js"}}'

    result = run("COPY . .", "COPY docker ./", "RUN npm ci", files={"docker/package.json": scripts})

    assert result.after == result.before
    assert "postinstall" in result.declined[0].reason


@pytest.mark.parametrize("path", ["/app/bin", "/app/bin:/usr/bin", "/app/bin:$PATH"])
def test_a_program_among_the_sources_that_path_leads_to_stops_it(path: str) -> None:
    result = run(f"ENV PATH={path}", "COPY . .", "RUN npm ci", files={"bin/npm": ""})

    assert result.after == result.before
    assert "PATH leads to /app/bin" in result.declined[0].reason


def test_other_programs_that_path_leads_to_do_not() -> None:
    assert "RUN npm ci\nCOPY . .\n" in run("ENV PATH=/app/bin", "COPY . .", "RUN npm ci", files={"bin/up": ""}).after


@pytest.mark.parametrize(
    ("copy", "reason"),
    [
        ("COPY --exclude=*.md . .", "the COPY has the flag --exclude"),
        ("COPY $SERVICE .", "the COPY names its files through variables that are not known"),
        ("COPY dist .", "dist is not in the build context"),
    ],
)
def test_a_copy_that_cannot_be_read_is_the_reason(copy: str, reason: str) -> None:
    assert [d.reason for d in run("ARG SERVICE", copy, "RUN npm ci").declined] == [reason]


@pytest.mark.parametrize("copy", ["COPY $CONF /etc/app/", "COPY --exclude=*.md . /srv/"])
def test_a_copy_that_cannot_be_read_is_no_reason_where_it_brings_something_else(copy: str) -> None:
    assert run("ARG CONF", "COPY package*.json ./", copy, "RUN npm ci").declined == ()


@pytest.mark.parametrize(
    ("between", "copy", "manifests"),
    [
        ("WORKDIR /srv", "COPY . .", "COPY package.json package-lock.json ./"),
        ("ENV APP=/srv", "COPY . $APP", "COPY package.json package-lock.json $APP/"),
    ],
)
def test_manifests_stand_where_their_destination_means_the_same(between: str, copy: str, manifests: str) -> None:
    result = run("COPY conf /etc/app", between, copy, "RUN npm --prefix /srv ci", files={"conf/a.conf": ""})

    expected = (between, manifests, "RUN npm --prefix /srv ci", "COPY conf /etc/app", copy)
    assert result.after.endswith("WORKDIR /app\n" + "\n".join(expected) + "\n")


BUNDLE = {"Gemfile": 'source "https://rubygems.org"\n', "bin/bundle": "", "bin/npm": "", ".ruby-version": "3.4.1\n"}


@pytest.mark.parametrize(
    ("copies", "install"),
    [
        ("COPY . .", "RUN bin/bundle install"),
        ("COPY . .", "RUN ./bin/npm ci"),
        ("COPY . .", "RUN /app/bin/npm ci"),
        ("COPY package.json package-lock.json ./\nCOPY bin/npm bin/", "RUN bin/npm ci"),
    ],
)
def test_a_program_of_the_project_that_installs_stops_it(copies: str, install: str) -> None:
    result = run(copies, install, files=BUNDLE)

    assert result.after == result.before
    assert "COPY bin/npm" in copies or "is one of the copied files" in result.declined[0].reason


@pytest.mark.parametrize("started", ["/usr/local/bin/npm", "npm", "./tools/npm"])
def test_other_programs_do_not(started: str) -> None:
    assert f"RUN {started} ci\nCOPY . .\n" in run("COPY . .", f"RUN {started} ci", files=BUNDLE).after


@pytest.mark.parametrize(
    "copies",
    [
        "COPY Gemfile* .ruby-version ./",
        "COPY Gemfile package.json package-lock.json ./",
        "COPY .tool-versions Gemfile ./",
    ],
)
def test_manifests_and_files_that_choose_a_version_stay_together(copies: str) -> None:
    files = BUNDLE | {".tool-versions": "", "Gemfile.lock": ""}
    result = run(copies, "RUN bundle install --deployment", "COPY . .", files=files)

    assert result.after == result.before


def test_a_single_file_stays_where_folders_of_sources_stay_above_the_install() -> None:
    files = {"src/requirements.txt": "flask==3.0.3\n", "src/app.py": "", "config/app.yaml": ""}
    copies = ("COPY src /app", "RUN ./configure", "COPY config/app.yaml /app/config/app.yaml")

    result = run(*copies, "RUN pip install -r requirements.txt", files=files)

    assert result.after == result.before


@pytest.mark.parametrize(
    ("variable", "is_stopped"),
    [("BUNDLE_APP_CONFIG=/usr/local/bundle", False), ("BUNDLE_APP_CONFIG=/app/.bundle", True), ("A=1", False)],
)
def test_a_place_beside_nothing_of_the_project_is_none_of_it(variable: str, is_stopped: bool) -> None:  # noqa: FBT001
    copies = ("COPY Gemfile ./", "COPY bin bin", "COPY . .")
    result = run(f"ENV {variable}", *copies, "RUN bundle install --deployment", files=BUNDLE)

    assert (result.after == result.before) is is_stopped
    assert not is_stopped or "BUNDLE_APP_CONFIG may name a place" in result.declined[0].reason


@pytest.mark.parametrize("install", ["npm ci", "composer install", "bundle install --deployment"])
def test_an_install_in_a_folder_of_the_base_image_is_told(install: str) -> None:
    files = FILES | BUNDLE | {"composer.json": "{}", "composer.lock": "{}"}
    result = optimize(f"FROM own/image\nCOPY . /srv\nRUN {install}\n", Context.of(files), PLAN)

    assert result.after == result.before
    assert [decline.line for decline in result.declined] == [3]


def test_the_gemfile_is_found_where_the_install_names_it() -> None:
    result = run("WORKDIR /", "COPY . /srv", "RUN bundle install --deployment --gemfile=/srv/Gemfile", files=BUNDLE)

    assert "COPY Gemfile /srv/\nRUN bundle install" in result.after


@pytest.mark.parametrize("volume", ["/app", '["/data", "/app/node_modules"]'])
def test_a_run_that_works_in_a_volume_stays_whole(volume: str) -> None:
    result = run(f"VOLUME {volume}", "COPY . .", "RUN npm ci && npm run build")

    assert result.after == result.before
    assert "the VOLUME of line 3" in result.declined[0].reason


def test_a_volume_elsewhere_does_not_matter() -> None:
    assert "RUN npm ci\nCOPY . .\n" in run("VOLUME /data", "COPY . .", "RUN npm ci && npm run build").after
