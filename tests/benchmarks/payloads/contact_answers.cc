#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/benchmarks/payloads/answers.h"
#include "tests/benchmarks/payloads/json_text.h"

namespace intercom_extractor::payloads {
namespace {

constexpr int kPerPage = 150;

std::string EmbeddedList(const char* kind, int count, int contact) {
  std::vector<std::string> elements;
  elements.reserve(count);
  for (int i = 0; i < count; ++i) {
    const int id = 1000 + contact * 10 + i;
    elements.push_back(Object()
                           .Text("id", std::to_string(id))
                           .Text("type", kind)
                           .Text("url", absl::StrCat("/", kind, "s/", id))
                           .Done());
  }
  return Object()
      .Text("type", "list")
      .Add("data", Array(elements))
      .Text("url", absl::StrCat("/contacts/6762f0dd1bb69f9f2193bb", contact, "/", kind, "s"))
      .Number("total_count", count)
      .Bool("has_more", false)
      .Done();
}

// What differs between the pages.
struct ContactShape {
  // As somebody who has only opened the messenger: most fields are null.
  bool mostly_null = false;
  // With what Intercom knows of phones and campaigns, as since API version 2.15.
  bool newest_fields = true;
  int attributes = 0;
  // The keys of every contact in another order than that of the examples, the same in all.
  bool shuffled = false;
  // Tags, companies and so on: none, a few, or the ten that are embedded at most.
  int lists = 1;
};

void AddDevices(Object* contact) {
  contact->Nulls({"android_app_name", "android_app_version", "android_device", "android_os_version",
                  "android_sdk_version", "android_last_seen_at", "ios_app_name", "ios_app_version",
                  "ios_device", "ios_os_version", "ios_sdk_version", "ios_last_seen_at"});
}

std::string Attributes(Random* random, int count) {
  Object attributes;
  attributes.Bool("paid_subscriber", true)
      .Add("monthly_spend", "155.5")
      .Number("team_mates", 9)
      .Add("plan", R"("Pro \u20ac")")
      .Number("last_order_at", 1571672158)
      .Text("account_manager", "Zoë");
  for (int i = 6; i < count; ++i) {
    const std::string key = absl::StrCat("custom_attribute_", i);
    switch (random->Below(5)) {
      case 0:
        attributes.Number(key, static_cast<int64_t>(random->Below(1'000'000)));
        break;
      case 1:
        attributes.Bool(key, random->Percent(50));
        break;
      case 2:
        attributes.Add(key, "null");
        break;
      default:
        attributes.Text(key, Words(random, 20 + random->Below(60)));
    }
  }
  return attributes.Done();
}

Object Contact(Random* random, const ContactShape& shape, int i) {
  const bool known = !shape.mostly_null;
  Object contact;
  contact.Text("type", "contact").Text("id", absl::StrCat("6762f0dd1bb69f9f2193bb", i));
  contact.Text("workspace_id", "ecahpwf5")
      .Text("external_id", absl::StrCat("f3b87a2e09d514c6c2e79b9a", i))
      .Text("role", i % 4 == 0 || shape.mostly_null ? "lead" : "user");
  if (known) {
    contact.Text("email", absl::StrCat("joe.bloggs", i, "@example.com"))
        .Text("phone", absl::StrCat("+353 1 555 01", i))
        .Text("name", absl::StrCat("Joe \"Joey\" Bloggs ", i))
        .Add("avatar",
             Object()
                 .Text("type", "avatar")
                 .Text("image_url", absl::StrCat("https://static.example.com/avatars/128/", i,
                                                 "/square_128.jpeg?1571672156"))
                 .Done())
        .Number("owner_id", 127);
  } else {
    contact.Nulls({"email", "phone", "name", "avatar", "owner_id"});
  }
  std::vector<std::string> profiles;
  for (int p = 0; known && p < (shape.lists > 0 ? 1 : 0); ++p) {
    profiles.push_back(Object()
                           .Text("type", "social_profile")
                           .Text("name", "Twitter")
                           .Text("url", absl::StrCat("https://twitter.com/example", i))
                           .Done());
  }
  contact.Add("social_profiles", Object().Text("type", "list").Add("data", Array(profiles)).Done())
      .Bool("has_hard_bounced", false)
      .Bool("marked_email_as_spam", false)
      .Bool("unsubscribed_from_emails", false)
      .Number("created_at", 1571672154)
      .Number("updated_at", 1571672158);
  if (known) {
    contact.Number("signed_up_at", 1571069751)
        .Number("last_seen_at", 1571069751)
        .Number("last_replied_at", 1571672158)
        .Number("last_contacted_at", 1571672158)
        .Number("last_email_opened_at", 1571673478)
        .Number("last_email_clicked_at", 1571676789)
        .Nulls({"language_override"})
        .Text("browser", "chrome")
        .Text("browser_version", "77.0.3865.90")
        .Text("browser_language", "en")
        .Text("os", "OS X 10.14.6")
        .Add("location", Object()
                             .Text("type", "location")
                             .Text("country", "Ireland")
                             .Text("region", "Dublin")
                             .Text("city", "Dublin")
                             .Text("country_code", "IRL")
                             .Text("continent_code", "EU")
                             .Done());
  } else {
    contact
        .Nulls({"signed_up_at", "last_seen_at", "last_replied_at", "last_contacted_at",
                "last_email_opened_at", "last_email_clicked_at", "language_override", "browser",
                "browser_version", "browser_language", "os"})
        .Add("location", Object()
                             .Text("type", "location")
                             .Nulls({"country", "region", "city", "country_code", "continent_code"})
                             .Done());
  }
  if (shape.newest_fields) AddDevices(&contact);
  contact.Add("custom_attributes",
              shape.attributes == 0 ? "{}" : Attributes(random, shape.attributes));
  const auto list_size = [&](int few) { return shape.lists == 1 ? few : shape.lists; };
  contact.Add("tags", EmbeddedList("tag", list_size(i % 5), i))
      .Add("notes", EmbeddedList("note", list_size(i % 3), i))
      .Add("companies", EmbeddedList("company", list_size(1 + i % 2), i));
  if (!shape.newest_fields) return contact;
  contact.Add("opted_out_subscription_types", EmbeddedList("subscription", list_size(2), i))
      .Add("opted_in_subscription_types", EmbeddedList("subscription", list_size(1), i))
      .Nulls({"utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term"});
  if (known) {
    contact.Text("referrer", absl::StrCat("https://www.example.com/pricing?from=search&page=", i));
  } else {
    contact.Nulls({"referrer"});
  }
  contact.Bool("sms_consent", false)
      .Bool("unsubscribed_from_sms", false)
      .Nulls({"enabled_push_messaging"});
  return contact;
}

Answer Page(uint64_t seed, const std::string& name, const ContactShape& shape) {
  Random random(seed);
  std::vector<std::string> contacts;
  contacts.reserve(kPerPage);
  for (int i = 0; i < kPerPage; ++i) {
    Object contact = Contact(&random, shape, i);
    Random order(seed);
    if (shape.shuffled) contact.Shuffle(&order);
    contacts.push_back(contact.Done());
  }
  Answer answer;
  answer.name = name;
  answer.record = v1::SOURCE_RECORD_CONTACT;
  answer.items = "data";
  answer.records = kPerPage;
  answer.text =
      Object()
          .Text("type", "list")
          .Add("data", Array(contacts))
          .Number("total_count", 100000)
          .Add("pages", R"({"type":"pages","next":{"page":2,"starting_after":)"
                        R"("WzE1NzE2NzIxNTQsNjc2Ml0="},"page":1,"per_page":150,"total_pages":667})")
          .Done();
  return answer;
}

}  // namespace

std::vector<Answer> ContactAnswers(uint64_t seed) {
  ContactShape usual;
  usual.attributes = 6;
  ContactShape other_order = usual;
  other_order.shuffled = true;
  ContactShape small;
  small.mostly_null = true;
  small.newest_fields = false;
  small.lists = 0;
  ContactShape mostly_null;
  mostly_null.mostly_null = true;
  mostly_null.lists = 0;
  ContactShape large;
  large.attributes = 300;
  large.lists = 10;
  return {Page(seed, "contacts_3KB", usual), Page(seed, "contacts_3KB_other_order", other_order),
          Page(seed, "contacts_1KB", small), Page(seed, "contacts_mostly_null", mostly_null),
          Page(seed, "contacts_20KB", large)};
}

}  // namespace intercom_extractor::payloads
