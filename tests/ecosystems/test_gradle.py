# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Ahead, Cache, Install, Refusal

MARKS = ("gradle ", "gradlew ", "./gradlew ", "sh gradlew ", "sh ./gradlew ", "bash ./gradlew ", "bash gradlew ")
LIBRARIES = "".join(f"    implementation 'org.example:library-{n}:1.0'\n" for n in range(24))
JAVA = "plugins { id 'java' }\nrepositories { mavenCentral() }\n"
SOURCES = {"src/main/java/App.java": ""}
WRAPPER = {
    "gradlew": "#!/bin/sh\nexec java\n",
    "gradle/wrapper/gradle-wrapper.jar": "",
    "gradle/wrapper/gradle-wrapper.properties": "distributionUrl=https\\://services.gradle.org/distributions/gradle-8.5-bin.zip\n",
}
CATALOG = '[plugins]\nboot = "org.springframework.boot:3.2.5"\nkotlin-jvm = { id = "org.jetbrains.kotlin.jvm", version = "1.9.24" }\nodd = { id = "com.example.odd", version = "1" }\n'


def script(more: str = "", head: str = JAVA) -> str:
    return f"{head}dependencies {{\n{LIBRARIES}}}\n{more}"


def project(more: str = "", head: str = JAVA, **files: str) -> dict[str, str]:
    return {"build.gradle": script(more, head), **SOURCES, **files}


MODULES = {
    "settings.gradle": "rootProject.name = 'shop'\ninclude 'core',\n        ':apps:web'\n",
    "build.gradle": "subprojects { apply plugin: 'java-library' }\n",
    "core/build.gradle": script(),
    "apps/web/build.gradle": script("dependencies { implementation project(':core') }\n"),
    "core/src/main/java/Core.java": "",
}
SCRIPTS = ("settings.gradle", "build.gradle", "core/build.gradle", "apps/web/build.gradle")
BOTH = ("compileClasspath", "runtimeClasspath")
TESTS = (*BOTH, "testCompileClasspath", "testRuntimeClasspath")


def ahead(
    build: str,
    *files: str,
    paths: tuple[str, ...] = BOTH,
    folder: str = "",
    home: str = "/root/.gradle",
    sources: tuple[str, ...] = tuple(SOURCES),
) -> Install:
    names = ", ".join(f'"{path}"' for path in paths)
    task = f'task("fetchDependencies") {{ doLast {{ [{names}].each {{ configurations.findByName(it)?.files }} }} }}'
    commands = (f"echo 'allprojects {{ {task} }}' > /tmp/fetch.gradle", build, "rm /tmp/fetch.gradle")
    return Install(
        files or ("build.gradle",), ahead=Ahead(commands, folder, (home,), MARKS, "fetches the dependencies", sources)
    )


