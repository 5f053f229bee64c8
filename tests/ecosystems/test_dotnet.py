# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Ahead, Cache, Install, Refusal

SDK = '<Project Sdk="Microsoft.NET.Sdk.Web">\n  <PropertyGroup>\n    <TargetFramework>net8.0</TargetFramework>\n  </PropertyGroup>\n{}</Project>\n'
PACKAGE = '  <ItemGroup>\n    <PackageReference Include="Serilog" Version="4.0.0" />\n  </ItemGroup>\n'
REFERENCE = '  <ItemGroup>\n    <ProjectReference Include="..\\Core\\Core.csproj" />\n  </ItemGroup>\n'
SLN = """\
Microsoft Visual Studio Solution File, Format Version 12.00
Project("{2150E333-8FDC-42A3-9474-1A3956D46DE8}") = "src", "src", "{1}"
EndProject
Project("{9A19103F-16F7-4668-BE54-9A1E7A4F7556}") = "Web", "Web\\Web.csproj", "{2}"
EndProject
"""
ONE = {"Web.csproj": SDK.format(PACKAGE), "Program.cs": ""}
TWO = {
    "Shop.sln": SLN,
    "Web/Web.csproj": SDK.format(REFERENCE),
    "Core/Core.csproj": SDK.format(PACKAGE),
    "Web/Program.cs": "",
}
FILES = ("Shop.sln", "Web/Web.csproj", "Core/Core.csproj")
OUTPUTS = ("Web/obj", "Core/obj")


def ahead(
    command: str = "dotnet restore",
    files: tuple[str, ...] = ("Web.csproj",),
    outputs: tuple[str, ...] = ("obj",),
    folder: str = "",
) -> Install:
    does = Ahead((command,), folder, ("/root/.nuget/packages",), ("dotnet restore",), "restores the packages")
    return Install(files, outputs, ahead=does)


def web(inner: str) -> dict[str, str]:
    return {"Web.csproj": SDK.format(inner)}


def config(line: str) -> dict[str, str]:
    return ONE | {"NuGet.config": f"<configuration><packageSources>{line}</packageSources></configuration>"}


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("dotnet restore", ONE, Install(("Web.csproj",), ("obj",))),
        ("dotnet restore Shop.sln", TWO, Install(FILES, OUTPUTS)),
        ("dotnet restore Web", TWO, Install(FILES[1:], OUTPUTS)),
        ("dotnet restore ./Web/Web.csproj -r linux-musl-x64 --locked-mode", TWO, Install(FILES[1:], OUTPUTS)),
        ("dotnet restore", {"Shop.slnx": '<Solution><Project Path="Web/Web.csproj" /></Solution>', "Web/Web.csproj": SDK.format("")}, Install(("Shop.slnx", "Web/Web.csproj"), ("Web/obj",))),
        ("dotnet restore", ONE | {"packages.lock.json": "{}"}, Install(("Web.csproj", "packages.lock.json"), ("obj",), rewrites=("packages.lock.json",))),
        ("dotnet restore", config('<clear /><add key="own" value="https://a.org/v3/index.json" />'), Install(("Web.csproj", "NuGet.config"), ("obj",))),
        ("dotnet restore", ONE | {"global.json": "{}"}, Install(("Web.csproj", "global.json"), ("obj",))),
        ("dotnet restore Web", TWO | {"Directory.Build.props": SDK, "Directory.Packages.props": "<Project />", "Core/Directory.Build.props": "<Project />"}, Install((*FILES[1:], "Directory.Build.props", "Directory.Packages.props", "Core/Directory.Build.props"), OUTPUTS)),
        ("dotnet restore", web('<Import Project="build\\a.props" />') | {"build/a.props": '<Project><Import Project="$(MSBuildThisFileDirectory)b.props" /></Project>', "build/b.props": "<Project />"}, Install(("Web.csproj", "build/a.props", "build/b.props"), ("obj",))),
        ("dotnet restore", web("<!-- Exists('x') -->"), Install(("Web.csproj",), ("obj",))),
        ("dotnet build", ONE, ahead()),
        ("dotnet publish -c Release -o /out", ONE, ahead()),
        ("dotnet publish Web -c Release -r linux-x64 -p:UseAppHost=false", TWO, ahead("dotnet restore Web -r linux-x64 -p:UseAppHost=false", FILES[1:], OUTPUTS)),
        ("dotnet publish -c Release", web("<A Condition=\"'$(Configuration)' == 'Release'\" />"), ahead("dotnet restore -p:Configuration=Release")),
        ("cd Web && dotnet publish /p:UseAppHost=false", TWO, ahead("dotnet restore -p:UseAppHost=false", FILES[1:], OUTPUTS, "Web")),
        ("DOTNET_NOLOGO=1 dotnet build", ONE, ahead("DOTNET_NOLOGO=1 dotnet restore")),
        ("dotnet publish --no-restore", ONE, None),
        ("dotnet tool install -g dotnet-ef", config('<add key="own" value="https://a.org/" />'), Install(("NuGet.config",))),
        ("dotnet test", ONE, None),
        ("dotnet --info", ONE, None),
        ("cd /srv && dotnet restore", ONE, None),
    ],
)  # fmt: skip
def test_packages_are_restored_ahead(
    ask: Callable[..., object], text: str, files: Mapping[str, str], expected: object
) -> None:
    assert ask("dotnet", text, files) == expected


