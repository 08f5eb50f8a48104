"""What the first user sends: each of its requests on the wire, and the answers that DynamoDB gives."""

import json
import unittest

import harborlist
from boto3_smoke import client
from server import Server
from wire import send

REQUESTS = harborlist.requests()
CONDITION_FAILED = '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",' \
                   '"message":"The conditional request failed"}'
LISTINGS, USERS, ENGINES = "harborlist-listings", "harborlist-users", "harborlist-engines"
MODERATION, AUDIT, REVIEWS = "harborlist-moderation-queue", "harborlist-audit-logs", "harborlist-reviews"
NOTHING = {"Items": [], "Count": 0, "ScannedCount": 0}
CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons [%s]"


def by_id(item):
    return item["id"]["S"]


class FirstUser(unittest.TestCase):
    """A server with the tables of the first user, that checks signatures."""

    definitions = "head"

    def setUp(self):
        self.server = Server(HOLDFAST_SIGV4="required").start()
        self.addCleanup(self.server.remove)
        self.dynamodb = client(self.server)
        for table in harborlist.tables(self.definitions).values():
            self.dynamodb.create_table(**table)

    def send(self, name, **changes):
        """Sends a request of the first user, changed only where members are given."""
        operation, body = REQUESTS[name]
        return send(self.server.endpoint, operation, json.loads(body) | changes if changes else body)

    def answers(self, text, name, **changes):
        answer = self.send(name, **changes)
        self.assertEqual((answer.text, answer.status), (text, 200))

    def found(self, name, **changes):
        answer = self.send(name, **changes)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.body

    def put(self, table, *items):
        for item in items:
            self.dynamodb.put_item(TableName=table, Item=item)

    def get(self, table, **key):
        key = {name: {"S": value} for name, value in key.items()}
        return self.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


class Items(FirstUser):
    def test_a_listing_is_created_once(self):
        listing = json.loads(REQUESTS["a listing is created"].body)["Item"]
        self.answers("{}", "a listing is created")
        self.assertEqual(self.get(LISTINGS, listingId="l1"), listing)
        again = self.send("a listing is created", Item=listing | {"title": {"S": "another"}})
        self.assertEqual((again.text, again.status), (CONDITION_FAILED, 400))
        self.assertEqual(self.get(LISTINGS, listingId="l1"), listing)
        owned = self.dynamodb.query(
            TableName=LISTINGS, IndexName="OwnerIndex", KeyConditionExpression="ownerId = :o",
            ExpressionAttributeValues={":o": {"S": "u1"}})
        self.assertEqual(owned["Items"], [listing])

    def test_a_user_is_read(self):
        self.answers("{}", "a user is read")
        self.put(USERS, {"id": {"S": "u1"}})
        self.answers('{"Item":{"id":{"S":"u1"}}}', "a user is read")

    def test_a_view_is_counted_and_makes_a_listing_that_was_not_there(self):
        for count in (1, 2):
            self.answers("{}", "a view is counted")
            self.assertEqual(self.get(LISTINGS, listingId="l1"), {"listingId": {"S": "l1"}, "views": {"N": str(count)}})
        self.send("a listing is created", ConditionExpression="attribute_exists(listingId)")
        self.answers('{"Attributes":{"views":{"N":"1"}}}', "a view is counted", ReturnValues="UPDATED_NEW")
        self.put(LISTINGS, {"listingId": {"S": "l1"}, "views": {"S": "many"}})
        refused = self.send("a view is counted")
        self.assertEqual((refused.status, refused.error), (400, (
            "ValidationException", "An operand in the update expression has an incorrect data type")))
        self.assertEqual(self.get(LISTINGS, listingId="l1")["views"], {"S": "many"})

    def test_a_price_is_set_and_all_else_stays(self):
        self.send("a listing is created")
        wanted = self.get(LISTINGS, listingId="l1") | {"price": {"N": "55000"}, "updatedAt": {"N": "1760000000000"}}
        self.answers("{}", "a price is set")
        self.assertEqual(self.get(LISTINGS, listingId="l1"), wanted)
        self.assertEqual(self.found("a price is set", ReturnValues="ALL_NEW"), {"Attributes": wanted})

    def test_what_is_undefined_is_not_sent_and_the_rest_is_put(self):
        self.answers("{}", "an audit log without details")
        self.assertEqual(self.get(AUDIT, id="a1"), {"id": {"S": "a1"}})

    def test_numbers_bytes_and_nothing_come_back(self):
        refused = self.send("numbers and bytes")
        self.assertEqual((refused.status, refused.error), (400, (
            "ValidationException", "1 validation error detected: Value 't' at 'tableName' failed to satisfy constraint: "
                                   "Member must have length greater than or equal to 3")))
        self.answers("{}", "numbers and bytes", TableName=REVIEWS)
        self.assertEqual(self.get(REVIEWS, id="x"), {
            "id": {"S": "x"}, "f": {"N": "9.99"}, "s": {"S": ""}, "neg": {"N": "-82.5"}, "bin": {"B": b"\x01\x02"},
            "arr": {"L": [{"N": "1"}, {"S": "a"}, {"BOOL": True}, {"NULL": True}]}})


