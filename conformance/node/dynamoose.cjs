// Dynamoose against the server at HOLDFAST_ENDPOINT: its table is made by the library, with indexes of both kinds.
"use strict";

const assert = require("node:assert/strict");
const { test, before, after } = require("node:test");
const dynamoose = require("dynamoose");

const BOATS = 60;
const HARBOURS = ["Kiel", "Oban"];
const numbers = (of) => Array.from({ length: BOATS }, (_, number) => number).filter(of);

dynamoose.aws.ddb.set(new dynamoose.aws.ddb.DynamoDB({
  endpoint: process.env.HOLDFAST_ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
}));

const Boat = dynamoose.model("Boat", new dynamoose.Schema({
  owner: { type: String, hashKey: true },
  number: {
    type: Number, rangeKey: true,
    index: { name: "by-number", type: "global", project: ["length"] },
  },
  length: { type: Number, index: { name: "by-length", type: "local" } },
  harbour: { type: String, index: { name: "by-harbour", type: "global", rangeKey: "number" } },
  crew: { type: Array, schema: [String] },
  flags: { type: Set, schema: [String] },
  engine: { type: Object, schema: { maker: String, hours: Number } },
  launched: Date,
  seal: Buffer,
}));
const Owner = dynamoose.model("Owner", new dynamoose.Schema({ name: { type: String, hashKey: true }, boats: Number }));
const options = { throughput: "ON_DEMAND", waitForActive: { enabled: true, check: { timeout: 20000, frequency: 50 } } };
const boats = new dynamoose.Table("dynamoose-boats", [Boat], { ...options, initialize: false });
const owners = new dynamoose.Table("dynamoose-owners", [Owner], { ...options, initialize: false });

const boat = (number) => ({
  owner: `owner-${number % 4}`, number, length: 5 + (number % 7) / 2,
  ...(number % 3 ? { harbour: HARBOURS[number % 2] } : {}),
});
const plain = (item) => JSON.parse(JSON.stringify(item));
const failed = { name: "ConditionalCheckFailedException", message: "The conditional request failed" };

before(async () => {
  await boats.initialize();
  await owners.initialize();
  for (let start = 0; start < BOATS; start += 25) {
    const batch = numbers((number) => number >= start && number < start + 25).map(boat);
    assert.deepEqual(await Boat.batchPut(batch), { unprocessedItems: [] });
  }
});

after(() => dynamoose.aws.ddb().destroy());

test("the table has the indexes of the schema", async () => {
  const { Table } = await dynamoose.aws.ddb().describeTable({ TableName: "dynamoose-boats" });
  assert.deepEqual(Table.GlobalSecondaryIndexes.map((index) => index.IndexName).sort(), ["by-harbour", "by-number"]);
  assert.deepEqual(Table.LocalSecondaryIndexes.map((index) => index.IndexName), ["by-length"]);
  assert.deepEqual([Table.TableStatus, Table.BillingModeSummary.BillingMode], ["ACTIVE", "PAY_PER_REQUEST"]);
});

test("a boat is created once, and read with all its types", async () => {
  const one = {
    owner: "create", number: 1, length: 7.25, harbour: "Riga", crew: ["Ann", "Bo"], flags: new Set(["DE", "SE"]),
    engine: { maker: "Bukh", hours: 3 }, launched: new Date(1760000000000), seal: Buffer.from([0, 255]),
  };
  await Boat.create(one);
  const read = await Boat.get({ owner: "create", number: 1 }, { consistent: true });
  for (const name of Object.keys(one)) {
    assert.deepEqual(read[name], one[name], name);
  }
  await assert.rejects(Boat.create(one), failed);
  await Boat.create({ owner: "create", number: 1 }, { overwrite: true });
  assert.deepEqual(plain(await Boat.get({ owner: "create", number: 1 })), { owner: "create", number: 1 });
  assert.equal(await Boat.get({ owner: "create", number: 2 }), undefined);
  const part = await Boat.get({ owner: "owner-1", number: 5 }, { attributes: ["length"] });
  assert.deepEqual(plain(part), { length: 7.5 });
});

test("an update sets, adds, appends, removes and answers with the item after", async () => {
  const Key = { owner: "update", number: 1 };
  await Boat.create({
    ...Key, length: 6, harbour: "Riga", crew: ["Ann"], flags: new Set(["DE"]), engine: { maker: "Bukh", hours: 3 },
  });
  const updated = await Boat.update(Key, {
    $SET: { engine: { maker: "Volvo", hours: 0 } }, $ADD: { length: 1.5, crew: "Bo", flags: new Set(["SE"]) },
    $REMOVE: ["harbour"],
  });
  const wanted = {
    ...Key, length: 7.5, crew: ["Ann", "Bo"], flags: new Set(["DE", "SE"]), engine: { maker: "Volvo", hours: 0 },
  };
  for (const name of Object.keys(wanted)) {
    assert.deepEqual(updated[name], wanted[name], name);
  }
  assert.equal(updated.harbour, undefined);
  assert.deepEqual((await Boat.update(Key, { $DELETE: { flags: new Set(["DE"]) } })).flags, new Set(["SE"]));
  const item = await Boat.get(Key);
  item.crew.push("Cid");
  await item.save();
  assert.deepEqual((await Boat.get(Key)).crew, ["Ann", "Bo", "Cid"]);
});

