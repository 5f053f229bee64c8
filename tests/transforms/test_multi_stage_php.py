"""Which packages of a PHP build stay behind, and what keeps its stage."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

LARGE = "RUN apt-get update && apt-get install -y --no-install-recommends libmagickwand-dev git\n"
TEXT = f"FROM php:8.2-apache-bookworm\nWORKDIR /var/www/html\n{LARGE}{{}}\nCOPY . .\n{{}}\n"
EXTENSIONS = ["/usr/local/lib/php", "/usr/local/etc/php/conf.d"]


def run(text: str) -> Result:
    files = {"composer.json": "{}", "composer.lock": "{}", "artisan": "#!/usr/bin/env php\n", "index.php": "<?php\n"}
    return optimize(text, Context.of(files), Plan(select=frozenset({"multi-stage"})))


def copies(text: str) -> list[str]:
    result = run(text)
    assert result.applied, result.declined
    return [line.rpartition(" ")[2] for line in result.after.splitlines() if line.startswith("COPY --from=build")]


@pytest.mark.parametrize(
    ("build", "copied"),
    [
        ("RUN docker-php-ext-install intl", EXTENSIONS),
        ("RUN pecl install imagick && docker-php-ext-enable imagick", EXTENSIONS),
        ("RUN docker-php-ext-configure gd --with-jpeg", []),
        ("RUN curl -sS https://getcomposer.org/installer | php -- --install-dir=/usr/bin --filename=composer",
         ["/usr/bin/composer"]),
        ("COPY --from=composer:2 /usr/bin/composer /usr/bin/composer", ["/usr/bin/composer"]),
    ],
)  # fmt: skip
def test_what_extensions_and_composer_leave(build: str, copied: list[str]) -> None:
    assert copies(TEXT.format(build, "")) == [*copied, "/var/www/html"]


@pytest.mark.parametrize(
    "build", ["RUN composer install --no-dev", "RUN php artisan config:cache", "RUN composer dump-autoload -o"]
)
def test_the_project_is_taken_as_it_was_left(build: str) -> None:
    assert copies(TEXT.format("", build)) == ["/var/www/html"]


def test_libraries_take_the_place_of_development_packages() -> None:
    after = run(TEXT.format("RUN git describe", "")).after.rpartition("FROM ")[2]

    assert after.startswith("php:8.2-apache-bookworm\n")
    assert "libmagickcore-6.q16-6-extra" in after
    assert "-dev" not in after
    assert "git" not in after


def test_what_the_image_starts_by_itself_is_enough() -> None:
    cli = TEXT.format("", "").replace("-apache", "-cli")

    assert run(TEXT.format("", "")).applied
    assert "no CMD or ENTRYPOINT" in run(cli).declined[0].reason


@pytest.mark.parametrize(
    ("build", "then", "why"),
    [
        ("RUN install-php-extensions gd", "", "what install-php-extensions of line 4 makes is not known"),
        ("RUN pecl run-tests", "", "what pecl run-tests of line 4 makes is not known"),
        ("", "RUN php artisan migrate", "what php artisan of line 6 makes"),
        ("", "RUN php build.php", "what php build.php of line 6 makes is not known"),
        ("", 'CMD ["composer", "start"]', "starts composer, which needs what the build installs"),
    ],
)
def test_what_keeps_the_stage(build: str, then: str, why: str) -> None:
    result = run(TEXT.format(build, then))

    assert result.applied == ()
    assert why in result.declined[0].reason


@pytest.mark.parametrize(
    ("build", "line"),
    [
        ("RUN sed -ri -e 's!html!web!g' /etc/apache2/sites-available/*.conf",
         "RUN sed -ri -e 's!html!web!g' /etc/apache2/sites-available/*.conf"),
        ("RUN sed -Ei 's/80/8080/' /etc/apache2/ports.conf", "RUN sed -Ei 's/80/8080/' /etc/apache2/ports.conf"),
        ("RUN a2enmod rewrite", "RUN a2enmod rewrite"),
        ('RUN mv "$PHP_INI_DIR/php.ini-production" "$PHP_INI_DIR/php.ini"',
         "COPY --from=build /usr/local/etc/php/php.ini /usr/local/etc/php/php.ini"),
    ],
)  # fmt: skip
def test_settings_of_the_image_are_made_again(build: str, line: str) -> None:
    assert line in run(TEXT.format(build, "")).after.rpartition("\nFROM ")[2].splitlines()


def test_a_tag_that_may_move_keeps_the_stage() -> None:
    result = run(TEXT.format("", "").replace("-bookworm", ""))

    assert "php:8.2-apache may move to another release of Debian" in result.declined[0].reason


def test_a_few_megabytes_are_too_little() -> None:
    assert (
        "too little beside the image"
        in run(TEXT.format("", "").replace("libmagickwand-dev git", "zip")).declined[0].reason
    )


def test_a_second_pass_finds_nothing() -> None:
    once = run(TEXT.format("", "")).after

    assert run(once).after == once
