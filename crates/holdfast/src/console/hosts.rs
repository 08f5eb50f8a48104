//! Whose requests are answered on the console's port.
//!
//! A page of another site can make its own name point to this machine; the browser then lets it read what this server
//! answers ("DNS rebinding"). Such a request names that site's host. So only hosts are answered that no other site can
//! have: `localhost` and names below it, loopback addresses, the address that the server listens on, and names that the
//! server was started with.

use std::net::{IpAddr, Ipv6Addr};

/// Hosts that are answered. Ports do not matter: a container's port has another number outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// Where the server listens; every address of the machine if it is unspecified.
    listening: Option<IpAddr>,
    /// Further names, in lower case.
    names: Vec<String>,
}

impl Hosts {
    /// The hosts of a server that listens on an address and was given names.
    pub fn new(listening: IpAddr, names: &[String]) -> Self {
        let names = names.iter().map(|name| name.trim().to_ascii_lowercase());
        Self { listening: Some(listening), names: names.filter(|name| !name.is_empty()).collect() }
    }

    /// Whether the value of a `Host` header may be answered.
    pub fn allow(&self, value: &str) -> bool {
        let Some(host) = without_port(value) else { return false };
        if let Some(address) = address(host) {
            // Who is asked by an address cannot be asked under a name that somebody else lets point here.
            return address.is_loopback()
                || self.listening.is_some_and(|own| own == address || own.is_unspecified());
        }
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        name == "localhost" || name.ends_with(".localhost") || self.names.contains(&name)
    }
}

/// The host of `HOST[:PORT]`; `None` if it is malformed.
fn without_port(value: &str) -> Option<&str> {
    let end = match value.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => value.find(':').unwrap_or(value.len()),
    };
    let (host, port) = value.split_at(end);
    let port_fits = match port.strip_prefix(':') {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    (port_fits && !host.is_empty()).then_some(host)
}

fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse().ok().map(|address: Ipv6Addr| address.to_canonical()),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listening: &str) -> Hosts {
        Hosts::new(listening.parse().expect("an address"), &["Holdfast".to_owned(), String::new()])
    }

    #[test]
    fn only_hosts_that_no_other_site_can_have() {
        let local = hosts("127.0.0.1");
        for host in [
            "localhost",
            "LOCALHOST:8001",
            "localhost.:1",
            "console.localhost:8001",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]:8001",
            "[::ffff:127.0.0.1]",
            "holdfast:8001",
            "HOLDFAST",
        ] {
            assert!(local.allow(host), "{host}");
        }
        for host in [
            "",
            ":8001",
            "evil.example",
            "localhost.evil.example",
            "evil.example:8001",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "localhost:",
            "localhost:80:80",
            "localhost:x",
            "[::1",
            "[::1]x",
            "[localhost]",
            "::1",
            "192.168.1.5",
            "[fe80::1]",
            "localhost/",
            "user@localhost",
            "0x7f000001",
        ] {
            assert!(!local.allow(host), "{host}");
        }
    }

    #[test]
    fn the_address_that_it_listens_on_is_answered() {
        assert!(hosts("192.168.1.5").allow("192.168.1.5:8001"));
        assert!(!hosts("192.168.1.5").allow("192.168.1.6"));
        assert!(hosts("0.0.0.0").allow("192.168.1.6") && hosts("::").allow("[fe80::1]:8001"));
        assert!(!hosts("0.0.0.0").allow("evil.example"));
        assert!(!Hosts::default().allow("10.0.0.1") && Hosts::default().allow("localhost"));
    }
}
