"""The first user's tables as CreateTable bodies, and its requests, from the text files beside this one."""

import collections
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent
KEY_TYPES = ("HASH", "RANGE")
Request = collections.namedtuple("Request", ("operation", "body"))


def key_schema(parts):
    return [{"AttributeName": name, "KeyType": kind} for (name, _), kind in zip(parts, KEY_TYPES)]


def throughput(units):
    return {"ReadCapacityUnits": units, "WriteCapacityUnits": units}


def table(line):
    """One line of a file as a CreateTable body."""
    name, key, *rest = line.split()

    def parts(text):
        return [tuple(part.split(":")) for part in text.split(",")]

    keys, indexes, units = [parts(key)], [], 5
    body = {"TableName": name, "KeySchema": key_schema(keys[0])}
    for word in rest:
        left, _, right = word.partition("=")
        if left == "capacity":
            units = int(right)
        elif left == "on-demand":
            body["BillingMode"] = "PAY_PER_REQUEST"
        else:
            keys.append(parts(right))
            indexes.append({"IndexName": left, "KeySchema": key_schema(keys[-1]),
                            "Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": throughput(5)})
    if "BillingMode" not in body:
        body["ProvisionedThroughput"] = throughput(units)
    if indexes:
        body["GlobalSecondaryIndexes"] = indexes
    attributes = dict(part for parts_of_key in keys for part in parts_of_key)
    body["AttributeDefinitions"] = [
        {"AttributeName": attribute, "AttributeType": kind} for attribute, kind in attributes.items()]
    return body


def tables(file):
    """The tables of `seed`, `head` or `second`, by name."""
    lines = (FOLDER / f"{file}.txt").read_text(encoding="utf-8").splitlines()
    bodies = [table(line) for line in lines if line and not line.startswith("#")]
    return {body["TableName"]: body for body in bodies}


def requests():
    """The requests of requests.txt by name: the operation, and the body as text."""
    _, *parts = ("\n" + (FOLDER / "requests.txt").read_text(encoding="utf-8")).split("\n== ")
    named = (part.rstrip("\n").split("\n") for part in parts)
    return {name: Request(operation, body) for name, operation, body in named}


def differences(asked, described):
    """How a described table is not the one that was asked for; empty if it is."""

    def indexes(body):
        return {index["IndexName"]: (index["KeySchema"], index["Projection"]["ProjectionType"])
                for index in body.get("GlobalSecondaryIndexes", [])}

    def attributes(body):
        return {one["AttributeName"]: one["AttributeType"] for one in body["AttributeDefinitions"]}

    def billing(body):
        mode = body.get("BillingMode") or body.get("BillingModeSummary", {}).get("BillingMode")
        return mode == "PAY_PER_REQUEST"

    def units(body):
        return 0 if billing(body) else body["ProvisionedThroughput"]["ReadCapacityUnits"]

    statuses = [described["TableStatus"]]
    statuses += [index["IndexStatus"] for index in described.get("GlobalSecondaryIndexes", [])]
    checks = {
        "key": (asked["KeySchema"], described["KeySchema"]), "indexes": (indexes(asked), indexes(described)),
        "attributes": (attributes(asked), attributes(described)), "billing": (billing(asked), billing(described)),
        "units": (units(asked), units(described)), "statuses": (["ACTIVE"] * len(statuses), statuses)}
    return {what: pair for what, pair in checks.items() if pair[0] != pair[1]}
