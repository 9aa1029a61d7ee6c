"""What can go wrong, as exceptions that say what the server said."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2


class ExtractorError(Exception):
    """A call failed. Each code has a class of its own where callers tell them apart.

    `reason` is one of docs/errors.md, or empty: then gRPC itself says it, of the connection.
    `retry_delay` is set where the server says that waiting helps. The message names operations
    and ids, never a token or customer content.
    """

    def __init__(
        self,
        message: str,
        code: grpc.StatusCode,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_delay: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_delay = retry_delay

    def __str__(self) -> str:
        return f"{self.reason or self.code.name}: {self.message}"


class InvalidRequestError(ExtractorError):
    """Correct the request: it names no table, or one that does not exist."""


class ConnectionUnknownError(ExtractorError):
    """The server has no connection of that name."""


class UnauthenticatedError(ExtractorError):
    """Intercom refuses the connection's access token, or the server this caller."""


class PermissionDeniedError(ExtractorError):
    """The access token lacks a scope, or the workspace's plan does not include it."""


class ResourceExhaustedError(ExtractorError):
    """No quota, or no room; with a `retry_delay` where waiting helps."""


class ResumeTokenError(ExtractorError):
    """The resume token cannot be used, and never will be: extract anew without it."""


class UnavailableError(ExtractorError):
    """The server, or Intercom behind it, could not be reached."""


class DeadlineExceededError(ExtractorError):
    """The time that the caller gave is over."""


class CancelledError(ExtractorError):
    """The call was cancelled, and not by this client."""


class BrokenStreamError(ExtractorError):
    """The server broke the promises of its stream: rows may be missing. Report it."""

    def __init__(self, message: str) -> None:
        super().__init__(f"the server's stream is broken: {message}", grpc.StatusCode.DATA_LOSS)


class TableRestartedError(Exception):
    """A table begins anew after rows of it were handed out, and nobody listens for that.

    The rows of `table` so far are void. Pass `on_table_restarted` to be told instead, or read
    with something that drops them by itself: `to_arrow_tables`, `to_pandas`, `to_parquet`,
    `to_duckdb`.
    """

    def __init__(self, table: str, generation: int, reason: str) -> None:
        super().__init__(
            f"{table} begins anew ({reason}): the rows of it so far are void. Pass "
            "on_table_restarted to drop them and go on"
        )
        self.table = table
        self.generation = generation


_CLASSES: dict[grpc.StatusCode, type[ExtractorError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: ConnectionUnknownError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.CANCELLED: CancelledError,
}


def from_rpc_error(error: Any) -> ExtractorError:
    """`error`: a grpc.RpcError that is a grpc.Call, or a grpc.aio.AioRpcError."""
    code: grpc.StatusCode = error.code()
    info = error_details_pb2.ErrorInfo()
    retry_delay: timedelta | None = None
    for detail in _details(error.trailing_metadata()):
        detail.Unpack(info)
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(retry):
            retry_delay = retry.retry_delay.ToTimedelta()
    kind = _CLASSES.get(code, ExtractorError)
    if code is grpc.StatusCode.FAILED_PRECONDITION and info.reason.startswith("RESUME_TOKEN_"):
        kind = ResumeTokenError
    return kind(
        error.details() or "",
        code,
        reason=info.reason,
        metadata=info.metadata,
        retry_delay=retry_delay,
    )


def _details(trailers: Any) -> list[Any]:
    for key, value in trailers or ():
        if key == "grpc-status-details-bin":
            return list(status_pb2.Status.FromString(value).details)
    return []


# Reasons with which a server ends a stream that another call continues.
_GOES_ON = ("", "SERVER_STOPPING", "CONNECTION_AGE")


def is_lost_connection(error: ExtractorError) -> bool:
    """Whether another call can make up for it.

    What a server says of Intercom has a reason; what gRPC says of the connection has none.
    CANCELLED, which nobody here asked for, is a server's last answer as it stops.
    """
    lost = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    return error.code in lost and error.reason in _GOES_ON
