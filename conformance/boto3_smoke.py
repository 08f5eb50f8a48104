"""boto3 against the real binary: tables and items, refusals, and what is left after a crash."""

import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from server import Server

TABLE = "music"


def client(server):
    return boto3.client(
        "dynamodb", endpoint_url=server.endpoint, region_name="eu-central-1",
        aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=20))


def create(dynamodb):
    return dynamodb.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "artist", "AttributeType": "S"},
                              {"AttributeName": "year", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}])


def key(number):
    return {"artist": {"S": "Sparks"}, "year": {"N": str(number)}}


class Boto3(unittest.TestCase):
    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)
        self.dynamodb = client(self.server)

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertTrue(caught.exception.response["ResponseMetadata"]["RequestId"])
        return caught.exception.response["Error"]["Message"]

    def test_tables(self):
        self.assertEqual(create(self.dynamodb)["TableDescription"]["TableName"], TABLE)
        self.dynamodb.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        table = self.dynamodb.describe_table(TableName=TABLE)["Table"]
        self.assertEqual(table["TableStatus"], "ACTIVE")
        self.assertEqual([element["AttributeName"] for element in table["KeySchema"]], ["artist", "year"])
        self.assertEqual(self.dynamodb.list_tables()["TableNames"], [TABLE])
        self.refused("ResourceInUseException", create, dynamodb=self.dynamodb)
        self.dynamodb.delete_table(TableName=TABLE)
        self.dynamodb.get_waiter("table_not_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        self.assertEqual(self.dynamodb.list_tables()["TableNames"], [])

    def test_every_type_comes_back_as_it_was_put(self):
        create(self.dynamodb)
        item = key(1974) | {
            "text": {"S": "Kimono \u00e4\u20ac\U0001f3b9"}, "empty": {"S": ""}, "bytes": {"B": b"\x00\xff"},
            "exact": {"N": "12345678901234567890123456789012345678"}, "yes": {"BOOL": True}, "nothing": {"NULL": True},
            "list": {"L": [{"N": "-0.5"}, {"M": {"deep": {"L": []}}}]}, "map": {"M": {}},
            "texts": {"SS": ["a", "b"]}, "numbers": {"NS": ["1", "2.5"]}, "blobs": {"BS": [b"x", b"y"]}}
        self.dynamodb.put_item(TableName=TABLE, Item=item)
        got = self.dynamodb.get_item(TableName=TABLE, Key=key(1974), ConsistentRead=True)["Item"]
        for name in ("texts", "numbers", "blobs"):
            for side in (got, item):
                side[name] = {kind: sorted(members) for kind, members in side[name].items()}
        self.assertEqual(got, item)
        self.dynamodb.delete_item(TableName=TABLE, Key=key(1974))
        self.assertNotIn("Item", self.dynamodb.get_item(TableName=TABLE, Key=key(1974)))

    def test_refusals(self):
        self.refused("ResourceNotFoundException", self.dynamodb.get_item, TableName="absent", Key=key(1))
        create(self.dynamodb)
        self.refused("ValidationException", self.dynamodb.put_item, TableName=TABLE, Item={"artist": {"S": "x"}})
        self.refused("ValidationException", self.dynamodb.get_item, TableName=TABLE, Key={"artist": {"S": "x"}})

    def test_what_was_answered_survives_a_crash_and_a_stop(self):
        create(self.dynamodb)
        for number in range(50):
            self.dynamodb.put_item(TableName=TABLE, Item=key(number) | {"round": {"N": "1"}})
        self.server.kill()
        self.dynamodb = client(self.server.start())
        for number in range(50):
            self.assertIn("Item", self.dynamodb.get_item(TableName=TABLE, Key=key(number)))
        self.dynamodb.delete_item(TableName=TABLE, Key=key(0))
        self.assertEqual(self.server.stop(), 0)
        self.dynamodb = client(self.server.start())
        self.assertNotIn("Item", self.dynamodb.get_item(TableName=TABLE, Key=key(0)))
        self.assertIn("Item", self.dynamodb.get_item(TableName=TABLE, Key=key(1)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
