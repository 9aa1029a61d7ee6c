"""Reads whole Intercom workspaces from an Intercom extractor server.

from intercom_extractor import Client

with Client("localhost:50051") as client:
    for table, row in client.extract(["users", "conversations"]):
        print(table, row.id)
"""

from intercom_extractor.aio import AsyncClient, AsyncExtraction
from intercom_extractor.backoff import Timing
from intercom_extractor.channel import TLS
from intercom_extractor.client import Client
from intercom_extractor.delivery import Event
from intercom_extractor.errors import (
    BrokenStreamError,
    CancelledError,
    ConnectionUnknownError,
    DeadlineExceededError,
    ExtractorError,
    InvalidRequestError,
    PermissionDeniedError,
    ResourceExhaustedError,
    ResumeTokenError,
    TableRestartedError,
    UnauthenticatedError,
    UnavailableError,
)
from intercom_extractor.extraction import Extraction
from intercom_extractor.rows import Batch, Row

__all__ = [
    "TLS",
    "AsyncClient",
    "AsyncExtraction",
    "Batch",
    "BrokenStreamError",
    "CancelledError",
    "Client",
    "ConnectionUnknownError",
    "DeadlineExceededError",
    "Event",
    "Extraction",
    "ExtractorError",
    "InvalidRequestError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "ResumeTokenError",
    "Row",
    "TableRestartedError",
    "Timing",
    "UnauthenticatedError",
    "UnavailableError",
]