class Reads(FirstUser):
    def test_a_user_is_found_by_its_email(self):
        self.assertEqual(self.found("a user is found by its email"), NOTHING)
        self.put(USERS, {"id": {"S": "u2"}, "email": {"S": "a@b.cd"}}, {"id": {"S": "u3"}},
                 {"id": {"S": "u1"}, "email": {"S": "a@b.c"}, "name": {"S": "N"}})
        self.assertEqual(self.found("a user is found by its email"), {
            "Count": 1, "ScannedCount": 1,
            "Items": [{"id": {"S": "u1"}, "email": {"S": "a@b.c"}, "name": {"S": "N"}}]})

    def test_high_moderation_newest_first_page_by_page(self):
        def queued(number):
            return {"id": {"S": f"q{number}"}, "submittedAt": {"N": str(1760000000000 + number)},
                    "status": {"S": "approved" if number % 6 == 0 else "pending"},
                    "priority": {"S": "high" if number % 2 else "low"},
                    "assignedTo": {"S": "m1"} if number % 5 else {"NULL": True}}

        numbers = range(60)
        self.put(MODERATION, *(queued(number) for number in numbers), {"id": {"S": "phantom"}, "status": {"S": "pending"}})
        pending = [number for number in reversed(numbers) if number % 6]
        found, start = [], {}
        for page in range(0, len(pending), 20):
            looked = pending[page:page + 20]
            answer = self.found("high moderation, newest first", **start)
            matching = [queued(number) for number in looked if number % 2 and number % 5]
            wanted = {"Count": len(matching), "ScannedCount": len(looked), "Items": matching}
            if len(looked) == 20:
                last = queued(looked[-1])
                wanted["LastEvaluatedKey"] = {name: last[name] for name in ("id", "status", "submittedAt")}
                start = {"ExclusiveStartKey": wanted["LastEvaluatedKey"]}
            self.assertEqual(answer, wanted)
            found += answer["Items"]
        self.assertEqual(found, [queued(number) for number in pending if number % 2 and number % 5])

    def test_errors_of_one_hour_whatever_the_type_of_their_time(self):
        def log(number):
            time = {"S": f"2025-10-15T0{number % 3}:{number % 60:02}:00.000Z"} if number % 4 else {"N": "1760486400"}
            action = {"S": f"{'LOGIN_ERROR' if number % 2 else 'LOGIN'}"} if number % 5 else {"L": [{"S": "ERROR"}]}
            return {"id": {"S": f"log-{number}"}, "timestamp": time} | ({"action": action} if number % 7 else {})

        def kept(item):
            action, time = item.get("action", {}), item["timestamp"].get("S", "")
            return ("L" in action or "ERROR" in action.get("S", "")) and "2025-10-15T00" <= time <= "2025-10-15T01:00:00.000Z"

        logs = [log(number) for number in range(120)]
        self.put(AUDIT, *logs)
        found, start, pages = [], {}, 0
        while True:
            answer = self.found("errors of one hour", **start)
            pages += 1
            found += answer["Items"]
            self.assertEqual(answer["Count"], len(answer["Items"]))
            self.assertEqual(answer["ScannedCount"], 50 if "LastEvaluatedKey" in answer else 20)
            if "LastEvaluatedKey" not in answer:
                break
            self.assertEqual(set(answer["LastEvaluatedKey"]), {"id"})
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        wanted = [item for item in logs if kept(item)]
        self.assertEqual(pages, 3)
        self.assertTrue(5 < len(wanted) < 60)
        self.assertEqual(sorted(found, key=by_id), sorted(wanted, key=by_id))

    def test_one_audit_log(self):
        self.assertEqual(self.found("one audit log"), NOTHING)
        logs = [{"id": {"S": "a"}}, {"id": {"S": "b"}}]
        self.put(AUDIT, *logs)
        first = self.found("one audit log")
        self.assertEqual((first["Count"], first["ScannedCount"], first["LastEvaluatedKey"]), (1, 1, first["Items"][0]))
        second = self.found("one audit log", ExclusiveStartKey=first["LastEvaluatedKey"])
        self.assertEqual(sorted(item["id"]["S"] for item in first["Items"] + second["Items"]), ["a", "b"])
        self.assertEqual(self.found("one audit log", ExclusiveStartKey=second["LastEvaluatedKey"]), NOTHING)

    def test_listings_to_review_are_counted(self):
        self.answers('{"Count":0,"ScannedCount":0}', "listings to review are counted")
        for number, status in enumerate(("pending_review", "under_review", "active", "pending_review", "", "pending")):
            self.put(LISTINGS, {"listingId": {"S": f"l{number}"}} | ({"status": {"S": status}} if status else {}))
        self.answers('{"Count":3,"ScannedCount":6}', "listings to review are counted")


