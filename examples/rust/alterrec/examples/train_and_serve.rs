//! Trains by a schedule of its own, then serves from threads.
//!
//!     cargo run --example train_and_serve
//!
//! The catalog and its visits are made up: who looks at an item of a shelf looks next at the one to
//! its right.
use alterrec::{sys, Batch, Catalog, Config, Model, Recommender, Search, Sessions, Trainer};

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
         train: {epochs: 8, batch_size: 64, valid_k: 1}\n\
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

fn serve(recommender: &Recommender, worker: i32) -> alterrec::Result<String> {
    let mut batch = Batch::new()?; // each thread has its own
    batch.add(&[worker * 20 + 3, worker * 20 + 4])?;
    batch.exclude_own(true)?;
    let best = recommender.top_k(&mut batch, 3, &Search::default())?;
    let catalog = recommender.catalog();
    let keys: Vec<&str> = best.items.iter().filter_map(|&item| catalog.key(item)).collect();
    Ok(format!("after item{}, item{}:  {}", worker * 20 + 3, worker * 20 + 4, keys.join("  ")))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // All that serving needs; the handles of the training are gone.
    let recommender = train()?;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                scope.spawn({
                    let recommender = &recommender;
                    move || serve(recommender, worker)
                })
            })
            .collect();
        for worker in workers {
            println!("{}", worker.join().expect("no worker panics")?);
        }
        Ok(())
    })
}
