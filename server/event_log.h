#ifndef SERVER_EVENT_LOG_H_
#define SERVER_EVENT_LOG_H_

#include "extractor/pipeline/event.h"
#include "server/call_labels.h"

namespace intercom_extractor {

// Logs an event of a stream that an operator should hear of: a notice (warnings and errors
// as warnings, others for --log-level debug), or a table that begins anew. Parses no
// others. Names the table, the record's id and Intercom's id of the request, where there
// is one.
void LogEvent(const Event& event, const CallLabels& labels);

}  // namespace intercom_extractor

#endif  // SERVER_EVENT_LOG_H_
