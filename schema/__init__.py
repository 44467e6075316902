"""The API's vocabulary: types, inputs, unions, scalars and errors, each described for the frontend developer."""

# The domain's enums are described here, before any type's annotations meet them undescribed.
from schema import enums

__all__ = ["enums"]
