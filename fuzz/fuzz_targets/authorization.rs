//! Any text as an `Authorization` header.

#![no_main]

use holdfast_aws::authorization::credential;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    match credential(Some(header)) {
        Ok(found) => assert!(header.contains(found.access_key) && !found.access_key.is_empty()),
        Err(error) => assert!((400..500).contains(&error.status), "{error:?}"),
    }
});
