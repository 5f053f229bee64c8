"""Which commands need no shell, and which do."""

import json

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize
from optimizer.transforms import Level

PLAN = Plan(level=Level.ASSUMED, select=frozenset({"exec-form"}))
FILES = {
    "start.sh": "#!/bin/sh\nexec node .\n",
    "bare.sh": "exec node .\n",
    "bin/tool": "#!/usr/bin/env node\n",
    "bin/loose": "node .\n",
    "app": "\x7fELF\x02",
}


def run(text: str) -> Result:
    return optimize(text, Context.of(FILES), PLAN)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CMD node a.js", 'CMD ["node", "a.js"]'),
        ("cmd node", 'cmd ["node"]'),
        ("CMD\tnode  a.js ", 'CMD\t["node",  "a.js"] '),
        ("CMD exec node a.js", 'CMD ["node", "a.js"]'),
        ("CMD nginx -g 'daemon off;'", 'CMD ["nginx", "-g", "daemon off;"]'),
        ('CMD node --name="a b" x', 'CMD ["node", "--name=a b", "x"]'),
        ("CMD node 'say \"a\"' ''", 'CMD ["node", "say \\"a\\"", ""]'),
        ("CMD node '$HOME' '*'", 'CMD ["node", "$HOME", "*"]'),
        ("CMD node \\\n  # why\n  a.js \\\n\n  b", 'CMD ["node", \\\n  # why\n  "a.js", \\\n\n  "b"]'),
        ("CMD \\\n  node \\\n  a.js", 'CMD \\\n  ["node", \\\n  "a.js"]'),
        ("ENTRYPOINT python -m app", 'ENTRYPOINT ["python", "-m", "app"]'),
        ("ENTRYPOINT []\nCMD node a.js", 'ENTRYPOINT []\nCMD ["node", "a.js"]'),
        ("COPY start.sh /app/\nCMD /app/start.sh", 'COPY start.sh /app/\nCMD ["/app/start.sh"]'),
        ("WORKDIR /x\nCOPY . .\nCMD ./start.sh", 'WORKDIR /x\nCOPY . .\nCMD ["./start.sh"]'),
        ("COPY bin/tool /usr/bin/\nCMD tool", 'COPY bin/tool /usr/bin/\nCMD ["tool"]'),
        ("COPY app /app\nCMD /app", 'COPY app /app\nCMD ["/app"]'),
        ("ENV PATH=/x:$PATH\nCMD node a", 'ENV PATH=/x:$PATH\nCMD ["node", "a"]'),
        ("CMD node a\nHEALTHCHECK CMD curl localhost", 'CMD ["node", "a"]\nHEALTHCHECK CMD curl localhost'),
        ("CMD node a.js:80 --x=1,2 @s/p 5% a^b a+b", 'CMD ["node", "a.js:80", "--x=1,2", "@s/p", "5%", "a^b", "a+b"]'),
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_changes(before: str, after: str, end: str) -> None:
    result = run(f"FROM node:20\n{before}{end}")

    assert result.after == f"FROM node:20\n{after}{end}"
    assert result.applied[0].rewrite.assumption


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CMD node $X", "only a shell can tell what $X stands for"),
        ("CMD node ${X:-1}", "only a shell can tell"),
        ("CMD node $(date)", "only a shell can tell"),
        ("CMD node `date`", "only a shell can tell"),
        ("CMD node *.js", "only a shell can tell what *.js"),
        ("CMD node {a,b}", "only a shell can tell"),
        ("CMD node ~/a", "only a shell can tell"),
        ("CMD node a\\ b", "only a shell can tell"),
        ('CMD node "a\\"b"', "only a shell can tell"),
        ('CMD node "$X"', "only a shell can tell"),
        ("CMD node !x", "only a shell"),
        ("CMD ['node', 'a']", "the shell text is not understood"),
        ("CMD node a && node b", "more than one command"),
        ("CMD node a; node b", "more than one command"),
        ("CMD node a | tee b", "only a shell can run it"),
        ("CMD node a &", "only a shell can run it"),
        ("CMD node a;", "only a shell can run it"),
        ("CMD (node a)", "only a shell can run it"),
        ("CMD ! node a", "only a shell can run it"),
        ("CMD node a > log", "redirects"),
        ("CMD node a 2>&1", "redirects"),
        ("CMD A=b node a", "it sets the variable A"),
        ("CMD node a # b", "a comment stands behind the command"),
        ("CMD cd /x", "cd is no program"),
        ("CMD echo hello", "echo is no program"),
        ("CMD exec", "exec is no program"),
        ("CMD exec -a x node", "-a is no program"),
        ("CMD . ./start.sh", ". is no program"),
        ("CMD '' a", "an empty word is no program"),
        ("CMD no\\\nde a", "a word goes on in the next line"),
        ("CMD exec \\\n node a", "a word goes on in the next line"),
        ('SHELL ["/bin/bash", "-c"]\nCMD node a', "the shell is /bin/bash -c"),
        ("CMD node a\nCMD node b", "the CMD of line 3 replaces it"),
        ("ENTRYPOINT node a\nCMD b", "line 3 has a CMD that the shell form ignores"),
        ("ENTRYPOINT node a\nCMD b", "the ENTRYPOINT of line 2 ignores it"),
        ('ENTRYPOINT ["a"]\nCMD node b', "the ENTRYPOINT of line 2 is handed the shell"),
        ("ONBUILD CMD node a", "what ONBUILD CMD starts"),
        ("COPY bare.sh /app/\nCMD /app/bare.sh", "/app/bare.sh does not begin with #!"),
        ("COPY bin/loose /usr/bin/\nCMD loose", "loose does not begin with #!"),
        ("CMD /app/other.sh", "whether /app/other.sh begins with #! is not known"),
        ("ENV PATH=./bin:$PATH\nCMD node a", "PATH holds a relative folder"),
        ("ENV PATH $PATH:node_modules/.bin\nCMD node a", "PATH holds a relative folder"),
    ],
)
def test_stays(text: str, reason: str) -> None:
    result = run(f"FROM node:20\n{text}\n")

    assert any(reason in declined.reason for declined in result.declined), result.declined
    assert not [a for a in result.applied if a.origin == 2]


