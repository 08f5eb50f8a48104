"""The AWS CLI on items: updates, conditions, filters, transactions, and its waiters."""

import json
import unittest

import aws_cli_smoke

FAILED = "(ConditionalCheckFailedException) when calling the %s operation: The conditional request failed"


def written(value):
    return json.dumps(value)


@unittest.skipUnless(aws_cli_smoke.command(), "there is no AWS CLI")
class Items(unittest.TestCase):
    setUp, aws = aws_cli_smoke.AwsCli.setUp, aws_cli_smoke.AwsCli.aws

    def table(self):
        self.aws("create-table", "--table-name", "boats", "--billing-mode", "PAY_PER_REQUEST",
                 "--attribute-definitions", "AttributeName=id,AttributeType=S", "AttributeName=harbour,AttributeType=S",
                 "--key-schema", "AttributeName=id,KeyType=HASH", "--global-secondary-indexes",
                 "IndexName=by-harbour,KeySchema=[{AttributeName=harbour,KeyType=HASH}],Projection={ProjectionType=ALL}")
        self.aws("wait", "table-exists", "--table-name", "boats")

    def put(self, *items):
        requests = [{"PutRequest": {"Item": item}} for item in items]
        answer = self.aws("batch-write-item", "--request-items", written({"boats": requests}))
        self.assertEqual(answer["UnprocessedItems"], {})

    def get(self, name):
        return self.aws("get-item", "--table-name", "boats", "--key", written({"id": {"S": name}})).get("Item")

    def test_an_item_is_put_changed_and_deleted_on_conditions(self):
        self.table()
        ketch = {"id": {"S": "ketch"}, "length": {"N": "12.5"}, "crew": {"L": [{"S": "Ann"}]}}
        once = ("put-item", "--table-name", "boats", "--item", written(ketch),
                "--condition-expression", "attribute_not_exists(id)")
        self.aws(*once)
        self.assertIn(FAILED % "PutItem", self.aws(*once, code=1))
        update = ("update-item", "--table-name", "boats", "--key", '{"id":{"S":"ketch"}}', "--update-expression",
                  "SET #l = #l - :one, crew = list_append(crew, :more) REMOVE sold ADD seen :one",
                  "--condition-expression", "#l > :limit", "--expression-attribute-names", '{"#l":"length"}',
                  "--expression-attribute-values", '{":one":{"N":"1"},":more":{"L":[{"S":"Bo"}]},":limit":{"N":"11"}}',
                  "--return-values", "ALL_NEW")
        after = ketch | {"length": {"N": "11.5"}, "crew": {"L": [{"S": "Ann"}, {"S": "Bo"}]}, "seen": {"N": "1"}}
        self.assertEqual(self.aws(*update)["Attributes"], after)
        self.assertEqual(self.aws(*update)["Attributes"]["length"], {"N": "10.5"})
        self.assertIn(FAILED % "UpdateItem", self.aws(*update, code=1))
        delete = ("delete-item", "--table-name", "boats", "--key", '{"id":{"S":"ketch"}}')
        refused = self.aws(*delete, "--condition-expression", "attribute_exists(sold)", code=1)
        self.assertIn(FAILED % "DeleteItem", refused)
        self.assertEqual(self.aws(*delete, "--return-values", "ALL_OLD")["Attributes"]["seen"], {"N": "2"})
        self.assertIsNone(self.get("ketch"))

    def test_filters_of_scans_and_queries(self):
        self.table()
        harbours = ("Kiel", "Oban")
        self.put(*({"id": {"S": f"boat-{number}"}, "harbour": {"S": harbours[number % 2]}, "length": {"N": str(number)}}
                   for number in range(20)))
        values = '{":short":{"N":"5"},":kiel":{"S":"Kiel"}}'
        counted = self.aws("scan", "--table-name", "boats", "--select", "COUNT", "--filter-expression",
                           "#l < :short AND harbour <> :kiel", "--expression-attribute-names", '{"#l":"length"}',
                           "--expression-attribute-values", values)
        self.assertEqual((counted["Count"], counted["ScannedCount"]), (2, 20))
        # The CLI asks for page after page, and the filter leaves some of them empty.
        scanned = self.aws("scan", "--table-name", "boats", "--page-size", "3", "--filter-expression", "#l < :short",
                           "--expression-attribute-names", '{"#l":"length"}',
                           "--expression-attribute-values", '{":short":{"N":"3"}}')
        self.assertEqual(sorted(item["id"]["S"] for item in scanned["Items"]), ["boat-0", "boat-1", "boat-2"])
        self.assertEqual(scanned["ScannedCount"], 20)
        found = self.aws("query", "--table-name", "boats", "--index-name", "by-harbour",
                         "--key-condition-expression", "harbour = :kiel", "--filter-expression", "#l < :short",
                         "--projection-expression", "id", "--expression-attribute-names", '{"#l":"length"}',
                         "--expression-attribute-values", values)
        self.assertEqual(sorted(item["id"]["S"] for item in found["Items"]), ["boat-0", "boat-2", "boat-4"])
        self.assertEqual((found["ScannedCount"], {len(item) for item in found["Items"]}), (10, {1}))

    def test_a_transaction_is_done_whole_or_cancelled_with_its_reasons(self):
        self.table()
        self.put({"id": {"S": "old"}, "boats": {"N": "1"}})

        def transaction(token):
            return ("transact-write-items", "--client-request-token", token, "--transact-items", written([
                {"Update": {"TableName": "boats", "Key": {"id": {"S": "old"}}, "UpdateExpression": "ADD boats :less",
                            "ConditionExpression": "boats > :none",
                            "ExpressionAttributeValues": {":less": {"N": "-1"}, ":none": {"N": "0"}}}},
                {"Put": {"TableName": "boats", "Item": {"id": {"S": "new"}, "boats": {"N": "1"}}}},
                {"ConditionCheck": {"TableName": "boats", "Key": {"id": {"S": "ghost"}},
                                    "ConditionExpression": "attribute_not_exists(id)"}}]))

        self.assertEqual(self.aws(*transaction("one")), {})
        self.assertEqual(self.aws(*transaction("one")), {})
        refused = self.aws(*transaction("two"), code=1)
        self.assertIn("(TransactionCanceledException) when calling the TransactWriteItems operation: Transaction cancelled, "
                      "please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None, None]", refused)
        gets = [{"Get": {"TableName": "boats", "Key": {"id": {"S": name}}}} for name in ("old", "ghost", "new")]
        read = self.aws("transact-get-items", "--transact-items", written(gets))
        self.assertEqual(read["Responses"], [
            {"Item": {"id": {"S": "old"}, "boats": {"N": "0"}}}, {}, {"Item": {"id": {"S": "new"}, "boats": {"N": "1"}}}])

    def test_waiters(self):
        self.aws("wait", "table-not-exists", "--table-name", "boats")
        self.table()
        self.aws("delete-table", "--table-name", "boats")
        self.aws("wait", "table-not-exists", "--table-name", "boats")
        self.assertEqual(self.aws("list-tables")["TableNames"], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
