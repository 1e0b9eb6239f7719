"""A user's profile: who may change it, from which version, and what it may say."""

from datetime import timedelta
from typing import Any

import pytest

from authbus.commands import UpdateProfile
from authbus.events import ProfileUpdated
from authbus.profile import Profile, ProfileField
from authbus.replies import Code, ProfileSaved, Rejected
from authbus.state import UserState, UserStatus
from authbus_service.auth.acting import Acting
from authbus_service.auth.cause import Cause
from authbus_service.auth.handlers import decide
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.profile import misnamed
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.rig.made import NOW, POLICY, a_request, a_session, applied

SOON = NOW + timedelta(minutes=5)
BEFORE = Profile(version=3, display_name="Ana", locale="pt", attributes={"one": 1})


def update(version: int = 3, **fields: Any) -> UpdateProfile:
    return UpdateProfile.model_validate(
        {"access_token": "a token", "profile_version": version, **fields}
    )


class World:
    """Ana, whose profile was changed three times, and her session."""

    def __init__(self) -> None:
        self.rows = Rows()
        user = User(new_id(), 4, "active", "phc", 1, NOW, email="ana@example.com", profile=BEFORE)
        self.ana = self.rows.users.by_id[user.id] = user
        session = a_session(user.id)
        self.rows.sessions.known[session.id] = session
        self.acting: Acting | None = Acting(user.id, session.id, SOON)

    def decided(self, command: UpdateProfile) -> Outcome:
        self.request = a_request(command)
        return decide(self.request, Proof(acting=self.acting), self.rows, NOW, POLICY)

    def applied(self, outcome: Outcome) -> UserState:
        (state,) = applied(outcome, Cause(self.request, self.rows, NOW))
        assert isinstance(state, UserState)
        return state


@pytest.fixture
def world() -> World:
    return World()


def test_the_event_names_what_changed_and_the_state_alone_has_the_values(world: World) -> None:
    outcome = world.decided(update(locale=None, picture_url="https://example.com/a"))
    state = world.applied(outcome)

    (event,) = outcome.events
    assert isinstance(event, ProfileUpdated)
    assert event.fields == (ProfileField.LOCALE, ProfileField.PICTURE_URL)
    assert (event.sequence, event.profile_version) == (5, 4)
    assert "example.com" not in event.model_dump_json()
    assert outcome.answer == ProfileSaved(profile_version=4)
    assert state == UserState(
        user_id=world.ana.id,
        sequence=5,
        email="ana@example.com",
        status=UserStatus.ACTIVE,
        profile=Profile(
            version=4,
            display_name="Ana",
            picture_url="https://example.com/a",
            attributes={"one": 1},
        ),
    )
    assert world.rows.users.profiles == [world.ana]


@pytest.mark.parametrize(
    "fields", [{}, {"display_name": "Ana"}, {"time_zone": None}, {"attributes": {"one": 1}}]
)
def test_an_update_that_changes_nothing_has_no_event(world: World, fields: dict[str, Any]) -> None:
    outcome = world.decided(update(**fields))

    assert outcome == Outcome(ProfileSaved(profile_version=3))


@pytest.mark.parametrize("value", [{"one": True}, {"one": 1.0}, {}, {"one": None}, None])
def test_attributes_are_compared_as_json(world: World, value: object) -> None:
    outcome = world.decided(update(attributes=value))
    world.applied(outcome)

    assert str(world.ana.profile.attributes) == str(value)


@pytest.mark.parametrize("version", [0, 2, 4])
def test_a_change_from_another_version_is_refused_with_the_right_one(
    world: World, version: int
) -> None:
    outcome = world.decided(update(version, display_name="Bea"))

    detail = "the profile's version is 3"
    assert outcome == Outcome(Rejected.because(Code.VERSION_CONFLICT, detail))


def test_nobody_changes_a_profile_without_a_live_session(world: World) -> None:
    world.acting = None

    outcome = world.decided(update(display_name="Bea"))

    assert outcome == Outcome(Rejected.because(Code.INVALID_TOKEN))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"locale": "pt-BR", "time_zone": "America/Sao_Paulo"}, ""),
        ({"locale": "de-CH-1996", "time_zone": "UTC"}, ""),
        ({"locale": "xx-YY"}, "locale"),
        ({"locale": "en-a"}, "locale"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "europe/berlin"}, "time_zone"),
        ({"time_zone": "posixrules"}, "time_zone"),
    ],
)
def test_languages_and_zones_must_exist(fields: dict[str, Any], told: str) -> None:
    assert misnamed(update(**fields)).partition(":")[0] == told
