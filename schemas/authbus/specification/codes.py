"""What each rejection code means to a producer."""

from authbus.replies import Code

MEANINGS = {
    Code.INVALID: "A field is missing, unknown or out of bounds; `detail` names it.",
    Code.INVALID_CREDENTIALS: "No account with this address and password.",
    Code.INVALID_TOKEN: "The token is not of this session, or no longer good.",
    Code.TOKEN_ROTATED: "Another command has just changed this refresh token: use what it got.",
    Code.SESSION_UNKNOWN: "The user has no such session.",
    Code.FORBIDDEN: "Whoever asks has no role with the permission that this needs.",
    Code.USER_UNKNOWN: "There is no such user.",
    Code.VERSION_CONFLICT: "The profile was changed meanwhile; `detail` names its version.",
    Code.ROLE_UNKNOWN: "There is no such role.",
    Code.EMAIL_INVALID: "The address is not one that can get mail.",
    Code.EMAIL_TAKEN: "There is an account with this address. Do not show this to a stranger.",
    Code.EMAIL_VERIFIED: "The address was verified before.",
    Code.CODE_INVALID: "The code is wrong or unknown, used, past its time, or one guess too many.",
    Code.CHALLENGE_INVALID: "The challenge is unknown, used, or past its time: log in again.",
    Code.STEP_UP_REQUIRED: "The second factor was shown too long ago: `StepUp`, then ask again.",
    Code.FACTOR_ENABLED: "A second factor is enabled already; disable it first.",
    Code.FACTOR_MISSING: "No second factor is enabled, or none has been started.",
    Code.TOO_SOON: "A mail was asked for less than a minute ago, or too many are under way.",
    Code.PASSWORD_TOO_SHORT: "The password has too few characters.",
    Code.PASSWORD_TOO_LONG: "The password has too many bytes.",
    Code.PASSWORD_COMMON: "The password is on the list of common ones.",
    Code.PASSWORD_PERSONAL: "The password is made of the user's own words.",
    Code.BUSY: "Not decided, nothing has happened. Send the same command again, with the same id.",
    Code.EXPIRED: "Read too late; nothing has happened.",
    Code.IDEMPOTENCY_MISMATCH: "The id was used for another command.",
    Code.WRONG_TOPIC: "The command belongs on another topic; `detail` names it.",
    Code.UNKNOWN_TYPE: "No such command, or no such version of it.",
    Code.STALE_ID: "The id is no UUIDv7, or its time is far from the record's.",
}
