#include "extractor/pipeline/workspace.h"

#include <simdjson.h>

#include <string>
#include <string_view>

namespace intercom_extractor {

v1::Workspace ReadWorkspace(ResponseBody* me) {
  v1::Workspace workspace;
  if (me->in_file()) return workspace;
  const absl::string_view text = me->text();
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS) return workspace;
  const auto read = [&](const char* key) {
    std::string_view value;
    return document["app"][key].get(value) == simdjson::SUCCESS ? std::string(value)
                                                                : std::string();
  };
  workspace.set_id_code(read("id_code"));
  workspace.set_name(read("name"));
  workspace.set_region(read("region"));
  workspace.set_time_zone(read("timezone"));
  return workspace;
}

}  // namespace intercom_extractor
