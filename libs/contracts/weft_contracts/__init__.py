"""The words of the mesh: message types, envelope, frames, catalog."""
