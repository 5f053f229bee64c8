"""When the age of the image facts is told."""

from datetime import date, timedelta

import pytest

from optimizer.cli.facts_age import notices
from optimizer.context import Context
from optimizer.engine import optimize
from optimizer.images.lifecycle import as_of
from optimizer.report import Entry
from optimizer.transforms import Level

DAY = date.fromisoformat(as_of())
ON_FACTS = 'FROM python:3.12\nCMD ["python", "-V"]\n'
PLAIN = "FROM alpine:3\nADD a.txt /a.txt\n"


@pytest.mark.parametrize(("text", "days", "told"), [(ON_FACTS, 366, 0), (ON_FACTS, 367, 1), (PLAIN, 4000, 0)])
def test_old_facts_are_told_where_a_base_image_was_exchanged(text: str, days: int, told: int) -> None:
    result = optimize(text, Context.of({"a.txt": "a"}))
    found = notices([Entry("Dockerfile", ".", Level.EQUIVALENT, result)], DAY + timedelta(days=days))

    assert result.applied
    assert len(found) == told
    assert all(as_of() in message for message in found)