@pytest.mark.parametrize(
    ("text", "files", "env", "because"),
    [
        ("dotnet restore", {"a.cs": ""}, {}, "holds no solutions and projects"),
        ("dotnet restore", ONE | {"Other.sln": ""}, {}, "holds 2 solutions and projects"),
        ("dotnet restore Shop.sln", {"Shop.sln": SLN}, {}, "Web/Web.csproj is not in the build context"),
        ("dotnet restore Shop.sln", TWO | {"Shop.sln": SLN.replace("csproj", "dcproj")}, {}, "which is no project of the build context"),
        ("dotnet restore", {"Web.csproj": "<Project><Import Project='a' /></Project>"}, {}, "no project of the usual kind"),
        ("dotnet restore", web('<ProjectReference Include="..\\*\\*.csproj" />'), {}, "names projects by a pattern"),
        ("dotnet restore", web('<ProjectReference Include="$(Root)\\a.csproj" />'), {}, "names projects by a pattern"),
        ("dotnet restore", web('<ProjectReference Include="..\\a.csproj" />'), {}, "which is no project of the build context"),
        ("dotnet restore", web('<Import Project="$(Root)a.props" />'), {}, "Web.csproj imports $(Root)a.props"),
        ("dotnet restore", web('<Import Project="a.props" />'), {}, "a.props is not in the build context"),
        ("dotnet restore", web("<A Condition=\"Exists('a')\" />"), {}, "may read or write other files (Exists"),
        ("dotnet restore", web("<V>$([System.IO.File]::ReadAllText('v'))</V>"), {}, "may read or write other files"),
        ("dotnet restore", web("<RestoreSources>./packages</RestoreSources>"), {}, "other files (RestoreSources)"),
        ("dotnet restore", web("<BaseIntermediateOutputPath>../o</BaseIntermediateOutputPath>"), {}, "other files (BaseIntermediateOutputPath)"),
        ("dotnet restore", web('<Target Name="A" BeforeTargets="Restore" />'), {}, "adds to the restore"),
        ("dotnet restore", ONE | {"Directory.Build.props": "<Project>$([MSBuild]::GetPathOfFileAbove('a'))</Project>"}, {}, "may read or write other files (FileAbove)"),
        ("dotnet restore", ONE | {"Directory.Build.props": '<Project><ProjectReference Include="a.csproj" /></Project>'}, {}, "Directory.Build.props refers to projects"),
        ("dotnet restore", ONE | {"Directory.Build.rsp": ""}, {}, "changes how MSBuild is called"),
        ("dotnet restore", config('<add key="own" value="./packages" />'), {}, "takes packages from, or puts them into, ./packages"),
        ("dotnet restore", config('<add value="packages" key="globalPackagesFolder" />'), {}, "puts them into, packages"),
        ("dotnet restore -s packages", ONE, {}, "the option -s may name a place"),
        ("dotnet restore --packages x", ONE, {}, "the option --packages is not known"),
        ("dotnet restore -p:RestoreSources=x", ONE, {}, "a property of the command changes what is restored"),
        ("dotnet restore $PROJECT", ONE, {}, "not known before the command runs"),
        ("dotnet restore Program.cs", ONE, {}, "is no solution and no project"),
        ("dotnet restore", ONE, {"NUGET_PACKAGES": "/app/packages"}, "NUGET_PACKAGES may name a place"),
        ("dotnet restore", ONE, {"RestoreSources": "x"}, "RestoreSources changes what is restored"),
        ("dotnet publish -r linux-x64 --self-contained true", ONE, {}, "the option --self-contained is not known"),
        ("dotnet publish -r $RID", ONE, {"RID": None}, "not known before"),
        ('dotnet publish -p:Version="$VERSION"', ONE, {}, "is not known"),
        ("sudo dotnet build", ONE, {}, "runs within another command"),
    ],
)  # fmt: skip
def test_says_why_packages_are_not_restored_ahead(
    ask: Callable[..., object], text: str, files: Mapping[str, str], env: Mapping[str, str | None], because: str
) -> None:
    answer = ask("dotnet", text, files, env=env)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


def test_keeps_the_packages(cache: Callable[..., Cache | None], cleans: Callable[[str, str], bool]) -> None:
    found = cache("dotnet", "dotnet restore", {"NUGET_PACKAGES": "/p"})

    assert found is not None
    assert found.targets == ("/p",)
    assert "leave them behind in a build stage" in (found.off or "")
    assert cleans("dotnet", "dotnet nuget locals all --clear")
    assert not cleans("dotnet", "dotnet nuget locals all --list")
    assert cache("dotnet", "dotnet build") is None
