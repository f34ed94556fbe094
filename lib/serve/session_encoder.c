#include "serve/session_encoder.h"

#include "core/limit.h"
#include "core/memory.h"

#include <omp.h>

/* Tokens of one task: enough rows for the products to run at full speed, so few that what they
 * need stays in a core's cache. */
enum { TASK_TOKENS = 128, ALIGNMENT = 64 };

alterrec_status ar_session_encoder_create(ar_session_encoder *encoder,
                                          const ar_encoder_weights *const *weights, int towers,
                                          const ar_encoder_shape *shape, ar_weight_format format) {
    *encoder = (ar_session_encoder){.shape = *shape, .towers = towers};
    for (int t = 0; t < towers; t++) {
        alterrec_status status =
            ar_inference_create(&encoder->inferences[t], weights[t], shape, format);
        if (status != ALTERREC_OK) {
            ar_session_encoder_free(encoder);
            return status;
        }
    }
    return ALTERREC_OK;
}

void ar_session_encoder_free(ar_session_encoder *encoder) {
    for (int t = 0; t < AR_ENCODER_MOST_TOWERS; t++)
        ar_inference_free(&encoder->inferences[t]);
    *encoder = (ar_session_encoder){0};
}

void ar_session_memory_free(ar_session_memory *memory) {
    ar_free(memory->bytes);
    *memory = (ar_session_memory){0};
}

