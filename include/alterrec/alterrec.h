/*
 * libalterrec: session-based recommendation from item IDs and item text (AlterRec).
 *
 * This is the whole public interface, the only header that a C host includes. It goes from simple
 * to advanced, so you may stop reading where it says enough:
 *
 *   1. version, statuses, errors       4. model: create, load, save, score
 *   2. config: every option by name    5. trainer: the alternating ID / text training
 *   3. catalog, sessions, dataset,     6. evaluation
 *      batch: the data                 7. recommender: top k
 *                                      8. live sessions: item by item
 *
 * Rules that hold for every function:
 *  - A function that can fail returns alterrec_status: 0 is success, errors are negative. After an
 *    error, alterrec_last_error() says which argument or which place of which file is wrong.
 *  - Results come first in the argument list, then the object, then the inputs. A failed create
 *    leaves NULL in its result; any other failed call leaves its handle as it was.
 *  - A pointer argument must not be NULL unless its description says "NULL: ...".
 *  - `*_free` accepts NULL. Handles may be freed in any order: what one handle needs of another it
 *    keeps alive itself.
 *  - Arrays that a function receives are copied or only read during the call.
 *  - A pointer or string that a function returns is borrowed from its handle and lives as long as
 *    the handle, unless its description says otherwise.
 *  - A struct that begins with struct_size: set it to sizeof the struct. Hosts that were built with
 *    another version's size are served as far as both sizes go; a size below 0.1's is
 *    INVALID_ARGUMENT. Where a callback gets a struct, it is the library's size.
 *  - A callback that fails answers a negative number, which the call returns unchanged. Numbers
 *    below -1000 are the host's own for that: the library has no status there.
 *  - A `const` handle may be shared by threads; a handle that a call changes belongs to one thread
 *    at a time.
 *  - A callback gets the user_data that it was given with: of an `..._on_...` function until
 * another one replaces it or the handle is freed, of a call's argument for that call.
 *  - A file is written aside, synced and renamed: the old one stays until the new one is whole, and
 *    keeps its mode. A symbolic link stays, and what it leads to is replaced; anything else that is
 *    no regular file is IO before anything is written. docs/formats.md has more.
 *  - Nothing prints, exits, aborts, reads the environment or installs a signal handler.
 *  - Strings are UTF-8. Item indices are int32_t, 0-based rows of the catalog; int32_t is also what
 *    names a choice, says yes or no, or counts threads or, in structs, epochs. All other counts and
 *    indices are int64_t, numbers of bytes size_t.
 *
 * Section and equation numbers refer to the paper, arXiv 2402.08921.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ALTERREC_ALTERREC_H
#define ALTERREC_ALTERREC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && __GNUC__ >= 4
#define ALTERREC_API __attribute__((visibility("default")))
#else
#define ALTERREC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------
 * 1. Version, statuses, errors
 * ------------------------------------------------------------------------------------------- */

/* The version of this header. */
#define ALTERREC_VERSION_MAJOR 0
#define ALTERREC_VERSION_MINOR 1
#define ALTERREC_VERSION_PATCH 0

/* The version of the library that is running, as major * 1000000 + minor * 1000 + patch.
 * Any thread. Since 0.1. */
ALTERREC_API uint32_t alterrec_version(void);

/* One line: version, compiler, oneDNN version and instruction set. Static string. Any thread.
 * Since 0.1. */
ALTERREC_API const char *alterrec_build_info(void);

/* 0 is success, errors are negative, -1000 at the lowest; numbers are never reused. */
typedef int32_t alterrec_status;

#define ALTERREC_OK                     0    /* success */
#define ALTERREC_ERROR_INVALID_ARGUMENT (-1) /* an argument is NULL, out of range, not finite */
#define ALTERREC_ERROR_OUT_OF_MEMORY    (-2) /* an allocation failed, or a size does not fit */
#define ALTERREC_ERROR_IO               (-3) /* a file can't be opened, read, written, synced */
#define ALTERREC_ERROR_PARSE            (-4) /* a file's or text's content is malformed */
#define ALTERREC_ERROR_NOT_FOUND        (-5) /* no such key, item, tensor, option, column */
#define ALTERREC_ERROR_MISMATCH         (-6) /* handles, shapes, files that don't belong together */
#define ALTERREC_ERROR_NOT_FINITE       (-7) /* training met a NaN or an infinity */
#define ALTERREC_ERROR_UNSUPPORTED      (-8) /* well-formed, but outside what this version does */
#define ALTERREC_ERROR_BUSY             (-9) /* the handle is inside another call (a callback) */
#define ALTERREC_ERROR_BACKEND          (-10) /* oneDNN refused; the text holds its status */

/* The name of a status, such as "INVALID_ARGUMENT"; "UNKNOWN" for a number that is none.
 * Static string. Any thread. Since 0.1. */
ALTERREC_API const char *alterrec_status_name(alterrec_status status);

/* The text of this thread's last error; "" before the first. If a callback's answer ended the call,
 * it says so: "the progress callback answered -5001", and behind it the text of the library's own
 * error if that is what the callback passed on. It lives until this thread's next failing call. Any
 * thread. Since 0.1. */
ALTERREC_API const char *alterrec_last_error(void);

/* Copies the text of this thread's last error into `buffer` (at most size - 1 bytes and a 0; NULL:
 * copies nothing) and returns the text's whole length in bytes without the 0. For hosts whose calls
 * may move between threads: call it right after the failing call. Any thread. Since 0.1. */
ALTERREC_API size_t alterrec_last_error_copy(char *buffer, size_t size);

/* ---------------------------------------------------------------------------------------------
 * 2. Config: every option by name
 *
 * An alterrec_config holds a value for every option; docs/options.md lists them. A new option adds
 * a key, not a function. Functions that take `const alterrec_config *` accept NULL: no option is
 * set. An option that is not set has its default; but where a config meets a model, or the file of
 * one, what was never set in that config is the model's own. So a config that sets compute.threads
 * alone changes nothing else.
 * ------------------------------------------------------------------------------------------- */

/* A value for every option. */
typedef struct alterrec_config alterrec_config;

/* A config with every option at its default. Statuses: OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_config_create(alterrec_config **config);

/* A copy. Statuses: INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_config_clone(alterrec_config **config,
                                                   const alterrec_config *source);

/* Since 0.1. */
ALTERREC_API void alterrec_config_free(alterrec_config *config);

/* Sets the option `key` ("model.dim") from text ("300"). Statuses: NOT_FOUND (the text of the error
 * names the nearest key), INVALID_ARGUMENT (the text names key, value and range), OUT_OF_MEMORY.
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_config_set(alterrec_config *config, const char *key,
                                                 const char *value);

/* The value of the option `key` as text, in the form that alterrec_config_set reads. Borrowed until
 * the option is set again or the config is freed. Statuses: NOT_FOUND, INVALID_ARGUMENT. Since 0.1.
 * */
ALTERREC_API alterrec_status alterrec_config_get(const char **value, const alterrec_config *config,
                                                 const char *key);

/* Reads options from a YAML file, nested ("model:" / "  dim: 300") or with dotted keys. Either all
 * of the file's options are set or, on an error, none. Statuses: IO, PARSE, NOT_FOUND,
 * INVALID_ARGUMENT, OUT_OF_MEMORY; the text names file, line and column. Since 0.1. */
ALTERREC_API alterrec_status alterrec_config_read(alterrec_config *config, const char *path);

/* As alterrec_config_read, from `size` bytes of text (NULL: only if size is 0); errors name the
 * place as <text>:line:column. Statuses: as alterrec_config_read, but IO. Since 0.1. */
ALTERREC_API alterrec_status alterrec_config_read_text(alterrec_config *config, const char *text,
                                                       size_t size);

