//! Broken constraints of a request, and the text DynamoDB gives for them.
//!
//! DynamoDB answers in two ways, and one request gets one of them (observed in us-east-1, October 2026, after the
//! validation rollout of June 2026):
//! - The **older** form lists everything that is wrong, echoes each value and writes members in lower camel case:
//!   `2 validation errors detected: Value '' at 'tableName' failed to satisfy constraint: …; Value null at 'key' …`.
//! - The **current** form stops at the first problem and echoes nothing: `1 validation error detected: Value at
//!   'TableName' failed to satisfy constraint: …`. Only some members of some operations have it (see `form`),
//!   and a missing required member brings back the older form for the whole request, as does a value that is nested so
//!   deeply that the current form's reader does not take the body.

use std::fmt::Write as _;

/// DynamoDB reports no more than this many problems in one text.
const MAX_REPORTED: usize = 10;

/// Operations that read one table and have crossed to the current form.
const CURRENT: [&str; 6] = ["PutItem", "UpdateItem", "DeleteItem", "GetItem", "Query", "Scan"];
/// Operations of [`CURRENT`] that write and take `ReturnValues`.
pub(crate) const CURRENT_WRITES: [&str; 3] = ["PutItem", "UpdateItem", "DeleteItem"];
/// The values of `ReturnValues` as the current form lists them, with AWS's own slip in the fourth.
const CURRENT_RETURN_VALUES: &str = "[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]";
/// The values of `ConditionalOperator` as the current form lists them, with AWS's own slip in the first.
const CURRENT_CONDITIONAL_OPERATORS: &str = "[ALL, OR]";

/// What a member must satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// The member is required.
    NotNull,
    /// Characters of a text, elements of a list or entries of a map, at least.
    LengthMin(u64),
    /// Characters of a text, elements of a list or entries of a map, at most.
    LengthMax(u64),
    /// A number, at least.
    ValueMin(i64),
    /// A number, at most.
    ValueMax(i64),
    /// A text that matches the pattern.
    Pattern(&'static str),
    /// A text out of a set, in the order in which the older form lists it.
    OneOf(&'static [&'static str]),
    /// Names of a map, each within these lengths and matching this pattern.
    Names(u64, u64, &'static str),
    /// Lists in a map, each with at least and at most this many elements.
    Values(u64, u64),
    /// Texts in a list, each of which satisfies all of these.
    Elements(Vec<Constraint>),
}

/// A pattern as the model writes it, and what matches it.
pub type Pattern = (&'static str, fn(&str) -> bool);

/// One broken constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Violation {
    /// Members from the input down, in the model's spelling, joined by dots.
    path: String,
    /// The same with members in lower camel case, as the older form has them; names of entries stay as they were sent.
    older_path: String,
    /// The value as the older form echoes it, with its quotes; None where it cannot be echoed faithfully.
    value: Option<String>,
    constraint: Constraint,
}

/// A step on the way from the input to a member. Steps that cost nothing to take, since most requests are in order.
#[derive(Debug)]
enum Step {
    Member(&'static str),
    /// An element of a list, counted from 0.
    Element(usize),
    /// The value under a name of a map.
    Entry(String),
}

/// Collects the broken constraints of one request.
#[derive(Debug)]
pub struct Violations {
    operation: &'static str,
    /// Whether the older form is used throughout.
    all_older: bool,
    path: Vec<Step>,
    found: Vec<Violation>,
}

impl Violations {
    /// Nothing found yet in a request for `operation`.
    pub fn of(operation: &'static str) -> Self {
        Violations { operation, all_older: false, path: Vec::new(), found: Vec::new() }
    }

    /// The same, with texts in the older form throughout.
    pub fn in_older_form(operation: &'static str) -> Self {
        Violations { all_older: true, ..Self::of(operation) }
    }

    /// Whether nothing is broken.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Goes into the structure under `member`.
    pub fn enter(&mut self, member: &'static str) {
        self.path.push(Step::Member(member));
    }

    /// Goes into an element of the list just entered. `index` counts from 0, the text from 1.
    pub fn enter_element(&mut self, index: usize) {
        self.path.push(Step::Element(index));
    }

    /// Goes into the value under `name` of the map just entered.
    pub fn enter_entry(&mut self, name: &str) {
        self.path.push(Step::Entry(name.to_owned()));
    }

    /// Comes back from what was entered last.
    pub fn leave(&mut self) {
        self.path.pop();
    }

