//! Renders a structure's checks.

use std::cmp::Reverse;
use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::model::Shape;
use super::service::{Service, Way, field, inner};

/// Where DynamoDB's older form reports a member among its siblings: it walks a hash table of sixteen buckets, filled
/// in alphabetical order with the newest first in each, and hashed as Java did before version 8. Found to hold for every
/// order that was recorded for PutItem, UpdateItem, GetItem, Query and CreateTable; younger operations differ and are
/// listed in `overrides.json`.
fn bucket(member: &str) -> u32 {
    let mut letters = member.chars();
    let lower = letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters);
    let mut hash = lower.fold(0_u32, |hash, letter| hash.wrapping_mul(31).wrapping_add(u32::from(letter)));
    hash ^= (hash >> 20) ^ (hash >> 12);
    (hash ^ (hash >> 7) ^ (hash >> 4)) & 15
}

/// The body of `violations` for a structure; empty if nothing in it is constrained.
pub fn checks(service: &Service, name: &str) -> Result<String> {
    let shape = service.shape(name)?;
    let first = service.overrides.first_checked.get(name).map_or(&[][..], Vec::as_slice);
    let mut members: Vec<_> = shape.members.0.iter().collect();
    members.sort_by_key(|(member, _)| {
        let listed = first.iter().position(|other| other == member).unwrap_or(usize::MAX);
        (listed, bucket(member), Reverse(member.clone()))
    });
    let mut code = String::new();
    for (member, reference) in members {
        let field = field(member);
        if shape.required.contains(member) {
            writeln!(code, "out.required({member:?}, self.{field}.is_some());")?;
        }
        let mut check = member_check(service, member, &reference.shape)?;
        if let Some(most) = service.overrides.most_elements.get(&format!("{name}.{member}")) {
            let shown = shown(service, &reference.shape)?;
            check = format!("out.count_shown({member:?}, value.len(), {most}, || {shown});\n{check}");
        }
        if !check.is_empty() {
            writeln!(code, "if let Some(value) = &self.{field} {{\n{check}}}")?;
        }
    }
    Ok(code)
}

/// An expression that renders the list `value` as Java prints it: `[KeySchemaElement(attributeName=a, keyType=HASH)]`.
fn shown(service: &Service, list: &str) -> Result<String> {
    let element = inner(&service.shape(list)?.member)?;
    let mut members = String::new();
    for (member, _) in &service.shape(element)?.members.0 {
        let field = field(member);
        write!(members, "({member:?}, element.{field}.as_deref()), ")?;
    }
    Ok(format!("java::list(value.iter().map(|element| java::structure({element:?}, &[{members}])))"))
}

/// Checks of `value` under the member.
fn member_check(service: &Service, member: &str, name: &str) -> Result<String> {
    let shape = service.shape(name)?;
    let mut code = own_check(service, member, name, "value")?;
    let inside = match shape.kind.as_str() {
        "structure" if name != "AttributeValue" && !checks(service, name)?.is_empty() => {
            "value.violations(out);\n".to_owned()
        }
        "list" => {
            let element = inside_check(service, inner(&shape.member)?)?;
            around(&element, "for (index, value) in value.iter().enumerate()", "out.enter_element(index)")
        }
        "map" => {
            let entry = inside_check(service, inner(&shape.value)?)?;
            around(&entry, "for (name, value) in value.iter()", "out.enter_entry(name)")
        }
        _ => String::new(),
    };
    if !inside.is_empty() {
        write!(code, "out.enter({member:?});\n{inside}out.leave();\n")?;
    }
    Ok(code)
}

fn around(inside: &str, each: &str, enter: &str) -> String {
    if inside.is_empty() {
        return String::new();
    }
    format!("{each} {{\n{enter};\n{inside}out.leave();\n}}\n")
}

/// Checks of a list's element or a map's value: what is inside structures and lists. Attribute values have none.
fn inside_check(service: &Service, name: &str) -> Result<String> {
    let shape = service.shape(name)?;
    Ok(match shape.kind.as_str() {
        "structure" if name != "AttributeValue" && !checks(service, name)?.is_empty() => {
            "value.violations(out);\n".to_owned()
        }
        "list" => {
            let element = inside_check(service, inner(&shape.member)?)?;
            around(&element, "for (index, value) in value.iter().enumerate()", "out.enter_element(index)")
        }
        _ => String::new(),
    })
}

