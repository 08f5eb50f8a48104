"""Writes first inputs for the fuzz targets into fuzz/corpus, from the goldens: `python3 fuzz/seed.py`."""

import hashlib
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
# Longer texts make the fuzzer slow and show nothing new.
INPUT_BYTES_MAX = 8_192
HEADERS = [
    "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature="
    + "ab" * 32,
    "AWS4-HMAC-SHA256 Credential=te/st/20261124/us-east-1/dynamodb/aws4_request,SignedHeaders=host,Signature=0",
    "AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=h,Signature=s", "Bearer x"]


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
        # A few requests at a time, each part beginning with the first one: it mostly makes the table.
        for start in range(1, len(lines) + 1, 6):
            keep("requests", "\n".join(lines[:1] + lines[start:start + 6]))
    for header in HEADERS:
        keep("authorization", header)
    keep("item_bytes", "\x01\x00")


if __name__ == "__main__":
    main()
