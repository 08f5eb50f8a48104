"""What the first user sends and DynamoDB refuses, each with DynamoDB's code and words; and what it takes, to the user's harm."""

import unittest

from harborlist_replay import LISTINGS, MODERATION, USERS, FirstUser
from wire import send

ENGINES, BILLING, TRANSACTIONS = "harborlist-engines", "harborlist-billing-accounts", "harborlist-transactions"
FINANCE, SETTINGS, AUDIT = "harborlist-finance-calculations", "harborlist-platform-settings", "harborlist-audit-logs"
KEY = "The provided key element does not match the schema"
ABSENT = "Requested resource not found"
EMPTY_BY_UPDATE = ("One or more parameter values are not valid. The update expression attempted to update a secondary index "
                   "key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty "
                   "string value.")


def text(**attributes):
    return {name: {"S": value} for name, value in attributes.items()}


def missing(name):
    return f"One or more parameter values were invalid: Missing the key {name} in the item"


def type_mismatch(name, expected, actual, index):
    return (f"One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {expected} "
            f"Actual: {actual} IndexName: {index}")


def no_index(name):
    return f"The table does not have the specified index: {name}"


def empty_index_key(index, name):
    return ("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            f"The AttributeValue for a key attribute cannot contain an empty string value. IndexName: {index}, "
            f"IndexKey: {name}")


