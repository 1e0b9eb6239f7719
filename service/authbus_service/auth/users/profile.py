"""What a profile may say: languages and time zones that exist."""

from functools import cache
from importlib.resources import files

from langcodes import tag_is_valid

from authbus.commands import ImportUser, UpdateProfile


def misnamed(command: UpdateProfile | ImportUser) -> str:
    """Which rule a command breaks, in words; empty when it breaks none."""
    if command.locale is not None and not tag_is_valid(command.locale):
        return "locale: not a BCP 47 tag of registered subtags"
    if command.time_zone is not None and command.time_zone not in _zones():
        return "time_zone: not a name of the IANA database"
    return ""


@cache
def _zones() -> frozenset[str]:
    """The names of the installed `tzdata`: the same ones on every machine."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())
