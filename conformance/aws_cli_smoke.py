"""The AWS CLI against the real binary."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from server import Server

COMMAND_LIMIT_S = 60


def command():
    """The `aws` beside this Python, or the one on the path."""
    beside = pathlib.Path(sys.executable).parent / "aws"
    return str(beside) if beside.exists() else shutil.which("aws")


def environment():
    """What a command runs in: credentials that anybody may use, and nothing of this machine's own settings."""
    return os.environ | {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "",
        "AWS_MAX_ATTEMPTS": "1"}


@unittest.skipUnless(command(), "there is no AWS CLI")
class AwsCli(unittest.TestCase):
    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)

    def aws(self, *arguments, code=0):
        done = subprocess.run(
            [command(), "dynamodb", *arguments, "--endpoint-url", self.server.endpoint, "--output", "json"],
            env=environment(), capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
        if code == 0:
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout) if done.stdout.strip() else {}
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def test_a_table_from_its_creation_to_its_end(self):
        self.aws("create-table", "--table-name", "notes", "--billing-mode", "PAY_PER_REQUEST",
                 "--attribute-definitions", "AttributeName=id,AttributeType=S",
                 "--key-schema", "AttributeName=id,KeyType=HASH")
        self.assertEqual(self.aws("describe-table", "--table-name", "notes")["Table"]["TableStatus"], "ACTIVE")
        self.assertEqual(self.aws("list-tables")["TableNames"], ["notes"])
        self.aws("put-item", "--table-name", "notes", "--item", '{"id":{"S":"a"},"n":{"N":"7"}}')
        got = self.aws("get-item", "--table-name", "notes", "--key", '{"id":{"S":"a"}}')
        self.assertEqual(got["Item"], {"id": {"S": "a"}, "n": {"N": "7"}})
        self.aws("delete-item", "--table-name", "notes", "--key", '{"id":{"S":"a"}}')
        self.assertEqual(self.aws("get-item", "--table-name", "notes", "--key", '{"id":{"S":"a"}}'), {})
        self.aws("delete-table", "--table-name", "notes")
        refusal = self.aws("describe-table", "--table-name", "absent", code=1)
        self.assertIn("ResourceNotFoundException", refusal)


if __name__ == "__main__":
    unittest.main(verbosity=2)
