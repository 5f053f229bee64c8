"""Ruby: gems are compiled on the full image, and run on the slim one with the sources and the libraries they load.

Sources: https://github.com/docker-library/ruby, https://bundler.io/man/bundle-config.1.html, …/bundle-install.1.html,
https://guides.rubygems.org/command-reference/.
"""

import posixpath

from optimizer.ecosystems._arguments import variables_of
from optimizer.images import sibling
from optimizer.model import Step
from optimizer.shell import Call, resolve
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._scripts import command_texts
from optimizer.transforms._slim_packages import ARCHIVED
from optimizer.transforms.stages import _ruby_gems
from optimizer.transforms.stages._floating import why_moved_away
from optimizer.transforms.stages.interpreted import needed_on
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect, Runtime
from optimizer.transforms.stages.packages import code, sort_packages
from optimizer.transforms.stages.paths import SYSTEM

_PROGRAMS = frozenset({"bundle", "bundler", "gem", "rake", "rails", "jekyll", "bootsnap"})
_LOOKING = frozenset(
    "check config env help info list outdated platform show version which search specification sources".split()
)
_IN_PROJECT = frozenset("add binstubs cache clean inject install lock package pristine update".split())
_TASKS = lazy_pattern(
    r"(?:assets|webpacker|yarn|tmp|log|css|javascript|tailwindcss|i18n|db|react_on_rails|vite|shakapacker)(?::[\w:]+)?"
    r"|zeitwerk:check|about|-[sqt]|--silent|--trace|[A-Z_]+=.*"
)
_LEFT = ("/root/.bundle/cache", "/root/.gem", "/root/.cache", "/root/.local/share/gem", "/root/.npm")
_FFI = lazy_pattern(r"\bffi_lib\b|\bFiddle\.dlopen\b|\bdlload\b|\bgetservbyname\b")
_INSTALLS = lazy_pattern(r"\b(?:bundle|bundler|gem)\b[^\n&|;]*\b(?:install|update)\b|bundle\s*(?:&&|;|\n)")
_FROM_GIT = lazy_pattern(r"`git |%x[\[{(]git |['\"]git['\"]|popen\W+git")


def effect(call: Call, step: Step, build: Build) -> Effect | None:
    """Say where gems go, and that tasks of the project write into it."""
    del build
    program = posixpath.basename(call.program)
    if program not in _PROGRAMS:
        return None
    words = [resolve(word, call.variables) for word in call.arguments]
    given = [word or "?" for word in words if word is None or not word.startswith("_")]
    if program in {"bundle", "bundler"}:
        return _of_bundle(call, step, given)
    if program == "gem":
        return _of_gem(call, step, given)
    return _of_task(call, step, program, given)


def _of_bundle(call: Call, step: Step, words: list[str]) -> Effect:
    verb = next((word for word in words if not word.startswith("-")), "install")
    if verb == "exec":
        inner = [word for word in words[words.index("exec") + 1 :] if not word.startswith("-")]
        name = posixpath.basename(inner[0]) if inner else "?"
        if name in _PROGRAMS - {"bundle", "bundler", "gem"}:
            return _of_task(call, step, name, inner[1:])
        return Effect(unknown=f"what {name} of line {step.line} makes is not known")
    if verb == "config":
        return _configured(call, step, words)
    if verb not in _IN_PROJECT:
        unknown = f"what bundle {verb} of line {step.line} makes is not known"
        return NOTHING if verb in _LOOKING else Effect(unknown=unknown)
    home = _ruby_gems.gem_home(variables_of(call, step.state.sure))
    gemfile = _value(words, "--gemfile")
    folder = posixpath.join(call.directory or "", posixpath.dirname(gemfile or ""))
    tree = _tree(posixpath.normpath(folder) if folder else None)
    own = _value(words, "--path")
    if home is None or tree is None:
        return Effect(unknown=f"where the gems of line {step.line} go is not known")
    places = [home, _ruby_gems.HOME, *([own] if own else [])]
    makes = tuple(f"{posixpath.normpath(posixpath.join(folder, place))}/" for place in dict.fromkeys(places))
    return Effect((*makes, *tree), _LEFT)


