//! Test doubles: virtual clock, contrary engine, in-process server.
