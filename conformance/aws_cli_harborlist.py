"""The first user's tables made by the AWS CLI: from its definitions, and by its script in both of its versions."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import harborlist
from aws_cli_smoke import COMMAND_LIMIT_S, command, environment
from boto3_smoke import client
from server import Server

SCRIPT = pathlib.Path(harborlist.FOLDER) / "tables.sh"
# A whole run of the script: some forty starts of the CLI.
SCRIPT_LIMIT_S = 300
# Commands at the same time: most of each is the start of the CLI.
AT_ONCE = 4


@unittest.skipUnless(command(), "there is no AWS CLI")
class HarborList(unittest.TestCase):
    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)

    def aws(self, *arguments):
        done = subprocess.run(
            [command(), "dynamodb", *arguments, "--endpoint-url", self.server.endpoint, "--output", "json"],
            env=environment(), capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def described(self, names):
        dynamodb = client(self.server)
        return {name: dynamodb.describe_table(TableName=name)["Table"] for name in names}

    def script(self, version):
        """Runs the script; which tables it created, which it found, which it listed."""
        done = subprocess.run(
            ["sh", str(SCRIPT), str(harborlist.FOLDER / f"{version}.txt")], capture_output=True, text=True, check=False,
            env=environment() | {"DYNAMODB_ENDPOINT": self.server.endpoint, "AWS_CLI": command()}, timeout=SCRIPT_LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        said = [line.split() for line in done.stdout.splitlines()]
        return tuple([name for verb, name in said if verb == wanted] for wanted in ("created", "exists", "listed"))

    def test_the_23_tables_of_the_newest_definitions(self):
        tables = harborlist.tables("head")
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            created = list(pool.map(
                lambda table: self.aws("create-table", "--cli-input-json", json.dumps(table)), tables.values()))
        self.assertEqual({one["TableDescription"]["TableName"] for one in created}, set(tables))
        self.assertEqual(self.aws("list-tables")["TableNames"], sorted(tables))
        self.assertEqual(sum(len(table.get("GlobalSecondaryIndexes", [])) for table in tables.values()), 24)
        for name, table in self.described(tables).items():
            self.assertEqual(harborlist.differences(tables[name], table), {}, name)
        self.assertEqual(self.aws("scan", "--table-name", "harborlist-users", "--select", "COUNT")["Count"], 0)

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_the_script_makes_20_tables_and_the_other_version_finds_them(self):
        tables = harborlist.tables("seed")
        created, exists, listed = self.script("seed")
        self.assertEqual((sorted(created), exists, listed), (sorted(tables), [], sorted(tables)))
        for name, table in self.described(tables).items():
            self.assertEqual(harborlist.differences(tables[name], table), {}, name)
        created, exists, listed = self.script("second")
        self.assertEqual((created, sorted(exists), listed), ([], sorted(harborlist.tables("second")), sorted(tables)))
        kept = self.described(["harborlist-listings"])["harborlist-listings"]
        self.assertEqual(kept["KeySchema"], [{"AttributeName": "listingId", "KeyType": "HASH"}])

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_the_other_version_first_wins_and_a_second_run_changes_nothing(self):
        first, second = harborlist.tables("second"), harborlist.tables("seed")
        created, exists, _ = self.script("second")
        self.assertEqual((sorted(created), exists), (sorted(first), []))
        created, exists, listed = self.script("seed")
        self.assertEqual((sorted(created), sorted(exists)), (sorted(set(second) - set(first)), sorted(first)))
        self.assertEqual(listed, sorted(second))
        before = self.described(second)
        for name, table in before.items():
            self.assertEqual(harborlist.differences(first.get(name) or second[name], table), {}, name)
        created, exists, _ = self.script("seed")
        self.assertEqual((created, sorted(exists)), ([], sorted(second)))
        self.assertEqual(self.described(second), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
