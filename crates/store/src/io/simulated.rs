//! A disk that crashes on purpose.
