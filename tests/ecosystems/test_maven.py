# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Ahead, Cache, Install, Refusal

GAV = "<groupId>g</groupId><artifactId>app</artifactId><version>1</version>"
LIBRARIES = "".join(f"<dependency><groupId>l</groupId><artifactId>l{n}</artifactId></dependency>" for n in range(12))
STARTERS = "".join(f"<dependency><artifactId>starter-{n}</artifactId></dependency>" for n in range(4))
GAV += f"<dependencies>{LIBRARIES}</dependencies>"
BOOT = "<parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.2.5</version></parent>"
BOOT_PLUGIN = "<groupId>org.springframework.boot</groupId><artifactId>spring-boot-maven-plugin</artifactId>"
KOTLIN = "<groupId>org.jetbrains.kotlin</groupId><artifactId>kotlin-maven-plugin</artifactId>"
PARENT = "<parent><groupId>g</groupId><artifactId>app</artifactId><version>1</version></parent>"
SOURCES = {"src/main/java/App.java": ""}
SCRIPT = "#!/bin/sh\nexec java\n"
PROPERTIES = ".mvn/wrapper/maven-wrapper.properties"
WRAPPED = {"mvnw": SCRIPT, PROPERTIES: "distributionUrl=https://x/maven.zip\n"}


def pom(more: str = "", head: str = GAV) -> str:
    return f'<?xml version="1.0"?>\n<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>{head}{more}</project>'


def project(more: str = "", **files: str) -> dict[str, str]:
    return {"pom.xml": pom(more), **SOURCES, **files}


def plugin(inner: str) -> str:
    return f"<build><plugins><plugin>{inner}</plugin></plugins></build>"


def modules(*names: str) -> str:
    return f"<packaging>pom</packaging><modules>{''.join(f'<module>{n}</module>' for n in names)}</modules>"


MODULES = {
    "pom.xml": pom(modules("core", "apps")),
    "core/pom.xml": pom(head=PARENT + "<artifactId>core</artifactId>"),
    "apps/pom.xml": pom(modules("web.xml"), head=PARENT + "<artifactId>apps</artifactId>"),
    "apps/web.xml": pom("<dependencies><dependency><artifactId>core</artifactId></dependency></dependencies>", head=PARENT + "<artifactId>web</artifactId>"),
    **SOURCES,
}  # fmt: skip


def ahead(build: str, *files: str, left: str = "target", folder: str = "") -> Install:
    marks = ("mvn ", "mvnw ", "./mvnw ", "sh mvnw ", "sh ./mvnw ")
    commands = (build, f"rm -rf {left}")
    fills = ("/root/.m2/repository",)
    return Install(
        files or ("pom.xml",), ahead=Ahead(commands, folder, fills, marks, "fetches the dependencies", tuple(SOURCES))
    )