def update(key, **values):
    """An update as the user's code writes it: one name and one value for each attribute."""
    return {"Key": key, "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}}


def query(index, condition, **values):
    return {"IndexName": index, "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}}


class Refused(FirstUser):
    def refused(self, words, operation, table, body, code="ValidationException"):
        with self.subTest(operation=operation, table=table, body=body):
            answer = send(self.server.endpoint, operation, {"TableName": table} | body if table else body)
            self.assertEqual((answer.status, answer.error), (400, (code, words)))

    def test_keys_that_are_not_the_table_s(self):
        for table, key in ((LISTINGS, text(id="redirect-old-slug")), (ENGINES, text(id="e1")),
                           (FINANCE, text(calculationId="c1")), (SETTINGS, text(settingKey="platform-config"))):
            self.refused(KEY, "GetItem", table, {"Key": key})
            self.refused(KEY, "DeleteItem", table, {"Key": key})
            self.refused(KEY, "DeleteItem", table, {"Key": key, "ConditionExpression": "attribute_exists(id)"})
            self.refused(KEY, "UpdateItem", table, update(key, updatedAt={"N": "1760000000000"}))
            self.refused(KEY, "BatchWriteItem", None, {"RequestItems": {table: [{"DeleteRequest": {"Key": key}}]}})
            self.refused(KEY, "BatchGetItem", None, {"RequestItems": {table: {"Keys": [key]}}})

    def test_items_without_the_key_of_their_table(self):
        for table, item in ((FINANCE, text(calculationId="c1", userId="u1")), (SETTINGS, text(settingKey="platform-config"))):
            self.refused(missing("id"), "PutItem", table, {"Item": item})
            self.refused(missing("id"), "PutItem", table, {"Item": item, "ConditionExpression": "attribute_not_exists(id)"})
            self.refused(KEY, "BatchWriteItem", None, {"RequestItems": {table: [{"PutRequest": {"Item": item}}]}})

    def test_indexes_that_are_not_there(self):
        for table, index in ((FINANCE, "UserIndex"), (FINANCE, "ShareTokenIndex"), (BILLING, "UserIndex"),
                             (BILLING, "StatusIndex"), (TRANSACTIONS, "UserIndex"), (ENGINES, "listing-index"),
                             (MODERATION, "ListingIndex")):
            self.refused(no_index(index), "Query", table, query(index, "userId = :u", u={"S": "u1"}))
            self.refused(no_index(index), "Scan", table, {"IndexName": index})

    def test_names_that_an_expression_does_not_use(self):
        names = {"#type": "type", "#status": "status"}
        body = {"FilterExpression": "#type = :type", "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": {":type": {"S": "payment"}}}
        words = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#status}"
        self.refused(words, "Scan", TRANSACTIONS, body)
        # It is told before the index that is not there.
        by_user = query("UserIndex", "userId = :u", u={"S": "u1"})
        values = by_user["ExpressionAttributeValues"] | body["ExpressionAttributeValues"]
        self.refused(words, "Query", TRANSACTIONS, by_user | body | {"ExpressionAttributeValues": values})

    def test_tables_that_nobody_makes(self):
        for table in ("user-tiers", "harborlist-payment-methods", "user-type-transitions", "moderation-audit-trail"):
            for operation, body in (("GetItem", {"Key": text(id="x")}), ("PutItem", {"Item": text(id="x")}),
                                    ("UpdateItem", update(text(id="x"), name={"S": "n"})), ("Scan", {}),
                                    ("DeleteItem", {"Key": text(id="x"), "ConditionExpression": "attribute_exists(id)"}),
                                    ("Query", query("UserIndex", "userId = :u", u={"S": "u1"}))):
                self.refused(ABSENT, operation, table, body, code="ResourceNotFoundException")
            put = [{"Put": {"TableName": table, "Item": text(id="x")}}]
            self.refused(ABSENT, "TransactWriteItems", None, {"TransactItems": put}, code="ResourceNotFoundException")

    def test_conditions_on_keys_that_are_none(self):
        self.refused("Query key condition not supported", "Query", LISTINGS, query(
            "TotalHorsepowerIndex", "totalHorsepower BETWEEN :low AND :high", low={"N": "100"}, high={"N": "300"}))
        self.refused("One or more parameter values were invalid: Condition parameter type does not match schema type",
                     "Query", USERS, query(
                         "PremiumExpirationIndex", "premiumActive = :yes AND premiumExpiresAt <= :soon",
                         yes={"BOOL": True}, soon={"N": "1760000000000"}))

    def test_values_that_an_index_cannot_sort(self):
        for name, expected, value in (("premiumActive", "S", {"BOOL": True}), ("premiumActive", "S", {"BOOL": False}),
                                      ("premiumExpiresAt", "N", {"NULL": True})):
            words = type_mismatch(name, expected, *value, "PremiumExpirationIndex")
            item = text(id="u1") | {name: value}
            self.refused(words, "PutItem", USERS, {"Item": item})
            self.refused(words, "UpdateItem", USERS, update(text(id="u1"), **{name: value}))
            self.refused(words, "BatchWriteItem", None, {"RequestItems": {USERS: [{"PutRequest": {"Item": item}}]}})
        # A true that is text is one, and so is what is left out.
        item = text(id="u1", premiumActive="true") | {"premiumExpiresAt": {"N": "1760000000000"}}
        self.put(USERS, item, text(id="u2"))
        self.assertEqual(self.get(USERS, id="u1"), item)

    def test_indexes_take_no_empty_text(self):
        for index, name in (("SlugIndex", "slug"), ("OwnerIndex", "ownerId"), ("StatusIndex", "status"),
                            ("EngineConfigurationIndex", "engineConfiguration")):
            item = text(listingId="l1", **{name: ""})
            words = empty_index_key(index, name)
            self.refused(words, "PutItem", LISTINGS, {"Item": item})
            self.refused(words, "BatchWriteItem", None, {"RequestItems": {LISTINGS: [{"PutRequest": {"Item": item}}]}})
            changed = update(text(listingId="l1"), **{name: {"S": ""}})
            self.refused(EMPTY_BY_UPDATE, "UpdateItem", LISTINGS, changed)
            # In a transaction too it is told at once, not as the reason of a cancellation.
            put = {"Put": {"TableName": LISTINGS, "Item": item}}
            self.refused(words, "TransactWriteItems", None, {"TransactItems": [put]})
            changed = {"Update": {"TableName": LISTINGS} | changed}
            self.refused(EMPTY_BY_UPDATE, "TransactWriteItems", None, {"TransactItems": [changed]})

    def test_words_that_are_reserved(self):
        self.refused("Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: action",
                     "Scan", AUDIT, {"ProjectionExpression": "action, userId"})


class Taken(FirstUser):
    """DynamoDB takes these, so the user's data are harmed in the same way here."""

    def test_a_redirect_replaces_the_listing(self):
        self.put(LISTINGS, text(listingId="l1", ownerId="u1", slug="old-slug"))
        redirect = text(id="redirect-old-slug", listingId="l1", newSlug="new-slug")
        answer = send(self.server.endpoint, "PutItem", {"TableName": LISTINGS, "Item": redirect})
        self.assertEqual((answer.text, answer.status), ("{}", 200))
        self.assertEqual(self.get(LISTINGS, listingId="l1"), redirect)

    def test_an_update_under_the_wrong_name_makes_another_item(self):
        queued = text(id="q1", listingId="l1", status="pending", priority="high") | {"submittedAt": {"N": "1760000000000"}}
        self.put(MODERATION, queued)
        answer = send(self.server.endpoint, "UpdateItem", {
            "TableName": MODERATION, **update(text(id="l1"), status={"S": "approved"}, updatedAt={"N": "1"})})
        self.assertEqual((answer.text, answer.status), ("{}", 200))
        self.assertEqual(self.get(MODERATION, id="q1"), queued)
        self.assertEqual(self.get(MODERATION, id="l1"), text(id="l1", status="approved") | {"updatedAt": {"N": "1"}})
        # Without a time it is in no index.
        for status, ids in (("pending", ["q1"]), ("approved", [])):
            found = self.dynamodb.query(
                TableName=MODERATION, IndexName="StatusIndex", KeyConditionExpression="#s = :s",
                ExpressionAttributeNames={"#s": "status"}, ExpressionAttributeValues={":s": {"S": status}})
            self.assertEqual([item["id"]["S"] for item in found["Items"]], ids)


if __name__ == "__main__":
    unittest.main(verbosity=2)
