"""Register a user without our client: one sealed record, and a reply on the client's own topic."""

import asyncio
import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from joserfc import jwe, jwk

KAFKA: Any = {"bootstrap_servers": os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")}
NAMESPACE = os.environ.get("AUTHBUS_NAMESPACE", "auth")
KEYS = TopicPartition(f"{NAMESPACE}.state.keys.v1", 0)
REPLIES = TopicPartition(f"{NAMESPACE}.replies.web", 0)


async def sealing_key(consumer: AIOKafkaConsumer) -> dict[str, Any]:
    """The key to seal for now. AuthClient also checks the signature that stands beside it."""
    keys: dict[bytes | None, dict[str, Any]] = {}
    end = (await consumer.end_offsets([KEYS]))[KEYS]
    while await consumer.position(KEYS) < end:
        found = await consumer.getmany(KEYS, timeout_ms=500)
        keys |= {each.key: json.loads(each.value or b"{}") for each in found.get(KEYS, [])}
    serving = [each for each in keys.values() if each.get("use") == "enc" and serves(each)]
    return max(serving, key=lambda each: datetime.fromisoformat(each["not_before"]))


def serves(key: dict[str, Any]) -> bool:
    """A key is announced before it serves and retires at an hour set before."""
    now, end = datetime.now(UTC), key.get("retired_at")
    is_over = end is not None and datetime.fromisoformat(end) <= now
    return datetime.fromisoformat(key["not_before"]) <= now and not is_over


def envelope() -> dict[str, str]:
    """A command for which nobody waits after 30 seconds. To try again, send the same one."""
    now, chance = datetime.now(UTC), secrets.token_hex(9)
    uuid7 = str(UUID(f"{int(now.timestamp() * 1000):012x}7{chance[:3]}8{chance[3:]}"))
    times = {"time": now.isoformat(), "expirytime": (now + timedelta(seconds=30)).isoformat()}
    kind = {"specversion": "1.0", "type": "authbus.RegisterUser.v1", "source": "/clients/web"}
    return {"id": uuid7, **kind, **times, "reply_to": REPLIES.topic, "correlation_id": uuid7}


async def main() -> None:
    async with AIOKafkaConsumer(**KAFKA) as consumer, AIOKafkaProducer(**KAFKA) as producer:
        consumer.assign([KEYS, REPLIES])
        await consumer.seek_to_beginning(KEYS)
        await consumer.seek_to_end(REPLIES)
        key = await sealing_key(consumer)
        data = {"email": f"{secrets.token_hex(4)}@example.com", "password": "nine plain words"}
        sent, once = envelope(), jwk.ECKey.generate_key("P-256", auto_kid=False)
        seal = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": key["kid"]}
        payload = json.dumps({**sent, "reply_key": once.as_dict(private=False), "data": data})
        value = jwe.encrypt_compact(seal, payload, jwk.import_key(key["jwk"])).encode()
        headers = [(n if "_" in n else f"ce_{n}", text.encode()) for n, text in sent.items()]
        headers.append(("content-type", b"application/jose"))
        await producer.send_and_wait(f"{NAMESPACE}.commands.credentials.v1", value, headers=headers)
        async for record in consumer:
            if ("correlation_id", sent["id"].encode()) in record.headers:
                kind, told = dict(record.headers)["ce_type"].decode(), record.value or b""
                # Only a refusal comes in the clear: another answer that does may be anybody's.
                if kind != "authbus.Rejected.v1":
                    told = jwe.decrypt_compact(told, once).plaintext or b""
                print(kind, told.decode())
                return


asyncio.run(asyncio.wait_for(main(), 30))