static alterrec_status reserve(ar_session_memory *memory, int64_t bytes) {
    if (memory->capacity >= bytes)
        return ALTERREC_OK;
    ar_session_memory_free(memory);
    memory->bytes = ar_new(bytes, 1);
    if (memory->bytes == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    memory->capacity = bytes;
    return ALTERREC_OK;
}

int64_t ar_session_encoder_cache(const ar_session_encoder *encoder) {
    return encoder->towers * ar_inference_cache(&encoder->shape);
}

/* What is to be done: growing sessions, or whole ones. */
typedef struct sources {
    const ar_session_encoder *encoder;
    const float *table;
    const ar_session_part *parts; /* NULL: whole sessions */
    const int32_t *items;
    const int64_t *offsets;
    float *dst;
    int64_t count, width;
} sources;

static ar_session_part part_at(const sources *from, int64_t s) {
    if (from->parts != NULL)
        return from->parts[s];
    int64_t length = from->offsets[s + 1] - from->offsets[s];
    int64_t kept = length < from->encoder->shape.max_len ? length : from->encoder->shape.max_len;
    return (ar_session_part){.items = from->items + from->offsets[s + 1] - kept,
                             .count = kept,
                             .dst = from->dst + s * from->width};
}

/* The call cut into tasks: a range of sessions for one tower each. */
typedef struct plan {
    int64_t target;         /* tokens of a range, about */
    int64_t ranges;         /* of sessions */
    int64_t most_tokens;    /* of a range */
    int64_t most_sequences; /* of a range */
    int64_t longest;        /* past and new tokens of one session */
    int64_t *starts;        /* [ranges + 1] */
} plan;

static int64_t round_up(int64_t bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Goes through the ranges; writes their starts down if there is room for them. */
static void cut(plan *made, const sources *from) {
    int64_t tokens = 0, first = 0, target = made->target;
    *made = (plan){.target = target, .starts = made->starts};
    for (int64_t s = 0; s < from->count; s++) {
        ar_session_part part = part_at(from, s);
        tokens += part.count;
        made->longest = ar_at_least(made->longest, part.past + part.count);
        if (tokens < target && s + 1 < from->count)
            continue;
        if (made->starts != NULL)
            made->starts[made->ranges + 1] = s + 1;
        made->ranges++;
        made->most_tokens = ar_at_least(made->most_tokens, tokens);
        made->most_sequences = ar_at_least(made->most_sequences, s + 1 - first);
        first = s + 1;
        tokens = 0;
    }
}

/* A thread's working memory. */
typedef struct area {
    ar_inference_sequence *sequences; /* [most_sequences] */
    float *work;
    float *cache; /* [most_tokens, ar_inference_cache] of whole sessions */
} area;

static int64_t area_bytes(const plan *made, const sources *from) {
    const ar_encoder_shape *shape = &from->encoder->shape;
    int64_t cache = from->parts == NULL ? made->most_tokens * ar_inference_cache(shape) : 0;
    int64_t work =
        ar_inference_work(&from->encoder->inferences[0], made->most_tokens, made->longest);
    return round_up(made->most_sequences * (int64_t)sizeof(ar_inference_sequence)) +
           round_up((work + cache) * (int64_t)sizeof(float));
}

static area area_at(char *memory, const plan *made, const sources *from) {
    int64_t work =
        ar_inference_work(&from->encoder->inferences[0], made->most_tokens, made->longest);
    area at = {.sequences = (ar_inference_sequence *)(void *)memory};
    memory += round_up(made->most_sequences * (int64_t)sizeof *at.sequences);
    at.work = (float *)(void *)memory;
    at.cache = at.work + work;
    return at;
}

/* Sessions start .. end - 1 of one tower. */
static void run_task(const sources *from, const area *at, int64_t start, int64_t end, int tower) {
    const ar_encoder_shape *shape = &from->encoder->shape;
    int64_t size = ar_inference_cache(shape);
    int64_t stride = from->parts != NULL ? from->encoder->towers * size : size;
    float *cache = at->cache;
    for (int64_t s = start; s < end; s++) {
        ar_session_part part = part_at(from, s);
        at->sequences[s - start] = (ar_inference_sequence){
            .items = part.items,
            .count = part.count,
            .past = part.past,
            .cache = from->parts != NULL ? part.cache + tower * size : cache,
            .dst = part.dst + tower * shape->dim};
        cache += from->parts != NULL ? 0 : part.count * size;
    }
    ar_inference_step(&from->encoder->inferences[tower], at->sequences, end - start,
                      from->table + tower * shape->dim, from->width, stride, at->work);
}

static alterrec_status run(const sources *from, ar_session_memory *memory, int threads) {
    int towers = from->encoder->towers;
    int64_t tokens = 0;
    for (int64_t s = 0; s < from->count; s++)
        tokens += part_at(from, s).count;
    int64_t ranges =
        ar_at_least((tokens + TASK_TOKENS - 1) / TASK_TOKENS, (threads + towers - 1) / towers);
    plan made = {.target = (tokens + ranges - 1) / ranges};
    cut(&made, from);
    int64_t tasks = made.ranges * towers, size = area_bytes(&made, from);
    int64_t starts = round_up((made.ranges + 1) * (int64_t)sizeof *made.starts);
    int team = tasks < threads ? (int)tasks : threads;
    AR_TRY(reserve(memory, starts + team * size));
    made.starts = memory->bytes;
    made.starts[0] = 0;
    cut(&made, from);
    char *areas = (char *)memory->bytes + starts;
#pragma omp parallel for num_threads(team) schedule(dynamic, 1) if (team > 1)
    for (int64_t task = 0; task < tasks; task++) {
        area at = area_at(areas + omp_get_thread_num() * size, &made, from);
        int64_t range = task / towers;
        run_task(from, &at, made.starts[range], made.starts[range + 1], (int)(task % towers));
    }
    return ALTERREC_OK;
}

alterrec_status ar_session_encode(float *dst, const ar_session_encoder *encoder,
                                  ar_session_memory *memory, const float *table,
                                  const int32_t *items, const int64_t *offsets, int64_t count,
                                  int threads) {
    sources from = {.encoder = encoder,
                    .table = table,
                    .items = items,
                    .offsets = offsets,
                    .dst = dst,
                    .count = count,
                    .width = encoder->towers * encoder->shape.dim};
    return run(&from, memory, threads);
}

alterrec_status ar_session_encoder_step(const ar_session_encoder *encoder,
                                        ar_session_memory *memory, const float *table,
                                        const ar_session_part *parts, int64_t count, int threads) {
    sources from = {.encoder = encoder,
                    .table = table,
                    .parts = parts,
                    .count = count,
                    .width = encoder->towers * encoder->shape.dim};
    return run(&from, memory, threads);
}
