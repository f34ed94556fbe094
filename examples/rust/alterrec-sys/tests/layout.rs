//! Structs and constants against the layout that the library's own tests keep, which a C compiler
//! holds against `alterrec.h`.
#![allow(clippy::unnecessary_cast)]

use alterrec_sys::*;
use std::collections::HashMap;
use std::mem::{offset_of, size_of};

const LAYOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/abi/layout.inc");

/// `STRUCT(name, size)` and `FIELD(name, type, field, offset, size)`, by "name" and "name.field".
fn expected() -> HashMap<String, i64> {
    let text = std::fs::read_to_string(LAYOUT).expect("layout.inc of the source tree");
    let mut found = HashMap::new();
    for line in text.lines() {
        let Some((kind, rest)) = line.split_once('(') else {
            continue;
        };
        let parts: Vec<&str> = rest.trim_end_matches(')').split(", ").collect();
        match kind {
            "STRUCT" | "CONSTANT" => found.insert(parts[0].into(), parts[1].parse().unwrap()),
            "FIELD" => {
                found.insert(format!("{}.{}", parts[0], parts[2]), parts[3].parse().unwrap())
            }
            _ => None,
        };
    }
    found
}

macro_rules! same {
    ($expected:ident, $seen:ident, $name:ident { $($field:ident),* }) => {
        // A struct may have grown at its end since layout.inc was written.
        assert!(size_of::<$name>() as i64 >= $expected[stringify!($name)], stringify!($name));
        $seen += 1;
        $(
            let key = concat!(stringify!($name), ".", stringify!($field)).replace("r#", "");
            assert_eq!(offset_of!($name, $field) as i64, $expected[&key], "{key}");
            $seen += 1;
        )*
    };
}

macro_rules! equal {
    ($expected:ident, $seen:ident, $($name:ident)*) => {$(
        assert_eq!($name as i64, $expected[stringify!($name)], stringify!($name));
        $seen += 1;
    )*};
}

#[test]
fn structs_and_constants() {
    let expected = expected();
    let mut seen = 0;
    same!(
        expected,
        seen,
        alterrec_option { struct_size, reserved, key, r#type, default_value, range, help }
    );
    same!(
        expected,
        seen,
        alterrec_data_report {
            struct_size,
            reserved,
            rows_read,
            rows_condition,
            rows_missing,
            rows_unknown_item,
            interactions_read,
            repeats_dropped,
            rare_items_dropped,
            rare_interactions,
            sessions_read,
            sessions_too_short,
            sessions_too_long,
            items,
            items_with_text,
            sessions,
            interactions
        }
    );
    same!(expected, seen, alterrec_tensor { struct_size, dims, name, shape, count });
    same!(
        expected,
        seen,
        alterrec_fusion_tile {
            struct_size,
            reserved,
            first_session,
            sessions,
            items,
            id,
            text,
            fused
        }
    );
    same!(
        expected,
        seen,
        alterrec_plan {
            struct_size,
            tower,
            negatives,
            stop,
            k1,
            k2,
            negative_count,
            positive_count,
            hard_share,
            popularity,
            shared,
            correct,
            positives_weight,
            learning_rate
        }
    );
    same!(
        expected,
        seen,
        alterrec_epoch_report {
            struct_size,
            epoch,
            tower,
            negatives,
            examples,
            steps,
            learning_rate,
            loss,
            positives_loss,
            part_loss,
            seconds,
            valid_seconds,
            valid_metric,
            best,
            epochs_since_best,
            stopped,
            reserved
        }
    );
    same!(
        expected,
        seen,
        alterrec_progress {
            struct_size,
            stage,
            epoch,
            epochs,
            step,
            steps,
            examples,
            loss,
            seconds,
            report
        }
    );
    same!(
        expected,
        seen,
        alterrec_examples {
            struct_size,
            reserved,
            count,
            items,
            starts,
            lengths,
            labels,
            item_count
        }
    );
    same!(
        expected,
        seen,
        alterrec_step_report {
            struct_size,
            tower,
            examples,
            loss,
            positives_loss,
            part_loss,
            rows,
            tokens,
            seconds
        }
    );
    same!(
        expected,
        seen,
        alterrec_search { struct_size, threads, filter, candidates, fusion, user_data }
    );
    same!(
        expected,
        seen,
        alterrec_search_report { struct_size, reserved, guaranteed, reranked, rescans }
    );
    equal!(expected, seen,
        ALTERREC_OK ALTERREC_ERROR_INVALID_ARGUMENT ALTERREC_ERROR_OUT_OF_MEMORY ALTERREC_ERROR_IO
        ALTERREC_ERROR_PARSE ALTERREC_ERROR_NOT_FOUND ALTERREC_ERROR_MISMATCH
        ALTERREC_ERROR_NOT_FINITE ALTERREC_ERROR_UNSUPPORTED ALTERREC_ERROR_BUSY
        ALTERREC_ERROR_BACKEND ALTERREC_SPLIT_TRAIN ALTERREC_SPLIT_VALID ALTERREC_SPLIT_TEST
        ALTERREC_ID ALTERREC_TEXT ALTERREC_FUSED ALTERREC_POPULARITY ALTERREC_NEGATIVES_RANDOM
        ALTERREC_NEGATIVES_HARD ALTERREC_NEGATIVES_FULL ALTERREC_NEGATIVES_BATCH
        ALTERREC_NEGATIVES_HOST ALTERREC_STAGE_TRAIN ALTERREC_STAGE_VALIDATE ALTERREC_STAGE_EPOCH
        ALTERREC_HITS ALTERREC_MRR ALTERREC_NDCG
    );
    assert!(seen >= 100, "{seen} of {} rows of layout.inc", expected.len());
}

#[test]
fn the_library_is_of_this_version() {
    let version = unsafe { alterrec_version() };
    assert_eq!(version / 1_000_000, ALTERREC_VERSION_MAJOR as u32);
}
