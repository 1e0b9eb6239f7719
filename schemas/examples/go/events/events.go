// Code generated from the JSON Schemas by quicktype. DO NOT EDIT.

package events

import "time"

// A mail with a code is on its way to another address; nothing has changed yet.
type EmailChangeRequested struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// The account has another address, a verified one. It is on `auth.state.users.v1` alone.
type EmailChanged struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// A mail with a new code is on its way to the account's address.
type EmailVerificationRequested struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// The account's address is its user's.
type EmailVerified struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// The user has a new password. Sessions that end with it have events of their own.
type PasswordChanged struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Reason      string `json:"reason"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// The user's password was taken away; sessions that end with it have events of their own.
//
// Unless the account is deactivated, a mail with a code for a new one is on its way.
type PasswordResetForced struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// A mail with a code for a new password is on its way; the old one is still good.
type PasswordResetRequested struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// These fields of the profile changed. Their values are on `auth.state.users.v1` alone.
type ProfileUpdated struct {
	Actor          string   `json:"actor"`
	CausationID    string   `json:"causation_id"`
	Fields         []string `json:"fields"`
	ProfileVersion int64    `json:"profile_version"`
	Sequence       int64    `json:"sequence"`
	UserID         string   `json:"user_id"`
}

// A recovery code was used; so many are left.
type RecoveryCodeUsed struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Left        int64  `json:"left"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// The user holds this role from now on; what it permits is the installation's.
type RoleGranted struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Role        string `json:"role"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// The user holds this role no longer. Access tokens keep it until they expire.
type RoleRevoked struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Role        string `json:"role"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// A password was right, and a second factor is waited for.
type SecondFactorRequested struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// A service account has a new secret; those of before are good until then at most.
type ServiceSecretRotated struct {
	Actor       string    `json:"actor"`
	CausationID string    `json:"causation_id"`
	FormerUntil time.Time `json:"former_until"`
	Sequence    int64     `json:"sequence"`
	UserID      string    `json:"user_id"`
}

// A second factor was shown within a session; `amr` are all that it was shown by so far.
type SessionElevated struct {
	Actor       string   `json:"actor"`
	AMR         []string `json:"amr"`
	CausationID string   `json:"causation_id"`
	Sequence    int64    `json:"sequence"`
	SessionID   string   `json:"session_id"`
	UserID      string   `json:"user_id"`
}

// A session is over and never comes back.
type SessionEnded struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Reason      string `json:"reason"`
	Sequence    int64  `json:"sequence"`
	SessionID   string `json:"session_id"`
	UserID      string `json:"user_id"`
}

// Its holder came for new tokens: it goes on until `lapses_at`, or is refreshed again.
type SessionRefreshed struct {
	Actor       string    `json:"actor"`
	CausationID string    `json:"causation_id"`
	LapsesAt    time.Time `json:"lapses_at"`
	Sequence    int64     `json:"sequence"`
	SessionID   string    `json:"session_id"`
	UserID      string    `json:"user_id"`
}

// A log-in. `amr` are RFC 8176 method names, `client_id` is the producer that asked.
//
// The session is over at `expires_at`, and before that at `lapses_at` when it is not
// refreshed.
type SessionStarted struct {
	Actor       string    `json:"actor"`
	AMR         []string  `json:"amr"`
	CausationID string    `json:"causation_id"`
	ClientID    string    `json:"client_id"`
	ExpiresAt   time.Time `json:"expires_at"`
	LapsesAt    time.Time `json:"lapses_at"`
	Sequence    int64     `json:"sequence"`
	SessionID   string    `json:"session_id"`
	UserID      string    `json:"user_id"`
}

// Log-ins of this user need no second factor any more.
//
// `password_reset`: it was set up before anybody had read a mail to the account's address.
type TotpDisabled struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Reason      string `json:"reason"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// From now on a log-in of this user needs a second factor.
type TotpEnabled struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// A second factor is being set up; nothing is needed of its user yet.
type TotpRequested struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// A code of the user's app was used: neither it nor an earlier one is good any more.
type TotpUsed struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// An account was made. Its e-mail is on `auth.state.users.v1` alone.
type UserCreated struct {
	Actor       string  `json:"actor"`
	CausationID string  `json:"causation_id"`
	Kind        *string `json:"kind,omitempty"`
	Sequence    int64   `json:"sequence"`
	UserID      string  `json:"user_id"`
}

// An account was shut; its sessions end with events of their own.
type UserDeactivated struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Reason      string `json:"reason"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// The account and all that was held of it are gone. The last event of this user.
type UserErased struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// Too many wrong passwords: nobody logs in with one until then. Sessions go on.
type UserLocked struct {
	Actor       string    `json:"actor"`
	CausationID string    `json:"causation_id"`
	Sequence    int64     `json:"sequence"`
	Until       time.Time `json:"until"`
	UserID      string    `json:"user_id"`
}

// A deactivated account may be used again.
type UserReactivated struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}

// The lock is over. One that has run out is told at the next log-in.
type UserUnlocked struct {
	Actor       string `json:"actor"`
	CausationID string `json:"causation_id"`
	Reason      string `json:"reason"`
	Sequence    int64  `json:"sequence"`
	UserID      string `json:"user_id"`
}
