"""boto3's resources against the real binary: conditions as Python objects, updates, filters, transactions and waiters."""

import concurrent.futures
import unittest
from decimal import Decimal

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError, WaiterError

from boto3_indexes import BOATS, boat, create, resource
from server import Server

FAILED = ("ConditionalCheckFailedException", "The conditional request failed")
WAIT = {"Delay": 1, "MaxAttempts": 20}


class Conditions(unittest.TestCase):
    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)
        self.dynamodb = resource(self.server)
        self.client = self.dynamodb.meta.client
        self.table = create(self.dynamodb)

    def refused(self, error, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        answer = caught.exception.response
        self.assertEqual((answer["Error"]["Code"], answer["Error"]["Message"]), error)
        return answer

    def fill(self):
        with self.table.batch_writer() as batch:
            for number in range(BOATS):
                batch.put_item(Item=boat(number))

    def key(self, number):
        return {"owner": f"owner-{number % 4}", "number": number}

    def item(self, number):
        return self.table.get_item(Key=self.key(number), ConsistentRead=True).get("Item")

    def test_every_condition_holds_or_refuses(self):
        stored = boat(5) | {
            "crew": ["Ann", "Bo"], "flags": {"DE", "SE"}, "engine": {"maker": "Bukh", "hours": 3}, "seal": b"\x00\xff",
            "afloat": True, "sold": None}
        self.table.put_item(Item=stored)
        holding = (
            Attr("length").eq(Decimal("5.5")), Attr("length").eq(Decimal("5.50")), Attr("length").ne(7), Attr("absent").ne(7),
            Attr("length").lt(6), Attr("length").lte(Decimal("5.5")), Attr("length").gt(5), Attr("length").gte(Decimal("5.5")),
            Attr("length").between(5, 6), Attr("harbour").is_in(["Riga", "Oban"]), Attr("harbour").begins_with("Ob"),
            Attr("seal").begins_with(b"\x00"), Attr("harbour").contains("ba"), Attr("crew").contains("Bo"),
            Attr("flags").contains("SE"), Attr("crew").size().eq(2), Attr("harbour").size().gt(3), Attr("engine").size().lte(2),
            Attr("sold").attribute_type("NULL"), Attr("flags").attribute_type("SS"), Attr("engine.maker").eq("Bukh"),
            Attr("crew[1]").eq("Bo"), Attr("engine.absent").not_exists(), Attr("crew[2]").not_exists(), Attr("sold").exists(),
            Attr("flags").eq({"SE", "DE"}), Attr("engine").eq({"hours": 3, "maker": "Bukh"}), Attr("afloat").eq(True))
        for condition in holding:
            with self.subTest(condition=condition.get_expression()):
                self.table.put_item(Item=stored, ConditionExpression=condition)
                self.refused(FAILED, self.table.put_item, Item=boat(5), ConditionExpression=~condition)
                self.table.put_item(Item=stored, ConditionExpression=condition & Attr("owner").eq("owner-1"))
                self.table.put_item(Item=stored, ConditionExpression=Attr("owner").eq("nobody") | condition)
                self.refused(FAILED, self.table.delete_item, Key=self.key(5),
                             ConditionExpression=condition & ~Attr("owner").exists())
        self.assertEqual(self.item(5), stored)

    def test_a_refusal_shows_the_item_where_it_is_asked_for(self):
        self.table.put_item(Item=boat(5))
        once = {"ConditionExpression": Attr("owner").not_exists(), "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        refused = self.refused(FAILED, self.table.put_item, Item=boat(5), **once)
        self.assertEqual(refused["Item"]["harbour"], {"S": "Oban"})
        refused = self.refused(FAILED, self.table.put_item, Item=boat(5), ConditionExpression=Attr("owner").not_exists())
        self.assertNotIn("Item", refused)
        refused = self.refused(FAILED, self.table.delete_item, Key=self.key(6), ConditionExpression=Attr("owner").exists(),
                               ReturnValuesOnConditionCheckFailure="ALL_OLD")
        self.assertNotIn("Item", refused)

    def test_updates_and_what_they_return(self):
        self.table.put_item(Item=boat(5) | {"crew": ["Ann"], "flags": {"DE"}, "engine": {"hours": 3}})

        def update(expression, returned, names=None, **values):
            arguments = {"ExpressionAttributeNames": names} if names else {}
            if values:
                arguments["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
            answer = self.table.update_item(Key=self.key(5), UpdateExpression=expression, ReturnValues=returned, **arguments)
            return answer.get("Attributes")

        many = "SET #l = #l + :half, engine.hours = engine.hours - :one ADD flags :se REMOVE note"
        self.assertEqual(update(many, "UPDATED_NEW", {"#l": "length"}, half=Decimal("0.25"), one=1, se={"SE"}),
                         {"length": Decimal("5.75"), "engine": {"hours": 2}, "flags": {"DE", "SE"}})
        self.assertEqual(update("SET crew = list_append(crew, :more), seen = if_not_exists(seen, :zero)", "UPDATED_OLD",
                                more=["Bo", "Cid"], zero=0), {"crew": ["Ann"]})
        self.assertEqual(update("REMOVE crew[0] DELETE flags :all", "ALL_NEW", all={"DE", "SE"}),
                         {name: value for name, value in boat(5).items() if name != "note"} | {
                             "length": Decimal("5.75"), "engine": {"hours": 2}, "crew": ["Bo", "Cid"], "seen": 0})
        self.assertEqual(update("ADD seen :one", "ALL_OLD", one=1)["seen"], 0)
        self.assertIsNone(update("ADD seen :one", "NONE", one=1))
        self.assertEqual(self.item(5)["seen"], 2)
        # An update of what is not there makes an item, in the indexes too.
        answer = self.table.update_item(
            Key=self.key(500), UpdateExpression="SET harbour = :h", ExpressionAttributeValues={":h": "Riga"},
            ReturnValues="ALL_NEW")
        self.assertEqual(answer["Attributes"], self.key(500) | {"harbour": "Riga"})
        found = self.table.query(IndexName="by-harbour", KeyConditionExpression=Key("harbour").eq("Riga"))
        self.assertEqual(found["Items"], [answer["Attributes"]])

    def test_what_writes_return(self):
        self.assertNotIn("Attributes", self.table.put_item(Item=boat(5), ReturnValues="ALL_OLD"))
        old = self.table.put_item(Item=boat(5) | {"note": "new"}, ReturnValues="ALL_OLD")
        self.assertEqual(old["Attributes"], boat(5))
        answer = self.table.delete_item(Key=self.key(5), ReturnValues="ALL_OLD", ReturnConsumedCapacity="INDEXES",
                                        ReturnItemCollectionMetrics="SIZE")
        self.assertEqual(answer["Attributes"], boat(5) | {"note": "new"})
        self.assertEqual(answer["ConsumedCapacity"], {
            "TableName": "boats", "CapacityUnits": 3.0, "Table": {"CapacityUnits": 1.0},
            "GlobalSecondaryIndexes": {"by-harbour": {"CapacityUnits": 1.0}},
            "LocalSecondaryIndexes": {"by-length": {"CapacityUnits": 1.0}}})
        self.assertEqual(answer["ItemCollectionMetrics"]["ItemCollectionKey"], {"owner": "owner-1"})

    def test_filters_of_queries_and_scans_page_by_page(self):
        self.fill()

        def pages(call, **arguments):
            while True:
                answer = call(**arguments)
                yield answer
                if "LastEvaluatedKey" not in answer:
                    return
                arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

        kept = Attr("length").between(6, 7) & Attr("harbour").exists() & ~Attr("number").is_in([2, 14])
        wanted = [n for n in range(BOATS) if n % 3 and 6 <= boat(n)["length"] <= 7 and n not in (2, 14)]
        found = list(pages(self.table.scan, FilterExpression=kept, Limit=11))
        self.assertEqual(sorted(int(item["number"]) for page in found for item in page["Items"]), wanted)
        self.assertEqual(sum(page["ScannedCount"] for page in found), BOATS)
        self.assertTrue(all(page["Count"] == len(page["Items"]) for page in found))
        arguments = {"IndexName": "by-harbour", "KeyConditionExpression": Key("harbour").eq("Kiel") & Key("number").gt(20),
                     "FilterExpression": Attr("owner").eq("owner-2") & Attr("length").lt(7), "ScanIndexForward": False}
        kiel = [n for n in reversed(range(21, BOATS)) if n % 3 and n % 2 == 0]
        wanted = [n for n in kiel if n % 4 == 2 and boat(n)["length"] < 7]
        found = list(pages(self.table.query, Limit=5, ProjectionExpression="#n, note", ExpressionAttributeNames={"#n": "number"},
                           **arguments))
        self.assertEqual([item for page in found for item in page["Items"]], [{"number": n, "note": "x" * 20} for n in wanted])
        self.assertEqual(sum(page["ScannedCount"] for page in found), len(kiel))
        counted = self.table.query(Select="COUNT", **arguments)
        self.assertEqual((counted["Count"], counted["ScannedCount"]), (len(wanted), len(kiel)))

    def test_parts_of_items(self):
        self.table.put_item(Item=boat(5) | {"crew": ["Ann", "Bo", "Cid"], "engine": {"maker": "Bukh", "hours": 3}})
        shown = {"ProjectionExpression": "#o, crew[0], crew[2], engine.hours, absent",
                 "ExpressionAttributeNames": {"#o": "owner"}}
        wanted = {"owner": "owner-1", "crew": ["Ann", "Cid"], "engine": {"hours": 3}}
        self.assertEqual(self.table.get_item(Key=self.key(5), **shown)["Item"], wanted)
        batch = self.dynamodb.batch_get_item(RequestItems={"boats": {"Keys": [self.key(5), self.key(6)]} | shown})
        self.assertEqual(batch["Responses"]["boats"], [wanted])
        self.assertEqual(self.table.get_item(Key=self.key(5), ProjectionExpression="absent")["Item"], {})

    def test_a_transaction_is_done_whole_or_cancelled_with_its_reasons(self):
        self.table.put_item(Item=boat(5) | {"seen": 0})
        count = {"Update": {
            "TableName": "boats", "Key": self.key(5), "UpdateExpression": "ADD seen :one", "ConditionExpression": "seen < :one",
            "ExpressionAttributeValues": {":one": 1}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}
        put = {"Put": {"TableName": "boats", "Item": boat(6)}}
        check = {"ConditionCheck": {
            "TableName": "boats", "Key": self.key(7), "ConditionExpression": "attribute_not_exists(#o)",
            "ExpressionAttributeNames": {"#o": "owner"}}}
        self.client.transact_write_items(TransactItems=[count, put, check])
        self.assertEqual((self.item(5)["seen"], self.item(6)), (1, boat(6)))
        with self.assertRaises(self.client.exceptions.TransactionCanceledException) as caught:
            self.client.transact_write_items(TransactItems=[
                check, count, {"Delete": {"TableName": "boats", "Key": self.key(6)}}])
        answer = caught.exception.response
        self.assertEqual(answer["Error"]["Message"], (
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, None]"))
        reasons = answer["CancellationReasons"]
        self.assertEqual([reason["Code"] for reason in reasons], ["None", "ConditionalCheckFailed", "None"])
        self.assertEqual((reasons[1]["Message"], reasons[1]["Item"]["seen"]), (FAILED[1], {"N": "1"}))
        self.assertEqual(self.item(6), boat(6))
        gets = [{"Get": {"TableName": "boats", "Key": self.key(number)}} for number in (5, 7, 6)]
        read = self.client.transact_get_items(TransactItems=gets)["Responses"]
        self.assertEqual(read, [{"Item": boat(5) | {"seen": 1}}, {}, {"Item": boat(6)}])

    def test_waiters_see_tables_come_and_go(self):
        exists, gone = self.client.get_waiter("table_exists"), self.client.get_waiter("table_not_exists")
        exists.wait(TableName="boats", WaiterConfig=WAIT)
        self.assertRaises(WaiterError, exists.wait, TableName="absent", WaiterConfig={"Delay": 0, "MaxAttempts": 2})
        self.assertRaises(WaiterError, gone.wait, TableName="boats", WaiterConfig={"Delay": 0, "MaxAttempts": 2})
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(gone.wait, TableName="boats", WaiterConfig=WAIT)
            self.table.delete()
            waiting.result()
        gone.wait(TableName="absent", WaiterConfig=WAIT)
        self.table.wait_until_not_exists()
        self.assertNotIn("boats", self.client.list_tables()["TableNames"])


class Waiters(unittest.TestCase):
    def test_they_wait_while_a_table_comes_and_goes(self):
        server = Server(HOLDFAST_DELAY_TRANSIENT_STATUSES="true").start()
        self.addCleanup(server.remove)
        table = create(resource(server))
        self.assertEqual(table.table_status, "CREATING")
        table.meta.client.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig=WAIT)
        table.reload()
        self.assertEqual(table.table_status, "ACTIVE")
        self.assertEqual(table.delete()["TableDescription"]["TableStatus"], "DELETING")
        table.meta.client.get_waiter("table_not_exists").wait(TableName=table.name, WaiterConfig=WAIT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
