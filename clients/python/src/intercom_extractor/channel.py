"""Connections to a server: addresses, TLS, the caller's token."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc.experimental import ChannelOptions

# A batch is at most 1 MiB, but a single row may be as large as this.
LARGEST_MESSAGE = 64 << 20

OPTIONS: Sequence[tuple[str, Any]] = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    # The server says something at least every 10 s. More than one ping in 30 s it takes for
    # an attack.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 30_000),
    # As often as it takes: no data flows while a slow caller is what everybody waits for.
    ("grpc.http2.max_pings_without_data", 0),
    # By default gRPC waits up to two minutes before it connects again.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
# A proxy for the internet has no business between us and this machine.
LOCAL_OPTIONS: Sequence[tuple[str, Any]] = (*OPTIONS, ("grpc.enable_http_proxy", 0))
# Who waits for a message receives it, without a thread in between: a sixth more rows/s.
_BLOCKING_OPTIONS = ((ChannelOptions.SingleThreadedUnaryStream, 1),)


@dataclass(frozen=True)
class TLS:
    """Trusts the authorities in `ca_file` instead of the system's; shows a client certificate
    when `cert_file` and `key_file` are given. Files are PEM."""

    ca_file: str | Path | None = None
    cert_file: str | Path | None = None
    key_file: str | Path | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        def read(path: str | Path | None) -> bytes | None:
            return None if path is None else Path(path).read_bytes()

        return grpc.ssl_channel_credentials(
            read(self.ca_file), read(self.key_file), read(self.cert_file)
        )


def is_local(target: str) -> bool:
    """Whether an address stays within this machine: only there may text travel in the clear."""
    if target.startswith("unix:"):
        return True
    host = re.sub(r":\d+$", "", target).strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def metadata_for(token: str | None) -> Sequence[tuple[str, str]]:
    if token is None:
        return ()
    if not re.fullmatch(r"[!-~]+", token):
        # Without the token: it would end in logs.
        raise ValueError("token must be one word of printable ASCII characters")
    return (("authorization", f"Bearer {token}"),)


def credentials_for(target: str, tls: TLS | bool | None) -> grpc.ChannelCredentials | None:
    """None: in the clear."""
    if tls is None:
        tls = not is_local(target)
    if tls is True:
        tls = TLS()
    if tls is False:
        if not is_local(target):
            raise ValueError(f"{target} is not on this machine: TLS is needed")
        return None
    return tls.credentials()


def _options(target: str) -> Sequence[tuple[str, Any]]:
    return LOCAL_OPTIONS if is_local(target) else OPTIONS


def open_channel(target: str, tls: TLS | bool | None) -> grpc.Channel:
    credentials = credentials_for(target, tls)
    if credentials is None:
        return grpc.insecure_channel(target, options=(*_options(target), *_BLOCKING_OPTIONS))
    return grpc.secure_channel(target, credentials, options=(*_options(target), *_BLOCKING_OPTIONS))


def open_aio_channel(target: str, tls: TLS | bool | None) -> grpc.aio.Channel:
    credentials = credentials_for(target, tls)
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=_options(target))
    return grpc.aio.secure_channel(target, credentials, options=_options(target))
