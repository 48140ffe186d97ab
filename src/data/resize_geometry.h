// Where a picture's pixels go in the target: the arithmetic of the four fits, with the roundings of
// the libraries they come from. Pure functions.
#pragma once

#include "data/picture.h"
#include "data/resize_coefficients.h"

namespace armada {

// The target's columns from to_x on, columns.count in number, come from `columns`; rows likewise.
// What lies outside is black. Nothing is left when either count is 0.
struct Placement {
  Axis columns;
  Axis rows;
  int to_x = 0;
  int to_y = 0;
};

// REQUIRES spec as PictureResizer does, and width, height >= 1.
Placement PlacementOf(const ResizeSpec& spec, int width, int height);

}  // namespace armada
