//! Asks every table and every index, and compares what they say with what was loaded.

use super::expected::{Index, Loaded, Row, item, sortable};
use super::load::{Client, Server};
use super::records::Kind;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Connections.
const READERS: usize = 4;
/// Partitions of an index that are asked for one by one.
const PARTITIONS_MAX: usize = 24;
/// Items of a page.
const PAGE: u64 = 100;
/// Pages read of one partition in each direction.
const PAGES_MAX: usize = 4;
/// Parts of a scan that reads every item.
const SEGMENTS: u64 = 8;

/// Something to ask.
enum Question<'a> {
    Describe(&'a Loaded),
    CountTable(&'a Loaded),
    CountIndex(&'a Loaded, &'a Index),
    Partition(&'a Loaded, &'a Index, &'a str, &'a [Row]),
    Items(&'a Loaded, u64),
}

/// Asks everything; the hash of each question's answers, always in the same order. `items`: whether every item is read
/// and compared too.
pub fn ask(server: &Server, loaded: &[Loaded], listings: u64, items: bool) -> Vec<u64> {
    let questions = questions(loaded, items);
    let (next, address) = (AtomicUsize::new(0), server.address());
    let work = || {
        let mut asker = Asker { client: Client::connect(&address), hasher: DefaultHasher::new(), listings };
        let mut hashes = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(question) = questions.get(at) else { return hashes };
            asker.answer(question);
            hashes.push((at, std::mem::take(&mut asker.hasher).finish()));
        }
    };
    let mut hashes: Vec<_> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(work)).collect();
        readers.into_iter().flat_map(|reader| reader.join().expect("a reader")).collect()
    });
    hashes.sort_unstable();
    hashes.into_iter().map(|(_, hash)| hash).collect()
}

fn questions(loaded: &[Loaded], items: bool) -> Vec<Question<'_>> {
    let mut questions = Vec::new();
    for table in loaded {
        questions.extend([Question::Describe(table), Question::CountTable(table)]);
        if items {
            questions.extend((0..SEGMENTS).map(|segment| Question::Items(table, segment)));
        }
        for index in &table.indexes {
            questions.push(Question::CountIndex(table, index));
            let step = index.groups.len().div_ceil(PARTITIONS_MAX).max(1);
            let groups = index.groups.iter().step_by(step);
            questions.extend(groups.map(|(key, rows)| Question::Partition(table, index, key, rows)));
        }
    }
    questions
}

struct Asker {
    client: Client,
    hasher: DefaultHasher,
    listings: u64,
}

/// What pages bring together.
#[derive(Default)]
struct Pages {
    items: Vec<Value>,
    count: u64,
    scanned: u64,
    /// Whether the last page was the last there is.
    complete: bool,
}

