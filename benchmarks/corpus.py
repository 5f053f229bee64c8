"""A corpus of Dockerfiles with small build contexts, drawn from a seed: the same seed gives the same bytes.

The files are what projects write before anybody looks at their layers: sources copied before the install, one RUN a
command, caches left behind, the odd comment, continuation and second stage.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

Project = Mapping[str, str]

_APT = (
    "build-essential ca-certificates curl ffmpeg git gnupg imagemagick jq libpq-dev libxml2-dev locales openssh-client "
    "pkg-config postgresql-client rsync unzip wget"
).split()
_APK = ["bash", "build-base", "curl", "git", "libffi-dev", "openssl-dev", "python3", "tzdata"]
_NODE = ["axios", "cors", "dotenv", "express", "lodash", "pino", "react", "uuid", "vue", "zod"]
_PYTHON = ["celery", "click", "django", "fastapi", "flask", "gunicorn", "httpx", "numpy", "psycopg2", "redis"]


def write(folder: Path, files: int, seed: int) -> list[Path]:
    """Write a corpus, a folder of its own for each file; return the Dockerfiles."""
    random = Random(seed)  # noqa: S311 - drawn to be repeated, not to be secret
    return [_write(folder / f"{number:04}", random.choice(_KINDS)(random)) for number in range(files)]


def _write(folder: Path, project: Project) -> Path:
    for name, content in project.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder / "Dockerfile"


def _node(random: Random) -> Project:
    manager, lock, install = random.choice(
        [
            ("npm", "package-lock.json", "npm ci"),
            ("npm", "package-lock.json", "npm install --production"),
            ("npm", "", "npm install"),
            ("yarn", "yarn.lock", "yarn install --frozen-lockfile"),
            ("pnpm", "pnpm-lock.yaml", "npm install -g pnpm && pnpm install"),
        ]
    )
    home = random.choice(["/app", "/usr/src/app", "/srv"])
    lines = [f"FROM node:{random.choice(['18', '20-slim', '20-alpine', '22'])}", *_settings(random), f"WORKDIR {home}"]
    lines += random.choice([["COPY . ."], [f"COPY . {home}"], ["ADD . ."], ["COPY package*.json ./", "COPY . ."]])
    lines += [*_apt(random, random.randint(0, 2)), f"RUN {install}"]
    lines += random.choice([[], [f"RUN {manager} run build"], ["ENV NODE_ENV=production", f"RUN {manager} run build"]])
    lines += random.choice([[], [f"RUN chown -R node:node {home}", "USER node"]])
    lines += ["EXPOSE 3000", random.choice(['CMD ["node", "src/index.js"]', f"CMD {manager} start"])]
    dependencies = dict.fromkeys(sorted(random.sample(_NODE, 4)), "^1.0.0")
    scripts = {"build": "node build.js", "start": "node src/index.js"}
    if _chance(random, 0.1):
        scripts["postinstall"] = "node scripts/setup.js"
    manifest = {"name": "service", "version": "1.0.0", "scripts": scripts, "dependencies": dependencies}
    project = {"package.json": json.dumps(manifest, indent=2), "src/index.js": "console.log('up')\n", "build.js": ""}
    if lock:
        project[lock] = json.dumps({"name": "service", "lockfileVersion": 3}) if lock.endswith("json") else "# lock\n"
    return _finish(random, lines, project)


def _python(random: Random) -> Project:
    requirements = "".join(f"{name}\n" for name in random.sample(_PYTHON, 5))
    lines = [f"FROM python:{random.choice(['3.9', '3.11', '3.11-slim', '3.12-slim-bookworm'])}", *_settings(random)]
    lines += ["ENV PYTHONUNBUFFERED=1", *_apt(random, random.randint(0, 3)), "WORKDIR /code"]
    lines += random.choice([["COPY . ."], ["COPY . /code/"], ["ADD . /code"]])
    project = {"app/main.py": "print('up')\n", "app/__init__.py": "", "manage.py": "import app\n"}
    match random.choice(["pip", "nested", "poetry", "uv", "package"]):
        case "pip":
            project["requirements.txt"] = requirements
            lines += ["RUN pip install --upgrade pip", "RUN pip install -r requirements.txt"]
        case "nested":
            project |= {"requirements/base.txt": requirements, "requirements/prod.txt": "-r base.txt\ngunicorn\n"}
            lines += ["RUN pip3 install --no-cache-dir -r requirements/prod.txt"]
        case "poetry":
            project |= {"pyproject.toml": '[tool.poetry]\nname = "service"\nversion = "1"\n', "poetry.lock": ""}
            lines += ["RUN pip install poetry", "RUN poetry config virtualenvs.create false", "RUN poetry install"]
        case "uv":
            project |= {"pyproject.toml": '[project]\nname = "service"\nversion = "1"\n', "uv.lock": "version = 1\n"}
            lines += ["RUN pip install uv", "RUN uv sync --frozen"]
        case _:
            project["setup.py"] = "from setuptools import setup\n\nsetup(name='service')\n"
            lines += ["RUN pip install ."]
    lines += random.choice([[], ["RUN python manage.py collectstatic --noinput"]])
    lines += ["EXPOSE 8000", 'CMD ["gunicorn", "app.main:app", "--bind", "0.0.0.0:8000"]']
    return _finish(random, lines, project)


def _go(random: Random) -> Project:
    lines = ["FROM golang:1.22 AS build", "WORKDIR /src", "COPY . .", *_apt(random, random.randint(0, 1))]
    lines += ["RUN go mod download", "RUN CGO_ENABLED=0 go build -o /out/service ./cmd/service", ""]
    lines += [
        random.choice(["FROM alpine:3.19", "FROM debian:bookworm-slim"]),
        "COPY --from=build /out/service /service",
    ]
    lines += ["EXPOSE 8080", 'ENTRYPOINT ["/service"]']
    sources = {
        "go.mod": "module example.org/service\n\ngo 1.22\n",
        "go.sum": "",
        "cmd/service/main.go": "package main\n",
    }
    return _finish(random, lines, sources)


def _frontend(random: Random) -> Project:
    lines = ["FROM node:20 AS build", "WORKDIR /web", "COPY . .", "RUN npm ci", "RUN npm run build", ""]
    lines += ["FROM nginx:1.25", "COPY --from=build /web/dist /usr/share/nginx/html"]
    lines += ["ADD nginx.conf /etc/nginx/conf.d/default.conf", "EXPOSE 80"]
    project = {"package.json": '{"name": "web", "version": "1.0.0", "scripts": {"build": "vite build"}}'}
    project |= {
        "package-lock.json": '{"lockfileVersion": 3}',
        "src/main.ts": "export {}\n",
        "nginx.conf": "server {}\n",
    }
    return _finish(random, lines, project)


def _system(random: Random) -> Project:
    image = random.choice(["debian:bookworm", "ubuntu:22.04", "debian:bullseye-slim"])
    lines = [f"FROM {image}", *_settings(random), "ENV DEBIAN_FRONTEND=noninteractive"]
    lines += _apt(random, random.randint(2, 6))
    for number in range(random.randint(0, 2)):
        archive = f"tool-{number}.tar.gz"
        lines += [
            f"RUN curl -fsSL https://example.org/{archive} -o /tmp/{archive} \\",
            f"    && tar -xzf /tmp/{archive} -C /opt",
        ]
    lines += ["ADD scripts/ /opt/scripts/", "RUN chmod +x /opt/scripts/start.sh"]
    lines += [f"RUN useradd --create-home --uid {random.randint(1000, 1999)} service", "USER service"]
    return _finish(
        random, [*lines, 'ENTRYPOINT ["/opt/scripts/start.sh"]'], {"scripts/start.sh": "#!/bin/sh\nexec true\n"}
    )


def _alpine(random: Random) -> Project:
    lines = ["FROM alpine:3.19", *_settings(random)]
    lines += [f"RUN apk add {' '.join(random.sample(_APK, 2))}" for _ in range(random.randint(1, 3))]
    lines += ["COPY run.sh /run.sh", 'CMD ["sh", "/run.sh"]']
    return _finish(random, lines, {"run.sh": "echo up\n"})


def _others(random: Random) -> Project:
    ruby = ["FROM ruby:3.3", "WORKDIR /app", "COPY . .", "RUN bundle install", 'CMD ["ruby", "app.rb"]']
    java = ["FROM maven:3-eclipse-temurin-17", "COPY . /src", "WORKDIR /src", "RUN mvn -q package",
            'CMD ["java", "-jar", "target/app.jar"]']  # fmt: skip
    php = ["FROM php:8.2-apache", *_apt(random, 2), "COPY . /var/www/html", "RUN chown -R www-data /var/www/html"]
    project = {
        "Gemfile": "gem 'sinatra'\n",
        "Gemfile.lock": "",
        "app.rb": "",
        "pom.xml": "<project/>\n",
        "index.php": "",
    }
    return _finish(random, random.choice([ruby, java, php]), project)


def _settings(random: Random) -> list[str]:
    chosen = [
        [f'LABEL maintainer="team-{random.randint(1, 99)}@example.org"'],
        ["ARG VERSION=dev", "ENV VERSION=$VERSION"],
        ["ENV LANG=C.UTF-8 \\", "    TZ=UTC"],
        [],
    ]
    return random.choice(chosen)


def _apt(random: Random, steps: int) -> list[str]:
    """Give some steps that install packages, in one of the ways that people write them."""
    lines: list[str] = []
    for number in range(steps):
        packages = random.sample(_APT, random.randint(1, 4))
        match random.choice(["apart", "joined", "long", "clean"]):
            case "apart":
                lines += ["RUN apt-get update", f"RUN apt-get install -y {' '.join(packages)}"]
            case "joined":
                lines.append(f"RUN apt-get update && apt-get install -y {' '.join(packages)}")
            case "long":
                lines.append(f"# step {number}: what the service needs")
                lines += ["RUN apt-get update && \\", "    apt-get install -y --no-install-recommends \\"]
                lines += [f"        {name} \\" for name in packages[:-1]] + [f"        {packages[-1]}"]
            case _:
                lines += [f"RUN apt-get update && apt-get install -y {packages[0]} && rm -rf /var/lib/apt/lists/*"]
    return lines


def _chance(random: Random, share: float) -> bool:
    return random.random() < share


def _finish(random: Random, lines: list[str], project: Project) -> Project:
    """Spread comments and blank lines over the file, and give the context an ignore file where one is drawn."""
    spread: list[str] = []
    for before, line in zip(["", *lines], lines, strict=False):
        if not before.endswith("\\") and spread and _chance(random, 0.15):
            spread += random.choice([[""], ["", f"# {line.split()[0].lower() if line else 'then'}: as in production"]])
        spread.append(line)
    ignored = {".dockerignore": "node_modules\n.git\n__pycache__\n"} if _chance(random, 0.7) else {}
    return {"Dockerfile": "\n".join(spread) + "\n", "README.md": "# service\n", **project, **ignored}


_KINDS: tuple[Callable[[Random], Project], ...] = (
    _node, _node, _node, _python, _python, _python, _system, _system, _go, _frontend, _alpine, _others,
)  # fmt: skip
