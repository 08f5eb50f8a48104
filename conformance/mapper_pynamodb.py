"""PynamoDB against the real binary: models with versions, lists, maps and sets, indexes, batches and transactions."""

import unittest

from server import Server

try:
    from pynamodb.attributes import (
        BinaryAttribute, BooleanAttribute, ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute,
        UnicodeSetAttribute, VersionAttribute)
    from pynamodb.connection import Connection
    from pynamodb.exceptions import (
        CancellationReason, DeleteError, DoesNotExist, PutError, QueryError, TransactWriteError,
        UpdateError)
    from pynamodb.expressions.operand import Path
    from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
    from pynamodb.models import Model
    from pynamodb.transactions import TransactGet, TransactWrite
except ImportError:
    Model = None

HARBOURS = ("Kiel", "Oban", "Riga")
BOATS = 60
FAILED = "The conditional request failed"


def models(endpoint):
    """The models of one server: a boat, which is changed under versions, and its owner."""

    class Settings:
        host = endpoint
        region = "eu-central-1"
        aws_access_key_id = "test"
        aws_secret_access_key = "test"
        max_retry_attempts = 0
        billing_mode = "PAY_PER_REQUEST"

    class ByHarbour(GlobalSecondaryIndex):
        class Meta:
            index_name = "by-harbour"
            projection = AllProjection()
            billing_mode = "PAY_PER_REQUEST"

        harbour = UnicodeAttribute(hash_key=True)
        length = NumberAttribute(range_key=True)

    class ByLength(LocalSecondaryIndex):
        class Meta:
            index_name = "by-length"
            projection = KeysOnlyProjection()

        owner = UnicodeAttribute(hash_key=True)
        length = NumberAttribute(range_key=True)

    class Engine(MapAttribute):
        maker = UnicodeAttribute()
        hours = NumberAttribute(default=0)

    class Boat(Model):
        class Meta(Settings):
            table_name = "pynamodb-boats"

        owner = UnicodeAttribute(hash_key=True)
        number = NumberAttribute(range_key=True)
        length = NumberAttribute()
        harbour = UnicodeAttribute(null=True)
        afloat = BooleanAttribute(default=True)
        engine = Engine(null=True)
        log = ListAttribute(default=list)
        flags = UnicodeSetAttribute(null=True)
        seal = BinaryAttribute(null=True, legacy_encoding=False)
        version = VersionAttribute()
        by_harbour = ByHarbour()
        by_length = ByLength()

    class Owner(Model):
        class Meta(Settings):
            table_name = "pynamodb-owners"

        name = UnicodeAttribute(hash_key=True)
        boats = NumberAttribute(default=0)

    return Boat, Owner, Engine


def plain(model):
    """What a model holds, with its maps as dictionaries: maps of PynamoDB are not compared by what they hold."""
    return {name: plain(value) if isinstance(value, MapAttribute) else value
            for name, value in model.attribute_values.items()}