    /// A required member.
    pub fn required(&mut self, member: &str, present: bool) {
        if !present {
            self.add(member, Some("null".to_owned()), Constraint::NotNull);
        }
    }

    /// A text's length in characters.
    pub fn text(&mut self, member: &str, value: &str, min: Option<u64>, max: Option<u64>) {
        // Bytes are an upper bound of characters, so only a suspicious text is counted.
        let bytes = value.len() as u64;
        if min.is_none_or(|min| bytes >= min * 4) && max.is_none_or(|max| bytes <= max) {
            return;
        }
        let length = value.chars().count() as u64;
        self.length(member, length, min, max, || Some(quoted(value)));
    }

    /// A list's or map's number of elements.
    pub fn count(&mut self, member: &str, length: usize, min: Option<u64>, max: Option<u64>) {
        self.length(member, length as u64, min, max, || (length == 0).then(|| quoted("[]")));
    }

    /// A list's number of elements, where the older form echoes the whole list: here its elements as JSON, since it is not known
    /// how Java prints them.
    pub fn list<T: serde::Serialize>(
        &mut self,
        member: &str,
        list: &[T],
        min: Option<u64>,
        max: Option<u64>,
    ) {
        let shown = || {
            let elements: Result<Vec<String>, _> = list.iter().map(serde_json::to_string).collect();
            Some(quoted(&crate::java::list(elements.ok()?.into_iter())))
        };
        self.length(member, list.len() as u64, min, max, shown);
    }

    /// A list's largest number of elements, where the older form echoes the whole list.
    pub fn count_shown(&mut self, member: &str, length: usize, max: usize, shown: impl Fn() -> String) {
        if length > max {
            self.add(member, Some(quoted(&shown())), Constraint::LengthMax(max as u64));
        }
    }

    fn length(
        &mut self,
        member: &str,
        length: u64,
        min: Option<u64>,
        max: Option<u64>,
        value: impl Fn() -> Option<String>,
    ) {
        if let Some(min) = min.filter(|min| length < *min) {
            self.add(member, value(), Constraint::LengthMin(min));
        }
        if let Some(max) = max.filter(|max| length > *max) {
            self.add(member, value(), Constraint::LengthMax(max));
        }
    }

    /// A number's range.
    pub fn number(&mut self, member: &str, value: i64, min: Option<i64>, max: Option<i64>) {
        if let Some(min) = min.filter(|min| value < *min) {
            self.add(member, Some(quoted(&value.to_string())), Constraint::ValueMin(min));
        }
        if let Some(max) = max.filter(|max| value > *max) {
            self.add(member, Some(quoted(&value.to_string())), Constraint::ValueMax(max));
        }
    }

    /// A text's pattern.
    pub fn pattern(&mut self, member: &str, value: &str, pattern: &'static str, matches: fn(&str) -> bool) {
        if !matches(value) {
            self.add(member, Some(quoted(value)), Constraint::Pattern(pattern));
        }
    }

    /// A text out of a set.
    pub fn one_of(&mut self, member: &str, value: &str, values: &'static [&'static str]) {
        if !values.contains(&value) {
            self.add(member, Some(quoted(value)), Constraint::OneOf(values));
        }
    }

    /// A table name that may also be an ARN. The model allows 1 to 1024 characters of anything; DynamoDB checks what
    /// is not an ARN as a name of 3 to 255 characters, and reports an empty one by the model's minimum.
    pub fn table(&mut self, member: &str, value: &str) {
        if value.is_empty() {
            self.text(member, value, Some(1), None);
        } else if value.starts_with("arn:") {
            self.text(member, value, None, Some(1024));
        } else {
            self.pattern(member, value, "[a-zA-Z0-9_.-]+", crate::patterns::name);
            self.text(member, value, Some(3), Some(255));
        }
    }

    /// The names of a map whose names are table names or ARNs. BatchGetItem echoes the map as JSON; BatchWriteItem
    /// echoes it in a form that differs between regions, so there it is left out.
    pub fn table_names<T: serde::Serialize>(&mut self, member: &str, map: &crate::Pairs<T>) {
        let fits = |name: &str| {
            name.starts_with("arn:") && name.len() <= 1024
                || (3..=255).contains(&name.len()) && crate::patterns::name(name)
        };
        if !map.iter().all(|(name, _)| fits(name)) {
            let echoed = self.operation == "BatchGetItem";
            let value = serde_json::to_string(map).ok().filter(|_| echoed).map(|json| quoted(&json));
            self.add(member, value, Constraint::Names(3, 255, "[a-zA-Z0-9_.-]+"));
        }
    }

