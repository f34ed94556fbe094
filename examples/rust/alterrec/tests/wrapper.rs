//! The wrapper against the installed library.
use alterrec::{
    sys, Answer, Batch, Catalog, Config, Evaluator, Filter, Fusion, FusionTile, LogLevel, Metric,
    Model, Recommender, Scorer, Search, Sessions, Status, Trainer,
};

mod shop;

use shop::{shop, ITEMS, PLACES};

fn weights(model: &Model) -> Vec<f32> {
    let mut all = Vec::new();
    for tensor in model.tensors().unwrap() {
        let mut values = vec![0.0; tensor.shape.iter().product::<i64>() as usize];
        model.get_tensor(&mut values, &tensor.name).unwrap();
        all.extend(values);
    }
    all
}

fn temporary(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("alterrec-rust-{}-{name}", std::process::id()))
}

#[test]
fn errors_have_status_and_text() {
    let mut config = Config::new().unwrap();
    let error = config.set("model.dimm", 3).unwrap_err();
    assert_eq!(error.status(), Status::NotFound);
    assert!(error.to_string().contains("model.dim"), "{error}");
    config.set("model.dim", 12).unwrap();
    assert_eq!(config.get("model.dim").unwrap(), "12");
    assert_eq!(config.to_config().unwrap().get("model.dim").unwrap(), "12");
    assert_eq!(Model::load("no such file").err().unwrap().status(), Status::Io);
    assert!(alterrec::options().unwrap().iter().any(|row| row.key == "model.dim"));
    assert!(alterrec::build_info().contains("oneDNN"));
    let error = Catalog::new(&["a\0b"]).err().unwrap();
    assert_eq!(error.status(), Status::InvalidArgument);
}

#[test]
fn data_goes_in_and_out() {
    let shop = shop();
    assert_eq!(shop.catalog.items(), i64::from(ITEMS));
    assert_eq!(shop.catalog.key(3), Some("item3"));
    assert_eq!(shop.catalog.text(6), Some("shelf1 place1"));
    assert_eq!(shop.catalog.key(ITEMS), None);
    assert_eq!(shop.catalog.find("item4"), Some(4));
    assert_eq!(shop.catalog.find("spade"), None);
    assert_eq!(shop.catalog.features().unwrap().len() as i64, shop.catalog.feature_dim() * 30);
    assert_eq!(shop.train.get(1).unwrap(), [7, 8, 9, 5]);
    assert!(shop.train.get(shop.train.count()).is_err());
    assert!(Sessions::new(&shop.catalog, &[0, 1], &[0, 3]).is_err());
    assert!(Sessions::new(&shop.catalog, &[0, 1], &[]).is_err());

    let mut own = Catalog::numbered(3).unwrap();
    own.set_features(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2).unwrap();
    assert_eq!(own.features().unwrap()[5], 6.0);
    assert!(own.set_features(&[1.0], 2).is_err());

    let mut batch = Batch::new().unwrap();
    batch.add_labelled(&[1, 2, 3], &[-1, 3, 4]).unwrap();
    assert_eq!((batch.count(), batch.examples()), (1, 2));
    batch.set_negatives(&[5, 6, 7, 8], 2).unwrap();
    assert!(batch.set_negatives(&[5, 6, 7], 2).is_err());
    assert!(batch.add_labelled(&[1], &[]).is_err());
    assert!(batch.add(&[]).is_err());
    assert!(batch.exclude(Some(-1), &[1]).is_err());
}

#[test]
fn models_are_read_changed_and_saved() {
    let shop = shop();
    let mut model = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    assert_eq!(model.dim(), 8);
    model.set_tensor("id.norm.weight", &[0.5; 8]).unwrap();
    assert_eq!(model.set_tensor("id.norm.weight", &[0.5]).unwrap_err().status(), Status::Mismatch);
    let path = temporary("model.safetensors");
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(weights(&loaded), weights(&model));
    let mut fresh = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    assert_ne!(weights(&fresh), weights(&model));
    fresh.import(&path).unwrap();
    assert_eq!(weights(&fresh), weights(&model));
    std::fs::remove_file(path).unwrap();

    let (mut items, mut session, mut scores) = (vec![0.0; 240], vec![0.0; 8], vec![0.0; 30]);
    let mut batch = Batch::new().unwrap();
    batch.add(&[3, 4]).unwrap();
    model.item_vectors(&mut items, Scorer::Id).unwrap();
    model.session_vectors(&mut session, Scorer::Id, &mut batch).unwrap();
    model.score(&mut scores, Scorer::Id, &mut batch).unwrap();
    for (row, score) in items.chunks(8).zip(&scores) {
        let product: f32 = row.iter().zip(&session).map(|(a, b)| a * b).sum();
        assert!((product - score).abs() < 1e-4);
    }
    assert!(model.score(&mut [0.0], Scorer::Id, &mut batch).is_err());

    model.add_items(&["new"], Some(&["shelf1 place1"]), None).unwrap();
    assert_eq!(model.catalog().find("new"), Some(ITEMS));
    assert!(model.add_items(&["more"], None::<&[&str]>, Some(&[1.0])).is_err());
}