/* Writes every option as YAML that alterrec_config_read reads back to the same values. The file is
 * written aside, synced and renamed. Statuses: IO, INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_config_write(const alterrec_config *config, const char *path);

/* One row of the option table. Static strings. */
typedef struct alterrec_option {
    uint32_t struct_size; /* in: sizeof(alterrec_option), as the host knows it */
    uint32_t reserved;
    const char *key;           /* "model.dim" */
    const char *type;          /* "int", "float", "bool", "text", "choice", "list", "ranges" */
    const char *default_value; /* as text */
    const char *range;         /* "1..4096", "none | step | plateau | cosine", "" */
    const char *help;          /* one line */
} alterrec_option;

/* The number of options. Any thread. Since 0.1. */
ALTERREC_API int64_t alterrec_option_count(void);

/* Fills `option` with row `index` of the option table. Statuses: INVALID_ARGUMENT. Any thread.
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_option_describe(alterrec_option *option, int64_t index);

/* ---------------------------------------------------------------------------------------------
 * 3. Data: catalog, sessions, dataset, batch
 * ------------------------------------------------------------------------------------------- */

/* The items: external keys, optional texts (titles), optional text features [items, dim] f32.
 * Read-only and shareable once its features are set. */
typedef struct alterrec_catalog alterrec_catalog;

/* A catalog of `items` items. keys[i] is item i's external key; keys are distinct and not empty
 * (NULL: "0", "1", ...). texts[i] is its text (NULL: no texts; a NULL entry: ""). Both copied.
 * Statuses: INVALID_ARGUMENT (items outside 1..2^31-2, a repeated key, text that is not UTF-8),
 * OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_catalog_create(alterrec_catalog **catalog,
                                                     const char *const *keys,
                                                     const char *const *texts, int64_t items);

/* Reads an item file: TSV or CSV with named columns, or RecBole `.item`; the columns are the
 * options data.item_key_column and data.item_text_column. Statuses: IO, PARSE, NOT_FOUND (column).
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_catalog_read(alterrec_catalog **catalog, const char *path,
                                                   const alterrec_config *config);

/* Another holder of the catalog, which alterrec_catalog_free gives back: returns the same handle,
 * NULL for NULL. So a host keeps a model's or a dataset's catalog as it is, across
 * alterrec_model_add_items and the model's end. Any thread. Since 0.1. */
ALTERREC_API alterrec_catalog *alterrec_catalog_hold(const alterrec_catalog *catalog);

/* Gives back one holder's part; the last one frees. Any thread. Since 0.1. */
ALTERREC_API void alterrec_catalog_free(alterrec_catalog *catalog);

/* Sets the text features: `features` is [rows, dim], row-major, rows in catalog order. Copied.
 * Statuses: MISMATCH (rows is not the number of items), INVALID_ARGUMENT (a value not finite),
 * BUSY (a model holds the catalog), OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_catalog_set_features(alterrec_catalog *catalog,
                                                           const float *features, int64_t rows,
                                                           int64_t dim);

/* Reads the text features from a `.npy` file: f32 or f16, C order, [items, dim]. Statuses: IO,
 * PARSE, MISMATCH, UNSUPPORTED (dtype, Fortran order), BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_catalog_read_features(alterrec_catalog *catalog,
                                                            const char *path);

/* Makes the text features from the items' texts by feature hashing (word and character n-grams,
 * TF-IDF, signed hashing, L2-normalised; options text.*). Deterministic. It needs no language model
 * and knows nothing of what words mean; on a shop's short titles it did as well as a sentence
 * encoder (docs/features.md), which says nothing of longer texts. Statuses: MISMATCH (the catalog
 * has no texts), BUSY, OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_catalog_hash_features(alterrec_catalog *catalog,
                                                            const alterrec_config *config);

/* The number of items; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_catalog_items(const alterrec_catalog *catalog);

/* The key of item `item`; NULL if there is none. Since 0.1. */
ALTERREC_API const char *alterrec_catalog_key(const alterrec_catalog *catalog, int32_t item);

/* The text of item `item`, "" if the catalog has no texts; NULL if there is no such item.
 * Since 0.1. */
ALTERREC_API const char *alterrec_catalog_text(const alterrec_catalog *catalog, int32_t item);

/* The item whose key is `key`, or -1. Since 0.1. */
ALTERREC_API int32_t alterrec_catalog_find(const alterrec_catalog *catalog, const char *key);

/* The features' dimension, 0 if there are none. Since 0.1. */
ALTERREC_API int64_t alterrec_catalog_feature_dim(const alterrec_catalog *catalog);

/* The features [items, feature_dim], NULL if there are none. Since 0.1. */
ALTERREC_API const float *alterrec_catalog_features(const alterrec_catalog *catalog);

/* An ordered set of sessions over one catalog. Read-only and shareable. */
typedef struct alterrec_sessions alterrec_sessions;

/* Sessions from arrays: session s is items[offsets[s] .. offsets[s + 1] - 1], in the order of
 * visiting; offsets has count + 1 values, starts at 0 and does not fall (NULL: only if count
 * is 0). items NULL: only if no session has any. Copied. No filter is applied. Statuses:
 * INVALID_ARGUMENT (an item outside the catalog, bad offsets), OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_sessions_create(alterrec_sessions **sessions,
                                                      const alterrec_catalog *catalog,
                                                      const int32_t *items, const int64_t *offsets,
                                                      int64_t count);

/* Reads sessions of a known catalog: one session a line of item keys, or a table with a session and
 * an item column (CSV, TSV, `.inter`); options data.*. Items that the catalog lacks are dropped
 * (data.unknown_items: drop), which alterrec_sessions_report counts, or an error. The
 * session-length filters are applied, the item-count filter is not. Statuses: IO, PARSE, NOT_FOUND
 * (column, item). Since 0.1. */
ALTERREC_API alterrec_status alterrec_sessions_read(alterrec_sessions **sessions,
                                                    const alterrec_catalog *catalog,
                                                    const char *path,
                                                    const alterrec_config *config);

/* Since 0.1. */
ALTERREC_API void alterrec_sessions_free(alterrec_sessions *sessions);

/* The number of sessions; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_sessions_count(const alterrec_sessions *sessions);

/* The number of items over all sessions; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_sessions_interactions(const alterrec_sessions *sessions);

/* Session `index`: *items points to *length item indices. Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_sessions_get(const int32_t **items, int64_t *length,
                                                   const alterrec_sessions *sessions,
                                                   int64_t index);

/* What reading met: how much was read, how much was dropped and why. */
typedef struct alterrec_data_report {
    uint32_t struct_size; /* in: sizeof(alterrec_data_report), as the host knows it */
    uint32_t reserved;
    int64_t rows_read;          /* table rows, or session lines */
    int64_t rows_condition;     /* dropped: data.positive_column not above 0 */
    int64_t rows_missing;       /* dropped: empty session or item */
    int64_t rows_unknown_item;  /* dropped: item not in the item file, or the catalog given */
    int64_t interactions_read;  /* after the four above */
    int64_t repeats_dropped;    /* data.repeats: drop */
    int64_t rare_items_dropped; /* distinct items seen fewer than data.min_item_count times */
    int64_t rare_interactions;  /* interactions that went with them */
    int64_t sessions_read;      /* before the filters */
    int64_t sessions_too_short; /* dropped: fewer than data.min_session_length items left */
    int64_t sessions_too_long;  /* dropped or cut: more than data.max_session_length items */
    int64_t items;              /* what is left */
    int64_t items_with_text;    /* items whose text is not empty */
    int64_t sessions[3];        /* train, valid, test */
    int64_t interactions[3];    /* train, valid, test */
} alterrec_data_report;

/* What alterrec_sessions_read met on its way to these sessions: the fields before `items`. The rest
 * is 0, and all of it for sessions that were not read from a file, or with a dataset. Statuses:
 * INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_sessions_report(alterrec_data_report *report,
                                                      const alterrec_sessions *sessions);

/* Everything one training needs, read by one call from the files that the options data.* name. */
typedef struct alterrec_dataset alterrec_dataset;

/* The sets of a dataset. */
#define ALTERREC_SPLIT_TRAIN 0
#define ALTERREC_SPLIT_VALID 1
#define ALTERREC_SPLIT_TEST  2

