// Where results go, in row order.
#pragma once
#include <string>
#include <vector>

#include "host/core/backend.hpp"

namespace quern {

// One slot's row results on their way out. `names` are those of block.rows when the sink wants names; `text` is the sink's own.
struct RowPacket {
  RowBlock block;
  std::vector<std::string> names;
  std::string text;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual bool wants_names() const { return false; }
  virtual void begin(bool integer_mode) = 0;      // of each pass: forget what an abandoned pass left
  virtual void prepare(RowPacket&) const {}       // concurrent: what can be done before it is the packet's turn (formatting)
  virtual void rows(RowPacket& packet) = 0;       // serial, in row order
  virtual void finish(const ColumnResults&) = 0;  // once, after the pass that counted
};

}  // namespace quern