#[test]
fn closures_train() {
    let shop = shop();
    let mut model = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    let (mut asked, mut steps, mut filled, mut told) = (0, 0, 0, Vec::new());
    {
        let mut trainer = Trainer::new(&mut model, &shop.train, Some(&shop.valid), None).unwrap();
        trainer
            .on_schedule(|plan, last| {
                assert_eq!(last.is_none(), asked == 0);
                asked += 1;
                plan.tower = sys::ALTERREC_TEXT;
                plan.negatives = sys::ALTERREC_NEGATIVES_HOST;
                plan.negative_count = 3;
                if asked == 4 {
                    Answer::Stop
                } else {
                    Answer::GoOn
                }
            })
            .unwrap();
        trainer
            .on_progress(|progress| steps += i32::from(progress.stage == sys::ALTERREC_STAGE_TRAIN))
            .unwrap();
        trainer
            .on_negatives(|negatives, examples, per_example| {
                assert_eq!(negatives.len(), examples.count() * per_example);
                for (index, &label) in examples.labels().iter().enumerate() {
                    let last = *examples.prefix(index).last().unwrap();
                    assert_eq!(label, last / PLACES * PLACES + (last + 1) % PLACES);
                }
                negatives.fill(11);
                filled += 1;
            })
            .unwrap();
        trainer
            .on_fusion(|tile| {
                for (_, text, fused) in tile.rows() {
                    fused.copy_from_slice(text);
                }
            })
            .unwrap();
        trainer
            .on_log(|level, message| {
                assert!(level == LogLevel::Info && !message.is_empty());
                told.push(message.to_owned());
            })
            .unwrap();
        trainer.run().unwrap();
        assert_eq!(trainer.epochs(), 3);
        let report = trainer.report(0).unwrap();
        assert_eq!(report.valid_metric[0], report.valid_metric[2]);
        trainer.without_closures().unwrap();
        trainer.run().unwrap();
        assert_eq!(trainer.epochs(), 4);
    }
    assert_eq!(asked, 4);
    assert!(steps > 0 && filled > 0);
    assert!(told.iter().any(|line| line.starts_with("epoch 0: the text tower")), "{told:?}");
}

#[test]
fn a_panic_becomes_an_error() {
    let shop = shop();
    let mut model = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    let mut trainer = Trainer::new(&mut model, &shop.train, Some(&shop.valid), None).unwrap();
    fn panics(result: alterrec::Result<()>, text: &str) {
        let error = result.unwrap_err();
        assert_eq!((error.status(), error.to_string().as_str()), (Status::Panic, text));
    }
    trainer.on_progress(|_| -> () { panic!("at step {}", 1) }).unwrap();
    panics(trainer.run(), "at step 1");
    trainer.without_closures().unwrap();
    trainer.on_schedule(|_, _| -> () { panic!("no plan") }).unwrap();
    panics(trainer.run(), "no plan");
    trainer.without_closures().unwrap();
    trainer.on_fusion(|_| -> () { std::panic::panic_any(7) }).unwrap();
    panics(trainer.epoch(None).map(drop), "a closure panicked");
    trainer.without_closures().unwrap();
    trainer.on_negatives(|_, _, _| -> () { panic!("none") }).unwrap();
    let mut plan = trainer.plan().unwrap();
    plan.negatives = sys::ALTERREC_NEGATIVES_HOST;
    plan.negative_count = 2;
    panics(trainer.epoch(Some(&plan)).map(drop), "none");

    trainer.on_log(|_, _| -> () { panic!("no paper") }).unwrap();
    panics(trainer.epoch(None).map(drop), "no paper");
    trainer.on_log(|_, _| Answer::Fail(-5002)).unwrap();
    assert_eq!(trainer.epoch(None).unwrap_err().status(), Status::Other(-5002));
    trainer.without_closures().unwrap();

    trainer.on_progress(|_| Answer::Fail(-5001)).unwrap();
    let error = trainer.epoch(None).unwrap_err();
    assert_eq!(error.status(), Status::Other(-5001));
    assert_eq!(error.to_string(), "the progress callback answered -5001");
    trainer.on_progress(|_| Answer::Fail(5001)).unwrap();
    assert_eq!(trainer.epoch(None).unwrap_err().status(), Status::Panic);
    trainer.without_closures().unwrap();
    assert_eq!(trainer.epoch(None).unwrap().stopped, 0);
}

