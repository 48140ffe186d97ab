// A folder of its own for a test, removed with everything in it. Tests only.
#pragma once

#include <string>

#include "base/check.h"
#include "base/id.h"
#include "platform/entropy.h"
#include "platform/file.h"

namespace armada {

class ScratchFolder {
 public:
  ScratchFolder() {
    Random random = EntropyRandom();
    path_ = TempFolder() + "/armada-test-" + Id::Draw(random).ToString();
    CHECK(MakeFolders(path_).has_value());
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() { (void)RemoveTree(path_); }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace armada