/* Reads catalog, text features and sessions as the options data.* and text.* say: either one
 * interaction file (data.interactions) that is filtered and split by time or at random, or files
 * already split (data.train, data.valid, data.test). Statuses: IO, PARSE, NOT_FOUND, MISMATCH,
 * INVALID_ARGUMENT (no file named, a filter that leaves nothing). Since 0.1. */
ALTERREC_API alterrec_status alterrec_dataset_read(alterrec_dataset **dataset,
                                                   const alterrec_config *config);

/* Since 0.1. */
ALTERREC_API void alterrec_dataset_free(alterrec_dataset *dataset);

/* The catalog; borrowed. NULL for NULL. Since 0.1. */
ALTERREC_API const alterrec_catalog *alterrec_dataset_catalog(const alterrec_dataset *dataset);

/* The sessions of ALTERREC_SPLIT_TRAIN, _VALID or _TEST; borrowed. NULL if there are none.
 * Since 0.1. */
ALTERREC_API const alterrec_sessions *alterrec_dataset_sessions(const alterrec_dataset *dataset,
                                                                int32_t split);

/* What was read and what was dropped. Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_dataset_report(alterrec_data_report *report,
                                                     const alterrec_dataset *dataset);

/* A ragged batch of sessions to score, with what each must not be recommended. It also keeps the
 * working memory of the calls it is given to: one thread at a time, and worth reusing. While a call
 * works on it, every function that would change it or work on it gives BUSY. */
typedef struct alterrec_batch alterrec_batch;

/* An empty batch. Statuses: OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_batch_create(alterrec_batch **batch);

/* Since 0.1. */
ALTERREC_API void alterrec_batch_free(alterrec_batch *batch);

/* Removes all sessions, labels, negatives and exclusions; keeps the memory and exclude_own.
 * Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_batch_clear(alterrec_batch *batch);

/* Appends one session of `length` >= 1 items. The items are checked against the catalog when the
 * batch is scored. Statuses: INVALID_ARGUMENT, OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_batch_add(alterrec_batch *batch, const int32_t *items,
                                                int64_t length);

/* Appends one session to train on: labels[t] is the item that is to follow items[0..t], or -1 if
 * that prefix is no example. Statuses: as alterrec_batch_add. Since 0.1. */
ALTERREC_API alterrec_status alterrec_batch_add_labelled(alterrec_batch *batch,
                                                         const int32_t *items,
                                                         const int32_t *labels, int64_t length);

/* The number of examples, that is of labels that are not -1; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_batch_examples(const alterrec_batch *batch);

/* Names the negatives of the batch's examples, in the order of their labels: [examples, count],
 * used by training steps instead of drawing any; an item may stand several times, -1 leaves its
 * place out, and a plan for the full softmax passes them over. NULL: only if examples is 0. clear
 * and adding labels take them away. Statuses: MISMATCH (examples is not the batch's number),
 * INVALID_ARGUMENT, OUT_OF_MEMORY, BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_batch_set_negatives(alterrec_batch *batch,
                                                          const int32_t *negatives,
                                                          int64_t examples, int64_t count);

/* The number of sessions; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_batch_count(const alterrec_batch *batch);

/* Items that must not be recommended for session `session` of the batch (-1: for none of its
 * sessions), beside those given before. items NULL: only if count is 0. Statuses: INVALID_ARGUMENT,
 * OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_batch_exclude(alterrec_batch *batch, int64_t session,
                                                    const int32_t *items, int64_t count);

/* Whether a session's own items are left out of its recommendations (nonzero: yes; at first: no).
 * Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_batch_exclude_own(alterrec_batch *batch, int32_t exclude);

/* ---------------------------------------------------------------------------------------------
 * 4. Model: the parameters of both towers
 * ------------------------------------------------------------------------------------------- */

/* Parameters of the ID tower and of the text tower, the options they were made with, and the
 * catalog. With schedule.system "naive_concat" a model is a joint one: it has one tower, made of
 * IDs and texts together, in the place of the two. Read-only and shareable while no trainer and no
 * set_tensor, import, choose_alpha or add_items changes it. */
typedef struct alterrec_model alterrec_model;

/* Whose scores: one tower's, both fused, or the popularity baseline's (evaluation only). Of a joint
 * model, ID and text are its parts: the joint tower with zeros in the place of the other half of
 * its item vectors; fused is the joint tower itself. */
#define ALTERREC_ID         1
#define ALTERREC_TEXT       2
#define ALTERREC_FUSED      3
#define ALTERREC_POPULARITY 4

/* A model with fresh parameters (options model.*, train.seed, schedule.system) for the items of
 * `catalog`. Without text features the model has an ID tower only. Statuses: INVALID_ARGUMENT,
 * MISMATCH (a joint model, but no text features), OUT_OF_MEMORY, BACKEND. Since 0.1. Section 4.1.
 * */
ALTERREC_API alterrec_status alterrec_model_create(alterrec_model **model,
                                                   const alterrec_catalog *catalog,
                                                   const alterrec_config *config);

/* Opens a model file; large tensors are read through a private memory mapping. Every header field
 * is checked before it is used. Statuses: IO, PARSE, UNSUPPORTED, OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_load(alterrec_model **model, const char *path);

/* Writes the model to one `.safetensors` file: parameters, text features, item keys and texts,
 * options. Written aside, synced, renamed. Statuses: IO, OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_save(const alterrec_model *model, const char *path);

/* Since 0.1. */
ALTERREC_API void alterrec_model_free(alterrec_model *model);

/* Sets parameters from any safetensors file that holds them by name in f32 with the right shapes;
 * tensors of other names are passed over, but all of the model's must be there. On an error nothing
 * has changed. Statuses: IO, PARSE, NOT_FOUND, MISMATCH, BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_import(alterrec_model *model, const char *path);

/* Puts `count` items behind those of the model's catalog, which are scored from then on: with
 * keys[i], texts[i] (texts NULL: none; a NULL entry: "") and row i of `features` [count, the
 * catalog's feature_dim]; NULL: hashed from the texts with the weights that the catalog's texts
 * gave, if its own features were hashed. All copied. The text tower needs nothing else; the ID
 * embedding of such an item is made of other items' (options model.new_items and
 * model.new_item_neighbours of the model) until the model is trained on. The items that were there
 * keep index and parameters to the bit.
 *
 * The model's catalog is another one afterwards: a pointer from alterrec_model_catalog before the
 * call is no longer valid, unless sessions, a recommender or the host (alterrec_catalog_hold) hold
 * that catalog; these keep it as it is. Trainers of the model answer MISMATCH from then on and can
 * only be freed; make a new one with sessions over the model's new catalog. On an error nothing has
 * changed. Statuses: INVALID_ARGUMENT (a key that is empty, repeated or in the catalog already, a
 * feature not finite, text that is not UTF-8, count outside 1..2^31-2 - items), MISMATCH (no
 * features where the catalog has some that were not hashed, or features where it has none), BUSY,
 * OUT_OF_MEMORY, BACKEND. Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_add_items(alterrec_model *model,
                                                      const char *const *keys,
                                                      const char *const *texts,
                                                      const float *features, int64_t count);

/* The catalog (until alterrec_model_add_items) and the options of the model; borrowed. NULL for
 * NULL. Since 0.1. */
ALTERREC_API const alterrec_catalog *alterrec_model_catalog(const alterrec_model *model);
ALTERREC_API const alterrec_config *alterrec_model_config(const alterrec_model *model);

/* The number of a vector's values, the option model.dim of the model; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_model_dim(const alterrec_model *model);

/* One parameter tensor of a model. */
typedef struct alterrec_tensor {
    uint32_t struct_size; /* in: sizeof(alterrec_tensor), as the host knows it */
    int32_t dims;         /* 1 or 2 */
    const char *name;     /* "id.encoder.blocks.0.attention.query.weight" */
    int64_t shape[2];     /* shape[1] is 1 if dims is 1 */
    int64_t count;        /* shape[0] * shape[1] */
} alterrec_tensor;

