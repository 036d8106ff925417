//! A stateful, seeded Atlas for tests and demos.
