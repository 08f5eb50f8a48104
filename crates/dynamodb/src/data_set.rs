//! Whose tables are meant. Everybody sees the same ones, unless the server separates them (`--isolate-by`): then each access key, each
//! region, or each pair of both has its own.

use holdfast_aws::Context;
use holdfast_aws::context::ACCOUNT;
use holdfast_state::catalog;
use holdfast_state::families::Resource;
use std::fmt;

/// What stands between the account and the access key whose tables they are, in the catalog. No account has it in its id, so no
/// access key can name what is everybody's.
const KEY_MARK: char = '/';

/// The account and region of the catalog under which tables stand, and the tokens of their transactions.
///
/// | separated by | account | region |
/// |---|---|---|
/// | nothing | `000000000000` | empty |
/// | `key` | `000000000000/KEY` | empty |
/// | `region` | `000000000000` | `REGION` |
/// | `key,region` | `000000000000/KEY` | `REGION` |
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataSet {
    account: Box<str>,
    region: Box<str>,
}

impl DataSet {
    /// The one of an account and a region of the catalog.
    #[must_use]
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The one that everybody sees where nothing is separated.
    #[must_use]
    pub fn shared() -> Self {
        Self::new(ACCOUNT, "")
    }

    /// The one of an access key, a region, or both.
    #[must_use]
    pub fn isolated(access_key: Option<&str>, region: Option<&str>) -> Self {
        let account = access_key.map_or_else(|| ACCOUNT.into(), |key| of_key(ACCOUNT, key));
        Self { account, region: region.unwrap_or_default().into() }
    }

    /// The one that a request means.
    pub(crate) fn of(context: &Context) -> Self {
        let Context { account, access_key, region, isolate_by, .. } = context;
        Self {
            account: if isolate_by.key { of_key(account, access_key) } else { account.clone() },
            region: if isolate_by.region { region.clone() } else { Box::default() },
        }
    }

    /// The account in the catalog.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The region in the catalog; empty if regions are not separated.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account that ARNs name.
    pub(crate) fn account_id(&self) -> &str {
        self.account.split(KEY_MARK).next().unwrap_or_default()
    }

    /// The access key whose tables they are, if keys are separated.
    #[must_use]
    pub fn access_key(&self) -> Option<&str> {
        self.account.split_once(KEY_MARK).map(|(_, key)| key)
    }

    /// Whether everybody sees it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.region.is_empty() && self.access_key().is_none()
    }

    /// Its tables in the catalog.
    pub(crate) fn tables(&self) -> catalog::Scope<'_> {
        self.scope(Resource::DYNAMODB_TABLE)
    }

    /// The tokens of its transactions in the catalog.
    pub(crate) fn tokens(&self) -> catalog::Scope<'_> {
        self.scope(Resource::DYNAMODB_TOKENS)
    }

    fn scope(&self, resource: Resource) -> catalog::Scope<'_> {
        catalog::Scope { account: &self.account, region: &self.region, resource }
    }
}

/// A table by its whole name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedTable {
    /// Whose it is.
    pub data_set: DataSet,
    /// Its name there.
    pub name: String,
}

impl fmt::Display for NamedTable {
    /// For people: `NAME`, or `NAME of key KEY, region REGION`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data_set, name } = self;
        if data_set.is_shared() { f.write_str(name) } else { write!(f, "{name} of {data_set}") }
    }
}

fn of_key(account: &str, access_key: &str) -> Box<str> {
    format!("{account}{KEY_MARK}{access_key}").into()
}

impl fmt::Display for DataSet {
    /// For people: `key KEY, region REGION`; nothing for the shared one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.access_key();
        if let Some(key) = key {
            write!(f, "key {key}")?;
        }
        if self.region.is_empty() {
            return Ok(());
        }
        let separator = if key.is_some() { ", " } else { "" };
        write!(f, "{separator}region {}", self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_aws::context::IsolateBy;

    #[test]
    fn what_separates_them() {
        let of = |key, region| {
            let context = Context::new("eu-west-1", "AK/1", 0).unwrap();
            DataSet::of(&Context { isolate_by: IsolateBy { key, region }, ..context })
        };
        let shown = [(false, false), (true, false), (false, true), (true, true)].map(|(key, region)| {
            let set = of(key, region);
            assert_eq!(set, DataSet::new(set.account(), set.region()));
            assert_eq!(set, DataSet::isolated(key.then_some("AK/1"), region.then_some("eu-west-1")));
            assert_eq!((set.account_id(), set.is_shared()), (ACCOUNT, !key && !region));
            assert_eq!(set.access_key(), key.then_some("AK/1"));
            set.to_string()
        });
        assert_eq!(shown, ["", "key AK/1", "region eu-west-1", "key AK/1, region eu-west-1"]);
        assert_eq!(of(false, false), DataSet::shared());
    }

    #[test]
    fn no_access_key_is_that_of_all() {
        assert_ne!(DataSet::isolated(Some(ACCOUNT), None), DataSet::shared());
        assert_ne!(DataSet::isolated(Some(""), None), DataSet::shared());
    }
}