/* The number of parameter tensors; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_model_tensor_count(const alterrec_model *model);

/* Describes parameter tensor `index`. Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_tensor_describe(alterrec_tensor *tensor,
                                                            const alterrec_model *model,
                                                            int64_t index);

/* Describes the parameter tensor `name`. Statuses: NOT_FOUND, INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_tensor_find(alterrec_tensor *tensor,
                                                        const alterrec_model *model,
                                                        const char *name);

/* Copies the `count` values of the tensor `name` out, row-major. Statuses: NOT_FOUND, MISMATCH.
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_get_tensor(float *values, const alterrec_model *model,
                                                       const char *name, int64_t count);

/* Sets the tensor `name` from `count` finite values. Statuses: NOT_FOUND, MISMATCH,
 * INVALID_ARGUMENT (a value not finite), BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_set_tensor(alterrec_model *model, const char *name,
                                                       const float *values, int64_t count);

/* The item table T [items, dim] of one tower (ALTERREC_ID or ALTERREC_TEXT; of a joint model
 * ALTERREC_FUSED, or one of its parts). Statuses: INVALID_ARGUMENT, MISMATCH (no text tower),
 * OUT_OF_MEMORY, BACKEND. Since 0.1. Section 4.1. */
ALTERREC_API alterrec_status alterrec_model_item_vectors(float *vectors,
                                                         const alterrec_model *model,
                                                         int32_t tower);

/* The session vectors [batch count, dim] of one tower. A session longer than model.max_len keeps
 * its last max_len items. Statuses: as item_vectors. Since 0.1. Section 4.1. */
ALTERREC_API alterrec_status alterrec_model_session_vectors(float *vectors,
                                                            const alterrec_model *model,
                                                            int32_t tower, alterrec_batch *batch);

/* Every item's score for every session of the batch, [batch count, items]; `scorer` is ALTERREC_ID,
 * _TEXT or _FUSED. Text scores are divided by model.temperature; fused is
 * alpha * id + (1 - alpha) * text with fusion.alpha ("auto": 0.5). A joint model knows neither
 * temperature nor alpha. Each call computes the item
 * tables anew: to score many batches, make a recommender. Statuses: as item_vectors, and BUSY (the
 * batch). Since 0.1. Section 4.3. */
ALTERREC_API alterrec_status alterrec_model_score(float *scores, const alterrec_model *model,
                                                  int32_t scorer, alterrec_batch *batch);

/* Both towers' scores of some sessions for all items, and the place for the fused ones: [sessions,
 * items] each, row after row. All of it is the library's, for the length of the call. */
typedef struct alterrec_fusion_tile {
    uint32_t struct_size;  /* as the library knows it */
    uint32_t reserved;     /* 0 */
    int64_t first_session; /* the first row's position: in the batch that is recommended for; or
                              among the examples of an evaluation, where each prefix is a row */
    int64_t sessions;      /* 1 or more */
    int64_t items;         /* the catalog's: column i is item i */
    const float *id;       /* finite */
    const float *text;     /* finite, divided by model.temperature */
    float *fused;          /* NaN at first; does not overlap the others */
} alterrec_fusion_tile;

/* Fuses both towers' scores in the place of the weighted sum, alike in validating, evaluating and
 * recommending: trainer and evaluator take this callback by `..._on_fusion`, the calls that
 * recommend in their alterrec_search.
 *  - It fills every place of tile->fused with a finite number, the higher the better: another one,
 *    or a place left out, is NOT_FINITE from the call that scores.
 *  - A row holds all items, those too that the batch excludes, so that ranks can be taken of it.
 *    How many sessions come together, and which, may change with every version: a fused row is to
 *    depend on that row alone.
 *  - It is called on the thread of the call that scores, tile after tile.
 *  - Return 0: it is filled. A positive number: this tile is left to the library, which adds up the
 *    weighted sum as if there were no callback. A negative number: the call that scores ends, and
 *    returns it unchanged.
 *  - It may use other handles, and read the one it is called for; a call of the batch, evaluator or
 *    trainer that is at work gives BUSY. It must not free them, and it must return.
 * It is not called for a model without a text tower, whose fused scores are the ID tower's, nor for
 * a joint one. Section 4.3. */
typedef int32_t (*alterrec_fusion_fn)(const alterrec_fusion_tile *tile, void *user_data);

/* ---------------------------------------------------------------------------------------------
 * 5. Trainer: the alternating training (Section 4.2)
 * ------------------------------------------------------------------------------------------- */

/* Optimizers, schedule position, random state and data of one training. One thread. */
typedef struct alterrec_trainer alterrec_trainer;

#define ALTERREC_NEGATIVES_RANDOM 0 /* drawn from the catalog with replacement */
#define ALTERREC_NEGATIVES_HARD   1 /* a share from the other tower's rank window, else random */
#define ALTERREC_NEGATIVES_FULL   2 /* every other item: full softmax */
#define ALTERREC_NEGATIVES_BATCH  3 /* the labels of the batch's other examples */
#define ALTERREC_NEGATIVES_HOST   4 /* those that the negatives callback names */

/* What one epoch (or step) of training does. */
typedef struct alterrec_plan {
    uint32_t struct_size;   /* in: sizeof(alterrec_plan), as the host knows it */
    int32_t tower;          /* ALTERREC_ID, ALTERREC_TEXT, or ALTERREC_FUSED: both at once, one loss
                               on the sum of their scores (naive fusion); or a joint model's tower */
    int32_t negatives;      /* ALTERREC_NEGATIVES_* */
    int32_t stop;           /* nonzero: training ends before this epoch */
    int64_t k1;             /* rank window of the hard negatives: ranks k1 < rank <= k2, best = 1 */
    int64_t k2;             /* clipped to the number of items */
    int64_t negative_count; /* negatives an example */
    int64_t positive_count; /* augmented positives an example, 0: none */
    double hard_share;      /* share of them that comes from the rank window */
    double popularity;      /* random draws go by (occurrences in the training set)^popularity; 0:
                               uniform */
    int32_t shared;         /* nonzero: one random draw serves all examples of a batch, and hard
                               negatives are those of it whose rank is within the window */
    int32_t correct;        /* nonzero: logQ correction, RANDOM and BATCH alone: a negative j counts
                               1 / (negatives * its probability), so that the sum over the negatives
                               estimates that of the full softmax */
    double positives_weight; /* lambda, the augmented examples' weight in the loss */
    double learning_rate;    /* Adam's */
} alterrec_plan;

/* What one epoch of training gave. */
typedef struct alterrec_epoch_report {
    uint32_t struct_size;      /* in: sizeof(alterrec_epoch_report), as the host knows it */
    int32_t epoch;             /* counted from 0 */
    int32_t tower;             /* ALTERREC_ID, _TEXT or _FUSED */
    int32_t negatives;         /* ALTERREC_NEGATIVES_* */
    int64_t examples;          /* prefixes trained on */
    int64_t steps;             /* of the optimizer */
    double learning_rate;      /* Adam's */
    double loss;               /* mean over the examples */
    double positives_loss;     /* mean over the augmented examples; 0 without */
    double part_loss[2];       /* tower ALTERREC_FUSED: what the ID scores alone and the text scores
                                  alone would lose, under the same dropout; 0 otherwise */
    double seconds;            /* training alone */
    double valid_seconds;      /* validation alone */
    double valid_metric[3];    /* the chosen metric (train.valid_metric): fused, ID, text; 0 without
                                  validation sessions */
    int32_t best;              /* nonzero: the best epoch so far */
    int32_t epochs_since_best; /* 0 at the best */
    int32_t stopped; /* nonzero: progress callback or cancel asked to stop; unless it was at
                        ALTERREC_STAGE_EPOCH, the epoch was broken off and is not counted, and the
                        model keeps what it had learned until then */
    int32_t reserved;
} alterrec_epoch_report;

