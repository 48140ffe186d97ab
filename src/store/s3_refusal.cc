#include "base/text.h"
#include "store/s3_reply.h"
#include "store/s3_session.h"

namespace armada {
namespace {

// What to grant, by what was asked.
std::string RightsFor(S3Call call) {
  switch (call) {
    case S3Call::kCreate:
    case S3Call::kPut:
      return "grant s3:PutObject on the job's prefix (docs/s3.md has a policy)";
    case S3Call::kDelete:
      return "grant s3:DeleteObject on the job's prefix, or leave what is there";
    case S3Call::kList:
      return "grant s3:ListBucket on the bucket (docs/s3.md has a policy)";
    case S3Call::kGet:
      break;
  }
  return "grant s3:GetObject on the job's prefix, and s3:ListBucket on the bucket: without the "
         "latter S3 answers 403 for what is not there (docs/s3.md has a policy)";
}

struct Meaning {
  ErrorCode code;
  std::string remedy;
};

Meaning MeaningOf(const S3Request& request, const HttpReply& reply, const S3Fault& fault,
                  const std::string& credentials) {
  const std::string& code = fault.code;
  if (code == "NoSuchKey" && request.call == S3Call::kGet) return {ErrorCode::kNotFound, ""};
  if (code == "NoSuchBucket")
    return {ErrorCode::kInvalid, "create the bucket, or correct its name or the endpoint"};
  if (code == "InvalidAccessKeyId" || code == "XAdminUserNotFound")  // the latter is versitygw's
    return {ErrorCode::kDenied,
            fmt::format("the access key ({}) is not one of this endpoint's: check it, and the "
                        "endpoint",
                        credentials)};
  if (code == "SignatureDoesNotMatch")
    return {ErrorCode::kDenied,
            fmt::format("the secret key ({}) does not belong to the access key, or a proxy changes "
                        "requests on their way",
                        credentials)};
  if (code == "ExpiredToken" || code == "TokenRefreshRequired")
    return {ErrorCode::kDenied, fmt::format("renew the credentials ({})", credentials)};
  if (code == "RequestTimeTooSkewed") return {ErrorCode::kDenied, "set this machine's clock"};
  if (code == "NotImplemented")
    return {ErrorCode::kInvalid,
            "this server lacks what a job needs (create only if absent): use another"};
  if (code == "EntityTooLarge")
    return {ErrorCode::kInvalid, "an object has at most 5 GiB when it is written at once"};
  const bool redirected = reply.status == 301 || reply.status == 307;
  if ((redirected && !code.empty()) || code == "AuthorizationHeaderMalformed")
    return {ErrorCode::kInvalid, "the bucket is in another region: set AWS_REGION to it"};
  if (reply.status == 401 || reply.status == 403)
    return {ErrorCode::kDenied,
            fmt::format("{}; the credentials are from: {}", RightsFor(request.call), credentials)};
  return {ErrorCode::kInvalid,
          code.empty() ? "this is not what S3 answers: check the endpoint" : ""};
}

}  // namespace

std::string WhatS3Said(const HttpReply& reply) {
  constexpr size_t kMaxQuoteBytes = 120;
  std::string said = fmt::format("HTTP {}", reply.status);
  const auto fault = ParseS3Fault(reply.body);
  if (!fault) {
    const std::string quote = Printable(std::string_view(reply.body).substr(0, kMaxQuoteBytes));
    return quote.empty() ? said : fmt::format("{}: {}", said, quote);
  }
  said += " " + fault->code;
  return fault->message.empty() ? said : fmt::format("{}: {}", said, fault->message);
}

std::unexpected<Error> S3Session::Refusal(const S3Request& request, const HttpReply& reply) const {
  std::string credentials;
  {
    MutexLock lock(mutex_);
    credentials = credentials_source_;
  }
  const S3Fault fault = ParseS3Fault(reply.body).value_or(S3Fault{});
  Meaning meaning = MeaningOf(request, reply, fault, credentials);
  if (meaning.code == ErrorCode::kNotFound)
    return Fail(ErrorCode::kNotFound, "{} does not exist", NameOf(request.key));
  std::string where = request.key.empty() ? location_.Uri() : NameOf(request.key);
  if (!location_.endpoint.empty()) where += fmt::format(" at {}", location_.endpoint);
  return FailWith(meaning.code, fmt::format("{}: {}", where, WhatS3Said(reply)),
                  std::move(meaning.remedy));
}

}  // namespace armada
