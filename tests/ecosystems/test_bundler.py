# ruff: noqa: E501 - a row of a table is one line
from collections.abc import Callable, Mapping

import pytest

from optimizer.ecosystems import Cache, Install, Refusal

GEMFILE = """\
# frozen_string_literal: true
source "https://rubygems.org"

git_source(:github) { |repo| "https://github.com/#{repo}.git" }

ruby "3.3.0"

gem "rails", "~> 7.1", ">= 7.1.2"
gem "pg", '1.5.4', require: false
gem "money", github: "a/money", branch: "main"
group :development, :test do
  gem "rspec-rails", platforms: %i[ mri windows ]
end
"""
LOCK = """\
GIT
  remote: https://github.com/a/money.git
  revision: 1
  specs:
    money (1.0)

GEM
  remote: https://rubygems.org/
  specs:
    pg (1.5.4)

PLATFORMS
  ruby

DEPENDENCIES
  money!
  pg (= 1.5.4)
  rails (~> 7.1, >= 7.1.2)
  rspec-rails

RUBY VERSION
   ruby 3.3.0p0

BUNDLED WITH
   2.5.3
"""
RUBY = {"Gemfile": GEMFILE, "Gemfile.lock": LOCK, "app.rb": ""}
FILES = ("Gemfile", "Gemfile.lock")
OUTPUTS = ("vendor/bundle", ".bundle")
FROZEN = {"BUNDLE_DEPLOYMENT": "1"}


def gemfile(line: str) -> dict[str, str]:
    return RUBY | {"Gemfile": GEMFILE + line + "\n"}


def lock(old: str, new: str) -> dict[str, str]:
    assert old in LOCK
    return RUBY | {"Gemfile.lock": LOCK.replace(old, new)}


@pytest.mark.parametrize(
    ("text", "files", "env", "expected"),
    [
        ("bundle install", RUBY, {}, Install(FILES, OUTPUTS)),
        ("bundle", RUBY, {}, Install(FILES, OUTPUTS)),
        ("bundle --jobs=4", RUBY, {}, Install(FILES, OUTPUTS)),
        ("bundle _2.5.3_ install -j4 --retry 3", RUBY, {}, Install(FILES, OUTPUTS)),
        ("bundle install --without development test", RUBY, {}, Install(FILES, OUTPUTS)),
        ("cd lib && bundle install", RUBY | {"lib/x.rb": ""}, {}, Install(FILES, OUTPUTS)),
        ("bundle install", {"Gemfile": GEMFILE}, {}, Install(("Gemfile",), OUTPUTS)),
        ("bundle install", lock("  ruby\n", "  aarch64-linux\n  x86_64-linux\n"), {}, Install(FILES, OUTPUTS)),
        ("bundle install --path gems", RUBY, {}, Install(FILES, (*OUTPUTS, "gems"))),
        ("bundle install", RUBY, {"BUNDLE_PATH": "/usr/local/bundle"}, Install(FILES, OUTPUTS)),
        ("bundle install", RUBY | {"vendor/cache/pg-1.5.4.gem": ""}, {}, Install((*FILES, "vendor/cache"), OUTPUTS)),
        ("bundle install", RUBY | {".bundle/config": '---\nBUNDLE_WITHOUT: "test"\n'}, {}, Install((*FILES, ".bundle/config"), OUTPUTS[:1])),
        ("bundle install --gemfile=a/Gemfile", {f"a/{n}": t for n, t in RUBY.items()}, {}, Install(("a/Gemfile", "a/Gemfile.lock"), ("a/vendor/bundle", "a/.bundle"))),
        ("bundle install", {f"a/{n}": t for n, t in RUBY.items()}, {"BUNDLE_GEMFILE": "/app/a/Gemfile"}, Install(("a/Gemfile", "a/Gemfile.lock"), ("a/vendor/bundle", "a/.bundle"))),
        ("bundle install", RUBY | {"Gemfile": GEMFILE.replace('"3.3.0"', 'file: ".ruby-version"'), ".ruby-version": "3.3.0"}, {}, Install((*FILES, ".ruby-version"), OUTPUTS)),
        ("bundle install", RUBY | {"Gemfile": GEMFILE.replace('"3.3.0"', "File.read('.ruby-version').strip"), ".ruby-version": "3.3.0"}, {}, Install((*FILES, ".ruby-version"), OUTPUTS)),
        ("bundle install", gemfile('gem "wdm" if RUBY_PLATFORM =~ /mingw/'), FROZEN, Install(FILES, OUTPUTS)),
        ("bundle install --frozen", lock("BUNDLED WITH\n   2.5.3\n", ""), {}, Install(FILES, OUTPUTS)),
        ("bundle config set --local without 'development test'", RUBY, {}, Install(FILES, (".bundle",))),
        ("bundle config set path vendor/gems", RUBY, {}, Install(FILES, (".bundle", "vendor/gems"))),
        ("bundle config build.nokogiri --use-system-libraries", RUBY, {}, Install(FILES, (".bundle",))),
        ("bundle config --global frozen 1", {}, {}, Install(())),
        ("bundle config list", RUBY, {}, None),
        ("bundle exec rake", RUBY, {}, None),
        ("bundle update", RUBY, {}, None),
        ("cd /srv && bundle install", RUBY, {}, None),
    ],
)  # fmt: skip
def test_needs_the_gemfile(
    ask: Callable[..., object], text: str, files: Mapping[str, str], env: Mapping[str, str], expected: object
) -> None:
    assert ask("bundler", text, files, env=env) == expected


