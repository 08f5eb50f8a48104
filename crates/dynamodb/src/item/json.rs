//! DynamoDB's JSON straight from stored bytes.

use super::Damaged;
use super::view::{Item, List, Members, RawValue, Value, check_level};
use crate::expression::Outline;
use crate::expression::outline::Part;
use crate::key::{KeyAttribute, ScalarType};
use crate::number::Number;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// Appends an item as a JSON object of attributes, in the order of their names: `{"id":{"S":"a"}}`.
///
/// # Errors
/// If the bytes are not an item; `out` then holds part of it.
pub fn render_item(item: Item<'_>, out: &mut Vec<u8>) -> Result<(), Damaged> {
    render_members(item.attributes(), 1, out)
}

/// Appends a value as JSON: `{"S":"a"}`.
///
/// # Errors
/// As [`render_item`].
pub fn render_value(value: RawValue<'_>, out: &mut Vec<u8>) -> Result<(), Damaged> {
    render(value, 1, out)
}

/// Appends what an outline shows of an item, as [`render_item`] does: an object in any case. Answers whether it has any
/// attribute.
///
/// # Errors
/// As [`render_item`]. What is not shown may be damaged.
pub fn render_outlined(item: Item<'_>, outline: &Outline, out: &mut Vec<u8>) -> Result<bool, Damaged> {
    let (start, any) = (out.len(), render_chosen_members(item.attributes(), outline.attributes(), 1, out)?);
    if !any {
        out.truncate(start);
        out.extend_from_slice(b"{}");
    }
    Ok(any)
}

/// Appends the chosen ones of members as an object, and answers whether there is any; if not, `out` holds the beginning of one.
fn render_chosen_members(
    members: Members<'_>,
    chosen: &[(Arc<str>, Part)],
    level: usize,
    out: &mut Vec<u8>,
) -> Result<bool, Damaged> {
    let mut chosen = chosen.iter().peekable();
    let mut separator = b'{';
    for member in members {
        let (name, value) = member?;
        while chosen.next_if(|(chosen, _)| **chosen < *name).is_some() {}
        let Some((next, part)) = chosen.peek() else { break };
        if **next != *name {
            continue;
        }
        let start = out.len();
        out.push(separator);
        render_text(name, out);
        out.push(b':');
        if render_part(value, part, level, out)? {
            separator = b',';
        } else {
            out.truncate(start);
        }
    }
    out.push(b'}');
    Ok(separator == b',')
}

/// As [`render_chosen_members`], of a list.
fn render_chosen_elements(
    list: List<'_>,
    chosen: &[(u32, Part)],
    level: usize,
    out: &mut Vec<u8>,
) -> Result<bool, Damaged> {
    let mut chosen = chosen.iter().peekable();
    let mut separator = b'[';
    for (index, element) in (0u32..).zip(list.elements()) {
        let element = element?;
        let Some((next, part)) = chosen.peek() else { break };
        if *next != index {
            continue;
        }
        chosen.next();
        let start = out.len();
        out.push(separator);
        if render_part(element, part, level, out)? {
            separator = b',';
        } else {
            out.truncate(start);
        }
    }
    out.push(b']');
    Ok(separator == b',')
}

/// Appends what is shown of a value; answers whether that is anything. If not, `out` holds something that does not count.
fn render_part(value: RawValue<'_>, part: &Part, level: usize, out: &mut Vec<u8>) -> Result<bool, Damaged> {
    let Part::Within { members, elements } = part else {
        render(value, level, out)?;
        return Ok(true);
    };
    check_level(level)?;
    let any = match value.read()? {
        Value::M(map) if !members.is_empty() => {
            out.extend_from_slice(b"{\"M\":");
            render_chosen_members(map.members(), members, level + 1, out)?
        }
        Value::L(list) if !elements.is_empty() => {
            out.extend_from_slice(b"{\"L\":");
            render_chosen_elements(list, elements, level + 1, out)?
        }
        _ => return Ok(false),
    };
    out.push(b'}');
    Ok(any)
}

/// Appends the name and the value of a key attribute, whose bytes are those of keys: `"id":{"S":"a"}`.
///
/// # Errors
/// If the bytes are not a value of that type.
pub fn render_key(attribute: &KeyAttribute<'_>, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Damaged> {
    render_text(attribute.name, out);
    out.extend_from_slice(b":{\"");
    out.extend_from_slice(attribute.kind.name().as_bytes());
    out.extend_from_slice(b"\":");
    match attribute.kind {
        ScalarType::S => {
            let text = str::from_utf8(bytes).map_err(|_| Damaged("a string key is not UTF-8"))?;
            render_text(text, out);
        }
        ScalarType::N => {
            out.push(b'"');
            Number::from_bytes(bytes).map_err(|_| Damaged("a number key is not a number"))?.render(out);
            out.push(b'"');
        }
        ScalarType::B => render_binary(bytes, out)?,
    }
    out.push(b'}');
    Ok(())
}

