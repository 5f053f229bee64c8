import pytest

from optimizer.verify.comparison import Claims, compare
from tests.verify.images import File, image

PASSWD = "root:x:0:0::/root:/bin/sh\nshop:x:998:50::/home/shop:/bin/sh\n"
GROUP = "root:x:0:\nstaff:x:50:\n"
THERE = {"/etc/passwd": PASSWD, "/etc/group": GROUP}


def told(before: dict[str, File | str], after: dict[str, File | str], user: str = "") -> list[tuple[str, object]]:
    """Return what is unclaimed though every file may be lost or another."""
    claims = Claims(
        packages="multi-stage", patterns=(("multi-stage", "/**"),), paths=dict.fromkeys(THERE, "multi-stage")
    )
    found = compare(image(before, User=user), image(after, User=user), claims)
    return [(one.subject, one.after) for one in found if one.claimed_by is None]


@pytest.mark.parametrize(
    ("user", "after", "expected"),
    [
        ("shop", THERE, []),
        ("shop", {"/etc/group": GROUP}, [("user shop of USER", None)]),
        ("998", {"/etc/group": GROUP}, [("user 998 of USER", None)]),
        ("shop", {**THERE, "/etc/passwd": PASSWD.replace("998", "997")}, [("user shop of USER", "number 997")]),
        ("998", {**THERE, "/etc/passwd": PASSWD.replace("shop:", "bus:")}, [("user 998 of USER", "bus")]),
        ("root:staff", {"/etc/passwd": PASSWD}, [("group staff of USER", None)]),
        ("1234:1234", {}, []),
        ("", {}, []),
    ],
)
def test_who_the_container_runs_as_is_known(user: str, after: dict[str, str], expected: list[object]) -> None:
    assert told(THERE, after, user) == expected


def test_owners_of_files_that_stay_keep_their_names() -> None:
    files = {"/app/a": File(owner=(998, 50)), "/app/b": File(owner=(998, 50)), "/app/c": File(owner=(4321, 0))}

    assert told({**THERE, **files}, {**files, "/etc/group": GROUP}) == [("user 998, the owner of /app/a", None)]
    renamed = {"/etc/group": GROUP.replace("staff", "adm"), "/etc/passwd": PASSWD}
    assert told({**THERE, **files}, {**files, **renamed}) == [("group 50, the owner of /app/a", "adm")]
    assert told({**THERE, **files}, THERE) == []


def test_the_home_of_the_user_is_there() -> None:
    home = {"/home/shop": File(folder=True, owner=(998, 50))}

    assert told({**THERE, **home}, THERE, "shop") == [("home of the user shop", None)]
    assert told({**THERE, **home}, THERE, "998") == [("home of the user shop", None)]
    assert told({**THERE, **home}, THERE, "root") == []
