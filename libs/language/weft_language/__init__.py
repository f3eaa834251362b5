"""The definition language: model, validation, compilation, expressions."""
