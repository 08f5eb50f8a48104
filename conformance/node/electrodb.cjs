// ElectroDB against the server at HOLDFAST_ENDPOINT: two entities in one table, as it writes them.
"use strict";

const assert = require("node:assert/strict");
const { test, before, after } = require("node:test");
const sdk = require("@aws-sdk/client-dynamodb");
const { Entity, Service } = require("electrodb");

const TABLE = "electrodb";
const BOATS = 60;
const HARBOURS = ["Kiel", "Oban"];
const numbers = (of) => Array.from({ length: BOATS }, (_, number) => number).filter(of);

const client = new sdk.DynamoDBClient({
  endpoint: process.env.HOLDFAST_ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
});
const on = { client, table: TABLE };

const Boat = new Entity({
  model: { entity: "boat", service: "marina", version: "1" },
  attributes: {
    owner: { type: "string", required: true },
    number: { type: "number", required: true, padding: { length: 4, char: "0" } },
    length: { type: "number" },
    harbour: { type: "string", default: "none" },
    crew: { type: "list", items: { type: "string" } },
    flags: { type: "set", items: "string" },
    engine: { type: "map", properties: { maker: { type: "string" }, hours: { type: "number" } } },
    notes: { type: "any" },
    afloat: { type: "boolean", default: true },
  },
  indexes: {
    byOwner: { pk: { field: "pk", composite: ["owner"] }, sk: { field: "sk", composite: ["number"] } },
    byHarbour: {
      index: "gsi1", pk: { field: "gsi1pk", composite: ["harbour"] }, sk: { field: "gsi1sk", composite: ["number"] },
    },
    crewed: {
      index: "gsi2", collection: "household", pk: { field: "gsi2pk", composite: ["owner"] },
      sk: { field: "gsi2sk", composite: ["number"] },
    },
  },
}, on);

const Owner = new Entity({
  model: { entity: "owner", service: "marina", version: "1" },
  attributes: {
    owner: { type: "string", required: true }, town: { type: "string" }, boats: { type: "number", default: 0 },
  },
  indexes: {
    byName: { pk: { field: "pk", composite: ["owner"] }, sk: { field: "sk", composite: [] } },
    household: {
      index: "gsi2", collection: "household", pk: { field: "gsi2pk", composite: ["owner"] },
      sk: { field: "gsi2sk", composite: [] },
    },
  },
}, on);

const marina = new Service({ boat: Boat, owner: Owner });

const boat = (number) => ({
  owner: `owner-${number % 4}`, number, length: 5 + (number % 7) / 2, afloat: true,
  harbour: number % 3 ? HARBOURS[number % 2] : "none",
});

/** ElectroDB wraps what the SDK throws; the words and the class stay in it. */
const refused = (name, message) => (error) => {
  assert.equal(error.cause?.name, name);
  assert.equal(error.cause.message, message);
  return true;
};
const failed = refused("ConditionalCheckFailedException", "The conditional request failed");

before(async () => {
  const names = ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"];
  const key = (prefix) => [["HASH", "pk"], ["RANGE", "sk"]].map(([KeyType, name]) => ({ AttributeName: prefix + name, KeyType }));
  await client.send(new sdk.CreateTableCommand({
    TableName: TABLE, BillingMode: "PAY_PER_REQUEST", KeySchema: key(""),
    AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    GlobalSecondaryIndexes: ["gsi1", "gsi2"].map((IndexName) => ({
      IndexName, KeySchema: key(IndexName), Projection: { ProjectionType: "ALL" },
    })),
  }));
  await sdk.waitUntilTableExists({ client, minDelay: 1, maxDelay: 2, maxWaitTime: 20 }, { TableName: TABLE });
  const { unprocessed } = await Boat.put(numbers(() => true).map(boat)).go({ concurrency: 2 });
  assert.deepEqual(unprocessed, []);
});

after(() => client.destroy());

