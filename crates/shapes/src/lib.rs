//! Request and response types with constraint checks, generated from the API models.