/* Where a running epoch or evaluation stands. */
typedef struct alterrec_progress {
    uint32_t struct_size;                /* in: as the library knows it */
    int32_t stage;                       /* ALTERREC_STAGE_* */
    int32_t epoch;                       /* counted from 0 */
    int32_t epochs;                      /* planned at most */
    int64_t step;                        /* steps (or session chunks) done in this stage */
    int64_t steps;                       /* of so many */
    int64_t examples;                    /* done in this stage */
    double loss;                         /* mean so far in this epoch; 0 outside training */
    double seconds;                      /* since this stage began */
    const alterrec_epoch_report *report; /* at ALTERREC_STAGE_EPOCH: its epoch; else NULL */
} alterrec_progress;

#define ALTERREC_STAGE_TRAIN    0 /* a step of training is done */
#define ALTERREC_STAGE_VALIDATE 1 /* a chunk of an evaluation is done */
#define ALTERREC_STAGE_EPOCH    2 /* an epoch is finished, `report` is filled */

/* Called during long work on the calling thread; everything is borrowed for the call. Return 0 to
 * go on, a positive number to stop cleanly, a negative one to fail: the caller gets it unchanged.
 * */
typedef int32_t (*alterrec_progress_fn)(const alterrec_progress *progress, void *user_data);

/* A trainer of `model` on the sessions `train`, with `valid` for early stopping (NULL: none; all
 * epochs run and the last weights stay). Options train.*, negatives.*, positives.*, schedule.* of
 * `config` (not set: the model's own). The model is changed in place; while the trainer is inside a
 * call, only it may use the model, and what would change it is BUSY. Statuses: MISMATCH (sessions
 * over another catalog; a schedule.system that the model has not the towers for), INVALID_ARGUMENT
 * (no session of two items), OUT_OF_MEMORY, BACKEND. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_create(alterrec_trainer **trainer,
                                                     alterrec_model *model,
                                                     const alterrec_sessions *train,
                                                     const alterrec_sessions *valid,
                                                     const alterrec_config *config);

/* The model keeps the weights it has at this moment. Since 0.1. */
ALTERREC_API void alterrec_trainer_free(alterrec_trainer *trainer);

/* Sets the progress callback (NULL: none). Statuses: INVALID_ARGUMENT, BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_on_progress(alterrec_trainer *trainer,
                                                          alterrec_progress_fn progress,
                                                          void *user_data);

/* Sets the fusion callback (NULL: the weighted sum) by which validation ranks the fused scores; it
 * changes nothing else in training. Statuses: INVALID_ARGUMENT, BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_on_fusion(alterrec_trainer *trainer,
                                                        alterrec_fusion_fn fusion, void *user_data);

/* Called by alterrec_trainer_run before each epoch. `plan` holds the built-in schedule's plan, and
 * may be changed in any field; `last` is the last epoch's report (NULL before the first). Both are
 * borrowed for the call. A plan that it gives another tower, but no other learning rate, gets that
 * tower's own rate. Return 0 to train the plan as it then stands, a positive number to end the
 * training, a negative one to fail: run returns it unchanged. The plan is checked as
 * alterrec_trainer_epoch checks it. */
typedef int32_t (*alterrec_schedule_fn)(alterrec_plan *plan, const alterrec_epoch_report *last,
                                        void *user_data);

/* Sets the schedule callback (NULL: the built-in schedule alone). Statuses: INVALID_ARGUMENT, BUSY.
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_on_schedule(alterrec_trainer *trainer,
                                                          alterrec_schedule_fn schedule,
                                                          void *user_data);

/* The examples of one batch, as the negatives callback sees them. Example e is the prefix
 * items[starts[e] .. starts[e] + lengths[e] - 1] with the label labels[e]. */
typedef struct alterrec_examples {
    uint32_t struct_size; /* as the library knows it */
    uint32_t reserved;
    int64_t count;          /* 1 or more */
    const int32_t *items;   /* [item_count] */
    const int64_t *starts;  /* [count] */
    const int64_t *lengths; /* [count] */
    const int32_t *labels;  /* [count] */
    int64_t item_count;     /* of all sessions of the batch, one behind the other */
} alterrec_examples;

/* Called once a step under ALTERREC_NEGATIVES_HOST, on the calling thread: fills negatives
 * [examples->count, per_example] with items; -1, which is what they hold at first, leaves a place
 * out, and the example's own label is passed over. Everything is borrowed for the call. Return 0 to
 * go on, a positive number to have this batch's negatives drawn as under ALTERREC_NEGATIVES_RANDOM,
 * a negative one to fail: the caller gets it unchanged and nothing is trained. */
typedef int32_t (*alterrec_negatives_fn)(int32_t *negatives, const alterrec_examples *examples,
                                         int64_t per_example, void *user_data);

/* Sets the negatives callback (NULL: none). Statuses: INVALID_ARGUMENT, BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_on_negatives(alterrec_trainer *trainer,
                                                           alterrec_negatives_fn negatives,
                                                           void *user_data);

/* Levels of the log. */
#define ALTERREC_LOG_INFO    1
#define ALTERREC_LOG_WARNING 2

/* Called with what belongs into a log: what trains from an epoch on, when a learning rate falls,
 * the best epoch, exhausted patience, the choice of alpha, checkpoints; as a warning, options that
 * are not followed to the letter. On the calling thread; `message`, a line without its end, is
 * borrowed for the call and may be worded otherwise by any version. Return 0 to go on, a positive
 * number to have the trainer stop as alterrec_trainer_cancel does, a negative one to fail: the call
 * that had something to tell returns it unchanged, though what it tells of is done. A call of the
 * trainer gives BUSY. */
typedef int32_t (*alterrec_log_fn)(int32_t level, const char *message, void *user_data);

/* Sets the log callback (NULL: none, as at first). Statuses: INVALID_ARGUMENT, BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_on_log(alterrec_trainer *trainer, alterrec_log_fn log,
                                                     void *user_data);

/* Asks the trainer to stop at its next step, as a progress callback does by a positive answer: the
 * call that is running, or if none is, the next epoch. Any thread, at any time while the trainer
 * lives. Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_cancel(alterrec_trainer *trainer);

/* The built-in schedule's plan for the next epoch: a pure function of the trainer's state.
 * Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_plan(alterrec_plan *plan,
                                                   const alterrec_trainer *trainer);

/* The parts of a step that are timed: their places in alterrec_step_report.seconds. A later version
 * may time further ones. */
#define ALTERREC_PART_ROWS      0 /* which rows the step works on, and their copies */
#define ALTERREC_PART_TEACHER   1 /* the other tower: what positives and ranks are chosen by */
#define ALTERREC_PART_TABLE     2 /* item table, forward and backward */
#define ALTERREC_PART_ENCODER   3 /* session encoder, forward and backward */
#define ALTERREC_PART_SCORES    4 /* scores, and the gradients of vectors and table by them */
#define ALTERREC_PART_LOSS      5 /* choice of negatives, softmax, gradient of the scores */
#define ALTERREC_PART_OPTIMIZER 6 /* Adam, and the check that all is finite */

/* What one step of training gave. */
typedef struct alterrec_step_report {
    uint32_t struct_size;  /* in: sizeof(alterrec_step_report), as the host knows it */
    int32_t tower;         /* ALTERREC_ID, _TEXT or _FUSED */
    int64_t examples;      /* prefixes trained on */
    double loss;           /* mean over the examples, before the step */
    double positives_loss; /* mean over the augmented examples; 0 without */
    double part_loss[2];   /* as in alterrec_epoch_report */
    int64_t rows;          /* of the item table that the step worked on */
    int64_t tokens;        /* that were encoded */
    double seconds[16];    /* seconds[ALTERREC_PART_*]: of each part; 0 where there is none */
} alterrec_step_report;