PROFILE = "<profiles><profile><id>all</id>{}<modules><module>more</module></modules></profile></profiles>"
MORE = {"more/pom.xml": pom(head=PARENT + "<artifactId>more</artifactId>")}


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("mvn package", project(), ahead("mvn package")),
        ("mvn -B -ntp clean install -DskipTests -T 1C", project(), ahead("mvn -B -ntp clean package -DskipTests -T 1C")),
        ("mvn verify -Dmaven.test.skip=true", project(), ahead("mvn package -Dmaven.test.skip=true")),
        ('mvn package -Drevision=$V "-Dchangelist=-$W"', project(), ahead('mvn package -Drevision=$V "-Dchangelist=-$W"')),
        ("mvn compile", project(), ahead("mvn compile")),
        ("MAVEN_OPTS=-Xmx1g mvn package", project(), ahead("MAVEN_OPTS=-Xmx1g mvn package")),
        ("mvn package", MODULES, ahead("mvn package", "pom.xml", "core/pom.xml", "apps/pom.xml", "apps/web.xml", left="target core/target apps/target")),
        ("mvn package -pl core -am", MODULES, ahead("mvn package -pl core -am", "pom.xml", "core/pom.xml", "apps/pom.xml", "apps/web.xml", left="target core/target apps/target")),
        ("cd core && mvn package", MODULES, ahead("mvn package", "core/pom.xml", "pom.xml", "apps/pom.xml", "apps/web.xml", left="target ../target ../apps/target", folder="core")),
        ("mvn -f core package", MODULES, ahead("mvn -f core package", "core/pom.xml", "pom.xml", "apps/pom.xml", "apps/web.xml", left="core/target target apps/target")),
        ("mvn package", project(PROFILE.format("")), ahead("mvn package")),
        ("mvn package -Pall,!other", project(PROFILE.format(""), **MORE), ahead("mvn package -Pall,!other", "pom.xml", "more/pom.xml", left="target more/target")),
        ("mvn package", project(PROFILE.format("<activation><activeByDefault>true</activeByDefault></activation>"), **MORE), ahead("mvn package", "pom.xml", "more/pom.xml", left="target more/target")),
        ("mvn -s ci/settings.xml package", project(**{"ci/settings.xml": "<settings/>"}), ahead("mvn -s ci/settings.xml package", "pom.xml", "ci/settings.xml")),
        ("mvn -s /etc/settings.xml package", project(), ahead("mvn -s /etc/settings.xml package")),
        ("mvn package", project(**{".mvn/maven.config": "-ntp\n-Drevision=2\n", ".mvn/jvm.config": "-Xmx1g"}), ahead("mvn package", "pom.xml", ".mvn/maven.config", ".mvn/jvm.config")),
        ("./mvnw package", project(**WRAPPED), ahead("sh ./mvnw package", "pom.xml", "mvnw", PROPERTIES)),
        ("./mvnw package", project(**WRAPPED, **{".mvn/wrapper/maven-wrapper.jar": ""}), ahead("sh ./mvnw package", "pom.xml", "mvnw", PROPERTIES, ".mvn/wrapper/maven-wrapper.jar")),
        ("mvn package", {"pom.xml": pom(plugin(BOOT_PLUGIN) + f"<dependencies>{STARTERS}</dependencies>", BOOT), **SOURCES}, ahead("mvn package -Dspring-boot.repackage.skip")),
        ("mvn package", project(plugin(f"{KOTLIN}<executions><execution><goals><goal>compile</goal><goal>test-compile</goal></goals></execution></executions>")), ahead("mvn package")),
        ("mvn package", project(plugin("<artifactId>exec-maven-plugin</artifactId>")), ahead("mvn package")),
        ("mvn package", project(plugin("<artifactId>maven-source-plugin</artifactId><executions/>")), ahead("mvn package")),
        ("mvn package", project(plugin("<artifactId>maven-shade-plugin</artifactId><executions/>")), ahead("mvn package", left="target dependency-reduced-pom.xml")),
        ("mvn package", project(plugin("<artifactId>maven-assembly-plugin</artifactId><executions><descriptorRef/></executions>")), ahead("mvn package")),
        ("mvn package", {"pom.xml": pom()}, Install(("pom.xml",))),
        ("mvn clean", project(), None),
        ("mvn --version", project(), None),
        ("mvn dependency:go-offline", project(), None),
    ],
)  # fmt: skip
def test_maven_builds_the_poms_ahead(
    ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object
) -> None:
    assert ask("maven", text, files) == expected


def dependency(inner: str) -> dict[str, str]:
    return project(f"<dependencies><dependency><artifactId>d</artifactId>{inner}</dependency></dependencies>")


def with_plugin(name: str, inner: str) -> dict[str, str]:
    return project(plugin(f"<artifactId>maven-{name}-plugin</artifactId>{inner}"))


