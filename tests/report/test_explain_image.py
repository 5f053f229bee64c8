"""A built image's rows are matched with the instructions that made them."""

from optimizer.model import read
from optimizer.report import LayerSize
from optimizer.report.explain_image import built_image
from optimizer.syntax import parse

BASE = [LayerSize("ADD rootfs.tar / # buildkit", 70_000_000), LayerSize('CMD ["bash"]', 0, empty=True)]
TEXT = 'FROM debian\nARG V=1\nCOPY --chown=1 a b /dst/\nRUN echo "$V"\nENV A=${V}\nCMD ["a"]\n'
BUILT = [
    LayerSize("ARG V=1", 0, empty=True),
    LayerSize("COPY --chown=1 a b /dst/ # buildkit", 10),
    LayerSize('RUN |1 V=1 /bin/sh -c echo "$V" # buildkit', 20),
    LayerSize("ENV A=1", 0, empty=True),
    LayerSize('CMD ["a"]', 0, empty=True),
]


def numbers(history: list[LayerSize], text: str = TEXT, target: str | None = None) -> list[int | None]:
    return [row.number for row in built_image("x", history, read(parse(text), target=target)).rows]


def test_the_last_rows_are_those_of_the_file() -> None:
    assert numbers(BASE + BUILT) == [None, None, 2, 3, 4, 5, 6]


def test_the_older_builder_writes_them_otherwise() -> None:
    older = [
        LayerSize("/bin/sh -c #(nop)  ARG V=1", 0, empty=True),
        LayerSize("/bin/sh -c #(nop) COPY multi:ab in /dst/ ", 10),
        LayerSize('|1 V=1 /bin/sh -c echo "$V"', 20),
        LayerSize("/bin/sh -c #(nop)  ENV A=1", 0, empty=True),
        LayerSize('/bin/sh -c #(nop)  CMD ["a"]', 0, empty=True),
    ]

    assert numbers(BASE + older) == [None, None, 2, 3, 4, 5, 6]


def test_what_an_older_image_lacks_is_named() -> None:
    found = built_image("x", BASE + BUILT[:3], read(parse(TEXT)))

    assert [row.number for row in found.rows] == [None, None, 2, 3, 4]
    assert found.missing == ("ENV A=${V}", 'CMD ["a"]')


def test_an_image_of_something_else_matches_nothing() -> None:
    found = built_image("x", BASE, read(parse("FROM a\nRUN make\n")))

    assert [row.number for row in found.rows] == [None, None]
    assert found.missing == ("RUN make",)


def test_stages_that_the_target_starts_from_are_part_of_it() -> None:
    text = "FROM debian AS one\nRUN one\nFROM debian AS other\nRUN other\nFROM one\nRUN two\n"
    built = [LayerSize(f"RUN /bin/sh -c {name} # buildkit", 1) for name in ("one", "two")]

    assert numbers(BASE + built, text) == [None, None, 2, 6]