#[test]
fn training_by_hand() {
    let shop = shop();
    let mut by_epoch = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    let mut by_step = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    let path = temporary("checkpoint.safetensors");
    {
        let mut first = Trainer::new(&mut by_epoch, &shop.train, Some(&shop.valid), None).unwrap();
        let mut second = Trainer::new(&mut by_step, &shop.train, Some(&shop.valid), None).unwrap();
        let mut batch = Batch::new().unwrap();
        first.epoch(None).unwrap();
        for index in 0..second.batches() {
            second.get_batch(&mut batch, index).unwrap();
            assert_eq!(second.step(&mut batch, None).unwrap().examples, batch.examples());
        }
        second.end_epoch().unwrap();
        assert_eq!(weights(first.model()), weights(second.model()));
        first.save(&path).unwrap();
        first.epoch(None).unwrap();
        second.resume(&path).unwrap();
        let plan = second.plan().unwrap();
        second.epoch(Some(&plan)).unwrap();
        second.use_best().unwrap();
        first.use_best().unwrap();
    }
    std::fs::remove_file(path).unwrap();
    assert_eq!(weights(&by_epoch), weights(&by_step));
}

#[test]
fn cancelled_from_another_thread() {
    let mut shop = shop();
    shop.config.set("train.epochs", 100_000).unwrap();
    let mut model = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    let mut trainer = Trainer::new(&mut model, &shop.train, None, None).unwrap();
    let canceller = trainer.canceller();
    let (began, begins) = std::sync::mpsc::channel();
    trainer
        .on_progress(move |_| {
            let _ = began.send(());
        })
        .unwrap();
    std::thread::scope(|scope| {
        let canceller = canceller.clone();
        scope.spawn(move || {
            begins.recv().unwrap();
            canceller.cancel().unwrap();
        });
        trainer.run().unwrap();
    });
    assert!(trainer.epochs() < 100_000);
    drop(trainer);
    canceller.cancel().unwrap();
}

#[test]
fn evaluation() {
    let shop = shop();
    let mut model = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    Trainer::new(&mut model, &shop.train, Some(&shop.valid), None).unwrap().run().unwrap();
    let at_once = alterrec::evaluate(&model, &shop.valid, Some(&shop.train), None).unwrap();
    let mut calls = 0;
    let mut evaluator = Evaluator::new(&model, None).unwrap();
    evaluator.on_progress(|_| calls += 1).unwrap();
    let evaluation = evaluator.run(&shop.valid, Some(&shop.train)).unwrap();
    assert_eq!(evaluation.json(), at_once.json());
    assert_eq!(evaluation.examples(), shop.valid.interactions() - shop.valid.count());
    assert_eq!(evaluation.groups().unwrap()[0].low, 0);
    evaluator
        .on_fusion(|tile| {
            for (id, _, fused) in tile.rows() {
                fused.copy_from_slice(id);
            }
        })
        .unwrap();
    let of_id = evaluator.run(&shop.valid, None).unwrap();
    let metric = |scorer| evaluation.metric(scorer, Metric::Mrr, 20, None).unwrap();
    assert_eq!(of_id.metric(Scorer::Fused, Metric::Mrr, 20, None).unwrap(), metric(Scorer::Id));
    let unknown = evaluation.metric(Scorer::Id, Metric::Hits, 21, None).unwrap_err();
    assert_eq!(unknown.status(), Status::NotFound);
    drop(evaluator);
    assert!(calls > 0);
    let error = model.choose_alpha(&shop.valid, usize::MAX / 2, None).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    let (alpha, curve) = model.choose_alpha(&shop.valid, 5, None).unwrap();
    assert!(curve.len() == 5 && (0.0..=1.0).contains(&alpha));
}

fn fill(batch: &mut Batch, start: i32) {
    batch.clear().unwrap();
    for i in 0..4 {
        batch.add(&[(start + i) % ITEMS, (start + 2 * i) % ITEMS]).unwrap();
    }
}

