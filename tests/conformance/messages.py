"""The messages of the service, beside Intercom's own library, whose package has the same name."""

import pkgutil

import intercom

intercom.__path__ = pkgutil.extend_path(intercom.__path__, "intercom")

from intercom.extractor.v1 import extractor_service_pb2 as service  # noqa: E402

__all__ = ["service"]