test("conditions hold or refuse", async () => {
  const Key = { owner: "condition", number: 1 };
  await Boat.create({ ...Key, length: 6, harbour: "Riga" });
  const is = (name) => new dynamoose.Condition().where(name);
  await Boat.update(Key, { length: 8 }, { condition: is("length").lt(7).and().where("harbour").beginsWith("Ri") });
  await assert.rejects(Boat.update(Key, { length: 9 }, { condition: is("length").between(1, 7) }), failed);
  await assert.rejects(Boat.update(Key, { length: 9 }, { condition: is("harbour").in(["Oban", "Kiel"]) }), failed);
  await assert.rejects(Boat.delete(Key, { condition: is("harbour").not().exists() }), failed);
  assert.equal((await Boat.get(Key)).length, 8);
  await Boat.delete(Key, { condition: is("harbour").contains("ig") });
  assert.equal(await Boat.get(Key), undefined);
});

test("an index is queried with a filter, page by page", async () => {
  const found = [];
  let startAt, pages = 0;
  do {
    let query = Boat.query("harbour").eq("Oban").where("number").ge(10).filter("length").gt(6).filter("owner").eq("owner-1")
      .sort("descending").limit(7);
    query = startAt ? query.startAt(startAt) : query;
    const page = await query.exec();
    found.push(...page.map((item) => item.number));
    startAt = page.lastKey;
    pages += 1;
  } while (startAt);
  const oban = (number) => number % 3 && number % 2 && number >= 10;
  assert.deepEqual(found, numbers((n) => oban(n) && boat(n).length > 6 && n % 4 === 1).reverse());
  assert.equal(pages, Math.floor(numbers(oban).length / 7) + 1);
});

test("both kinds of index, all pages, parts and counts", async () => {
  const local = await Boat.query("owner").eq("owner-2").where("length").between(6, 7).using("by-length").exec();
  assert.deepEqual(local.map((item) => item.length),
    numbers((n) => n % 4 === 2).map((n) => boat(n).length).filter((length) => length >= 6 && length <= 7).sort((a, b) => a - b));
  const some = await Boat.query("number").eq(7).using("by-number").exec();
  assert.deepEqual(plain(some), [{ owner: "owner-3", number: 7, length: 5 }]);
  const all = await Boat.query("harbour").eq("Kiel").limit(3).all().attributes(["number"]).exec();
  assert.deepEqual(plain(all), numbers((n) => n % 3 && n % 2 === 0).map((number) => ({ number })));
  const count = await Boat.query("harbour").eq("Kiel").count().exec();
  assert.equal(count.count, 20);
});

test("scans filter, count and split", async () => {
  const ashore = await Boat.scan("harbour").not().exists().and().where("owner").beginsWith("owner-").filter("number").lt(20)
    .limit(7).all().exec();
  assert.deepEqual(ashore.map((item) => item.number).sort((a, b) => a - b), numbers((n) => n % 3 === 0 && n < 20));
  const either = await Boat.scan("owner").eq("owner-0").and()
    .parenthesis((part) => part.where("number").eq(4).or().where("number").eq(8)).exec();
  assert.deepEqual(either.map((item) => item.number).sort(), [4, 8]);
  const count = await Boat.scan("owner").beginsWith("owner-").count().exec();
  assert.equal(count.count, BOATS);
  const parts = await Boat.scan("owner").beginsWith("owner-").parallel(3).all().exec();
  assert.deepEqual(parts.map((item) => item.number).sort((a, b) => a - b), numbers(() => true));
});

test("batches", async () => {
  const keys = [1, 2, 3].map((number) => ({ owner: "batch", number }));
  await Boat.batchPut(keys.map((key) => ({ ...key, length: key.number })));
  const read = await Boat.batchGet([...keys, { owner: "batch", number: 4 }]);
  assert.deepEqual(plain(read).map((item) => item.length), [1, 2, 3]);
  assert.deepEqual(await Boat.batchDelete(keys.slice(0, 2)), { unprocessedItems: [] });
  assert.deepEqual(plain(await Boat.query("owner").eq("batch").exec()), [{ owner: "batch", number: 3, length: 3 }]);
});

test("a transaction is done whole, or cancelled with its reasons", async () => {
  await Owner.batchPut([{ name: "old", boats: 1 }, { name: "new", boats: 0 }]);
  await Boat.create({ owner: "old", number: 1, length: 5 });
  const holds = new dynamoose.Condition().where("boats").ge(1);
  const move = () => dynamoose.transaction([
    Owner.transaction.update({ name: "old" }, { $ADD: { boats: -1 } }, { condition: holds }),
    Owner.transaction.update({ name: "new" }, { $ADD: { boats: 1 } }),
    Boat.transaction.delete({ owner: "old", number: 1 }),
    Boat.transaction.create({ owner: "new", number: 1, length: 5 }, { overwrite: true }),
    Owner.transaction.condition({ name: "ghost" }, new dynamoose.Condition().where("name").not().exists()),
  ]);
  await move();
  await assert.rejects(move(), (error) => {
    assert.equal(error.name, "TransactionCanceledException");
    assert.equal(error.message, "Transaction cancelled, please refer cancellation reasons for specific reasons "
      + "[ConditionalCheckFailed, None, None, None, None]");
    assert.deepEqual(error.CancellationReasons.map((reason) => [reason.Code, reason.Message]),
      [["ConditionalCheckFailed", failed.message], ...Array(4).fill(["None", undefined])]);
    return true;
  });
  const read = await dynamoose.transaction([
    Owner.transaction.get("old"), Owner.transaction.get("new"), Boat.transaction.get({ owner: "new", number: 1 }),
  ]);
  assert.deepEqual(plain(read), [{ name: "old", boats: 0 }, { name: "new", boats: 1 }, { owner: "new", number: 1, length: 5 }]);
});
