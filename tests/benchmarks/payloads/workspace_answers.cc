#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/benchmarks/payloads/answers.h"
#include "tests/benchmarks/payloads/json_text.h"

namespace intercom_extractor::payloads {
namespace {

template <typename MakeRecord>
std::vector<std::string> Records(int count, MakeRecord make) {
  std::vector<std::string> records;
  records.reserve(count);
  for (int i = 0; i < count; ++i) records.push_back(make(i));
  return records;
}

Answer List(const std::string& name, v1::SourceRecord record, const std::string& type,
            const std::string& items, const std::vector<std::string>& records) {
  Answer answer;
  answer.name = name;
  answer.record = record;
  answer.items = items;
  answer.records = records.size();
  answer.text = Object().Text("type", type).Add(items, Array(records)).Done();
  return answer;
}

std::string Company(Random* random, int i) {
  Object company;
  company.Text("type", "company")
      .Text("company_id", absl::StrCat("remote_company_", i))
      .Text("id", absl::StrCat("6762f0971bb69f9f2193b", 100 + i))
      .Text("app_id", "ecahpwf5")
      .Text("name", absl::StrCat("Blue Sun \"", i, "\" GmbH"))
      .Number("remote_created_at", 1734537367)
      .Number("created_at", 1734537367 + i)
      .Number("updated_at", 1734537367 + i)
      .Number("last_request_at", 1734364582)
      .Add("monthly_spend", i % 2 == 0 ? "155.5" : "0")
      .Number("session_count", i)
      .Number("user_count", 4);
  if (i % 3 == 0) {
    company.Number("size", 85).Text("website", "https://www.example.com").Text("industry", "Food");
  }
  company
      .Add("tags", Object()
                       .Text("type", "tag.list")
                       .Add("tags", Array(Records(i % 3,
                                                  [](int tag) {
                                                    return Object()
                                                        .Text("type", "tag")
                                                        .Text("id", std::to_string(100 + tag))
                                                        .Text("name", "Customer")
                                                        .Done();
                                                  })))
                       .Done())
      .Add("segments", R"({"type":"segment.list","segments":[]})")
      .Add("plan", i % 2 == 0 ? R"({"type":"plan","id":"1269","name":"Pro"})" : "{}");
  return company
      .Add("custom_attributes", Object()
                                    .Bool("paid_subscriber", true)
                                    .Number("team_mates", i)
                                    .Text("note", Words(random, 200))
                                    .Done())
      .Done();
}

Answer CompaniesScroll(Random* random) {
  Answer answer = List("companies_scroll", v1::SOURCE_RECORD_COMPANY, "list", "data",
                       Records(100, [random](int i) { return Company(random, i); }));
  answer.text.pop_back();
  absl::StrAppend(&answer.text, R"(,"pages":null,"total_count":null,"scroll_param":)",
                  R"("69352cd2-ab5b-42ac-b004-a13d4e55e9b0"})");
  return answer;
}

std::string Admin(int i) {
  return Object()
      .Text("type", "admin")
      .Text("email", absl::StrCat("admin", i, "@example.com"))
      .Text("id", std::to_string(991267466 + i))
      .Text("name", absl::StrCat("Ciaran", i, " Lee"))
      .Bool("away_mode_enabled", false)
      .Bool("away_mode_reassign", false)
      .Bool("has_inbox_seat", true)
      .Add("team_ids", "[814865,814866]")
      .Done();
}

std::string Team(int i) {
  return Object()
      .Text("type", "team")
      .Text("id", std::to_string(814865 + i))
      .Text("name", absl::StrCat("Team ", i))
      .Add("admin_ids", "[493881,493882,493883]")
      .Done();
}

std::string Tag(int i) {
  return Object()
      .Text("type", "tag")
      .Text("id", std::to_string(100 + i))
      .Text("name", absl::StrCat("Manual tag ", i))
      .Done();
}

std::string Segment(int i) {
  return Object()
      .Text("type", "segment")
      .Text("id", absl::StrCat("6762f25c1bb69f9f2193b", 100 + i))
      .Text("name", absl::StrCat("Segment ", i))
      .Number("created_at", 1734537820)
      .Number("updated_at", 1734537820 + i)
      .Text("person_type", i % 2 == 0 ? "contact" : "user")
      .Number("count", i * 37)
      .Done();
}

std::string Note(Random* random, int i) {
  Object note;
  note.Text("type", "note").Text("id", std::to_string(26 + i)).Number("created_at", 1733932587 + i);
  if (i % 4 == 3) {
    note.Nulls({"contact", "author"});
  } else {
    note.Add("contact", R"({"type":"contact","id":"6762f0ab1bb69f9f2193bb60"})")
        .Add("author", R"({"type":"admin","id":"991267581","name":"Ciaran122 Lee",)"
                       R"("email":"admin122@example.com","away_mode_enabled":false,)"
                       R"("away_mode_reassign":false})");
  }
  return note.Text("body", Html(random, 300)).Done();
}

std::string Event(int i) {
  return Object()
      .Text("name", absl::StrCat("placed-order-", i))
      .Text("first", "2014-01-16T23:12:21.000+00:00")
      .Text("last", "2014-01-16T23:12:21.000+00:00 ")
      .Number("count", i + 1)
      .Text("description", "A user placed an order")
      .Done();
}

// One of the lists that belong to a contact.
Answer Child(Answer answer, v1::ContactRole role) {
  answer.parent_id = "6762f0ab1bb69f9f2193bb60";
  answer.parent_role = role;
  return answer;
}

}  // namespace

std::vector<Answer> WorkspaceAnswers(uint64_t seed) {
  Random random(seed);
  return {CompaniesScroll(&random),
          List("admins", v1::SOURCE_RECORD_ADMIN, "admin.list", "admins", Records(100, Admin)),
          List("teams", v1::SOURCE_RECORD_TEAM, "team.list", "teams", Records(20, Team)),
          List("tags", v1::SOURCE_RECORD_TAG, "list", "data", Records(500, Tag)),
          List("segments", v1::SOURCE_RECORD_SEGMENT, "segment.list", "segments",
               Records(100, Segment))};
}

std::vector<Answer> ContactChildAnswers(uint64_t seed) {
  Random random(seed);
  Answer events;
  events.name = "events_summary";
  events.record = v1::SOURCE_RECORD_EVENT_SUMMARY;
  events.records = 1;
  events.text = Object()
                    .Text("type", "event.summary")
                    .Add("events", Array(Records(200, Event)))
                    .Add("pages", R"({"next":"http://api.example.com/events?next page"})")
                    .Text("email", "user26@example.com")
                    .Text("intercom_user_id", "6762f0ab1bb69f9f2193bb60")
                    .Text("user_id", "3ecf64d0-9ed1-4e9f-88e1-da7d6e6782f3")
                    .Done();
  return {
      Child(List("contact_tags", v1::SOURCE_RECORD_CONTACT_TAG, "list", "data", Records(50, Tag)),
            v1::CONTACT_ROLE_USER),
      Child(List("contact_segments", v1::SOURCE_RECORD_CONTACT_SEGMENT, "list", "data",
                 Records(20, Segment)),
            v1::CONTACT_ROLE_LEAD),
      Child(List("contact_companies", v1::SOURCE_RECORD_CONTACT_COMPANY, "list", "data",
                 Records(50, [&random](int i) { return Company(&random, i); })),
            v1::CONTACT_ROLE_USER),
      Child(List("notes", v1::SOURCE_RECORD_NOTE, "list", "data",
                 Records(50, [&random](int i) { return Note(&random, i); })),
            v1::CONTACT_ROLE_LEAD),
      Child(std::move(events), v1::CONTACT_ROLE_USER)};
}

std::vector<Answer> AllAnswers(uint64_t seed) {
  std::vector<Answer> answers;
  for (const auto make :
       {ContactAnswers, ConversationAnswers, WorkspaceAnswers, ContactChildAnswers}) {
    for (Answer& answer : make(seed)) answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace intercom_extractor::payloads
