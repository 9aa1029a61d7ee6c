"""Certificates for peers on the loopback interface, good ones and bad ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

# More than any clock of a scenario is wrong by but one.
VALID_DAYS = 3650
# By any of these Intercom may be called.
NAMES = ("127.0.0.1", "api.intercom.test")


class Certificates:
    """PEM files, made when first asked for, each with its key."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._made: set[str] = set()
        self._authority = trustme.CA()
        self._stranger = trustme.CA()
        self.authority = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.authority)

    def of(self, kind: str) -> Path:
        """good, expired, of another name, or signed by an authority that nobody knows."""
        file = self._folder / f"{kind}.pem"
        if kind not in self._made:
            self._made.add(kind)
            days = -1 if kind == "expired" else VALID_DAYS
            authority = self._stranger if kind == "unknown" else self._authority
            names = ("elsewhere.test",) if kind == "other_name" else NAMES
            certificate = authority.issue_cert(
                *names, not_after=datetime.now(UTC) + timedelta(days=days)
            )
            certificate.private_key_and_cert_chain_pem.write_to_path(file)
        return file
