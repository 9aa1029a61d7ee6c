"""The rows of a batch, and what tells about them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from intercom_extractor.v1 import tables_pb2
from intercom_extractor.v1.extractor_service_pb2 import ParentRows, RowBatch

Row = (
    tables_pb2.User
    | tables_pb2.UserTag
    | tables_pb2.UserSegment
    | tables_pb2.UserCompany
    | tables_pb2.UserSocialProfile
    | tables_pb2.Note
    | tables_pb2.EventSummary
    | tables_pb2.Lead
    | tables_pb2.LeadTag
    | tables_pb2.LeadSegment
    | tables_pb2.LeadCompany
    | tables_pb2.LeadSocialProfile
    | tables_pb2.Company
    | tables_pb2.Admin
    | tables_pb2.Tag
    | tables_pb2.Segment
    | tables_pb2.Conversation
    | tables_pb2.ConversationAttachment
    | tables_pb2.ConversationCustomer
    | tables_pb2.ConversationTag
    | tables_pb2.ConversationPart
    | tables_pb2.ConversationPartAttachment
)


def rows_of(batch: RowBatch) -> Sequence[Row]:
    """Empty for a table that is newer than this package: it was not asked for."""
    rows: Sequence[Row] = getattr(batch, batch.table, ())
    return rows


class Batch:
    """Rows of one table that left the server together."""

    __slots__ = ("message", "rows", "table")

    def __init__(self, message: RowBatch) -> None:
        self.message = message
        self.table = message.table
        self.rows = rows_of(message)

    @property
    def generation(self) -> int:
        """Counts the times that the table began, from 1."""
        return self.message.generation

    @property
    def extracted_at(self) -> datetime:
        """When the oldest answer that these rows are from arrived at the server, in UTC."""
        return self.message.extracted_at.ToDatetime(tzinfo=UTC)

    @property
    def parents(self) -> Sequence[ParentRows]:
        """With `with_parents`: how many rows contacts and conversations have in this table."""
        return self.message.parents

    def __len__(self) -> int:
        return len(self.rows)
