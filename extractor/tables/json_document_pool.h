#ifndef EXTRACTOR_TABLES_JSON_DOCUMENT_POOL_H_
#define EXTRACTOR_TABLES_JSON_DOCUMENT_POOL_H_

#include <memory>

#include "extractor/tables/json_document.h"

namespace intercom_extractor {

struct GiveBackJsonDocument {
  void operator()(JsonDocument* document) const;
};
// Goes back to the pool, with its memory, at its end.
using PooledJsonDocument = std::unique_ptr<JsonDocument, GiveBackJsonDocument>;

// A document to read one answer with. What a document needs is several times the size of
// the text, but only while that is read: a process reads as many at a time as it has
// processors, however many extractions there are. Thread-safe.
PooledJsonDocument TakeJsonDocument();

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_JSON_DOCUMENT_POOL_H_
