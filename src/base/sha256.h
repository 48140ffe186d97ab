// SHA-256 (FIPS 180-4) and HMAC (RFC 2104) through OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace armada {

// Incremental. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::string_view bytes);
  // 64 lower-case hexadecimal digits. REQUIRES: called once, nothing after it.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Sha256Hex(std::string_view bytes);

// HMAC-SHA-256: 32 bytes, and the same as 64 hexadecimal digits.
std::string HmacSha256(std::string_view key, std::string_view bytes);
std::string HmacSha256Hex(std::string_view key, std::string_view bytes);

}  // namespace armada