FETCH = "gradle -I /tmp/fetch.gradle"
CORE = ("core/src/main/java/Core.java",)


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("gradle assemble", project(), ahead(f"{FETCH} fetchDependencies")),
        ("gradle --no-daemon clean build -x test", project(), ahead(f"{FETCH} --no-daemon fetchDependencies")),
        ("gradle build", project(), ahead(f"{FETCH} fetchDependencies", paths=TESTS)),
        ("gradle build -xcheck --stacktrace", project(), ahead(f"{FETCH} --stacktrace fetchDependencies")),
        ("gradle assemble", project(**WRAPPER), ahead(f"{FETCH} fetchDependencies")),
        ("gradle jar", project(), ahead(f"{FETCH} fetchDependencies", paths=("compileClasspath",))),
        ("gradle bootJar -Pversion=$V --scan", project(), ahead(f"{FETCH} -Pversion=$V fetchDependencies")),
        ("JAVA_OPTS=-Xmx1g gradle shadowJar", project(), ahead(f"JAVA_OPTS=-Xmx1g {FETCH} fetchDependencies")),
        ("gradle assemble", project("dependencies { annotationProcessor 'a:b:1' }"), ahead(f"{FETCH} fetchDependencies", paths=("annotationProcessor", *BOTH))),
        ("gradle installDist", MODULES, ahead(f"{FETCH} fetchDependencies", *SCRIPTS, sources=CORE)),
        ("gradle :apps:web:installDist :core:jar", MODULES, ahead(f"{FETCH} :apps:web:fetchDependencies :core:fetchDependencies", *SCRIPTS, sources=CORE)),
        ("cd core && gradle assemble", MODULES, ahead(f"{FETCH} fetchDependencies", *SCRIPTS, folder="core", sources=CORE)),
        ("gradle -p core assemble", MODULES, ahead(f"{FETCH} -p core fetchDependencies", *SCRIPTS, sources=CORE)),
        ("gradle assemble", project(**{"gradle.properties": "org.gradle.configuration-cache=true\n", "gradle.lockfile": ""}), ahead(f"{FETCH} --no-configuration-cache fetchDependencies", "build.gradle", "gradle.properties", "gradle.lockfile")),
        ("./gradlew assemble", {"build.gradle": JAVA, **SOURCES, **WRAPPER}, ahead("sh ./gradlew -I /tmp/fetch.gradle fetchDependencies", "gradlew", "build.gradle", "gradle")),
        ("./gradlew assemble", {"build.gradle": JAVA, **SOURCES, **WRAPPER, "gradlew": "#!/usr/bin/env bash\n"}, ahead("bash ./gradlew -I /tmp/fetch.gradle fetchDependencies", "gradlew", "build.gradle", "gradle")),
        ("gradle assemble", project("", 'plugins {\n    alias(libs.plugins.boot)\n    java\n    `java-library`\n    id("io.ktor.plugin") version "2.3.0"\n}\n', **{"gradle/libs.versions.toml": CATALOG}), ahead(f"{FETCH} fetchDependencies", "build.gradle", "gradle")),
        ("gradle assemble", project("", "plugins {\n    alias(libs.plugins.kotlin.jvm)\n}\n", **{"gradle/libs.versions.toml": CATALOG}), ahead(f"{FETCH} fetchDependencies", "build.gradle", "gradle", paths=("compileClasspath", "kotlinCompilerClasspath", "kotlinCompilerPluginClasspathMain", "runtimeClasspath"))),
        ("gradle assemble", project('apply from: "$rootDir/gradle/java.gradle"', **{"gradle/java.gradle": "apply plugin: 'jacoco'\n"}), ahead(f"{FETCH} fetchDependencies", "build.gradle", "gradle")),
        ("gradle assemble", project("apply from: 'quality.gradle'", **{"quality.gradle": "apply plugin: 'checkstyle'\n"}), ahead(f"{FETCH} fetchDependencies", "build.gradle", "quality.gradle")),
        ("gradle assemble", project("plugins { id 'shop.conventions' }", **{"buildSrc/build.gradle": "plugins { id 'groovy-gradle-plugin' }", "buildSrc/src/main/groovy/shop.conventions.gradle": JAVA}), ahead(f"{FETCH} fetchDependencies", "build.gradle", "buildSrc")),
        ("gradle assemble", project(**{"settings.gradle.kts": 'pluginManagement {\n    includeBuild("build-logic")\n}\n', "build-logic/build.gradle.kts": "plugins { `kotlin-dsl` }\n"}), ahead(f"{FETCH} fetchDependencies", "settings.gradle.kts", "build.gradle", "build-logic")),
        ("gradle assemble", {**MODULES, "settings.gradle": "include 'web'\nproject(':web').projectDir = file('apps/web')\n"}, ahead(f"{FETCH} fetchDependencies", "settings.gradle", "build.gradle", "apps/web/build.gradle", sources=CORE)),
        ("gradle assemble", project("// file('VERSION').text\n/* plugins { id 'odd' } */ def site = 'http://x' // .text"), ahead(f"{FETCH} fetchDependencies")),
        ("gradle assemble", {**MODULES, "gradle.lockfile": "", "core/gradle/dependency-locks/x.lockfile": ""}, ahead(f"{FETCH} fetchDependencies", *SCRIPTS, "gradle.lockfile", "core/gradle/dependency-locks", sources=CORE)),
        ("gradle -g /cache assemble", project(), ahead(f"{FETCH} -g /cache fetchDependencies", home="/cache")),
        ("gradle assemble", {"build.gradle": "plugins { id 'org.springframework.boot' }\ndependencies { implementation 'a:starter-c', 'a:starter-d', 'a:starter-e', 'a:starter-f' }", **SOURCES}, ahead(f"{FETCH} fetchDependencies")),
    ],
)  # fmt: skip
def test_a_build_has_what_it_needs_fetched(
    ask: Callable[..., Install], text: str, files: Mapping[str, str], expected: Install
) -> None:
    assert ask("gradle", text, files) == expected


