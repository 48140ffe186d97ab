// Credentials of a profile in ~/.aws/credentials and ~/.aws/config. The files' only reader.
// Source: "Configuration and credential file settings", AWS CLI User Guide.
#define SI_NO_CONVERSION
#include <memory>

#include <SimpleIni.h>

#include "aws/credentials_sources.h"
#include "base/json.h"
#include "base/text.h"
#include "platform/env.h"
#include "platform/file.h"
#include "platform/process.h"

namespace armada {
namespace {

constexpr int64_t kMaxFileBytes = 1 << 20;
constexpr int kMaxRoles = 8;  // that one profile takes from another
constexpr int64_t kProgramMs = 60'000;

class Profiles {
 public:
  // What can't be read is not there; kDenied when a file is, and is no such file.
  static Result<std::unique_ptr<Profiles>> Read() {
    auto profiles = std::make_unique<Profiles>();
    profiles->credentials_path_ = PathOf("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    profiles->config_path_ = PathOf("AWS_CONFIG_FILE", "config");
    RETURN_IF_ERROR(Load(profiles->credentials_path_, &profiles->credentials_));
    RETURN_IF_ERROR(Load(profiles->config_path_, &profiles->config_));
    return profiles;
  }

  bool Has(const std::string& name) const {
    return credentials_.GetSection(name.c_str()) != nullptr ||
           config_.GetSection(InConfig(name).c_str()) != nullptr;
  }
  // The credentials file's value stands above the config file's.
  std::string Value(const std::string& name, const char* key) const {
    const char* value = credentials_.GetValue(name.c_str(), key, "");
    return *value != '\0' ? value : config_.GetValue(InConfig(name).c_str(), key, "");
  }
  std::string Places() const { return credentials_path_ + " and " + config_path_; }

 private:
  static std::string InConfig(const std::string& name) {
    return name == "default" ? name : "profile " + name;
  }
  static std::string PathOf(const char* variable, const char* file) {
    const std::string path = FirstEnv({variable});
    return path.empty() ? FirstEnv({"HOME"}) + "/.aws/" + file : path;
  }
  static Status Load(const std::string& path, CSimpleIniCaseA* ini) {
    const Result<std::string> text = ReadFile(path, kMaxFileBytes);
    if (!text && text.error().code == ErrorCode::kNotFound) return {};
    if (!text) return FailWith(ErrorCode::kDenied, text.error().message, "make it readable");
    if (ini->LoadData(*text) >= 0) return {};
    return Fail(ErrorCode::kDenied, "{} can't be understood", path);
  }

  std::string credentials_path_;
  std::string config_path_;
  CSimpleIniCaseA credentials_;
  CSimpleIniCaseA config_;
};

std::string ProfileName() {
  const std::string name = FirstEnv({"AWS_PROFILE"});
  return name.empty() ? "default" : name;
}

// What the program prints on stdout is secret; what it says on stderr is not.
Result<Credentials> RunProgram(const std::string& command, const std::string& profile) {
  SpawnOptions spawn;
  spawn.capture_stdout = true;
  spawn.capture_stderr = true;
  ASSIGN_OR_RETURN(Child child, Child::Spawn({"/bin/sh", "-c", command}, spawn));
  const std::optional<ExitState> state = child.Wait(kProgramMs);
  const std::string what = fmt::format("profile {}'s credential_process", Printable(profile));
  if (!state) return Fail(ErrorCode::kUnavailable, "{} does not end", what);
  if (!state->ok())
    return FailWith(ErrorCode::kDenied,
                    fmt::format("{} ended with {}: {}", what, state->ToString(),
                                Printable(child.captured_stderr())),
                    "run it by hand");
  const auto json = ParseJson(child.captured_stdout(), what);
  if (!json || !json->is_object() || JsonInt(*json, "Version").value_or(0) != 1)
    return Fail(ErrorCode::kDenied, "{} does not print credentials of Version 1", what);
  auto credentials = ParseCredentials(child.captured_stdout(), what);
  if (!credentials) return Fail(ErrorCode::kDenied, "{}", credentials.error().message);
  return credentials;
}

class ProfileSearch {
 public:
  ProfileSearch(const Profiles& profiles, const HttpSend& send)
      : profiles_(profiles), send_(send) {}