@unittest.skipUnless(Model, "there is no PynamoDB: see .ci/run")
class PynamoDB(unittest.TestCase):
    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.remove)
        self.Boat, self.Owner, self.Engine = models(self.server.endpoint)
        for model in (self.Boat, self.Owner):
            self.assertFalse(model.exists())
            model.create_table(wait=True)
            self.assertTrue(model.exists())

    def boat(self, number, **more):
        harbour = {"harbour": HARBOURS[number % 2]} if number % 3 else {}
        return self.Boat(f"owner-{number % 4}", number, length=5 + number % 7 / 2, **harbour | more)

    def fleet(self):
        with self.Boat.batch_write() as batch:
            for number in range(BOATS):
                batch.save(self.boat(number))

    def refused(self, error, code, words, call, *arguments, **more):
        with self.assertRaises(error) as caught:
            call(*arguments, **more)
        self.assertEqual((caught.exception.cause_response_code, caught.exception.cause_response_message), (code, words))
        return caught.exception

    def test_tables_have_their_indexes(self):
        described = self.Boat.describe_table()
        self.assertEqual(described["TableStatus"], "ACTIVE")
        self.assertEqual([index["IndexName"] for index in described["GlobalSecondaryIndexes"]], ["by-harbour"])
        self.assertEqual([index["IndexName"] for index in described["LocalSecondaryIndexes"]], ["by-length"])
        self.Owner.delete_table()
        self.assertFalse(self.Owner.exists())
        self.assertNotIn(self.Owner.Meta.table_name, self.connection().list_tables()["TableNames"])

    def connection(self):
        meta = self.Boat.Meta
        return Connection(host=meta.host, region=meta.region, aws_access_key_id="test", aws_secret_access_key="test",
                          max_retry_attempts=0)

    def test_a_boat_is_saved_and_read(self):
        boat = self.boat(1, engine=self.Engine(maker="Volvo", hours=12), log=["built", 1974, {"by": "Sparkman"}, None],
                         flags={"DE", "SE"}, seal=b"\x00\xff")
        boat.save()
        self.assertEqual(boat.version, 1)
        read = self.Boat.get("owner-1", 1, consistent_read=True)
        self.assertEqual(plain(read), plain(boat))
        self.assertEqual((read.engine.maker, read.engine.hours, read.log[2]["by"]), ("Volvo", 12, "Sparkman"))
        self.assertEqual(self.Boat.get("owner-1", 1, attributes_to_get=["engine.maker", "flags"]).flags, {"DE", "SE"})
        with self.assertRaises(DoesNotExist):
            self.Boat.get("owner-1", 2)

    def test_versions_refuse_who_comes_late(self):
        self.boat(1).save()
        one, two = self.Boat.get("owner-1", 1), self.Boat.get("owner-1", 1)
        one.harbour = "Riga"
        one.save()
        two.harbour = "Oban"
        self.refused(PutError, "ConditionalCheckFailedException", FAILED, two.save)
        self.refused(UpdateError, "ConditionalCheckFailedException", FAILED, two.update, [self.Boat.length.set(9)])
        self.refused(DeleteError, "ConditionalCheckFailedException", FAILED, two.delete)
        self.refused(PutError, "ConditionalCheckFailedException", FAILED, self.boat(1).save)
        two.refresh()
        self.assertEqual((two.harbour, two.version), ("Riga", 2))
        two.delete()
        self.assertEqual(self.Boat.count("owner-1"), 0)

    def test_conditions(self):
        Boat = self.Boat
        self.boat(5, engine=self.Engine(maker="Yanmar"), flags={"DE"}, log=["a", "b"]).save()
        saved = Boat.get("owner-1", 5)
        kept = (
            Boat.length == 7.5, Boat.length.between(7, 8), Boat.length.is_in(1, 7.5), Boat.harbour.startswith("Ob"),
            Boat.flags.contains("DE"), Boat.engine.maker.contains("anma"), Boat.engine.exists(), Boat.seal.does_not_exist(),
            Boat.log[1] == "b", Boat.log[2].does_not_exist(), (Boat.length > 100) | (Boat.length < 8),
            ~(Boat.harbour == "Kiel") & (Boat.harbour != "Riga"))
        for condition in kept:
            with self.subTest(condition=str(condition)):
                saved.save(condition=condition)
                version = saved.version
                self.refused(PutError, "ConditionalCheckFailedException", FAILED, saved.save, condition=~condition)
                saved.version = version

    def test_updates_answer_with_the_item_after(self):
        Boat = self.Boat
        boat = self.boat(5, engine=self.Engine(maker="Yanmar"), flags={"DE"}, log=["built"])
        boat.save()
        boat.update(actions=[
            Boat.length.set(Boat.length + 1), Boat.harbour.remove(), Boat.flags.add({"SE", "FI"}),
            Boat.log.set(Boat.log.append(["sold", "sunk"])), Boat.engine.hours.set(Boat.engine.hours + 7),
            Boat.seal.set(Boat.seal | b"\x01")])
        self.assertEqual((boat.length, boat.harbour, boat.flags, boat.log, boat.seal, boat.version),
                         (8.5, None, {"DE", "SE", "FI"}, ["built", "sold", "sunk"], b"\x01", 2))
        boat.update([Boat.flags.delete({"DE", "SE", "FI"}), Boat.log[1].remove()], condition=Boat.flags.contains("FI"))
        boat.update(actions=[Boat.log.set(Boat.log.prepend(["drawn"])), Boat.engine.set(self.Engine(maker="Bukh", hours=1))])
        self.assertEqual((boat.flags, boat.log, boat.engine.maker, boat.version), (None, ["drawn", "built", "sunk"], "Bukh", 4))
        self.assertEqual(plain(Boat.get("owner-1", 5)), plain(boat))
        self.refused(
            UpdateError, "ValidationException", "The document path provided in the update expression is invalid for update",
            boat.update, [Path("engine.maker.name").set("x")])

    def test_an_index_is_queried_with_a_filter_page_by_page(self):
        self.fleet()
        Boat = self.Boat
        oban = [number for number in range(BOATS) if number % 3 and number % 2]
        wanted = sorted((5 + number % 7 / 2, number) for number in oban if number % 4 == 1 and number % 7 >= 2)
        results = Boat.by_harbour.query(
            "Oban", Boat.length >= 6, filter_condition=Boat.owner == "owner-1", page_size=3, limit=len(wanted))
        self.assertEqual(sorted((boat.length, boat.number) for boat in results), wanted)
        backward = [boat.length for boat in Boat.by_harbour.query("Oban", scan_index_forward=False)]
        self.assertEqual(backward, sorted(backward, reverse=True))
        self.assertEqual((len(backward), Boat.by_harbour.count("Oban")), (len(oban), len(oban)))
        self.assertEqual(Boat.by_harbour.count("Atlantis"), 0)
        lengths = [boat.length for boat in Boat.by_length.query("owner-2", Boat.length.between(6, 7))]
        self.assertEqual(lengths, sorted(5 + number % 7 / 2 for number in range(2, BOATS, 4) if 2 <= number % 7 <= 4))

    def test_a_query_goes_on_where_another_stopped(self):
        self.fleet()
        numbers, start = [], None
        while True:
            page = self.Boat.query("owner-3", self.Boat.number > 10, limit=4, last_evaluated_key=start)
            found = [int(boat.number) for boat in page]
            numbers += found
            start = page.last_evaluated_key
            if not start:
                break
        self.assertEqual(numbers, list(range(11, BOATS, 4)))
        self.refused(QueryError, "ValidationException", "Query condition missed key schema element: length", next,
                     self.Boat.by_harbour.query("Oban", self.Boat.number == 1))

    def test_scans_count_filter_and_split(self):
        self.fleet()
        Boat = self.Boat
        self.assertEqual((Boat.count(), Boat.by_harbour.count("Kiel")), (BOATS, 20))
        ashore = {boat.number for boat in Boat.scan(Boat.harbour.does_not_exist() & (Boat.number < 20), page_size=7)}
        self.assertEqual(ashore, set(range(0, 20, 3)))
        parts = [boat.number for part in range(3) for boat in Boat.scan(segment=part, total_segments=3)]
        self.assertEqual(sorted(parts), list(range(BOATS)))
        names = Boat.scan(attributes_to_get=["number"], limit=5)
        self.assertTrue(all(boat.length is None and boat.number is not None for boat in names))
        self.assertEqual(sum(1 for _ in Boat.by_harbour.scan()), 40)

    def test_batches(self):
        self.fleet()
        keys = [("owner-1", 1), ("owner-2", 2), ("owner-1", 2)]
        self.assertEqual(sorted(boat.number for boat in self.Boat.batch_get(keys, consistent_read=True)), [1, 2])
        with self.Boat.batch_write() as batch:
            for boat in self.Boat.query("owner-0"):
                batch.delete(boat)
        self.assertEqual(self.Boat.count(), BOATS * 3 // 4)

    def test_a_transaction_is_done_whole_or_not_at_all(self):
        Boat, Owner = self.Boat, self.Owner
        Owner("old", boats=1).save()
        Owner("new").save()
        boat = self.boat(1)
        boat.save()
        with TransactWrite(connection=self.connection(), client_request_token="move-1") as transaction:
            transaction.update(Owner("old"), actions=[Owner.boats.add(-1)], condition=Owner.boats >= 1)
            transaction.update(Owner("new"), actions=[Owner.boats.add(1)])
            transaction.update(boat, actions=[Boat.harbour.set("Riga")], condition=Boat.afloat == True)
            transaction.save(Owner("third"), condition=Owner.name.does_not_exist())
        with TransactGet(connection=self.connection()) as transaction:
            old, new = transaction.get(Owner, "old"), transaction.get(Owner, "new")
            moved = transaction.get(Boat, "owner-1", 1)
        self.assertEqual((old.get().boats, new.get().boats, moved.get().harbour, moved.get().version), (0, 1, "Riga", 2))

    def test_a_cancelled_transaction_has_its_reasons(self):
        Boat, Owner = self.Boat, self.Owner
        Owner("old").save()
        boat = self.boat(1)
        boat.save()
        with self.assertRaises(TransactWriteError) as caught:
            with TransactWrite(connection=self.connection()) as transaction:
                transaction.condition_check(Boat, "owner-1", 1, condition=Boat.afloat == True)
                transaction.delete(self.boat(2), condition=Boat.harbour == "Oban")
                transaction.save(Owner("new"))
                transaction.update(Owner("old"), actions=[Owner.boats.add(-1)], condition=Owner.boats >= 1,
                                   return_values="ALL_OLD")
        error = caught.exception
        self.assertEqual(error.cause_response_code, "TransactionCanceledException")
        self.assertEqual(error.cause_response_message, (
            "Transaction cancelled, please refer cancellation reasons for specific reasons "
            "[None, ConditionalCheckFailed, None, ConditionalCheckFailed]"))
        # It sends checks, deletes, puts and updates, in this order.
        self.assertEqual(error.cancellation_reasons, [
            None, CancellationReason("ConditionalCheckFailed", FAILED), None,
            CancellationReason("ConditionalCheckFailed", FAILED, {"name": {"S": "old"}, "boats": {"N": "0"}})])
        self.assertEqual((Owner.count(), Owner.get("old").boats, Boat.count()), (1, 0, 1))
        with TransactGet(connection=self.connection()) as transaction:
            absent = transaction.get(Owner, "absent")
        self.assertRaises(DoesNotExist, absent.get)


if __name__ == "__main__":
    unittest.main(verbosity=2)
