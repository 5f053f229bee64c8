"""How sizes are compared in words."""

import pytest

from optimizer.report.sizes import change


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (1000, 400, "60 % smaller"),
        (1000, 1, "99 % smaller"),
        (1000, 0, "100 % smaller"),
        (1000, 1500, "50 % larger"),
        (1000, 995, ""),
        (0, 5, ""),
    ],
)
def test_by_how_much_it_changes(before: int, after: int, said: str) -> None:
    assert change(before, after) == said
