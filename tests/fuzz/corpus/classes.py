"""All classes, in the order in which they are run."""

from tests.fuzz.corpus.batches import BATCHES
from tests.fuzz.corpus.database import DATABASE
from tests.fuzz.corpus.envelopes import ENVELOPES_AND_LABELS
from tests.fuzz.corpus.fields import FIELDS
from tests.fuzz.corpus.headers import HEADERS
from tests.fuzz.corpus.identities import IDENTITIES
from tests.fuzz.corpus.json_texts import JSON_TEXTS
from tests.fuzz.corpus.keys import KEYS
from tests.fuzz.corpus.mutations import MUTATIONS
from tests.fuzz.corpus.passwords import PASSWORDS
from tests.fuzz.corpus.seals import ALTERED, SEALED
from tests.fuzz.corpus.texts import TEXTS
from tests.fuzz.corpus.times import TIMES
from tests.fuzz.corpus.values import VALUES

CLASSES = (
    *(VALUES, JSON_TEXTS, FIELDS, ENVELOPES_AND_LABELS, ALTERED, SEALED, TIMES, HEADERS, KEYS),
    *(BATCHES, IDENTITIES, PASSWORDS, TEXTS, DATABASE, MUTATIONS),
)