/* One step on the labelled sessions of `batch`, the trainer's own or the host's, as `plan` says
 * (NULL: the built-in schedule's plan): forward, backward, one step of Adam. Sessions longer than
 * model.max_len are an error: cut them as you mean it. The towers that hard negatives and positives
 * are ranked by are used as they are when they are first asked for, and looked at again when they
 * have been trained since. Where the examples share their negatives, the embeddings that a step
 * does not touch wait with what momentum would make of them until they are touched, the epoch ends
 * or the trainer is saved. Statuses: as epoch, and INVALID_ARGUMENT (no label, an item outside the
 * catalog, a session too long). Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_step(alterrec_step_report *report,
                                                   alterrec_trainer *trainer, alterrec_batch *batch,
                                                   const alterrec_plan *plan);

/* The number of batches that the next epoch has, in an order that seed and epoch decide; 0 for
 * NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_trainer_batches(const alterrec_trainer *trainer);

/* Replaces the content of `batch` by batch `index` of the next epoch. Statuses: INVALID_ARGUMENT,
 * OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_batch(alterrec_batch *batch,
                                                    const alterrec_trainer *trainer, int64_t index);

/* Ends an epoch whose steps the host has taken itself: validates, keeps the best weights, counts,
 * and fills `report` (NULL: not wanted) with what the steps since the last end gave. Statuses:
 * INVALID_ARGUMENT (no step has been taken), BUSY, NOT_FINITE, OUT_OF_MEMORY, BACKEND, the
 * callback's own. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_end_epoch(alterrec_epoch_report *report,
                                                        alterrec_trainer *trainer);

/* Trains one epoch as `plan` says (NULL: the built-in schedule's plan, whose `stop` is not looked
 * at): every batch a step, then the end; fills `report` (NULL: not wanted). The tower that is not
 * trained does not change by one bit. Statuses: INVALID_ARGUMENT (a field of the plan), MISMATCH
 * (the plan needs a text tower that is not there), NOT_FINITE (a loss or a gradient; the weights
 * are those before the step that met it), BUSY, OUT_OF_MEMORY, BACKEND, the callback's own. An
 * epoch that an error breaks off is not counted, and the model keeps what it had learned until
 * then. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_epoch(alterrec_epoch_report *report,
                                                    alterrec_trainer *trainer,
                                                    const alterrec_plan *plan);

/* Gives the model the weights of the best epoch so far by the validation metric; without validation
 * sessions, or before the first epoch, the weights stay. Statuses: INVALID_ARGUMENT, BUSY, the log
 * callback's own. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_use_best(alterrec_trainer *trainer);

/* Trains epoch after epoch, with the built-in schedule's plans as the schedule callback changed
 * them, until a plan says stop or a callback or cancel stops it; then gives the model its best
 * weights, also after an error. With fusion.alpha "auto" it then chooses the model's own by
 * choose_alpha on the validation sessions, unless it failed, there is nothing to choose or to
 * choose by, or a fusion callback is set. It is plan, epoch, use_best and choose_alpha in a loop:
 * write your own where you want another. Statuses: as epoch, the schedule callback's own.
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_run(alterrec_trainer *trainer);

/* Writes everything that training needs to go on as if it had not been interrupted: weights, Adam's
 * moments, the best weights so far, where the schedule stands, the reports. Written aside, synced
 * and renamed: the file that was there before stays until the new one is whole. May also be called
 * from the progress callback at ALTERREC_STAGE_EPOCH. A checkpoint holds the model's tensors by
 * name, so alterrec_model_import reads it. Statuses: IO, BUSY (inside a call), OUT_OF_MEMORY, the
 * log callback's own. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_save(alterrec_trainer *trainer, const char *path);

/* Makes a trainer with the same data, options and thread count go on where the checkpoint stands:
 * it ends with the same bits as a training that was never interrupted. Options of the groups data
 * and eval may differ. On an error nothing has changed. Statuses: IO, PARSE, UNSUPPORTED,
 * NOT_FOUND, MISMATCH (the text names what differs), BUSY, OUT_OF_MEMORY, the log callback's own.
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_resume(alterrec_trainer *trainer, const char *path);

/* The number of epochs trained so far; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_trainer_epochs(const alterrec_trainer *trainer);

/* The report of epoch `epoch`. Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_trainer_report(alterrec_epoch_report *report,
                                                     const alterrec_trainer *trainer,
                                                     int64_t epoch);

/* ---------------------------------------------------------------------------------------------
 * 6. Evaluation: every prefix of every held-out session, ranked against the whole catalog
 * ------------------------------------------------------------------------------------------- */

/* Metrics of one evaluation. Read-only and shareable. */
typedef struct alterrec_evaluation alterrec_evaluation;

/* A model together with what its evaluations are made by. One thread. */
typedef struct alterrec_evaluator alterrec_evaluator;

#define ALTERREC_HITS 0 /* label within the best k */
#define ALTERREC_MRR  1 /* 1 / rank if within the best k, else 0 */
#define ALTERREC_NDCG 2 /* 1 / log2(rank + 1) if within the best k, else 0 */

/* An evaluator of `model`, with the options eval.*, fusion.alpha and compute.threads that `config`
 * has at this moment (not set, and "auto": the model's own). Statuses: OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_evaluator_create(alterrec_evaluator **evaluator,
                                                       const alterrec_model *model,
                                                       const alterrec_config *config);

/* Since 0.1. */
ALTERREC_API void alterrec_evaluator_free(alterrec_evaluator *evaluator);

/* Sets the progress callback (NULL: none). Statuses: INVALID_ARGUMENT, BUSY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_evaluator_on_progress(alterrec_evaluator *evaluator,
                                                            alterrec_progress_fn progress,
                                                            void *user_data);

/* Sets the fusion callback (NULL: the weighted sum). Statuses: INVALID_ARGUMENT, BUSY. Since 0.1.
 * */
ALTERREC_API alterrec_status alterrec_evaluator_on_fusion(alterrec_evaluator *evaluator,
                                                          alterrec_fusion_fn fusion,
                                                          void *user_data);

/* Evaluates the model, as it is now, on `held_out`: fused, ID and text scores and the popularity
 * baseline side by side, overall and by the label's number of occurrences in `train` (NULL: no
 * popularity baseline, no groups). Ties go to the lower item index. If the progress callback stops
 * the work, the evaluation is of the examples done until then. Statuses: MISMATCH (sessions over
 * other item keys), INVALID_ARGUMENT (no session of two items), NOT_FINITE (scores), BUSY,
 * OUT_OF_MEMORY, BACKEND, a callback's own. Since 0.1. */
ALTERREC_API alterrec_status alterrec_evaluator_run(alterrec_evaluation **evaluation,
                                                    alterrec_evaluator *evaluator,
                                                    const alterrec_sessions *held_out,
                                                    const alterrec_sessions *train);

/* The same in one call, without a fusion callback, with the options of `config` as
 * alterrec_evaluator_create takes them; `progress` may be NULL. Written with the functions above.
 * Statuses: as alterrec_evaluator_run. Since 0.1. */
ALTERREC_API alterrec_status alterrec_evaluate(alterrec_evaluation **evaluation,
                                               const alterrec_model *model,
                                               const alterrec_sessions *held_out,
                                               const alterrec_sessions *train,
                                               const alterrec_config *config,
                                               alterrec_progress_fn progress, void *user_data);

/* Since 0.1. */
ALTERREC_API void alterrec_evaluation_free(alterrec_evaluation *evaluation);

/* The number of examples (prefixes with a label); 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_evaluation_examples(const alterrec_evaluation *evaluation);

/* The number of popularity groups (option eval.groups); 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_evaluation_groups(const alterrec_evaluation *evaluation);

/* Group `group` holds the examples whose label occurs low..high-1 times in the training set (high
 * is -1 if open). Any of the results may be NULL. Statuses: INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_evaluation_group(int64_t *low, int64_t *high,
                                                       int64_t *examples,
                                                       const alterrec_evaluation *evaluation,
                                                       int64_t group);

/* One figure: scorer ALTERREC_ID, _TEXT, _FUSED or _POPULARITY; metric ALTERREC_HITS, _MRR, _NDCG;
 * k one of eval.ks; group -1 for all examples. 0 for a group without examples. Statuses: NOT_FOUND
 * (not evaluated), INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_evaluation_metric(double *value,
                                                        const alterrec_evaluation *evaluation,
                                                        int32_t scorer, int32_t metric, int64_t k,
                                                        int64_t group);

/* Every figure as one line of JSON; borrowed. NULL for NULL. Since 0.1. */
ALTERREC_API const char *alterrec_evaluation_json(const alterrec_evaluation *evaluation);

