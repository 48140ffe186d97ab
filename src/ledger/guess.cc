#include "ledger/guess.h"

#include <optional>

#include "base/text.h"
#include "data/source.h"
#include "engine/engine.h"
#include "ledger/resolve_picture.h"
#include "platform/file.h"

namespace armada {
namespace {

constexpr int64_t kMaxLabelsBytes = 1 << 20;
constexpr int64_t kManyClasses = 5;  // from so many on, the best few are of interest

class Guesser {
 public:
  Guesser(const Signature& signature, const std::function<bool(std::string_view)>& is_given)
      : signature_(signature), is_given_(is_given) {}

  void Add(std::string_view key, std::string value, std::string why) {
    if (!is_given_(key)) guesses_.push_back({std::string(key), std::move(value), std::move(why)});
  }

  void Pictures() {
    const TensorSpec& input = signature_.inputs[0];
    const std::string taken = fmt::format("the model takes {}", Printable(input.ToString()));
    const std::vector<int64_t>& shape = input.shape;
    const int64_t channels = shape.size() != 3 ? 0 : AreChannels(shape[0]) ? shape[0] : shape[2];
    if (channels == 1) Add("preprocess.color", "gray", taken);
    if (is_given_("preprocess.preset") || GivenScale()) return;
    if (input.declared == "u8") return;
    if (channels == 1)
      Add("preprocess.rescale", "1/255", taken);
    else if (shape.size() == 3 && AreChannels(shape[0]))
      Add("preprocess.preset", "torchvision", taken + ", channels first, as PyTorch's models do");
    else
      Add("preprocess.preset", "keras-tf", taken + ", channels last, as Keras's models do");
  }

  void Bytes() {
    const TensorSpec& input = signature_.inputs[0];
    if (input.declared != "u8" && !GivenScale())
      Add("preprocess.rescale", "1/255",
          "the records are bytes and the model takes " + Printable(input.declared));
  }

  // A text file beside the model with as many lines as the only output has classes.
  void Labels(const std::string& model) {
    if (signature_.outputs.size() != 1) return;
    const int64_t classes = signature_.outputs[0].elements();
    if (classes < 2) return;
    const size_t slash = model.rfind('/');
    const std::string folder = slash == model.npos ? "" : model.substr(0, slash + 1);
    const std::string stem = model.substr(0, model.rfind('.'));
    for (const std::string& path :
         {stem + ".labels.txt", stem + "_labels.txt", folder + "labels.txt", folder + "classes.txt",
          model + "/labels.txt"}) {
      const Result<std::string> text = ReadFile(path, kMaxLabelsBytes);
      if (!text || CountLines(*text) != classes) continue;
      Add("postprocess.labels", path, "it is beside the model and has a line a class");
      Add("postprocess.top_k", classes >= kManyClasses ? "3" : "1", "the classes have names");
      return;
    }
  }

  std::vector<GuessedKey> Take() { return std::move(guesses_); }

 private:
  static bool AreChannels(int64_t size) { return size == 1 || size == 3; }
  bool GivenScale() const {
    return is_given_("preprocess.rescale") || is_given_("preprocess.mean") ||
           is_given_("preprocess.std");
  }
  static int64_t CountLines(std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    int64_t lines = text.empty() ? 0 : 1;
    for (const char c : text) lines += c == '\n' ? 1 : 0;
    return lines;
  }

  const Signature& signature_;
  const std::function<bool(std::string_view)>& is_given_;
  std::vector<GuessedKey> guesses_;
};

}  // namespace

Result<std::vector<GuessedKey>> GuessKeys(
    const std::string& model, const std::string& input,
    const std::function<bool(std::string_view key)>& is_given) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, NewEngine(EngineNameFor(model)));
  ASSIGN_OR_RETURN(const Signature signature, engine->Inspect(model));
  ASSIGN_OR_RETURN(InputLook look, LookAtInput(input));
  Guesser guesser(signature, is_given);
  if (signature.inputs.size() == 1) {
    InputSpec spec{.format = look.format};
    if (!is_given("input.columns")) spec.column = look.picture_column;
    if (!spec.column.empty())
      guesser.Add("input.column", spec.column, "it holds bytes, as pictures are");
    if (ArePictures(spec)) guesser.Pictures();
    if (look.format == "idx") guesser.Bytes();
  }
  guesser.Labels(model);
  return guesser.Take();
}

}  // namespace armada
