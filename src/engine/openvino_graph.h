// What is done to a model's graph between reading and compiling it. Only openvino_*.cc include this
// file; nothing here throws.
#pragma once

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openvino/openvino.hpp>

#include "base/result.h"
#include "engine/engine.h"

namespace armada {

// An OpenVINO exception's text in one line, without the "Exception from src/…:83:" and
// "Check '…' failed at …" around the reason.
std::string ReasonOf(std::string_view what);

// Calls body(); an exception becomes an Error of this code: "where: reason".
template <class Body>
auto Guarded(ErrorCode code, std::string_view where, Body&& body) -> Result<decltype(body())> {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kLimit, "{}: out of memory", where);
  } catch (const std::exception& exception) {
    return Fail(code, "{}: {}", where, ReasonOf(exception.what()));
  }
}

// A graph as it is read, with its outputs in an order that is the same in every process.
struct Graph {
  std::shared_ptr<ov::Model> model;
  std::vector<size_t> outputs;  // model->output(outputs[i]) is Signature::outputs[i]
};
Result<Graph> ReadGraph(ov::Core& core, const std::string& path);

// Gives the dimensions that the one input leaves open behind the batch these sizes; empty: does
// nothing. kInvalid when the graph does not accept them.
Status FixRecord(Graph& graph, const std::vector<int64_t>& record_shape, const std::string& path);

// The signature, with the records' shapes as they follow from a batch of known size where the graph
// allows to set one.
Signature SignatureOf(const Graph& graph);

// kInvalid, naming the reason, when the graph isn't one that Streams can run: not exactly one input
// of a known shape, text, state kept between runs.
Status CheckRunnable(const Signature& signature, const Graph& graph, const std::string& path);

// Fixes the graph's batch at `rows`, or leaves the one it was exported for where it can't be
// reshaped, and returns it. kInvalid when outputs are then not one row a record.
Result<int64_t> FixBatch(Graph& graph, int64_t rows, const std::string& path);

// Puts the transform in front of the input, and conversions to f32 behind the outputs.
Status AddTransform(Graph& graph, const InputTransform& transform, const std::string& path);

}  // namespace armada
