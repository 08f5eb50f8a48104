//! File descriptors: sockets and the store's files share the process's limit, and the store must never go without.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Kept for the store's files: tables (256 open at most for reading, some more while merging), log, witness, blobs.
const STORE_DESCRIPTORS: u64 = 512;
/// Most connections per port, however many descriptors there are.
const CONNECTIONS_MAX: u64 = 4_096;
/// Fewest, however few there are.
const CONNECTIONS_MIN: u64 = 16;
/// Ports that share what is left: DynamoDB, every service, console.
const PORTS: u64 = 3;

/// Raises the soft limit to the hard one, and answers how many connections each port may have.
pub fn connections_per_port() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        // Without it there are fewer connections, nothing else.
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit.current = limit.maximum;
        }
    }
    share(limit.current.unwrap_or(u64::MAX))
}

fn share(descriptors: u64) -> usize {
    let left = descriptors.saturating_sub(STORE_DESCRIPTORS.min(descriptors / 2));
    usize::try_from((left / PORTS).clamp(CONNECTIONS_MIN, CONNECTIONS_MAX)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_keeps_its_share() {
        assert_eq!(share(u64::MAX), 4_096);
        assert_eq!(share(1_024), 170);
        assert_eq!(share(100), 16);
    }
}
