# pyright: basic, reportMissingImports=false
# Runs in an environment of its own, which the checkers do not see.
"""fastapi-users as its documentation has it: accounts and sessions in PostgreSQL, bearer tokens.

app.py DATABASE_URL PORT WORKERS
"""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncGenerator

import uvicorn
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

_HASHER = Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1)
_MADE_UP = "only for a benchmark"
_DAY = 86_400


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    pass


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = _MADE_UP
    verification_token_secret = _MADE_UP


ENGINE = create_async_engine(os.environ.get("DATABASE_URL", "postgresql+asyncpg://"), pool_size=20)
NEW_DB = async_sessionmaker(ENGINE, expire_on_commit=False)


async def a_db() -> AsyncGenerator[AsyncSession, None]:
    async with NEW_DB() as db:
        yield db


def a_manager(db: AsyncSession = Depends(a_db)) -> Manager:  # noqa: B008 - FastAPI's way
    return Manager(SQLAlchemyUserDatabase(db, User), PasswordHelper(PasswordHash((_HASHER,))))


def a_strategy(db: AsyncSession = Depends(a_db)) -> DatabaseStrategy:  # noqa: B008 - FastAPI's way
    return DatabaseStrategy(SQLAlchemyAccessTokenDatabase(db, AccessToken), _DAY)


class UserRead(schemas.BaseUser[uuid.UUID]):
    pass


class UserCreate(schemas.BaseUserCreate):
    pass


BACKEND = AuthenticationBackend("database", BearerTransport("auth/login"), a_strategy)
USERS = FastAPIUsers[User, uuid.UUID](a_manager, [BACKEND])
APP = FastAPI()
APP.include_router(USERS.get_auth_router(BACKEND), prefix="/auth")
APP.include_router(USERS.get_register_router(UserRead, UserCreate), prefix="/auth")


async def _make_tables() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as db:
        await db.run_sync(Base.metadata.create_all)
    await engine.dispose()


def main() -> None:
    os.environ["DATABASE_URL"] = sys.argv[1]
    asyncio.run(_make_tables())
    uvicorn.run(
        "app:APP",
        port=int(sys.argv[2]),
        workers=int(sys.argv[3]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        timeout_keep_alive=3600,  # the callers keep their connections while others are measured
        log_level="warning",
    )


if __name__ == "__main__":
    main()
