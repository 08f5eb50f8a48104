// The first user's requests through its SDK, as its code makes them, against the server at HOLDFAST_ENDPOINT with its tables.
//
// What goes over the wire is the body of harborlist/requests.txt, byte by byte, so these are the same requests that are
// sent there by hand.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { test, after } = require("node:test");
const sdk = require("@aws-sdk/client-dynamodb");
const lib = require("@aws-sdk/lib-dynamodb");

const captured = Object.fromEntries(
  fs.readFileSync(path.join(__dirname, "..", "harborlist", "requests.txt"), "utf8").split(/^== /m).slice(1)
    .map((part) => part.trimEnd().split("\n")).map(([name, operation, body]) => [name, { operation, body }]));

let sent;
/** A client of documents; it keeps what it sent. Its settings are its client's, so each has one of its own. */
const connect = (marshallOptions) => {
  const client = new sdk.DynamoDBClient({
    endpoint: process.env.HOLDFAST_ENDPOINT,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  client.middlewareStack.add((next) => (args) => {
    sent = { target: args.request.headers["x-amz-target"], body: Buffer.from(args.request.body).toString() };
    return next(args);
  }, { step: "finalizeRequest", name: "seen", priority: "low" });
  after(() => client.destroy());
  return lib.DynamoDBDocumentClient.from(client, { marshallOptions });
};
const documents = connect({ removeUndefinedValues: true });
const strict = connect({});

/** Sends a command; what went out is the request of that name. */
const as = async (name, command, through = documents) => {
  const { operation, body } = captured[name];
  sent = undefined;
  const wanted = { target: `DynamoDB_20120810.${operation}`, body };
  return through.send(command).finally(() => sent && assert.deepEqual(sent, wanted, name));
};

const refusal = (name, message) => (error) => {
  assert.deepEqual([error.name, error.message, error.$metadata.httpStatusCode], [name, message, 400]);
  return error instanceof sdk.DynamoDBServiceException;
};

const listing = {
  listingId: "l1", ownerId: "u1", title: "T", price: 50000, location: { city: "Miami", state: "FL", zipCode: undefined },
  features: [], images: [], views: 0, moderationWorkflow: { status: "pending_review", previousReviewCount: 0 },
  createdAt: 1760000000000,
};

test("a listing is created once, viewed, and gets another price", async () => {
  const TableName = "harborlist-listings", Key = { listingId: "l1" };
  const create = () => as("a listing is created", new lib.PutCommand({
    TableName, Item: listing, ConditionExpression: "attribute_not_exists(listingId)",
  }));
  await create();
  await assert.rejects(create(), refusal("ConditionalCheckFailedException", "The conditional request failed"));
  await as("a view is counted", new lib.UpdateCommand({
    TableName, Key, UpdateExpression: "ADD #views :inc", ExpressionAttributeNames: { "#views": "views" },
    ExpressionAttributeValues: { ":inc": 1 },
  }));
  await as("a price is set", new lib.UpdateCommand({
    TableName, Key, UpdateExpression: "SET #price = :price, #updatedAt = :updatedAt",
    ExpressionAttributeNames: { "#price": "price", "#updatedAt": "updatedAt" },
    ExpressionAttributeValues: { ":price": 55000, ":updatedAt": 1760000000000 },
  }));
  const { Item } = await documents.send(new lib.GetCommand({ TableName, Key }));
  const { zipCode, ...location } = listing.location;
  assert.deepEqual(Item, { ...listing, location, price: 55000, views: 1, updatedAt: 1760000000000 });
  const count = () => as("listings to review are counted", new lib.ScanCommand({
    TableName, Select: "COUNT", FilterExpression: "#status IN (:pending_review, :under_review)",
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ":pending_review": "pending_review", ":under_review": "under_review" },
  }));
  assert.equal((await count()).Count, 0);
  await documents.send(new lib.UpdateCommand({
    TableName, Key, UpdateExpression: "SET #status = :s", ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ":s": "under_review" }, ConditionExpression: "attribute_exists(listingId)",
  }));
  assert.equal((await count()).Count, 1);
});

test("a user is read and found by its email; a membership is refused by an index", async () => {
  const TableName = "harborlist-users";
  const user = { id: "u1", email: "a@b.c", phone: null, emailVerified: true, permissions: [] };
  await documents.send(new lib.PutCommand({ TableName, Item: user }));
  assert.deepEqual((await as("a user is read", new lib.GetCommand({ TableName, Key: { id: "u1" } }))).Item, user);
  const found = await as("a user is found by its email", new lib.QueryCommand({
    TableName, IndexName: "email-index", KeyConditionExpression: "email = :email",
    ExpressionAttributeValues: { ":email": "a@b.c" },
  }));
  assert.deepEqual([found.Items, found.Count, found.LastEvaluatedKey], [[user], 1, undefined]);
  // The SDK makes a token of its own where none is given.
  const upgrade = new lib.TransactWriteCommand({
    TransactItems: [
      { Put: { Item: { listingId: "l1" }, TableName: "harborlist-listings", ConditionExpression: "attribute_not_exists(id)" } },
      {
        Update: {
          Key: { id: "u1" }, TableName,
          UpdateExpression: "SET userType = :userType, premiumActive = :premiumActive, premiumPlan = :premiumPlan",
          ExpressionAttributeValues: { ":userType": "premium_dealer", ":premiumActive": true, ":premiumPlan": null },
        },
      },
    ],
  });
  await assert.rejects(documents.send(upgrade), (error) => {
    assert.ok(error instanceof sdk.TransactionCanceledException);
    assert.deepEqual(error.CancellationReasons.map((reason) => reason.Code), ["None", "ValidationError"]);
    return /Type mismatch for Index Key premiumActive Expected: S Actual: BOOL/.test(error.CancellationReasons[1].Message);
  });
  const { TransactItems, ClientRequestToken } = JSON.parse(sent.body);
  assert.deepEqual(TransactItems, JSON.parse(captured["a membership is upgraded"].body).TransactItems);
  assert.match(ClientRequestToken, /^[0-9a-f-]{36}$/);
});