test("a boat is created once, and read with all its types", async () => {
  const one = {
    owner: "create", number: 1, length: 7.25, harbour: "Riga", crew: ["Ann", "Bo"], flags: ["DE", "SE"],
    engine: { maker: "Bukh", hours: 3 }, notes: { deep: [1, null, { x: true }] }, afloat: false,
  };
  assert.deepEqual((await Boat.create(one).go()).data, one);
  assert.deepEqual((await Boat.get({ owner: "create", number: 1 }).go({ consistent: true })).data, one);
  await assert.rejects(Boat.create(one).go(), failed);
  assert.equal((await Boat.get({ owner: "create", number: 2 }).go()).data, null);
  const part = await Boat.get({ owner: "create", number: 1 }).go({ attributes: ["length", "crew"] });
  assert.deepEqual(part.data, { length: 7.25, crew: ["Ann", "Bo"] });
  const { Item } = await client.send(new sdk.GetItemCommand({
    TableName: TABLE, Key: { pk: { S: "$marina#owner_create" }, sk: { S: "$boat_1#number_0001" } },
  }));
  assert.deepEqual([Item.__edb_e__, Item.gsi1pk], [{ S: "boat" }, { S: "$marina#harbour_riga" }]);
});

test("an update sets, adds, subtracts, appends, deletes and removes", async () => {
  const Key = { owner: "update", number: 1 };
  await Boat.create({ ...Key, length: 6, crew: ["Ann"], flags: ["DE"], engine: { maker: "Bukh", hours: 3 } }).go();
  const { data } = await Boat.update(Key).set({ harbour: "Riga" }).add({ flags: ["SE"] }).append({ crew: ["Bo"] })
    .data(({ length, engine }, { subtract, set, ifNotExists }) => {
      subtract(length, 1);
      set(engine.hours, 4);
      ifNotExists(engine.maker, "nobody");
    }).go({ response: "all_new" });
  assert.deepEqual(data, {
    ...Key, length: 5, harbour: "Riga", afloat: true, crew: ["Ann", "Bo"], flags: ["DE", "SE"],
    engine: { maker: "Bukh", hours: 4 },
  });
  const next = await Boat.patch(Key).delete({ flags: ["DE"] }).remove(["length"])
    .data(({ crew }, { remove }) => remove(crew[0])).go({ response: "all_new" });
  assert.deepEqual([next.data.flags, next.data.length, next.data.crew], [["SE"], undefined, ["Bo"]]);
  const old = await Boat.patch(Key).set({ afloat: false }).go({ response: "updated_old" });
  assert.equal(old.data.afloat, true);
  await assert.rejects(Boat.patch({ owner: "update", number: 2 }).set({ afloat: false }).go(), failed);
  const upserted = await Boat.upsert({ owner: "update", number: 2, harbour: "Oban" }).add({ length: 1 })
    .go({ response: "all_new" });
  assert.deepEqual([upserted.data.length, upserted.data.harbour], [1, "Oban"]);
});

test("conditions hold or refuse", async () => {
  const Key = { owner: "condition", number: 1 };
  await Boat.create({ ...Key, length: 6, crew: ["Ann"], engine: { maker: "Bukh", hours: 3 } }).go();
  const set = (length) => Boat.patch(Key).set({ length });
  await set(7).where(({ length, harbour }, { between, begins }) => `${between(length, 5, 6)} AND ${begins(harbour, "no")}`).go();
  await assert.rejects(set(8).where(({ length }, { lt }) => lt(length, 7)).go(), failed);
  await assert.rejects(set(8).where(({ engine }, { exists }) => `NOT ${exists(engine.hours)}`).go(), failed);
  await set(8).where(({ crew, engine }, { contains, eq, size }) =>
    `${contains(crew, "Ann")} AND (${eq(engine.maker, "Bukh")} OR ${size(crew)} > ${size(crew)})`).go();
  await assert.rejects(Boat.remove(Key).where(({ harbour }, { ne }) => ne(harbour, "none")).go(), failed);
  const gone = await Boat.remove(Key).go({ response: "all_old" });
  assert.equal(gone.data.length, 8);
});