@pytest.mark.parametrize(
    ("text", "files", "env", "because"),
    [
        ("bundle install", {"app.rb": ""}, {}, "the project has no Gemfile"),
        ("bundle install", RUBY | {"gems.rb": ""}, {}, "the project has no Gemfile"),
        ("bundle install", gemfile("gemspec"), {}, "the gemspec of the project reads its sources"),
        ("bundle install", gemfile('gem "x", path: "x"'), {}, "a folder of the project"),
        ("bundle install", gemfile('gem "x", :path => "x"'), {}, "a folder of the project"),
        ("bundle install", gemfile('path "engines" do\nend'), {}, "a folder of the project"),
        ("bundle install", gemfile('plugin "x"'), {}, "asks for a plugin"),
        ("bundle install", gemfile('gem "x", git: "../x"'), {}, "names ../x"),
        ("bundle install", gemfile('eval_gemfile "other"'), {}, "what eval_gemfile reads is not known"),
        ("bundle install", gemfile('require_relative "lib/version"'), {}, "what require_relative reads is not known"),
        ("bundle install", gemfile('gem "x" if File.exist?("x")'), {}, "what File reads is not known"),
        ("bundle install", gemfile('gem "x", "#{IO.read(1)}"'), {}, "a text that is put together"),
        ("bundle install", gemfile("gem `cat x`"), {}, "not understood"),
        ("bundle install", gemfile('gem "x", <<~X'), {}, "not understood at '<<~X'"),
        ("bundle install", RUBY | {"Gemfile": GEMFILE.replace('"3.3.0"', 'file: ".ruby-version"')}, {}, ".ruby-version is not in the build context"),
        ("bundle install", RUBY | {"Gemfile.lock": "PATH\n  remote: x\n\n" + LOCK}, FROZEN, "a gem that is a folder"),
        ("bundle install", gemfile('gem "x"'), {}, "may write Gemfile.lock anew"),
        ("bundle install", gemfile('gem "wdm" if RUBY_PLATFORM =~ /mingw/'), {}, "the Gemfile has conditions"),
        ("bundle install", gemfile('gem "x", [">= 1", "< 2"]'), {}, "the Gemfile has conditions"),
        ("bundle install", lock("~> 7.1, ", ""), {}, "may write Gemfile.lock anew"),
        ("bundle install", lock("rubygems.org", "gems.org"), {}, "may write Gemfile.lock anew"),
        ("bundle install", lock("RUBY VERSION\n   ruby 3.3.0p0\n", ""), {}, "may write Gemfile.lock anew"),
        ("bundle install", lock("2.5.3", "1.17.3"), {}, "may write Gemfile.lock anew"),
        ("bundle install", lock("BUNDLED", "CHECKSUMS\n  pg (1.5.4)\n\nBUNDLED"), {}, "may write Gemfile.lock anew"),
        ("bundle install", lock("  ruby\n", "  arm64-darwin-23\n"), {}, "may add its platform to Gemfile.lock"),
        ("bundle install --binstubs=bin", RUBY, {}, "--binstubs writes programs"),
        ("bundle install --standalone=default", RUBY, {}, "--standalone writes programs"),
        ("bundle install $FLAGS", RUBY, {}, "not known before the command runs"),
        ("bundle install --new-flag", RUBY, {}, "the option --new-flag is not known"),
        ("bundle --quiet exec rake", RUBY, {}, "what bundle exec reads is not known"),
        ("cd $X && bundle install", RUBY, {}, "the directory of the install is not known"),
        ("bundle install --gemfile=/srv/Gemfile", RUBY, {}, "outside of the copied files"),
        ("bundle install", RUBY, {"BUNDLE_GEMFILE": None}, "which Gemfile is read is not known"),
        ("bundle install", RUBY, {"BUNDLE_LOCAL__MONEY": "/app/money"}, "BUNDLE_LOCAL__MONEY may name"),
        ("bundle install", RUBY, {"BUNDLE_BIN": "bin"}, "BUNDLE_BIN may name"),
        ("bundle install", RUBY, {"BUNDLE_APP_CONFIG": "/app/.b"}, "BUNDLE_APP_CONFIG may name"),
        ("bundle install", RUBY, {"RUBYOPT": "-r./x"}, "RUBYOPT may name"),
        ("bundle install", RUBY, {"BUNDLE_PATH": None}, "where the gems are installed is not known"),
        ("bundle install --path .", RUBY, {}, "into the root of the project"),
        ("bundle install --without test", RUBY | {".bundle/config": "---\n"}, {}, "would change .bundle/config"),
        ("bundle install", RUBY | {".bundle/config": '---\nBUNDLE_LOCAL__X: "../x"\n'}, {}, "BUNDLE_LOCAL__X in .bundle/config"),
        ("bundle config set jobs 4", RUBY | {".bundle/config": "---\n"}, {}, "bundle config changes .bundle/config"),
        ("bundle config set local.money ./money", RUBY, {}, "the setting local.money"),
        ("bundle config build.x --with-x=./x", RUBY, {}, "names a place in the project"),
        ("bundle config set bin bin", RUBY, {}, "the setting bin leads to is not known"),
    ],
)  # fmt: skip
def test_says_why_gems_need_the_sources(
    ask: Callable[..., object], text: str, files: Mapping[str, str], env: Mapping[str, str | None], because: str
) -> None:
    answer = ask("bundler", text, files, env=env)

    assert isinstance(answer, Refusal)
    assert because in answer.reason


@pytest.mark.parametrize(
    ("text", "env", "cleanup", "off"),
    [
        ("bundle install", {}, "rm -rf ~/.bundle/cache", None),
        ("bundle -j4", {}, "rm -rf ~/.bundle/cache", None),
        ("bundle install", {"BUNDLE_USER_HOME": "/b"}, "rm -rf ~/.bundle/cache", "BUNDLE_USER_HOME puts the cache elsewhere"),
    ],
)  # fmt: skip
def test_the_index_of_gems_is_a_cache(
    cache: Callable[..., Cache | None], text: str, env: Mapping[str, str], cleanup: str, off: str | None
) -> None:
    found = cache("bundler", text, env)

    assert found is not None
    assert (found.cleanup, found.off) == ((cleanup,), off)


def test_knows_what_removes_the_index(cleans: Callable[[str, str], bool], cache: Callable[..., Cache | None]) -> None:
    assert cleans("bundler", "rm -rf ~/.bundle/ /usr/local/bundle/cache")
    assert not cleans("bundler", "rm -rf vendor")
    assert cache("bundler", "bundle exec rake") is None
