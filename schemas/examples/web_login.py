"""A web backend: make an account, log in, check the token, refuse a wrong password, log out."""

import asyncio
import os
import secrets

from authbus import AuthClient, AuthRejected, AuthTimeout, Code, Session, TokenRevoked
from authbus.uuid7 import uuid7

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
NAMESPACE = os.environ.get("AUTHBUS_NAMESPACE", "auth")


async def log_in(auth: AuthClient, email: str, password: str) -> Session | None:
    """The session, or None when the page should say: wrong address or password."""
    command_id = uuid7()
    for timeout in (2.0, 10.0):
        try:
            return await auth.log_in(email, password, command_id=command_id, timeout=timeout)
        except AuthTimeout:
            continue  # the same id again: one session, however often it is asked for
        except AuthRejected as refused:
            if refused.code != Code.INVALID_CREDENTIALS:
                raise
            return None
    raise AuthTimeout(command_id)


async def main() -> None:
    email, password = f"{secrets.token_hex(4)}@example.com", "nine plain words of my own"
    # On a service of somebody else, give trust="...", the thumbprint that it prints at start.
    async with AuthClient(SERVERS, client_id="web", namespace=NAMESPACE) as auth:
        user = await auth.register(email, password)
        print("registered", user.user_id)

        if await log_in(auth, email, "not the password") is not None:
            raise SystemExit("a wrong password was taken")
        session = await log_in(auth, email, password)
        if session is None:
            raise SystemExit("the right password was refused")
        claims = auth.verify(session.access_token)  # offline, on every request
        print("logged in", claims.user_id, "until", session.access_token_expires_at)

        await auth.log_out(session)
        try:
            auth.verify(session.access_token)
        except TokenRevoked:
            print("logged out, the token is void")
        else:
            raise SystemExit("the token of an ended session was taken")


if __name__ == "__main__":
    asyncio.run(main())