test("moderation is read newest first with a filter", async () => {
  const TableName = "harborlist-moderation-queue";
  const queued = (number) => ({
    id: `q${number}`, submittedAt: 1760000000000 + number, status: "pending", priority: number % 2 ? "high" : "low",
    assignedTo: "m1",
  });
  const numbers = Array.from({ length: 25 }, (_, number) => number);
  await documents.send(new lib.BatchWriteCommand({
    RequestItems: { [TableName]: numbers.map((number) => ({ PutRequest: { Item: queued(number) } })) },
  }));
  const query = {
    TableName, IndexName: "StatusIndex", Limit: 20, ScanIndexForward: false, KeyConditionExpression: "#status = :status",
    FilterExpression: "priority = :priority AND assignedTo = :assignedTo", ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ":status": "pending", ":priority": "high", ":assignedTo": "m1" },
  };
  const first = await as("high moderation, newest first", new lib.QueryCommand(query));
  assert.deepEqual(first.Items.map((item) => item.id), numbers.slice(5).reverse().filter((n) => n % 2).map((n) => `q${n}`));
  // The user hands the key of the next page round through a URL.
  const ExclusiveStartKey = JSON.parse(decodeURIComponent(encodeURIComponent(JSON.stringify(first.LastEvaluatedKey))));
  const second = await documents.send(new lib.QueryCommand({ ...query, ExclusiveStartKey }));
  assert.deepEqual([second.Items.map((item) => item.id), second.LastEvaluatedKey], [["q3", "q1"], undefined]);
});

test("audit logs, with what the SDK drops", async () => {
  const TableName = "harborlist-audit-logs";
  await as("an audit log without details", new lib.PutCommand({ TableName, Item: { id: "a1", details: undefined } }), strict);
  const deep = new lib.PutCommand({ TableName, Item: { id: "a2", details: { none: undefined } } });
  await assert.rejects(strict.send(deep), /removeUndefinedValues/);
  const error = { id: "a3", timestamp: "2025-10-15T00:30:00.000Z", action: "LOGIN_ERROR" };
  await documents.send(new lib.PutCommand({ TableName, Item: error }));
  const errors = await as("errors of one hour", new lib.ScanCommand({
    TableName, Limit: 50, FilterExpression: "#timestamp BETWEEN :startTime AND :endTime AND contains(#action, :error)",
    ExpressionAttributeNames: { "#timestamp": "timestamp", "#action": "action" },
    ExpressionAttributeValues: {
      ":startTime": "2025-10-15T00:00:00.000Z", ":endTime": "2025-10-15T01:00:00.000Z", ":error": "ERROR",
    },
  }));
  assert.deepEqual([errors.Items, errors.ScannedCount], [[error], 2]);
  const one = await as("one audit log", new lib.ScanCommand({ TableName, Limit: 1, ScanIndexForward: false }));
  assert.deepEqual([one.Count, Object.keys(one.LastEvaluatedKey)], [1, ["id"]]);
});

test("engines: a batch under the wrong key is refused whole", async () => {
  const RequestItems = {
    "harborlist-engines": [
      { PutRequest: { Item: { engineId: "e1", id: "e1", listingId: "l1", horsepower: 250 } } },
      { DeleteRequest: { Key: { id: "e2" } } },
    ],
  };
  await assert.rejects(as("engines are replaced", new lib.BatchWriteCommand({ RequestItems })),
    refusal("ValidationException", "The provided key element does not match the schema"));
  const { Item } = await documents.send(new lib.GetCommand({ TableName: "harborlist-engines", Key: { engineId: "e1" } }));
  assert.equal(Item, undefined);
});

test("unread notifications are counted", async () => {
  const TableName = "harborlist-notifications";
  const Item = { notificationId: "n", createdAt: 1, userId: "u1", status: "unread" };
  await documents.send(new lib.PutCommand({ TableName, Item }));
  const { Count } = await documents.send(new lib.QueryCommand({
    TableName, IndexName: "user-status-index", KeyConditionExpression: "userId = :userId AND #status = :unread", Select: "COUNT",
    ExpressionAttributeNames: { "#status": "status" }, ExpressionAttributeValues: { ":userId": "u1", ":unread": "unread" },
  }));
  assert.equal(Count, 1);
});
