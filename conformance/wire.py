"""Requests to DynamoDB put on the wire by hand, with the headers that the JavaScript SDK (v3) sends, in its order, signed.

No client stands between: what is checked are the answer's own bytes.
"""

import dataclasses
import http.client
import json
import urllib.parse
import uuid
import zlib

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ANSWER_LIMIT_S = 20
JSON = "application/x-amz-json-1.0"


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    text: str

    @property
    def body(self):
        return json.loads(self.text)

    @property
    def error(self):
        """The error's name, without where it comes from, and its words."""
        return self.body["__type"].partition("#")[2], self.body.get("message", self.body.get("Message"))


def headers(endpoint, operation, body):
    """The headers of a request: those that the SDK signs, and its signature, for the credentials test/test."""
    request = AWSRequest("POST", endpoint + "/", data=body, headers={
        "content-type": JSON, "x-amz-target": f"DynamoDB_20120810.{operation}", "content-length": str(len(body)),
        "x-amz-user-agent": "aws-sdk-js/3.1169.0", "amz-sdk-invocation-id": str(uuid.uuid4()),
        "amz-sdk-request": "attempt=1; max=1", "host": urllib.parse.urlsplit(endpoint).netloc})
    signer = SigV4Auth(Credentials("test", "test"), "dynamodb", "us-east-1")
    request.headers["x-amz-content-sha256"] = signer.payload(request)
    signer.add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def send(endpoint, operation, body):
    """Sends one request, given as text or as what becomes JSON; checks what each answer of DynamoDB has."""
    body = (body if isinstance(body, str) else json.dumps(body)).encode()
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=ANSWER_LIMIT_S)
    try:
        connection.putrequest("POST", "/", skip_host=True, skip_accept_encoding=True)
        for name, value in headers(endpoint, operation, body).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        raw = answer.read()
    finally:
        connection.close()
    assert answer.headers["content-type"] == JSON, answer.headers
    assert answer.headers["x-amz-crc32"] == str(zlib.crc32(raw)), answer.headers
    assert answer.headers["x-amzn-requestid"], answer.headers
    return Answer(answer.status, raw.decode())