/// The checks of the shape itself: length, range, pattern, enumeration.
fn own_check(service: &Service, member: &str, name: &str, value: &str) -> Result<String> {
    let shape = service.shape(name)?;
    let (min, max) = (bound(shape.min), bound(shape.max));
    let bounded = shape.min.is_some_and(|min| min != 0) || shape.max.is_some();
    let mut code = String::new();
    match shape.kind.as_str() {
        "string" if service.overrides.table_names.iter().any(|other| other == name) => {
            writeln!(code, "out.table({member:?}, {value});")?;
        }
        "string" => {
            if let Some(pattern) = &shape.pattern {
                let function = pattern_function(pattern)?;
                writeln!(code, "out.pattern({member:?}, {value}, {pattern:?}, patterns::{function});")?;
            }
            if bounded {
                writeln!(code, "out.text({member:?}, {value}, {min}, {max});")?;
            }
            if !shape.values.is_empty() {
                writeln!(code, "out.one_of({member:?}, {value}, values::{});", constant(name))?;
            }
        }
        "list" | "map" => {
            if bounded && service.overrides.shown_lists.iter().any(|list| list == name) {
                writeln!(code, "out.list({member:?}, {value}, {min}, {max});")?;
            } else if bounded {
                writeln!(code, "out.count({member:?}, {value}.len(), {min}, {max});")?;
            }
            if names_tables(service, shape) {
                writeln!(code, "out.table_names({member:?}, {value});")?;
            }
            code.push_str(&elements_check(service, member, shape)?);
            code.push_str(&entry_counts(service, member, shape)?);
        }
        "integer" | "long" if shape.min.is_some() || shape.max.is_some() => {
            writeln!(code, "out.number({member:?}, *{value}, {min}, {max});")?;
        }
        _ => {}
    }
    Ok(code)
}

/// The check of the texts in a list.
fn elements_check(service: &Service, member: &str, list: &Shape) -> Result<String> {
    let Some(element) = &list.member else { return Ok(String::new()) };
    let element = service.shape(&element.shape)?;
    if element.kind != "string"
        || (element.max.is_none() && element.min.is_none() && element.pattern.is_none())
    {
        return Ok(String::new());
    }
    let (min, max) = (bound(element.min), bound(element.max));
    let pattern = match &element.pattern {
        Some(pattern) => format!("Some(({pattern:?}, patterns::{}))", pattern_function(pattern)?),
        None => "None".to_owned(),
    };
    Ok(format!("out.elements({member:?}, value, {min}, {max}, {pattern});\n"))
}

/// The check of the lengths of lists in a map.
fn entry_counts(service: &Service, member: &str, map: &Shape) -> Result<String> {
    let Some(value) = &map.value else { return Ok(String::new()) };
    let value = service.shape(&value.shape)?;
    Ok(match (value.kind.as_str(), value.min, value.max) {
        ("list", Some(min), Some(max)) => format!(
            "out.entry_counts({member:?}, value.iter().map(|(name, list)| (name, list.len())), {min}, {max});\n"
        ),
        _ => String::new(),
    })
}

fn names_tables(service: &Service, map: &Shape) -> bool {
    map.key.as_ref().is_some_and(|key| service.overrides.table_names.contains(&key.shape))
}

fn bound(bound: Option<i64>) -> String {
    bound.map_or("None".to_owned(), |bound| format!("Some({bound})"))
}

/// The function in `crates/shapes/src/patterns.rs` for a model's pattern.
fn pattern_function(pattern: &str) -> Result<&'static str> {
    Ok(match pattern {
        "[a-zA-Z0-9_.-]+" => "name",
        r"^[^\$]+$" => "no_dollar",
        "[0-9]{12}" => "account",
        r"[,;:|\t ]" => "delimiter",
        r"[\x20-\x21\x23-\x2B\x2D-\x7E]*" => "header",
        "([0-9a-f]{16})+" => "hex_blocks",
        r"\p{Print}+" => "printable",
        r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$" => "bucket",
        r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*" => "no_control",
        other => bail!("the pattern {other} has no function in crates/shapes/src/patterns.rs yet"),
    })
}

/// The constants of all enumerations that requests carry.
pub fn enumerations(service: &Service) -> Result<String> {
    let mut code = String::new();
    for (name, shape) in &service.model.shapes {
        if shape.values.is_empty() || !service.travels(name, Way::In) {
            continue;
        }
        let order = service.overrides.enum_orders.get(name).unwrap_or(&shape.values);
        let mut sorted = [order.clone(), shape.values.clone()];
        sorted.iter_mut().for_each(|values| values.sort());
        if sorted[0] != sorted[1] {
            bail!("enum_orders of {name} does not hold the values of the model");
        }
        writeln!(code, "/// Values of `{name}`, as error texts list them.")?;
        writeln!(code, "pub const {}: &[&str] = &{order:?};", constant(name))?;
    }
    Ok(code)
}

fn constant(name: &str) -> String {
    field(name).trim_start_matches("r#").to_ascii_uppercase()
}
