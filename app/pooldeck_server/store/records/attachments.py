"""The hosts that may have been handed calls: attached, and forgotten when all is known of them."""

from collections.abc import Collection

from msgspec.structs import asdict
from sqlalchemy import delete

from pooldeck_server.domain.pools.attachments import Attachment
from pooldeck_server.store.records.controls import keep
from pooldeck_server.store.tables import hosts
from pooldeck_server.store.transaction import Transaction


def attach_host(transaction: Transaction, attachment: Attachment) -> None:
    """Keep that a host may be handed calls from now on."""
    keep(transaction, hosts, asdict(attachment))


def forget_hosts(transaction: Transaction, boots: Collection[str]) -> None:
    """Forget hosts that can have nothing in hand any more."""
    transaction.connection.execute(delete(hosts).where(hosts.c.boot.in_(boots)))
