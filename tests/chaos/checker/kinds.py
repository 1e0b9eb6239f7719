"""What the contract says of commands and their effects, as the checker needs it."""

from authbus.contract import ROWS

EVENTS_TOPIC = "events.v1"
STATES_TOPIC = "state.users.v1"
QUESTIONS = frozenset(row.command.__name__ for row in ROWS if not row.events)
MAY_CAUSE = {row.command.__name__: {each.__name__ for each in row.events} for row in ROWS}
REPLIES = {row.command.__name__: {each.__name__ for each in row.replies} for row in ROWS}

# The event that is the effect. What is in DONE_BEFORE may have been so already, and says nothing.
EFFECT = {
    "RegisterUser": "UserCreated",
    "LogIn": "SessionStarted",
    "RefreshSession": "SessionRefreshed",
    "LogOut": "SessionEnded",
    "ChangePassword": "PasswordChanged",
    "DeactivateUser": "UserDeactivated",
    "ReactivateUser": "UserReactivated",
    "EraseAccount": "UserErased",
    "EraseUser": "UserErased",
    "UpdateProfile": "ProfileUpdated",
    "GrantRole": "RoleGranted",
    "RevokeRole": "RoleRevoked",
}
DONE_BEFORE = frozenset(
    {
        "LogOut",
        "DeactivateUser",
        "ReactivateUser",
        "UpdateProfile",
        "GrantRole",
        "RevokeRole",
    }
)
SHUTS = frozenset({"DeactivateUser"})
ERASES = frozenset({"EraseAccount", "EraseUser"})
# Which sessions are over once these are answered: that one, all of the user, all but the caller's.
ENDS_ONE = frozenset({"LogOut", "EndSession"})
ENDS_ALL = SHUTS | ERASES
ENDS_OTHERS = frozenset({"ChangePassword", "EndAllSessions"})
# A refusal may have these: a lock after wrong passwords, the end of a session that was stolen.
REFUSED_MAY_CAUSE = {
    "LogIn": {"UserLocked", "UserUnlocked"},
    "RefreshSession": {"SessionEnded"},
}
# Refusals that are given before anything is claimed; the same command may be refused again.
UNDECIDED = frozenset({"busy"})
# A session that nobody ended: the sweeper's events have no command.
SWEPT = frozenset({"idle", "expired"})
REJECTED = "Rejected"