/* Chooses the weight of the fusion: ranks the examples of `valid` with the `points` values of alpha
 * that lie evenly from 0 to 1 (2..1001 of them, 21: in steps of 0.05), from scores computed once,
 * and makes the best by train.valid_metric at train.valid_k the model's own fusion.alpha; of
 * equally good ones that nearest to 0.5, of two such the lower. *alpha becomes the choice (NULL:
 * not wanted), curve [points] the metric at each value (NULL: not wanted). Options
 * train.valid_metric, train.valid_k and compute.threads of `config` (not set: the model's own).
 * Recommenders and evaluators that were made before keep their weight. Statuses: INVALID_ARGUMENT
 * (points; no session of two items), MISMATCH (sessions over other item keys, no text tower, a
 * joint model), NOT_FINITE, BUSY (a trainer uses the model), OUT_OF_MEMORY, BACKEND. Since 0.1. */
ALTERREC_API alterrec_status alterrec_model_choose_alpha(double *alpha, double *curve,
                                                         alterrec_model *model,
                                                         const alterrec_sessions *valid,
                                                         int64_t points,
                                                         const alterrec_config *config);

/* ---------------------------------------------------------------------------------------------
 * 7. Recommender: top k
 * ------------------------------------------------------------------------------------------- */

/* An immutable serving snapshot of a model. Shared by threads, each with its own batch. */
typedef struct alterrec_recommender alterrec_recommender;

/* A snapshot of `model` as it is now, with fusion.alpha, serve.precision, serve.encoder and
 * compute.threads of `config` (not set, and alpha at "auto": the model's own). Whatever
 * serve.precision is, lists and scores are the same, bit for bit; serve.encoder, other than f32,
 * rounds the session vectors, and lists and scores are exact for the rounded ones. Statuses:
 * NOT_FINITE (an item's vector), OUT_OF_MEMORY, BACKEND. Since 0.1. */
ALTERREC_API alterrec_status alterrec_recommender_create(alterrec_recommender **recommender,
                                                         const alterrec_model *model,
                                                         const alterrec_config *config);

/* Writes all that serving needs to one file, made to be opened: keys and texts, encoders, tables
 * and their compact copy. Written aside, synced, renamed: processes that have opened the old file
 * keep it. Statuses: IO, OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_recommender_save(const alterrec_recommender *recommender,
                                                       const char *path);

/* Opens such a file by mapping it: nothing is copied, and processes that open it share its memory.
 * Of `config` compute.threads hold (not set: those of the file); all other options are those that
 * it was saved with. Every field of the header and every array that says where others lie is
 * checked; what is large is not read until it is used, unless serve.verify of `config` asks for the
 * checksum of the whole. The file must not be changed or cut while it is open: replace it by
 * another one, as save does. The recommender's catalog has no features. Statuses: IO, PARSE,
 * UNSUPPORTED, OUT_OF_MEMORY, BACKEND. Since 0.1. */
ALTERREC_API alterrec_status alterrec_recommender_open(alterrec_recommender **recommender,
                                                       const char *path,
                                                       const alterrec_config *config);

/* Another holder of the recommender, which alterrec_recommender_free gives back: returns the same
 * handle, NULL for NULL. So a server that changes its model lets the requests under way end with
 * the recommender that they began with. Any thread. Since 0.1. */
ALTERREC_API alterrec_recommender *alterrec_recommender_hold(
    const alterrec_recommender *recommender);

/* Gives back one holder's part; the last one frees. Any thread. Since 0.1. */
ALTERREC_API void alterrec_recommender_free(alterrec_recommender *recommender);

/* The catalog of the recommender's items; borrowed. NULL for NULL. Since 0.1. */
ALTERREC_API const alterrec_catalog *alterrec_recommender_catalog(
    const alterrec_recommender *recommender);

/* What may be recommended at all, whoever asks: made once, then shared by threads and calls. What
 * its calls say is joined: an item may be recommended if every one of them allows it. One thread
 * until it is shared. */
typedef struct alterrec_filter alterrec_filter;

/* A filter over `items` items that allows all of them. Statuses: INVALID_ARGUMENT (items outside
 * 1..2^31-2), OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_filter_create(alterrec_filter **filter, int64_t items);

/* Since 0.1. */
ALTERREC_API void alterrec_filter_free(alterrec_filter *filter);

/* Allows only items whose bit is 1: item i is bit i % 8 of bits[i / 8], from the lowest bit, of
 * value 1, upwards. (items + 7) / 8 bytes are read; bits of the last one beyond item items - 1 do
 * not matter. Statuses: MISMATCH (items is not the filter's number), OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_filter_allow_bitmap(alterrec_filter *filter,
                                                          const uint8_t *bits, int64_t items);

/* Allows only the `count` items of `items` (NULL if count is 0), in any order; a short list costs
 * less than the whole catalog. Statuses: INVALID_ARGUMENT (an item outside the catalog),
 * OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_filter_allow_only(alterrec_filter *filter,
                                                        const int32_t *items, int64_t count);

/* Allows none of the `count` items of `items` (NULL if count is 0). Statuses: as
 * alterrec_filter_allow_only. Since 0.1. */
ALTERREC_API alterrec_status alterrec_filter_exclude(alterrec_filter *filter, const int32_t *items,
                                                     int64_t count);

/* At most `per_list` items of a category come into one list of k; the best of each do.
 * categories[i] is item i's; items whose category is negative are not limited. Replaces what an
 * earlier call said. Statuses: MISMATCH (items is not the filter's number), INVALID_ARGUMENT
 * (per_list below 1), OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_filter_cap(alterrec_filter *filter, const int32_t *categories,
                                                 int64_t items, int64_t per_list);

/* How one call searches. Fields of 0 are the defaults. It is only read: calls and threads may share
 * one. */
typedef struct alterrec_search {
    uint32_t struct_size;          /* in: sizeof(alterrec_search), as the host knows it */
    int32_t threads;               /* 0..1024; 0: the recommender's; 1 starts no thread */
    const alterrec_filter *filter; /* NULL: none */
    int64_t candidates;            /* 0: exact. From k on: only so many items of a session, the best
                                      by the compact table of serve.precision, are looked at again in
                                      f32; whether the list is the exact one is not certain. More
                                      than all items are as good as all */
    alterrec_fusion_fn fusion; /* NULL: the weighted sum. Scores are kept for whole rows with it:
                                  12 * items bytes a session of up to 128 at a time */
    void *user_data;           /* the fusion's */
} alterrec_search;

/* What a search met. */
typedef struct alterrec_search_report {
    uint32_t struct_size; /* in: sizeof(alterrec_search_report), as the host knows it */
    uint32_t reserved;
    int64_t guaranteed; /* sessions whose list is the exact one for certain */
    int64_t reranked;   /* items scored again in f32, over all sessions */
    int64_t rescans;    /* sessions for which the f32 table had to be read */
} alterrec_search_report;

/* The `k` best items of every session of the batch, best first: items [batch count, k] and fused
 * scores [batch count, k] (NULL: not wanted). What the batch excludes, or the filter does not
 * allow, is left out; if fewer than k items remain, the rest of the row is -1 with score -infinity.
 * Ties go to the lower index. `search` says how (NULL: all defaults); `report` is told what was met
 * (NULL: not wanted). After an error what the results hold is undefined. Statuses: INVALID_ARGUMENT
 * (k outside 1..items, an empty batch, an item outside the catalog, threads outside 0..1024,
 * candidates neither 0 nor k and more), MISMATCH (a filter over another number of items), BUSY (the
 * batch), OUT_OF_MEMORY, BACKEND; with a fusion callback also NOT_FINITE and the callback's own.
 * Since 0.1. Section 4.3. */