  Result<Credentials> Find(const std::string& name, int depth = 0) const {
    const auto value = [&](const char* key) { return profiles_.Value(name, key); };
    if (depth > kMaxRoles)
      return FailWith(ErrorCode::kDenied,
                      fmt::format("profile {}: source_profile leads on and on", Printable(name)),
                      "a chain of profiles has an end, and no circle");
    if (const std::string arn = value("role_arn"); !arn.empty()) {
      // A profile that names itself means the keys beside the role.
      const bool is_own = value("source_profile") == name;
      if (!(is_own && depth > 0)) return OfRole(name, arn, depth);
    }
    if (const std::string key = value("aws_access_key_id"); !key.empty()) {
      Credentials credentials{.access_key = key,
                              .secret_key = value("aws_secret_access_key"),
                              .session_token = value("aws_session_token"),
                              .source = "profile " + name};
      if (!credentials.secret_key.empty()) return credentials;
      return Fail(ErrorCode::kDenied, "profile {} has an aws_access_key_id and no secret",
                  Printable(name));
    }
    if (const std::string command = value("credential_process"); !command.empty())
      return RunProgram(command, name);
    if (!value("sso_session").empty() || !value("sso_start_url").empty())
      return FailWith(
          ErrorCode::kDenied, fmt::format("profile {} is of IAM Identity Center", Printable(name)),
          "give Armada a profile with credential_process = aws configure export-credentials "
          "--profile " +
              Printable(name) + " --format process");
    return Fail(ErrorCode::kNotFound, "profile {} has no credentials", Printable(name));
  }

 private:
  Result<Credentials> OfRole(const std::string& name, const std::string& arn, int depth) const {
    const auto value = [&](const char* key) { return profiles_.Value(name, key); };
    RoleRequest role{.role_arn = arn,
                     .session_name = value("role_session_name"),
                     .external_id = value("external_id"),
                     .region = value("region")};
    if (const std::string file = value("web_identity_token_file"); !file.empty())
      return AssumeRoleWithToken(send_, role, file);
    const std::string source = value("source_profile");
    const std::string place = value("credential_source");
    if (!source.empty() && !profiles_.Has(source))
      return Fail(ErrorCode::kDenied, "profile {}: its source_profile {} is not there",
                  Printable(name), Printable(source));
    Result<Credentials> signer = !source.empty()           ? Find(source, depth + 1)
                                 : place == "Environment"  ? CredentialsFromEnvironment()
                                 : place == "EcsContainer" ? CredentialsFromContainer(send_)
                                 : place == "Ec2InstanceMetadata"
                                     ? CredentialsFromInstance(send_)
                                     : Fail(ErrorCode::kDenied,
                                            "its role_arn needs source_profile or "
                                            "credential_source");
    if (!signer) {
      Error error = signer.error();
      if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kDenied;
      return Annotate(error, "profile " + Printable(name));
    }
    return AssumeRole(send_, role, *signer);
  }

  const Profiles& profiles_;
  const HttpSend& send_;
};

}  // namespace

Result<Credentials> CredentialsFromProfile(const HttpSend& send) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Profiles> read, Profiles::Read());
  const Profiles& profiles = *read;
  const std::string name = ProfileName();
  if (!profiles.Has(name)) {
    const bool asked = !FirstEnv({"AWS_PROFILE"}).empty();
    return Fail(asked ? ErrorCode::kDenied : ErrorCode::kNotFound, "there is no profile {} in {}",
                Printable(name), profiles.Places());
  }
  return ProfileSearch(profiles, send).Find(name);
}

std::string RegionOfProfile() {
  const auto profiles = Profiles::Read();
  return profiles ? (*profiles)->Value(ProfileName(), "region") : "";
}

}  // namespace armada
