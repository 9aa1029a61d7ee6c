#ifndef TESTS_FAKE_INTERCOM_HTML_TO_TEXT_H_
#define TESTS_FAKE_INTERCOM_HTML_TO_TEXT_H_

#include <string>
#include <string_view>

namespace intercom_extractor::fake {

// What display_as=plaintext makes of a body or subject. Intercom documents only
// that links become `label (url)`; the rest is a definite choice of ours:
// line breaks and ends of blocks become LF, other tags vanish, the five XML
// entities, &nbsp; and decimal references are decoded, LFs at the end are cut.
std::string HtmlToText(std::string_view html);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_HTML_TO_TEXT_H_