class Writes(FirstUser):
    def test_engines_are_replaced_under_the_key_of_their_table(self):
        refused = self.send("engines are replaced")
        self.assertEqual((refused.status, refused.error), (
            400, ("ValidationException", "The provided key element does not match the schema")))
        self.assertIsNone(self.get(ENGINES, engineId="e1"))
        self.put(ENGINES, {"engineId": {"S": "e2"}})
        requests = json.loads(REQUESTS["engines are replaced"].body)["RequestItems"]
        requests[ENGINES][1]["DeleteRequest"]["Key"] = {"engineId": {"S": "e2"}}
        self.answers('{"UnprocessedItems":{}}', "engines are replaced", RequestItems=requests)
        self.assertEqual(self.get(ENGINES, engineId="e1"), requests[ENGINES][0]["PutRequest"]["Item"])
        self.assertIsNone(self.get(ENGINES, engineId="e2"))

    def test_a_membership_is_not_upgraded_where_an_index_wants_text(self):
        refused = self.send("a membership is upgraded")
        self.assertEqual(refused.status, 400, refused.text)
        self.assertEqual(refused.error, ("TransactionCanceledException", CANCELLED % "None, ValidationError"))
        self.assertEqual(refused.body["CancellationReasons"], [{"Code": "None"}, {
            "Code": "ValidationError",
            "Message": "One or more parameter values were invalid: Type mismatch for Index Key premiumActive "
                       "Expected: S Actual: BOOL IndexName: PremiumExpirationIndex"}])
        self.assertEqual((self.get(LISTINGS, listingId="l1"), self.get(USERS, id="u1")), (None, None))


class TablesOfTheFirstDays(FirstUser):
    """Before the index of memberships was there."""

    definitions = "seed"

    def test_a_membership_is_upgraded_once(self):
        self.put(USERS, {"id": {"S": "u1"}, "email": {"S": "a@b.c"}})
        upgraded = {"id": {"S": "u1"}, "email": {"S": "a@b.c"}, "userType": {"S": "premium_dealer"},
                    "premiumActive": {"BOOL": True}, "premiumPlan": {"NULL": True}}
        self.answers("{}", "a membership is upgraded")
        self.assertEqual((self.get(USERS, id="u1"), self.get(LISTINGS, listingId="l1")),
                         (upgraded, {"listingId": {"S": "l1"}}))
        # The same request again, under the same token, is answered alike and does nothing.
        self.put(USERS, {"id": {"S": "u1"}})
        self.answers("{}", "a membership is upgraded")
        # So is one whose members stand in the order of their names, as an older SDK of the user sent them.
        operation, body = REQUESTS["a membership is upgraded"]
        sorted_body = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
        self.assertNotEqual(sorted_body, body)
        self.assertEqual(send(self.server.endpoint, operation, sorted_body).text, "{}")
        self.assertEqual(self.get(USERS, id="u1"), {"id": {"S": "u1"}})
        # Another request under the same token is refused.
        items = json.loads(body)["TransactItems"]
        other = self.send("a membership is upgraded", TransactItems=items[:1])
        self.assertEqual((other.status, other.error[0]), (400, "IdempotentParameterMismatchException"))
        self.answers("{}", "a membership is upgraded", ClientRequestToken="another")
        self.assertEqual(self.get(USERS, id="u1")["userType"], {"S": "premium_dealer"})

    def test_a_condition_cancels_it(self):
        items = json.loads(REQUESTS["a membership is upgraded"].body)["TransactItems"]
        items[0]["Put"]["ConditionExpression"] = "attribute_not_exists(listingId)"
        self.send("a listing is created")
        cancelled = self.send("a membership is upgraded", TransactItems=items)
        self.assertEqual((cancelled.status, cancelled.body), (400, {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": CANCELLED % "ConditionalCheckFailed, None",
            "CancellationReasons": [
                {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}, {"Code": "None"}]}))
        self.assertIsNone(self.get(USERS, id="u1"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
