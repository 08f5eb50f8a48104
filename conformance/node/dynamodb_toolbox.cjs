// dynamodb-toolbox against the server at HOLDFAST_ENDPOINT: two entities in one table with both kinds of index.
"use strict";

const assert = require("node:assert/strict");
const { test, before, after } = require("node:test");
const sdk = require("@aws-sdk/client-dynamodb");
const lib = require("@aws-sdk/lib-dynamodb");
const box = require("dynamodb-toolbox");

const { item, string, number, list, set, map, boolean, any } = box;
const { $add, $append, $delete, $get, $prepend, $remove, $set, $subtract, $sum } = box;
const BOATS = 60;
const HARBOURS = ["Kiel", "Oban"];
const numbers = (of) => Array.from({ length: BOATS }, (_, at) => at).filter(of);

const client = new sdk.DynamoDBClient({
  endpoint: process.env.HOLDFAST_ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
});
const documentClient = lib.DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

const table = new box.Table({
  documentClient,
  name: "toolbox",
  partitionKey: { name: "pk", type: "string" },
  sortKey: { name: "sk", type: "number" },
  indexes: {
    byHarbour: { type: "global", partitionKey: { name: "harbour", type: "string" }, sortKey: { name: "sk", type: "number" } },
    byLength: { type: "local", sortKey: { name: "length", type: "number" } },
  },
});

// Its own times of creation and change are left out: they are not what is looked at.
const settings = { table, timestamps: false };
const Boat = new box.Entity({
  ...settings,
  name: "BOAT",
  schema: item({
    owner: string().key().savedAs("pk"), number: number().key().savedAs("sk"),
    length: number().optional(), harbour: string().optional(), afloat: boolean().default(true),
    crew: list(string()).optional(), flags: set(string()).optional(), notes: any().optional(),
    engine: map({ maker: string(), hours: number().optional() }).optional(),
  }),
});
const Owner = new box.Entity({
  ...settings,
  name: "OWNER",
  schema: item({ name: string().key().savedAs("pk"), year: number().key().savedAs("sk"), boats: number().default(0) }),
});

const boat = (at) => ({
  owner: `owner-${at % 4}`, number: at, length: 5 + (at % 7) / 2, afloat: true,
  ...(at % 3 ? { harbour: HARBOURS[at % 2] } : {}),
});
const get = async (key, options = {}) => (await Boat.build(box.GetItemCommand).key(key).options(options).send()).Item;
const put = (one, options = {}) => Boat.build(box.PutItemCommand).item(one).options(options).send();
const update = (one, options = {}) => Boat.build(box.UpdateItemCommand).item(one).options(options).send();
const failed = { name: "ConditionalCheckFailedException", message: "The conditional request failed" };

before(async () => {
  const throughput = { ReadCapacityUnits: 5, WriteCapacityUnits: 5 };
  const key = (...names) => names.map((AttributeName, at) => ({ AttributeName, KeyType: ["HASH", "RANGE"][at] }));
  const Projection = { ProjectionType: "ALL" };
  await client.send(new sdk.CreateTableCommand({
    TableName: "toolbox", KeySchema: key("pk", "sk"), ProvisionedThroughput: throughput,
    AttributeDefinitions: Object.entries({ pk: "S", sk: "N", harbour: "S", length: "N" })
      .map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    GlobalSecondaryIndexes: [
      { IndexName: "byHarbour", KeySchema: key("harbour", "sk"), Projection, ProvisionedThroughput: throughput },
    ],
    LocalSecondaryIndexes: [{ IndexName: "byLength", KeySchema: key("pk", "length"), Projection }],
  }));
  await sdk.waitUntilTableExists({ client, minDelay: 1, maxDelay: 2, maxWaitTime: 20 }, { TableName: "toolbox" });
  for (let start = 0; start < BOATS; start += 25) {
    const batch = numbers((at) => at >= start && at < start + 25).map((at) => Boat.build(box.BatchPutRequest).item(boat(at)));
    const { UnprocessedItems } = await box.executeBatchWrite(table.build(box.BatchWriteCommand).requests(...batch));
    assert.deepEqual(UnprocessedItems, {});
  }
});

after(() => client.destroy());

