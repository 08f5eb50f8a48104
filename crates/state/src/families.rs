//! The registry of what is stored: kinds of spaces, families of keys within them, kinds of named resources, kinds of jobs.
//!
//! Numbers and names here are part of the format on disk. The lists only grow: an entry is never changed, moved, removed
//! or given to something else, and a number once used stays used. A test holds a second copy of the lists.

/// What a space holds. Stored in the space record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceKind {
    /// Number in the space record; 0 is never used.
    pub number: u16,
    /// Name for messages and `status`.
    pub name: &'static str,
}

impl SpaceKind {
    /// The catalog of a root: names to spaces.
    pub const CATALOG: Self = Self { number: 1, name: "catalog" };
    /// The items of a DynamoDB table. Its counters are the table's item count and size, so it holds no second family.
    pub const DYNAMODB_TABLE: Self = Self { number: 2, name: "dynamodb table" };

    /// The rows of one index of a DynamoDB table. Its counters are the index's item count and size, so it holds no second
    /// family.
    pub const DYNAMODB_INDEX: Self = Self { number: 3, name: "dynamodb index" };

    /// The tokens of an account's transactions on DynamoDB: by which requests they were used lately.
    pub const DYNAMODB_TOKENS: Self = Self { number: 4, name: "dynamodb tokens" };

    /// The times at which the items of a DynamoDB table expire.
    pub const DYNAMODB_EXPIRY: Self = Self { number: 5, name: "dynamodb expiry" };

    /// Every kind, in the order in which they came.
    pub const ALL: &'static [Self] = &[
        Self::CATALOG,
        Self::DYNAMODB_TABLE,
        Self::DYNAMODB_INDEX,
        Self::DYNAMODB_TOKENS,
        Self::DYNAMODB_EXPIRY,
    ];

    /// The kind with a number, if this build knows it.
    #[must_use]
    pub fn of(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number == number)
    }
}

/// Keys of one form within spaces of one kind. Every key starts with its family's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Kind of the spaces that hold such keys.
    pub kind: SpaceKind,
    /// First byte of each key; unique within the kind; never 0 or `FF`.
    pub tag: u8,
    /// Name for messages.
    pub name: &'static str,
}

impl Family {
    /// Catalog: (account, region, service, kind, name) to space and definition.
    pub const CATALOG_ENTRY: Self = Self { kind: SpaceKind::CATALOG, tag: 1, name: "catalog entry" };
    /// DynamoDB table: item key to item.
    pub const DYNAMODB_ITEM: Self = Self { kind: SpaceKind::DYNAMODB_TABLE, tag: 1, name: "dynamodb item" };

    /// DynamoDB index: index key and item key, to nothing.
    pub const DYNAMODB_INDEX_ROW: Self =
        Self { kind: SpaceKind::DYNAMODB_INDEX, tag: 1, name: "dynamodb index row" };

    /// DynamoDB tokens: token to the request that used it.
    pub const DYNAMODB_TOKEN: Self =
        Self { kind: SpaceKind::DYNAMODB_TOKENS, tag: 1, name: "dynamodb token" };

    /// DynamoDB tokens: time and token, to nothing.
    pub const DYNAMODB_TOKEN_TIME: Self =
        Self { kind: SpaceKind::DYNAMODB_TOKENS, tag: 2, name: "dynamodb token time" };

    /// DynamoDB tokens: the one row that says where the times begin.
    pub const DYNAMODB_TOKENS_START: Self =
        Self { kind: SpaceKind::DYNAMODB_TOKENS, tag: 3, name: "dynamodb tokens start" };

    /// DynamoDB expiry: time and item key, to nothing.
    pub const DYNAMODB_EXPIRY_ROW: Self =
        Self { kind: SpaceKind::DYNAMODB_EXPIRY, tag: 1, name: "dynamodb expiry row" };

    /// Every family, in the order in which they came.
    pub const ALL: &'static [Self] = &[
        Self::CATALOG_ENTRY,
        Self::DYNAMODB_ITEM,
        Self::DYNAMODB_INDEX_ROW,
        Self::DYNAMODB_TOKEN,
        Self::DYNAMODB_TOKEN_TIME,
        Self::DYNAMODB_TOKENS_START,
        Self::DYNAMODB_EXPIRY_ROW,
    ];
}

/// A kind of resource that has a name in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resource {
    /// Service, as in credential scopes and ARNs.
    pub service: &'static str,
    /// Kind within the service, as in ARNs where it has one.
    pub kind: &'static str,
    /// What its space holds.
    pub space: SpaceKind,
}

impl Resource {
    /// A DynamoDB table.
    pub const DYNAMODB_TABLE: Self =
        Self { service: "dynamodb", kind: "table", space: SpaceKind::DYNAMODB_TABLE };

