//! What a table's definition says of its stream.
//!
//! | field | bytes |
//! |---|---|
//! | enabled | `00` or `01`: a stream that was disabled is still named |
//! | view | `00` keys, `01` new image, `02` old image, `03` both |
//! | label | service time at which it was enabled, unsigned, ms since 1970 |

use holdfast_state::record::{FieldReader, FieldWriter, RecordError};

/// What the records of a stream hold of a changed item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamView {
    /// `KEYS_ONLY`
    KeysOnly,
    /// `NEW_IMAGE`
    NewImage,
    /// `OLD_IMAGE`
    OldImage,
    /// `NEW_AND_OLD_IMAGES`
    NewAndOldImages,
}

impl StreamView {
    const ALL: [(Self, &'static str); 4] = [
        (Self::KeysOnly, "KEYS_ONLY"),
        (Self::NewImage, "NEW_IMAGE"),
        (Self::OldImage, "OLD_IMAGE"),
        (Self::NewAndOldImages, "NEW_AND_OLD_IMAGES"),
    ];

    /// As requests and answers name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(view, _)| *view == self).map_or("KEYS_ONLY", |(_, name)| name)
    }

    /// The view of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, other)| *other == name).map(|(view, _)| view)
    }
}

/// The settings of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSettings {
    /// Whether it is enabled. One that was disabled is still named.
    pub enabled: bool,
    /// What its records hold.
    pub view: StreamView,
    /// Service time at which it was enabled, in ms since 1970: the label in its ARN.
    pub label_ms: u64,
}

pub(super) fn write(writer: &mut FieldWriter<'_>, stream: StreamSettings) {
    let view = match stream.view {
        StreamView::KeysOnly => 0,
        StreamView::NewImage => 1,
        StreamView::OldImage => 2,
        StreamView::NewAndOldImages => 3,
    };
    writer.bool(stream.enabled).unsigned(view).unsigned(stream.label_ms);
}

pub(super) fn read(reader: &mut FieldReader<'_>) -> Result<StreamSettings, RecordError> {
    let enabled = reader.bool()?;
    let view = match reader.unsigned()? {
        0 => StreamView::KeysOnly,
        1 => StreamView::NewImage,
        2 => StreamView::OldImage,
        3 => StreamView::NewAndOldImages,
        _ => return Err(RecordError::Impossible("view of a stream")),
    };
    Ok(StreamSettings { enabled, view, label_ms: reader.unsigned()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_have_names() {
        for (view, name) in StreamView::ALL {
            assert_eq!((view.name(), StreamView::of(name)), (name, Some(view)));
        }
        assert_eq!(StreamView::of("keys_only"), None);
    }
}
