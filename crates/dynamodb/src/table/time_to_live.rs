//! What a table's definition says of the time at which items expire.
//!
//! | field | bytes |
//! |---|---|
//! | attribute | string |
//! | space | unsigned: the space that holds the rows of times; 0: time to live is disabled |
//! | built | `00` while a job makes the rows of the items that were there before, else `01` |
//! | changed | service time of the last change, unsigned, ms since 1970 |

use holdfast_state::record::{FieldReader, FieldWriter, RecordError};
use holdfast_store::SpaceId;

/// The settings of time to live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeToLive {
    /// The attribute that holds the time.
    pub attribute: String,
    /// The space that holds the rows of times, dropped together with the table; none while it is disabled.
    pub space: Option<SpaceId>,
    /// Whether all items have their rows there.
    pub built: bool,
    /// Service time of the last change, in ms since 1970.
    pub changed_ms: u64,
}

/// The rows of the times at which items expire, as writes keep them: there is one only while time to live is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryView<'a> {
    /// The attribute that holds the time.
    pub attribute: &'a str,
    /// The space that holds the rows.
    pub space: SpaceId,
    /// Whether all items have their rows there.
    pub built: bool,
}

/// [`TimeToLive`], read in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'a> {
    attribute: &'a str,
    space: Option<SpaceId>,
    built: bool,
    changed_ms: u64,
}

impl<'a> Settings<'a> {
    pub(super) fn to_owned(self) -> TimeToLive {
        let Self { attribute, space, built, changed_ms } = self;
        TimeToLive { attribute: attribute.to_owned(), space, built, changed_ms }
    }

    pub(super) fn expiry(self) -> Option<ExpiryView<'a>> {
        let Self { attribute, built, .. } = self;
        self.space.map(|space| ExpiryView { attribute, space, built })
    }
}

pub(super) fn write(writer: &mut FieldWriter<'_>, settings: &TimeToLive) {
    let space = settings.space.map_or(0, |space| space.0);
    writer.str(&settings.attribute).unsigned(u64::from(space));
    writer.bool(settings.built).unsigned(settings.changed_ms);
}

pub(super) fn read<'a>(reader: &mut FieldReader<'a>) -> Result<Settings<'a>, RecordError> {
    let attribute = reader.str()?;
    let space: u32 = reader.unsigned_as()?;
    let built = reader.bool()?;
    let space = (space != 0).then_some(SpaceId(space));
    Ok(Settings { attribute, space, built, changed_ms: reader.unsigned()? })
}