test("a boat is put on conditions, and read with all its types", async () => {
  const one = {
    owner: "create", number: 1, length: 7.25, harbour: "Riga", crew: ["Ann", "Bo"], flags: new Set(["DE", "SE"]),
    engine: { maker: "Bukh", hours: 3 }, notes: { deep: [1, null, { x: true }] }, afloat: false,
  };
  const absent = { condition: { attr: "owner", exists: false } };
  await put(one, absent);
  assert.deepEqual(await get(one, { consistent: true }), one);
  await assert.rejects(put({ ...one, length: 1 }, { ...absent, returnValuesOnConditionFalse: "ALL_OLD" }), (error) => {
    assert.ok(box.isConditionCheckFailed(error, Boat));
    assert.deepEqual([error.name, error.message, error.Item?.length], [failed.name, failed.message, { N: "7.25" }]);
    return true;
  });
  const { Attributes } = await put({ owner: "create", number: 1 }, { returnValues: "ALL_OLD" });
  assert.deepEqual(Attributes, one);
  assert.equal(await get({ owner: "create", number: 2 }), undefined);
  await put(one);
  const parts = await get(one, { attributes: ["length", "engine.maker", "crew[1]"] });
  assert.deepEqual(parts, { length: 7.25, engine: { maker: "Bukh" }, crew: ["Bo"] });
});

test("an update sets, sums, adds, appends, deletes and removes", async () => {
  const Key = { owner: "update", number: 1 };
  await put({ ...Key, length: 6, harbour: "Kiel", crew: ["Ann"], flags: new Set(["DE"]), engine: { maker: "Bukh", hours: 3 } });
  const { Attributes } = await update({
    ...Key, length: $sum($get("length"), 1.5), harbour: $remove(), crew: $append(["Bo"]), flags: $add(new Set(["SE"])),
    engine: { hours: $add(2) },
  }, { returnValues: "ALL_NEW" });
  assert.deepEqual(Attributes, {
    ...Key, length: 7.5, afloat: true, crew: ["Ann", "Bo"], flags: new Set(["DE", "SE"]), engine: { maker: "Bukh", hours: 5 },
  });
  const next = await update({
    ...Key, length: $subtract($get("length"), $get("number")), crew: $prepend(["Cid"]), flags: $delete(new Set(["DE"])),
    engine: $set({ maker: "Volvo" }), harbour: $get("engine.maker"), afloat: $get("notes", false),
  }, { returnValues: "UPDATED_NEW" });
  assert.deepEqual(next.Attributes, {
    length: 6.5, crew: ["Cid", "Ann", "Bo"], flags: new Set(["SE"]), engine: { maker: "Volvo" }, harbour: "Bukh", afloat: false,
  });
  const old = await update({ ...Key, crew: { 0: $remove(), 1: "Ada" } }, { returnValues: "UPDATED_OLD" });
  assert.deepEqual(old.Attributes.crew, ["Cid", "Ann"]);
  assert.deepEqual((await get(Key)).crew, ["Ada", "Bo"]);
});

test("conditions hold or refuse", async () => {
  const Key = { owner: "condition", number: 1 };
  await put({ ...Key, length: 6, harbour: "Kiel", crew: ["Ann", "Bo"], engine: { maker: "Bukh" } });
  const setLength = (length, condition) => update({ ...Key, length }, { condition });
  await setLength(8, { and: [{ attr: "length", between: [5, 6] }, { attr: "harbour", beginsWith: "Ki" }] });
  await assert.rejects(setLength(9, { or: [{ attr: "length", lt: 8 }, { attr: "engine.hours", exists: true }] }), failed);
  await assert.rejects(setLength(9, { not: { attr: "harbour", in: ["Oban", "Kiel"] } }), failed);
  await setLength(10, {
    and: [
      { size: "crew", eq: 2 }, { attr: "crew", contains: "Bo" }, { attr: "engine", type: "M" }, { attr: "harbour", ne: "Oban" },
    ],
  });
  const remove = (condition) =>
    Boat.build(box.DeleteItemCommand).key(Key).options({ condition, returnValues: "ALL_OLD" }).send();
  await assert.rejects(remove({ attr: "length", gt: 10 }), failed);
  assert.equal((await remove({ attr: "length", gte: { attr: "number" } })).Attributes.length, 10);
});

test("an index is queried with a filter, page by page", async () => {
  const found = [];
  let exclusiveStartKey, pages = 0, looked = 0;
  do {
    const page = await table.build(box.QueryCommand).entities(Boat)
      .query({ index: "byHarbour", partition: "Oban", range: { gte: 10 } })
      .options({
        filters: { BOAT: { and: [{ attr: "length", gt: 6 }, { attr: "owner", eq: "owner-1" }] } }, limit: 7, reverse: true,
        exclusiveStartKey, capacity: "INDEXES",
      }).send();
    found.push(...page.Items.map((one) => one.number));
    looked += page.ScannedCount;
    exclusiveStartKey = page.LastEvaluatedKey;
    assert.deepEqual(Object.keys(page.ConsumedCapacity.GlobalSecondaryIndexes), ["byHarbour"]);
    pages += 1;
  } while (exclusiveStartKey);
  const oban = (at) => at % 3 && at % 2 && at >= 10;
  assert.deepEqual(found, numbers((at) => oban(at) && boat(at).length > 6 && at % 4 === 1).reverse());
  assert.deepEqual([pages, looked], [Math.floor(numbers(oban).length / 7) + 1, numbers(oban).length]);
});

