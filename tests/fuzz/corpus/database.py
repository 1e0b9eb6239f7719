"""PostgreSQL refuses: what passes is tried again and has one effect, what lasts is buried alone."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from itertools import count, islice
from random import Random

from sqlalchemy import text

from tests.fuzz.case import Case, Family, Item, Make, Try, one
from tests.fuzz.corpus.identities import at_once
from tests.fuzz.scene import ENDED, HANDLED, Scene
from tests.fuzz.stage import Stage

ABREAST = 2
_SLOTS = 2 * ABREAST
# Fails when the command's row is inserted, or when its transaction commits; once, or for ever.
_STRIKE = """
CREATE FUNCTION fuzz.strike() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fault fuzz.armed;
BEGIN
    SELECT * INTO fault FROM fuzz.armed
        WHERE id = NEW.id AND (how LIKE '% at COMMIT') = (TG_NAME = 'at_commit');
    IF NOT FOUND OR fault.how NOT LIKE 'lasting%' AND nextval(fault.slot::regclass) > 1 THEN
        RETURN NEW;
    END IF;
    PERFORM nextval('fuzz.struck');
    CASE split_part(fault.how, ' ', 1)
        WHEN 'serialization' THEN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'made';
        WHEN 'deadlock' THEN RAISE EXCEPTION USING ERRCODE = '40P01', MESSAGE = 'made';
        WHEN 'timeout' THEN RAISE EXCEPTION USING ERRCODE = '57014', MESSAGE = 'made';
        WHEN 'lost' THEN PERFORM pg_terminate_backend(pg_backend_pid());
        WHEN 'lasting' THEN PERFORM '"\\u0000"'::jsonb #>> '{}';
    END CASE;
    RETURN NEW;
END $$
"""
_MADE = [
    "CREATE SCHEMA fuzz",
    "CREATE SEQUENCE fuzz.struck",
    *(f"CREATE SEQUENCE fuzz.slot_{n}" for n in range(_SLOTS)),
    "CREATE TABLE fuzz.armed (id uuid PRIMARY KEY, how text, slot text, reset bigint)",
    _STRIKE,
    "CREATE TRIGGER at_once BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION fuzz.strike()",
    (
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON inbox DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION fuzz.strike()"
    ),
]
PASSING = (
    *("serialization", "serialization at COMMIT", "deadlock", "timeout"),
    *("lost", "lost at COMMIT"),
)
LASTING = "lasting 22P05"
EACH = 100


def struck(how: str, *, hashed: bool) -> Make:
    def make(scene: Scene) -> Try:
        draft, said = (scene.log_in(), HANDLED) if hashed else (scene.log_out(), ENDED)
        scene.armed.append((draft.id, how))
        return Try([Item.of(draft)], one("failed" if how == LASTING else said))

    return make


def _cases() -> Iterator[Case]:
    """A hashed one and a cheap one, again and again: each kind has a writer of its own."""
    kinds = [*PASSING, LASTING]
    for number in count():
        for how in kinds:
            for hashed in (True, False):
                which = "hashed" if hashed else "cheap"
                yield Case(f"{how} {number}, {which}", struck(how, hashed=hashed))
        for turn in range(2):
            yield Case(f"two of one address {number}-{turn}", at_once)


def more(_: Random) -> Iterator[Case]:
    yield from islice(_cases(), len(NAMED), None)


NAMED = list(islice(_cases(), 2 * (len(PASSING) + 2)))


@asynccontextmanager
async def failing(stage: Stage) -> AsyncGenerator[None]:
    """PostgreSQL fails as it is armed to while this lasts."""
    async with stage.database.transaction() as db:
        for statement in _MADE:
            await db.execute(text(statement.replace(":", "\\:")))
    try:
        yield
    finally:
        async with stage.database.transaction() as db:
            await db.execute(text("DROP TRIGGER at_once ON inbox"))
            await db.execute(text("DROP TRIGGER at_commit ON inbox"))


async def _all_struck(stage: Stage) -> list[str]:
    """A fault that did not come shows nothing."""
    (row,) = await stage.rows(
        "SELECT (SELECT count(*) FROM fuzz.armed) AS armed, last_value AS struck FROM fuzz.struck"
    )
    return [f"{row['struck']} of {row['armed']} faults came"] * (row["struck"] < row["armed"])


DATABASE = Family(
    "refusals of PostgreSQL",
    EACH * (len(PASSING) + 2),
    NAMED,
    more,
    around=failing,
    looked=_all_struck,
    abreast=ABREAST,
)
