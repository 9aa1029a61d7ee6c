//! What to read.

use std::time::SystemTime;

use crate::v1;

/// What to read: single tables, a template, or all tables.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use intercom_extractor::{v1::Template, Request};
///
/// let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
/// let request = Request::template(Template::Basic).and_tables(["conversations"]).updated_since(yesterday);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Without connection, and with the template that was named.
    asked: v1::ExtractRequest,
}

impl Request {
    /// All tables.
    pub fn all() -> Self {
        Request::default()
    }

    /// Single tables by name.
    pub fn tables<I: IntoIterator<Item: Into<String>>>(names: I) -> Self {
        Request::default().and_tables(names)
    }

    /// A set of tables.
    pub fn template(template: v1::Template) -> Self {
        let mut request = Request::default();
        request.asked.set_template(template);
        request
    }

    /// Also these tables.
    #[must_use]
    pub fn and_tables<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.asked.tables.extend(names.into_iter().map(Into::into));
        self
    }

    /// How bodies of conversations are written; plain text where nothing is said.
    #[must_use]
    pub fn body_format(mut self, format: v1::BodyFormat) -> Self {
        self.asked.set_body_format(format);
        self
    }

    /// Only what changed then or later, to the second. Must not lie in the future.
    #[must_use]
    pub fn updated_since(mut self, since: SystemTime) -> Self {
        let mut timestamp = prost_types::Timestamp::from(since);
        timestamp.nanos = 0;
        self.asked.updated_since = Some(timestamp);
        self
    }

    /// Also what was deleted since then; see [`Event`](crate::Event).
    #[must_use]
    pub fn find_deleted(mut self) -> Self {
        self.asked.find_deleted = true;
        self
    }

    /// Also how many rows each contact and conversation has in the tables below it: `parents` of
    /// [`Batch`](crate::Batch). A plan takes no notice of it.
    #[must_use]
    pub fn with_parents(mut self) -> Self {
        self.asked.with_parents = true;
        self
    }

    /// Goes on where an earlier extraction, of the same request otherwise, had this checkpoint. A
    /// plan takes no notice of it.
    #[must_use]
    pub fn resume_from(mut self, token: impl Into<Vec<u8>>) -> Self {
        self.asked.resume_token = token.into();
        self
    }

    pub(crate) fn extract(self, connection: &str) -> v1::ExtractRequest {
        let mut asked = self.asked;
        connection.clone_into(&mut asked.connection);
        if asked.tables.is_empty() && asked.template() == v1::Template::Unspecified {
            asked.set_template(v1::Template::All);
        }
        asked
    }

    pub(crate) fn plan(self, connection: &str) -> v1::PlanExtractionRequest {
        let asked = self.extract(connection);
        v1::PlanExtractionRequest {
            connection: asked.connection,
            template: asked.template,
            tables: asked.tables,
            body_format: asked.body_format,
            updated_since: asked.updated_since,
            find_deleted: asked.find_deleted,
        }
    }
}

/// Whether a request reads a table.
pub(crate) fn asks_for(request: &v1::ExtractRequest, table: &v1::Table) -> bool {
    let template = request.template();
    request.tables.contains(&table.name)
        || template == v1::Template::All
        || template != v1::Template::Unspecified && template == table.template()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn requests_say_what_is_asked_for() {
        let since = SystemTime::UNIX_EPOCH + Duration::from_millis(1_735_000_000_900);
        let request = Request::template(v1::Template::Basic)
            .and_tables(["conversations"])
            .body_format(v1::BodyFormat::Html)
            .updated_since(since)
            .find_deleted()
            .with_parents()
            .resume_from("token");
        let seconds = prost_types::Timestamp {
            seconds: 1_735_000_000,
            nanos: 0,
        };
        let extract = v1::ExtractRequest {
            connection: "other".into(),
            template: v1::Template::Basic.into(),
            tables: vec!["conversations".into()],
            body_format: v1::BodyFormat::Html.into(),
            resume_token: b"token".to_vec(),
            updated_since: Some(seconds),
            find_deleted: true,
            with_parents: true,
            columns: Vec::new(),
        };
        let plan = v1::PlanExtractionRequest {
            connection: "other".into(),
            template: v1::Template::Basic.into(),
            tables: vec!["conversations".into()],
            body_format: v1::BodyFormat::Html.into(),
            updated_since: Some(seconds),
            find_deleted: true,
        };
        assert_eq!(request.clone().extract("other"), extract);
        assert_eq!(request.plan("other"), plan);
    }

    #[test]
    fn who_names_nothing_asks_for_everything() {
        assert_eq!(Request::all().extract("").template(), v1::Template::All);
        assert_eq!(
            Request::tables(["tags"]).extract("").template(),
            v1::Template::Unspecified
        );
        assert_eq!(Request::all().plan("").template(), v1::Template::All);
    }

    #[test]
    fn requests_know_their_tables() {
        let table = |name: &str, template: v1::Template| v1::Table {
            name: name.into(),
            template: template.into(),
            ..v1::Table::default()
        };
        let tags = table("tags", v1::Template::Basic);
        let parts = table("conversation_parts", v1::Template::Conversations);
        let reads = |request: Request, table| asks_for(&request.extract(""), table);
        assert!(reads(Request::all(), &tags) && reads(Request::all(), &parts));
        assert!(reads(Request::tables(["tags"]), &tags));
        assert!(!reads(Request::tables(["tags"]), &parts));
        let basic = Request::template(v1::Template::Basic);
        assert!(reads(basic.clone(), &tags) && !reads(basic.clone(), &parts));
        assert!(reads(basic.and_tables(["conversation_parts"]), &parts));
    }
}