@pytest.mark.parametrize("text", ["gradle --version", "gradle dependencies", "./gradlew run", "java -jar app.jar"])
def test_what_builds_nothing_is_no_install(ask: Callable[..., Install | None], text: str) -> None:
    assert ask("gradle", text, project()) is None


def test_a_build_of_the_scripts_alone_is_no_install(ask: Callable[..., Install | None]) -> None:
    assert ask("gradle", "gradle build", {"build.gradle": script()}) is None


FEW = {"build.gradle": JAVA + "dependencies { implementation 'a:b:1' }", **SOURCES}


@pytest.mark.parametrize(
    ("text", "files", "because"),
    [
        ("gradle assemble", FEW, "so few dependencies"),
        ("gradle assemble docs", project(), "what the task docs needs is not known"),
        ("gradle assemble --offline", project(), "downloads nothing"),
        ("gradle assemble --refresh-dependencies", project(), "downloads again"),
        ("gradle -I init.gradle assemble", project(), "the option -I leads to"),
        ("gradle -b other.gradle assemble", project(), "the option -b leads to"),
        ("gradle assemble --continuous", project(), "the option --continuous is not known"),
        ("gradle assemble -Dorg.gradle.project.dir=x", project(), "may lead to other files"),
        ("export JAVA_OPTS=-Xmx1g && gradle assemble", project(), "JAVA_OPTS is set for gradle by another command"),
        ("sudo gradle assemble", project(), "runs within another command"),
        ("gradle assemble", SOURCES, "build.gradle is not among"),
        ("gradle assemble", {"build.gradle": script(), "app/Main.x": ""}, "where the sources lie is not known"),
        ("gradle assemble", project("version = file('VERSION').text"), "may read files or start programs by text"),
        ("gradle assemble", project("version = 'git describe'.execute().getText()"), "by execute"),
        ("gradle assemble", project("if (file('local.properties').exists()) { }"), "by exists"),
        ("gradle assemble", project("spotless { ratchetFrom 'origin/main' }"), "by ratchetFrom"),
        ("gradle assemble", project("def out = providers.exec { commandLine 'git' }"), "by exec"),
        ("gradle assemble", project("repositories { flatDir { dirs 'libs' } }"), "by flatDir"),
        ("gradle assemble", project("task fetchDependencies {}"), "by fetchDependencies"),
        ("gradle assemble", project('repositories { maven { url "$rootDir/repo" } }'), "takes packages from $rootDir/repo"),
        ("gradle assemble", project('repositories { maven { setUrl("file:///repo") } }'), "takes packages from"),
        ("gradle assemble", project('repositories { maven("repo") }'), "takes packages from a place"),
        ("gradle assemble", project("apply plugin: 'com.palantir.git-version'"), "what the plugin com.palantir.git-version reads"),
        ("gradle assemble", project("apply plugin: com.example.Odd"), "in a way that is not understood"),
        ("gradle assemble", project("", 'plugins {\n    kotlin("multiplatform") version "${v}"\n}\n'), "the plugin org.jetbrains.kotlin.multiplatform"),
        ("gradle assemble", project("", "plugins {\n    alias(libs.plugins.odd)\n}\n", **{"gradle/libs.versions.toml": CATALOG}), "the plugin com.example.odd"),
        ("gradle assemble", project("", "plugins {\n    alias(libs.plugins.none)\n}\n"), "which no version catalog names"),
        ("gradle assemble", project("apply from: scripts[0]"), "a script whose name is not known"),
        ("gradle assemble", project("apply from: 'quality.gradle'"), "quality.gradle is not in the build context"),
        ("gradle assemble", project("apply from: 'q.gradle'", **{"q.gradle": "version = file('V').text"}), "q.gradle may read files"),
        ("gradle assemble", project("buildscript { dependencies { classpath files('x.jar') } }"), "takes a plugin from files"),
        ("gradle assemble", {**MODULES, "settings.gradle": "file('.').eachDir { include it.name }"}, "finds its modules"),
        ("gradle assemble", {**MODULES, "settings.gradle": "include 'core', extra"}, "finds its modules"),
        ("gradle assemble", {**MODULES, "settings.gradle": 'include "core$x"'}, "finds its modules"),
        ("gradle assemble", {**MODULES, "settings.gradle": "include 'none'"}, "the module none has no build script"),
        ("gradle assemble", {**MODULES, "settings.gradle": "include 'core'\nproject(':core').projectDir = where()"}, "where a module of settings.gradle lies"),
        ("gradle assemble", {**MODULES, "settings.gradle": "includeBuild '../other'"}, "takes in a build that is not known"),
        ("gradle assemble", project(**{"buildSrc/build/x.jar": ""}), "buildSrc/build/x.jar was made by a build"),
        ("gradle assemble", project(**{"gradle.properties": "org.gradle.jvmargs=-javaagent:x.jar\n"}), "gradle.properties says javaagent"),
        ("./gradlew assemble", project(), "gradlew is not in the build context"),
        ("./gradlew assemble", project(**{**WRAPPER, "gradlew": "#!/bin/sh\r\nexec java\r\n"}), "no script for sh or bash"),
        ("./gradlew assemble", project(gradlew=WRAPPER["gradlew"]), "gradle-wrapper.jar is not in the build context"),
        ("./gradlew assemble", project(**{**WRAPPER, "gradle/wrapper/gradle-wrapper.properties": "distributionUrl=../gradle.zip\n"}), "takes Gradle from a file"),
    ],
)  # fmt: skip
def test_a_build_stays_with_its_sources(
    ask: Callable[..., Refusal], text: str, files: Mapping[str, str], because: str
) -> None:
    answer = ask("gradle", text, files)

    assert isinstance(answer, Refusal), answer
    assert because in answer.reason


@pytest.mark.parametrize(
    ("text", "env", "targets"),
    [
        ("gradle build", {}, ("/root/.gradle",)),
        ("./gradlew build", {"HOME": "/home/gradle"}, ("/home/gradle/.gradle",)),
        ("gradle bootJar", {"GRADLE_USER_HOME": "/cache"}, ("/cache",)),
    ],
)
def test_the_downloads_stay(
    cache: Callable[..., Cache], text: str, env: Mapping[str, str], targets: tuple[str, ...]
) -> None:
    found = cache("gradle", text, env)

    assert (found.targets, found.flag, found.cleanup) == (targets, None, ())
    assert "leave them behind in a build stage" in (found.off or "")


def test_what_builds_nothing_has_no_cache(cache: Callable[..., Cache | None]) -> None:
    assert cache("gradle", "gradle --version") is None


@pytest.mark.parametrize(
    ("text", "expected"), [("rm -rf ~/.gradle", True), ("rm -rf /root/.gradle/caches", True), ("rm -rf build", False)]
)
def test_what_cleans(cleans: Callable[[str, str], bool], text: str, *, expected: bool) -> None:
    assert cleans("gradle", text) is expected
