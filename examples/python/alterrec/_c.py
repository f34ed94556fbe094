# Written by tests/ffi/prototypes.py from alterrec.h, where every comment stands.
from ctypes import (
    CFUNCTYPE, POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint8,
    c_uint32, c_void_p)
from typing import Any, Dict, List, Tuple

from ._record import Record

ALTERREC_VERSION_MAJOR = 0
ALTERREC_VERSION_MINOR = 1
ALTERREC_VERSION_PATCH = 0
ALTERREC_OK = 0
ALTERREC_ERROR_INVALID_ARGUMENT = -1
ALTERREC_ERROR_OUT_OF_MEMORY = -2
ALTERREC_ERROR_IO = -3
ALTERREC_ERROR_PARSE = -4
ALTERREC_ERROR_NOT_FOUND = -5
ALTERREC_ERROR_MISMATCH = -6
ALTERREC_ERROR_NOT_FINITE = -7
ALTERREC_ERROR_UNSUPPORTED = -8
ALTERREC_ERROR_BUSY = -9
ALTERREC_ERROR_BACKEND = -10
ALTERREC_SPLIT_TRAIN = 0
ALTERREC_SPLIT_VALID = 1
ALTERREC_SPLIT_TEST = 2
ALTERREC_ID = 1
ALTERREC_TEXT = 2
ALTERREC_FUSED = 3
ALTERREC_POPULARITY = 4
ALTERREC_NEGATIVES_RANDOM = 0
ALTERREC_NEGATIVES_HARD = 1
ALTERREC_NEGATIVES_FULL = 2
ALTERREC_NEGATIVES_BATCH = 3
ALTERREC_NEGATIVES_HOST = 4
ALTERREC_STAGE_TRAIN = 0
ALTERREC_STAGE_VALIDATE = 1
ALTERREC_STAGE_EPOCH = 2
ALTERREC_LOG_INFO = 1
ALTERREC_LOG_WARNING = 2
ALTERREC_PART_ROWS = 0
ALTERREC_PART_TEACHER = 1
ALTERREC_PART_TABLE = 2
ALTERREC_PART_ENCODER = 3
ALTERREC_PART_SCORES = 4
ALTERREC_PART_LOSS = 5
ALTERREC_PART_OPTIMIZER = 6
ALTERREC_HITS = 0
ALTERREC_MRR = 1
ALTERREC_NDCG = 2


class alterrec_option(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("key", c_char_p),
        ("type", c_char_p),
        ("default_value", c_char_p),
        ("range", c_char_p),
        ("help", c_char_p),
    ]
    struct_size: int
    reserved: int
    key: bytes
    type: bytes
    default_value: bytes
    range: bytes
    help: bytes


class alterrec_data_report(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("rows_read", c_int64),
        ("rows_condition", c_int64),
        ("rows_missing", c_int64),
        ("rows_unknown_item", c_int64),
        ("interactions_read", c_int64),
        ("repeats_dropped", c_int64),
        ("rare_items_dropped", c_int64),
        ("rare_interactions", c_int64),
        ("sessions_read", c_int64),
        ("sessions_too_short", c_int64),
        ("sessions_too_long", c_int64),
        ("items", c_int64),
        ("items_with_text", c_int64),
        ("sessions", c_int64 * 3),
        ("interactions", c_int64 * 3),
    ]
    struct_size: int
    reserved: int
    rows_read: int
    rows_condition: int
    rows_missing: int
    rows_unknown_item: int
    interactions_read: int
    repeats_dropped: int
    rare_items_dropped: int
    rare_interactions: int
    sessions_read: int
    sessions_too_short: int
    sessions_too_long: int
    items: int
    items_with_text: int
    sessions: Any
    interactions: Any


class alterrec_tensor(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("dims", c_int32),
        ("name", c_char_p),
        ("shape", c_int64 * 2),
        ("count", c_int64),
    ]
    struct_size: int
    dims: int
    name: bytes
    shape: Any
    count: int


class alterrec_fusion_tile(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("first_session", c_int64),
        ("sessions", c_int64),
        ("items", c_int64),
        ("id", c_void_p),
        ("text", c_void_p),
        ("fused", c_void_p),
    ]
    struct_size: int
    reserved: int
    first_session: int
    sessions: int
    items: int
    id: Any
    text: Any
    fused: Any