ALTERREC_API alterrec_status alterrec_recommender_top_k(int32_t *items, float *scores,
                                                        alterrec_search_report *report,
                                                        const alterrec_recommender *recommender,
                                                        alterrec_batch *batch, int64_t k,
                                                        const alterrec_search *search);

/* The scores of given items: items [batch count, count], row s for session s of the batch. Each of
 * fused, id and text [batch count, count] may be NULL: not wanted. fused is, bit for bit, the score
 * that top k gives the item; id and text are what the fusion makes it of, text divided by
 * model.temperature. An item of -1, as stands behind a list that is short, scores -infinity. What
 * the batch excludes is not looked at; of `search` (NULL: defaults) threads and fusion are.
 * Statuses: INVALID_ARGUMENT (count below 1, an item outside -1..items-1, an empty batch), MISMATCH
 * (the text scores of a model without a text tower, either of a joint one's), BUSY (the batch),
 * OUT_OF_MEMORY, BACKEND; with a fusion callback also NOT_FINITE and the callback's own.
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_recommender_score(float *fused, float *id, float *text,
                                                        const alterrec_recommender *recommender,
                                                        alterrec_batch *batch, const int32_t *items,
                                                        int64_t count,
                                                        const alterrec_search *search);

/* The width of item_vectors and session_vectors: model.dim for each tower; 0 for NULL. Since 0.1.
 */
ALTERREC_API int64_t alterrec_recommender_width(const alterrec_recommender *recommender);

/* The vectors [count, width] of items first .. first + count - 1, for an index of the host's own:
 * the inner product of an item's and a session's vector is the fused score by the weighted sum, but
 * for rounding. Statuses: INVALID_ARGUMENT (a range outside the catalog). Since 0.1. */
ALTERREC_API alterrec_status alterrec_recommender_item_vectors(
    float *vectors, const alterrec_recommender *recommender, int64_t first, int64_t count);

/* The vectors [batch count, width] of the sessions of the batch, see item_vectors. Statuses:
 * INVALID_ARGUMENT (an empty batch, an item outside the catalog), BUSY, OUT_OF_MEMORY, BACKEND.
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_recommender_session_vectors(
    float *vectors, const alterrec_recommender *recommender, alterrec_batch *batch);

/* The same as `.npy` files of f32: all items in the catalog's order, the batch's sessions in its
 * order. Written aside, synced, renamed. Statuses: IO, OUT_OF_MEMORY; and those of session_vectors.
 * Since 0.1. */
ALTERREC_API alterrec_status
alterrec_recommender_write_item_vectors(const alterrec_recommender *recommender, const char *path);
ALTERREC_API alterrec_status alterrec_recommender_write_session_vectors(
    const alterrec_recommender *recommender, alterrec_batch *batch, const char *path);

/* ---------------------------------------------------------------------------------------------
 * 8. Live sessions: visitors whose items come one by one
 * ------------------------------------------------------------------------------------------- */

/* A visitor's session that grows. It keeps what the encoders know of its items, so that a further
 * item costs what one item costs; scores and lists are, bit for bit, those of the whole session in
 * a batch. Memory: about 4 * length bytes, and for min(length, model.max_len) items, rounded up to
 * the next 8, 8 * dim * blocks * towers bytes each (9,600 with the default options and a text
 * tower). Calls that take it const, and alterrec_live_sessions_top_k, only read it, and any number
 * of threads may make them at once; one that changes it needs it to itself. It keeps its
 * recommender. */
typedef struct alterrec_live_session alterrec_live_session;

/* A session without items. Statuses: OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_session_create(alterrec_live_session **live,
                                                          const alterrec_recommender *recommender);

/* Since 0.1. */
ALTERREC_API void alterrec_live_session_free(alterrec_live_session *live);

/* Adds the visitor's next item, on the calling thread alone. Beyond model.max_len items the last
 * max_len count, their positions change with every item, and so each costs a session of max_len
 * items. Statuses: INVALID_ARGUMENT (an item outside the catalog), OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_session_push(alterrec_live_session *live, int32_t item);

/* Adds items[s] to sessions[s] for `count` different sessions of one recommender, all in one
 * product; on at most `threads` threads (0: the recommender's). Either all are added or none.
 * Statuses: INVALID_ARGUMENT (count below 1, a session that is NULL or comes twice, an item outside
 * the catalog, threads outside 0..1024), MISMATCH (sessions of different recommenders),
 * OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_sessions_push(alterrec_live_session *const *sessions,
                                                         const int32_t *items, int64_t count,
                                                         int32_t threads);

/* The number of items; 0 for NULL. Since 0.1. */
ALTERREC_API int64_t alterrec_live_session_length(const alterrec_live_session *live);

/* All items in their order; borrowed until the session changes. NULL for NULL and without items.
 * Since 0.1. */
ALTERREC_API const int32_t *alterrec_live_session_items(const alterrec_live_session *live);

/* Takes away all items and exclusions; keeps the memory and exclude_own for the next visitor. NULL
 * is accepted. Since 0.1. */
ALTERREC_API void alterrec_live_session_reset(alterrec_live_session *live);

/* Whether the session's own items are left out of its lists (0: no, the default). Statuses:
 * INVALID_ARGUMENT. Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_session_exclude_own(alterrec_live_session *live,
                                                               int32_t exclude_own);

/* Leaves out the `count` items of `items` (NULL: only if count is 0) from now on, besides those
 * named before. Statuses: INVALID_ARGUMENT (an item outside the catalog, count below 0),
 * OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_session_exclude(alterrec_live_session *live,
                                                           const int32_t *items, int64_t count);

/* The `k` best items, best first: items [k], fused scores [k] (NULL: not wanted) and `report`
 * (NULL: not wanted), as alterrec_recommender_top_k gives them for a batch of this one session.
 * Statuses: as there, and INVALID_ARGUMENT (a session without items). Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_session_top_k(int32_t *items, float *scores,
                                                         alterrec_search_report *report,
                                                         const alterrec_live_session *live,
                                                         int64_t k, const alterrec_search *search);

/* The same for `count` sessions of one recommender in one search: items [count, k] and scores
 * [count, k]. Statuses: as above, and MISMATCH (sessions of different recommenders). Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_sessions_top_k(int32_t *items, float *scores,
                                                          alterrec_search_report *report,
                                                          alterrec_live_session *const *sessions,
                                                          int64_t count, int64_t k,
                                                          const alterrec_search *search);

/* The scores of items [count], see alterrec_recommender_score; fused, id and text [count] may be
 * NULL. Statuses: as there, and INVALID_ARGUMENT (a session without items). Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_session_score(float *fused, float *id, float *text,
                                                         const alterrec_live_session *live,
                                                         const int32_t *items, int64_t count,
                                                         const alterrec_search *search);

/* The number of bytes that alterrec_live_session_serialize writes: 48, and 4 for each item and each
 * exclusion. 0 for NULL. Since 0.1. */
ALTERREC_API size_t alterrec_live_session_size(const alterrec_live_session *live);

/* Writes items and exclusions into `bytes`, of which there are `size`: alterrec_live_session_size
 * of them are filled. What the encoders know is not written: it is made again, with any recommender
 * over as many items. Statuses: INVALID_ARGUMENT (`size` is too small; nothing is written).
 * Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_session_serialize(void *bytes,
                                                             const alterrec_live_session *live,
                                                             size_t size);

/* Replaces what the session holds by what `bytes` say; it goes on with the same bits. Bytes of any
 * content are safe. Statuses: PARSE, UNSUPPORTED (a later version), MISMATCH (a catalog of another
 * number of items), OUT_OF_MEMORY. Since 0.1. */
ALTERREC_API alterrec_status alterrec_live_session_restore(alterrec_live_session *live,
                                                           const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* ALTERREC_ALTERREC_H */