@pytest.mark.parametrize(
    ("text", "files", "reason"),
    [
        ("mvn package", SOURCES, "pom.xml is not in the build context"),
        ("mvn package", project(**{".dockerignore": "pom.xml"}), "pom.xml is kept out of the build"),
        ("mvn package", SOURCES | {"pom.xml": "<project>"}, "pom.xml is not understood"),
        ("mvn package", SOURCES | {"pom.xml": "<!DOCTYPE x><project/>"}, "pom.xml is not understood"),
        ("mvn package", project(modules("core")), "core/pom.xml is not in the build context"),
        ("mvn package", project(modules("../core")), "outside of the copied files"),
        ("mvn package", SOURCES | {"pom.xml": pom(head=PARENT.replace("app", "acme"))}, "what the parent acme adds"),
        ("mvn package", project("<packaging>war</packaging>"), "packs a war"),
        ("mvn package", project("<build><directory>out</directory></build>"), "sets build/directory"),
        ("mvn package", dependency("<scope>system</scope>"), "the dependency d is a file"),
        ("mvn package", project("<dependencies><dependency><artifactId>app</artifactId><type>test-jar</type></dependency></dependencies>"), "more than the jar of a module"),
        ("mvn package", project("<repositories><repository><url>file://${project.basedir}/repo</url></repository></repositories>"), "takes packages from file:"),
        ("mvn package", project("<profiles><profile><activation><file><exists>x</exists></file></activation></profile></profiles>"), "hangs on a file"),
        ("mvn package", project("<properties><failIfNoTests>true</failIfNoTests></properties>"), "the property failIfNoTests"),
        ("mvn package", project("<build><extensions><extension><artifactId>e</artifactId></extension></extensions></build>"), "the extension e"),
        ("mvn package", with_plugin("antrun", "<executions/>"), "what maven-antrun-plugin reads"),
        ("mvn package", with_plugin("assembly", "<descriptor>a.xml</descriptor>"), "settings of maven-assembly-plugin"),
        ("mvn package", with_plugin("shade", "<file>a.txt</file>"), "settings of maven-shade-plugin"),
        ("mvn package", with_plugin("bundle", "<extensions>true</extensions>"), "what maven-bundle-plugin reads"),
        ("mvn package", with_plugin("enforcer", "<configuration><requireFilesExist/></configuration>"), "settings of maven-enforcer-plugin"),
        ("mvn package", with_plugin("dependency", "<configuration><outputDirectory>lib</outputDirectory></configuration>"), "writes to lib"),
        ("mvn package", {"pom.xml": pom(plugin("<artifactId>kotlin-maven-plugin</artifactId>"), BOOT), **SOURCES}, "kotlin-maven-plugin"),
        ("mvn package", project(plugin(BOOT_PLUGIN)), "not known to be 2 or later"),
        ("mvn package", project(plugin(BOOT_PLUGIN + "<version>3.1.0</version><executions><execution><goals><goal>process-aot</goal></goals></execution></executions>")), "more than pack"),
        ("mvn package", project(**{".mvn/extensions.xml": "<extensions/>"}), "the extensions in .mvn/extensions.xml"),
        ("mvn package", project(**{".mvn/maven.config": "-s x.xml"}), ".mvn/maven.config has the option -s"),
        ("mvn package", project(**{".mvn/jvm.config": "-javaagent:a.jar"}), ".mvn/jvm.config may name files"),
        ("mvn -s s.xml package", project(**{"s.xml": "<settings><url>file:///x</url></settings>"}), "s.xml may name files"),
        ("mvn -s s.xml package", project(), "s.xml is not in the build context"),
        ("./mvnw package", project(), "mvnw is not among the copied files"),
        ("./mvnw package", project(mvnw=SCRIPT), "maven-wrapper.properties is not in the build context"),
        ("./mvnw package", project(**WRAPPED | {"mvnw": "#!/bin/bash\n"}), "no script for /bin/sh"),
        ("./mvnw package", project(**WRAPPED | {PROPERTIES: "distributionUrl=file:///x.zip"}), "takes Maven from a file"),
        ("mvnw package", project(**WRAPPED), "where mvnw lies is not known"),
        ("mvn package assembly:single", project(), "the goal assembly:single"),
        ("mvn deploy package", project(), "the goal deploy"),
        ("mvn -o package", project(), "downloads nothing"),
        ("mvn package -Dtest=AppTest", project(), "the property test"),
        ("mvn package -Dmaven.repo.local=.m2", project(), "the property maven.repo.local"),
        ("mvn package -Drevision=$(cat v)", project(), "is not known"),
        ("mvn package -Dtest=$T", project(), "the property test"),
        ("mvn package --odd", project(), "--odd is not known"),
        ("V=$(cat v); mvn package", project(), "V is set for mvn by another command"),
        ("sudo mvn package", project(), "within another command"),
    ],
)  # fmt: skip
def test_maven_needs_more_than_the_poms(
    ask: Callable[..., object], text: str, files: Mapping[str, str], reason: str
) -> None:
    answer = ask("maven", text, files)

    assert isinstance(answer, Refusal)
    assert reason in answer.reason


def test_the_local_repository_stays(cache: Callable[..., Cache | None], cleans: Callable[[str, str], bool]) -> None:
    found = cache("maven", "mvn package", {"HOME": "/home/java"})

    assert found is not None
    assert (found.targets, bool(found.off)) == (("/home/java/.m2/repository",), True)
    assert cache("maven", "mvn --version") is None
    assert cleans("maven", "rm -rf ~/.m2")
    assert not cleans("maven", "rm -rf target")


SMALL = "<groupId>g</groupId><artifactId>app</artifactId><version>1</version>"
SHADED = plugin("<artifactId>maven-shade-plugin</artifactId><executions/>")


@pytest.mark.parametrize(
    ("text", "more", "pays"),
    [
        ("mvn package", "", False),
        ("mvn package", SHADED, False),
        ("mvn package", f"<dependencies>{STARTERS}</dependencies>", True),
        ("./mvnw package", "", True),
    ],
)
def test_a_build_that_downloads_little_is_not_started_twice(
    ask: Callable[..., Install | Refusal], text: str, more: str, *, pays: bool
) -> None:
    answer = ask("maven", text, {"pom.xml": pom(more, SMALL), **SOURCES, **WRAPPED})

    assert isinstance(answer, Install) is pays
    assert pays or "so few dependencies" in getattr(answer, "reason", "")
