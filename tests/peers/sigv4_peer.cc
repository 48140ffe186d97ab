// Signs requests for tests/peers/test_sigv4.py: one JSON object a line on stdin, and for each the
// headers of the signed request as a JSON object on stdout. Bodies are hexadecimal.
#include <cstdio>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "aws/sigv4.h"

namespace {

using Json = nlohmann::json;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

Json Signed(const Json& given) {
  armada::HttpRequest request;
  request.method = given.at("method");
  request.url = given.at("url");
  for (const Json& header : given.at("headers")) request.headers.emplace_back(header[0], header[1]);
  const std::string body = FromHex(given.at("body"));
  request.body = body;
  const std::string region = given.at("region"), service = given.at("service");
  armada::SignV4({.access_key = given.at("access_key"),
                  .secret_key = given.at("secret_key"),
                  .session_token = given.at("session_token")},
                 {.region = region, .service = service}, given.at("utc_ms"), &request);
  Json headers = Json::object();
  for (const auto& [name, value] : request.headers) headers[name] = value;
  return headers;
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::string reply = Signed(Json::parse(line)).dump();
    std::puts(reply.c_str());
  }
  return 0;
}
