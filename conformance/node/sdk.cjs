// The JavaScript SDK (v3), its client and its documents, against the server at HOLDFAST_ENDPOINT.
"use strict";

const assert = require("node:assert/strict");
const { test, before } = require("node:test");
const sdk = require("@aws-sdk/client-dynamodb");
const lib = require("@aws-sdk/lib-dynamodb");

const TABLE = "harborlist-notifications";
const BY_STATUS = "user-status-index";
const BY_USER = "user-index";
const ITEMS = 60;

const client = new sdk.DynamoDBClient({
  endpoint: process.env.HOLDFAST_ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
});
const documents = lib.DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

const definition = {
  TableName: TABLE,
  AttributeDefinitions: [
    { AttributeName: "notificationId", AttributeType: "S" }, { AttributeName: "createdAt", AttributeType: "N" },
    { AttributeName: "userId", AttributeType: "S" }, { AttributeName: "status", AttributeType: "S" },
  ],
  KeySchema: [{ AttributeName: "notificationId", KeyType: "HASH" }, { AttributeName: "createdAt", KeyType: "RANGE" }],
  GlobalSecondaryIndexes: [BY_USER, BY_STATUS].map((IndexName, at) => ({
    IndexName,
    KeySchema: [{ AttributeName: "userId", KeyType: "HASH" }, { AttributeName: ["createdAt", "status"][at], KeyType: "RANGE" }],
    Projection: { ProjectionType: "ALL" },
    ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 },
  })),
  ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 },
};

const item = (number) => ({
  notificationId: `n-${number}`,
  createdAt: 1760000000000 + number,
  userId: `user-${number % 3}`,
  status: number % 5 === 0 ? "read" : "unread",
  title: "Grüße aus Kiel ⚓",
  data: { price: 12.5, tags: ["a", null, true], nothing: undefined, nested: { deep: [1, { x: "y" }] } },
  bytes: new Uint8Array([0, 255, 7]),
});

/** What comes back: without what is undefined. */
const stored = (number) => {
  const { nothing, ...data } = item(number).data;
  return { ...item(number), data };
};

const numbers = (of) => Array.from({ length: ITEMS }, (_, number) => number).filter(of);

before(async () => {
  const made = await client.send(new sdk.CreateTableCommand(definition));
  assert.equal(made.TableDescription.TableName, TABLE);
  await sdk.waitUntilTableExists({ client, minDelay: 1, maxDelay: 2, maxWaitTime: 20 }, { TableName: TABLE });
  for (let start = 0; start < ITEMS; start += 20) {
    const requests = numbers((number) => number >= start && number < start + 20)
      .map((number) => ({ PutRequest: { Item: item(number) } }));
    const answer = await documents.send(new lib.BatchWriteCommand({ RequestItems: { [TABLE]: requests } }));
    assert.deepEqual(answer.UnprocessedItems, {});
  }
});

test("a table is described and listed", async () => {
  const { Table } = await client.send(new sdk.DescribeTableCommand({ TableName: TABLE }));
  assert.deepEqual([Table.TableStatus, Table.ItemCount, Table.CreationDateTime instanceof Date], ["ACTIVE", ITEMS, true]);
  assert.deepEqual(Table.GlobalSecondaryIndexes.map((index) => index.IndexName).sort(), [BY_USER, BY_STATUS].sort());
  const { TableNames } = await client.send(new sdk.ListTablesCommand({}));
  assert.deepEqual(TableNames, [TABLE]);
});

test("documents are put, read and deleted", async () => {
  const Key = { notificationId: "one", createdAt: 1 };
  await documents.send(new lib.PutCommand({ TableName: TABLE, Item: { ...Key, userId: "x", status: "read", b: { c: [0.1] } } }));
  const got = await documents.send(new lib.GetCommand({ TableName: TABLE, Key }));
  assert.deepEqual(got.Item, { ...Key, userId: "x", status: "read", b: { c: [0.1] } });
  await documents.send(new lib.DeleteCommand({ TableName: TABLE, Key }));
  assert.equal((await documents.send(new lib.GetCommand({ TableName: TABLE, Key }))).Item, undefined);
});

test("a batch of reads", async () => {
  const Keys = [7, 8, 999].map((number) => ({ notificationId: `n-${number}`, createdAt: 1760000000000 + number }));
  const { Responses } = await documents.send(new lib.BatchGetCommand({ RequestItems: { [TABLE]: { Keys } } }));
  const found = Responses[TABLE].sort((left, right) => left.createdAt - right.createdAt);
  assert.deepEqual(found, [stored(7), stored(8)]);
});

test("an index is queried in pages, from its end", async () => {
  const found = [];
  const pages = lib.paginateQuery({ client: documents, pageSize: 6 }, {
    TableName: TABLE, IndexName: BY_USER, ScanIndexForward: false,
    KeyConditionExpression: "userId = :user AND createdAt >= :since",
    ExpressionAttributeValues: { ":user": "user-1", ":since": 1760000000010 },
  });
  let count = 0;
  for await (const page of pages) {
    found.push(...page.Items);
    count += 1;
  }
  assert.deepEqual(found, numbers((number) => number % 3 === 1 && number >= 10).reverse().map(stored));
  assert.equal(count, 3);
});

test("unread notifications are counted", async () => {
  const { Count, Items } = await documents.send(new lib.QueryCommand({
    TableName: TABLE, IndexName: BY_STATUS, Select: "COUNT",
    KeyConditionExpression: "userId = :userId AND #status = :unread",
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ":userId": "user-0", ":unread": "unread" },
  }));
  assert.deepEqual([Count, Items], [numbers((number) => number % 3 === 0 && number % 5).length, undefined]);
});

test("a table is scanned in pages and counted", async () => {
  const found = [];
  for await (const page of lib.paginateScan({ client: documents, pageSize: 25 }, { TableName: TABLE })) {
    found.push(...page.Items);
  }
  assert.deepEqual(found.sort((left, right) => left.createdAt - right.createdAt), numbers(() => true).map(stored));
  const { Count } = await client.send(new sdk.ScanCommand({ TableName: TABLE, Select: "COUNT" }));
  assert.equal(Count, ITEMS);
});

test("errors have their classes", async () => {
  const Key = { id: { S: "x" } };
  await assert.rejects(client.send(new sdk.GetItemCommand({ TableName: "absent", Key })), sdk.ResourceNotFoundException);
  await assert.rejects(client.send(new sdk.CreateTableCommand(definition)), sdk.ResourceInUseException);
  const query = new lib.QueryCommand({
    TableName: TABLE, IndexName: "UserIndex", KeyConditionExpression: "userId = :u", ExpressionAttributeValues: { ":u": "x" },
  });
  await assert.rejects(documents.send(query), (error) => {
    assert.equal(error.name, "ValidationException");
    assert.match(error.message, /specified index: UserIndex/);
    assert.equal(error.$metadata.httpStatusCode, 400);
    return error instanceof sdk.DynamoDBServiceException;
  });
});

test("a table ends", async () => {
  const TableName = "short";
  await client.send(new sdk.CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST", KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
  }));
  await client.send(new sdk.DeleteTableCommand({ TableName }));
  await sdk.waitUntilTableNotExists({ client, minDelay: 1, maxDelay: 2, maxWaitTime: 20 }, { TableName });
  await assert.rejects(client.send(new sdk.DescribeTableCommand({ TableName })), sdk.ResourceNotFoundException);
});
