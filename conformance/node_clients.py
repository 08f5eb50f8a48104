"""Clients of Node.js against the real binary: the JavaScript SDK, and dynamodb-admin as its users see it.

$HOLDFAST_CI_NODE is the folder into which the packages of node/package.json were installed.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest
import urllib.parse
import urllib.request

import harborlist
from boto3_smoke import client
from server import Server

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = pathlib.Path(os.environ.get("HOLDFAST_CI_NODE", HERE / "node")) / "node_modules"
NODE = shutil.which("node")
# All tests of one file, and one page.
SDK_LIMIT_S = 120
PAGE_LIMIT_S = 30
ITEMS = 60
USERS = "harborlist-users"
TICKETS = "harborlist-support-tickets"


def environment():
    return os.environ | {"NODE_PATH": str(PACKAGES), "AWS_MAX_ATTEMPTS": "1"}


@unittest.skipUnless(NODE and (PACKAGES / "@aws-sdk").is_dir(), "Node.js or the JavaScript SDK is missing: see .ci/run")
class JavaScriptSdk(unittest.TestCase):
    """Each file of tests has a server of its own."""

    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)

    def passes(self, file):
        done = subprocess.run(
            [NODE, "--test", str(HERE / "node" / file)], env=environment() | {"HOLDFAST_ENDPOINT": self.server.endpoint},
            capture_output=True, text=True, timeout=SDK_LIMIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_client_and_its_documents(self):
        self.passes("sdk.cjs")

    def test_the_first_user_s_requests(self):
        dynamodb = client(self.server)
        for table in harborlist.tables("head").values():
            dynamodb.create_table(**table)
        self.passes("harborlist.cjs")

    def test_dynamoose(self):
        self.passes("dynamoose.cjs")

    def test_electrodb(self):
        self.passes("electrodb.cjs")

    def test_dynamodb_toolbox(self):
        self.passes("dynamodb_toolbox.cjs")


@unittest.skipUnless(NODE and (PACKAGES / "dynamodb-admin").is_dir(), "Node.js or dynamodb-admin is missing: see .ci/run")
class DynamodbAdmin(unittest.TestCase):
    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)
        self.tables = harborlist.tables("head")
        dynamodb = client(self.server)
        for table in self.tables.values():
            dynamodb.create_table(**table)
        for number in range(ITEMS):
            dynamodb.put_item(TableName=USERS, Item={
                "id": {"S": f"user-{number}"}, "email": {"S": f"user{number}@example.com"}, "userType": {"S": "customer"},
                "createdAt": {"S": f"2025-10-14T00:00:{number:02}.000Z"}, "preferences": {"M": {"theme": {"S": "dark"}}}})
        dynamodb.put_item(TableName=TICKETS, Item={
            "id": {"S": "t"}, "createdAt": {"N": "1760000000"}, "userId": {"S": "user-1"}, "status": {"S": "open"}})
        self.address = self.start_admin()

    def start_admin(self):
        """Starts it on a port that the system chooses; the address is in what it says."""
        script = json.loads((PACKAGES / "dynamodb-admin" / "package.json").read_text(encoding="utf-8"))["bin"]
        script = script if isinstance(script, str) else script["dynamodb-admin"]
        admin = subprocess.Popen(
            [NODE, str(PACKAGES / "dynamodb-admin" / script), "--host", "127.0.0.1", "--port", "0",
             "--dynamo-endpoint", self.server.endpoint],
            env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(self.end, admin)
        said = []
        for line in admin.stdout:
            said.append(line)
            found = re.search(r"listening on (http://[0-9.:]+)", line)
            if found:
                return found[1]
        raise AssertionError("it does not start:\n" + "".join(said))

    @staticmethod
    def end(process):
        process.kill()
        process.wait()
        process.stdout.close()

    def fetch(self, path, **query):
        query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
        url = f"{self.address}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        with contextlib.closing(urllib.request.urlopen(url, timeout=PAGE_LIMIT_S)) as answer:
            self.assertEqual(answer.status, 200)
            return answer.read().decode("utf-8")

    def items(self, table, **query):
        return json.loads(self.fetch(f"/tables/{table}/items", **query))

    def test_tables_are_listed_with_their_counts(self):
        page = self.fetch("/")
        for name in self.tables:
            self.assertIn(name, page)
        listed = {table["TableName"]: table for table in json.loads(self.fetch("/api/tables"))}
        self.assertEqual(set(listed), set(self.tables))
        self.assertEqual((listed[USERS]["ItemCount"], listed[TICKETS]["ItemCount"]), (ITEMS, 1))

    def test_a_table_and_its_description_are_shown(self):
        self.assertIn(USERS, self.fetch(f"/tables/{USERS}"))
        meta = self.fetch(f"/tables/{USERS}/meta")
        for text in ("email-index", "PremiumExpirationIndex", f"&#34;ItemCount&#34;: {ITEMS}"):
            self.assertIn(text, meta)
        self.assertIn(TICKETS, self.fetch(f"/tables/{TICKETS}/get"))

    def test_items_are_shown_page_by_page(self):
        first = self.items(USERS)
        self.assertEqual((len(first["Items"]), first["uniqueKeys"][0]), (25, "id"))
        found, page = list(first["Items"]), first
        while page["nextKey"]:
            page = self.items(USERS, startKey=json.loads(urllib.parse.unquote(page["nextKey"])))
            found += page["Items"]
        self.assertEqual(sorted(item["id"] for item in found), sorted(f"user-{number}" for number in range(ITEMS)))

    def test_a_table_and_an_index_are_queried(self):
        email = {"email": {"type": "S", "operator": "=", "value": "user7@example.com"}}
        found = self.items(USERS, operationType="query", queryableSelection="email-index", filters=email)
        self.assertEqual([item["id"] for item in found["Items"]], ["user-7"])
        key = {"id": {"type": "S", "operator": "=", "value": "t"},
               "createdAt": {"type": "N", "operator": ">=", "value": "1760000000"}}
        found = self.items(TICKETS, operationType="query", queryableSelection="table", filters=key)
        self.assertEqual([item["userId"] for item in found["Items"]], ["user-1"])

    def test_what_is_shown_is_filtered(self):
        def shown(table, filters, **query):
            filters = {name: {"type": "N" if isinstance(value, int) else "S", "operator": operator, "value": value}
                       for name, (operator, value) in filters.items()}
            return sorted(item["id"] for item in self.items(table, filters=filters, **query)["Items"])

        fifties = [f"user-{number}" for number in range(50, ITEMS)]
        self.assertEqual(shown(USERS, {"createdAt": ("begins_with", "2025-10-14T00:00:5"), "email": ("<>", "x")}), fifties)
        self.assertEqual(shown(USERS, {"id": ("=", "user-7")}), ["user-7"])
        index = {"operationType": "query", "queryableSelection": "UserTypeIndex"}
        since = {"userType": ("=", "customer"), "createdAt": (">=", "2025-10-14T00:00:50")}
        self.assertEqual(shown(USERS, since | {"id": (">", "user-55")}, **index), fifties[6:])
        table = {"operationType": "query", "queryableSelection": "table"}
        for status, found in (("open", ["t"]), ("closed", [])):
            ticket = {"id": ("=", "t"), "createdAt": ("<=", 1760000000), "status": ("=", status)}
            self.assertEqual(shown(TICKETS, ticket, **table), found)

    def change(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.address}{path}", method=method, headers={"Content-Type": "application/json"},
            data=json.dumps(body).encode() if body is not None else None)
        with contextlib.closing(urllib.request.urlopen(request, timeout=PAGE_LIMIT_S)) as answer:
            return answer.status, answer.read().decode("utf-8")

    def test_an_item_is_edited_and_deleted_and_a_table_is_emptied(self):
        edited = {"id": "user-7", "email": "seven@example.com", "tags": ["a", None]}
        status, item = self.change("PUT", f"/tables/{USERS}/items/user-7", edited)
        self.assertEqual((status, json.loads(item)), (200, edited))
        self.assertEqual(self.change("DELETE", f"/tables/{TICKETS}/items/t,1760000000"), (204, ""))
        self.assertEqual(self.items(TICKETS)["Items"], [])
        self.change("DELETE", f"/tables/{USERS}/all")
        self.assertEqual(self.items(USERS)["Items"], [])

    def test_one_item_is_shown_and_another_is_put(self):
        self.assertIn("user7@example.com", self.fetch(f"/tables/{USERS}/items/user-7"))
        self.assertIn("user-1", self.fetch(f"/tables/{TICKETS}/items/t,1760000000"))
        status, key = self.change("PUT", f"/tables/{USERS}/add-item", {"id": "new", "email": "new@example.com"})
        self.assertEqual((status, json.loads(key)), (200, {"id": "new"}))
        self.assertIn("new@example.com", self.fetch(f"/tables/{USERS}/items/new"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
