"""What of a Java build runs, and what keeps its stage."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

POM = (
    "<project><artifactId>app</artifactId><version>1.0</version>"
    "<properties><revision>2</revision></properties>{}</project>"
)
FILES = {"pom.xml": POM.format(""), "src/main/java/App.java": "class App {}"}
MAVEN = "FROM maven:3-eclipse-temurin-17\nWORKDIR /app\nCOPY . .\n{}\n{}\n"
BUILT = "RUN mvn -B package"
JAR = 'CMD ["java", "-jar", "target/app-1.0.jar"]'


def run(text: str, files: dict[str, str] | None = None) -> Result:
    return optimize(text, Context.of({**FILES, **(files or {})}), Plan(select=frozenset({"multi-stage"})))


def copies(text: str, files: dict[str, str] | None = None) -> list[str]:
    result = run(text, files)
    assert result.applied, result.declined
    return [line.rpartition(" ")[2] for line in result.after.splitlines() if "--from=build" in line]


def reason(text: str, files: dict[str, str] | None = None) -> str:
    result = run(text, files)
    assert result.applied == ()
    return result.declined[0].reason


@pytest.mark.parametrize(
    ("base", "small"),
    [
        ("maven:3-eclipse-temurin-17", "eclipse-temurin:17-jre-noble"),
        ("maven:3.8.6-eclipse-temurin-17", "eclipse-temurin:17-jre-jammy"),
        ("maven:3.9.6-eclipse-temurin-21", "eclipse-temurin:21-jre-jammy"),
        ("maven:3-jdk-11", "openjdk:11-jre"),
        ("eclipse-temurin:21-jdk-jammy", "eclipse-temurin:21-jre-jammy"),
        ("gradle:7.4.2-jdk17", "eclipse-temurin:17-jre-jammy"),
    ],
)
def test_the_jre_stands_on_the_same_release(base: str, small: str) -> None:
    result = run(f"FROM {base}\nWORKDIR /app\nCOPY . .\n{BUILT}\n{JAR}\n")

    assert [line for line in result.after.splitlines() if line.startswith("FROM")][1:] == [f"FROM {small}"]
    assert result.saved_bytes > 50_000_000


@pytest.mark.parametrize(
    ("start", "copied"),
    [
        (JAR, ["/app/target/app-1.0.jar"]),
        ('ENTRYPOINT ["java", "-jar", "/app/target/app-1.0.jar"]', ["/app/target/app-1.0.jar"]),
        ("ENV HOME_OF=/app\nCMD java $JAVA_OPTS -jar ${HOME_OF}/target/app-1.0.jar", ["/app/target/app-1.0.jar"]),
        ("CMD java -jar target/*.jar", ["/app/target"]),
        ('CMD ["java", "-jar", "target/app-1.0-shaded.jar"]', ["/app/target"]),
        ('CMD ["java", "-cp", "target/classes:target/lib/*", "App"]', ["/app/target"]),
        ('CMD ["java", "-jar", "target/quarkus-app/run.jar"]', ["/app/target/quarkus-app"]),
    ],
)
def test_what_is_started_is_copied(start: str, copied: list[str]) -> None:
    assert copies(MAVEN.format(BUILT, start)) == copied


@pytest.mark.parametrize(
    ("pom", "copied"),
    [
        (POM.format("<build><finalName>shop</finalName></build>"), "/app/target/shop.jar"),
        (POM.format("<build><finalName>shop-${revision}</finalName></build>"), "/app/target/shop-2.jar"),
        (POM.format("<build><finalName>shop-${git.id}</finalName></build>"), "/app/target"),
        (POM.format("<build><addClasspath>true</addClasspath><finalName>shop</finalName></build>"), "/app/target"),
        (
            "<project><artifactId>shop</artifactId><parent><version>3</version></parent></project>",
            "/app/target/shop-3.jar",
        ),
    ],
)
def test_the_pom_names_the_jar(pom: str, copied: str) -> None:
    name = copied.rpartition("/")[2] if copied.endswith(".jar") else "shop.jar"

    assert copies(MAVEN.format(BUILT, f'CMD ["java", "-jar", "target/{name}"]'), {"pom.xml": pom}) == [copied]


def test_files_beside_the_sources_come_along_by_folder_and_all_where_they_lie_among_them() -> None:
    text = MAVEN.format(BUILT, JAR)

    assert copies(text, {"config/app.yml": "", "README.md": ""}) == ["/app/target/app-1.0.jar", "/app/config"]
    assert copies(text, {"banner.txt": ""}) == ["/app"]


def test_sources_that_the_program_speaks_of_stay() -> None:
    source = 'class App { String template = "src/main/resources/mail.html"; }'

    assert copies(MAVEN.format(BUILT, JAR), {"src/main/java/App.java": source}) == ["/app"]


@pytest.mark.parametrize(
    ("build", "start", "copied"),
    [
        ("RUN gradle bootJar", "CMD java -jar build/libs/*.jar", ["/app/build/libs"]),
        ("RUN ./gradlew shadowJar", 'CMD ["java", "-jar", "build/libs/app-all.jar"]', ["/app/build/libs"]),
        ("RUN ./gradlew :web:installDist", 'CMD ["web/build/install/web/bin/web"]', ["/app/web/build/install/web"]),
        ("RUN chmod +x gradlew && sh ./gradlew bootJar", "CMD java -jar build/libs/*.jar", ["/app/build/libs"]),
        ("RUN gradle build && cp build/libs/app.jar /app.jar", 'CMD ["java", "-jar", "/app.jar"]', ["/app.jar"]),
    ],
)
def test_what_gradle_makes(build: str, start: str, copied: list[str]) -> None:
    text = f"FROM gradle:8-jdk17\nWORKDIR /app\nCOPY . .\n{build}\n{start}\n"

    assert copies(text, {"build.gradle": "", "gradlew": "#!/bin/sh\n"}) == copied


@pytest.mark.parametrize(
    ("build", "start", "why"),
    [
        ("RUN mvn compile", 'CMD ["mvn", "exec:java"]', "starts mvn, which builds from the sources"),
        ("RUN mvn exec:java", JAR, "what mvn exec:java of line 4 makes is not known"),
        ("RUN mvn package -DoutputDirectory=/x", JAR, "what mvn package of line 4 makes is not known"),
        (BUILT, "CMD java -jar $JAR", "which jar is started is a matter of a variable"),
        (
            BUILT,
            'CMD ["sh", "-c", "jcmd 1 VM.flags; java -jar target/app-1.0.jar"]',
            "starts jcmd, which needs the JDK",
        ),
        (BUILT, 'ENV X="--add-modules jdk.attach"\n' + JAR, "speaks of jdk.attach"),
        (
            "RUN gradle build",
            'CMD ["java", "-jar", "build/install/a/lib/a.jar"]',
            "whether the build makes build/install",
        ),
        (BUILT, 'CMD ["java", "-jar", "/root/.m2/repository/a.jar"]', "starts from the cache of its build"),
        (BUILT, 'CMD ["java", "-jar", "deploy/app.jar"]', "what makes deploy/app.jar is not known"),
        (BUILT, 'CMD ["java", "-jar", "/opt/app.jar"]', "what makes /opt/app.jar is not known"),
        (BUILT, 'CMD ["java", "-cp", "/opt/lib/*", "App"]', "what makes /opt/lib/* is not known"),
        (BUILT, 'CMD ["dist/bin/app"]', "starts dist/bin/app, and what makes it is not known"),
        (BUILT, f"USER gradle\n{JAR}", "the user of line 5 is one of the image"),
    ],
)
def test_what_keeps_the_stage(build: str, start: str, why: str) -> None:
    assert why in reason(MAVEN.format(build, start))


def test_a_program_that_compiles_keeps_the_stage() -> None:
    files = {"src/main/java/App.java": "import javax.tools.JavaCompiler; class App {}"}

    assert "speaks of javax.tools" in reason(MAVEN.format(BUILT, JAR), files)


@pytest.mark.parametrize("base", ["maven:3-amazoncorretto-17", "openjdk:17-jdk", "gradle:8.7.0-jdk-21-and-22"])
def test_without_a_jre_the_stage_stays(base: str) -> None:
    assert "no JRE is known" in reason(f"FROM {base}\nWORKDIR /app\nCOPY . .\n{BUILT}\n{JAR}\n")


@pytest.mark.parametrize("base", ["maven", "maven:3", "gradle:8"])
def test_a_tag_without_the_version_of_java_keeps_the_stage(base: str) -> None:
    why = reason(f"FROM {base}\nWORKDIR /app\nCOPY . .\n{BUILT}\n{JAR}\n")

    assert "may move to another version of Java than that of eclipse-temurin:" in why


def test_packages_that_only_build_stay_behind() -> None:
    text = f"FROM openjdk:11\nRUN apt-get install -y maven tini\nWORKDIR /app\nCOPY . .\n{BUILT}\n{JAR}\n"
    after = run(text).after.partition("FROM openjdk:11-jre")[2]

    assert "tini" in after
    assert "maven" not in after


def test_a_second_pass_finds_nothing() -> None:
    once = run(MAVEN.format(BUILT, JAR)).after

    assert run(once).after == once


def test_a_jre_is_small_already() -> None:
    result = run(f"FROM eclipse-temurin:17-jre\nCOPY app.jar /\n{BUILT}\n{JAR}\n")

    assert (result.applied, result.declined) == ((), ())
