//! Typed tables over the store: order-preserving keys, versioned records, the catalog, jobs.