    /// The tokens of an account's transactions on DynamoDB. Clients do not see it; an account has one.
    pub const DYNAMODB_TOKENS: Self =
        Self { service: "dynamodb", kind: "tokens", space: SpaceKind::DYNAMODB_TOKENS };

    /// Every kind of resource, in the order in which they came.
    pub const ALL: &'static [Self] = &[Self::DYNAMODB_TABLE, Self::DYNAMODB_TOKENS];
}

/// A kind of job, beside the store's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobFamily {
    /// Number in the job's row; [`holdfast_store::KIND_NUMBER_MIN`] or more.
    pub number: u16,
    /// Name for messages, `status` and the rows of its commits.
    pub name: &'static str,
}

impl JobFamily {
    /// A DynamoDB table that shows `DELETING` for a while is taken away.
    pub const DYNAMODB_DELETED_TABLE: Self = Self { number: 64, name: "dynamodb deleted table" };

    /// The rows of an index that was added to a DynamoDB table are made.
    pub const DYNAMODB_INDEX_BUILD: Self = Self { number: 65, name: "dynamodb index build" };

    /// The rows of expiry of the items that a DynamoDB table already held are made.
    pub const DYNAMODB_EXPIRY_BUILD: Self = Self { number: 67, name: "dynamodb expiry build" };

    /// The items of a DynamoDB table whose time has come are deleted.
    pub const DYNAMODB_EXPIRY: Self = Self { number: 68, name: "dynamodb expiry" };

    /// Every kind, in the order in which they came.
    pub const ALL: &'static [Self] = &[
        Self::DYNAMODB_DELETED_TABLE,
        Self::DYNAMODB_INDEX_BUILD,
        Self::DYNAMODB_EXPIRY_BUILD,
        Self::DYNAMODB_EXPIRY,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Add a line at the end for a new entry. Never change or remove a line: data on disk use these numbers and names.
    #[test]
    fn the_lists_only_grow() {
        let kinds: Vec<_> = SpaceKind::ALL.iter().map(|kind| (kind.number, kind.name)).collect();
        assert_eq!(
            kinds,
            [
                (1, "catalog"),
                (2, "dynamodb table"),
                (3, "dynamodb index"),
                (4, "dynamodb tokens"),
                (5, "dynamodb expiry"),
            ]
        );

        let families: Vec<_> =
            Family::ALL.iter().map(|family| (family.kind.number, family.tag, family.name)).collect();
        assert_eq!(
            families,
            [
                (1, 1, "catalog entry"),
                (2, 1, "dynamodb item"),
                (3, 1, "dynamodb index row"),
                (4, 1, "dynamodb token"),
                (4, 2, "dynamodb token time"),
                (4, 3, "dynamodb tokens start"),
                (5, 1, "dynamodb expiry row"),
            ]
        );

        let resources: Vec<_> = Resource::ALL
            .iter()
            .map(|resource| (resource.service, resource.kind, resource.space.number))
            .collect();
        assert_eq!(resources, [("dynamodb", "table", 2), ("dynamodb", "tokens", 4)]);

        let jobs: Vec<_> = JobFamily::ALL.iter().map(|job| (job.number, job.name)).collect();
        assert_eq!(
            jobs,
            [
                (64, "dynamodb deleted table"),
                (65, "dynamodb index build"),
                (67, "dynamodb expiry build"),
                (68, "dynamodb expiry"),
            ]
        );
    }

    #[test]
    fn nothing_is_used_twice() {
        let kinds: HashSet<_> = SpaceKind::ALL.iter().map(|kind| kind.number).collect();
        assert_eq!(kinds.len(), SpaceKind::ALL.len());
        assert!(!kinds.contains(&0));

        let tags: HashSet<_> = Family::ALL.iter().map(|family| (family.kind.number, family.tag)).collect();
        assert_eq!(tags.len(), Family::ALL.len());
        assert!(Family::ALL.iter().all(|family| family.tag != 0 && family.tag != 0xFF));

        let names: HashSet<_> =
            Resource::ALL.iter().map(|resource| (resource.service, resource.kind)).collect();
        assert_eq!(names.len(), Resource::ALL.len());

        let jobs: HashSet<_> = JobFamily::ALL.iter().map(|job| job.number).collect();
        assert_eq!(jobs.len(), JobFamily::ALL.len());
        assert!(jobs.iter().all(|number| *number >= holdfast_store::KIND_NUMBER_MIN));
    }

    #[test]
    fn kinds_are_found_by_number() {
        assert_eq!(SpaceKind::of(2), Some(SpaceKind::DYNAMODB_TABLE));
        assert_eq!(SpaceKind::of(0), None);
        assert_eq!(SpaceKind::of(u16::MAX), None);
    }
}