    /// The texts in a list, which the older form reports for the list, once, with everything that is asked of each. Source: known
    /// of lists of other services that DynamoDB's framework serves.
    pub fn elements(
        &mut self,
        member: &str,
        list: &[String],
        min: Option<u64>,
        max: Option<u64>,
        pattern: Option<Pattern>,
    ) {
        let fits = |text: &String| {
            let length = text.chars().count() as u64;
            min.is_none_or(|min| length >= min)
                && max.is_none_or(|max| length <= max)
                && pattern.is_none_or(|(_, matches)| matches(text))
        };
        if !list.iter().all(fits) {
            let each = [
                max.map(Constraint::LengthMax),
                min.map(Constraint::LengthMin),
                pattern.map(|(pattern, _)| Constraint::Pattern(pattern)),
            ];
            let shown = crate::java::list(list.iter().cloned());
            let each = each.into_iter().flatten().collect();
            self.add(member, Some(quoted(&shown)), Constraint::Elements(each));
        }
    }

    /// The lengths of lists in a map. An empty one is reported for the map, a long one by its own path.
    pub fn entry_counts<'a>(
        &mut self,
        member: &'static str,
        entries: impl Iterator<Item = (&'a str, usize)>,
        min: u64,
        max: u64,
    ) {
        for (name, length) in entries {
            if (length as u64) < min {
                let value = quoted(&format!("{{{name}=[]}}"));
                self.add(member, Some(value), Constraint::Values(min, max));
            } else if length as u64 > max {
                self.add(&format!("{member}.{name}.member"), None, Constraint::LengthMax(max));
            }
        }
    }

    fn add(&mut self, member: &str, value: Option<String>, constraint: Constraint) {
        let (mut path, mut older_path) = (String::new(), String::new());
        for step in &self.path {
            let both = match step {
                Step::Member(name) => {
                    path.push_str(name);
                    path.push('.');
                    push_lower_camel(name, &mut older_path);
                    older_path.push('.');
                    continue;
                }
                Step::Element(index) => format!("{}.member.", index + 1),
                Step::Entry(name) => format!("{name}.member."),
            };
            path.push_str(&both);
            older_path.push_str(&both);
        }
        path.push_str(member);
        push_lower_camel(member, &mut older_path);
        self.found.push(Violation { path, older_path, value, constraint });
    }

    /// The text of the `ValidationException`; None if nothing is broken.
    pub fn message(&self) -> Option<String> {
        let required_missing = self.found.iter().any(|found| found.constraint == Constraint::NotNull);
        let form = |found: &Violation| {
            if self.all_older || required_missing { Form::Older } else { form(self.operation, found) }
        };
        // Of the problems that are reported by themselves, the table's name is looked at first.
        let alone = self.found.iter().filter(|found| form(found) == Form::Alone);
        if let Some(alone) = alone.min_by_key(|found| found.path != "TableName") {
            return Some(self.alone(alone));
        }
        // BatchWriteItem reports malformed table names, and that there is nothing to write, only when there is nothing else.
        let late = |found: &Violation| {
            self.operation == "BatchWriteItem"
                && *found.older_path == *"requestItems"
                && matches!(found.constraint, Constraint::Names(..) | Constraint::LengthMin(_))
        };
        let some_early = self.found.iter().any(|found| !late(found));
        let listed: Vec<&Violation> =
            self.found.iter().filter(|found| !(some_early && late(found))).take(MAX_REPORTED).collect();
        if let [only] = listed[..]
            && late(only)
            && matches!(only.constraint, Constraint::LengthMin(_))
        {
            return Some("The requestItems parameter is required for BatchWriteItem".to_owned());
        }
        let reported = listed.len();
        let mut text = match reported {
            0 => return None,
            1 => "1 validation error detected: ".to_owned(),
            several => format!("{several} validation errors detected: "),
        };
        for (at, found) in listed.into_iter().enumerate() {
            if at > 0 {
                text.push_str("; ");
            }
            if form(found) == Form::Current {
                text.push_str(&current_form(found));
            } else {
                found.write_older_form(&mut text);
            }
        }
        Some(text)
    }

    /// The whole text for a problem that is reported by itself.
    fn alone(&self, found: &Violation) -> String {
        // Query and Scan give this one without the envelope.
        let bare = found.path == "ConditionalOperator" && !CURRENT_WRITES.contains(&self.operation);
        format!("{}{}", if bare { "" } else { "1 validation error detected: " }, current_form(found))
    }
}

