"""Tests of live sessions: alone, many at once, and moved between threads."""

import threading

import numpy

import alterrec
from alterrec import LiveSession
from test_alterrec import ITEMS, Case, Shop


def of_batch(recommender, items, k):
    """What a batch of the one session gives."""
    found, scores = recommender.top_k(alterrec.Batch([items]), k)
    return found[0], scores[0]


class TestLiveSession(Case):
    def setUp(self):
        super().setUp()
        self.model = Shop().model
        self.recommender = alterrec.Recommender(self.model)

    def same(self, one, other):
        for given, expected in zip(one, other):
            numpy.testing.assert_array_equal(given, expected)

    def test_items_come_one_by_one(self):
        live = LiveSession(self.recommender)
        self.assertEqual((len(live), live.items.tolist()), (0, []))
        with self.assertRaisesRegex(alterrec.AlterrecError, "has no item"):
            live.top_k(3)
        for index in range(10):  # past max_len, too
            live.push(index * 7 % ITEMS)
            self.same(live.top_k(5), of_batch(self.recommender, live.items, 5))
        self.assertEqual((len(live), live.items[3]), (10, 21))
        with self.assertRaisesRegex(alterrec.AlterrecError, r"item 30 is outside 0\.\.29"):
            live.push(ITEMS)
        self.assertEqual(len(live), 10)
        items, scores = live.top_k(5)
        self.assertTrue((live.score(items) == scores).all())
        for k in (-1, 0, ITEMS + 1, 1 << 40):
            with self.refused("INVALID_ARGUMENT"):
                live.top_k(k)

    def test_what_is_left_out(self):
        live = LiveSession(self.recommender)
        live.push(3)
        whole = live.top_k(4)
        live.exclude_own()
        before, _ = live.top_k(4)
        live.exclude(before[:1])
        live.exclude(before[2])
        live.exclude([])
        with self.refused("INVALID_ARGUMENT"):
            live.exclude([-1])
        self.assertEqual(live.top_k(2)[0].tolist(), [before[1], before[3]])
        self.assertEqual((live.top_k(ITEMS)[0] >= 0).sum(), ITEMS - 3)
        allowed = alterrec.Filter(ITEMS)
        allowed.allow_only([5, 6])
        items, scores = found = live.top_k(3, filter=allowed, threads=1)
        self.assertEqual((items[2], scores[2], found.met["guaranteed"]), (-1, -numpy.inf, 1))
        live.reset()
        self.assertEqual(len(live), 0)
        live.push(3)
        self.assertNotIn(3, live.top_k(ITEMS).items)
        live.exclude_own(False)
        self.same(live.top_k(4), whole)

    def test_what_c_would_cut_is_refused(self):
        live = LiveSession(self.recommender)
        for wrong, kind in ((2 ** 40, OverflowError), (-2 ** 31 - 1, OverflowError),
                            (1.0, TypeError), ("1", TypeError), (None, TypeError)):
            self.assertRaises(kind, live.push, wrong)
            self.assertRaises(kind, LiveSession.push_many, [live], [1], wrong)
        self.assertRaises(OverflowError, LiveSession.push_many, [live], [2 ** 32])
        self.assertRaises(TypeError, live.exclude, [1.0])
        live.push(numpy.int64(3))
        for k, kind in ((2.0, TypeError), (2 ** 63, OverflowError)):
            self.assertRaises(kind, live.top_k, k)
        for name in ("threads", "candidates"):
            self.assertRaises(OverflowError, live.top_k, 2, **{name: 2 ** 64})
            self.assertRaises(TypeError, live.top_k, 2, **{name: 0.5})
        self.assertRaises(OverflowError, live.score, [2 ** 32 + 1])
        self.assertEqual(live.items.tolist(), [3])

    def test_many_at_once(self):
        visitors = [LiveSession(self.recommender) for _ in range(6)]
        LiveSession.push_many(visitors, range(6))
        LiveSession.push_many(visitors, numpy.arange(10, 16), threads=2)
        LiveSession.push_many(visitors[4:], [24, 25], threads=1)
        lists = LiveSession.top_k_many(visitors, 4)
        for visitor, *row in zip(visitors, *lists):
            self.assertEqual(row[0].tolist(),
                             of_batch(self.recommender, visitor.items, 4)[0].tolist())
        self.assertEqual([len(visitor) for visitor in visitors], [2, 2, 2, 2, 3, 3])

        # All are added or none.
        with self.refused("INVALID_ARGUMENT"):
            LiveSession.push_many(visitors, [0, 1, 2, 3, 4, -5])
        with self.assertRaises(ValueError):
            LiveSession.push_many(visitors, [0, 1])
        with self.assertRaisesRegex(alterrec.AlterrecError, "comes twice"):
            LiveSession.push_many([visitors[1], visitors[1]], [0, 1])
        self.same(LiveSession.top_k_many(visitors, 4), lists)
        stranger = LiveSession(alterrec.Recommender(self.model))
        stranger.push(1)
        with self.refused("MISMATCH"):
            LiveSession.top_k_many([visitors[0], stranger], 4)
        with self.refused("INVALID_ARGUMENT"):
            LiveSession.top_k_many([], 4)
        with self.refused("INVALID_ARGUMENT"):
            LiveSession.push_many([], [])

    def test_bytes_and_back(self):
        first, second = LiveSession(self.recommender), LiveSession(self.recommender)
        for item in (4, 9, 1):
            first.push(item)
        first.exclude([17])
        first.exclude_own()
        data = first.serialize()
        self.assertEqual(len(data), 48 + 4 * 4)
        second.push(29)
        second.restore(data)
        self.assertEqual(second.items.tolist(), [4, 9, 1])
        broken = bytearray(data)
        broken[50] ^= 1
        for wrong in (broken, data[:-1], b"no session", b""):
            with self.refused("PARSE"):
                second.restore(wrong)
        self.same(second.top_k(6), first.top_k(6))  # as it was

    def test_use_after_close(self):
        with LiveSession(self.recommender) as live:
            live.push(1)
        live.close()
        self.assertEqual((len(live), live.items.tolist()), (0, []))
        live.reset()
        for call in (lambda: live.push(1), lambda: live.top_k(1), live.serialize,
                     lambda: live.score([1]), lambda: live.exclude([1]), live.exclude_own,
                     lambda: LiveSession.push_many([live], [1]),
                     lambda: LiveSession.top_k_many([live], 1)):
            with self.refused("INVALID_ARGUMENT"):
                call()
        self.recommender.close()
        with self.refused("INVALID_ARGUMENT"):
            LiveSession(self.recommender)

    def test_it_keeps_its_recommender(self):
        """A fusion comes with a call, and what it raises comes out of that."""
        live = LiveSession(self.recommender)
        self.recommender.close()
        live.push(3)
        self.assertEqual(live.top_k(ITEMS)[0].size, ITEMS)
        calls = []

        def fusion(of_id, _):
            calls.append(of_id.shape)
            if len(calls) == 2:
                raise KeyError("own")
            return of_id
        batch = alterrec.Batch([[3]])
        by_id = numpy.argsort(-self.model.score(alterrec.ID, batch)[0], kind="stable")
        self.assertEqual(live.top_k(5, fusion=fusion).items.tolist(), by_id[:5].tolist())
        with self.assertRaises(KeyError):
            LiveSession.top_k_many([live], 2, fusion=fusion)
        self.assertEqual(calls, [(1, ITEMS)] * 2)

    def test_visitors_on_threads(self):
        """Each has a thread, then another one; the recommender is everybody's."""
        visitors = [LiveSession(self.recommender) for _ in range(4)]
        wrong = []

        def work(number):
            for item in range(ITEMS):
                live = visitors[number]
                live.push((item * 11 + number) % ITEMS)
                items, _ = live.top_k(5)
                if (items != of_batch(self.recommender, live.items, 5)[0]).any():
                    wrong.append(live.items)
        for _ in range(2):
            threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(visitors[3]), 2 * ITEMS)
