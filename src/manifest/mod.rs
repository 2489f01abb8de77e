//! YAML and JSON text to objects, with the place of every field.
