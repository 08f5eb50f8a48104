//! The verbs' way to a running server: `admin.sock` in the data directory.
//!
//! One JSON object a line, each way: a [`Request`], then its [`Answer`], before which it may be told how far the verb is. Only the owner of the data directory may connect.
//! The running server is always asked first: a verb works on the directory itself only if nobody answers there, and then
//! the directory's lock keeps servers out.
//!
//! # Layout
//! - `client`: asks a running server
//! - `socket`: the file `admin.sock`: the one file in the data directory that the store does not make
//! - [`past`], [`contents`]: what `history` and `doctor --deep` look at
//! - [`clock`]: the service clock
//! - [`verbs`]: what the verbs do to a store, the same for a server's and for one that a verb has opened itself

pub mod client;
pub mod clock;
pub mod contents;
pub mod past;
pub mod socket;
pub mod verbs;

use past::{At, Whose};
use serde::{Deserialize, Serialize};

/// Longest line that a server reads, in bytes.
pub const REQUEST_BYTES_MAX: u64 = 64 << 10;

/// What a verb asks of a running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Request {
    /// Everything there is to know.
    Status,
    /// Take away history older than this.
    Trim {
        /// Milliseconds of history that stay.
        window_ms: u64,
    },
    /// Drop every table.
    Reset {
        /// Also where nothing would be left of them.
        no_archive: bool,
    },
    /// How the service clock stands, or what is to become of it.
    Clock {
        /// Nothing: it is only shown.
        #[serde(default)]
        change: Option<clock::Change>,
    },
    /// Look for damage.
    Doctor {
        /// Also in items, rows of indexes and counters.
        #[serde(default)]
        deep: bool,
    },
    /// The versions of an item.
    History {
        /// Its table.
        table: String,
        /// Whose that table is.
        #[serde(flatten)]
        whose: Whose,
        /// Its key, as people write it.
        key: String,
        /// Most versions.
        limit: usize,
    },
    /// An item as of a version or time.
    ItemAt {
        /// Its table.
        table: String,
        /// Whose that table is.
        #[serde(flatten)]
        whose: Whose,
        /// Its key, as people write it.
        key: String,
        /// When.
        at: At,
    },
}

/// What the server answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// How far a verb is that takes long. Any number of these may come before the others.
    Progress(String),
    /// What the verb has found or done.
    Done(serde_json::Value),
    /// Why it could not.
    Failed {
        /// What went wrong.
        error: String,
        /// What helps, if something is known to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_fixed_form() {
        let line = |request: &Request| serde_json::to_string(request).expect("JSON");
        assert_eq!(line(&Request::Status), r#"{"verb":"status"}"#);
        let item_at =
            |whose| Request::ItemAt { table: "t".to_owned(), whose, key: "k".to_owned(), at: At::Version(7) };
        let at = item_at(Whose::default());
        assert_eq!(line(&at), r#"{"verb":"item_at","table":"t","key":"k","at":{"version":7}}"#);
        let at = item_at(Whose { access_key: Some("a".to_owned()), region: None });
        let text = r#"{"verb":"item_at","table":"t","of_key":"a","key":"k","at":{"version":7}}"#;
        assert_eq!(line(&at), text);
        assert_eq!(serde_json::from_str::<Request>(text).expect("JSON"), at);
        let doctor = serde_json::from_str::<Request>(r#"{"verb":"doctor"}"#).expect("JSON");
        assert_eq!(doctor, Request::Doctor { deep: false });
        assert_eq!(line(&Request::Trim { window_ms: 5 }), r#"{"verb":"trim","window_ms":5}"#);
        let clock = |change| line(&Request::Clock { change });
        assert_eq!(clock(Some(clock::Change::Freeze)), r#"{"verb":"clock","change":"freeze"}"#);
        assert_eq!(clock(Some(clock::Change::Set(5))), r#"{"verb":"clock","change":{"set":5}}"#);
        let failed = Answer::Failed { error: "no".to_owned(), hint: None };
        assert_eq!(serde_json::to_string(&failed).expect("JSON"), r#"{"failed":{"error":"no"}}"#);
        assert_eq!(
            serde_json::from_str::<Answer>(r#"{"done":{"a":1}}"#).expect("JSON"),
            Answer::Done(serde_json::json!({"a": 1}))
        );
    }
}