#[test]
fn serving_from_threads() {
    let shop = shop();
    let model = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    let recommender = Recommender::new(&model, None).unwrap();
    let (mut batch, exact) = (Batch::new().unwrap(), Search::default());
    fill(&mut batch, 3);
    let mut scores = vec![0.0; 4 * ITEMS as usize];
    model.score(&mut scores, Scorer::Fused, &mut batch).unwrap();
    drop(model);
    let best = recommender.top_k(&mut batch, 7, &exact).unwrap();
    for (row, (items, _)) in scores.chunks(ITEMS as usize).zip(best.lists()) {
        let mut order: Vec<i32> = (0..ITEMS).collect();
        order.sort_by(|&a, &b| row[b as usize].total_cmp(&row[a as usize]));
        assert_eq!(items, &order[..7]);
    }
    assert!(recommender.top_k(&mut batch, 0, &exact).is_err());
    assert!(recommender.top_k(&mut batch, usize::MAX / 8, &exact).is_err());

    let mut given = vec![0.0; best.items.len()];
    recommender.score(Some(&mut given), None, None, &mut batch, &best.items, &exact).unwrap();
    assert_eq!(given, best.scores);
    let width = recommender.width() as usize;
    let (mut item, mut sessions) = (vec![0.0; width], vec![0.0; 4 * width]);
    recommender.item_vectors(&mut item, best.items[0].into(), 1).unwrap();
    recommender.session_vectors(&mut sessions, &mut batch).unwrap();
    let product: f32 = item.iter().zip(&sessions).map(|(a, b)| a * b).sum();
    assert!((product - best.scores[0]).abs() < 1e-3);
    let path = temporary("vectors.npy");
    recommender.write_session_vectors(&mut batch, &path).unwrap();
    let written = std::fs::read(&path).unwrap();
    let last = sessions[sessions.len() - 1].to_le_bytes();
    assert!(written.starts_with(b"\x93NUMPY") && written.ends_with(&last));
    recommender.write_item_vectors(&path).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() > (ITEMS as usize * width * 4) as u64);
    recommender.save(&path).unwrap();
    let opened = Recommender::open(&path, None).unwrap();
    assert_eq!(opened.top_k(&mut batch, 7, &exact).unwrap(), best);
    std::fs::remove_file(path).unwrap();

    let mut filter = Filter::new(ITEMS.into()).unwrap();
    filter.exclude(&[0, 1]).unwrap();
    filter.allow_only(&[0, 1, 2, 3, 4, 10]).unwrap();
    filter.allow_bitmap(&[0xff, 0xff, 0xff, 0xff], ITEMS.into()).unwrap();
    filter.cap(&(0..ITEMS).map(|i| i / PLACES).collect::<Vec<_>>(), 2).unwrap();
    let fuses = |tile: &mut FusionTile| {
        for (id, _, fused) in tile.rows() {
            fused.copy_from_slice(id);
        }
    };
    let search = Search { fusion: Some(Fusion::new(&fuses)), ..exact };
    let (of_id, mut ids) =
        (recommender.top_k(&mut batch, 7, &search).unwrap(), best.scores.clone());
    recommender.score(None, Some(&mut ids), None, &mut batch, &of_id.items, &exact).unwrap();
    assert_eq!(of_id.scores, ids);

    let search = Search { filter: Some(&filter), threads: 1, ..exact };
    let few = recommender.top_k(&mut batch, 5, &search).unwrap();
    assert_eq!(few.found.guaranteed, 4);
    for (items, _) in few.lists() {
        assert!(items.len() == 3 && items.iter().all(|item| [2, 3, 4, 10].contains(item)));
    }

    let alone: Vec<_> = (0..ITEMS)
        .map(|start| {
            fill(&mut batch, start);
            recommender.top_k(&mut batch, 5, &exact).unwrap().items
        })
        .collect();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (recommender, alone) = (recommender.clone(), alone.clone());
            std::thread::spawn(move || {
                let mut batch = Batch::new().unwrap();
                for start in 0..ITEMS {
                    fill(&mut batch, start);
                    let best = recommender.top_k(&mut batch, 5, &Search::default()).unwrap();
                    assert_eq!(best.items, alone[start as usize]);
                }
            })
        })
        .collect();
    drop(recommender);
    for worker in workers {
        worker.join().unwrap();
    }
}

/// Each thread gets its own panic back.
#[test]
fn a_fusion_that_panics_on_threads() {
    let shop = shop();
    let model = Model::new(&shop.catalog, Some(&shop.config)).unwrap();
    let recommender = Recommender::new(&model, None).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let recommender = &recommender;
            scope.spawn(move || {
                let panics = |_: &mut FusionTile| -> () { panic!("thread {worker}") };
                let search = Search { fusion: Some(Fusion::new(&panics)), ..Search::default() };
                let mut batch = Batch::new().unwrap();
                for _ in 0..10 {
                    fill(&mut batch, worker);
                    let error = recommender.top_k(&mut batch, 3, &search).unwrap_err();
                    assert_eq!(error.to_string(), format!("thread {worker}"));
                }
            });
        }
    });
}
