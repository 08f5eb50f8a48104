//! What can be tuned: sizes of memory, and how the tables of each family are arranged.

/// Longest engine key that a table can hold, in bytes (the table format stores key lengths as u16).
pub(super) const KEY_BYTES_MAX: usize = 65_535;

/// Sizes and policies of an index.
#[derive(Debug, Clone)]
pub(crate) struct IndexOptions {
    /// The active memtable is sealed when it has reached this many bytes (keys, values and what the map itself needs).
    pub memtable_bytes: u64,
    /// Most bytes of blocks in the cache.
    pub cache_bytes: u64,
    /// Most bytes of filters that stay in memory outside the cache; filters beyond are read through the cache.
    pub pinned_filter_bytes: u64,
    /// Most table files open for reading at once (scans for compaction come on top: one per input).
    pub open_files: usize,
    /// Policies of single families, by family byte.
    pub policies: Vec<(u8, FamilyPolicy)>,
    /// Policy of every other family.
    pub default_policy: FamilyPolicy,
}

/// How the tables of one family are arranged.
///
/// Level 0 holds what flushes wrote: runs that may overlap, newest first. Every deeper level holds tables that do not
/// overlap. A level that has outgrown its size gives tables to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FamilyPolicy {
    /// Runs in level 0 from which on it is merged into level 1.
    pub level0_runs: usize,
    /// Size of level 1 in bytes.
    pub base_bytes: u64,
    /// How much larger each deeper level is.
    pub fan_out: u64,
    /// The deepest level, without limit in size. At least 1.
    pub last_level: usize,
    /// Size at which tables below level 0 are cut, in bytes.
    pub table_bytes: u64,
    /// Whether tables get a filter for point reads (10 bits per key).
    pub filter: bool,
    /// Keys mostly arrive in ascending order: what lies above every known key is placed at the bottom at once and never
    /// rewritten.
    pub append_only: bool,
}

impl FamilyPolicy {
    /// For families that are overwritten and read by key.
    pub(crate) const LEVELED: Self = Self {
        level0_runs: 8,
        base_bytes: 128 << 20,
        fan_out: 10,
        last_level: 6,
        table_bytes: 8 << 20,
        filter: true,
        append_only: false,
    };

    /// For families that are written once and seldom read, by range: fewer rewrites, more runs to look into.
    pub(crate) const WRITE_ONCE: Self =
        Self { level0_runs: 12, base_bytes: 256 << 20, filter: false, ..Self::LEVELED };

    /// For families whose keys only grow and that are deleted from the front.
    pub(crate) const APPEND_ONLY: Self =
        Self { level0_runs: 4, last_level: 1, filter: false, append_only: true, ..Self::LEVELED };

    /// Size that a level may reach, in bytes; level 0 and the last level have no such limit.
    pub(crate) fn target_bytes(&self, level: usize) -> u64 {
        if level == 0 || level >= self.last_level {
            return u64::MAX;
        }
        let deeper = u32::try_from(level - 1).unwrap_or(u32::MAX);
        self.base_bytes.saturating_mul(self.fan_out.saturating_pow(deeper))
    }
}

impl IndexOptions {
    /// The policy of a family.
    pub(crate) fn policy(&self, family: u8) -> FamilyPolicy {
        let own = self.policies.iter().find(|(byte, _)| *byte == family);
        own.map_or(self.default_policy, |(_, policy)| *policy)
    }
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            memtable_bytes: 16 << 20,
            cache_bytes: 32 << 20,
            pinned_filter_bytes: 16 << 20,
            open_files: 256,
            policies: Vec::new(),
            default_policy: FamilyPolicy::LEVELED,
        }
    }
}
