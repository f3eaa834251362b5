"""Random programs: the engine's pure core against a shadow model, see `test_shadow_model`."""