@pytest.mark.parametrize(
    "base", ["nginx", "postgres:16", "example.com/x", "node:8-onbuild", "mcr.microsoft.com/windows/nanoserver", "$B"]
)
def test_a_base_that_may_look_at_the_command_stops_it(base: str) -> None:
    result = run(f"ARG B\nFROM {base}\nCMD node a\n")

    assert not result.applied
    assert len(result.declined) == 1


@pytest.mark.parametrize(
    ("text", "applied"),
    [
        ("FROM node AS a\nENTRYPOINT node a\nFROM a\nCMD b\n", 0),
        ('FROM node AS a\nENTRYPOINT ["x"]\nFROM a\nCMD b\n', 0),
        ("FROM node AS a\nCMD b\nFROM a\nENTRYPOINT node a\n", 2),  # an ENTRYPOINT resets the CMD of the image below
        ("FROM node AS a\nCMD b\nFROM node\nCOPY --from=a /x /x\n", 0),  # nobody starts the first stage
        ("FROM node AS a\nFROM a\nCMD node b\n", 1),
        ("FROM other AS a\nFROM a\nCMD node b\n", 0),
    ],
)
def test_stages_inherit_what_they_start(text: str, applied: int) -> None:
    assert len(run(text).applied) == applied


def test_the_list_is_json() -> None:
    after = run('FROM node\nCMD node \'a "b"\' "it\'s"\n').after

    assert json.loads(after.splitlines()[1].removeprefix("CMD ")) == ["node", 'a "b"', "it's"]
