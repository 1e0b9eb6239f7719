"""Which broker leads a partition: one that says that it is another is believed at once.

Where a consumer has no offset to begin at, it asks the leader for one. aiokafka asks the same one
again and again, although that does not lead any more, until its view of the cluster is five minutes
old.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError


def heed_leaders(consumer: AIOKafkaConsumer) -> None:
    """Let this consumer, which has been started, look anew who leads when it is told so.

    Others of the same process are not touched.
    """
    fetcher: Any = getattr(consumer, "_fetcher", None)
    if not hasattr(fetcher, "_proc_offset_request") or "_proc_offset_request" in vars(fetcher):
        return
    ask = fetcher._proc_offset_request  # noqa: SLF001

    async def heeding(node: int, topics: Any) -> Any:  # noqa: ANN401 - as aiokafka's own
        try:
            return await ask(node, topics)
        except KafkaError as error:
            if error.invalid_metadata:
                fetcher._client.force_metadata_update()  # noqa: SLF001
            raise

    fetcher._proc_offset_request = heeding  # noqa: SLF001
