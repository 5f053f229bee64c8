"""Which programs of .NET go to the image of the runtime, and what keeps the SDK."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PROJECT = '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net8.0</TargetFramework></Project>'
WEB = "var app = WebApplication.CreateBuilder(args).Build();\n"
SDK = "mcr.microsoft.com/dotnet/sdk"
TEXT = "FROM mcr.microsoft.com/dotnet/sdk:8.0\nWORKDIR /src\nCOPY . .\n{}\nWORKDIR /app\n{}\n"
PUBLISH = "RUN dotnet publish -c Release -o /app"
START = 'ENTRYPOINT ["dotnet", "Shop.dll"]'


def run(text: str, source: str = WEB) -> Result:
    context = Context.of({"Shop.csproj": PROJECT, "Program.cs": source, "appsettings.json": "{}"})
    return optimize(text, context, Plan(select=frozenset({"multi-stage"})))


def runtime(text: str, source: str = WEB) -> list[str]:
    result = run(text, source)
    assert result.applied, result.declined
    return result.after.partition("\nFROM ")[2].splitlines()


@pytest.mark.parametrize(
    ("sdk", "base"),
    [
        ("8.0", "8.0"),
        ("8.0-jammy", "8.0-jammy"),
        ("9.0-bookworm-slim", "9.0-bookworm-slim"),
        ("8.0.100", "8.0-bookworm-slim"),
        ("6.0.400-jammy", "6.0-jammy"),
        ("10.0", "10.0"),
    ],
)
def test_the_runtime_of_the_same_release(sdk: str, base: str) -> None:
    found = runtime(TEXT.format(PUBLISH, START).replace(":8.0", f":{sdk}"))

    assert found[0] == f"mcr.microsoft.com/dotnet/aspnet:{base}"


@pytest.mark.parametrize(
    ("sdk", "env", "line"),
    [
        ("8.0", "", "ENV ASPNETCORE_HTTP_PORTS="),
        ("7.0", "", "ENV ASPNETCORE_URLS="),
        ("8.0", "ENV ASPNETCORE_URLS=http://+:80\n", None),
    ],
)
def test_the_port_stays_the_one_of_the_sdk(sdk: str, env: str, line: str | None) -> None:
    found = runtime(TEXT.format(f"{env}{PUBLISH}", START).replace(":8.0", f":{sdk}"))

    assert [one for one in found if one.startswith("ENV ASPNETCORE") and one.endswith("=")] == ([line] if line else [])


def test_a_program_without_a_server_has_no_port() -> None:
    assert not any("ASPNETCORE" in line for line in runtime(TEXT.format(PUBLISH, START), "Console.WriteLine(1);\n"))


@pytest.mark.parametrize(
    ("build", "start", "copied"),
    [
        (PUBLISH, START, ["/app"]),
        ("RUN dotnet publish --output=/app", 'CMD ["/app/Shop"]', ["/app"]),
        ("RUN dotnet build -c Release", 'CMD ["dotnet", "/src/bin/Release/net8.0/Shop.dll"]', ["/src"]),
        ("RUN dotnet publish -o out", 'CMD ["dotnet", "/src/out/Shop.dll"]', ["/src"]),
        (PUBLISH, 'ENV SOURCES=/src\nENTRYPOINT ["dotnet", "Shop.dll"]', ["/app", "/src"]),
    ],
)
def test_the_folder_of_the_program_is_copied(build: str, start: str, copied: list[str]) -> None:
    found = runtime(TEXT.format(build, start))

    assert [line.rpartition(" ")[2] for line in found if line.startswith("COPY --from")] == copied


@pytest.mark.parametrize(
    ("build", "start", "why"),
    [
        (PUBLISH, 'CMD ["dotnet", "run"]', "dotnet run is started, which works on the sources"),
        (PUBLISH, "CMD dotnet ef database update && dotnet Shop.dll", "dotnet ef is started"),
        (
            "RUN dotnet build",
            'CMD ["dotnet", "/src/bin/Release/net8.0/Shop.dll"]',
            "what makes /src/bin/Release/net8.0",
        ),
        (
            "RUN dotnet build -c Release",
            'CMD ["dotnet", "/src/bin/Release/net9.0/S.dll"]',
            "what makes /src/bin/Release",
        ),
        ("RUN dotnet tool install --global x", START, "what dotnet tool of line 4 makes is not known"),
        ("RUN dotnet publish -o $OUT", START, "where the dotnet publish of line 4 puts its files is not known"),
    ],
)
def test_what_keeps_the_stage(build: str, start: str, why: str) -> None:
    result = run(TEXT.format(build, start))

    assert result.applied == ()
    assert why in result.declined[0].reason


@pytest.mark.parametrize("tag", ["3.1", "8.0-alpine", "99.0"])
def test_without_a_known_runtime_nothing_changes(tag: str) -> None:
    assert run(TEXT.format(PUBLISH, START).replace(":8.0", f":{tag}")).applied == ()


def test_programs_that_the_code_starts_are_installed() -> None:
    source = 'Process.Start("git", "clone x");\n'

    assert any(" git " in f"{line} " for line in runtime(TEXT.format(PUBLISH, START), source))


def test_a_second_pass_finds_nothing() -> None:
    once = run(TEXT.format(PUBLISH, START)).after

    assert run(once).after == once
