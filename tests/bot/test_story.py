"""The life of a request, told once from its opening to its end."""

from tests.bot.conftest import DOCKERFILE, DONE, FILES, ONLY, Dfopt, Forge

BRANCH = "dfopt/dockerfiles"


def test_the_life_of_a_request(forge: Forge, dfopt: Dfopt) -> None:
    live(forge, dfopt)


def live(forge: Forge, dfopt: Dfopt) -> None:
    repository = forge.store.add("team/app", FILES)
    target = forge.target("team/app")

    # The first run opens a request.
    first = dfopt(forge, target, *ONLY)
    assert (first.code, first.err) == (0, ""), first.out + first.err
    assert "opened: dfopt/dockerfiles" in first.out
    (request,) = repository.requests
    assert (request.branch, request.base, request.state) == (BRANCH, "main", "open")
    assert request.title == "Optimize Dockerfile"
    assert repository.file(BRANCH, "Dockerfile") == DONE.strip()
    assert repository.log(BRANCH) == ["Optimize Dockerfile", "A commit"]
    assert repository.file("main", "Dockerfile") == DOCKERFILE.strip()

    # The second run changes nothing.
    tip, body = repository.tip(BRANCH), request.body
    asked = len(forge.store.asked)
    second = dfopt(forge, target, *ONLY)
    assert "unchanged: dfopt/dockerfiles (up to date)" in second.out
    assert (repository.tip(BRANCH), request.body, len(repository.requests)) == (tip, body, 1)
    assert all(one.startswith("GET ") for one in forge.store.asked[asked:])

    # The base moves, and the branch is rebuilt upon it; a title that a person gave stays.
    repository.commit({"app.txt": "hello again\n"}, message="Greet again")
    request.title = "Take COPY"
    third = dfopt(forge, target, *ONLY)
    assert "updated: dfopt/dockerfiles" in third.out
    assert repository.log(BRANCH) == ["Optimize Dockerfile", "Greet again", "A commit"]
    assert (request.title, len(repository.requests)) == ("Take COPY", 1)

    # A person pushes to the branch: it is left alone, with one comment.
    ours = repository.tip(BRANCH)
    person = repository.commit({"Dockerfile": DONE + "# mine\n"}, BRANCH, "Say whose it is")
    repository.commit({"app.txt": "and again\n"})
    for _ in range(2):
        left = dfopt(forge, target, *ONLY)
        assert "left alone: dfopt/dockerfiles (its branch has commits that are not dfopt's)" in left.out
        assert repository.tip(BRANCH) == person
    assert len(request.comments) == 1
    assert str(ours) in request.comments[0]

    # The request is closed, and its branch deleted: the same change is not offered again, wherever the base is.
    request.state = "closed"
    repository.drop(BRANCH)
    closed = dfopt(forge, target, *ONLY)
    assert "unchanged: dfopt/dockerfiles (request 1 for the same change was closed)" in closed.out
    repository.commit({"Dockerfile": "# the app\n" + DOCKERFILE})
    dfopt(forge, target, *ONLY)
    assert (len(repository.requests), repository.tip(BRANCH)) == (1, None)

    # Another change is another matter.
    repository.commit({"Dockerfile": DOCKERFILE.replace("CMD", "ADD README.md /\nCMD")})
    dfopt(forge, target, *ONLY)
    assert [one.state for one in repository.requests] == ["closed", "open"]

    # The Dockerfile becomes optimal: the request is closed with a word, and its branch goes.
    repository.commit({"Dockerfile": DONE})
    last = dfopt(forge, target, *ONLY)
    assert "closed: dfopt/dockerfiles (There is nothing left to do)" in last.out
    assert repository.requests[1].state == "closed"
    assert repository.requests[1].comments[0].startswith("There is nothing left to do.")
    assert repository.tip(BRANCH) is None

    # dfopt closed it itself, which is nobody's refusal: when the same change is wanted again, it is offered again.
    repository.commit({"Dockerfile": DOCKERFILE.replace("CMD", "ADD README.md /\nCMD")})
    dfopt(forge, target, *ONLY)
    assert [one.state for one in repository.requests] == ["closed", "closed", "open"]
