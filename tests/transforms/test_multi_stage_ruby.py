"""What gems and their libraries a Ruby stage takes along, and what keeps it."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

START = 'CMD ["bundle", "exec", "puma"]'
TEXT = "FROM ruby:3.1\nWORKDIR /app\nCOPY . .\n{}\n{}\n"
INSTALL = "RUN bundle install"


def lock(*gems: str) -> str:
    return "GEM\n  remote: https://rubygems.org/\n  specs:\n" + "".join(f"    {gem} (1.0)\n" for gem in gems)


def run(text: str, files: dict[str, str] | None = None) -> Result:
    known = {"Gemfile": 'gem "puma"\n', "Gemfile.lock": lock("puma"), "app.rb": "puts 1\n"}
    return optimize(text, Context.of({**known, **(files or {})}), Plan(select=frozenset({"multi-stage"})))


def runtime(text: str, files: dict[str, str] | None = None) -> str:
    result = run(text, files)
    assert result.applied, result.declined
    return result.after.partition("\nFROM ")[2]


def reason(text: str, files: dict[str, str] | None = None) -> str:
    result = run(text, files)
    assert result.applied == ()
    return result.declined[0].reason


@pytest.mark.parametrize(
    ("gems", "packages"),
    [
        (("puma", "rails", "nokogiri"), ""),
        (("pg",), "libpq5"),
        (("mysql2", "sqlite3"), "libmariadb3 libsqlite3-0"),
        (("charlock_holmes",), "libicu72"),
        (("rmagick",), "imagemagick libmagickcore-6.q16-6-extra"),
        (("ruby-vips",), ""),  # which the full image has no library for
    ],
)
def test_libraries_of_the_locked_gems(gems: tuple[str, ...], packages: str) -> None:
    found = runtime(TEXT.format(INSTALL, START), {"Gemfile.lock": lock(*gems)})

    assert f"--no-install-recommends {packages} \\" in found if packages else "apt-get" not in found


def test_without_a_lock_file_the_gemfile_must_do() -> None:
    files = {"Gemfile": 'gem "pg", "~> 1"\n', "Gemfile.lock": ""}

    assert "libpq5" in runtime(TEXT.format(INSTALL, START), files)


@pytest.mark.parametrize(
    ("install", "copied"),
    [
        (INSTALL, ["/usr/local/bundle", "/app"]),
        ("ENV BUNDLE_PATH=/gems\nRUN bundle install", ["/gems", "/usr/local/bundle", "/app"]),
        ("RUN bundle install --path vendor/bundle", ["/usr/local/bundle", "/app"]),
        ("RUN bundle config --global jobs 4 && bundle install", ["/root/.bundle", "/usr/local/bundle", "/app"]),
        ("RUN gem install bundler -v 2.3.0 && bundle install", ["/usr/local/bundle", "/app"]),
        ("RUN bundle install && bundle exec rake assets:precompile", ["/usr/local/bundle", "/app"]),
        ("COPY Gemfile* /tmp/\nRUN cd /tmp && bundle install", ["/usr/local/bundle", "/app"]),
    ],
)
def test_where_gems_go(install: str, copied: list[str]) -> None:
    found = runtime(TEXT.format(install, START)).splitlines()

    copies = [line.rpartition(" ")[2] for line in found if "--from=build" in line]
    again = ["/app" for line in found if line == "COPY . ."]
    assert copies + again == copied


def test_nokogiri_on_libraries_of_the_system() -> None:
    install = "ENV NOKOGIRI_USE_SYSTEM_LIBRARIES=1\nRUN bundle install"

    assert "libxml2 libxslt1.1" in runtime(TEXT.format(install, START), {"Gemfile.lock": lock("nokogiri")})


def test_programs_that_sources_start_are_installed() -> None:
    assert "--no-install-recommends git \\" in runtime(TEXT.format(INSTALL, START), {"app.rb": "puts `git log`\n"})


@pytest.mark.parametrize(
    ("install", "start", "files", "why"),
    [
        (INSTALL, 'CMD ["sh", "-c", "bundle install && puma"]', {}, "installs gems, which takes a compiler"),
        (INSTALL, START, {"app.rb": "ffi_lib 'x'\n"}, "sources call ffi_lib"),
        (INSTALL, START, {"a.gemspec": "spec.files = `git ls-files`\n"}, "a.gemspec asks git for its files"),
        ("RUN gem update --system", START, {}, "what gem update of line 4 makes is not known"),
        ("RUN bundle install && bundle exec rake build:all", START, {}, "what rake build:all of line 4 makes"),
        ("RUN bundle install && bundle exec guard", START, {}, "what guard of line 4 makes is not known"),
        ("RUN true", START, {}, "no gem is installed"),
    ],
)
def test_what_keeps_the_stage(install: str, start: str, files: dict[str, str], why: str) -> None:
    assert why in reason(TEXT.format(install, start), files)


def test_archived_releases_get_no_packages() -> None:
    text = TEXT.format(INSTALL, START).replace("3.1", "2.5")

    assert "can no longer be installed on buster" in reason(text, {"Gemfile.lock": lock("pg")})
    assert "FROM ruby:2.5-slim" in run(text).after


def test_packages_of_one_release_need_a_tag_that_names_it() -> None:
    text = TEXT.format(INSTALL, START).replace("3.1", "3.4")
    files = {"Gemfile.lock": lock("charlock_holmes")}

    assert "ruby:3.4 may move to another release of Debian, which need not have libicu76" in reason(text, files)
    assert "libicu76" in runtime(text.replace("3.4", "3.4-trixie"), files)
    assert "libpq5" in runtime(text, {"Gemfile.lock": lock("pg")})


def test_a_second_pass_finds_nothing() -> None:
    once = run(TEXT.format(INSTALL, START)).after

    assert run(once).after == once
