// What `doctor` found: facts, and checks that passed or did not. A plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace armada {

class Checks {
 public:
  void Fact(std::string_view name, std::string text);
  void Passed(std::string_view name, std::string text);
  void Failed(std::string_view name, const Error& error);
  // The error when there is one, else `passed`.
  void Check(std::string_view name, const Status& status, std::string passed);

  bool ok() const { return ok_; }
  Json ToJson() const;
  std::string Render() const;

 private:
  struct Finding {
    std::string name;
    std::string verdict;  // "", "ok", "FAILED"
    std::string text;
  };
  std::vector<Finding> findings_;
  bool ok_ = true;
};

}  // namespace armada
