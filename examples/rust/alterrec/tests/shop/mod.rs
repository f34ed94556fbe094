//! A small shop: who looks at an item of a shelf looks next at the one to its right.
use alterrec::{Catalog, Config, Sessions};

pub const ITEMS: i32 = 30;
pub const PLACES: i32 = 5;

pub struct Shop {
    pub config: Config,
    pub catalog: Catalog,
    pub train: Sessions,
    pub valid: Sessions,
}

fn visits(catalog: &Catalog, count: i32, start: i32) -> Sessions {
    let right = |item: i32| item / PLACES * PLACES + (item + 1) % PLACES;
    let lists: Vec<Vec<i32>> = (0..count)
        .map(|s| {
            std::iter::successors(Some((start + s * 7) % ITEMS), |&item| Some(right(item)))
                .take(3 + (s % 3) as usize)
                .collect()
        })
        .collect();
    Sessions::from_lists(catalog, &lists).unwrap()
}

pub fn shop() -> Shop {
    let config = Config::from_text(
        "model: {dim: 8, blocks: 1, max_len: 6, init: usual}\n\
         train: {epochs: 4, batch_size: 32}\n\
         schedule: {gap: 1, random_epochs: 1}\n\
         negatives: {k1: 2, k2: 20}\n\
         compute: {threads: 1}\n",
    )
    .unwrap();
    let keys: Vec<String> = (0..ITEMS).map(|i| format!("item{i}")).collect();
    let texts: Vec<String> =
        (0..ITEMS).map(|i| format!("shelf{} place{}", i / PLACES, i % PLACES)).collect();
    let mut catalog = Catalog::with_texts(&keys, &texts).unwrap();
    catalog.hash_features(Some(&config)).unwrap();
    let (train, valid) = (visits(&catalog, 120, 0), visits(&catalog, 30, 3));
    Shop { config, catalog, train, valid }
}
