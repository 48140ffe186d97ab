// SHA-256 (FIPS 180-4) through OpenSSL, as lower-case hexadecimal.
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
  // 64 hexadecimal digits. REQUIRES: called once, nothing after it.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Sha256Hex(std::string_view bytes);

}  // namespace armada