/// One problem in the current form, without the envelope.
fn current_form(found: &Violation) -> String {
    match (&found.constraint, found.path.as_str()) {
        (Constraint::OneOf(_), "ConditionalOperator") => {
            format!(
                "Failed to satisfy constraint: Member must satisfy enum value set: {CURRENT_CONDITIONAL_OPERATORS}"
            )
        }
        (Constraint::OneOf(_), _) => {
            format!(
                "Failed to satisfy constraint: Member must satisfy enum value set: {CURRENT_RETURN_VALUES}"
            )
        }
        (constraint, path) => {
            format!("Value at '{path}' failed to satisfy constraint: {}", demand(constraint))
        }
    }
}

impl Violation {
    fn write_older_form(&self, text: &mut String) {
        text.push_str("Value ");
        if let Some(value) = &self.value {
            text.push_str(value);
            text.push(' ');
        }
        let (path, demand) = (&self.older_path, demand(&self.constraint));
        let _ = write!(text, "at '{path}' failed to satisfy constraint: {demand}");
    }
}

/// Appends a member's name with a small first letter.
fn push_lower_camel(member: &str, text: &mut String) {
    let mut letters = member.chars();
    text.extend(letters.next().map(|first| first.to_ascii_lowercase()));
    text.push_str(letters.as_str());
}

/// How one problem is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// With its value echoed, among others.
    Older,
    /// Without its value, among others.
    Current,
    /// Without its value, and nothing else is reported.
    Alone,
}

/// The form in which `operation` reports a problem when no required member is missing.
///
/// Source: answers recorded from AWS in us-east-1 and eu-west-2 between June and October 2026.
fn form(operation: &str, found: &Violation) -> Form {
    match (found.path.as_str(), &found.constraint) {
        ("TableName", Constraint::LengthMin(1)) if CURRENT.contains(&operation) => Form::Alone,
        // Scan's other members have not crossed yet but in a few regions.
        ("Limit", Constraint::ValueMin(_)) if operation == "Query" => Form::Alone,
        // UpdateItem stops here; PutItem and DeleteItem report their other enumerations beside it.
        ("ReturnValues", Constraint::OneOf(_)) if operation == "UpdateItem" => Form::Alone,
        ("ReturnValues", Constraint::OneOf(_)) if CURRENT_WRITES.contains(&operation) => Form::Current,
        ("ConditionalOperator", Constraint::OneOf(_)) if CURRENT.contains(&operation) => Form::Alone,
        // BatchWriteItem has a sentence of its own for no requests at all.
        ("RequestItems", Constraint::LengthMin(_)) if operation == "BatchWriteItem" => Form::Older,
        ("RequestItems", Constraint::LengthMin(_) | Constraint::LengthMax(_)) => Form::Alone,
        (path, Constraint::LengthMin(_) | Constraint::LengthMax(_))
            if path.starts_with("RequestItems.")
                && (path.ends_with(".member.Keys") || path.ends_with(".member")) =>
        {
            Form::Alone
        }
        _ => Form::Older,
    }
}

fn quoted(value: &str) -> String {
    format!("'{value}'")
}

fn demand(constraint: &Constraint) -> String {
    match constraint {
        Constraint::NotNull => "Member must not be null".to_owned(),
        Constraint::LengthMin(min) => format!("Member must have length greater than or equal to {min}"),
        Constraint::LengthMax(max) => format!("Member must have length less than or equal to {max}"),
        Constraint::ValueMin(min) => format!("Member must have value greater than or equal to {min}"),
        Constraint::ValueMax(max) => format!("Member must have value less than or equal to {max}"),
        Constraint::Pattern(pattern) => {
            format!("Member must satisfy regular expression pattern: {pattern}")
        }
        Constraint::OneOf(values) => {
            format!("Member must satisfy enum value set: [{}]", values.join(", "))
        }
        Constraint::Names(min, max, pattern) => format!(
            "Map keys must satisfy constraint: [{}, {}, {}]",
            demand(&Constraint::LengthMax(*max)),
            demand(&Constraint::LengthMin(*min)),
            demand(&Constraint::Pattern(pattern))
        ),
        Constraint::Values(min, max) => format!(
            "Map value must satisfy constraint: [{}, {}]",
            demand(&Constraint::LengthMax(*max)),
            demand(&Constraint::LengthMin(*min))
        ),
        Constraint::Elements(each) => {
            let each: Vec<String> = each.iter().map(demand).collect();
            format!("Member must satisfy constraint: [{}]", each.join(", "))
        }
    }
}
