//! Live sessions: alone, many at once, and moved between threads.
use alterrec::{
    Batch, Filter, Fusion, FusionTile, LiveSession, Model, Recommendations, Recommender, Search,
    Status,
};

use std::cell::Cell;

mod shop;

use shop::{shop, Shop, ITEMS};

fn open() -> (Shop, Model, Recommender) {
    let shop = shop();
    assert!(shop.train.count() > shop.valid.count());
    let model = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    let recommender = Recommender::new(&model, None).unwrap();
    (shop, model, recommender)
}

/// What a batch of the one session gives.
fn of_batch(recommender: &Recommender, items: &[i32], k: usize) -> Recommendations {
    let mut batch = Batch::new().unwrap();
    batch.add(items).unwrap();
    recommender.top_k(&mut batch, k, &Search::default()).unwrap()
}

fn best(live: &LiveSession, k: usize) -> Recommendations {
    live.top_k(k, &Search::default()).unwrap()
}

/// The list of one of many sessions, beside that of its own batch.
fn same_list(many: &Recommendations, session: usize, alone: &Recommendations) -> bool {
    many.lists().nth(session).unwrap() == alone.lists().next().unwrap()
}

#[test]
fn items_come_one_by_one() {
    let (_, _, recommender) = open();
    let mut live = LiveSession::new(&recommender).unwrap();
    assert!(live.is_empty() && live.items().is_empty());
    let error = live.top_k(3, &Search::default()).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.to_string().contains("has no item"), "{error}");
    for i in 0..10 {
        live.push(i * 7 % ITEMS).unwrap(); // past max_len, too
        assert_eq!(best(&live, 5), of_batch(&recommender, live.items(), 5));
    }
    assert_eq!((live.len(), live.items()[3]), (10, 21));
    let error = live.push(ITEMS).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.to_string().ends_with("item 30 is outside 0..29"), "{error}");
    assert_eq!(live.len(), 10);

    let (list, exact) = (best(&live, 5), Search::default());
    let (mut fused, mut id, mut text) = ([0.0; 5], [0.0; 5], [0.0; 5]);
    live.score(Some(&mut fused), Some(&mut id), Some(&mut text), &list.items, &exact).unwrap();
    assert_eq!(&fused[..], &list.scores[..]);
    assert_ne!(id, text);
    assert!(live.score(Some(&mut fused), None, None, &[1, 2], &exact).is_err());
    for k in [0, ITEMS as usize + 1, usize::MAX / 8] {
        assert!(live.top_k(k, &Search::default()).is_err());
    }
}

