#ifndef EXTRACTOR_PIPELINE_WORKSPACE_H_
#define EXTRACTOR_PIPELINE_WORKSPACE_H_

#include "extractor/http/response_body.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What GET /me says of the workspace; empty fields for what it does not say.
v1::Workspace ReadWorkspace(ResponseBody* me);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_WORKSPACE_H_