fn render_members(members: Members<'_>, level: usize, out: &mut Vec<u8>) -> Result<(), Damaged> {
    let mut separator = b'{';
    for member in members {
        let (name, value) = member?;
        out.push(separator);
        separator = b',';
        render_text(name, out);
        out.push(b':');
        render(value, level, out)?;
    }
    if separator == b'{' {
        out.push(b'{');
    }
    out.push(b'}');
    Ok(())
}

fn render(value: RawValue<'_>, level: usize, out: &mut Vec<u8>) -> Result<(), Damaged> {
    check_level(level)?;
    match value.read()? {
        Value::S(text) => {
            out.extend_from_slice(b"{\"S\":");
            render_text(text, out);
        }
        Value::N(number) => {
            out.extend_from_slice(b"{\"N\":\"");
            number.read()?.render(out);
            out.push(b'"');
        }
        Value::B(bytes) => {
            out.extend_from_slice(b"{\"B\":");
            render_binary(bytes, out)?;
        }
        Value::Bool(true) => out.extend_from_slice(b"{\"BOOL\":true"),
        Value::Bool(false) => out.extend_from_slice(b"{\"BOOL\":false"),
        Value::Null => out.extend_from_slice(b"{\"NULL\":true"),
        Value::M(map) => {
            out.extend_from_slice(b"{\"M\":");
            render_members(map.members(), level + 1, out)?;
        }
        Value::L(list) => {
            out.extend_from_slice(b"{\"L\":");
            render_list(list.elements(), out, |value, out| render(value, level + 1, out))?;
        }
        Value::SS(set) => {
            out.extend_from_slice(b"{\"SS\":");
            render_list(set.members(), out, |text, out| {
                render_text(text, out);
                Ok(())
            })?;
        }
        Value::NS(set) => {
            out.extend_from_slice(b"{\"NS\":");
            render_list(set.members(), out, |number, out| {
                out.push(b'"');
                number.read()?.render(out);
                out.push(b'"');
                Ok(())
            })?;
        }
        Value::BS(set) => {
            out.extend_from_slice(b"{\"BS\":");
            render_list(set.members(), out, render_binary)?;
        }
    }
    out.push(b'}');
    Ok(())
}

fn render_list<T>(
    elements: impl Iterator<Item = Result<T, Damaged>>,
    out: &mut Vec<u8>,
    render: impl Fn(T, &mut Vec<u8>) -> Result<(), Damaged>,
) -> Result<(), Damaged> {
    out.push(b'[');
    let mut first = true;
    for element in elements {
        if !first {
            out.push(b',');
        }
        first = false;
        render(element?, out)?;
    }
    out.push(b']');
    Ok(())
}

fn render_binary(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Damaged> {
    const TOO_LONG: Damaged = Damaged("a binary is too long");
    out.push(b'"');
    let length = base64::encoded_len(bytes.len(), true).ok_or(TOO_LONG)?;
    let start = out.len();
    out.resize(start + length, 0);
    STANDARD.encode_slice(bytes, &mut out[start..]).map_err(|_| TOO_LONG)?;
    out.push(b'"');
    Ok(())
}

/// Appends a JSON string.
pub(crate) fn render_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = first_to_escape(rest) {
        out.extend_from_slice(&rest[..at]);
        escape(rest[at], out);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Position of the first byte that cannot stand in a JSON string as it is.
fn first_to_escape(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let needs_escape = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let (chunks, tail) = bytes.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        // Eight bytes at once: subtracting borrows into the high bit of bytes that are less than what is subtracted. A
        // borrow into the next byte can only report too much, which the look at each byte settles.
        let word = u64::from_ne_bytes(*chunk);
        let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let special = zero_in(word ^ (ONES * u64::from(b'"'))) | zero_in(word ^ (ONES * u64::from(b'\\')));
        if (control | special) & HIGHS != 0
            && let Some(at) = chunk.iter().position(needs_escape)
        {
            return Some(index * 8 + at);
        }
    }
    tail.iter().position(needs_escape).map(|at| chunks.len() * 8 + at)
}

#[cold]
fn escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 0x0F)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_what_serde_would_write(text in "([a-zé😀\u{7f}\u{80}]{0,9}[\"\\\\\u{0}-\u{1f} !#\\[\\]]?){0,4}") {
            let mut rendered = Vec::new();
            render_text(&text, &mut rendered);
            prop_assert_eq!(String::from_utf8(rendered).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
