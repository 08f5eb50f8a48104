"""boto3 against the real binary: indexes, batches, queries and scans, with the client and with resources."""

import unittest
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config

from boto3_smoke import client
from server import Server

TABLE = "boats"
BOATS = 120
HARBOURS = ("Kiel", "Oban", "Riga")


def resource(server):
    return boto3.resource(
        "dynamodb", endpoint_url=server.endpoint, region_name="eu-central-1",
        aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=20))


def boat(number):
    """A boat; each third is in no harbour, so it is not in the index of harbours."""
    item = {"owner": f"owner-{number % 4}", "number": number, "length": Decimal(number % 7) + Decimal("0.5"), "note": "x" * 20}
    if number % 3:
        item["harbour"] = HARBOURS[number % 2]
    return item


def create(dynamodb):
    return dynamodb.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "owner", "AttributeType": "S"}, {"AttributeName": "number", "AttributeType": "N"},
            {"AttributeName": "harbour", "AttributeType": "S"}, {"AttributeName": "length", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-harbour", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "harbour", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}]}],
        LocalSecondaryIndexes=[{
            "IndexName": "by-length", "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "length", "KeyType": "RANGE"}]}])


class Resources(unittest.TestCase):
    """What most Python programs use: resources, with values as Python has them."""

    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)
        self.dynamodb = resource(self.server)
        self.table = create(self.dynamodb)
        self.table.wait_until_exists()
        with self.table.batch_writer() as batch:
            for number in range(BOATS):
                batch.put_item(Item=boat(number))

    def numbers(self, items):
        return [int(item["number"]) for item in items]

    def pages(self, call, **arguments):
        while True:
            answer = call(**arguments)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def test_query_by_key_and_by_conditions_on_it(self):
        wanted = [number for number in range(BOATS) if number % 4 == 1]
        answer = self.table.query(KeyConditionExpression=Key("owner").eq("owner-1"))
        self.assertEqual(answer["Items"], [boat(number) for number in wanted])
        self.assertEqual((answer["Count"], answer["ScannedCount"]), (len(wanted), len(wanted)))
        for condition, kept in ((Key("number").gt(50), lambda n: n > 50), (Key("number").gte(49), lambda n: n >= 49),
                                (Key("number").lt(49), lambda n: n < 49), (Key("number").lte(49), lambda n: n <= 49),
                                (Key("number").between(20, 60), lambda n: 20 <= n <= 60),
                                (Key("number").eq(53), lambda n: n == 53), (Key("number").eq(54), lambda n: n == 54)):
            with self.subTest(condition=condition.expression_operator):
                answer = self.table.query(KeyConditionExpression=Key("owner").eq("owner-1") & condition)
                self.assertEqual(self.numbers(answer["Items"]), [number for number in wanted if kept(number)])

    def test_an_index_is_sparse_sorted_and_read_from_both_ends(self):
        wanted = [number for number in range(BOATS) if number % 3 and number % 2 == 1]
        arguments = {"IndexName": "by-harbour", "KeyConditionExpression": Key("harbour").eq("Oban")}
        self.assertEqual(self.numbers(self.pages(self.table.query, Limit=7, **arguments)), wanted)
        backward = self.pages(self.table.query, Limit=7, ScanIndexForward=False, **arguments)
        self.assertEqual(list(backward), [boat(number) for number in reversed(wanted)])
        self.assertEqual(self.table.query(Select="COUNT", **arguments)["Count"], len(wanted))
        self.assertEqual(self.table.scan(IndexName="by-harbour", Select="COUNT")["Count"], BOATS * 2 // 3)
        self.assertEqual(self.numbers(self.table.query(
            IndexName="by-harbour", KeyConditionExpression=Key("harbour").eq("Riga"))["Items"]), [])

    def test_a_local_index_has_the_keys_only(self):
        answer = self.table.query(IndexName="by-length", KeyConditionExpression=Key("owner").eq("owner-0"))
        lengths = [item["length"] for item in answer["Items"]]
        self.assertEqual(lengths, sorted(lengths))
        self.assertEqual(set(self.numbers(answer["Items"])), set(range(0, BOATS, 4)))
        self.assertEqual({name for item in answer["Items"] for name in item}, {"owner", "number", "length"})

    def test_rows_of_indexes_follow_their_items(self):
        self.table.put_item(Item=boat(5) | {"harbour": "Riga"})
        self.table.delete_item(Key={"owner": "owner-3", "number": 7})
        riga = self.table.query(IndexName="by-harbour", KeyConditionExpression=Key("harbour").eq("Riga"))
        self.assertEqual(self.numbers(riga["Items"]), [5])
        oban = self.table.query(IndexName="by-harbour", KeyConditionExpression=Key("harbour").eq("Oban"))
        self.assertEqual(self.numbers(oban["Items"])[:3], [1, 11, 13])

    def test_scans_in_pages_and_in_segments(self):
        everything = [boat(number) for number in range(BOATS)]
        ordered = sorted(self.pages(self.table.scan, Limit=11), key=lambda item: item["number"])
        self.assertEqual(ordered, everything)
        parts = [list(self.pages(self.table.scan, Segment=segment, TotalSegments=3)) for segment in range(3)]
        self.assertEqual(sorted(self.numbers(sum(parts, []))), list(range(BOATS)))
        self.assertEqual(self.table.scan(Select="COUNT")["Count"], BOATS)

    def test_batches_of_reads_and_counts(self):
        keys = [{"owner": f"owner-{number % 4}", "number": number} for number in (1, 2, 119, 1000)]
        answer = self.dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})
        found = sorted(answer["Responses"][TABLE], key=lambda item: item["number"])
        self.assertEqual((found, answer["UnprocessedKeys"]), ([boat(1), boat(2), boat(119)], {}))
        with self.table.batch_writer() as batch:
            for number in range(0, BOATS, 2):
                batch.delete_item(Key={"owner": f"owner-{number % 4}", "number": number})
        self.table.reload()
        self.assertEqual(self.table.item_count, BOATS // 2)
        indexes = {index["IndexName"]: index["ItemCount"] for index in self.table.global_secondary_indexes}
        self.assertEqual(indexes, {"by-harbour": BOATS // 3})
        self.assertEqual([index["ItemCount"] for index in self.table.local_secondary_indexes], [BOATS // 2])

    def test_the_end_of_a_table(self):
        self.table.delete()
        self.table.wait_until_not_exists()
        self.assertEqual(list(self.dynamodb.tables.all()), [])
        with self.assertRaises(self.dynamodb.meta.client.exceptions.ResourceNotFoundException):
            self.table.reload()


class Clients(unittest.TestCase):
    """The plain client, its paginators, waiters and errors."""

    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)
        self.dynamodb = client(self.server)
        create(self.dynamodb)
        self.dynamodb.get_waiter("table_exists").wait(TableName=TABLE)

    def put(self, numbers):
        requests = [{"PutRequest": {"Item": {
            "owner": {"S": "o"}, "number": {"N": str(number)}, "harbour": {"S": "Kiel"}, "length": {"N": "3"}}}}
            for number in numbers]
        answer = self.dynamodb.batch_write_item(RequestItems={TABLE: requests})
        self.assertEqual(answer["UnprocessedItems"], {})

    def test_paginators(self):
        self.put(range(25))
        query = self.dynamodb.get_paginator("query").paginate(
            TableName=TABLE, IndexName="by-harbour", KeyConditionExpression="harbour = :h AND #n BETWEEN :a AND :b",
            ExpressionAttributeNames={"#n": "number"}, PaginationConfig={"PageSize": 4},
            ExpressionAttributeValues={":h": {"S": "Kiel"}, ":a": {"N": "3"}, ":b": {"N": "17"}})
        self.assertEqual([int(item["number"]["N"]) for page in query for item in page["Items"]], list(range(3, 18)))
        scan = self.dynamodb.get_paginator("scan").paginate(TableName=TABLE, PaginationConfig={"PageSize": 6})
        self.assertEqual([page["Count"] for page in scan], [6, 6, 6, 6, 1])
        for number in range(7):
            self.dynamodb.create_table(
                TableName=f"t-{number}", BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
        pages = self.dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 3})
        self.assertEqual([len(page["TableNames"]) for page in pages], [3, 3, 2])

    def test_errors_by_their_classes(self):
        errors = self.dynamodb.exceptions
        with self.assertRaises(errors.ResourceInUseException):
            create(self.dynamodb)
        with self.assertRaises(errors.ResourceNotFoundException):
            self.dynamodb.scan(TableName="absent")
        with self.assertRaises(errors.ResourceNotFoundException):
            self.dynamodb.delete_table(TableName="absent")
        with self.assertRaisesRegex(self.dynamodb.exceptions.ClientError, "ValidationException.*specified index: nowhere"):
            self.dynamodb.query(
                TableName=TABLE, IndexName="nowhere", KeyConditionExpression="harbour = :h",
                ExpressionAttributeValues={":h": {"S": "Kiel"}})
        with self.assertRaisesRegex(self.dynamodb.exceptions.ClientError, "ValidationException.*Type mismatch for Index Key"):
            self.dynamodb.put_item(TableName=TABLE, Item={"owner": {"S": "o"}, "number": {"N": "1"}, "harbour": {"BOOL": True}})

    def test_indexes_are_whole_after_a_crash_and_a_stop(self):
        for start in range(0, 100, 25):
            self.put(range(start, start + 25))
        self.dynamodb.delete_item(TableName=TABLE, Key={"owner": {"S": "o"}, "number": {"N": "50"}})
        query = {"TableName": TABLE, "IndexName": "by-harbour", "KeyConditionExpression": "harbour = :h",
                 "ExpressionAttributeValues": {":h": {"S": "Kiel"}}}
        before = self.dynamodb.query(**query)["Items"]
        self.assertEqual(len(before), 99)
        self.server.kill()
        self.dynamodb = client(self.server.start())
        self.assertEqual(self.dynamodb.query(**query)["Items"], before)
        self.assertEqual(self.server.stop(), 0)
        self.dynamodb = client(self.server.start())
        self.assertEqual(self.dynamodb.query(**query)["Items"], before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