test("an index is queried with a filter, page by page", async () => {
  const found = [];
  let cursor = null, pages = 0;
  do {
    const page = await Boat.query.byHarbour({ harbour: "Oban" }).gte({ number: 10 })
      .where(({ length, owner }, { gt, eq }) => `${gt(length, 6)} AND ${eq(owner, "owner-1")}`)
      .go({ cursor, limit: 7, order: "desc" });
    found.push(...page.data.map((item) => item.number));
    cursor = page.cursor;
    pages += 1;
  } while (cursor !== null);
  const oban = (number) => number % 3 && number % 2 && number >= 10;
  assert.deepEqual(found, numbers((n) => oban(n) && boat(n).length > 6 && n % 4 === 1).reverse());
  assert.equal(pages, Math.floor(numbers(oban).length / 7) + 1);
});

test("queries between, of all pages, and of a collection", async () => {
  const between = await Boat.query.byOwner({ owner: "owner-3" }).between({ number: 10 }, { number: 30 }).go({ pages: "all" });
  assert.deepEqual(between.data, numbers((n) => n % 4 === 3 && n >= 10 && n <= 30).map(boat));
  await Owner.put({ owner: "owner-2", town: "Kiel" }).go();
  const { data } = await marina.collections.household({ owner: "owner-2" }).go({ pages: "all" });
  assert.deepEqual(data.owner, [{ owner: "owner-2", town: "Kiel", boats: 0 }]);
  assert.deepEqual(data.boat, numbers((n) => n % 4 === 2).map(boat));
});

test("a scan finds one entity among the others", async () => {
  await Owner.put({ owner: "scanned" }).go();
  const { data } = await Boat.scan
    .where(({ owner, length }, { begins, lte }) => `${begins(owner, "owner-")} AND ${lte(length, 5.5)}`).go({ pages: "all" });
  assert.deepEqual(data.map((item) => item.number).sort((a, b) => a - b), numbers((n) => boat(n).length <= 5.5));
});

test("batches", async () => {
  const keys = [1, 2, 3].map((number) => ({ owner: "batch", number }));
  await Boat.put(keys).go();
  const read = await Boat.get([...keys, { owner: "batch", number: 4 }]).go({ preserveBatchOrder: true });
  assert.deepEqual([read.data.map((item) => item && item.number), read.unprocessed], [[1, 2, 3, null], []]);
  assert.deepEqual((await Boat.delete(keys.slice(0, 2)).go()).unprocessed, []);
  assert.deepEqual((await Boat.query.byOwner({ owner: "batch" }).go()).data.map((item) => item.number), [3]);
});

test("a transaction is done whole, or cancelled with its reasons", async () => {
  await Owner.put([{ owner: "old", boats: 1 }, { owner: "new" }]).go();
  await Boat.create({ owner: "old", number: 1, length: 5 }).go();
  const move = (token) => marina.transaction.write(({ boat: boats, owner: owners }) => [
    owners.patch({ owner: "old" }).subtract({ boats: 1 }).where(({ boats: count }, { gte }) => gte(count, 1))
      .commit({ response: "all_old" }),
    owners.patch({ owner: "new" }).add({ boats: 1 }).commit(),
    boats.delete({ owner: "old", number: 1 }).commit(),
    boats.put({ owner: "new", number: 1, length: 5 }).commit(),
    owners.check({ owner: "ghost" }).where(({ owner }, { notExists }) => notExists(owner)).commit(),
  ]).go({ token });
  const done = await move("move-1");
  assert.equal(done.canceled, false);
  // The same token again: nothing is done, and nothing refused.
  assert.equal((await move("move-1")).canceled, false);
  const cancelled = await move("move-2");
  assert.equal(cancelled.canceled, true);
  assert.deepEqual(cancelled.data.map(({ rejected, code }) => [rejected, code]),
    [[true, "ConditionalCheckFailed"], ...Array(4).fill([false, "None"])]);
  assert.deepEqual([cancelled.data[0].message, cancelled.data[0].item.boats], ["The conditional request failed", 0]);
  const read = await marina.transaction.get(({ boat: boats, owner: owners }) => [
    owners.get({ owner: "old" }).commit(), owners.get({ owner: "new" }).commit(), boats.get({ owner: "new", number: 1 }).commit(),
    boats.get({ owner: "old", number: 1 }).commit(),
  ]).go();
  assert.deepEqual(read.data.map(({ item }) => item && (item.boats ?? item.length)), [0, 1, 5, null]);
});
