//! AWS wire protocols, signatures, error envelopes and the request context.
