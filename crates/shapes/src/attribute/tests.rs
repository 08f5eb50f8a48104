use super::*;

fn read(json: &str) -> Result<AttributeValue, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn every_type_is_read() {
    use AttributeValue as V;
    let text = |text: &str| text.to_owned();
    for (json, value) in [
        (r#"{"S":"a\u00e9"}"#, V::S(text("aé"))),
        (r#"{"N":"1e3"}"#, V::N(text("1e3"))),
        (r#"{"B":"AP8="}"#, V::B(vec![0, 255])),
        (r#"{"SS":["b","a"]}"#, V::SS(vec![text("b"), text("a")])),
        (r#"{"NS":["1"]}"#, V::NS(vec![text("1")])),
        (r#"{"BS":["AA==",""]}"#, V::BS(vec![vec![0], vec![]])),
        (r#"{"M":{"k":{"NULL":true}}}"#, V::M(vec![(text("k"), V::Null(true))])),
        (r#"{"L":[{"BOOL":false},{"L":[]}]}"#, V::L(vec![V::Bool(false), V::L(vec![])])),
        (r#"{"X":[{}],"M":null,"S":"other members are ignored"}"#, V::S(text("other members are ignored"))),
    ] {
        assert_eq!(read(json), Ok(value), "{json}");
    }
}

#[test]
fn exactly_one_type_is_demanded() {
    for json in ["{}", r#"{"X":"y"}"#, r#"{"S":null}"#, r#"{"L":[{}]}"#] {
        assert!(read(json).is_err_and(|error| error.starts_with(NO_TYPE)), "{json}");
    }
    for json in [r#"{"S":"a","N":"1"}"#, r#"{"S":"a","S":"b"}"#] {
        assert!(read(json).is_err_and(|error| error.starts_with(MORE_THAN_ONE_TYPE)), "{json}");
    }
}

#[test]
fn wrong_json_types_are_refused() {
    for json in [r#"{"N":1}"#, r#"{"S":["a"]}"#, r#"{"B":"&"}"#, r#"{"BOOL":"true"}"#, r#"[]"#, r#""a""#] {
        assert!(read(json).is_err(), "{json}");
    }
}

fn nested(open: &str, leaf: &str, close: &str, levels: usize) -> String {
    format!("{}{leaf}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [(r#"{"L":["#, "]}"), (r#"{"M":{"n":"#, "}}")] {
        let deepest = read(&nested(open, r#"{"S":""}"#, close, MAX_PARSED_DEPTH)).unwrap();
        assert_eq!(deepest.nesting(), MAX_PARSED_DEPTH);
        for levels in [MAX_PARSED_DEPTH + 1, 200_000] {
            let value = read(&nested(open, r#"{"S":""}"#, close, levels)).unwrap();
            assert_eq!(value.nesting(), MAX_PARSED_DEPTH + 1, "{levels}");
        }
        // It is still JSON, and the rest of the body is still read.
        let open_end = nested(open, "", "", MAX_PARSED_DEPTH + 1);
        assert!(read(&open_end).is_err());
        let around = nested(open, r#"{"S":""}"#, close, 1000);
        let map: AttributeMap =
            serde_json::from_str(&format!(r#"{{"a":{around},"b":{{"N":"1"}}}}"#)).unwrap();
        assert_eq!(map.get("b"), Some(&AttributeValue::N("1".to_owned())));
    }
    assert!(read(&format!(r#"{{"X":{}}}"#, nested("[", "", "]", 200_000))).is_err());
}

#[test]
fn the_last_of_equal_names_counts() {
    for others in [0, 40] {
        let others: String = (0..others).map(|n| format!(r#""x{n}":{{"S":""}},"#)).collect();
        let map: AttributeMap =
            serde_json::from_str(&format!(r#"{{"a":{{"N":"1"}},{others}"a":{{"N":"2"}}}}"#)).unwrap();
        assert_eq!(map.0[0], ("a".to_owned(), AttributeValue::N("2".to_owned())));
        assert_eq!(map.0.iter().filter(|(name, _)| name == "a").count(), 1);
    }
}