#[test]
fn what_is_left_out() {
    let (_, _, recommender) = open();
    let mut live = LiveSession::new(&recommender).unwrap();
    live.push(3).unwrap();
    let whole = best(&live, 4);
    live.exclude_own(true).unwrap();
    let before = best(&live, 4).items;
    live.exclude(&before[..1]).unwrap();
    live.exclude(&before[2..3]).unwrap();
    live.exclude(&[]).unwrap();
    assert_eq!(live.exclude(&[-1]).unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(best(&live, 2).items, [before[1], before[3]]);
    let all = best(&live, ITEMS as usize);
    assert_eq!(all.lists().next().unwrap().0.len(), ITEMS as usize - 3);
    assert!(!all.items.contains(&3));

    let mut filter = Filter::new(ITEMS.into()).unwrap();
    filter.allow_only(&[5, 6]).unwrap();
    let search = Search { filter: Some(&filter), ..Search::default() };
    let few = live.top_k(3, &search).unwrap();
    assert!(few.items[2] == -1 && few.found.guaranteed == 1);

    live.reset();
    assert!(live.is_empty());
    live.push(3).unwrap();
    assert!(!live.top_k(ITEMS as usize, &Search::default()).unwrap().items.contains(&3));
    live.exclude_own(false).unwrap();
    assert_eq!(best(&live, 4), whole);
}

#[test]
fn many_at_once() {
    let (_, model, recommender) = open();
    let mut visitors: Vec<_> = (0..6).map(|_| LiveSession::new(&recommender).unwrap()).collect();
    LiveSession::push_many(&mut visitors, &[0, 1, 2, 3, 4, 5], 0).unwrap();
    LiveSession::push_many(&mut visitors, &[10, 11, 12, 13, 14, 15], 2).unwrap();
    LiveSession::push_many(visitors.iter_mut().skip(4), &[24, 25], 1).unwrap();
    let search = Search { threads: 1, ..Search::default() };
    let lists = LiveSession::top_k_many(&visitors, 4, &search).unwrap();
    assert_eq!(lists.found.guaranteed, 6);
    for (s, visitor) in visitors.iter().enumerate() {
        assert_eq!(visitor.len(), if s < 4 { 2 } else { 3 });
        assert!(same_list(&lists, s, &of_batch(&recommender, visitor.items(), 4)));
    }

    // All are added or none.
    for items in [&[0, 1, 2, 3, 4, -5][..], &[0, 1], &[]] {
        let error = LiveSession::push_many(&mut visitors, items, 0).unwrap_err();
        assert_eq!(error.status(), Status::InvalidArgument);
    }
    assert_eq!(LiveSession::top_k_many(&visitors, 4, &search).unwrap().items, lists.items);
    assert!(LiveSession::push_many([], &[], 0).is_err());
    assert!(LiveSession::top_k_many([], 4, &search).is_err());
    let mut stranger = LiveSession::new(&Recommender::new(&model, None).unwrap()).unwrap();
    stranger.push(1).unwrap();
    let error = LiveSession::top_k_many([&visitors[0], &stranger], 4, &search).unwrap_err();
    assert_eq!(error.status(), Status::Mismatch);
}

#[test]
fn bytes_and_back() {
    let (_, _, recommender) = open();
    let mut first = LiveSession::new(&recommender).unwrap();
    for item in [4, 9, 1] {
        first.push(item).unwrap();
    }
    first.exclude(&[17]).unwrap();
    first.exclude_own(true).unwrap();
    let mut bytes = first.serialize().unwrap();
    assert_eq!(bytes.len(), 48 + 4 * 4);
    let mut second = LiveSession::new(&recommender).unwrap();
    second.push(29).unwrap();
    second.restore(&bytes).unwrap();
    assert_eq!(second.items(), [4, 9, 1]);
    assert_eq!(best(&second, 6), best(&first, 6));
    bytes[50] ^= 1;
    assert_eq!(second.restore(&bytes).unwrap_err().status(), Status::Parse);
    assert!(second.restore(&[]).is_err());
    assert_eq!(best(&second, 6), best(&first, 6)); // as it was
}

/// A session keeps its recommender; a fusion comes with a call, and its panics come out of that.
#[test]
fn the_recommender_may_go_first() {
    let (_, model, recommender) = open();
    let mut live = LiveSession::new(&recommender).unwrap();
    drop((model, recommender));
    live.push(3).unwrap();
    assert_eq!(live.catalog().items(), i64::from(ITEMS));
    let calls = Cell::new(0);
    let fuses = |tile: &mut FusionTile| {
        for (id, _, fused) in tile.rows() {
            fused.copy_from_slice(id);
        }
        calls.set(calls.get() + 1);
        assert!(calls.get() < 2, "call {}", calls.get());
    };
    let search = Search { fusion: Some(Fusion::new(&fuses)), ..Search::default() };
    let of_id = live.top_k(2, &search).unwrap();
    let mut id = [0.0; 2];
    live.score(None, Some(&mut id), None, &of_id.items, &Search::default()).unwrap();
    assert_eq!(of_id.scores, id);
    let error = LiveSession::top_k_many([&live], 2, &search).unwrap_err();
    assert_eq!((error.status(), error.to_string()), (Status::Panic, "call 2".to_owned()));
}

/// What only reads a session, threads may do at once.
#[test]
fn readers_on_threads() {
    let (_, _, recommender) = open();
    let mut live = LiveSession::new(&recommender).unwrap();
    for item in 0..9 {
        live.push(item * 3).unwrap();
    }
    let expected = of_batch(&recommender, live.items(), 5);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(best(&live, 5), expected)));
        }
    });
}

/// Each visitor has a thread, then another one; the recommender is everybody's.
#[test]
fn visitors_on_threads() {
    let (_, _, recommender) = open();
    let mut visitors: Vec<_> = (0..4).map(|_| LiveSession::new(&recommender).unwrap()).collect();
    for _ in 0..2 {
        let workers: Vec<_> = std::mem::take(&mut visitors)
            .into_iter()
            .enumerate()
            .map(|(w, mut live)| {
                let recommender = recommender.clone();
                std::thread::spawn(move || {
                    for item in 0..ITEMS {
                        live.push((item * 11 + w as i32) % ITEMS).unwrap();
                        assert_eq!(best(&live, 5), of_batch(&recommender, live.items(), 5));
                    }
                    live
                })
            })
            .collect();
        visitors = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    }
    assert_eq!(visitors[3].len(), 2 * ITEMS as usize);
}