class alterrec_plan(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("tower", c_int32),
        ("negatives", c_int32),
        ("stop", c_int32),
        ("k1", c_int64),
        ("k2", c_int64),
        ("negative_count", c_int64),
        ("positive_count", c_int64),
        ("hard_share", c_double),
        ("popularity", c_double),
        ("shared", c_int32),
        ("correct", c_int32),
        ("positives_weight", c_double),
        ("learning_rate", c_double),
    ]
    struct_size: int
    tower: int
    negatives: int
    stop: int
    k1: int
    k2: int
    negative_count: int
    positive_count: int
    hard_share: float
    popularity: float
    shared: int
    correct: int
    positives_weight: float
    learning_rate: float


class alterrec_epoch_report(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("epoch", c_int32),
        ("tower", c_int32),
        ("negatives", c_int32),
        ("examples", c_int64),
        ("steps", c_int64),
        ("learning_rate", c_double),
        ("loss", c_double),
        ("positives_loss", c_double),
        ("part_loss", c_double * 2),
        ("seconds", c_double),
        ("valid_seconds", c_double),
        ("valid_metric", c_double * 3),
        ("best", c_int32),
        ("epochs_since_best", c_int32),
        ("stopped", c_int32),
        ("reserved", c_int32),
    ]
    struct_size: int
    epoch: int
    tower: int
    negatives: int
    examples: int
    steps: int
    learning_rate: float
    loss: float
    positives_loss: float
    part_loss: Any
    seconds: float
    valid_seconds: float
    valid_metric: Any
    best: int
    epochs_since_best: int
    stopped: int
    reserved: int


class alterrec_progress(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("stage", c_int32),
        ("epoch", c_int32),
        ("epochs", c_int32),
        ("step", c_int64),
        ("steps", c_int64),
        ("examples", c_int64),
        ("loss", c_double),
        ("seconds", c_double),
        ("report", POINTER(alterrec_epoch_report)),
    ]
    struct_size: int
    stage: int
    epoch: int
    epochs: int
    step: int
    steps: int
    examples: int
    loss: float
    seconds: float
    report: Any


class alterrec_examples(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("count", c_int64),
        ("items", c_void_p),
        ("starts", c_void_p),
        ("lengths", c_void_p),
        ("labels", c_void_p),
        ("item_count", c_int64),
    ]
    struct_size: int
    reserved: int
    count: int
    items: Any
    starts: Any
    lengths: Any
    labels: Any
    item_count: int


class alterrec_step_report(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("tower", c_int32),
        ("examples", c_int64),
        ("loss", c_double),
        ("positives_loss", c_double),
        ("part_loss", c_double * 2),
        ("rows", c_int64),
        ("tokens", c_int64),
        ("seconds", c_double * 16),
    ]
    struct_size: int
    tower: int
    examples: int
    loss: float
    positives_loss: float
    part_loss: Any
    rows: int
    tokens: int
    seconds: Any


class alterrec_search(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("threads", c_int32),
        ("filter", c_void_p),
        ("candidates", c_int64),
        ("fusion", c_void_p),
        ("user_data", c_void_p),
    ]
    struct_size: int
    threads: int
    filter: Any
    candidates: int
    fusion: Any
    user_data: Any


class alterrec_search_report(Record):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("guaranteed", c_int64),
        ("reranked", c_int64),
        ("rescans", c_int64),
    ]
    struct_size: int
    reserved: int
    guaranteed: int
    reranked: int
    rescans: int


alterrec_fusion_fn = CFUNCTYPE(c_int32, POINTER(alterrec_fusion_tile), c_void_p)
alterrec_progress_fn = CFUNCTYPE(c_int32, POINTER(alterrec_progress), c_void_p)
alterrec_schedule_fn = CFUNCTYPE(c_int32, POINTER(alterrec_plan), POINTER(alterrec_epoch_report), c_void_p)
alterrec_negatives_fn = CFUNCTYPE(c_int32, c_void_p, POINTER(alterrec_examples), c_int64, c_void_p)
alterrec_log_fn = CFUNCTYPE(c_int32, c_int32, c_char_p, c_void_p)

FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "alterrec_version": (c_uint32, []),
    "alterrec_build_info": (c_char_p, []),
    "alterrec_status_name": (c_char_p, [c_int32]),
    "alterrec_last_error": (c_char_p, []),
    "alterrec_last_error_copy": (c_size_t, [c_void_p, c_size_t]),
    "alterrec_config_create": (c_int32, [POINTER(c_void_p)]),
    "alterrec_config_clone": (c_int32, [POINTER(c_void_p), c_void_p]),
    "alterrec_config_free": (None, [c_void_p]),
    "alterrec_config_set": (c_int32, [c_void_p, c_char_p, c_char_p]),
    "alterrec_config_get": (c_int32, [POINTER(c_char_p), c_void_p, c_char_p]),
    "alterrec_config_read": (c_int32, [c_void_p, c_char_p]),
    "alterrec_config_read_text": (c_int32, [c_void_p, c_char_p, c_size_t]),
    "alterrec_config_write": (c_int32, [c_void_p, c_char_p]),
    "alterrec_option_count": (c_int64, []),
    "alterrec_option_describe": (c_int32, [POINTER(alterrec_option), c_int64]),
    "alterrec_catalog_create": (c_int32, [POINTER(c_void_p), POINTER(c_char_p), POINTER(c_char_p), c_int64]),
    "alterrec_catalog_read": (c_int32, [POINTER(c_void_p), c_char_p, c_void_p]),
    "alterrec_catalog_hold": (c_void_p, [c_void_p]),
    "alterrec_catalog_free": (None, [c_void_p]),
    "alterrec_catalog_set_features": (c_int32, [c_void_p, c_void_p, c_int64, c_int64]),
    "alterrec_catalog_read_features": (c_int32, [c_void_p, c_char_p]),
    "alterrec_catalog_hash_features": (c_int32, [c_void_p, c_void_p]),
    "alterrec_catalog_items": (c_int64, [c_void_p]),
    "alterrec_catalog_key": (c_char_p, [c_void_p, c_int32]),
    "alterrec_catalog_text": (c_char_p, [c_void_p, c_int32]),
    "alterrec_catalog_find": (c_int32, [c_void_p, c_char_p]),
    "alterrec_catalog_feature_dim": (c_int64, [c_void_p]),
    "alterrec_catalog_features": (c_void_p, [c_void_p]),
    "alterrec_sessions_create": (c_int32, [POINTER(c_void_p), c_void_p, c_void_p, c_void_p, c_int64]),
    "alterrec_sessions_read": (c_int32, [POINTER(c_void_p), c_void_p, c_char_p, c_void_p]),
    "alterrec_sessions_free": (None, [c_void_p]),
    "alterrec_sessions_count": (c_int64, [c_void_p]),
    "alterrec_sessions_interactions": (c_int64, [c_void_p]),
    "alterrec_sessions_get": (c_int32, [POINTER(c_void_p), c_void_p, c_void_p, c_int64]),
    "alterrec_sessions_report": (c_int32, [POINTER(alterrec_data_report), c_void_p]),
    "alterrec_dataset_read": (c_int32, [POINTER(c_void_p), c_void_p]),
    "alterrec_dataset_free": (None, [c_void_p]),
    "alterrec_dataset_catalog": (c_void_p, [c_void_p]),
    "alterrec_dataset_sessions": (c_void_p, [c_void_p, c_int32]),
    "alterrec_dataset_report": (c_int32, [POINTER(alterrec_data_report), c_void_p]),
    "alterrec_batch_create": (c_int32, [POINTER(c_void_p)]),
    "alterrec_batch_free": (None, [c_void_p]),
    "alterrec_batch_clear": (c_int32, [c_void_p]),
    "alterrec_batch_add": (c_int32, [c_void_p, c_void_p, c_int64]),
    "alterrec_batch_add_labelled": (c_int32, [c_void_p, c_void_p, c_void_p, c_int64]),
    "alterrec_batch_examples": (c_int64, [c_void_p]),
    "alterrec_batch_set_negatives": (c_int32, [c_void_p, c_void_p, c_int64, c_int64]),
    "alterrec_batch_count": (c_int64, [c_void_p]),
    "alterrec_batch_exclude": (c_int32, [c_void_p, c_int64, c_void_p, c_int64]),
    "alterrec_batch_exclude_own": (c_int32, [c_void_p, c_int32]),
    "alterrec_model_create": (c_int32, [POINTER(c_void_p), c_void_p, c_void_p]),
    "alterrec_model_load": (c_int32, [POINTER(c_void_p), c_char_p]),
    "alterrec_model_save": (c_int32, [c_void_p, c_char_p]),
    "alterrec_model_free": (None, [c_void_p]),
    "alterrec_model_import": (c_int32, [c_void_p, c_char_p]),
    "alterrec_model_add_items": (c_int32, [c_void_p, POINTER(c_char_p), POINTER(c_char_p), c_void_p, c_int64]),
    "alterrec_model_catalog": (c_void_p, [c_void_p]),
    "alterrec_model_config": (c_void_p, [c_void_p]),
    "alterrec_model_dim": (c_int64, [c_void_p]),
    "alterrec_model_tensor_count": (c_int64, [c_void_p]),
    "alterrec_model_tensor_describe": (c_int32, [POINTER(alterrec_tensor), c_void_p, c_int64]),
    "alterrec_model_tensor_find": (c_int32, [POINTER(alterrec_tensor), c_void_p, c_char_p]),
    "alterrec_model_get_tensor": (c_int32, [c_void_p, c_void_p, c_char_p, c_int64]),
    "alterrec_model_set_tensor": (c_int32, [c_void_p, c_char_p, c_void_p, c_int64]),
    "alterrec_model_item_vectors": (c_int32, [c_void_p, c_void_p, c_int32]),
    "alterrec_model_session_vectors": (c_int32, [c_void_p, c_void_p, c_int32, c_void_p]),
    "alterrec_model_score": (c_int32, [c_void_p, c_void_p, c_int32, c_void_p]),
    "alterrec_trainer_create": (c_int32, [POINTER(c_void_p), c_void_p, c_void_p, c_void_p, c_void_p]),
    "alterrec_trainer_free": (None, [c_void_p]),
    "alterrec_trainer_on_progress": (c_int32, [c_void_p, alterrec_progress_fn, c_void_p]),
    "alterrec_trainer_on_fusion": (c_int32, [c_void_p, alterrec_fusion_fn, c_void_p]),
    "alterrec_trainer_on_schedule": (c_int32, [c_void_p, alterrec_schedule_fn, c_void_p]),
    "alterrec_trainer_on_negatives": (c_int32, [c_void_p, alterrec_negatives_fn, c_void_p]),
    "alterrec_trainer_on_log": (c_int32, [c_void_p, alterrec_log_fn, c_void_p]),
    "alterrec_trainer_cancel": (c_int32, [c_void_p]),
    "alterrec_trainer_plan": (c_int32, [POINTER(alterrec_plan), c_void_p]),
    "alterrec_trainer_step": (c_int32, [POINTER(alterrec_step_report), c_void_p, c_void_p, POINTER(alterrec_plan)]),
    "alterrec_trainer_batches": (c_int64, [c_void_p]),
    "alterrec_trainer_batch": (c_int32, [c_void_p, c_void_p, c_int64]),
    "alterrec_trainer_end_epoch": (c_int32, [POINTER(alterrec_epoch_report), c_void_p]),
    "alterrec_trainer_epoch": (c_int32, [POINTER(alterrec_epoch_report), c_void_p, POINTER(alterrec_plan)]),
    "alterrec_trainer_use_best": (c_int32, [c_void_p]),
    "alterrec_trainer_run": (c_int32, [c_void_p]),
    "alterrec_trainer_save": (c_int32, [c_void_p, c_char_p]),
    "alterrec_trainer_resume": (c_int32, [c_void_p, c_char_p]),
    "alterrec_trainer_epochs": (c_int64, [c_void_p]),
    "alterrec_trainer_report": (c_int32, [POINTER(alterrec_epoch_report), c_void_p, c_int64]),
    "alterrec_evaluator_create": (c_int32, [POINTER(c_void_p), c_void_p, c_void_p]),
    "alterrec_evaluator_free": (None, [c_void_p]),
    "alterrec_evaluator_on_progress": (c_int32, [c_void_p, alterrec_progress_fn, c_void_p]),
    "alterrec_evaluator_on_fusion": (c_int32, [c_void_p, alterrec_fusion_fn, c_void_p]),
    "alterrec_evaluator_run": (c_int32, [POINTER(c_void_p), c_void_p, c_void_p, c_void_p]),
    "alterrec_evaluate": (c_int32, [POINTER(c_void_p), c_void_p, c_void_p, c_void_p, c_void_p, alterrec_progress_fn, c_void_p]),
    "alterrec_evaluation_free": (None, [c_void_p]),
    "alterrec_evaluation_examples": (c_int64, [c_void_p]),
    "alterrec_evaluation_groups": (c_int64, [c_void_p]),
    "alterrec_evaluation_group": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p, c_int64]),
    "alterrec_evaluation_metric": (c_int32, [c_void_p, c_void_p, c_int32, c_int32, c_int64, c_int64]),
    "alterrec_evaluation_json": (c_char_p, [c_void_p]),
    "alterrec_model_choose_alpha": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_void_p]),
    "alterrec_recommender_create": (c_int32, [POINTER(c_void_p), c_void_p, c_void_p]),
    "alterrec_recommender_save": (c_int32, [c_void_p, c_char_p]),
    "alterrec_recommender_open": (c_int32, [POINTER(c_void_p), c_char_p, c_void_p]),
    "alterrec_recommender_hold": (c_void_p, [c_void_p]),
    "alterrec_recommender_free": (None, [c_void_p]),
    "alterrec_recommender_catalog": (c_void_p, [c_void_p]),
    "alterrec_filter_create": (c_int32, [POINTER(c_void_p), c_int64]),
    "alterrec_filter_free": (None, [c_void_p]),
    "alterrec_filter_allow_bitmap": (c_int32, [c_void_p, c_void_p, c_int64]),
    "alterrec_filter_allow_only": (c_int32, [c_void_p, c_void_p, c_int64]),
    "alterrec_filter_exclude": (c_int32, [c_void_p, c_void_p, c_int64]),
    "alterrec_filter_cap": (c_int32, [c_void_p, c_void_p, c_int64, c_int64]),
    "alterrec_recommender_top_k": (c_int32, [c_void_p, c_void_p, POINTER(alterrec_search_report), c_void_p, c_void_p, c_int64, POINTER(alterrec_search)]),
    "alterrec_recommender_score": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_int64, POINTER(alterrec_search)]),
    "alterrec_recommender_width": (c_int64, [c_void_p]),
    "alterrec_recommender_item_vectors": (c_int32, [c_void_p, c_void_p, c_int64, c_int64]),
    "alterrec_recommender_session_vectors": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "alterrec_recommender_write_item_vectors": (c_int32, [c_void_p, c_char_p]),
    "alterrec_recommender_write_session_vectors": (c_int32, [c_void_p, c_void_p, c_char_p]),
    "alterrec_live_session_create": (c_int32, [POINTER(c_void_p), c_void_p]),
    "alterrec_live_session_free": (None, [c_void_p]),
    "alterrec_live_session_push": (c_int32, [c_void_p, c_int32]),
    "alterrec_live_sessions_push": (c_int32, [POINTER(c_void_p), c_void_p, c_int64, c_int32]),
    "alterrec_live_session_length": (c_int64, [c_void_p]),
    "alterrec_live_session_items": (c_void_p, [c_void_p]),
    "alterrec_live_session_reset": (None, [c_void_p]),
    "alterrec_live_session_exclude_own": (c_int32, [c_void_p, c_int32]),
    "alterrec_live_session_exclude": (c_int32, [c_void_p, c_void_p, c_int64]),
    "alterrec_live_session_top_k": (c_int32, [c_void_p, c_void_p, POINTER(alterrec_search_report), c_void_p, c_int64, POINTER(alterrec_search)]),
    "alterrec_live_sessions_top_k": (c_int32, [c_void_p, c_void_p, POINTER(alterrec_search_report), POINTER(c_void_p), c_int64, c_int64, POINTER(alterrec_search)]),
    "alterrec_live_session_score": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_int64, POINTER(alterrec_search)]),
    "alterrec_live_session_size": (c_size_t, [c_void_p]),
    "alterrec_live_session_serialize": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "alterrec_live_session_restore": (c_int32, [c_void_p, c_void_p, c_size_t]),
}
