"""Which programs go to the JRE, and which keep their JDK."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PROJECT = {"pom.xml": "<project/>", "target/app.jar": "", "src/main/java/App.java": "class App {}"}
TEXT = '{}\nCOPY target/app.jar /app.jar\nCMD ["java", "-jar", "/app.jar"]\n'


def run(text: str, files: dict[str, str] | None = None) -> Result:
    return optimize(text, Context.of({**PROJECT, **(files or {})}), Plan(select=frozenset({"use-slim-base"})))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM eclipse-temurin:17", "FROM eclipse-temurin:17-jre"),
        ("FROM eclipse-temurin:17-jdk-jammy AS app", "FROM eclipse-temurin:17-jre-jammy AS app"),
        ("FROM eclipse-temurin:21-jdk-alpine", "FROM eclipse-temurin:21-jre-alpine"),
        ("FROM eclipse-temurin:17.0.8_7-jdk", "FROM eclipse-temurin:17.0.8_7-jre"),
        ("FROM openjdk:8", "FROM openjdk:8-jre"),
        ("FROM openjdk:11-jdk-slim", "FROM openjdk:11-jre-slim"),
        ("FROM adoptopenjdk:8-jdk-hotspot", "FROM adoptopenjdk:8-jre-hotspot"),
    ],
)
def test_the_jre_of_the_same_version_and_release(before: str, after: str) -> None:
    result = run(TEXT.format(before))

    assert result.after == TEXT.format(after)
    assert result.saved_bytes > 10_000_000


@pytest.mark.parametrize("base", ["eclipse-temurin:17-jre", "openjdk:8-jre-alpine", "example.com/jdk:17", "openjdk:99"])
def test_nothing_is_said_of_other_images(base: str) -> None:
    result = run(TEXT.format(f"FROM {base}"))

    assert (result.applied, result.declined) == ((), ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FROM openjdk:17-jdk", "no JRE lies where the JDK of openjdk:17-jdk does"),
        ("FROM openjdk:8-jdk-alpine", "no JRE lies where the JDK of openjdk:8-jdk-alpine does"),
        ("ARG V=17\nFROM eclipse-temurin:$V", "the tag of the base image is an argument"),
        ("FROM --platform=linux/arm64 eclipse-temurin:17", "the base image is one for linux/arm64"),
        ("FROM eclipse-temurin:17\nHEALTHCHECK CMD jcmd 1 VM.version", "starts jcmd, which needs the JDK"),
        ("FROM eclipse-temurin:17\nRUN mvn package", "the RUN of line 2 starts mvn, which needs the JDK"),
        ("FROM eclipse-temurin:17\nRUN strip /bin/true", "starts strip, which the image of the JRE lacks"),
        ("FROM openjdk:8\nRUN git clone https://x.org/a", "starts git, which the image of the JRE lacks"),
        ("FROM openjdk:8\nRUN keytool -keystore $JAVA_HOME/jre/lib/security/cacerts", "names $JAVA_HOME/jre/lib/sec"),
        ("FROM eclipse-temurin:17\nENV JAVA_TOOL_OPTIONS='--add-modules jdk.attach'", "speaks of jdk.attach"),
        ("FROM eclipse-temurin:17\nRUN ls /opt/java/openjdk/include/jni.h", "names /opt/java/openjdk/include/jni.h"),
    ],
)
def test_what_the_dockerfile_says_keeps_the_jdk(text: str, reason: str) -> None:
    result = run(TEXT.format(text))

    assert result.applied == ()
    assert reason in result.declined[0].reason


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"src/main/java/A.java": "import com.sun.tools.attach.VirtualMachine;"}, "speaks of com.sun.tools"),
        ({"pom.xml": "<dependency><artifactId>blockhound</artifactId></dependency>"}, "asks for blockhound"),
        ({"build.gradle": "implementation 'gg.jte:jte:3.1'"}, "build.gradle asks for jte"),
        (
            {"src/main/java/A.java": 'class A { String s[] = {"jmap"}; { Runtime.getRuntime().exec(s); } }'},
            "may start jmap",
        ),
    ],
)
def test_what_the_program_takes_from_the_jdk_keeps_it(files: dict[str, str], reason: str) -> None:
    result = run(TEXT.format("FROM eclipse-temurin:17"), files)

    assert result.applied == ()
    assert reason in result.declined[0].reason


def test_tests_may_compile() -> None:
    result = run(TEXT.format("FROM eclipse-temurin:17"), {"src/test/java/T.java": "import javax.tools.ToolProvider;"})

    assert result.applied != ()


def test_sources_that_the_build_does_not_see_speak_too() -> None:
    files = {".dockerignore": "*\n!target/*.jar\n", "src/main/java/A.java": "import javax.tools.JavaCompiler;"}

    assert "javax.tools" in run(TEXT.format("FROM eclipse-temurin:17"), files).declined[0].reason


def test_a_jar_without_sources_keeps_the_jdk() -> None:
    result = optimize(
        TEXT.format("FROM eclipse-temurin:17"),
        Context.of({"target/app.jar": ""}),
        Plan(select=frozenset({"use-slim-base"})),
    )

    assert [one.reason for one in result.declined] == ["no sources say what the program takes from the JDK"]


def test_a_source_that_is_started_keeps_the_jdk() -> None:
    text = 'FROM eclipse-temurin:17\nCOPY App.java /\nCMD ["java", "/App.java"]\n'

    assert "starts a source file" in run(text, {"App.java": "class App {}"}).declined[0].reason
