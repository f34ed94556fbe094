//! Trains by a schedule of its own, then serves visitors from threads.
//!
//!     cargo run --example train_and_serve
//!
//! The catalog and its visits are made up: who looks at an item of a shelf looks next at the one to
//! its right.
use alterrec::{sys, Catalog, Config, LiveSession, Model, Recommender, Search, Sessions, Trainer};

const SHELVES: i32 = 12;
const PLACES: i32 = 10;
const ITEMS: i32 = SHELVES * PLACES;

fn make_visits(catalog: &Catalog, count: i32, start: i32) -> alterrec::Result<Sessions> {
    let right = |item: i32| item / PLACES * PLACES + (item + 1) % PLACES;
    let visits: Vec<Vec<i32>> = (0..count)
        .map(|s| {
            let first = (start + s * 7) % ITEMS;
            std::iter::successors(Some(first), |&item| Some(right(item))).take(4).collect()
        })
        .collect();
    Sessions::from_lists(catalog, &visits)
}

fn train() -> alterrec::Result<Recommender> {
    let config = Config::from_text(
        "model: {dim: 32, blocks: 1, dropout: 0}\n\
         train: {epochs: 6, batch_size: 64, valid_k: 1}\n\
         optimizer: {learning_rate: 0.01, decay: none}\n\
         compute: {threads: 1}\n",
    )?;
    let keys: Vec<String> = (0..ITEMS).map(|i| format!("item{i}")).collect();
    let texts: Vec<String> =
        (0..ITEMS).map(|i| format!("shelf{} place{}", i / PLACES, i % PLACES)).collect();
    let mut catalog = Catalog::with_texts(&keys, &texts)?;
    catalog.hash_features(Some(&config))?;
    let visits = make_visits(&catalog, 600, 0)?;
    let later_visits = make_visits(&catalog, 100, 3)?;
    let mut model = Model::new(&catalog, Some(&config))?;

    let mut trainer = Trainer::new(&mut model, &visits, Some(&later_visits), None)?;
    // The tower that is behind has its turn, against all other items.
    trainer.on_schedule(|plan, last| {
        let [_, id, text] = last.map_or([0.0; 3], |last| last.valid_metric);
        plan.tower = if text < id { sys::ALTERREC_TEXT } else { sys::ALTERREC_ID };
        plan.negatives = sys::ALTERREC_NEGATIVES_FULL;
    })?;
    trainer.on_progress(|progress| {
        if let Some(report) = progress.report() {
            let tower = if report.tower == sys::ALTERREC_ID { "ID" } else { "text" };
            let [_, id, text] = report.valid_metric;
            println!(
                "epoch {:2}  {tower:4}  loss {:5.2}  Hits@1: ID {id:.2}, text {text:.2}",
                report.epoch + 1,
                report.loss
            );
        }
    })?;
    trainer.run()?;
    Recommender::new(trainer.model(), None)
}

/// A visitor who goes three times to what is recommended, but never back.
fn follow(mut visitor: LiveSession) -> alterrec::Result<LiveSession> {
    visitor.exclude_own(true)?;
    for _ in 0..3 {
        let best = visitor.top_k(1, &Search::default())?;
        visitor.push(best.items[0])?;
    }
    Ok(visitor)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // All that serving needs; the handles of the training are gone.
    let recommender = train()?;
    let mut visitors = Vec::new();
    for _ in 0..4 {
        visitors.push(LiveSession::new(&recommender)?);
    }
    LiveSession::push_many(&mut visitors, &[3, 23, 43, 63], 0)?; // they come in together

    let workers: Vec<_> = visitors
        .into_iter()
        .map(|visitor| std::thread::spawn(|| follow(visitor))) // each on a thread of its own
        .collect();
    let mut visitors = Vec::new();
    for worker in workers {
        visitors.push(worker.join().expect("no worker panics")?);
    }

    // Their next lists, in one search.
    let next = LiveSession::top_k_many(&visitors, 1, &Search::default())?;
    let key = |item| recommender.catalog().key(item).unwrap_or("nothing");
    for (visitor, &item) in visitors.iter().zip(&next.items) {
        let seen: Vec<&str> = visitor.items().iter().map(|&item| key(item)).collect();
        println!("{}  and then {}", seen.join("  "), key(item));
    }
    Ok(())
}