impl Asker {
    fn call(&mut self, operation: &str, body: &Map<String, Value>) -> Value {
        let text = serde_json::to_string(body).expect("JSON");
        let (status, answer) = self.client.call(operation, &text).expect("answers");
        assert_eq!(status, 200, "{operation} {text}: {answer}");
        self.hasher.write(answer.as_bytes());
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Reads pages until the end, or so many.
    fn pages(&mut self, operation: &str, body: &Value, most: usize) -> Pages {
        let mut body = body.as_object().expect("an object").clone();
        let mut pages = Pages::default();
        for _ in 0..most {
            let mut answer = self.call(operation, &body);
            pages.count += answer["Count"].as_u64().expect("a count");
            pages.scanned += answer["ScannedCount"].as_u64().expect("a count");
            if let Some(Value::Array(items)) = answer.get_mut("Items").map(Value::take) {
                pages.items.extend(items);
            }
            match answer.get_mut("LastEvaluatedKey").map(Value::take) {
                Some(key) => body.insert("ExclusiveStartKey".to_owned(), key),
                None => {
                    pages.complete = true;
                    return pages;
                }
            };
        }
        pages
    }

    fn counted(&mut self, operation: &str, mut body: Value, expected: usize) {
        body["Select"] = "COUNT".into();
        let pages = self.pages(operation, &body, usize::MAX);
        let expected = expected as u64;
        assert_eq!(
            (pages.count, pages.scanned, pages.items.len()),
            (expected, expected, 0),
            "{operation} {body}"
        );
    }

    fn answer(&mut self, question: &Question<'_>) {
        match question {
            Question::Describe(table) => self.describe(table),
            Question::CountTable(table) => {
                self.counted("Scan", json!({"TableName": table.table.name}), table.items as usize);
            }
            Question::CountIndex(table, index) => {
                let body = json!({"TableName": table.table.name, "IndexName": index.name});
                self.counted("Scan", body, index.rows as usize);
            }
            Question::Partition(table, index, key, rows) => self.partition(table, index, key, rows),
            Question::Items(table, segment) => self.items(table, *segment),
        }
    }

    fn describe(&mut self, table: &Loaded) {
        let body = json!({"TableName": table.table.name});
        let answer = self.call("DescribeTable", body.as_object().expect("an object"));
        let answer = &answer["Table"];
        assert_eq!(answer["ItemCount"].as_u64(), Some(table.items), "{}", table.table.name);
        for index in &table.indexes {
            let described = answer["GlobalSecondaryIndexes"].as_array().expect("indexes");
            let described = described.iter().find(|one| one["IndexName"] == index.name).expect("the index");
            assert_eq!(
                described["ItemCount"].as_u64(),
                Some(index.rows),
                "{} {}",
                table.table.name,
                index.name
            );
            if index.rows == table.items {
                assert_eq!(described["IndexSizeBytes"], answer["TableSizeBytes"], "every item, whole");
            }
        }
    }

    /// Every item of a segment is as it was written last.
    fn items(&mut self, table: &Loaded, segment: u64) {
        let body = json!({"TableName": table.table.name, "Segment": segment, "TotalSegments": SEGMENTS});
        let mut body = body.as_object().expect("an object").clone();
        loop {
            let answer = self.call("Scan", &body);
            for found in answer["Items"].as_array().expect("items") {
                self.check_item(table, found);
            }
            match answer.get("LastEvaluatedKey") {
                Some(key) => body.insert("ExclusiveStartKey".to_owned(), key.clone()),
                None => return,
            };
        }
    }

    /// The number of an item; it is whole.
    fn check_item(&self, table: &Loaded, found: &Value) -> u64 {
        let (name, _) = table.table.key[0];
        let number = Kind::number(found[name]["S"].as_str().expect("a string"));
        let expected: Value =
            serde_json::from_str(item(table.kind, number, self.listings).json()).expect("JSON");
        assert_eq!(*found, expected);
        number
    }

    fn partition(&mut self, table: &Loaded, index: &Index, key: &str, rows: &[Row]) {
        let key: Value = serde_json::from_str(key).expect("JSON");
        let (name, _) = index.key[0];
        let query = json!({
            "TableName": table.table.name, "IndexName": index.name, "KeyConditionExpression": "#p = :p",
            "ExpressionAttributeNames": {"#p": name}, "ExpressionAttributeValues": {":p": key},
        });
        self.counted("Query", query.clone(), rows.len());
        let mut directions = Vec::new();
        for forward in [true, false] {
            let mut query = query.clone();
            query["ScanIndexForward"] = forward.into();
            query["Limit"] = PAGE.into();
            let pages = self.pages("Query", &query, PAGES_MAX);
            self.check_rows(table, index, rows, &pages, forward);
            directions.push(pages);
        }
        if let [forward, backward] = &directions[..]
            && forward.complete
        {
            assert!(
                forward.items.iter().eq(backward.items.iter().rev()),
                "backward is forward turned round: {query}"
            );
        }
        if let [_, (sort, kind)] = index.key[..] {
            self.between(query, (sort, kind), rows);
        }
    }

    /// Rows come in the order of their sort keys, from the right end, none twice, and all of them if pages are complete.
    fn check_rows(&self, table: &Loaded, index: &Index, rows: &[Row], pages: &Pages, forward: bool) {
        let wanted = if pages.complete { rows.len() } else { PAGES_MAX * PAGE as usize };
        assert_eq!(pages.items.len(), wanted, "{}", index.name);
        let found: Vec<Row> = pages
            .items
            .iter()
            .map(|found| {
                let number = self.check_item(table, found);
                let sort = index.key.get(1).map(|(name, kind)| {
                    sortable(if *kind == "N" { 'N' } else { 'S' }, found[name][kind].as_str().expect("a key"))
                });
                (sort.unwrap_or_default(), number as u32)
            })
            .collect();
        let expected: Box<dyn Iterator<Item = &Row>> =
            if forward { Box::new(rows.iter()) } else { Box::new(rows.iter().rev()) };
        // Rows of one sort key may come in any order.
        assert!(
            found.iter().map(|(sort, _)| sort).eq(expected.map(|(sort, _)| sort).take(wanted)),
            "{}",
            index.name
        );
        let found: HashSet<&Row> = found.iter().collect();
        assert_eq!(found.len(), wanted, "{}: one comes twice", index.name);
        let known: HashSet<&Row> = rows.iter().collect();
        assert!(found.is_subset(&known), "{}: a row that is not of this partition", index.name);
    }

    fn between(&mut self, mut query: Value, (sort, kind): (&str, &str), rows: &[Row]) {
        let (low, high) = (&rows[rows.len() / 4].0, &rows[rows.len() * 3 / 4].0);
        let text = |sortable: &str| match kind {
            "N" => sortable.trim_start_matches('0').to_owned(),
            _ => sortable.to_owned(),
        };
        query["KeyConditionExpression"] = "#p = :p AND #s BETWEEN :low AND :high".into();
        query["ExpressionAttributeNames"]["#s"] = sort.into();
        query["ExpressionAttributeValues"][":low"] = json!({kind: text(low)});
        query["ExpressionAttributeValues"][":high"] = json!({kind: text(high)});
        let expected = rows.iter().filter(|(sort, _)| sort >= low && sort <= high).count();
        self.counted("Query", query, expected);
    }
}
