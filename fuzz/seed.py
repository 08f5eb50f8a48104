"""Writes first inputs for the fuzz targets into fuzz/corpus, from the goldens: `python3 fuzz/seed.py`."""

import hashlib
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
# Longer texts make the fuzzer slow and show nothing new.
INPUT_BYTES_MAX = 8_192
SCOPE = "Credential=test/20261124/us-east-1/dynamodb/aws4_request"
HEADERS = "x-amz-date: 20261124T000000Z\nx-amz-target: DynamoDB_20120810.ListTables\nhost: localhost:8000"
SIGNED = "SignedHeaders=host;x-amz-date;x-amz-target"
QUERY = ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20261124%2Fus-east-1%2Fdynamodb%2Faws4_request"
         "&X-Amz-Date=20261124T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab")
HEADS = [
    f"POST /\n{HEADERS}\nauthorization: AWS4-HMAC-SHA256 {SCOPE}, {SIGNED}, Signature={'ab' * 32}\n\n{{}}",
    f"POST /?a=b&c\n{HEADERS}\nauthorization: AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=h,Signature=s\n\n",
    f"GET /?{QUERY}\nhost: localhost\n\n", "POST /\nauthorization: Bearer x\n\n"]
EXPRESSIONS = [
    "#p = :p AND #s BETWEEN :s AND :t", "p = :p and begins_with(s, :s)", "(p = :p) AND (s >= :n)", ":p = p AND :b < s",
    "attribute_not_exists(a.b[3]) OR NOT (size(#x) > :n AND a IN (:p, :s, :m))", "a, #x.b[0], c",
    "contains(a, :p) AND attribute_type(b, :s) OR x <> :l",
    "SET a = if_not_exists(#x, :n) + :m, b.c[1] = list_append(:l, d) REMOVE e[0] ADD f :n DELETE g :b"]
ITEM = ('{"s":{"S":"x"},"n":{"N":"5"},"l":{"L":[{"S":"0"},{"S":"1"},{"S":"2"}]},"m":{"M":{"x":{"S":"m"},"l":{"L":[{"N":"1"}]},'
        '"m":{"M":{"y":{"N":"1"}}}}},"ss":{"SS":["a","b","c"]},"ns":{"NS":["1","2"]},"lm":{"L":[{"M":{"k":{"S":"1"}}}]}}')

def keep(target, text):
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= INPUT_BYTES_MAX:
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def members(value, name):
    """Every value of a member of that name, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from members(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, name)


def main():
    for path in sorted((ROOT / "crates/dynamodb/tests/goldens").glob("*/*.json")):
        lines = []
        for step in json.loads(path.read_text(encoding="utf-8"))["steps"]:
            body = step.get("body") or json.dumps(step.get("request", {}), separators=(",", ":"))
            lines.append(f"{step['operation']} {body}".replace("\n", " "))
            for name in ("Item", "Key", "ExpressionAttributeValues"):
                for item in members(step.get("request"), name):
                    keep("item_json", json.dumps(item, separators=(",", ":")))
            for name in ("KeyConditionExpression", "FilterExpression", "ConditionExpression", "ProjectionExpression",
                         "UpdateExpression"):
                for expression in members(step.get("request"), name):
                    if isinstance(expression, str):
                        keep("expressions", expression)
        # A few requests at a time, each part beginning with the first one: it mostly makes the table.
        for start in range(1, len(lines) + 1, 6):
            keep("requests", "\n".join(lines[:1] + lines[start:start + 6]))
    for head in HEADS:
        keep("sigv4", head)
    for expression in EXPRESSIONS:
        keep("expressions", expression)
    keep("item_bytes", "\x01\x00")
    cases = ROOT / "crates/dynamodb/src/item/edit/tests/cases.txt"
    for line in cases.read_text(encoding="utf-8").splitlines():
        if not line.startswith("//"):
            expression = line.split("\t")[0]
            keep("updates", f"{expression}\n\n\n{ITEM}")
            keep("updates", f"{expression}\n\n\n\x01\x02\x01l\x06\x03\x01\x81a\x01n\x42\xc1\x02")


if __name__ == "__main__":
    main()
