"""What would be missing in the stage that runs: files of the project, programs, owners, settings."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

GO = {"go.mod": "module app\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() {}\n"}
BUILDING = "WORKDIR /app\nCOPY . .\nRUN go build -o /app/server .\n"
START = 'CMD ["/app/server"]\n'


def run(text: str, files: dict[str, str]) -> Result:
    return optimize(text, Context.of(files), Plan(select=frozenset({"multi-stage"})))


def runtime(text: str, files: dict[str, str]) -> str:
    """Return the runtime stage that a file gets."""
    result = run(text, files)
    assert result.applied, result.declined
    return result.after.rpartition("\n\nFROM ")[2].partition("\n")[2]


def reason(text: str, files: dict[str, str]) -> str:
    """Return why a file stays as it is."""
    result = run(text, files)
    assert not result.applied, result.after
    return " ".join(decline.reason for decline in result.declined)


def of_go(text: str, **files: str) -> str:
    return runtime(f"FROM golang:1.22-bookworm\n{text}", {**GO, **files})


def test_files_of_a_project_below_gopath_go_over() -> None:
    text = 'WORKDIR /go/src/app\nCOPY . .\nRUN go install -v ./...\nCMD ["app"]\n'
    assert "COPY --from=build /go/src/app/conf /go/src/app/conf\n" in of_go(text, **{"conf/app.ini": "a=1"})


def test_all_programs_of_a_project_that_are_installed_go_over_and_tools_do_not() -> None:
    files = {"cmd/server/main.go": "package main\n", "cmd/worker/main.go": "package main\n"}
    text = "WORKDIR /app\nRUN go install example.org/tool@v1\nCOPY . .\nRUN go install ./cmd/server ./cmd/worker\n"
    found = of_go(f'{text}CMD ["server"]\n', **files)
    assert "/go/bin/server" in found
    assert "/go/bin/worker" in found
    assert "tool" not in found


@pytest.mark.parametrize("call", ['exec.Command("go", "build")', 'exec.CommandContext(ctx, "go", "run")'])
def test_a_program_that_starts_its_compiler_keeps_it(call: str) -> None:
    files = {**GO, "main.go": f'package main\n\nimport "os/exec"\n\nfunc main() {{ {call} }}\n'}
    assert "starts the go command" in reason(f"FROM golang:1.22-bookworm\n{BUILDING}{START}", files)


POM = "<project><groupId>g</groupId><artifactId>app</artifactId><version>1</version></project>"
JAVA = {"pom.xml": POM, "src/main/java/A.java": "class A {}", "src/main/resources/application.yml": "a: 1"}
MAVEN = "FROM maven:3.9-eclipse-temurin-17\nWORKDIR /app\nCOPY . .\nRUN mvn package\n"


@pytest.mark.parametrize(
    ("start", "copied"),
    [
        (
            'ENV JAVA_TOOL_OPTIONS="-javaagent:/app/target/agent/a.jar"\nCMD java -jar target/app-1.jar\n',
            "/app/target/agent",
        ),
        ("ENV CLASSPATH=/app/target/classes:/app/target/dependency/*\nCMD java A\n", "/app/target"),
        ("CMD java -Dspring.config.location=src/main/resources/application.yml -jar target/app-1.jar\n", "/app"),
        ("ENV SPRING_CONFIG_LOCATION=file:/app/src/main/resources/\nCMD java -jar target/app-1.jar\n", "/app"),
    ],
)
def test_what_variables_and_options_name_goes_over(start: str, copied: str) -> None:
    assert f"COPY --from=build {copied} {copied}\n" in runtime(f"{MAVEN}{start}", JAVA)


def test_what_is_installed_among_the_files_of_the_compiler_keeps_one_stage() -> None:
    text = 'FROM gcc:12\nWORKDIR /src\nCOPY . .\nRUN ./configure && make && make install\nCMD ["prog"]\n'
    files = {"configure": "#!/bin/sh\n", "Makefile.in": "", "a.c": "int main() { return 0; }\n"}
    assert "among the files of the compiler" in reason(text, files)


def test_an_owner_reaches_the_folders_that_are_made_again() -> None:
    made = "RUN useradd app\nRUN mkdir -p /app/data && touch /app/data/log && chown -R app:app /app\nUSER app\n"
    assert "mkdir -p /app && chown -R app:app /app\n" in of_go(f"{BUILDING}{made}{START}")


def test_an_owner_of_what_is_copied_is_not_given_to_it_again() -> None:
    found = of_go(f"{BUILDING}RUN useradd app && chown -R app:app /app\nUSER app\n{START}")
    assert "mkdir -p /app && chown app:app /app\n" in found


@pytest.mark.parametrize("told", ["V=1; ", "V=$(date) && ", "export V=1 && ", "read V < go.mod; "])
def test_what_one_shell_knows_is_not_said_in_another(told: str) -> None:
    text = f"FROM golang:1.22-bookworm\n{BUILDING}RUN {told}echo $V > /etc/version\n{START}"
    assert reason(text, GO) == "line 5 uses V, which its shell alone knows"


@pytest.mark.parametrize(
    "given",
    [
        "RUN adduser --system --group app\nRUN chown -R app:app /app\n",
        "RUN addgroup --system app\nCOPY --chown=root:app . .\n",
    ],
)
def test_a_number_that_hangs_on_the_image_is_no_owner(given: str) -> None:
    text = f"FROM golang:1.22-bookworm\n{BUILDING}{given}{START}"
    assert "number of app" in reason(text, {**GO, "data/a": ""})


@pytest.mark.parametrize(
    "given",
    [
        "RUN adduser --system --group app\nUSER app\n",
        "RUN adduser --system --uid 110 --group app && chown -R app /app\n",
        "RUN adduser --system app && chown -R app /app\n",
        "RUN adduser --system --group app && mkdir /data && chown -R app /data\n",
    ],
)
def test_a_number_that_no_copied_file_has_may_change(given: str) -> None:
    assert "adduser --system" in of_go(f"{BUILDING}{given}{START}")


def test_a_folder_that_a_user_makes_on_the_way_is_that_users() -> None:
    text = f"RUN useradd -m app\nUSER app\nRUN mkdir -p /home/app/a/b\nUSER root\n{BUILDING}USER app\n{START}"
    assert "mkdir -p /home/app/a /home/app/a/b && chown app: /home/app/a /home/app/a/b\n" in of_go(text)


def test_a_link_goes_into_a_folder_that_is_there() -> None:
    found = of_go(f"WORKDIR /app\nRUN mkdir /data && ln -s /data /app\n{BUILDING}{START}")
    assert "mkdir -p /app \\\n    && ln -s /data /app\n" in found


@pytest.mark.parametrize(
    "command",
    ["awk '{print > \"/etc/a\"}' go.mod", "sort -o /etc/a go.mod", "uniq go.mod /etc/a", "umask 077", "ln -sf a"],
)
def test_what_writes_by_its_own_words_keeps_one_stage(command: str) -> None:
    assert "known" in reason(f"FROM golang:1.22-bookworm\n{BUILDING}RUN {command}\n{START}", GO)


@pytest.mark.parametrize("command", ["awk '$1 > 3 {print}' go.mod", "sort -u go.mod", "uniq -c go.mod"])
def test_what_only_looks_leaves_nothing(command: str) -> None:
    assert "RUN" not in of_go(f"{BUILDING}RUN {command}\n{START}")


def test_an_interpreter_comes_with_its_modules_and_git_with_certificates() -> None:
    manifest = '{"dependencies": {"bcrypt": "5.0.0"}}'
    lock = '{"packages": {"node_modules/bcrypt": {"version": "5.0.0", "hasInstallScript": true}}}'
    code = "const { exec } = require('child_process'); exec('git clone x'); exec('python3 x.py')"
    files = {"package.json": manifest, "package-lock.json": lock, "a.js": code}
    found = runtime('FROM node:20-bookworm\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "a.js"]\n', files)
    assert "--no-install-recommends ca-certificates git python3 \\\n" in found


@pytest.mark.parametrize(
    ("command", "because"),
    [
        ("cat go.mod > /etc/mod", "reads /app/go.mod"),
        ("sed s/a/b/ /app/a.conf > /etc/a.conf", "reads /app/a.conf"),
        ("if [ -f go.mod ]; then mkdir /data; fi", "reads /app/go.mod"),
        ("echo $(go version) > /etc/version", "starts go"),
        ("useradd -u $(stat -c %u go.mod) app", "reads /app/go.mod"),
        ("--mount=type=bind,target=/x cat /x/a > /etc/a", "reads what is mounted"),
    ],
)
def test_what_is_done_again_finds_what_it_reads(command: str, because: str) -> None:
    text = f"FROM golang:1.22-bookworm\n{BUILDING}RUN {command}\n{START}"
    assert because in reason(text, {**GO, "a.conf": "a"})


@pytest.mark.parametrize(
    ("command", "again"),
    [
        ("echo a > /etc/a", "echo a > /etc/a"),
        ("sed -i s/a/b/ /etc/login.defs", "sed -i s/a/b/ /etc/login.defs"),
        ("getent group app || groupadd app", "{ getent group app || groupadd app; }"),
        ("useradd app || true; mkdir /data", "{ useradd app || true; } \\\n    && mkdir /data"),
        ("--mount=type=secret,id=a useradd app", "useradd app"),
        ("--mount=type=cache,target=/x cat /etc/os-release > /etc/a", "cat /etc/os-release > /etc/a"),
    ],
)
def test_what_reads_nothing_of_the_build_is_done_again(command: str, again: str) -> None:
    assert of_go(f"{BUILDING}RUN {command}\n{START}").startswith(f"RUN {again}\n")


def test_a_folder_that_is_made_for_the_container_is_made_again() -> None:
    text = f"WORKDIR /var/lib/app\n{BUILDING}{START}"
    assert of_go(text).startswith("RUN mkdir -p /var/lib/app\nWORKDIR /app\n")
    assert "RUN" not in of_go("WORKDIR /src\nCOPY . .\nRUN go build -o /app/server .\nWORKDIR /app\nCMD ./server\n")


def test_a_variable_that_is_set_anew_is_set_once() -> None:
    text = 'ENV GOPATH=/g\nENV PATH=$GOPATH/bin:$PATH\nWORKDIR /app\nCOPY . .\nRUN go install .\nCMD ["app"]\n'
    assert of_go(text).startswith("ENV GOPATH=/g\nENV PATH=$GOPATH/bin:$PATH\nWORKDIR /app\n")


LOCK = '{"packages": {"node_modules/bcrypt": {"version": "5.0.0", "hasInstallScript": true}}}'
NODE = {
    "package.json": '{"dependencies": {"bcrypt": "5.0.0"}}',
    "package-lock.json": LOCK,
    ".npmrc": "",
    "lib/a.js": "",
}


@pytest.mark.parametrize(
    ("above", "because"),
    [
        ("COPY .npmrc /root/.npmrc\nRUN npm i -g @corp/cli\n", "hangs on line 2"),
        ("RUN npm config set registry https://r\nRUN npm i -g serve\n", "hangs on line 2"),
        ("COPY lib /lib/a\nRUN cd /lib/a && npm link\n", "npm link of line 3 leads to"),
        ("RUN --mount=type=secret,id=a,target=/x npm i -g serve\n", "mounted"),
    ],
)
def test_packages_for_all_that_hang_on_settings_keep_one_stage(above: str, because: str) -> None:
    text = f'FROM node:20-bookworm\n{above}WORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "a.js"]\n'
    assert because in reason(text, NODE)


@pytest.mark.parametrize("program", ["cargo", "rustc", "/app/target/release/worker"])
def test_a_program_in_rust_that_starts_what_stays_behind_keeps_it(program: str) -> None:
    code = f'fn main() {{ std::process::Command::new("{program}"); }}\n'
    files = {"Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n', "src/main.rs": code}
    text = (
        'FROM rust:1.75-bookworm\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\nCMD ["/app/target/release/app"]\n'
    )
    assert "starts the toolchain" in reason(text, files)
