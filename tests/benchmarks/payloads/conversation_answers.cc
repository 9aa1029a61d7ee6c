#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/benchmarks/payloads/answers.h"
#include "tests/benchmarks/payloads/json_text.h"

namespace intercom_extractor::payloads {
namespace {

struct ConversationShape {
  // Less than none: as in the list, which holds no parts.
  int parts = -1;
  size_t body_bytes = 300;
  Escapes escapes = Escapes::kNeeded;
};

std::string Person(const char* type, int id) {
  return Object()
      .Text("type", type)
      .Text("id", std::to_string(id))
      .Text("name", absl::StrCat("Ciaran", id % 1000, " Lee"))
      .Text("email", absl::StrCat("admin", id % 1000, "@example.com"))
      .Done();
}

std::string Attachment(int i) {
  return Object()
      .Text("type", "upload")
      .Text("name", absl::StrCat("screenshot ", i, ".png"))
      .Text("url", absl::StrCat("https://downloads.example.com/i/o/", 403918334 + i,
                                "/3f6dcf1b6b2f/screenshot.png?expires=1734541200&signature="
                                "9d0c1f8a55e6f6b1b0b9a4f7"))
      .Text("content_type", "image/png")
      .Number("filesize", 28410 + i)
      .Number("width", 1280)
      .Number("height", 720)
      .Done();
}

std::string Attachments(int count) {
  std::vector<std::string> elements;
  elements.reserve(count);
  for (int i = 0; i < count; ++i) elements.push_back(Attachment(i));
  return Array(elements);
}

std::string AppliedTag(int id) {
  return Object()
      .Text("type", "tag")
      .Text("id", std::to_string(id))
      .Text("name", "Billing")
      .Number("applied_at", 1663597223)
      .Add("applied_by", R"({"type":"admin","id":"991267715"})")
      .Done();
}

// Three in five are messages; the others have no body.
std::string Part(Random* random, const ConversationShape& shape, int i) {
  const bool message = i % 5 < 3;
  const char* const type = message ? "comment" : i % 5 == 3 ? "assignment" : "close";
  Object part;
  part.Text("type", "conversation_part")
      .Text("id", std::to_string(20231000 + i))
      .Text("part_type", type)
      .Add("body", message ? JsonString(Html(random, shape.body_bytes), shape.escapes) : "null")
      .Number("created_at", 1663597223 + i * 60)
      .Number("updated_at", 1663597260 + i * 60)
      .Number("notified_at", 1663597260 + i * 60)
      .Add("assigned_to", i % 5 == 3 ? R"({"type":"admin","id":"991267715"})" : "null")
      .Add("author", Person(i % 2 == 0 ? "user" : "admin", i % 2 == 0 ? 70 : 991267715))
      .Add("attachments", Attachments(i % 7 == 0 ? 1 : 0));
  if (i % 3 == 0) {
    part.Text("external_id", absl::StrCat("abcd", i));
  } else {
    part.Nulls({"external_id"});
  }
  return part.Bool("redacted", false)
      .Nulls({"email_message_metadata"})
      .Text("state", "open")
      .Add("tags", "[]")
      .Nulls({"event_details", "app_package_code"})
      .Done();
}

std::string Statistics() {
  Object statistics;
  statistics.Text("type", "conversation_statistics");
  for (const char* key : {"time_to_assignment", "time_to_admin_reply", "time_to_first_close",
                          "time_to_last_close", "median_time_to_reply"}) {
    statistics.Number(key, 2310);
  }
  for (const char* key : {"first_contact_reply_at", "first_assignment_at", "first_admin_reply_at",
                          "first_close_at", "last_assignment_at", "last_assignment_admin_reply_at",
                          "last_contact_reply_at", "last_admin_reply_at", "last_close_at"}) {
    statistics.Number(key, 1663597233);
  }
  return statistics.Nulls({"last_closed_by_id"})
      .Number("count_reopens", 1)
      .Number("count_assignments", 1)
      .Number("count_conversation_parts", 12)
      .Add("assigned_team_first_response_time",
           R"([{"team_id":5017691,"team_name":"Support","response_time":2310}])")
      .Number("handling_time", 2310)
      .Done();
}

std::string Conversation(Random* random, const ConversationShape& shape, int i) {
  const int contacts = i % 10 == 9 ? 3 : 1;
  std::vector<std::string> people;
  people.reserve(contacts);
  for (int c = 0; c < contacts; ++c) {
    people.push_back(Object()
                         .Text("type", "contact")
                         .Text("id", std::to_string(70 + c))
                         .Text("external_id", absl::StrCat("f3b87a2e09d514c6c2e79b9a", c))
                         .Done());
  }
  std::vector<std::string> tags;
  for (int t = 0; t < i % 4; ++t) tags.push_back(AppliedTag(123456 + t));
  Object conversation;
  conversation.Text("type", "conversation")
      .Text("id", std::to_string(503 + i))
      .Number("created_at", 1734537511)
      .Number("updated_at", 1734537611)
      .Nulls({"waiting_since", "snoozed_until"})
      .Add("source", Object()
                         .Text("type", "email")
                         .Text("id", std::to_string(403918334 + i))
                         .Text("delivered_as", "customer_initiated")
                         .Text("subject", "Charged twice")
                         .Add("body", JsonString(Html(random, shape.body_bytes), shape.escapes))
                         .Add("author", Person("user", 70))
                         .Add("attachments", Attachments(i % 3))
                         .Text("url", "https://app.example.com/settings?tab=billing")
                         .Bool("redacted", false)
                         .Done())
      .Add("contacts", Object().Text("type", "contact.list").Add("contacts", Array(people)).Done())
      .Add("first_contact_reply",
           R"({"created_at":1663597223,"type":"conversation","url":"https://app.example.com/"})");
  if (i % 3 == 0) {
    conversation.Nulls({"admin_assignee_id"});
  } else {
    conversation.Number("admin_assignee_id", 991267715);
  }
  conversation.Number("team_assignee_id", 5017691)
      .Bool("open", i % 2 == 0)
      .Text("state", i % 2 == 0 ? "open" : "closed")
      .Bool("read", true)
      .Add("tags", Object().Text("type", "tag.list").Add("tags", Array(tags)).Done())
      .Text("priority", "not_priority")
      .Nulls({"sla_applied"})
      .Add("statistics", Statistics())
      .Nulls({"conversation_rating"})
      .Add("teammates", R"({"type":"admin.list","teammates":[{"type":"admin","id":"991267715"}]})")
      .Nulls({"title"})
      .Add("custom_attributes", R"({"Order":"A-1207","Urgent":true,"Amount":155.5})")
      .Add("topics", R"({"type":"topic.list","topics":[],"total_count":0})")
      .Nulls({"ticket"})
      .Add("linked_objects", R"({"type":"list","data":[],"total_count":0,"has_more":false})")
      .Nulls({"ai_agent"})
      .Bool("ai_agent_participated", false);
  if (shape.parts < 0) return conversation.Done();
  std::vector<std::string> parts;
  parts.reserve(shape.parts);
  for (int p = 0; p < shape.parts; ++p) parts.push_back(Part(random, shape, p));
  return conversation
      .Add("conversation_parts", Object()
                                     .Text("type", "conversation_part.list")
                                     .Add("conversation_parts", Array(parts))
                                     .Number("total_count", shape.parts)
                                     .Done())
      .Done();
}

Answer Detail(uint64_t seed, const std::string& name, const ConversationShape& shape) {
  Random random(seed);
  Answer answer;
  answer.name = name;
  answer.record = v1::SOURCE_RECORD_CONVERSATION;
  answer.records = 1;
  answer.text = Conversation(&random, shape, 5);
  return answer;
}

Answer ListPage(uint64_t seed) {
  constexpr int kPerPage = 150;
  Random random(seed);
  std::vector<std::string> conversations;
  conversations.reserve(kPerPage);
  for (int i = 0; i < kPerPage; ++i) conversations.push_back(Conversation(&random, {}, i));
  Answer answer;
  answer.name = "conversations_list";
  answer.record = v1::SOURCE_RECORD_CONVERSATION;
  answer.items = "conversations";
  answer.records = kPerPage;
  answer.text =
      Object()
          .Text("type", "conversation.list")
          .Add("pages", R"({"type":"pages","next":{"page":2,"starting_after":"WzE3MzQ1Mzc1MTFd"},)"
                        R"("page":1,"per_page":150,"total_pages":1334})")
          .Number("total_count", 200000)
          .Add("conversations", Array(conversations))
          .Done();
  return answer;
}

}  // namespace

std::vector<Answer> ConversationAnswers(uint64_t seed) {
  std::vector<Answer> answers = {ListPage(seed)};
  answers.push_back(Detail(seed, "conversation_5_parts", {5}));
  answers.push_back(Detail(seed, "conversation_50_parts", {50}));
  // The most parts that Intercom gives.
  answers.push_back(Detail(seed, "conversation_500_parts", {500}));
  answers.push_back(Detail(seed, "conversation_50_long_parts", {50, 8000}));
  answers.push_back(Detail(seed, "conversation_50_escaped_parts", {50, 2000, Escapes::kHtml}));
  return answers;
}

}  // namespace intercom_extractor::payloads
