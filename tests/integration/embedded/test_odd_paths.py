"""A path may have any letter in it: Kafka reads its own settings in another way than others do."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from authbus_service.embedded import EmbeddedStack, kafka_home, warm
from tests.integration.embedded.helpers import create_topic, first_record, sql

ODD = "é, 100% x\\y"


async def test_a_stack_keeps_its_data_in_a_folder_of_any_name(tmp_path: Path) -> None:
    async with EmbeddedStack(tmp_path / ODD) as stack:
        kafka, database = stack.addresses.bootstrap_servers, stack.addresses.database_url
        await create_topic(kafka, "kept")
        # The broker unpacks it by a library that it puts into its own folder.
        async with AIOKafkaProducer(bootstrap_servers=kafka, compression_type="zstd") as producer:
            await producer.send_and_wait("kept", b"still here" * 100)
        await sql(database, "CREATE TABLE kept AS SELECT 7 AS n")
        log_dir = stack.kafka_log_dir
        has_topic = (log_dir / "kept-0").is_dir()

    async with EmbeddedStack(tmp_path / ODD) as stack:
        record = await first_record(stack.addresses.bootstrap_servers, "kept")
        number = await sql(stack.addresses.database_url, "SELECT n FROM kept")

    assert has_topic
    assert log_dir.is_relative_to(tmp_path / ODD)
    assert record == b"still here" * 100
    assert number == 7


async def test_a_cache_may_lie_in_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = kafka_home.find().jar_folder
    monkeypatch.setenv("AUTHBUS_CACHE", str(tmp_path / ODD))
    home = kafka_home.find()
    shutil.copytree(usual, home.jar_folder, copy_function=os.link)

    await asyncio.to_thread(warm, print)
    async with EmbeddedStack(postgres=False) as stack:
        await create_topic(stack.addresses.bootstrap_servers, "greetings")

    assert home.folder.is_relative_to(tmp_path / ODD)
    assert home.warm
    assert home.flags() != []