def _configured(call: Call, step: Step, words: list[str]) -> Effect:
    """Return where settings go: where the image says, but for those of the user."""
    if "--global" not in words:
        own = _value(words, "path")
        places = (
            (f"{posixpath.normpath(posixpath.join(call.directory or '/', own))}/",) if own and own[0] == "/" else ()
        )
        return Effect((f"{_ruby_gems.HOME}/", *places))
    if step.state.user not in {None, "root", "0"} or "HOME" in variables_of(call, step.state.sure):
        return Effect(unknown=f"where the settings of line {step.line} go is not known")
    return Effect(("/root/.bundle/",))


def _of_gem(call: Call, step: Step, words: list[str]) -> Effect:
    verb = next((word for word in words if not word.startswith("-")), "")
    if verb in _LOOKING:
        return NOTHING
    other = {"--system", "-i", "--install-dir", "--user-install", "-n", "--bindir"} & set(words)
    if verb == "build":
        tree = _tree(call.directory)
        return Effect(tree) if tree else Effect(unknown=f"where line {step.line} puts the gem is not known")
    if other or verb not in {"install", "update", "uninstall", "cleanup", "pristine"}:
        return Effect(unknown=f"what gem {verb} of line {step.line} makes is not known")
    return Effect((f"{step.state.sure.get('GEM_HOME') or _ruby_gems.HOME}/",), _LEFT)


def _of_task(call: Call, step: Step, program: str, words: list[str]) -> Effect:
    """Return the project for tasks that are known to write into it alone."""
    tree = _tree(call.directory)
    known = program in {"bootsnap", "jekyll"} or (words and all(map(_TASKS.fullmatch, words)))
    if not known or tree is None:
        return Effect(unknown=f"what {program} {' '.join(words[:1])} of line {step.line} makes is not known")
    return Effect(tree, _LEFT)


def _tree(folder: str | None) -> tuple[str, ...] | None:
    """Return the folder of a project as what is made; nothing of a temporary one stays, and others are not its own."""
    if folder is None or not folder.startswith("/"):
        return None
    if folder == "/tmp":  # noqa: S108 - a path of the image
        return ()
    return None if folder in SYSTEM else (f"{folder}/",)


def _value(words: list[str], name: str) -> str | None:
    """Return the word behind another one, or behind its `=`."""
    for at, word in enumerate(words):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name and len(words) > at + 1:
            return words[at + 1]
    return None


def runtime(build: Build) -> Runtime | str | None:
    """Take the gems and the project over to the slim image, with the libraries that the gems load."""
    slim = sibling(build.full, add="slim")
    if build.full.image != "ruby" or "slim" in build.full.words:
        return None
    if slim is None:
        return f"{build.full.name} has no slim variant on the same release"
    if not any(
        call and call.program in {"bundle", "bundler", "gem"} for work in build.works for call, _ in work.effects
    ):
        return "no gem is installed, so that nothing is known of what the program takes from the image"
    if reason := _why_not(build):
        return reason
    needed = needed_on(build, slim)
    if isinstance(needed, str):
        return needed
    started = list(_ruby_gems.programs(build, (slim.image, slim.tag)))
    if None in started:
        return "sources start a program, and which package brings it is not known"
    named = (name for name in (*started, *(name for lack in needed for name in lack.packages)) if name)
    wanted = sorted(_ruby_gems.libraries(build).union(named))
    if wanted and build.release in ARCHIVED:
        return f"{wanted[0]} is needed and can no longer be installed on {build.release}"
    why = f"Gems are compiled on {build.full.name}; to run, they take {slim.name} and the libraries that they load."
    found = Runtime(slim, (), why, packages=tuple(wanted))
    installed = sort_packages(build, found, ())
    if isinstance(installed, str):
        return installed
    return why_moved_away(build, installed.words) or found


def _why_not(build: Build) -> str | None:
    for step in build.stage.body:
        if step.name in {"CMD", "ENTRYPOINT"}:
            texts = [step.instruction.body.text.replace('"', "").replace(",", " ")]
            texts += [text for _, text in command_texts(build.subject.dockerfile, build.subject.context, step)]
            if any(_INSTALLS.search(text) for text in texts):
                return f"the {step.name} of line {step.line} installs gems, which takes a compiler"
    if found := next((match[0] for text in code(build) if (match := _FFI.search(text))), None):
        return f"sources call {found}, and which libraries they load is not known"
    specs = (path for path in build.copied.values() if path.endswith(".gemspec"))
    if spec := next((p for p in specs if _FROM_GIT.search(build.subject.context.text(p) or "")), None):
        return f"{spec} asks git for its files when the gem is loaded"
    return None
