"""authbus: the contract of an auth service that lives on Kafka."""

from authbus.commands import LogIn, LogOut, RegisterUser
from authbus.events import EndReason, SessionEnded, SessionStarted, UserCreated
from authbus.message import Command, Event, Message, Reply
from authbus.replies import Code, LoggedIn, LoggedOut, Registered, Rejected
from authbus.state import FeedAlive, PublicKey, SessionRevoked, UserState

__all__ = [
    "Code",
    "Command",
    "EndReason",
    "Event",
    "FeedAlive",
    "LogIn",
    "LogOut",
    "LoggedIn",
    "LoggedOut",
    "Message",
    "PublicKey",
    "RegisterUser",
    "Registered",
    "Rejected",
    "Reply",
    "SessionEnded",
    "SessionRevoked",
    "SessionStarted",
    "UserCreated",
    "UserState",
]
