"""The rules of sessions: refreshed, listed, ended."""

from datetime import datetime
from typing import Any

from authbus.code import Code as Refusal
from authbus.commands import (
    EndAllSessions,
    EndSession,
    ListSessions,
    LogOut,
    RefreshSession,
)
from authbus.events import EndReason, SessionRefreshed
from authbus.replies import (
    AllSessionsEnded,
    LoggedOut,
    Refreshed,
    SessionEntry,
    SessionIsEnded,
    SessionList,
)
from tests.model.expected import By, Expected, Told, all_ended, ended, refused, take_tokens
from tests.model.people import Account, Model, Session

_NO = Refusal.INVALID_TOKEN


def refresh(model: Model, asked: RefreshSession, by: By) -> Expected:
    """Each refresh token is good once: a used one ends the session, unless it was used just now."""
    session, shown = model.by_session(asked.session_id), asked.refresh_token.get_secret_value()
    if session is None or not session.owner.is_active or not session.is_live(model.at):
        return refused(_NO)
    if session.client != by.client or shown not in session.refresh:
        return refused(_NO)
    if shown != session.refresh[-1]:
        is_last = shown == session.refresh[-2]
        if is_last and model.at < session.refreshed + model.policy.refresh_grace:
            return refused(Refusal.TOKEN_ROTATED)
        return refused(_NO, ended(model, session, EndReason.TOKEN_REUSE))
    session.refreshed = model.at
    session.lapses = min(model.at + model.policy.session_idle, session.expires)
    says = {"session_id": session, "lapses_at": session.lapses}
    return Expected(
        Refreshed,
        {"user_id": session.owner, "session_id": session, "session_expires_at": session.expires},
        [Told(SessionRefreshed, session.owner, says)],
        learn=lambda reply: take_tokens(model, session, reply),
    )


def log_out(model: Model, asked: LogOut, _: By) -> Expected:
    """Any refresh token of the session, however old, ends it."""
    session = model.by_session(asked.session_id)
    if session is None or asked.refresh_token.get_secret_value() not in session.refresh:
        return refused(_NO)
    told = [] if session.ended else [ended(model, session, EndReason.LOGOUT)]
    return Expected(LoggedOut, {"session_id": session}, told)


def end_session(model: Model, asked: EndSession, _: By) -> Expected:
    """One of one's own."""
    mine, session = model.holder(asked.access_token.get_secret_value()), asked.session_id
    if mine is None:
        return refused(_NO)
    found = model.by_session(session)
    if found is None or found.owner is not mine.owner:
        return refused(Refusal.SESSION_UNKNOWN)
    told = [ended(model, found, EndReason.REVOKED)] if found.is_live(model.at) else []
    return Expected(SessionIsEnded, {"session_id": found}, told)


def end_all_sessions(model: Model, asked: EndAllSessions, _: By) -> Expected:
    mine = model.holder(asked.access_token.get_secret_value())
    if mine is None:
        return refused(_NO)
    but = None if asked.this_one_too else mine
    told = all_ended(model, mine.owner, EndReason.REVOKED, but)
    return Expected(AllSessionsEnded, {"count": len(told)}, told)


def list_sessions(model: Model, asked: ListSessions, _: By) -> Expected:
    mine = model.holder(asked.access_token.get_secret_value())
    if mine is None:
        return refused(_NO)
    live = shown_sessions(mine.owner, model.at)

    def learn(reply: SessionList) -> None:
        if list(map(entry, reply.sessions)) != live:
            raise AssertionError(f"other sessions are listed than {live}")
        if [each.session_id for each in reply.sessions if each.is_current] != [mine.id]:
            raise AssertionError("another session is the current one")

    return Expected(SessionList, learn=learn)


def shown_sessions(account: Account, at: datetime) -> list[dict[str, Any]]:
    """Those that go on, oldest first, as they are listed."""
    return [_shown(each) for each in account.live(at)]


def entry(listed: SessionEntry) -> dict[str, Any]:
    """What is compared of a line of a list."""
    return {
        "session_id": listed.session_id,
        "client_id": listed.client_id,
        "amr": listed.amr,
        "last_used_at": listed.last_used_at,
        "lapses_at": listed.lapses_at,
        "expires_at": listed.expires_at,
    }


def _shown(session: Session) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "client_id": session.client,
        "amr": session.amr,
        "last_used_at": session.refreshed,
        "lapses_at": session.lapses,
        "expires_at": session.expires,
    }


def swept(model: Model) -> list[Told]:
    """Sessions that are over without anybody's asking end when somebody looks."""
    over = [each for each in model.sessions if each.ended is None and model.at >= each.lapses]
    return [
        ended(model, each, EndReason.EXPIRED if each.lapses >= each.expires else EndReason.IDLE)
        for each in sorted(over, key=lambda each: str(each.id))
    ]