test("a local index, parts of items, and counts", async () => {
  const query = (what) => table.build(box.QueryCommand).entities(Boat).query(what);
  const lengths = await query({ index: "byLength", partition: "owner-2", range: { between: [6, 7] } })
    .options({ consistent: true, attributes: ["length"] }).send();
  assert.deepEqual(lengths.Items.map((one) => one.length),
    numbers((at) => at % 4 === 2).map((at) => boat(at).length).filter((length) => length >= 6 && length <= 7)
      .sort((a, b) => a - b));
  const { Count, Items } = await query({ partition: "owner-3", range: { lt: 30 } }).options({ select: "COUNT" }).send();
  assert.deepEqual([Count, Items ?? []], [numbers((at) => at % 4 === 3 && at < 30).length, []]);
});

test("scans find one entity among the others, in parts", async () => {
  await Owner.build(box.PutItemCommand).item({ name: "owner-scanned", year: 1 }).send();
  const found = [];
  for (const segment of [0, 1, 2]) {
    const { Items } = await table.build(box.ScanCommand).entities(Boat).options({
      filters: { BOAT: { and: [{ attr: "owner", beginsWith: "owner-" }, { attr: "length", lte: 5.5 }] } },
      segment, totalSegments: 3, maxPages: Infinity, limit: 10,
    }).send();
    found.push(...Items);
  }
  assert.deepEqual(found.sort((left, right) => left.number - right.number), numbers((at) => boat(at).length <= 5.5).map(boat));
});

test("batches", async () => {
  const keys = [1, 2, 3].map((at) => ({ owner: "batch", number: at }));
  const write = (requests) => box.executeBatchWrite(table.build(box.BatchWriteCommand).requests(...requests));
  await write(keys.map((key) => Boat.build(box.BatchPutRequest).item(key)));
  const gets = [...keys, { owner: "batch", number: 4 }].map((key) => Boat.build(box.BatchGetRequest).key(key));
  const { Responses } = await box.executeBatchGet(table.build(box.BatchGetCommand).requests(...gets));
  assert.deepEqual(Responses[0].map((one) => one?.number), [1, 2, 3, undefined]);
  await write(keys.slice(0, 2).map((key) => Boat.build(box.BatchDeleteRequest).key(key)));
  const { Items } = await table.build(box.QueryCommand).entities(Boat).query({ partition: "batch" }).send();
  assert.deepEqual(Items.map((one) => one.number), [3]);
});

test("a transaction is done whole, or cancelled with its reasons", async () => {
  const old = { name: "old", year: 1 }, fresh = { name: "new", year: 1 };
  for (const one of [{ ...old, boats: 1 }, fresh]) {
    await Owner.build(box.PutItemCommand).item(one).send();
  }
  await put({ owner: "old", number: 100 });
  const parts = () => [
    Owner.build(box.UpdateTransaction).item({ ...old, boats: $add(-1) })
      .options({ condition: { attr: "boats", gte: 1 }, returnValuesOnConditionFalse: "ALL_OLD" }),
    Owner.build(box.UpdateTransaction).item({ ...fresh, boats: $add(1) }),
    Boat.build(box.DeleteTransaction).key({ owner: "old", number: 100 }),
    Boat.build(box.PutTransaction).item({ owner: "new", number: 100 }),
    Owner.build(box.ConditionCheck).key({ name: "ghost", year: 1 }).condition({ attr: "name", exists: false }),
  ];
  const done = await box.executeTransactWrite({ clientRequestToken: "move-1", capacity: "TOTAL" }, ...parts());
  // Two units for each of four writes and for the check.
  assert.deepEqual(done.ConsumedCapacity.map((part) => [part.TableName, part.CapacityUnits]), [["toolbox", 10]]);
  await box.executeTransactWrite({ clientRequestToken: "move-1" }, ...parts());
  const again = parts();
  await assert.rejects(box.executeTransactWrite({ clientRequestToken: "move-2" }, ...again), (error) => {
    assert.ok(box.isTransactionCancelled(error, ...again));
    assert.deepEqual(error.CancellationReasons.map((reason) => [reason.Code, reason.Message]),
      [["ConditionalCheckFailed", failed.message], ...Array(4).fill(["None", undefined])]);
    assert.deepEqual(error.CancellationReasons[0].Item.boats, { N: "0" });
    return true;
  });
  const { Responses } = await box.executeTransactGet(
    Owner.build(box.GetTransaction).key(old), Owner.build(box.GetTransaction).key(fresh),
    Boat.build(box.GetTransaction).key({ owner: "new", number: 100 }),
    Boat.build(box.GetTransaction).key({ owner: "old", number: 100 }));
  assert.deepEqual(Responses.map(({ Item }) => Item && (Item.boats ?? Item.number)), [0, 1, 100, undefined]);
});
